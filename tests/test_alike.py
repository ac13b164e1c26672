"""When two tellings are one fact: the same in other clothes, and near misses that are not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem.alike import same_fact
from neuromem.facts import gist_of

TWICE = [
    ("I have two cats.", "Oh, I've got the two cats!"),
    ("My brother's car doesn't start.", "My brothers car does not really start"),
    ("I'm allergic to peanuts", "well, I am actually allergic to peanuts."),
]


def body(text: str) -> dict[str, Any]:
    return {"text": text, "gist": list(gist_of(text).segments())}


@pytest.mark.parametrize(("one", "other"), TWICE)
def test_it_is_the_same_in_other_clothes(one: str, other: str) -> None:
    assert same_fact(body(one), body(other))


def test_one_gist_is_the_same_in_any_words_and_not_with_a_word_more() -> None:
    named = body("My dog is called Potola")
    assert same_fact(named, body("My dog's name is Potola"))
    for other in ("Pitola", "not Potola", "Potola now", "Potola 2", "Potola or Rex"):
        assert not same_fact(named, body(f"My dog's name is {other}"))


SENTENCES = [
    "I {} {} {} in {}",
    "My sister {} {} {} from {}",
    "Ana said we {} {} {} with {}",
    "the {3} has {2} and I {0} {1} of them",
]
CHOICES = (
    ["have", "do not have", "had", "want", "never had", "will have", "can't have", "hardly have"],
    ["two", "three", "2", "3", "-3", "12", "no", "some", "fewer", "1.5", "15", "$3", "€3", "3%"],
    ["cats", "cat", "dogs", "C", "C++", "C#", "books about Rome", "Rose", "roses"],
    ["Porto", "Oporto", "Ana", "Anna", "May", "Mai", "the Alps", "not the Alps", "Porto?"],
)


def test_a_question_mark_tells_apart_wherever_it_stands() -> None:
    asked, told = (f"the Porto{mark} has cats and I have two of them" for mark in ("?", ""))
    assert not same_fact(body(asked), body(told))


@given(st.sampled_from(SENTENCES), st.tuples(*map(st.sampled_from, CHOICES)), st.data())
def test_numbers_names_and_negations_tell_apart(
    form: str, words: tuple[str, str, str, str], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, 3))
    other = list(words)
    other[place] = data.draw(st.sampled_from([word for word in CHOICES[place] if word != words[place]]))
    assert not same_fact(body(form.format(*words)), body(form.format(*other)))
    assert same_fact(
        body(form.format(*words)), body(f"Oh, {form.format(*words).replace(' I ', ' I really ')}")
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I flew from Rome to Paris", "I flew to Rome from Paris"),
        ("Ana loves Ben", "Ben loves Ana"),
        ("I like tea", "I like tea?"),
        ("I work at Acme", "I worked at Acme"),
        ("I eat meat", "I eat meat if I must"),
        ("I just eat fish", "I eat fish"),
        ("I have a boss", "I am a boss"),
        ("I am taller than Ben", "I am smaller than Ben"),
        ("I take vitamin A tablets", "I take vitamin tablets"),
        ("my keys are on the table", "my keys are under the table"),
        ("he likes tea", "she likes tea"),
        ("My sister lives in Rome", "My brother lives in Rome"),
    ],
)
def test_one_word_may_tell_apart(one: str, other: str) -> None:
    assert not same_fact(body(one), body(other))


def test_what_happened_once_happened_again_on_another_day() -> None:
    one, other = body("I went to the opera"), body("I really went to the opera")
    assert same_fact(one, other, apart_s=3_600)
    assert not same_fact(one, other, apart_s=3 * 86_400)
    habit = body("I swim on Mondays"), body("I really swim on Mondays")
    assert same_fact(*habit, apart_s=300 * 86_400)
