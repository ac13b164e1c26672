"""Deletes that find no room, or are killed half-way: what was to go is gone as soon as it can be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import FakeClock

from neuromem import Memory
from neuromem.errors import StoreFull

POTOLA = "My dog's name is Potola"
PIN = "My PIN is 4711"


def tell(memory: Memory, text: str) -> str:
    (written,) = memory.add(text, user_id="ana", infer=False)
    return written.id


def texts(memory: Memory) -> list[str]:
    return [recall.text for recall in memory.all(user_id="ana")]


@contextmanager
def no_room(memory: Memory, *, to: str) -> Iterator[None]:
    """While it lasts, the store of the log finds no room to "write" or to "purge"."""

    def full(*_: object) -> None:
        raise StoreFull("no room; make some")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory.engine.log._store, to, full)
        yield


# --- all of an owner ---------------------------------------------------------------------------


def test_a_user_deleted_with_no_room_to_purge_is_gone_all_the_same(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        for text in (POTOLA, "I live in Porto", PIN):
            tell(memory, text)
        memory.search("what is my PIN?", user_id="ana")
        with no_room(memory, to="purge"), pytest.raises(StoreFull):
            memory.delete_all(user_id="ana")
        assert texts(memory) == []
        assert memory.search("what is my PIN?", user_id="ana") == []
        assert not memory.engine.codec._words._readings
        assert memory.add("I work at Acme", user_id="ana")[0].event == "ADD"
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        assert len(texts(memory)) == 1


def test_a_user_that_cannot_be_deleted_is_still_there(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        tell(memory, PIN)
        with no_room(memory, to="write"), pytest.raises(StoreFull):
            memory.delete_all(user_id="ana")
        assert texts(memory) == [PIN]
        assert memory.delete_all(user_id="ana") == 1
        assert memory.users() == []
