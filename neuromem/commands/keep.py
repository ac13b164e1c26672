"""sleep, rebuild and verify."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import TYPE_CHECKING

from ..errors import NotFound
from .common import emit, open_memory, progress, time_of, whole_id, whose

if TYPE_CHECKING:
    from rich.console import Console

    from ..log import VerifyReport
    from ..memory import Memory
    from ..proof import Proof

__all__ = ["rebuild", "sleep", "verify"]

FEW = 8  # users whose heads are shown; --json has them all


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
    """Checks the log, and gives what to keep so that it can be checked against later."""
    with open_memory(args, readonly=True) as memory:
        started = time.perf_counter()
        one = whose(args, memory) if args.user is not None or args.id or args.since else None
        with progress("verifying", "records") as step:
            report = memory.verify(step, one, args.since)
        seconds = time.perf_counter() - started
        users = memory.users() if one is None else [one]
        heads = {user: str(memory.head(user)) for user in users} if report.ok else {}
        proof = None
        if args.id and one is not None and report.ok:
            proof = memory.prove(whole_id(memory, one, args.id))
    data = {
        "ok": report.ok, "owners": report.owners, "records": report.records, "problems": report.problems,
        "heads": heads, "seconds": round(seconds, 3),
    }  # fmt: skip
    if proof is not None:
        data["proof"] = proof.to_dict()
    emit(args, data, lambda console: _show_report(console, report, heads, proof, seconds))
    return 0 if report.ok else 1


def _show_report(
    console: Console, report: VerifyReport, heads: dict[str, str], proof: Proof | None, seconds: float
) -> None:
    from ..render import note

    style = "bright_green" if report.ok else "red"
    state = "chain ok" if report.ok else f"{len(report.problems)} problems"
    note(console, f"{state}: {report.records:,} records of {report.owners} owners in {seconds:.1f} s", style)
    for problem in report.problems:
        note(console, problem, "red")
    for user, head in heads.items() if len(heads) <= FEW else ():
        note(console, f"{user!r} stands at {head}")
    if proof is not None:
        note(console, f"“{proof.words}” is record {proof.sequence} of it: {len(proof.path)} hashes prove it")
