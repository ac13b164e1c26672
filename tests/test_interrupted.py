"""Ctrl-C while the disk writes: what was committed is in the log, and so it is in the bank, once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import FakeClock

from neuromem import Memory
from neuromem.engine import TOGETHER
from neuromem.errors import StoreError
from neuromem.storage.commit import GroupCommit, Pending

QUESTION = "what is my dog called?"


@contextmanager
def interrupted(memory: Memory, with_: BaseException | None = None) -> Iterator[None]:
    """The next commit reaches the disk, and then whoever made it is interrupted."""
    store = memory.engine.log._store
    write = store.write

    def broken(fill: Callable[..., Any]) -> Any:
        write(fill)
        patch.setattr(store, "write", write)
        raise with_ or KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "write", broken)
        yield


def in_step(memory: Memory) -> bool:
    """Whether Ana's bank is what her log says, bit for bit."""
    with memory.engine.owners.use("user:ana") as open_:
        fold = memory.engine.owners.fresh("user:ana")
        fold.apply(memory.engine.log.events("user:ana"))
        fold.finish()
        return all(
            torch.equal(getattr(open_.bank, name), getattr(fold.bank, name)) for name in fold.bank.layout()
        )


def asked(memory: Memory, clock: FakeClock, times: int) -> None:
    for _ in range(times):
        clock.advance(hours=1)
        assert memory.search(QUESTION, user_id="ana")


@pytest.fixture
def memory(tmp_path: Path, fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as opened:
        opened.add("My dog's name is Potola", user_id="ana")
        yield opened


def kinds(memory: Memory) -> list[str]:
    return [record.kind for record in memory.engine.log.events("user:ana")]


def test_what_was_told_when_it_was_interrupted_is_not_passed_over(
    memory: Memory, fake_clock: FakeClock
) -> None:
    asked(memory, fake_clock, 3)
    with interrupted(memory), pytest.raises(KeyboardInterrupt):
        memory.add("My cat's name is Tom", user_id="ana")
    asked(memory, fake_clock, 2)
    memory.add("My owl's name is Hoo", user_id="ana")
    assert [recall.gist for recall in memory.all(user_id="ana")] == [
        "1|dog name|Potola", "1|cat name|Tom", "1|owl name|Hoo",
    ]  # fmt: skip
    assert kinds(memory) == ["add", *["rehearse"] * 3, "add", *["rehearse"] * 2, "add"]
    assert in_step(memory)


def test_words_told_next_can_still_be_deleted(memory: Memory) -> None:
    with interrupted(memory), pytest.raises(KeyboardInterrupt):
        memory.add("My cat's name is Tom", user_id="ana")
    told = memory.add("My sister's name is Zoe and she likes kites.", user_id="ana")
    memory.delete([written.id for written in told])
    assert "Zoe" not in "".join(str(record.body) for record in memory.engine.log.events("user:ana"))


def test_rehearsals_on_their_way_are_not_logged_twice(memory: Memory, fake_clock: FakeClock) -> None:
    with interrupted(memory, StoreError("the commit broke off")):
        asked(memory, fake_clock, TOGETHER)
        with pytest.raises(StoreError, match="broke off"):
            memory.all(user_id="ana")
    assert memory.all(user_id="ana")
    assert kinds(memory) == ["add", *["rehearse"] * TOGETHER]
    assert in_step(memory)


def test_an_owner_whose_closing_was_interrupted_is_opened_again(fake_clock: FakeClock) -> None:
    with Memory(config={"bank": {"open_banks": 1}}, encoder="hash", clock=fake_clock) as memory:
        memory.add("My dog's name is Potola", user_id="ana")
        asked(memory, fake_clock, 1)  # its rehearsal is logged when Ana has to make room for Ben
        with interrupted(memory), pytest.raises(KeyboardInterrupt):
            memory.search(QUESTION, user_id="ben")
        again = threading.Thread(target=lambda: asked(memory, fake_clock, 1), daemon=True)
        again.start()
        again.join(10)
        assert not again.is_alive()
        assert in_step(memory)


def test_an_interruption_right_after_the_disk_has_written_is_noticed(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(memory.engine.log._sizes, "note", interrupt)
        with pytest.raises(KeyboardInterrupt):
            memory.add("I keep bees", user_id="ana")
    assert [recall.text for recall in memory.all(user_id="ana")] == ["My dog's name is Potola", "I keep bees"]
    assert in_step(memory)


def test_half_a_rehearsal_is_forgotten(
    memory: Memory, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with memory.engine.owners.use("user:ana") as open_:
        bank, rehearse = open_.bank, open_.bank.rehearse

    def broken(*args: Any) -> None:
        rehearse(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(bank, "rehearse", broken)
    fake_clock.advance(hours=1)
    with pytest.raises(KeyboardInterrupt):
        memory.search(QUESTION, user_id="ana")
    assert in_step(memory)


def test_who_is_interrupted_before_the_commit_keeps_nobody_waiting() -> None:
    commits = GroupCommit()

    class Interrupting(threading.Condition):
        """Ctrl-C comes as the lock is left, once."""

        def __exit__(self, *error: Any) -> None:
            super().__exit__(*error)
            if commits._busy and type(commits._turn) is Interrupting:
                commits._turn = threading.Condition()
                raise KeyboardInterrupt

    def store(batch: Sequence[Pending]) -> list[list[int]]:
        return [[0] for _ in batch]

    commits._turn = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        commits.submit(Pending(b"ana", [b"x"]), store)
    done: list[list[int]] = []
    waiting = threading.Thread(
        target=lambda: done.append(commits.submit(Pending(b"ana", [b"x"]), store)), daemon=True
    )
    waiting.start()
    waiting.join(10)
    assert done == [[0]]


def test_an_event_of_nobody_is_not_stored_later() -> None:
    commits = GroupCommit()
    commits._queue.append(Pending(b"ben", [b"y"]))

    def broken(batch: Sequence[Pending]) -> list[list[int]]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        commits.submit(Pending(b"ana", [b"x"]), broken)
    assert commits._queue == []


def test_who_is_interrupted_while_another_stores_their_words_learns_what_came_of_them() -> None:
    commits, own = GroupCommit(), Pending(b"ana", [b"x"])
    commits._busy = True  # another thread is at it

    def other() -> None:
        while own not in commits._queue:
            time.sleep(0.01)
        with commits._turn:
            commits._queue = []  # … and takes these along
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        time.sleep(0.3)
        own.seqs = [0]
        commits._leave()

    storing = threading.Thread(target=other)
    handled = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        storing.start()
        with pytest.raises(KeyboardInterrupt):
            commits.submit(own, lambda batch: [[0] for _ in batch])
        assert own.done
        storing.join()
    finally:
        signal.signal(signal.SIGINT, handled)
