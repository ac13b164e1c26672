"""Numbers that look random and are the same on every machine, for whatever sender and receiver must agree on.

NumPy's own generators may change from one version to the next (NEP 19), so that a recording of last year
could not be read by today's receiver. SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) is five lines.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["bits", "order", "words"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def words(seed: int, count: int) -> NDArray[np.uint64]:
    """The first `count` outputs of SplitMix64 from `seed`: shape (count,)."""
    with np.errstate(over="ignore"):  # arithmetic modulo 2**64 is meant
        x = np.uint64(seed) + _GOLDEN * np.arange(1, count + 1, dtype=np.uint64)
        x = (x ^ (x >> np.uint64(30))) * _MIX_1
        x = (x ^ (x >> np.uint64(27))) * _MIX_2
        mixed: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed


def bits(seed: int, count: int) -> NDArray[np.uint8]:
    """Zeros and ones: shape (count,)."""
    drawn = np.unpackbits(words(seed, -(-count // 64)).astype("<u8").view(np.uint8))
    return drawn[:count]


def order(seed: int, count: int) -> NDArray[np.intp]:
    """A permutation of 0 … count-1: shape (count,)."""
    return np.argsort(words(seed, count), kind="stable")
