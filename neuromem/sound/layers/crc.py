"""Cyclic redundancy checks of many rows at once, in NumPy.

A CRC is linear: a row is cut into pieces whose registers run side by side and are then shifted over
one another by tables, so that long rows need few steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CRC8", "CRC16", "CRC32C", "Crc"]

_PIECE = 32  # bytes that are gone through one by one

Bytes = NDArray[np.uint8]


class Crc:
    """A CRC of 8 to 32 bits.

    Args:
        width: bits of the register, a multiple of 8.
        polynomial: without its highest bit; bit-reversed if `reflected`.
        reflected: the lowest bit of a byte goes first.
        start: the register at the beginning, XORed to the end as well if `inverted`.
    """

    def __init__(
        self, width: int, polynomial: int, *, reflected: bool = False, start: int = 0, inverted: bool = False
    ) -> None:
        self.width, self.reflected, self.start = width, reflected, start
        self.final = start if inverted else 0
        self._mask = (1 << width) - 1
        self._table = np.array([self._entry(value, polynomial) for value in range(256)], np.uint32)
        parts = (
            np.arange(256, dtype=np.uint32)[None, :] << (8 * np.arange(width // 8, dtype=np.uint32))[:, None]
        )
        for _ in range(_PIECE):
            parts = self._step(parts, np.uint32(0))
        self._shift = parts  # what each byte of a register becomes behind a piece of zeros

    def _entry(self, value: int, polynomial: int) -> int:
        register = value if self.reflected else value << (self.width - 8)
        top = 1 << (self.width - 1)
        for _ in range(8):
            if self.reflected:
                register = (register >> 1) ^ (polynomial if register & 1 else 0)
            else:
                register = ((register << 1) & self._mask) ^ (polynomial if register & top else 0)
        return register

    def _step(self, register: NDArray[np.uint32], byte: Any) -> Any:
        if self.reflected:
            return (register >> np.uint32(8)) ^ self._table[(register ^ byte) & np.uint32(255)]
        index = ((register >> np.uint32(self.width - 8)) ^ byte) & np.uint32(255)
        return ((register << np.uint32(8)) & np.uint32(self._mask)) ^ self._table[index]

    def rows(self, data: Bytes) -> NDArray[np.uint32]:
        """The CRC of each row of a matrix of bytes."""
        count, length = data.shape
        head = length % _PIECE
        out = np.full(count, self.start, np.uint32)
        for column in range(head):
            out = self._step(out, data[:, column])
        if length > head:
            pieces = data[:, head:].reshape(-1, _PIECE)
            register = np.zeros(len(pieces), np.uint32)
            for column in range(_PIECE):
                register = self._step(register, pieces[:, column])
            folded = register.reshape(count, -1)
            for piece in range(folded.shape[1]):
                out = self._behind(out) ^ folded[:, piece]
        return out ^ np.uint32(self.final)

    def _behind(self, register: NDArray[np.uint32]) -> Any:
        out = self._shift[0][register & np.uint32(255)]
        for at in range(1, self.width // 8):
            out = out ^ self._shift[at][(register >> np.uint32(8 * at)) & np.uint32(255)]
        return out

    def of(self, data: bytes) -> int:
        """The CRC of some bytes."""
        return int(self.rows(np.frombuffer(data, np.uint8)[None, :])[0])


CRC32C = Crc(32, 0x82F63B78, reflected=True, start=0xFFFFFFFF, inverted=True)
"""Castagnoli's, RFC 3720 B.4: of "123456789" it is 0xE3069283."""

CRC16 = Crc(16, 0x8005)
"""Of a FLAC frame, RFC 9639 9.3."""

CRC8 = Crc(8, 0x07)
"""Of a FLAC frame's header, RFC 9639 9.1.8."""
