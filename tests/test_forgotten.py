"""What the log has of what is forgotten: what still holds, is the user's own, and was not taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import TickingClock

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.assistant.forgotten import ENCODED, Forgotten
from neuromem.assistant.responder import UNKNOWN

DAY_S = 86_400.0
DOG = "What is my dog's name?"
CODE = "What is my locker code?"


@pytest.fixture
def memory(ticking_clock: TickingClock) -> Iterator[Memory]:
    with Memory(clock=ticking_clock) as memory:
        yield memory


def forget_all(memory: Memory, clock: TickingClock) -> None:
    """Lets years pass."""
    clock.advance(days=900)
    memory.sleep()
    assert not memory.all("ana")


def test_a_log_begun_anew_is_read_anew(memory: Memory) -> None:
    """The places of before hold other words by then: an answer of the assistant was told as the user's."""
    with Assistant(memory, "ana") as assistant:
        assistant.reply("My dog's name is Potola.")
        assert assistant.reply("What is the wifi password?").text == UNKNOWN
        memory.delete_all("ana")
        for said in ("I like tea.", "How are you?", "My cat is called Mia.", "I work at a bakery in Graz."):
            assistant.reply(said)
        assert assistant.reply(DOG).text == UNKNOWN


def test_what_the_assistant_told_is_not_the_users(memory: Memory, ticking_clock: TickingClock) -> None:
    memory.add([{"role": "assistant", "content": "Your locker code is 5512."}], "ana", infer=False)
    forget_all(memory, ticking_clock)
    assert Forgotten(memory, "ana").candidates(CODE) == []


def test_what_holds_again_since_its_successor_was_deleted_is_looked_up(
    memory: Memory, ticking_clock: TickingClock
) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("My locker code is 777.")
        (newer,) = assistant.reply("My locker code is 888.").written
        memory.delete(newer.id)
        forget_all(memory, ticking_clock)
        assert "777" in assistant.reply(CODE).text


@pytest.mark.parametrize("said", ["Forget my locker code.", "Forget that my locker code is 777."])
def test_what_is_taken_back_after_it_was_forgotten_is_not_looked_up(
    memory: Memory, ticking_clock: TickingClock, said: str
) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("My locker code is 777.")
        forget_all(memory, ticking_clock)
        assistant.reply(said)
        assert assistant.reply(CODE).text == UNKNOWN
        assistant.reply("My locker code is 888.")
        forget_all(memory, ticking_clock)
        assert "888" in assistant.reply(CODE).text


def test_when_it_was_told_is_said_as_it_was_given(memory: Memory, ticking_clock: TickingClock) -> None:
    memory.add("My dog's name is Potola.", "ana", timestamp=1_700_000_000.0)
    forget_all(memory, ticking_clock)
    with Assistant(memory, "ana") as assistant:
        assert "14 November 2023" in assistant.reply(DOG).text


def test_what_was_deleted_meanwhile_is_not_brought_back(memory: Memory, ticking_clock: TickingClock) -> None:
    memory.add("My dog's name is Potola.", "ana")
    forget_all(memory, ticking_clock)
    forgotten = Forgotten(memory, "ana")
    (found,) = forgotten.candidates(DOG)
    memory.delete_all("ana")
    assert forgotten.bring_back(found) == ()


def test_an_answer_does_not_wait_until_all_that_is_forgotten_is_understood(
    memory: Memory, ticking_clock: TickingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4,000 forgotten statements held up every answer for two seconds."""
    memory.add("My dog's name is Potola.", "ana")
    forget_all(memory, ticking_clock)
    forgotten, keys = Forgotten(memory, "ana"), memory.engine.keys
    records, targets, encoded = forgotten._gone() * (2 * ENCODED), keys.targets, []
    monkeypatch.setattr(keys, "targets", lambda texts: (encoded.extend(texts), targets(texts))[1])
    monkeypatch.setattr(forgotten, "_gone", lambda: records)
    assert forgotten.candidates(DOG)
    assert 0 < len(encoded) <= ENCODED
