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
    rows = rows[(bank.strength(rows, now_ms) >= GONE).to(rows.device)]
    rows = _distinct(_falling(_falling(rows, bank.heard_ms), worth), bank.meaning)
    first = most - most // KEPT_FOR_PREFERENCES
    rest = _falling(rows[first:], preferred.int())[: most - first]
    rows = torch.cat([rows[:first], rest]).cpu()
    strengths = bank.strength(rows, now_ms).tolist()
    return [Hit(id_, 1.0, 1.0, strength) for id_, strength in zip(bank.ids_of(rows), strengths, strict=True)]


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


def _falling(rows: Tensor, by: Tensor) -> Tensor:
    """Rows, highest first; equal ones stay in their order."""
    return rows[by[rows].sort(descending=True, stable=True).indices]


def _distinct(rows: Tensor, meaning: Tensor) -> Tensor:
    """Rows without those whose gist an earlier one has; 0 is a gist that is not known."""
    first: dict[int, int] = {}
    for row, gist in zip(rows.tolist(), meaning[rows].tolist(), strict=True):
        first.setdefault(gist or -1 - row, row)
    return torch.tensor(list(first.values()), dtype=torch.int64, device=rows.device)


@dataclass(frozen=True, slots=True)
class _Known:
    """A set as it was read, and the bank that it was read from."""

    bank: SlotBank
    changes: int  # events and rehearsals by then
    held: tuple[int, ...]
    now_ms: int
    recalls: tuple[Recall, ...]


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
        bank, changes = open_.bank, open_.fold.applied + len(open_.pending)
        known = self._known.get(open_)
        if known is not None and known.changes != changes and known.held == _held(bank):
            known = self._known[open_] = replace(known, changes=changes)  # it was only recalled
        stale = known is None or known.bank is not bank or known.changes != changes
        if known is None or stale or not 0 <= now_ms - known.now_ms < FRESH_MS:
            recalls = tuple(look(essentials(bank, most, now_ms)))
            known = self._known[open_] = _Known(bank, changes, _held(bank), now_ms, recalls)
        return list(known.recalls)

    def clear(self) -> None:
        """Forgets what was read: deleted words must not linger in RAM."""
        self._known.clear()


def _held(bank: SlotBank) -> tuple[int, ...]:
    """What differs as soon as something was told, heard again, replaced, adopted or deleted."""
    return int(bank.used.sum()), int(bank.sequence.sum()), int(bank.heard_ms.sum()), int(bank.until_ms.sum())
