"""The semantic index: a key of a byte a number for each record that has one, searched exactly or nearly.

A key is scaled so that its largest number is ±127: only its direction counts, and what was rounded once is
rounded no further. Up to `EXACT` numbers every key is compared; beyond, sign bits (of what differs from the
mean) choose `CHOSEN` for each result that is wanted, which are then compared.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Vectors", "rounded"]

EXACT = 1 << 22  # numbers of all keys together
CHOSEN = 50  # rows compared for a result, 1,000 at least
_PIECE = 1 << 20  # numbers that are made floats at a time
_ONES = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)


def rounded(vectors: Any) -> NDArray[np.int8]:
    """(N, K) vectors, none of them zero, as bytes."""
    floats = np.asarray(vectors, np.float32)
    scaled = floats * (127 / np.abs(floats).max(axis=1, keepdims=True))
    return np.asarray(np.rint(scaled), np.int8)


class Vectors:
    """The keys of a segment: (N, K) bytes."""

    def __init__(self, rows: NDArray[np.int8]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def _norms(self) -> NDArray[np.float32]:
        out = np.ones(len(self.rows), np.float32)
        for at, piece in self._pieces(np.arange(len(self.rows))):
            out[at : at + len(piece)] = np.sqrt(np.einsum("ij,ij->i", piece, piece))
        return np.maximum(out, 1e-9)

    def _pieces(self, places: NDArray[np.int64]) -> Any:
        step = max(1, _PIECE // max(1, self.rows.shape[1]))
        for at in range(0, len(places), step):
            yield at, self.rows[places[at : at + step]].astype(np.float32)

    @cached_property
    def _mean(self) -> NDArray[np.float32]:
        return np.asarray(self.rows.mean(axis=0, dtype=np.float32))

    @cached_property
    def _signs(self) -> Any:
        step = max(1, _PIECE // self.rows.shape[1])
        pieces = [self._bits(self.rows[at : at + step]) for at in range(0, len(self), step)]
        return np.ascontiguousarray(np.concatenate(pieces).T)  # (words, N): counts add up along long rows

    def _bits(self, rows: Any) -> Any:
        packed = np.packbits(rows > self._mean, axis=1)
        wide = np.zeros((len(rows), -(-packed.shape[1] // 8) * 8), np.uint8)
        wide[:, : packed.shape[1]] = packed
        return wide.view(np.uint64)

    def scores(self, vector: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Cosines of some of the keys with a unit vector [K]."""
        products = [piece @ vector for _, piece in self._pieces(places)]
        return np.asarray(np.concatenate(products) / self._norms[places], np.float32)

    def best(self, vector: NDArray[np.float32], limit: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Places and cosines of the keys nearest to a unit vector [K], the nearest first."""
        places = np.arange(len(self))
        chosen = max(1_000, CHOSEN * limit)
        if self.rows.size > EXACT and chosen < len(self):
            query = self._bits(vector[None, :] * (127 / np.abs(vector).max()))
            apart = _ones(self._signs ^ query.T)
            nearer = np.cumsum(np.bincount(apart))  # keys that are at most so many bits apart
            places = np.flatnonzero(apart <= np.searchsorted(nearer, chosen))
        scores = self.scores(vector, places)
        order = np.argsort(-scores, kind="stable")[:limit]
        return places[order], scores[order]


def _ones(words: Any) -> Any:
    """Bits that are set in each column of words."""
    if hasattr(np, "bitwise_count"):  # NumPy 2
        return np.bitwise_count(words).sum(axis=0, dtype=np.uint16)
    each = _ONES[words.view(np.uint8)].reshape(*words.shape, 8)
    return each.sum(axis=(0, 2), dtype=np.uint16)
