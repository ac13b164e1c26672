"""How far a reading can be trusted: the chance that every character shown is right.

The decoder gives each byte a probability; their product is the *raw* chance of all of them. It is nearly
right for words and too high for gists of damaged weights, whose fields are short and look certain. Maps
with two numbers, p = sigmoid(slope · logit(raw) + offset) (Platt 1999, "Probabilistic outputs for support
vector machines"), set that right, one for each way in which a slot is read. They rise with the raw chance,
so the order of readings of one kind stays.

The numbers were fitted on generated texts whose weights were disturbed (`neuromem bench calibration`, which
measures what they are worth on other texts and prints a fresh fit). Where a memory's seal matches, none of
this matters: the words are the words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["DAMAGED_GIST", "EDGE", "GIST", "WORDS", "Map"]

EDGE = 1e-6  # chances are kept this far from 0 and 1, where the logit ends


@dataclass(frozen=True, slots=True)
class Map:
    """A monotone map of chances."""

    slope: float
    offset: float

    def __call__(self, chance: float) -> float:
        """The chance that a reading is right, of the raw one."""
        return _sigmoid(self.slope * _logit(min(max(chance, EDGE), 1 - EDGE)) + self.offset)

    def raw(self, chance: float) -> float:
        """The raw chance that is mapped to `chance`, a number in (0, 1)."""
        return _sigmoid((_logit(chance) - self.offset) / self.slope)


def _logit(chance: float) -> float:
    return math.log(chance) - math.log1p(-chance)


def _sigmoid(number: float) -> float:
    return 1 / (1 + math.exp(-number)) if number > 0 else math.exp(number) / (1 + math.exp(number))


WORDS = Map(1.38, -0.24)
GIST = Map(0.80, -1.26)  # of a memory whose words have faded
DAMAGED_GIST = Map(0.68, -1.94)  # read because the words of the same slot could not be trusted
