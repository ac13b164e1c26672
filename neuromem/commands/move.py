"""export and import."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import NotFound
from .common import emit, note_faded, open_memory, whose

if TYPE_CHECKING:
    from rich.console import Console

    from ..memory import Memory
    from ..sound.memory_file import Gaps

__all__ = ["export", "import_", "told", "view_import"]


def export(args: Namespace) -> int:
    """One file out."""
    with open_memory(args, readonly=True) as memory:
        user = whose(args, memory)
        path = memory.export(Path(args.file).expanduser(), user, args.profile, args.acoustic)
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
        what = "is no file" if file.exists() else "does not exist"
        raise NotFound(f"{file} {what}; give the path of an exported file")
    gaps: list[Gaps] = []
    with open_memory(args, new=True) as memory:
        from ..lines import bare_since  # like all that needs torch, loaded with the memory

        on_gaps = gaps.append if args.partial else None
        oldest = None
        if file.suffix == ".flac":  # which says whose it is
            from ..sound.memory_file import import_memory

            user, count = import_memory(memory.engine, file, args.user, on_gaps)
        else:
            user = whose(args, memory, new=args.user is not None or not memory.users())
            length = _events(memory)
            count = memory.import_(file, user, on_gaps)
            oldest = bare_since(file) if file.suffix == ".jsonl" and _events(memory) > length else None
    data = {"user": user, "file": str(file), "memories": count, **(told(gaps) if args.partial else {})}
    emit(args, data, lambda console: view_import(console, count, user, gaps, oldest))
    return 0


def _events(memory: Memory) -> int:
    """How much the log holds: an import of what was there already adds nothing."""
    return int(memory.engine.log.stats()["records"])


def told(gaps: list[Gaps]) -> dict[str, Any]:
    """What is missing, for JSON."""
    return {
        "lost": [name for each in gaps for name in each.lost],
        "damage": [each.report.as_dict() for each in gaps],
    }


def view_import(
    console: Console, count: int, user: str, gaps: list[Gaps], oldest: float | None = None
) -> None:
    """What came, and what did not.

    Args:
        oldest: when the oldest was told (Unix seconds) of those that did not say how strong they are.
    """
    console.print(f"{count:,} memories came to {user!r}", markup=False)
    for each in gaps:
        console.print(f"{len(each.lost)} of {each.records} records are lost:", style="bold red")
        for name in each.lost:
            console.print(f"  {name}", markup=False)
        for name, row in each.report.classes.items():
            line = f"  {name}: {row['packets']} packets, {row['rebuilt']} rebuilt, {row['lost']} lost"
            console.print(line, markup=False, style="dim")
    note_faded(console, oldest)
