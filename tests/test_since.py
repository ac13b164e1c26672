"""What was put right, replaced or forgotten since is told as it is now, in sentences that read well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from conftest import TickingClock

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.assistant.asked import asks, asks_memory, asks_of_assistant
from neuromem.assistant.phrasing import told
from neuromem.assistant.responder import OF_MYSELF, UNKNOWN
from neuromem.assistant.since import Since, corrected

DAY_S = 86_400.0
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def memory(ticking_clock: TickingClock) -> Iterator[Memory]:
    with Memory(clock=ticking_clock) as memory:
        yield memory


def answers(memory: Memory, told: Sequence[str], asked: str) -> str:
    with Assistant(memory, "ana") as assistant:
        for text in told:
            assistant.reply(text)
        return assistant.reply(asked).text


@pytest.mark.parametrize(
    ("told", "asked", "value", "old"),
    [
        (["My PIN is 4471.", "no, 4472"], "What is my PIN?", "your PIN is 4472", "4471"),
        (["My dog is called Rex.", "That's wrong, it's Max."], "What's my dog called?", "called Max", "Rex"),
        (["My PIN is 4471.", "no, 4472", "no, 4473"], "What is my PIN?", "your PIN is 4473", "4472"),
        (["My locker number is 12.", "Sorry, I meant 21."], "What's my locker number?", "is 21", "12"),
        (["My hotel room is 304.", "Scratch that, 305."], "What's my hotel room?", "is 305", "304"),
        (
            ["My sister Marta lives in Porto.", "Marta moved to Lisbon."],
            "Where does my sister live?",
            "Lisbon",
            "Porto",
        ),
    ],
)
def test_a_value_that_was_put_right_is_told(
    memory: Memory, told: list[str], asked: str, value: str, old: str
) -> None:
    said = answers(memory, told, asked)
    assert value in said
    assert old not in said


def test_what_came_of_a_statement_is_told_with_it(memory: Memory) -> None:
    said = answers(memory, ["I owe Jonas 50 francs.", "I paid Jonas back."], "How much do I owe Jonas?")
    assert "50 francs" in said
    assert "you paid Jonas back" in said


def test_what_was_so_is_told_where_it_is_asked_for(memory: Memory) -> None:
    said = answers(memory, ["My hotel room is 304.", "Scratch that, 305."], "What was my room before?")
    assert "304" in said


@pytest.mark.parametrize(
    ("statement", "news", "expected"),
    [
        ("My PIN is 4471.", "no, 4472", "My PIN is 4472."),
        ("My dog is called Rex.", "That's wrong, it's Max.", "My dog is called Max."),
        ("My meeting is on Monday at 3.", "no, Tuesday", None),  # whether at 3 nobody said
        ("My PIN is 4471.", "I paid Jonas back.", None),
        ("My PIN is 4471.", "Sorry.", None),
        ("My PIN is 4471.", "never mind", None),
        ("My hotel room is 304.", "scratch that, wrong hotel", None),
        ("I live in Porto.", "no longer", None),
        ("I work at Siemens.", "not Siemens, Bosch", None),
        ("My dog is called Rex.", "it's dead", None),
        ("My wife is called Anna.", "I meant my sister", None),
        ("My dentist is Dr Weber.", "no, on Tuesday", None),
        ("My trainer is Tom.", "but only on Mondays", None),
        ("My son Max is called Max.", "no, Leo", None),
        ("my cat is called rex", "no max", None),
        ("My dog is called Rex.", "that's wrong, Max", "My dog is called Max."),
    ],
)
def test_only_a_value_takes_the_place_of_a_value(statement: str, news: str, expected: str | None) -> None:
    assert corrected(statement, news) == expected


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("No, that's wrong, my dog is called Bo.", "You told me today that your dog is called Bo."),
        ("Hello, my name is Greta.", "You told me today that your name is Greta."),
        ("nah the exam got moved to Friday", "You told me today that the exam got moved to Friday."),
        ("I told you my husband died, didn't I?", "You told me today that your husband died."),
        ("That's right by the lake.", "You told me today that that's right by the lake."),
    ],
)
def test_what_only_leads_up_to_a_statement_is_not_told(said: str, sentence: str) -> None:
    assert told(said, NOW, NOW) == sentence


def test_what_came_since_is_looked_for_with_its_own_user_alone(memory: Memory) -> None:
    """A successor that is forgotten made a whole log be read, that of each user who may have it."""
    memory.add("My PIN is 4471.", "ben")
    (of_ben,) = memory.all("ben")
    memory.add("My PIN is 9981.", "ana")
    (of_ana,) = memory.all("ana")
    assert Since(memory, "ana").newer(replace(of_ana, superseded_by=of_ben.id)) is None


def test_what_was_forgotten_is_looked_up(memory: Memory, ticking_clock: TickingClock) -> None:
    """Once it has given way in the weights, the log still has it; a second time it is known."""
    with Assistant(memory, "ana") as assistant:
        assistant.reply("My dog's name is Potola.")
        assistant.reply("My locker code is 777.")
        assistant.reply("Forget my locker code.")
        ticking_clock.advance(days=900)
        memory.sleep()
        assert not memory.all("ana")
        reply = assistant.reply("What is my dog's name?")
        assert reply.text.startswith("I had forgotten that. I looked it up: You told me on ")
        assert "Potola" in reply.text
        assert reply.known
        assert "forgotten" not in assistant.reply("What is my dog's name?").text
        assert "777" not in assistant.reply("What is my locker code?").text
        assert assistant.reply("What is the wifi password?").text == UNKNOWN


def test_what_was_forgotten_and_deleted_is_not_looked_up(memory: Memory, ticking_clock: TickingClock) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("My dog's name is Potola.")
        ticking_clock.advance(days=900)
        memory.sleep()
        memory.delete_all("ana")
        assert assistant.reply("What is my dog's name?").text == UNKNOWN


@pytest.mark.parametrize("text", ["how are you?", "Who are you?", "why are you so slow"])
def test_of_the_assistant_itself_nothing_was_to_be_told(memory: Memory, text: str) -> None:
    assert answers(memory, ["I have diabetes type 2."], text) == OF_MYSELF


@pytest.mark.parametrize(
    "text",
    [
        "What did I tell you?",
        "Do you know my name?",
        "What is my name?",
        "What do you have on Marta?",
        "Is there anything you have about nuts?",
    ],
)
def test_what_asks_for_what_was_told_is_not_of_the_assistant(text: str) -> None:
    assert not asks_of_assistant(text)


@pytest.mark.parametrize(
    "text",
    [
        "is salma vegetarian",
        "are tom and lily twins",
        "does tom like olives",
        "does tom really like olives",
        "what dont i like",
    ],
)
def test_a_question_without_its_mark_asks(text: str) -> None:
    assert asks(text)
    assert asks_memory(text)


@pytest.mark.parametrize(
    "text", ["when we go to lisbon what should i pack", "When my mother visits what does she eat"]
)
def test_a_question_behind_its_when_asks(text: str) -> None:
    assert asks_memory(text)


@pytest.mark.parametrize(
    "text",
    [
        "When I was six I broke my arm.",
        "Is at home now.",
        "Where we live it rains a lot.",
        "Is allergic to nuts.",
        "is allergic to nuts",
        "Does yoga every Tuesday.",
        "does yoga on tuesdays",
        "Are moving to Graz in May.",
        "Is called Rex.",
    ],
)
def test_what_only_begins_like_a_question_tells(text: str) -> None:
    assert not asks_memory(text)
