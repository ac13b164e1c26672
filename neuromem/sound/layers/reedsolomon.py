"""Reed–Solomon (255, 223): heals up to 16 wrong bytes of a code word, wherever they are.

Encoding is ours, many words at once in NumPy; the few words that are hurt are decoded by the
library reedsolo, whose code it is: primitive polynomial 0x11D, generator 2, first root 2⁰.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..needed import needed

__all__ = ["DATA", "PARITY", "WORD", "ReedSolomon"]

WORD, DATA = 255, 223  # bytes of a code word, and of data in it
PARITY = WORD - DATA
PRIMITIVE = 0x11D


class ReedSolomon:
    """The systematic code: a word is its data, then 32 bytes of parity."""

    def __init__(self) -> None:
        powers = [1]
        for _ in range(254):
            doubled = powers[-1] << 1
            powers.append(doubled ^ PRIMITIVE if doubled & 256 else doubled)
        self._powers, self._logs = powers, {power: at for at, power in enumerate(powers)}
        generator = [1]
        for root in range(PARITY):  # times (x - 2^root)
            scaled = [0, *(self._times(value, powers[root]) for value in generator)]
            generator = [a ^ b for a, b in zip([*generator, 0], scaled, strict=True)]
        table = [[self._times(factor, value) for value in generator[1:]] for factor in range(256)]
        self._table = np.array(table, np.uint8)

    def _times(self, a: int, b: int) -> int:
        return self._powers[(self._logs[a] + self._logs[b]) % 255] if a and b else 0

    def parity(self, data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(words, 223) bytes of data → (words, 32) bytes of parity."""
        table = self._table.view(np.uint64)  # 32 bytes as four numbers: the XOR of a row is four operations
        register = np.zeros((len(data), PARITY + 8), np.uint8)
        for column in range(data.shape[1]):
            feedback = register[:, 0] ^ data[:, column]
            shifted = np.ascontiguousarray(register[:, 1 : PARITY + 1]).view(np.uint64)
            register[:, :PARITY] = (shifted ^ table[feedback]).view(np.uint8)
        return register[:, :PARITY]

    def heal(self, word: bytes) -> bytes | None:
        """The 223 bytes of data of a hurt word; None if more is wrong than can be told.

        Raises:
            MissingDependency: reedsolo is not installed.
        """
        reedsolo = needed("reedsolo", "healing a sound archive")
        try:
            return bytes(reedsolo.RSCodec(PARITY).decode(bytearray(word))[0])
        except reedsolo.ReedSolomonError:
            return None
