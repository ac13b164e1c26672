"""Constructions that many people use, each in words of no measured set."""

from __future__ import annotations

import pytest

from neuromem.facts import gist_of


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("I love apples, pears and plums.", "1|likes|apples, pears and plums"),
        ("We visited Spain, France and Italy.", "1|visited|Spain, France and Italy"),
        ("i speak dutch, french and a little german", "1|languages|Dutch, French and a Little German"),
        ("I love apples, she hates pears and plums.", "1|likes|apples"),
        ("I live in Leeds, near the station and the park.", "1|home|Leeds"),
    ],
)
def test_a_list_is_kept_whole_and_what_follows_a_statement_is_not(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("My teacher is Mrs. Prentice.", "1|teacher|Mrs. Prentice"),
        ("Our dentist is Dr. Osei on Mill Road.", "1|dentist|Dr. Osei on Mill Road"),
        ("my bike lock code is 22 8 17", "1|bike lock code|22 8 17"),
        ("my bike lock code is 4 4 9 1", "1|bike lock code|4491"),
        ("Mark owes me twenty bucks.", "Mark|debt|owes 1 20 dollars"),
    ],
)
def test_titles_groups_of_digits_and_bucks_are_read_as_they_are_meant(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("Our Kevin's a welder.", "Kevin|job|welder"),
        ("our sandra works at the abattoir", "Sandra|employer|Abattoir"),
        ("our neighbour is mr pashkov", "1|neighbour|Mr Pashkov"),
        ("Our Jack Russell is called Spot.", "1|jack russell|Spot"),
        ("our house is cold", "1|house|cold"),
    ],
)
def test_our_before_a_name_is_of_who_is_named(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("Jen and I got married in 1999.", "1|wedding|1999"),
        ("Me and my sister run a cafe.", "1|business|cafe"),
        ("me and dad support everton", "1|football team|Everton"),
        ("My wife and I live in Kent.", "1|home|Kent"),
        ("Ravi and Sue got divorced.", "Ravi|relationship|separated"),
    ],
)
def test_what_is_of_somebody_and_the_speaker_is_of_the_speaker(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist


def test_a_little_word_between_a_name_and_its_verb_hides_nothing() -> None:
    assert gist_of("Sonia just started ballet.").subject == "Sonia"
    assert gist_of("Sonia just started ballet.").is_triple
