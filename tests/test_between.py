"""Talk between people: what is kept, what goes together, what an answer is found by, what stays current."""

from __future__ import annotations

import pytest

from neuromem import Memory
from neuromem.facts import Fact, extract
from neuromem.facts.between import Piece, told_between
from neuromem.marks import MARKS, mark_of, marks_of
from neuromem.text import stem, utf8_len

SLOT = 160  # bytes


def talk(*lines: str) -> list[dict[str, str]]:
    """ "Ana: Hello." → a message of Ana's."""
    said = (line.split(": ", 1) for line in lines)
    return [{"role": "user", "name": name, "content": text} for name, text in said]


def facts_of(name: str, *lines: str) -> list[Fact]:
    return [fact for fact in extract(talk(*lines)) if fact.speaker == name]


def test_sentences_of_a_turn_that_fit_a_slot_are_one_memory() -> None:
    (fact,) = facts_of(
        "Ben", "Ana: How was your week?", "Ben: I ran my first marathon on Sunday. My knees still hurt."
    )
    assert fact.text == "I ran my first marathon on Sunday. My knees still hurt."


def test_what_does_not_fit_a_slot_is_a_memory_of_its_own() -> None:
    long = [
        f"On {day} I drove to the {place} with my sister Ottavia and we bought twelve pots of paint there."
        for day, place in (("Monday", "harbour"), ("Tuesday", "quarry"), ("Friday", "old sawmill"))
    ]
    facts = facts_of("Ben", "Ana: What did you do?", "Ben: " + " ".join(long))
    assert [fact.said for fact in facts] == long
    assert all(utf8_len(fact.text) <= SLOT for fact in facts)


def test_what_may_be_replaced_one_day_stands_alone() -> None:
    facts = facts_of("Ben", "Ana: And you?", "Ben: We had soup on Monday. I live in Porto.")
    assert [str(fact.gist) for fact in facts if "Porto" in fact.text] == ["1|home|Porto"]
    assert len(facts) == 2


@pytest.mark.parametrize("said", ["Wow, that's great!", "Thanks a lot!", "How was it?", "Sounds good to me."])
def test_applause_and_questions_are_not_kept(said: str) -> None:
    assert facts_of("Ben", "Ana: I sold my boat on Monday.", f"Ben: {said}") == []


def test_an_answer_carries_the_question_of_somebody_else_and_what_was_left_out() -> None:
    lines = (
        "Ana: Which instrument did you learn at school?",
        "Ben: Ha! My uncle taught me the oboe in 1994.",
    )
    (fact,) = facts_of("Ben", *lines)
    assert fact.text == "My uncle taught me the oboe in 1994."
    assert fact.around == "Which instrument did you learn at school? Ha!"
    alone = facts_of("Ben", "Ben: Which instrument did I learn?", "Ana: Hm.", lines[1])
    assert [fact.around for fact in alone if "oboe" in fact.text] == ["Ha!"]


def test_what_surrounds_a_memory_is_never_a_memory_too() -> None:
    pieces = [Piece(said, said) for said in ("I moved to Leeds in May.", "Wow.", "My sister lives there.")]
    for kept in told_between(pieces, "And you?"):
        assert not any(piece.said in kept.around for piece in pieces if piece.said in kept.said)


def test_an_answer_is_found_by_the_question_it_answers() -> None:
    said = [
        "Ana: What do you do when you cannot sleep?",
        "Ben: I fold paper cranes in the kitchen.",
    ]
    deeds = ("fold the laundry in the morning", "bake bread in the kitchen", "water the plants in the garden")
    for place, deed in enumerate(deeds):
        said += [f"Ana: I was in town on day {place}.", f"Ben: I {deed}."]
    with Memory() as memory:
        memory.add(talk(*said), user_id="both")
        best = memory.search("What does Ben do when he cannot sleep?", user_id="both", limit=1)
    assert best[0].text == "I fold paper cranes in the kitchen."


def test_marks_of_own_words_come_before_those_around_and_never_exceed_their_places() -> None:
    own, around = "The oboe is mine.", "Which instrument at school? " + " ".join(f"w{n}x" for n in range(40))
    alone, both = marks_of([own])[0].tolist(), marks_of([own], around)[0].tolist()
    count = sum(mark != 0 for mark in alone)
    assert both[:count] == alone[:count]
    assert len(both) == MARKS
    assert all(both)
    assert mark_of(stem("oboe")) in both


REMARKS = (
    "Ana: I'm looking into counseling jobs. I want to help people.",
    "Ben: I painted a lake at sunrise last year.",
    "Ana: No worries, Ben! I went to a support group on Tuesday and it was really inspiring for me.",
    "Ben: My kids and I just finished another painting of the lake.",
    "Ana: Now I want to help other people to go through it too.",
    "Ben: Sorry, I was busy! I actually just took my kids to a pottery class in June.",
)


def test_remarks_between_people_end_nothing() -> None:
    with Memory() as memory:
        written = memory.add(talk(*REMARKS), user_id="both")
        held = memory.all(user_id="both")
    assert len(held) == len(written) >= len(REMARKS) - 1
    assert {item.event for item in written} == {"ADD"}
    assert [item.text for item in held if item.superseded_by or item.valid_until] == []


def test_a_slot_with_one_value_is_replaced_between_people_too_and_only_ones_own() -> None:
    lines = ("Ana: I live in Porto.", "Ben: I live in Leeds.", "Ana: I live in Dallas now.")
    with Memory() as memory:
        memory.add(talk(*lines), user_id="both")
        ended = [item.text for item in memory.all(user_id="both") if item.superseded_by]
    assert ended == ["I live in Porto."]


def test_a_sentence_kept_with_its_neighbour_is_not_told_again() -> None:
    said = "I got a new bike for my birthday. It's a red Brompton."
    with Memory() as memory:
        written = memory.add([{"role": "user", "content": said}], user_id="ben")
    assert [(item.event, item.text) for item in written] == [("ADD", said)]
