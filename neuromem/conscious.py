"""The conscious set: the few facts that an assistant has in mind before anything is asked.

Who the user is, family, health, home, work (by importance), lasting preferences (by the slot of a life that
a fact fills), and what is often recalled. It is a function of the bank alone, so the same log gives the same
set. What matters how much is kept in order (`standing.py`), so choosing looks at the first few only; reading
takes the decoder. Both are done anew when something was told, replaced or deleted, at sleep, and when the
clock has gone on by a minute: what is recalled in between counts from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
import torch

from .bank import SlotBank
from .cached import forgets_texts
from .ladder import stages
from .owners import OpenOwner
from .recall import FADED, Hit, Recall
from .standing import Rank, Standing

__all__ = ["ConsciousSets", "essentials"]

KEPT_FOR_PREFERENCES = 4  # one place in so many
ALIKE = 16  # times as many memories as are wanted are looked through for different gists
SAME = 0.001  # difference in strength up to which a memory of several slots is not read again
FRESH_MS = 60_000  # strengths fade by next to nothing in a minute


def essentials(bank: SlotBank, most: int, now_ms: int) -> list[Hit]:
    """The facts that matter most, at most `most`, what matters most first.

    Only what holds now (nothing superseded) and can still be read; of facts with the same gist, the one
    that was heard last. What matters equally stands in the order of its last hearing, newest first. The
    last quarter is for lasting preferences, as far as there are any.
    """
    return [hit for _, hit in _chosen(Standing(bank), most, now_ms)]


def _chosen(standing: Standing, most: int, now_ms: int) -> list[tuple[int, Hit]]:
    """The first row of each essential, and the memory."""
    standing.follow()
    strengths = _Strengths(standing.bank, now_ms)
    strengths.of(row for ranks in (standing.every, standing.preferred) for _, _, row in ranks[: 2 * most])
    best = _distinct(standing.every, most, strengths)
    liked = _distinct(standing.preferred, most, strengths)
    head = best[: most - most // KEPT_FOR_PREFERENCES]
    inside = set(head)
    rows = [*head, *(row for row in dict.fromkeys(liked + best) if row not in inside)][:most]
    ids = standing.bank.ids_of(torch.tensor(rows, dtype=torch.int64))
    found = zip(rows, ids, strengths.of(rows), strict=True)
    return [(row, Hit(id_, 1.0, 1.0, strength)) for row, id_, strength in found]


def _distinct(ranks: list[Rank], most: int, strengths: _Strengths) -> list[int]:
    """The first `most` rows of different gists that can still be read; few are looked at."""
    first: dict[int, int] = {}  # 0 is a gist that is not known
    seen, at, count = 0, 0, 2 * most
    while at < len(ranks) and len(first) < most and seen < ALIKE * most:
        rows = [row for _, _, row in ranks[at : at + count]]
        known = zip(rows, strengths.of(rows), strict=True)
        alive = [row for row, strength in known if strength >= FADED][: ALIKE * most - seen]
        [gists] = strengths.bank.columns(("meaning",), alive)
        for row, gist in zip(alive, gists.tolist(), strict=True):
            first.setdefault(gist or -1 - row, row)
        seen, at, count = seen + len(alive), at + count, 4 * count
    return list(first.values())[:most]


class _Strengths:
    """Strengths of rows at one time, each computed once."""

    def __init__(self, bank: SlotBank, now_ms: int) -> None:
        self.bank, self._now_ms = bank, now_ms
        self._known: dict[int, float] = {}

    def of(self, rows: Iterable[int]) -> list[float]:
        rows = list(rows)
        new = [row for row in dict.fromkeys(rows) if row not in self._known]
        if new:
            self._known.update(zip(new, self.bank.strength(new, self._now_ms).tolist(), strict=True))
        return [self._known[row] for row in rows]


Mark = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """A set as it was read."""

    edition: int  # of the bank
    now_ms: int
    recalls: tuple[Recall, ...]
    marks: tuple[Mark, ...]  # of each recall: what differs as soon as its weights were written


class ConsciousSets:
    """The conscious sets of the open owners, as they were last read."""

    def __init__(self) -> None:
        self._standing: WeakKeyDictionary[OpenOwner, Standing] = WeakKeyDictionary()
        self._known: WeakKeyDictionary[OpenOwner, _Known] = WeakKeyDictionary()
        forgets_texts(self)

    def of(
        self, open_: OpenOwner, now_ms: int, most: int, look: Callable[[list[Hit]], list[Recall]]
    ) -> list[Recall]:
        """An owner's set. Call it under the owner's lock.

        Args:
            open_: whose. now_ms: the time. most: facts at most.
            look: reads memories.
        """
        bank, standing = open_.bank, self._standing.get(open_)
        known = self._known.get(open_)
        if standing is None or standing.bank is not bank:
            standing = self._standing[open_] = Standing(bank)
            known = None
        if known is None or known.edition != bank.edition or not 0 <= now_ms - known.now_ms < FRESH_MS:
            chosen = _chosen(standing, most, now_ms)
            recalls, marks = _read(bank, chosen, known, look)
            known = self._known[open_] = _Known(bank.edition, now_ms, recalls, marks)
        return [_own(recall) for recall in known.recalls]

    def forget_texts(self) -> None:
        """Forgets what was read: deleted words must not linger in RAM."""
        self._known.clear()


def _own(recall: Recall) -> Recall:
    """A memory that a caller may change: the set that is kept does not change with it."""
    return replace(recall, metadata=deepcopy(recall.metadata))


def _read(
    bank: SlotBank,
    chosen: list[tuple[int, Hit]],
    known: _Known | None,
    look: Callable[[list[Hit]], list[Recall]],
) -> tuple[tuple[Recall, ...], tuple[Mark, ...]]:
    """(memories, their marks); weights that are the same, as far faded, are not read again."""
    rows, strengths = [row for row, _ in chosen], np.array([hit.strength for _, hit in chosen])
    lost, floor, *state = bank.columns(("worn", "floor", "sequence", "heard_ms", "halvings", "parts"), rows)
    columns = (stages(strengths, lost, floor), lost, *state)
    marks = tuple(zip(*(column.tolist() for column in columns), strict=True))
    before = zip(known.recalls, known.marks, strict=True) if known else ()
    old = {(recall.id, mark): recall for recall, mark in before}
    same: dict[str, Recall] = {}
    for (_, hit), mark in zip(chosen, marks, strict=True):
        recall = old.get((hit.id, mark))
        if recall is not None and (mark[-1] == 1 or abs(recall.strength - hit.strength) < SAME):
            same[hit.id] = (
                recall if recall.strength == hit.strength else replace(recall, strength=hit.strength)
            )
    new = [hit for _, hit in chosen if hit.id not in same]
    read = same | {recall.id: recall for recall in look(new)} if new else same
    return tuple(read[hit.id] for _, hit in chosen), marks
