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
