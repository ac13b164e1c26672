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


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("I've stopped drinking cola.", "1|drink|no cola"),
        ("I stopped drinking in May.", "1|alcohol|quit"),
        ("I switched from Vodafone to Giffgaff.", "1|switched to|Giffgaff"),
        ("I changed my password to hunter2.", "1|password|hunter2"),
        ("we moved the party to saturday", "1|party|Saturday"),
        ("My GP has put me on ramipril.", "1|medication|ramipril"),
        ("They've taken me off the beta blockers.", "1|medication|no beta blockers"),
        ("My doctor's put me on a diet.", "1|doctor|put me on a diet"),
        ("Theo's gone veggie.", "Theo|diet|vegetarian"),
        ("I'm not on Instagram.", "1|instagram|none"),
    ],
)
def test_what_is_given_up_changed_or_prescribed(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("I was a postman for thirty years.", "1|past job|postman, thirty years"),
        ("I worked as a nurse for ten years.", "1|past job|nurse, ten years"),
        ("i work sundays at a garden centre", "1|employer|Garden Centre, Sunday"),
        ("I finish work at four.", "1|work hours|finish 4:00"),
        ("I was made redundant in June.", "1|job|made redundant in June"),
        ("Harvey just started sixth form.", "Harvey|school|sixth form"),
        ("Marta has judo on Tuesdays.", "Marta|judo|Tuesday"),
        ("my cousin plays handball for denmark", "cousin|sport|handball for denmark"),
        ("I've played the cello for twelve years.", "1|instrument|cello for twelve years"),
        ("i get up at like seven", "1|wake-up time|7:00"),
    ],
)
def test_work_school_and_what_one_does_each_week(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("I'm in a flat above Boots.", "1|home|flat above Boots"),
        ("I'm in a bad mood.", "1|whereabouts|bad mood"),
        ("We pay 90 quid a month on the car.", "1|car|90 pounds a month"),
        ("garbage collection is on friday", "1|bin day|Friday"),
        ("I've got a spaniel, Monty.", "1|spaniel name|Monty"),
        ("I've got a spaniel, thankfully.", "1|pet|spaniel"),
        ("The grandkids are Mo and Iris.", "1|grandchildren|Mo and Iris"),
        ("i have a little sister called petra", "1|sister|Petra"),
        ("Nell's got asthma something rotten.", "Nell|condition|asthma"),
        ("Dad had a heart attack in 2012.", "father|event|heart attack in 2012"),
        ("I'm due in August.", "1|baby due|August"),
    ],
)
def test_homes_families_pets_and_health(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("I can't be doing with jazz.", "1|dislikes|jazz"),
        ("My gran Iris passed away in May.", "Iris|death|May"),
        ("I'm not allowed to eat shellfish.", "1|diet|no shellfish"),
        ("I shouldn't take aspirin.", "1|medication|no aspirin"),
        ("I get sciatica after long drives.", "1|condition|sciatica"),
        (
            "I work six-hour shifts, mornings only.",
            "1|work hours|six-hour shifts, mornings only",
        ),
        ("Tom's doing physics at Bath.", "Tom|studies|physics at Bath"),
        ("I'm doing law at the moment.", "1|doing|law"),
        ("my shift starts at six on fridays", "1|shift start|6:00 on Friday"),
        ("The sale starts at the end of June.", "1|sale start|end of June"),
    ],
)
def test_what_one_must_not_have_and_when_things_start(text: str, gist: str) -> None:
    assert str(gist_of(text)) == gist
