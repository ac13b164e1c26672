"""LDPC codes with soft decoding: quasi-cyclic, encoded in linear time, decoded for many words at once.

A code is a small base matrix whose entries are either nothing or a shift: each stands for a z by z block,
empty or the identity turned by that many columns. The parity part is the dual diagonal of IEEE 802.11n
(annex F): the first parity column has three entries (1, 0, 1), the others are two identities one below
the other, so that parity follows by back-substitution, one addition per edge. The information part is
ours: columns of weight three beside a few heavy ones, shifts drawn from a seed such that no two rows
share a cycle of length four.

Decoding is layered normalised min-sum (Chen and Fossorier, IEEE Trans. Comm. 50(3), 2002; layers after
Hocevar, SiPS 2004): one block row after another, so that what a row found out is used by the next.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidInput

__all__ = ["RATES", "Decoded", "Ldpc", "code"]

NONE = -1
SCALE = np.float32(0.8)  # of the least magnitude: min-sum is too sure of itself by about this much
LIMIT = np.float32(40.0)  # log-likelihoods beyond it say nothing more

# rate -> (columns of the base matrix, its rows, weights of the heavy information columns)
RATES: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "1/2": (24, 12, (9, 9, 9)),
    "2/3": (24, 8, (7, 7, 7)),
    "4/5": (25, 5, (5, 5, 5)),
    "9/10": (30, 3, ()),
}


class Decoded(NamedTuple):
    """What decoding gave: words by rows.

    Attributes:
        bits: information bits, shape (words, k), 0 or 1.
        good: whether every parity check holds, shape (words,).
        healed: bits of each code word that came in wrong and went out right, shape (words,); it counts
            only where `good` is true.
    """

    bits: NDArray[np.uint8]
    good: NDArray[np.bool_]
    healed: NDArray[np.int64]


@lru_cache(maxsize=16)
def code(rate: str, lift: int = 128) -> Ldpc:
    """The code of a rate, made once.

    Args:
        rate: one of `RATES`. lift: z, the size of a block.

    Raises:
        InvalidInput: there is no such rate.
    """
    return Ldpc(rate, lift)


class Ldpc:
    """One code: `n` bits on the line for `k` bits of information.

    Args:
        rate: one of `RATES`. lift: z, the size of a block, at least 8 (short codes have short cycles).

    Raises:
        InvalidInput: an unknown rate, or a lift out of range.
    """

    def __init__(self, rate: str, lift: int = 128) -> None:
        if rate not in RATES:
            raise InvalidInput("rate", f"there is no LDPC code of rate {rate!r}", f"choose of {list(RATES)}")
        if not 8 <= lift <= 1024:
            raise InvalidInput("lift", f"{lift} is out of range", "give 8 to 1024")
        columns, rows, heavy = RATES[rate]
        self.rate, self.lift, self.rows = rate, lift, rows
        self.n, self.k = columns * lift, (columns - rows) * lift
        self.base = _base(columns, rows, heavy, lift)
        turned = np.arange(lift)
        self._layers = [
            np.stack([j * lift + (turned + row[j]) % lift for j in np.flatnonzero(row != NONE)])
            for row in self.base
        ]

    def encode(self, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Adds parity.

        Args:
            bits: shape (words, k), 0 or 1.

        Returns:
            Code words, shape (words, n): the information as it was, then the parity.
        """
        _check(bits, self.k, "bits")
        words, z, info = len(bits), self.lift, self.k // self.lift
        blocks = bits.reshape(words, info, z)
        sums = np.zeros((self.rows, words, z), np.uint8)
        for i, row in enumerate(self.base):
            for j in np.flatnonzero(row[:info] != NONE):
                sums[i] ^= np.roll(blocks[:, j], -row[j], axis=1)
        first = np.bitwise_xor.reduce(sums, axis=0)  # the dual diagonal and the two turned entries cancel
        parity, middle = [first], self.rows // 2
        last = sums[0] ^ np.roll(first, -1, axis=1)
        for i in range(1, self.rows):
            parity.append(last)
            last = last ^ sums[i] ^ (first if i == middle else 0)
        return np.concatenate([bits, *parity], axis=1)

    def decode(self, llr: NDArray[np.float32], rounds: int = 40) -> Decoded:
        """Takes the likeliest code word, or what comes near.

        Args:
            llr: log-likelihood ratios ln P(0)/P(1), shape (words, n): positive for 0; not finite counts
                as unknown. rounds: most passes over all checks.
        """
        _check(llr, self.n, "llr")
        start = np.clip(np.nan_to_num(llr.astype(np.float32)), -LIMIT, LIMIT)
        total, good = start.copy(), np.zeros(len(llr), np.bool_)
        open_, belief = np.arange(len(llr)), start.copy()
        told = [np.zeros((len(llr), *layer.shape), np.float32) for layer in self._layers]
        for _ in range(rounds):
            if not len(open_):
                break
            for i, layer in enumerate(self._layers):
                told[i] = _pass(belief, layer, told[i])
            total[open_] = belief
            done = self._checks(belief < 0)
            good[open_[done]] = True
            open_, belief = open_[~done], belief[~done]
            told = [each[~done] for each in told] if done.any() else told
        hard = total < 0
        return Decoded(hard[:, : self.k].astype(np.uint8), good, (hard != (start < 0)).sum(1))

    def _checks(self, hard: NDArray[np.bool_]) -> NDArray[np.bool_]:
        good = np.ones(len(hard), np.bool_)
        for layer in self._layers:
            good &= ~np.logical_xor.reduce(hard[:, layer], axis=1).any(axis=1)
        return good


