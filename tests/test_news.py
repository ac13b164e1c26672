"""News: where a value of now is asked for, what is newer goes before what it may have replaced."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem import Memory
from neuromem.config import Config, WriteConfig
from neuromem.marks import NEWS, traits_of
from neuromem.news import ENOUGH, asks_value, newer_first

CONFIG = Config(write=WriteConfig(max_steps=0))
PLAN = "I have a Zoom meeting with Professor Danielle on March 22 at 3 PM to review my draft, any tips?"
MOVED = "I'm worried about my Zoom meeting with Professor Danielle, it has been rescheduled to 4:30 PM"


def first(*said: tuple[str, str], question: str) -> str:
    """The first hit among things said by (speaker, words), an hour and a half apart."""
    with Memory(config=CONFIG, clock=lambda: 1.7e9) as memory:
        for place, (name, text) in enumerate(said):
            role = "assistant" if name == "assistant" else "user"
            message = {"role": role, "name": "" if role == "assistant" else name, "content": text}
            at = 1.6e9 + 5_400 * place
            memory.add([message], user_id="ana", timestamp=at, infer=False)
        return memory.search(question, user_id="ana", rehearse=False)[0].text


WHEN = "What time is the Zoom meeting with Professor Danielle to review my draft?"


def test_what_is_newer_goes_first_if_it_speaks_of_change() -> None:
    assert first(("", PLAN), ("", MOVED), question=WHEN) == MOVED
    assert first(("", MOVED), ("", PLAN), question=WHEN) == PLAN  # the plan is what was said last


def test_another_speaker_or_the_assistant_is_no_news() -> None:
    assert first(("Bo", PLAN), ("Al", MOVED), question=WHEN) == PLAN
    assert first(("", PLAN), ("assistant", MOVED), question=WHEN) == PLAN


def test_what_was_is_asked_for_as_it_is() -> None:
    question = "What time was the Zoom meeting with Professor Danielle to review my draft originally?"
    assert first(("", PLAN), ("", MOVED), question=question) == PLAN


def test_other_things_that_change_are_no_news_of_it() -> None:
    other = "My new bakery raised its prices to 4 euros"
    assert first(("", PLAN), ("", other), question=WHEN) == PLAN


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("how many books do i want to read?", True), ("what is my monthly budget for books?", True),
        ("when is the webinar?", True), ("what's the deadline for the first sprint?", True),
        ("when did i move to york?", False), ("why is it late?", False), ("who is my boss?", False),
        ("what does caroline paint?", False),
    ],
)  # fmt: skip
def test_a_question_tells_whether_it_asks_for_a_value(question: str, wanted: bool) -> None:
    assert asks_value(question) is wanted


@pytest.mark.parametrize(
    ("text", "news"),
    [
        ("It got moved to Friday", True), ("the rate is now 12%", True), ("we have added two more", True),
        ("I have a meeting on Friday", False), ("Knowing that, I left", False),
    ],
)  # fmt: skip
def test_a_slot_tells_whether_it_speaks_of_change(text: str, news: bool) -> None:
    assert bool(int(traits_of([text])[0]) & NEWS) is news


@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=12),
)
def test_only_what_answers_well_enough_is_put_before_others(
    scores: list[float], pairs: list[tuple[int, int]]
) -> None:
    before = np.array(scores)
    kept = [(older % len(scores), newer % len(scores)) for older, newer in pairs]
    after = newer_first(before, np.array(kept).reshape(-1, 2), 1e-3)
    assert (after >= before).all()  # nothing is put down
    assert after.max() <= before.max() + 1e-3 * len(kept) + 1e-9
    newer = {place for _, place in kept}
    assert all(after[place] == before[place] for place in range(len(scores)) if place not in newer)
    if len(kept) == 1 and kept[0][0] != kept[0][1]:
        older, place = kept[0]
        moved = ENOUGH * before[older] <= before[place] <= before[older]
        assert bool(after[place] > after[older]) is bool(moved or before[place] > before[older])
