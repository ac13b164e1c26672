"""The conscious set: the few facts that an assistant has in mind before anything is asked.

Who the user is, family, health, home, work (by importance), lasting preferences (by the slot of a life that
a fact fills), and what is often recalled. It is a function of the bank alone, so the same log gives the same
set. Choosing it takes vector operations over all slots; reading it takes the decoder. Both are done anew
when something was told, replaced or deleted, at sleep, and when the clock has gone on by a minute: what
is recalled in between counts from then on.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch

from .bank import SlotBank
from .facts import SPEAKER
from .fold import fingerprint
from .forgetting import THRESHOLDS, Fidelity
from .owners import OpenOwner
from .recall import Hit, Recall

__all__ = ["ConsciousSets", "essentials"]

ESSENTIAL = 0.76  # importance of who somebody is, of health, family, home and work
PREFERENCE = 0.66  # worth of a lasting preference, whatever its importance
OTHER = 0.5  # worth of anything else at most
LEAST = 0.65  # worth from which a fact belongs to the set: other facts have to be recalled three times
PER_DOUBLING = 0.08  # worth that each doubling of recalls adds …
OFTEN = 0.3  # … at most
KEPT_FOR_PREFERENCES = 4  # one place in so many
GONE = THRESHOLDS[Fidelity.SUBJECT]  # strength below which a slot says nothing
ALIKE = 16  # times as many rows as are wanted are looked through for different gists
SAME = 0.001  # difference in strength up to which a memory is not read again
FRESH_MS = 60_000  # strengths fade by next to nothing in a minute

Array = np.ndarray[Any, Any]
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


class _Lives(NamedTuple):
    """The memories that hold now, whatever their strength: first rows, rising; each [L]."""

    rows: Array
    worth: Array  # float32: how much each matters by itself, without what recalls add
    preferred: Array  # whether it is a lasting preference


def essentials(bank: SlotBank, most: int, now_ms: int) -> list[Hit]:
    """The facts that matter most, at most `most`, what matters most first.

    Only what holds now (nothing superseded) and can still be read; of facts with the same gist, the one
    that was heard last. What matters equally stands in the order of its last hearing, newest first. The
    last quarter is for lasting preferences, as far as there are any.
    """
    lives = bank.kept("lives", lambda: _lives(bank))
    recalls = bank.recalls.cpu().numpy()[lives.rows]
    worth = lives.worth + _ADDED[np.minimum(recalls, len(_ADDED) - 1)]
    enough = np.flatnonzero(worth >= LEAST)
    best = _distinct(bank, lives.rows[enough], worth[enough], most, now_ms)
    enough = enough[lives.preferred[enough]]
    liked = _distinct(bank, lives.rows[enough], worth[enough], most, now_ms)
    head = best[: most - most // KEPT_FOR_PREFERENCES]
    inside = set(head)
    chosen = [*head, *(row for row in dict.fromkeys(liked + best) if row not in inside)][:most]
    at = torch.tensor(chosen, dtype=torch.int64)
    strengths = bank.strength(at, now_ms).tolist()
    return [Hit(id_, 1.0, 1.0, strength) for id_, strength in zip(bank.ids_of(at), strengths, strict=True)]


def _lives(bank: SlotBank) -> _Lives:
    names = ("used", "part", "until_ms", "importance", "slot")
    used, part, until_ms, importance, slot = (getattr(bank, name).cpu().numpy() for name in names)
    rows = np.flatnonzero(used & (part == 0) & (until_ms == 0))
    importance, slot = importance[rows], slot[rows]
    preferred = _is_preference(slot)
    lesser = np.where(preferred, np.float32(PREFERENCE), np.minimum(importance, np.float32(OTHER)))
    return _Lives(rows, np.where(importance >= ESSENTIAL, importance, lesser), preferred)


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


def _distinct(bank: SlotBank, rows: Array, worth: Array, most: int, now_ms: int) -> list[int]:
    """The first `most` of rows of different gists that can still be read, of the highest worth first.

    Equal ones: those heard last, then the lower row. Few are looked at, as long as there are enough.

    Args:
        rows, worth: [B].
    """
    for count in (2 * most, ALIKE * most):
        some = _first(bank, rows, worth, count, now_ms)
        first: dict[int, int] = {}  # 0 is a gist that is not known
        for row, gist in zip(some.tolist(), bank.meaning[some].tolist(), strict=True):
            first.setdefault(gist or -1 - row, row)
        if len(first) >= most or len(some) < count:
            break
    return list(first.values())[:most]


def _first(bank: SlotBank, rows: Array, worth: Array, most: int, now_ms: int) -> Array:
    """The `most` rows of highest worth that can still be read, highest first; equal ones: heard last."""
    heard = bank.heard_ms.cpu().numpy()[rows]
    some = _highest(worth, heard, 2 * most)  # few are unreadable
    some = some[np.lexsort((-heard[some], -worth[some]))]
    alive = rows[some][_readable(bank, rows[some], now_ms)]
    if len(alive) < most and len(some) < len(rows):
        left = _readable(bank, rows, now_ms)
        return _first(bank, rows[left], worth[left], most, now_ms)
    return alive[:most]


def _readable(bank: SlotBank, rows: Array, now_ms: int) -> Array:
    """Which of rows [B] say anything at all."""
    strong: Array = bank.strength(torch.from_numpy(rows), now_ms).numpy() >= GONE
    return strong


def _highest(worth: Array, heard: Array, most: int) -> Array:
    """Places of the `most` highest, rising: by worth, then by hearing, then the first."""
    if len(worth) <= most:  # sorting all would take most of the time
        return np.arange(len(worth))
    least = np.partition(worth, len(worth) - most)[len(worth) - most]
    above, equal = np.flatnonzero(worth > least), np.flatnonzero(worth == least)
    missing = most - len(above)
    if len(equal) > missing:
        last = heard[equal]
        late = np.partition(last, len(last) - missing)[len(last) - missing]
        later = equal[last > late]
        equal = np.concatenate([later, equal[last == late][: missing - len(later)]])
    return np.sort(np.concatenate([above, equal]))


Mark = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """A set as it was read, and the bank that it was read from."""

    bank: SlotBank
    changes: int  # events and rehearsals by then
    held: tuple[int, ...]
    now_ms: int
    recalls: tuple[Recall, ...]
    marks: tuple[Mark, ...]  # of each recall: what differs as soon as its weights were written


class ConsciousSets:
    """The conscious sets of the open owners, as they were last read."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[OpenOwner, _Known] = WeakKeyDictionary()

    def of(
        self, open_: OpenOwner, now_ms: int, most: int, look: Callable[[list[Hit]], list[Recall]]
    ) -> list[Recall]:
        """An owner's set. Call it under the owner's lock.

        Args:
            open_: whose. now_ms: the time. most: facts at most.
            look: reads memories.
        """
        bank, changes = open_.bank, open_.fold.applied + open_.unsettled
        known = self._known.get(open_)
        if known is not None and known.bank is not bank:
            known = None
        if known is not None and known.changes != changes and known.held == _held(bank):
            known = self._known[open_] = replace(known, changes=changes)  # it was only recalled
        if known is None or known.changes != changes or not 0 <= now_ms - known.now_ms < FRESH_MS:
            recalls, marks = _read(bank, essentials(bank, most, now_ms), known, look)
            known = self._known[open_] = _Known(bank, changes, _held(bank), now_ms, recalls, marks)
        return list(known.recalls)

    def clear(self) -> None:
        """Forgets what was read: deleted words must not linger in RAM."""
        self._known.clear()


