"""Which passages of a bank hold which content words of a question, exactly.

Axes: M passages in order of time, S content words of the question, W content words of all passages.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .bank import SlotBank
from .marks import MARKS
from .order import Order
from .question import Question

__all__ = ["Words", "held_by", "phrases_in", "words_of"]

Array = np.ndarray[Any, Any]


class Words(NamedTuple):
    """The content words of all passages, slot by slot, in order."""

    marks: Array  # [W] int16
    passage: Array  # [W] that holds it
    joined: Array  # [W] whether the next one follows it in the same slot


def words_of(bank: SlotBank, order: Order) -> Words:
    """The words of the passages of a bank."""
    flat = bank.marks[: len(order.passage)].cpu().numpy().reshape(-1)
    at = np.flatnonzero(flat != 0)
    joined = np.append(np.diff(at) == 1, False) & ((at + 1) % MARKS != 0)
    return Words(flat[at], order.passage[at // MARKS], joined)


def held_by(words: Words, places: dict[int, Array], count: int) -> tuple[Array, Array]:
    """Which passages hold which content words [S, M], and the words' weights [S], together 1.

    A word's weight is its inverse document frequency in this bank (BM25's: Robertson & Zaragoza 2009); a
    word that no passage holds weighs most, and lowers every share.

    Args:
        places: of each content word of the question, where it is among `words`. count: M.
    """
    held = np.zeros((len(places), count), dtype=bool)
    for row, at in enumerate(places.values()):
        held[row, words.passage[at]] = True
    holding = held.sum(axis=1)
    weights = np.log(1 + (count - holding + 0.5) / (holding + 0.5)).astype(np.float32)
    return held, weights / max(float(weights.sum()), 1e-9)


def phrases_in(words: Words, question: Question, places: dict[int, Array], count: int) -> Array:
    """[M] how many pairs of neighbouring content words of the question stand side by side; at most 3."""
    found = np.zeros(count, dtype=np.float32)
    for one, two in set(zip(question.marks, question.marks[1:], strict=False)):
        at = places[one][words.joined[places[one]]]
        at = at[words.marks[at + 1] == two]
        beside = np.zeros(count, dtype=bool)
        beside[words.passage[at]] = True
        found += beside
    return np.minimum(found, 3)
