"""A block interleaver: written row by row, read column by column, so that a burst hits every row a little."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Interleaver"]


class Interleaver:
    """Spreads a burst of bytes over `depth` code words.

    Args:
        depth: code words that share a packet, >= 1; a burst of n bytes hits each n / depth times.
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth

    def spread(self, words: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(packets, depth, length) code words → (packets, depth · length) bytes."""
        return np.ascontiguousarray(words.transpose(0, 2, 1)).reshape(len(words), -1)

    def gather(self, packets: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The inverse of `spread`."""
        return np.ascontiguousarray(packets.reshape(len(packets), -1, self.depth).transpose(0, 2, 1))