def _pass(
    belief: NDArray[np.float32], layer: NDArray[np.intp], told: NDArray[np.float32]
) -> NDArray[np.float32]:
    """One block row: what its checks say now; `belief` takes it in place of what they said before."""
    asked = belief[:, layer] - told
    size = np.abs(asked)
    least = size.argmin(axis=1)[:, None]
    first = np.take_along_axis(size, least, 1)
    np.put_along_axis(size, least, np.float32(np.inf), 1)
    second = size.min(axis=1, keepdims=True)
    negative = asked < 0
    odd = np.logical_xor.reduce(negative, axis=1)[:, None] ^ negative
    said = np.broadcast_to(first, asked.shape).copy()
    np.put_along_axis(said, least, second, 1)
    said *= np.where(odd, -SCALE, SCALE)
    belief[:, layer] = np.clip(asked + said, -4 * LIMIT, 4 * LIMIT)
    return said


def _base(columns: int, rows: int, heavy: tuple[int, ...], lift: int) -> NDArray[np.int64]:
    """The base matrix: shape (rows, columns), shifts or NONE."""
    info = columns - rows
    base = np.full((rows, columns), NONE, np.int64)
    base[[0, rows // 2, rows - 1], info] = (1, 0, 1)
    for i in range(rows - 1):
        base[i : i + 2, info + 1 + i] = 0
    rng = np.random.RandomState(802)  # the legacy generator: its stream is frozen for good (NEP 19)
    load = (base != NONE).sum(1).astype(np.float64)
    for j in range(info):
        weight = min(heavy[j] if j < len(heavy) else 3, rows)
        chosen = np.sort(np.argsort(load + rng.random_sample(rows) * 0.9)[:weight])
        load[chosen] += 1
        base[chosen, j] = _shifts(base, chosen, lift, rng)
    return base


def _shifts(
    base: NDArray[np.int64], chosen: NDArray[np.intp], lift: int, rng: np.random.RandomState
) -> NDArray[np.int64]:
    """Of 200 draws the one that closes the fewest cycles of length four with the columns that stand."""
    best, fewest = np.zeros(len(chosen), np.int64), np.inf
    others = base[chosen]
    both = (others[:, None] != NONE) & (others[None] != NONE)
    apart = (others[:, None] - others[None]) % lift
    upper = np.triu(np.ones((len(chosen), len(chosen)), np.bool_), 1)[..., None]
    for _ in range(200):
        drawn = rng.randint(0, lift, len(chosen))
        same = apart == ((drawn[:, None] - drawn[None]) % lift)[..., None]
        cycles = int((same & both & upper).sum())
        if cycles < fewest:
            best, fewest = drawn, cycles
        if not cycles:
            break
    return best


def _check(words: NDArray[np.generic], width: int, field: str) -> None:
    if words.ndim != 2 or words.shape[1] != width:
        raise InvalidInput(field, f"has shape {words.shape}", f"give (words, {width})")
