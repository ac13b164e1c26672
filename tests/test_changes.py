"""What is read off a statement before it is compared: slots, whose it is, cues of change, time asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from neuromem.facts import Gist, gist_of
from neuromem.facts.asked import asked_of
from neuromem.facts.bynames import are_namesakes
from neuromem.facts.changes import change_of
from neuromem.facts.frames import frame_of
from neuromem.facts.keep import cues_of
from neuromem.facts.points import Which
from neuromem.facts.slots import slot_of
from neuromem.facts.whose import whose_of
from neuromem.facts.wording import does_the_same, is_late_once, is_only_tried


@pytest.mark.parametrize(
    ("question", "past", "history"),
    [
        ("where did I live before?", True, True),
        ("what did i drive before the pickup", True, True),
        ("Who was my previous dentist?", True, True),
        ("what did I use to drink", True, True),
        ("when did I move?", False, True),
        ("where do I live?", False, False),
        ("how old am I", False, False),
        ("where was my wedding?", False, False),
        ("what do I eat before bed?", False, False),
        ("what's my latest score", False, False),
        ("when did I last change the filter?", False, False),
    ],
)
def test_the_time_of_a_question_is_understood(question: str, past: bool, history: bool) -> None:
    asked = asked_of(question, datetime(2026, 3, 2, tzinfo=UTC))
    assert (asked.past, asked.any) == (past, history)


@pytest.mark.parametrize(
    ("question", "which"),
    [
        ("what was the rent at first", Which.FIRST),
        ("How heavy was the kitten when we first had her?", Which.FIRST),
        ("which bank did i use to begin with", Which.FIRST),
        ("Who was my dentist before Osei?", Which.BEFORE),
        ("where did i teach before i moved to the college", Which.BEFORE),
        ("where was I living between Porto and Braga", Which.BETWEEN),
        ("What was I paying while the van was insured?", Which.WHILE),
        ("Which team was I coaching last summer?", Which.AT),
        ("what did I drive in 2022", Which.AT),
        ("When did I move to Porto?", None),
        ("What did I do in May?", None),
        ("Where did we go last summer?", None),
        ("When was the boiler serviced last year?", None),
        ("how was the party in june", None),
        ("What did I eat before the race?", None),
        ("Where did I live before?", None),
        ("Who is my dentist?", None),
    ],
)
def test_a_question_for_how_it_was_names_a_point(question: str, which: Which | None) -> None:
    point = asked_of(question, datetime(2026, 3, 2, tzinfo=UTC)).point
    assert (point and point.which) == which


def test_until_a_year_ends_where_the_year_begins() -> None:
    asked = asked_of("Where was I living until 2022?", datetime(2026, 3, 2, tzinfo=UTC))
    assert asked.end == datetime(2022, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("gist", "name", "single"),
    [
        (Gist("1", "lives in", "Porto"), "home", True),
        (Gist("1", "home", "studio above the bakery"), "dwelling", True),
        (Gist("1", "allergy", "nuts"), "allergy", False),
        (Gist("1", "alarm code", "9912"), "alarm code", True),
        (Gist("1", "dog name", "Potola"), "dog name", False),
        (Gist("1", "favorite colour", "teal"), "favourite colour", True),
        (Gist("1", "job", "nurse"), "job", True),
        (Gist("1", "job", "mother of two"), "job", False),
        (Gist("1", "roommate", "Kofi"), "flatmate", True),
    ],
)
def test_slots_are_canonical(gist: Gist, name: str, single: bool) -> None:
    slot = slot_of(gist)
    assert slot is not None
    assert (slot.name, slot.single) == (name, single)


def test_slots_of_kin_and_of_keywords() -> None:
    mum = slot_of(Gist("mum", "age", "71"))
    assert mum is not None
    assert mum.key == "mother|age"
    assert slot_of(gist_of("laid an egg")) is None or not gist_of("egg dolly").is_triple


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I sold the van", "self"),
        ("my uncle found out he's allergic", "other"),
        ("My accountant is Philippa Dunmore.", "self"),
        ("omar's locker is nine", "other"),
        ("the landlord raised my rent", "self"),
        ("She transferred to Riverside", "pronoun"),
        ("the alarm code is four", "thing"),
        ("our drummer quit the band", "other"),
        ("The Duartes sold their wagon and bought a red coupe.", "other"),
        ("checked her papers she was born in april", "pronoun"),
        ("no hang on it's route nineteen", "thing"),
        # several others, with and without capitals
        ("the hendersons put theirs on the porch", "other"),
        ("so the murphys rang them and got a bigger table", "other"),
        ("Jo and Pete were snowed in, so their party will be at the mill.", "other"),
        ("joan and pete next door had their bins moved to mondays", "other"),
        ("next door have three", "other"),
        ("Grandma Ines chipped a tooth, so it's soup in her flask.", "other"),
        ("Joan and I moved to Leeds.", "self"),
        ("the curtains have moved up", "thing"),
        ("the pharmacy across the road moved to the high street", "thing"),
        ("Kofi's oven died, so lunch is at noon.", "thing"),
        ("Christmas and Easter are at the lodge.", "thing"),
    ],
)
def test_whose_a_statement_is(text: str, kind: str) -> None:
    assert whose_of(text).kind == kind


def test_a_couple_of_parents_are_the_parents() -> None:
    assert whose_of("mom and dad moved to tampa") == whose_of("My parents moved to Ohio.")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("young dave took plot thirty", "two daves at the allotment old dave has plot nine"),
        ("My uncle Frank has moved.", "Frank the gardener lives in the lodge."),
        ("Mother-in-law Ines takes two sugars.", "Grandma Ines takes it black."),
        ("maria at work runs the crew", "maria at church runs the pantry"),
        ("Vet Dr. Kim has a bigger lot.", "Dr. Kim the dentist is in Brea."),
    ],
)
def test_bynames_tell_two_of_one_name_apart(one: str, other: str) -> None:
    assert are_namesakes(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dave took plot thirty.", "Old Dave has plot nine."),
        ("My wife Ana sings.", "My girlfriend Ana sings."),
        ("Anna from work rang.", "Anna at the office is in charge."),
        ("We live in San Diego.", "We live in San Jose."),
        ("i checked with my mother brendan was born in may", "uncle brendan turns seventy"),
    ],
)
def test_who_may_be_one_is_not_told_apart(one: str, other: str) -> None:
    assert not are_namesakes(one, other)


def test_what_is_tried_or_offered_is_not_taken_unless_it_says_so() -> None:
    assert is_only_tried("tried the woods nice but muddy")
    assert is_only_tried("They've offered me a desk in Slough, with a plant.")
    assert not is_only_tried("They offered me a desk in Slough, so I took it.")
    assert not is_only_tried("tried the oat milk and never looked back")


def test_who_is_late_is_late_once() -> None:
    assert is_late_once("It was gone eleven before he was home.")
    assert is_late_once("The bus was twenty minutes late.")
    assert not is_late_once("The bus is always late, it was moved to ten.")


def test_cues_of_change() -> None:
    assert change_of("Swapped the minibus for a tandem").old == ("minibus",)
    assert change_of("choir got moved to sunday").topic == ("choir",)
    assert change_of("forget what I said about the jet ski").bare
    assert not change_of("forget the jet ski i'm saving for a car now").bare
    assert not change_of("if I sold the van I would walk")
    assert not change_of("I keep bees")


def test_what_is_given_up_on_is_named() -> None:
    assert change_of("I gave up on longhand; the novel's being typed.").old == ("longhand",)


@pytest.mark.parametrize(
    "text", ["no hang on route nineteen", "Hang on, it's route nineteen.", "hold on it's nine"]
)
def test_an_interjection_before_a_correction_makes_no_command_of_it(text: str) -> None:
    assert change_of(text).has("corrects")
    assert not cues_of(text) & {"command", "transient"}


def test_who_asks_to_wait_tells_nothing() -> None:
    for text in ("hang on", "Hold on a second.", "hang on to that thought"):
        assert "command" in cues_of(text)


def test_what_is_done_is_known_by_its_verb() -> None:
    assert does_the_same("Jogged on the treadmill today.", "I jog along the canal.")
    assert does_the_same("Swam in the hotel pool, we were travelling.", "I swim at the quarry.")
    assert not does_the_same("Drove to the coast today.", "I jog along the canal.")
    assert not does_the_same("Went to the dentist.", "I go to the pool on Mondays.")


def test_one_time_is_told_from_how_it_always_is() -> None:
    assert frame_of("Went out for sushi today").once
    assert not frame_of("I bring a sandwich for lunch").once
    assert not frame_of("my pulse is sixty this morning").once


def test_a_statement_as_long_as_a_message_may_be_is_judged_quickly() -> None:
    text = "not the the my " * 16_000
    assert change_of(text) is not None
    assert frame_of(text) is not None
