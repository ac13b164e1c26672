"""Rehearsals reach the log while searches go on: nothing is lost, doubled or out of order."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from conftest import FakeClock

from neuromem import Memory
from neuromem.engine import MOST_UNSETTLED, TOGETHER
from neuromem.errors import StoreFull
from neuromem.log import Event, EventLog

QUESTION = "what is my dog called?"
WAIT_S = 30


class Gate:
    """A log whose appends off the main thread wait until they are let through, or fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.reached, self.full = threading.Event(), threading.Event(), False
        append_many = EventLog.append_many

        def gated(log: EventLog, owner: str, events: Iterable[Event]) -> list[int]:
            if threading.current_thread() is not threading.main_thread():
                self.reached.set()
                assert self.open.wait(WAIT_S)
                if self.full:
                    raise StoreFull("the disk is full")
            return append_many(log, owner, events)

        monkeypatch.setattr(EventLog, "append_many", gated)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def opened(path: Path, clock: FakeClock) -> Memory:
    return Memory(path, encoder="hash", clock=clock)


def recall(memory: Memory, clock: FakeClock, times: int) -> None:
    """Asks so often, an hour apart: each time the dog's name is rehearsed."""
    for _ in range(times):
        clock.advance(hours=1)
        assert memory.search(QUESTION, user_id="ana")[0].text == "My dog's name is Potola"


def rehearsals(memory: Memory) -> list[float]:
    return [record.time for record in memory.engine.log.events("user:ana") if record.kind == "rehearse"]


def test_a_search_does_not_wait_for_the_disk(tmp_path: Path, fake_clock: FakeClock, gate: Gate) -> None:
    with opened(tmp_path, fake_clock) as memory:
        memory.add("My dog's name is Potola", user_id="ana")
        recall(memory, fake_clock, TOGETHER)
        assert gate.reached.wait(WAIT_S)
        recall(memory, fake_clock, TOGETHER - 1)  # the disk is still at it
        assert rehearsals(memory) == []
        gate.open.set()
        memory.add("I live in Lisbon", user_id="ana")  # comes after all that was before it
        kinds = [record.kind for record in memory.engine.log.events("user:ana")]
        assert kinds.count("rehearse") == 2 * TOGETHER - 1
        assert "rehearse" not in kinds[kinds.index("rehearse") + 2 * TOGETHER - 1 :]
        assert rehearsals(memory) == sorted(rehearsals(memory))


def test_no_more_than_so_many_rehearsals_are_ever_at_stake(
    tmp_path: Path, fake_clock: FakeClock, gate: Gate
) -> None:
    with opened(tmp_path, fake_clock) as memory:
        memory.add("My dog's name is Potola", user_id="ana")
        recall(memory, fake_clock, MOST_UNSETTLED - 1)
        later = threading.Timer(0.2, gate.open.set)
        later.start()
        recall(memory, fake_clock, 1)  # has to wait
        assert gate.open.is_set()
        assert len(rehearsals(memory)) == MOST_UNSETTLED


def test_rehearsals_that_found_the_disk_full_are_logged_later_and_once(
    tmp_path: Path, fake_clock: FakeClock, gate: Gate
) -> None:
    gate.full = True
    gate.open.set()
    with opened(tmp_path, fake_clock) as memory:
        memory.add("My dog's name is Potola", user_id="ana")
        recall(memory, fake_clock, TOGETHER + 3)
        memory.all("ana")  # settles
        assert len(rehearsals(memory)) == TOGETHER + 3
        assert rehearsals(memory) == sorted(rehearsals(memory))


@pytest.mark.parametrize("times", [1, TOGETHER, 3 * TOGETHER + 5])
def test_the_log_gives_the_same_bank_again(tmp_path: Path, fake_clock: FakeClock, times: int) -> None:
    with opened(tmp_path, fake_clock) as memory:
        memory.add("My dog's name is Potola", user_id="ana")
        recall(memory, fake_clock, times)
        before = {name: value.clone() for name, value in memory.bank("ana").state_dict().items()}
        assert len(rehearsals(memory)) == times
        memory.rebuild("ana", restore=False)
        after = memory.bank("ana").state_dict()
    assert before["recalls"].sum() == times
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_what_waits_when_a_memory_is_closed_is_in_the_log(
    tmp_path: Path, fake_clock: FakeClock, gate: Gate
) -> None:
    memory = opened(tmp_path, fake_clock)
    memory.add("My dog's name is Potola", user_id="ana")
    recall(memory, fake_clock, TOGETHER + 1)
    threading.Timer(0.2, gate.open.set).start()
    memory.close()
    with opened(tmp_path, fake_clock) as memory:
        assert len(rehearsals(memory)) == TOGETHER + 1
