"""Habits, and what happened once: an exception takes nothing from a habit, and comes after it.

Asked where somebody has lunch, "we had lunch at the hotel this time" is nearer in time than "I always have
lunch at Joe's", and no answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from .facts.wording import does_the_same, is_lasting, is_this_time
from .sayings import Held, Saying, likeliest, may_meet, overlap, same_side, same_speaker

__all__ = ["excepted"]

SHARED = 0.4  # share of telling words from which something is an exception to a habit …
SAME_DEED = 0.25  # … that tells by the same verb what is done
LIKE = 0.3  # cosine from which what is of one side of life may be an occasion of a habit


def excepted(new: Saying, held: Sequence[Held]) -> str | None:
    """Id of the habit to which what happened once is an exception: it goes before it; None for no such habit.

    "Had to do laundry on a Wednesday" takes nothing from "I do my laundry on Sundays".
    """
    happened = new.frame.once or new.frame.detour or is_this_time(new.text)
    if not happened or new.change.has("turns", "moves", "corrects", "retracts"):
        return None
    habits = [
        (overlap(new, item) + 0.5 * item.likeness, item)
        for item in held
        if same_speaker(new, item) and may_meet(new, item) and _is_of_the_habit(new, item)
    ]
    best = likeliest(habits)
    return None if best is None else best.id


def _is_of_the_habit(new: Saying, held: Held) -> bool:
    """Whether something that happened is an occasion of a habit: telling words in common, or what is done."""
    if not is_lasting(held.said.text) or held.said.change.has("yearly"):
        return False
    shared = overlap(new, held)
    if new.frame.once and held.likeness >= LIKE and same_side(new, held.said):
        return True  # "Mom tried my green tea today" of the chamomile that she drinks
    telling = shared >= SAME_DEED or new.frame.detour
    return shared >= SHARED or (telling and does_the_same(new.text, held.said.text))
