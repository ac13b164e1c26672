"""The conscious set: the few facts that an assistant has in mind before anything is asked.

Who the user is, family, health, home, work (by importance), lasting preferences (by the slot of a life that
a fact fills), and what is often recalled. It is a function of the bank alone, so the same log gives the same
set. Choosing it takes vector operations over all slots; reading it takes the decoder. Both are done anew
when something was told, replaced or deleted, at sleep, and when the clock has gone on by a minute: what
is recalled in between counts from then on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

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


def essentials(bank: SlotBank, most: int, now_ms: int) -> list[Hit]:
    """The facts that matter most, at most `most`, what matters most first.

    Only what holds now (nothing superseded) and can still be read; of facts with the same gist, the one
    that was heard last. What matters equally stands in the order of its last hearing, newest first. The
    last quarter is for lasting preferences, as far as there are any.
    """
    known = _preferences().to(bank.device)
    preferred = known[torch.searchsorted(known, bank.slot).clamp(max=len(known) - 1)] == bank.slot
    worth = _worth(bank, preferred)
    rows = (bank.used & (bank.part == 0) & (bank.until_ms == 0) & (worth >= LEAST)).nonzero().flatten()
    best, liked = (
        _distinct(_first(bank, some, worth, most * ALIKE, now_ms), bank.meaning)
        for some in (rows, rows[preferred[rows]])
    )
    head = best[: most - most // KEPT_FOR_PREFERENCES]
    chosen = torch.tensor([*head, *(row for row in dict.fromkeys(liked + best) if row not in head)][:most])
    chosen = chosen.to(torch.int64)
    strengths = bank.strength(chosen, now_ms).tolist()
    return [
        Hit(id_, 1.0, 1.0, strength) for id_, strength in zip(bank.ids_of(chosen), strengths, strict=True)
    ]


def _worth(bank: SlotBank, preferred: Tensor) -> Tensor:
    """[N] how much each row matters."""
    lesser = torch.where(preferred, PREFERENCE, bank.importance.clamp(max=OTHER))
    worth = torch.where(bank.importance >= ESSENTIAL, bank.importance, lesser)
    return worth + (PER_DOUBLING * torch.log2(1 + bank.recalls.float())).clamp(max=OFTEN)


@functools.cache
def _preferences() -> Tensor:
    """Fingerprints of the slots of lasting preferences, rising."""
    names = [name.strip() for name in PREFERENCES.split(",")]
    names += [f"favourite {name}" for name in FAVOURITES.split()] + [f"{name} name" for name in PETS.split()]
    return torch.tensor(sorted(fingerprint(f"{SPEAKER}|{name}") for name in names))


def _first(bank: SlotBank, rows: Tensor, worth: Tensor, most: int, now_ms: int) -> Tensor:
    """The `most` rows of highest worth that can still be read, highest first; equal ones: heard last."""
    some = rows
    if len(rows) > 2 * most:  # sorting all of them would take most of the time, and few are unreadable
        values = worth[rows]
        some = rows[values >= values.topk(2 * most).values[-1]]
    some = _falling(_falling(some, bank.heard_ms), worth)
    alive = some[(bank.strength(some, now_ms) >= GONE).to(some.device)]
    if len(alive) < most and len(some) < len(rows):
        return _first(bank, rows[(bank.strength(rows, now_ms) >= GONE).to(rows.device)], worth, most, now_ms)
    return alive[:most]


def _falling(rows: Tensor, by: Tensor) -> Tensor:
    """Rows, highest first; equal ones stay in their order."""
    return rows[by[rows].sort(descending=True, stable=True).indices]


def _distinct(rows: Tensor, meaning: Tensor) -> list[int]:
    """Rows without those whose gist an earlier one has; 0 is a gist that is not known."""
    first: dict[int, int] = {}
    for row, gist in zip(rows.tolist(), meaning[rows].tolist(), strict=True):
        first.setdefault(gist or -1 - row, row)
    return list(first.values())


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
