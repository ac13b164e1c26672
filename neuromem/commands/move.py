"""export and import."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import NotFound
from .common import DEFAULT_USER, emit, open_memory

if TYPE_CHECKING:
    from rich.console import Console

    from ..sound.memory_file import Gaps

__all__ = ["export", "import_", "told", "view_import"]


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
    gaps: list[Gaps] = []
    with open_memory(args, new=True) as memory:
        on_gaps = gaps.append if args.partial else None
        if file.suffix == ".flac":  # which says whose it is
            from ..sound.memory_file import import_memory

            user, count = import_memory(memory.engine, file, args.user, on_gaps)
        else:
            user = args.user if args.user is not None or memory.users() else DEFAULT_USER
            count = memory.import_(file, user, on_gaps)
            user = user if user is not None else memory.users()[0]
    data = {"user": user, "file": str(file), "memories": count, **(told(gaps) if args.partial else {})}
    emit(args, data, lambda console: view_import(console, count, user, gaps))
    return 0


def told(gaps: list[Gaps]) -> dict[str, Any]:
    """What is missing, for JSON."""
    return {
        "lost": [name for each in gaps for name in each.lost],
        "damage": [each.report.as_dict() for each in gaps],
    }


def view_import(console: Console, count: int, user: str, gaps: list[Gaps]) -> None:
    """What came, and what did not."""
    console.print(f"{count:,} memories came to {user!r}", markup=False)
    for each in gaps:
        console.print(f"{len(each.lost)} of {each.records} records are lost:", style="bold red")
        for name in each.lost:
            console.print(f"  {name}", markup=False)
        for name, row in each.report.classes.items():
            line = f"  {name}: {row['packets']} packets, {row['rebuilt']} rebuilt, {row['lost']} lost"
            console.print(line, markup=False, style="dim")
