"""The passages of a bank in order of time: what the evidence is weighed of.

A passage is a memory, or up to `PASSAGE` slots of a long one, so that no text gets credit for holding a bit
of everything.

Axes: T rows of the bank, R rows in use, M passages in order of time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from .bank import SlotBank

__all__ = ["Order", "order_of"]

Array = np.ndarray[Any, Any]

PASSAGE = 4  # slots: 640 bytes
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

    def rows_of(self, passages: Array) -> tuple[Array, Array]:
        """Rows of the bank that hold passages [B], one passage after the other, and where each begins [B]."""
        begin = self.first[passages]
        size = np.append(self.first, len(self.rows))[passages + 1] - begin
        start = np.cumsum(size) - size
        places = np.repeat(begin - start, size) + np.arange(int(size.sum()))
        return self.rows[places], start


def order_of(bank: SlotBank) -> Order:
    """The passages of a bank in order; kept until the bank changes."""
    return bank.kept("order", lambda: _order(bank))


def _order(bank: SlotBank) -> Order:
    used = bank.used.nonzero().flatten()
    told, number, part = (
        getattr(bank, name)[used].cpu().numpy() for name in ("written_ms", "sequence", "part")
    )
    halves = bank.id[used].cpu().contiguous().view(torch.int64).numpy()
    by = np.lexsort((part, halves[:, 0], number, told))
    rows = used.cpu().numpy()[by]
    first = np.flatnonzero(part[by] % PASSAGE == 0)
    time = told[by][first]
    passage = np.full(int(rows.max(initial=-1)) + 1, -1)
    passage[rows] = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(rows))))
    near = np.zeros(len(first), dtype=bool)
    near[1:] = np.diff(time) <= SESSION_MS
    return Order(rows, first, passage, np.cumsum(part[by][first] == 0), time, near)
