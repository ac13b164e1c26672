"""How likely a statement is news of what a memory says, where no rule knows.

A weighed sum of what both have in common: what they mean (the cosine of their keys), words, values, the side
of life, whose it is, and what words of change there are. The weights were fitted by logistic regression on
pairs of statements, labelled with whether the newer one replaces the older, and then rounded.
"""

from __future__ import annotations

import math

from .facts.topics import SETTLED, topics_of
from .facts.wording import is_first_person, is_lasting, is_plan, leans_back
from .sayings import Held, Saying, akin_values, cover, may_meet, named, overlap, same_measure, sides

__all__ = ["chance"]

BIAS = -6.1
WEIGHTS = {
    # in common
    "likeness": 2.5,
    "overlap": 0.4,
    "new_covered": 0.9,
    "held_covered": 0.6,
    "akin": 0.3,
    "measure": 0.4,
    "settled": 0.6,
    "slot": 0.5,
    "single": 0.4,
    "meet": 2.2,
    # words of change
    "named": 1.3,
    "topic": 0.6,
    "ends": 0.6,
    "parts": 0.3,
    "moves": 0.5,
    "corrects": 3.2,
    "now": 1.4,
    "turns": -0.2,
    "mind": 0.5,
    "done": 0.3,
    "again": 0.8,
    "yearly": 0.7,
    "adds": -0.4,
    # what kind of statements they are
    "once": -0.6,
    "detour": -1.3,
    "denial": 0.6,
    "leans": 0.6,
    "first_person": 0.6,
    "words": 0.07,
    "held_once": 0.4,
    "held_lasting": 0.3,
    "held_states": 0.6,
    "held_plan": 0.8,
    "both_state": -0.7,
    "other": -1.3,
    "held_other": 0.3,
    # how lately
    "last": -0.6,
    "last_but_one": 0.6,
}
KINDS = ("ends", "parts", "moves", "corrects", "now", "turns", "mind", "done", "again", "yearly", "adds")
MOST_WORDS = 20


def chance(new: Saying, held: Held) -> float:
    """How likely a statement is news of what a memory says, 0 to 1."""
    parts = _in_common(new, held) | _kinds(new, held)
    return 1 / (1 + math.exp(-BIAS - sum(WEIGHTS[name] * value for name, value in parts.items())))


def _in_common(new: Saying, held: Held) -> dict[str, float]:
    one, other = new.frame, held.said.frame
    slot = new.slot is not None and held.said.slot is not None and new.slot.key == held.said.slot.key
    change = new.change
    return {
        "likeness": held.likeness,
        "overlap": overlap(new, held),
        "new_covered": cover(one.topic, other.topic),
        "held_covered": cover(other.topic, one.topic),
        "akin": akin_values(new, held),
        "measure": same_measure(new, held),
        "settled": bool(topics_of(one.stems) & sides(held) & SETTLED),
        "slot": slot,
        "single": slot and new.slot is not None and new.slot.single,
        "meet": may_meet(new, held),
        "named": min(1.0, named(held, change.old)),
        "topic": named(held, change.topic),
    }


def _kinds(new: Saying, held: Held) -> dict[str, float]:
    one, other = new.frame, held.said.frame
    return {kind: float(new.change.has(kind)) for kind in KINDS} | {
        "once": one.once,
        "detour": one.detour,
        "denial": one.denies != other.denies,
        "leans": leans_back(new.text),
        "first_person": is_first_person(new.text),
        "words": min(MOST_WORDS, len(new.text.split())),
        "held_once": other.once,
        "held_lasting": is_lasting(held.said.text),
        "held_states": other.states,
        "held_plan": is_plan(held.said.text),
        "both_state": one.states and other.states,
        "other": one.whose.kind == "other",
        "held_other": other.whose.kind == "other",
        "last": held.back == 0,
        "last_but_one": held.back == 1,
    }
