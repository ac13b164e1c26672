"""export and import."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..errors import NotFound
from .common import DEFAULT_USER, emit, open_memory

__all__ = ["export", "import_"]


def export(args: Namespace) -> int:
    """One file out."""
    with open_memory(args, readonly=True) as memory:
        if args.user is None and not memory.users():
            raise NotFound("nothing is remembered here yet; there is nothing to export")
        path = memory.export(Path(args.file).expanduser(), args.user, args.profile, args.acoustic)
        user = args.user if args.user is not None else memory.users()[0]
        count = len(memory.bank(user).ids())
    size = path.stat().st_size
    data = {"user": user, "file": str(path), "bytes": size, "memories": count}
    emit(
        args,
        data,
        lambda console: console.print(f"{count:,} memories of {user!r} in {path} ({size:,} bytes)"),
    )
    return 0


def import_(args: Namespace) -> int:
    """One file in."""
    file = Path(args.file).expanduser()
    if not file.is_file():  # before a store is made for it
        raise NotFound(f"{file} does not exist; give the path of an exported file")
    with open_memory(args, new=True) as memory:
        named = args.user is not None or memory.users() or file.suffix == ".flac"  # which says whose it is
        user = args.user if named else DEFAULT_USER
        count = memory.import_(file, user)
        user = user if user is not None else memory.users()[0]
    data = {"user": user, "file": str(file), "memories": count}
    emit(args, data, lambda console: console.print(f"{count:,} memories came to {user!r}"))
    return 0
