"""`neuromem bench durability`: facts acknowledged, then kill -9, then everything looked for.

A child process adds facts (one by one, in batches, with searches and sleeps between) through a real
`Memory` on a real folder, and notes each id after `add` returned. It is killed at a random moment: while it
starts, opens, writes, or saves a snapshot. Then the store is opened again: every fact acknowledged so far
must be in the log and in the bank with its words, and the chain must verify.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import tempfile
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from ..config import Config, LogConfig
from ..errors import NeuromemError
from ..memory import Memory
from ..owners import Progress
from .common import emit, parser, progress, stopwatch
from .generated import near_identical

__all__ = ["kill_and_look", "main", "write_for_ever"]

USER = "ana"
CONFIG = Config(log=LogConfig(snapshot_events=25))  # often, so that kills hit the saving of snapshots too
LONGEST_START_S = 60.0


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if anything was lost."""
    arguments = parser("durability")
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--path", help="folder on the disk to measure; a temporary one without")
    options = arguments.parse_args(argv)
    with progress("killing") as step, tempfile.TemporaryDirectory(dir=options.path) as folder:
        report = kill_and_look(Path(folder), options.kills, options.seed, step)
    emit({"bench": "durability", **report}, options.json)
    return int(bool(report["lost"] or report["failed_opens"] or not report["chain_verifies"]))


def kill_and_look(folder: Path, kills: int, seed: int, step: Progress | None = None) -> dict[str, Any]:
    """Kills so many writers, one after the other, on one store; what was found in the end.

    Args:
        folder: an existing one, for the store and the notes of what was acknowledged.
    """
    rng = random.Random(seed)
    store, notes = folder / "store", folder / "acknowledged"
    notes.touch()
    lost: set[str] = set()
    verified, failed, opening = True, 0, []
    for kill in range(kills):
        _run_until_killed(store, notes, kill, rng)
        acknowledged = _read_notes(notes)
        with stopwatch() as watch:
            try:
                memory = Memory(store, config=CONFIG, encoder="hash")
            except (NeuromemError, OSError) as error:
                print(f"after kill {kill + 1} the store does not open: {error}", file=sys.stderr)
                failed += 1
                continue
        opening.append(watch.ms)
        with memory:
            lost |= _missing(memory, acknowledged)
            verified = verified and memory.verify().ok
        if step is not None:
            step(kill + 1, kills)
    return {
        "kills": kills, "acknowledged": len(_read_notes(notes)),
        "lost": len(lost), "lost_ids": sorted(lost)[:10],
        "chain_verifies": verified, "failed_opens": failed, "open_ms_max": max(opening, default=0.0),
    }  # fmt: skip


def _run_until_killed(store: Path, notes: Path, kill: int, rng: random.Random) -> None:
    """Starts a writer and kills it: every fourth while it starts or opens, the others at their work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # the heavy imports are made once
    before = notes.stat().st_size
    child = context.Process(target=write_for_ever, args=(str(store), str(notes), kill), daemon=True)
    child.start()
    if kill % 4:
        _wait_for_growth(notes, before, child)
    time.sleep(rng.uniform(0.0, 0.4))
    child.kill()
    child.join()


def _wait_for_growth(notes: Path, before: int, child: BaseProcess) -> None:
    deadline = time.monotonic() + LONGEST_START_S
    while notes.stat().st_size == before and child.is_alive() and time.monotonic() < deadline:
        time.sleep(0.002)


def write_for_ever(store: str, notes: str, seed: int) -> None:
    """The child: adds facts until it is killed, and notes `id text` of each that was acknowledged."""
    import torch

    torch.set_num_threads(1)
    facts = [fact.text for fact in near_identical(3_000, seed + 1_000)]
    file = os.open(notes, os.O_WRONLY | os.O_APPEND)
    memory = Memory(store, config=CONFIG, encoder="hash")
    rng = random.Random(seed)
    while facts:
        size = rng.choice((1, 1, 1, 5))
        texts = [facts.pop() for _ in range(min(size, len(facts)))]
        written = memory.add([{"role": "user", "content": text} for text in texts], user_id=USER, infer=False)
        os.write(file, "".join(f"{item.id} {item.text}\n" for item in written).encode())
        if rng.random() < 0.1:
            memory.search(texts[0], user_id=USER)
        if rng.random() < 0.02:
            memory.sleep()


def _read_notes(notes: Path) -> dict[str, str]:
    """Acknowledged facts by id; a last line that was cut off was not acknowledged whole."""
    text = notes.read_text(encoding="utf-8")
    lines = text[: text.rfind("\n") + 1].splitlines()
    return dict(line.split(" ", 1) for line in lines)


def _missing(memory: Memory, acknowledged: dict[str, str]) -> set[str]:
    """Ids of acknowledged facts that are not in the bank with their words, or not in the log with them."""
    if not acknowledged:
        return set()
    held = {recall.id: recall.text for recall in memory.all(user_id=USER, fidelity="weights")}
    engine = memory.engine
    logged: dict[str, str] = {}
    for owner in engine.log.owners():
        for record in engine.log.events(owner):
            if "id" in record.body and "text" in record.body:
                logged[str(record.body["id"])] = str(record.body["text"])
    return {key for key, text in acknowledged.items() if not held.get(key) == logged.get(key) == text}