def _held(bank: SlotBank) -> tuple[int, ...]:
    """What differs as soon as something was told, heard again, replaced, adopted or deleted."""
    return int(bank.used.sum()), int(bank.sequence.sum()), int(bank.heard_ms.sum()), int(bank.until_ms.sum())


def _read(
    bank: SlotBank, hits: list[Hit], known: _Known | None, look: Callable[[list[Hit]], list[Recall]]
) -> tuple[tuple[Recall, ...], tuple[Mark, ...]]:
    """(memories, their marks); weights that are the same at the same strength are not read again."""
    rows = [bank.rows_of(hit.id)[0] for hit in hits]
    state = (getattr(bank, name)[rows].tolist() for name in ("sequence", "heard_ms", "worn", "halvings"))
    marks = tuple(zip(*state, strict=True))
    before = zip(known.recalls, known.marks, strict=True) if known else ()
    old = {recall.id: (recall, mark) for recall, mark in before}
    same: dict[str, Recall] = {}
    for hit, mark in zip(hits, marks, strict=True):
        recall, earlier = old.get(hit.id, (None, None))
        if recall is not None and earlier == mark and abs(recall.strength - hit.strength) < SAME:
            same[hit.id] = recall
    new = {recall.id: recall for recall in look([hit for hit in hits if hit.id not in same])}
    return tuple((same | new)[hit.id] for hit in hits), marks
