"""What several threads want at the same time is done at once, and each gets its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem.together import Together


class Gate:
    """Work that waits until the test lets it go; notes what it was called with."""

    def __init__(self) -> None:
        self.open, self.begun = threading.Event(), threading.Event()
        self.calls: list[list[int]] = []

    def __call__(self, items: list[int]) -> list[int]:
        self.calls.append(items)
        self.begun.set()
        assert self.open.wait(10)
        if -1 in items:
            raise ValueError("-1 is no number for this")
        return [item * 10 for item in items]


def all_at_once(together: Together[int, int], gate: Gate, items: list[int]) -> list[Callable[[], int]]:
    """Asks for the first, and for the others while that is being worked on; gives their results."""
    pool = ThreadPoolExecutor(len(items))
    first = pool.submit(together, items[0])
    assert gate.begun.wait(10)
    futures = [first, *(pool.submit(together, item) for item in items[1:])]
    while len(together._waiting) < len(items) - 1:
        threading.Event().wait(0.001)
    gate.open.set()
    pool.shutdown()
    return [future.result for future in futures]


def test_one_alone_waits_for_nobody() -> None:
    gate = Gate()
    gate.open.set()
    assert Together(gate, 8)(4) == 40
    assert gate.calls == [[4]]


def test_those_that_come_meanwhile_share_the_next_call() -> None:
    gate = Gate()
    together = Together(gate, 8)
    results = all_at_once(together, gate, [1, 2, 3, 4])
    assert [result() for result in results] == [10, 20, 30, 40]
    assert gate.calls[0] == [1]
    assert sorted(gate.calls[1]) == [2, 3, 4]
    assert together.counts == {"items": 4, "calls": 2}


def test_no_call_is_larger_than_said() -> None:
    gate = Gate()
    together = Together(gate, 5, size=lambda item: item)
    results = all_at_once(together, gate, [9, 2, 3, 4, 9])
    assert [result() for result in results] == [90, 20, 30, 40, 90]
    assert all(len(call) == 1 or sum(call) <= 5 for call in gate.calls)


def test_what_one_does_wrong_is_its_own() -> None:
    gate = Gate()
    results = all_at_once(Together(gate, 8), gate, [1, 2, -1, 4])
    assert [results[place]() for place in (0, 1, 3)] == [10, 20, 40]
    with pytest.raises(ValueError, match="-1"):
        results[2]()


def test_a_thread_that_is_stopped_leaves_nobody_waiting() -> None:
    def stopped(items: list[int]) -> list[int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Together(stopped, 8)(1)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 60))
def test_everybody_gets_their_own(items: list[int], most: int) -> None:
    together = Together(lambda many: [item + 1 for item in many], most, size=lambda item: item)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(together, items)) == [item + 1 for item in items]
    assert together.counts["items"] == len(items)
