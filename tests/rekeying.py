"""What the tests of changing encoders share: a store, what it tells when it is opened, its buffers."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neuromem import Memory
from neuromem.encoders import Encoder, HashEncoder

if TYPE_CHECKING:
    from conftest import FakeClock  # a child that imports this needs no pytest

OLD, NEW = HashEncoder(384), HashEncoder(96)
MANY = 60  # facts of a store that is told quickly
OFTEN = {"log": {"snapshot_events": 8}}


class Watched:
    """What a memory tells while it is opened."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: list[tuple[int, int]] = []

    def notice(self, line: str) -> None:
        self.lines.append(line)

    def progress(self, done: int, total: int) -> None:
        self.steps.append((done, total))


def opened(
    path: Path, encoder: str | Encoder, clock: FakeClock, watched: Watched | None = None, **more: object
) -> Memory:
    watched = watched or Watched()
    return Memory(
        path, encoder=encoder, clock=clock, progress=watched.progress, notice=watched.notice, **more
    )  # type: ignore[arg-type]


def state_of(memory: Memory) -> dict[str, torch.Tensor]:
    """The buffers of the bank as far as they are in use, and so in the file of a snapshot."""
    state = memory.bank("ana").state_dict()
    size = int(state["used"].nonzero().max()) + 1
    return {name: tensor[:size].clone() for name, tensor in state.items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], but: Sequence[str] = ()) -> bool:
    return set(one) == set(other) and all(one[name].equal(other[name]) for name in one if name not in but)


def told_store(path: Path, clock: FakeClock, count: int = MANY) -> dict[str, torch.Tensor]:
    """A store with facts like each other, told by ones and in batches. Its state under `NEW`."""
    with Memory(path, encoder=OLD, clock=clock) as memory:
        for start in range(0, count, 6):
            facts = [f"My locker number {n} is {n * 7919 % 10_007}" for n in range(start, start + 6)]
            memory.add([{"role": "user", "content": fact} for fact in facts[:3]], user_id="ana", infer=False)
            for fact in facts[3:]:
                memory.add(fact, user_id="ana", infer=False)
    copy = path.with_name("whole")
    shutil.copytree(path, copy)
    with Memory(copy, encoder=NEW, clock=clock) as memory:
        return state_of(memory)


class Interrupting(Watched):
    """Presses Ctrl-C after so many events, once."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def progress(self, done: int, total: int) -> None:
        super().progress(done, total)
        if done == self.after:
            self.after = -1
            raise KeyboardInterrupt


class Slow(HashEncoder):
    """`NEW`, but with time enough to be killed in the middle."""

    def encode(self, texts: Sequence[str]) -> Tensor:
        time.sleep(0.004 * len(texts))
        return super().encode(texts)


def rekey(store: str, now: float, tell: Connection) -> None:
    """A process that keys a store anew and tells how many events are done, in the end "done"."""
    with Memory(
        store, OFTEN, Slow(96), clock=lambda: now, progress=lambda done, total: tell.send(done)
    ) as memory:
        memory.bank("ana")
        tell.send("done")
