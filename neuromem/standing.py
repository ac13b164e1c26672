"""How memories stand: those of a bank that hold now, in order of how much they matter.

A function of the bank alone, kept in step with it row by row: what was written, replaced, deleted or recalled
moves to its place, all else stays where it is. So nothing is looked at twice, however large the bank.
"""

from __future__ import annotations

import functools
import math
from bisect import bisect_left, insort
from typing import Any, NamedTuple

import numpy as np

from .bank import SlotBank
from .facts import SPEAKER
from .fold import fingerprint

__all__ = ["Rank", "Standing"]

ESSENTIAL = 0.76  # importance of who somebody is, of health, family, home and work
PREFERENCE = 0.66  # worth of a lasting preference, whatever its importance
OTHER = 0.5  # worth of anything else at most
LEAST = 0.65  # worth from which a fact belongs to the set: other facts have to be recalled three times
PER_DOUBLING = 0.08  # worth that each doubling of recalls adds …
OFTEN = 0.3  # … at most
SINGLY = 256  # rows that changed from which on everything is put in order anew

Array = np.ndarray[Any, Any]
Rank = tuple[float, int, int]
"""(minus worth, minus Unix ms of the last hearing, first row): rising, what matters most comes first"""

_MOST_RECALLS = round(2 ** (OFTEN / PER_DOUBLING))
_ADDED = np.array(
    [min(OFTEN, PER_DOUBLING * math.log2(1 + count)) for count in range(_MOST_RECALLS + 1)], dtype=np.float32
)  # worth that so many recalls add

# slots of the speaker's life (`facts/slots.py`) that say what is lasting about them
PREFERENCES = """
likes, dislikes, preference, opinion, belief, fear, hobby, habit, instrument, languages, sport, team,
football team, collects, volunteering, diet, pet, drink, coffee, tea, drink order, coffee order, breakfast,
alcohol, smoking, bedtime, wake-up time, handedness, nickname, pronouns, commute, gym
"""
FAVOURITES = """
colour color food dish meal snack fruit drink beer wine band singer song music musician album composer book
author poem film movie actor actress show series game sport team player animal season month day place city
country restaurant café pub shop holiday flower tree number word subject thing hobby
"""
PETS = "dog cat pet puppy kitten horse pony rabbit hamster parrot bird fish tortoise guinea pig"


class _Place(NamedTuple):
    """Where a memory stands."""

    rank: Rank
    preferred: bool  # whether it is a lasting preference


class Standing:
    """The essential memories of one bank, in order."""

    def __init__(self, bank: SlotBank) -> None:
        self.bank = bank
        self.every: list[Rank] = []  # rising
        self.preferred: list[Rank] = []  # lasting preferences among them
        self._place: dict[int, _Place] = {}  # by first row
        self._mark = -1

    def follow(self) -> None:
        """Catches up with the bank."""
        rows, self._mark = self.bank.edited(self._mark)
        if rows is None or len(rows) > SINGLY:
            self._begin()
            return
        if not rows:
            return
        once = list(dict.fromkeys(rows))
        for row in once:
            self._leave(row)
        for row, place in _places(self.bank, np.array(once)).items():
            self._place[row] = place
            insort(self.every, place.rank)
            if place.preferred:
                insort(self.preferred, place.rank)

    def _begin(self) -> None:
        self._place = _places(self.bank, self.bank.used.nonzero().flatten().cpu().numpy())
        self.every = sorted(place.rank for place in self._place.values())
        self.preferred = sorted(place.rank for place in self._place.values() if place.preferred)

    def _leave(self, row: int) -> None:
        place = self._place.pop(row, None)
        if place is None:
            return
        for ranks in (self.every, self.preferred) if place.preferred else (self.every,):
            del ranks[bisect_left(ranks, place.rank)]


def _places(bank: SlotBank, rows: Array) -> dict[int, _Place]:
    """Where the memories among rows [B] stand that hold now and matter enough, whatever their strength."""
    names = ("used", "part", "until_ms", "importance", "slot", "recalls", "heard_ms")
    used, part, until_ms, importance, slot, recalls, heard = bank.columns(names, rows)
    preferred = _is_preference(slot)
    lesser = np.where(preferred, np.float32(PREFERENCE), np.minimum(importance, np.float32(OTHER)))
    worth = np.where(importance >= ESSENTIAL, importance, lesser)
    worth = worth + _ADDED[np.minimum(recalls, len(_ADDED) - 1)]
    stand = np.flatnonzero(used & (part == 0) & (until_ms == 0) & (worth >= LEAST))
    columns = (rows[stand], worth[stand], heard[stand], preferred[stand])
    return {
        row: _Place((-much, -when, row), liked)
        for row, much, when, liked in zip(*(column.tolist() for column in columns), strict=True)
    }


def _is_preference(slots: Array) -> Array:
    """Which of fingerprints [L] are of slots of lasting preferences."""
    known, place, shift = _preferences()
    found: Array = known[place[slots >> shift & _BITS]] == slots  # searching takes five times as long
    return found


_BITS = 0xFFFF  # so many of a fingerprint tell the known ones apart


@functools.cache
def _preferences() -> tuple[Array, Array, int]:
    """Fingerprints of the slots of lasting preferences after a -1, their places by 16 bits, the first bit."""
    names = [name.strip() for name in PREFERENCES.split(",")]
    names += [f"favourite {name}" for name in FAVOURITES.split()] + [f"{name} name" for name in PETS.split()]
    known = np.array([-1, *sorted({fingerprint(f"{SPEAKER}|{name}") for name in names})])
    bits = ((shift, known[1:] >> shift & _BITS) for shift in range(48))
    shift, apart = next((shift, own) for shift, own in bits if len(np.unique(own)) == len(own))
    place = np.zeros(_BITS + 1, dtype=np.int64)
    place[apart] = np.arange(1, len(known))
    return known, place, shift
