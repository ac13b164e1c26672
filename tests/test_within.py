"""What a statement leans on is read in front of it; what stands by itself is not led by anything."""

from __future__ import annotations

import pytest

from neuromem import Memory
from neuromem.facts.changes import Denied
from neuromem.within import denial_of, led_by

RANG = "Caleb rang me this morning."
MOVED = "He's transferred to St Andrews."


def test_what_leans_on_nothing_is_not_looked_for_in_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each statement of a long text cut all that stood before it into sentences."""
    monkeypatch.setattr("neuromem.within.sentences", lambda _: pytest.fail("it was cut"))
    assert led_by(f"{RANG} I like tea.", "I like tea.", RANG) == ""


def test_what_points_back_is_read_behind_what_was_said_just_before() -> None:
    assert led_by(MOVED, MOVED, RANG) == f"{RANG} {MOVED}"
    assert led_by(f"{RANG} {MOVED}", MOVED, "Something before that.") == f"{RANG} {MOVED}"


@pytest.mark.parametrize(
    "said", ["Caleb is at St Andrews now.", "I moved to Leeds.", "The car is in the shed."]
)
def test_what_stands_by_itself_is_read_by_itself(said: str) -> None:
    assert led_by(said, said, RANG) == ""


def test_only_the_last_sentence_before_it_leads_to_a_statement() -> None:
    assert led_by(MOVED, MOVED, f"We rent a studio. {RANG}") == f"{RANG} {MOVED}"


def test_what_points_back_to_nothing_is_read_by_itself() -> None:
    assert led_by(MOVED, MOVED, "") == ""


@pytest.mark.parametrize(
    ("turn", "found"),
    [
        ("no scratch that my sister lives in York", Denied("my sister lives in York", False, False, "")),
        ("Forget that I love olives. I keep bees.", Denied("I love olives.", True, False, "I keep bees.")),
        ("Forget that I love olives; I keep bees.", Denied("I love olives", True, False, "I keep bees.")),
        ("Scratch that, I keep bees.", Denied("I keep bees.", False, True, "")),
        ("Don't remember that I love olives?", None),
        ("Forget that guy, I am dating Sam now.", None),
        ("forget that, I adopted a cat", None),
        ("scratch that itch for me", None),
        ("I love olives.", None),
    ],
)
def test_what_a_turn_takes_back_is_its_first_sentence(turn: str, found: Denied | None) -> None:
    assert denial_of(turn) == found


def current(memory: Memory, *turns: str) -> list[str]:
    for turn in turns:
        memory.add(turn, user_id="ana")
    return [recall.text for recall in memory.all(user_id="ana") if recall.valid_until is None]


def test_what_is_said_beside_a_denial_is_heard() -> None:
    with Memory() as memory:
        told = current(memory, "I love olives.", "Forget that I love olives. My flight is on Friday.")
        assert told == ["My flight is on Friday."]


def test_what_is_said_anew_is_not_taken_back() -> None:
    with Memory() as memory:
        told = current(
            memory, "My dog is called Rex.", "I play the cello.", "Scratch that, my dog is called Rex."
        )
        assert "my dog is called Rex." in told


def test_what_is_of_somebody_else_is_not_taken_back() -> None:
    with Memory() as memory:
        assert current(memory, "My brother Tom is vegan.", "forget that I am vegan") == [
            "My brother Tom is vegan."
        ]


def test_words_that_take_back_nothing_are_in_the_log_all_the_same() -> None:
    with Memory() as memory:
        assert current(memory, "I keep bees.", "forget that I love olives") == ["I keep bees."]
        log = memory.engine.log
        assert [log.get("user:ana", place).kind for place in range(log.length("user:ana"))] == ["add", "say"]
