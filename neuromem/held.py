"""Which passages of a bank hold which content words of a question, exactly.

Axes: M passages in order of time, S content words of the question, T slots in that order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .bank import SlotBank
from .linear import matmul
from .marks import MARKS
from .order import Order
from .question import Question

__all__ = ["Words", "held_by", "held_words", "phrases_in", "share"]

Array = np.ndarray[Any, Any]


class Words(NamedTuple):
    """The content words of all slots, row by row, in order."""

    marks: Array  # [T · MARKS] int16; zeros to fill
    passage: Array  # [T] that each row belongs to

    def holding(self, at: Array) -> Array:
        """Passages that words at some places belong to."""
        return np.asarray(self.passage[at // MARKS])


def held_words(bank: SlotBank, order: Order) -> Words:
    """The words of the passages of a bank."""
    return Words(bank.column("marks")[: len(order.passage)].ravel(), order.passage)


def held_by(words: Words, places: dict[int, Array], count: int) -> tuple[Array, Array]:
    """Which passages hold which content words [S, M], and the words' weights [S], together 1.

    A word's weight is its inverse document frequency in this bank (BM25's: Robertson & Zaragoza 2009); a
    word that no passage holds weighs most, and lowers every share.

    Args:
        places: of each content word of the question, where it is among `words`. count: M.
    """
    held = np.zeros((len(places), count), dtype=bool)
    for row, at in enumerate(places.values()):
        held[row, words.holding(at)] = True
    holding = held.sum(axis=1)
    weights = np.log(1 + (count - holding + 0.5) / (holding + 0.5)).astype(np.float32)
    return held, weights / max(float(weights.sum()), 1e-9)


def share(weights: Array, held: Array) -> Array:
    """[M] of the weights [S] of words, that of those which passages hold [S, M]."""
    return matmul(weights, held.astype(np.float32))


def phrases_in(words: Words, question: Question, places: dict[int, Array], count: int) -> Array:
    """[M] how many pairs of neighbouring content words of the question stand side by side; at most 3."""
    found = np.zeros(count, dtype=np.float32)
    for one, two in set(zip(question.marks, question.marks[1:], strict=False)):
        at = places[one][(places[one] + 1) % MARKS != 0]
        at = at[words.marks[at + 1] == two]
        beside = np.zeros(count, dtype=bool)
        beside[words.holding(at)] = True
        found += beside
    return np.minimum(found, 3)
