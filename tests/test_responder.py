"""Answers with no model: what is said of a memory, and when nothing is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.assistant.asked import asks_memory, fits, is_follow_up
from neuromem.assistant.phrasing import dated, told, turned

MAY = datetime(2026, 5, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "turned_round"),
    [
        ("My dog's name is Potola", "your dog's name is Potola"),
        ("I am at my desk", "you are at your desk"),
        ("I was late and my boss was angry", "you were late and your boss was angry"),
        ("we're moving to our new flat", "you're moving to your new flat"),
        ("She gave me mine", "She gave you yours"),
        ("Ana told you", "Ana told I"),
    ],
)
def test_the_persons_change(said: str, turned_round: str) -> None:
    assert turned(said) == turned_round


def test_a_memory_is_said_with_its_day() -> None:
    june = datetime(2026, 6, 9, tzinfo=UTC)
    assert (
        told("My dog's name is Potola.", MAY, june) == "You told me on 3 May that your dog's name is Potola."
    )


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ((2026, 5, 3), "today"),
        ((2026, 5, 4), "yesterday"),
        ((2026, 5, 9), "on 3 May"),
        ((2027, 1, 1), "on 3 May 2026"),
    ],
)
def test_days_are_said_as_one_says_them(now: tuple[int, int, int], said: str) -> None:
    assert dated(MAY, datetime(*now, tzinfo=UTC)) == said


@pytest.mark.parametrize("text", ["Where do I live?", "what is my cat called", "Who is Quill's brother?"])
def test_questions_for_the_memory(text: str) -> None:
    assert asks_memory(text)


@pytest.mark.parametrize(
    "text", ["What's the weather like?", "I live in Porto.", "Good morning!", "play some jazz"]
)
def test_words_that_ask_nothing_of_it(text: str) -> None:
    assert not asks_memory(text)


def test_the_kind_of_answer_is_looked_for() -> None:
    assert fits("When does the ferry leave?", "It leaves on Tuesday.") == 1
    assert fits("When does the ferry leave?", "It is green.") == -1
    assert fits("Is it green?", "It is green.") == 0


def test_what_leans_on_the_question_before() -> None:
    assert is_follow_up("And at night?")
    assert not is_follow_up("Where does Quill work?")


def test_a_talk() -> None:
    with Memory() as memory, Assistant(memory, "ana") as assistant:
        for told_ in ("My brother Quill works at the aquarium.", "I'm allergic to sesame.", "Good morning!"):
            assistant.reply(told_)
        assert "aquarium" in assistant.reply("Where does Quill work?").text
        assert "you're allergic to sesame" in assistant.reply("What am I allergic to?").text
        unknown = assistant.reply("What is my landlord called?")
    assert not unknown.known
    assert "don't know" in unknown.text
