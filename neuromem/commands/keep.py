"""sleep, rebuild and verify."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import TYPE_CHECKING

from ..errors import NotFound
from .common import emit, open_memory, progress, time_of, whose

if TYPE_CHECKING:
    from rich.console import Console

    from ..memory import Memory

__all__ = ["rebuild", "sleep", "verify"]


def _one_or_all(args: Namespace, memory: Memory) -> str | None:
    """The user of --user, who must exist; None: everybody."""
    if args.user is not None:
        return whose(args, memory)
    if not memory.engine.log.owners():
        raise NotFound('nothing is remembered here yet; begin with: neuromem add "My dog is called Potola"')
    return None


def sleep(args: Namespace) -> int:
    """Merges, refreshes, shrinks, forgets."""
    now = time_of(args.now, "--now")
    with open_memory(args) as memory:
        user = _one_or_all(args, memory)
        with progress("sleeping", "steps") as step:
            done = memory.sleep(now, user, budget_s=args.budget, progress=step)
    line = (
        f"Slept: {done['held']:,} memories held, {done['merged']:,} merged, {done['refreshed']:,} refreshed, "
        f"{done['forgotten']:,} forgotten (deep recall finds them)."
    )
    if done["left"]:
        line += f" Time was up with {done['left']:,} still to be looked at: the next sleep goes on."
    emit(args, done, lambda console: console.print(line))
    return 0


def rebuild(args: Namespace) -> int:
    """Makes banks anew from the log."""
    with open_memory(args) as memory:
        user = _one_or_all(args, memory)
        started = time.perf_counter()
        with progress("rebuilding", "events", transient=False) as step:
            done = memory.rebuild(user, restore=not args.no_restore, progress=step)
        seconds = time.perf_counter() - started
    how = "as it was" if args.no_restore else "every word restored"
    line = f"Rebuilt from the log in {seconds:.1f} s: {done['held']:,} memories, {how}."
    emit(args, done | {"seconds": round(seconds, 3)}, lambda console: console.print(line))
    return 0


def verify(args: Namespace) -> int:
    """Checks the log."""
    with open_memory(args, readonly=True) as memory:
        started = time.perf_counter()
        with progress("verifying", "records") as step:
            report = memory.verify(step)
        seconds = time.perf_counter() - started
    data = {
        "ok": report.ok, "owners": report.owners, "records": report.records, "problems": report.problems,
        "seconds": round(seconds, 3),
    }  # fmt: skip

    def view(console: Console) -> None:
        from ..render import note

        style = "bright_green" if report.ok else "red"
        state = "chain ok" if report.ok else f"{len(report.problems)} problems"
        note(
            console,
            f"{state}: {report.records:,} records of {report.owners} owners in {seconds:.1f} s",
            style,
        )
        for problem in report.problems:
            note(console, problem, "red")

    emit(args, data, view)
    return 0 if report.ok else 1
