"""What waits to be told: one user's words in order, and nobody held up by another's long text."""

from __future__ import annotations

import functools
import threading
from typing import Any

import pytest
from test_sdk_open import eventually

from neuromem.sdk.sidecar import LONG, Sidecar
from neuromem.sdk.store import Said
from neuromem.sdk.workers import Workers


class Store:
    """Takes long texts only when it may go on."""

    patience_s = 5.0

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.goes_on = threading.Event()
        self.long = 0  # at a time

    def ingest(self, said: Said) -> None:
        (message,) = said.messages
        if len(message["content"]) > LONG:
            self.long += 1
            assert self.goes_on.wait(20)
            assert self.long == 1
            self.long -= 1
        self.told.append((said.user_id, message["content"]))

    def close(self) -> None:
        """Nothing is to be let go."""


def said(user: str, text: str) -> Said:
    return Said(user, [{"role": "user", "content": text}])


def test_a_long_text_holds_up_nobody_else() -> None:
    store: Any = Store()
    beside = Sidecar(store, None, 0.15, 100)
    pasted = "What was pasted. " * LONG
    for user in ("ana", "bob", "cleo"):
        beside.tell(said(user, pasted))
    beside.tell(said("ana", "I like tea"))
    beside.tell(said("dan", "I like coffee"))
    beside.tell(said("dan", "I like milk"))
    assert eventually(lambda: len(store.told) == 2, 10)
    assert store.told == [("dan", "I like coffee"), ("dan", "I like milk")]
    store.goes_on.set()
    assert beside.flush(20)
    assert [text for user, text in store.told if user == "ana"] == [pasted, "I like tea"]
    assert (len(store.told), beside.stats.ingested, beside.stats.failed) == (6, 6, 0)
    beside.close()


def test_work_that_shares_a_key_is_done_in_order() -> None:
    workers, done = Workers("keys", most=4, waiting=400), list[tuple[str, int]]()
    for number in range(200):
        name = f"user {number % 3}"
        keys = [name, "odd"] if number % 2 else [name]
        workers.submit(functools.partial(done.append, (name, number)), keys)
    assert workers.flush(20)
    for user in range(3):
        own = [number for name, number in done if name == f"user {user}"]
        assert own == sorted(own)
    odd = [number for _, number in done if number % 2]
    assert odd == sorted(odd)
    workers.close()


def test_words_that_wait_for_their_user_need_no_thread() -> None:
    workers, goes_on = Workers("one", most=2, waiting=9), threading.Event()
    for _ in range(5):
        workers.submit(goes_on.wait, ["ana"])
    assert len(workers._threads) == 1
    workers.submit(goes_on.wait, ["bob"])
    assert len(workers._threads) == 2
    goes_on.set()
    assert workers.flush(5)
    workers.close()


def test_what_waited_for_a_key_is_not_behind_the_next_long_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuromem.sdk.workers.IDLE_S", 0.05)  # a thread with nothing to do has gone by then
    workers, first, second = Workers("freed", most=2, waiting=9), threading.Event(), threading.Event()
    workers.submit(first.wait, ["ana", "long"])
    assert eventually(lambda: workers._busy == 1, 5)
    workers.submit(second.wait, ["bob", "long"])
    short = workers.submit(lambda: "told", ["ana"])
    assert eventually(lambda: len(workers._threads) == 1, 5)
    first.set()
    assert short.result(5) == "told"
    second.set()
    assert workers.flush(5)
    workers.close()
