"""The passages of a bank in order of time: what the evidence is weighed of.

A passage is a memory, or up to `PASSAGE` slots of a long one, so that no text gets credit for holding a bit
of everything.

Axes: T rows of the bank, R rows in use, M passages in order of time.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, NamedTuple

import numpy as np

from .bank import SlotBank

__all__ = ["Order", "order_of"]

Array = np.ndarray[Any, Any]

PASSAGE = 4  # slots: 640 bytes
SINGLY = 32  # rows that changed from which on all are sorted anew
SESSION_MS = 3_600_000  # a longer silence begins another session


class Order(NamedTuple):
    """The passages of a bank in order of the time they were first told."""

    rows: Array  # [R] rows in use, the parts of a memory side by side
    first: Array  # [M] where in `rows` each passage begins
    passage: Array  # [T] passage of each row of the bank; -1 for a free one
    memory: Array  # [M] number of the memory that each belongs to, rising
    time: Array  # [M] Unix ms
    near: Array  # [M] whether it was told in one session with the passage before it

    @property
    def heads(self) -> Array:
        """Where in `rows` each memory begins."""
        heads: Array = self.first[np.diff(self.memory, prepend=0) > 0]
        return heads

    def joined(self, join: np.ufunc, values: Array) -> Array:
        """[M] values of rows [R] joined over the slots of each passage."""
        if len(self.first) == len(self.rows):
            return values
        out: Array = join.reduceat(values, self.first)
        return out

    def rows_of(self, passages: Array) -> tuple[Array, Array]:
        """Rows of the bank that hold passages [B], one passage after the other, and where each begins [B]."""
        begin = self.first[passages]
        size = np.append(self.first, len(self.rows))[passages + 1] - begin
        start = np.cumsum(size) - size
        places = np.repeat(begin - start, size) + np.arange(int(size.sum()))
        return self.rows[places], start


def order_of(bank: SlotBank) -> Order:
    """The passages of a bank in order; kept until the bank changes."""
    return bank.kept("order", lambda: bank.following("order", lambda: _Sorted(bank)).order())


class _Sorted:
    """The rows in use by time, kept in step with the bank: what was told last goes to the end."""

    def __init__(self, bank: SlotBank) -> None:
        self._bank, self._mark = bank, -1
        self._columns: list[Array] = []  # [R] each: time of first telling, place in the log, id, part, row

    def order(self) -> Order:
        """The order as it is now."""
        edited, self._mark = self._bank.edited(self._mark)
        if edited is None or len(edited) > SINGLY:
            self._columns = self._sorted(np.flatnonzero(self._bank.column("used")))
        elif edited:
            self._move(np.unique(edited))
        told, _, _, part, rows = self._columns
        first = np.flatnonzero(part % PASSAGE == 0)
        time = told[first]
        passage = np.full(int(rows.max(initial=-1)) + 1, -1)
        passage[rows] = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(rows))))
        near = np.zeros(len(first), dtype=bool)
        near[1:] = np.diff(time) <= SESSION_MS
        return Order(rows, first, passage, np.cumsum(part[first] == 0), time, near)

    def _sorted(self, rows: Array) -> list[Array]:
        told, number, part, ids = self._bank.columns(("written_ms", "sequence", "part", "id"), rows)
        halves = ids.view(np.int64)[:, 0]
        by = np.lexsort((part, halves, number, told))
        return [column[by] for column in (told, number, halves, part, rows)]

    def _move(self, edited: Array) -> None:
        """Puts a few rows where they belong now."""
        changed = np.zeros(self._bank.capacity, dtype=bool)
        changed[edited] = True
        stays = ~changed[self._columns[-1]]
        columns = [column[stays] for column in self._columns]
        new = self._sorted(edited[self._bank.column("used")[edited]])
        at = [self._place(columns, keys) for keys in zip(*(column.tolist() for column in new), strict=True)]
        self._columns = [np.insert(old, at, own) for old, own in zip(columns, new, strict=True)]

    @staticmethod
    def _place(columns: list[Array], keys: tuple[int, ...]) -> int:
        """Where a row comes in, among those told at the same time."""
        told, *rest = columns
        same = range(*(int(np.searchsorted(told, keys[0], side)) for side in ("left", "right")))
        return same.start + bisect_left(same, keys[1:], key=lambda at: tuple(int(each[at]) for each in rest))
