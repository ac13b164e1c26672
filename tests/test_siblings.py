"""Questions for the sibling of what was told: nothing said may answer them."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from neuromem.text import stems
from training.siblings import GROUPS, asked_of_sibling

TOLD = ["My sister works in York.", "My brother is a baker.", "The code of the garage is 4471."]
SEEDS = st.integers(0, 10_000)


@given(SEEDS)
def test_one_word_takes_the_place_of_another_of_which_nothing_was_said(seed: int) -> None:
    rng = random.Random(seed)
    asked = asked_of_sibling("Where does my Sister work?", TOLD, [], ["Ana"], rng)
    before, new, after = asked.partition("my ")[0], asked.split()[3], asked.split()[4]
    assert (before, after) == ("Where does ", "work?")
    assert new[0].isupper()
    assert any("sister" in group and new.lower() in group for group in GROUPS)
    assert not set(stems(new)) & {stem for text in TOLD for stem in stems(text)}


@given(SEEDS)
def test_a_name_gives_way_to_a_name(seed: int) -> None:
    told = ["Zofia likes figs."]
    asked = asked_of_sibling("What does Zofia like?", told, ["Zofia"], ["Zofia", "Ana"], random.Random(seed))
    assert asked == "What does Ana like?"


def test_what_has_no_sibling_is_not_asked() -> None:
    assert asked_of_sibling("What is my hobby?", TOLD, [], ["Ana"], random.Random(0)) == ""


def test_no_word_stands_twice_in_a_group() -> None:
    assert all(len(set(group)) == len(group) > 1 for group in GROUPS)
