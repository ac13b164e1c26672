"""What looks like a construction that the rules know, and is another."""

from __future__ import annotations

import pytest

from neuromem.facts import gist_of


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("Our Honda's a hybrid.", "1|honda|hybrid"),
        ("Our Netflix is cancelled.", "1|netflix|cancelled"),
        ("our bill's gone up", "1|bill|gone up"),
        ("our english is bad", "1|english|bad"),
        ("Our Chelsea works at the bank.", "Chelsea|employer|bank"),
    ],
)
def test_a_brand_or_a_language_after_our_is_nobody(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("Tom passed on the message.", "Tom|passed on|message"),
        ("We passed on the offer.", "1|passed on|offer"),
        ("My gran Iris passed on last year.", "Iris|death|last year"),
        ("Frank passed on.", "Frank|death|died"),
    ],
)
def test_who_passes_something_on_lives(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist


@pytest.mark.parametrize(
    "text",
    [
        "They put me on probation.",
        "They've taken me off the project.",
        "They started me on a Monday.",
        "My nurse put me on the scales.",
        "I shouldn't take it personally.",
        "I'm not allowed to take photos.",
        "I'm not supposed to take days off.",
    ],
)
def test_not_all_that_one_is_put_on_or_must_not_take_is_medicine(text: str) -> None:
    assert gist_of(text).relation != "medication"


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("They put me on metformin.", "1|medication|metformin"),
        ("I mustn't take ibuprofen.", "1|medication|no ibuprofen"),
        ("I must not eat late.", "1|not eat|late"),
        ("I quit drinking a year ago.", "1|alcohol|quit"),
        ("I stopped drinking to lose weight.", "1|alcohol|quit"),
        ("I quit drinking cold turkey.", "1|alcohol|quit"),
        ("I've given up drinking fizzy pop.", "1|drink|no fizzy pop"),
    ],
)
def test_when_and_why_something_is_given_up_is_not_what(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("I changed my diet to lose weight.", "1|changed|diet to lose weight"),
        ("I changed my job to have more time.", "1|changed|job to have more time"),
        ("I changed my name to Will.", "1|name|Will"),
        ("We moved our daughter to a new school.", "1|moved|daughter to a new school"),
        ("I moved the car to the other street.", "1|moved|car to the other street"),
        ("We moved the rehearsal to next Friday.", "1|rehearsal|next Friday"),
    ],
)
def test_what_for_and_where_to_are_not_what_something_is_now(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("I have a cat, black.", "1|pet|cat"),
        ("I've got a dog, please.", "1|pet|dog"),
        ("I have a dog, Labrador.", "1|pet|dog"),
        ("I'm due in 10 minutes.", "1|is|due in 10 minutes"),
        ("I'm due on 5 May.", "1|baby due|5 May"),
        ("I leave work at home.", "1|leave|work at home"),
        ("I started nursery rhymes.", "1|started|nursery rhymes"),
        ("I have two Mondays off.", "1|have|two Monday off"),
        ("I was sacked this week.", "1|job|sacked"),
    ],
)
def test_pets_births_work_and_school(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("I live in York, sad and alone.", "1|home|York"),
        ("I'm called Sam, nice and short.", "1|name|Sam"),
        ("My teacher is Mrs. Prentice, strict and fair.", "1|teacher|Mrs. Prentice"),
        ("I live in Bath, work in Bristol and play golf.", "1|home|Bath"),
        ("I like jazz, hate opera and rock.", "1|likes|jazz"),
        ("I went to Rome, Paris and Berlin.", "1|went to|Rome, Paris and Berlin"),
        ("We adore jazz, opera and Bach.", "1|likes|jazz, opera and Bach"),
    ],
)
def test_how_something_is_does_not_make_a_list_of_a_name(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist
