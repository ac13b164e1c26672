"""What a statement leans on is read in front of it; what stands by itself is not led by anything."""

from __future__ import annotations

import pytest

from neuromem.within import led_by

RANG = "Caleb rang me this morning."
MOVED = "He's transferred to St Andrews."


def test_what_points_back_is_read_behind_what_was_said_just_before() -> None:
    assert led_by(MOVED, MOVED, RANG) == f"{RANG} {MOVED}"
    assert led_by(f"{RANG} {MOVED}", MOVED, "Something before that.") == f"{RANG} {MOVED}"


@pytest.mark.parametrize(
    "said", ["Caleb is at St Andrews now.", "I moved to Leeds.", "The car is in the shed."]
)
def test_what_stands_by_itself_is_read_by_itself(said: str) -> None:
    assert led_by(said, said, RANG) == ""


def test_what_points_back_to_nothing_is_read_by_itself() -> None:
    assert led_by(MOVED, MOVED, "") == ""
