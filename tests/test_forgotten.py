"""What the log has of what is forgotten: what still holds, is the user's own, and was not taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.assistant.forgotten import ENCODED, Forgotten
from neuromem.assistant.responder import UNKNOWN

DAY_S = 86_400.0
DOG = "What is my dog's name?"
CODE = "What is my locker code?"


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_780_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> Iterator[Memory]:
    with Memory(clock=clock) as memory:
        yield memory


def forget_all(memory: Memory, clock: Clock) -> None:
    """Lets years pass."""
    clock.now += 900 * DAY_S
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


def test_what_the_assistant_told_is_not_the_users(memory: Memory, clock: Clock) -> None:
    memory.add([{"role": "assistant", "content": "Your locker code is 5512."}], "ana", infer=False)
    forget_all(memory, clock)
    assert Forgotten(memory, "ana").candidates(CODE) == []


def test_what_holds_again_since_its_successor_was_deleted_is_looked_up(memory: Memory, clock: Clock) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("My locker code is 777.")
        (newer,) = assistant.reply("My locker code is 888.").written
        memory.delete(newer.id)
        forget_all(memory, clock)
        assert "777" in assistant.reply(CODE).text


@pytest.mark.parametrize("said", ["Forget my locker code.", "Forget that my locker code is 777."])
def test_what_is_taken_back_after_it_was_forgotten_is_not_looked_up(
    memory: Memory, clock: Clock, said: str
) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("My locker code is 777.")
        forget_all(memory, clock)
        assistant.reply(said)
        assert assistant.reply(CODE).text == UNKNOWN
        assistant.reply("My locker code is 888.")
        forget_all(memory, clock)
        assert "888" in assistant.reply(CODE).text


def test_when_it_was_told_is_said_as_it_was_given(memory: Memory, clock: Clock) -> None:
    memory.add("My dog's name is Potola.", "ana", timestamp=1_700_000_000.0)
    forget_all(memory, clock)
    with Assistant(memory, "ana") as assistant:
        assert "14 November 2023" in assistant.reply(DOG).text


def test_what_was_deleted_meanwhile_is_not_brought_back(memory: Memory, clock: Clock) -> None:
    memory.add("My dog's name is Potola.", "ana")
    forget_all(memory, clock)
    forgotten = Forgotten(memory, "ana")
    (found,) = forgotten.candidates(DOG)
    memory.delete_all("ana")
    assert forgotten.bring_back(found) == ()


def test_an_answer_does_not_wait_until_all_that_is_forgotten_is_understood(
    memory: Memory, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4,000 forgotten statements held up every answer for two seconds."""
    memory.add("My dog's name is Potola.", "ana")
    forget_all(memory, clock)
    forgotten, keys = Forgotten(memory, "ana"), memory.engine.keys
    records, targets, encoded = forgotten._gone() * (2 * ENCODED), keys.targets, []
    monkeypatch.setattr(keys, "targets", lambda texts: (encoded.extend(texts), targets(texts))[1])
    monkeypatch.setattr(forgotten, "_gone", lambda: records)
    assert forgotten.candidates(DOG)
    assert 0 < len(encoded) <= ENCODED
