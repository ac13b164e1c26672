"""Cyclic redundancy checks of many rows at once, in NumPy.

A CRC is linear: a row is cut into pieces whose registers run side by side and are then shifted over
one another by tables, so that long rows need few steps.
"""

from __future__ import annotations

from importlib import import_module
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
        self._shifts = [self._step_tables()]  # what each byte of a register becomes behind a piece of zeros

    def _step_tables(self) -> Any:
        places = 8 * np.arange(self.width // 8, dtype=np.uint32)
        parts = np.arange(256, dtype=np.uint32)[None, :] << places[:, None]
        for _ in range(_PIECE):
            parts = self._step(parts, np.uint32(0))
        return parts

    def _shift(self, level: int) -> Any:
        """The tables for 2^level pieces of zeros."""
        while len(self._shifts) <= level:
            last = self._shifts[-1]
            self._shifts.append(_behind(last, last))
        return self._shifts[level]

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
        register: Any = np.full(count, self.start, np.uint32)
        head = length if length < 2 * _PIECE else length % _PIECE
        for column in range(head):
            register = self._step(register, data[:, column])
        if length == head:
            return np.asarray(register ^ np.uint32(self.final))
        pieces = data[:, head:].reshape(count, -1, _PIECE)
        folded: Any = np.zeros(pieces.shape[:2], np.uint32)
        folded[:, 0] = register  # the first piece goes on from the head, the others from nothing
        for column in range(_PIECE):
            folded = self._step(folded, pieces[:, :, column])
        level = 0
        while folded.shape[1] > 1:
            if folded.shape[1] % 2:  # a register of zeros in front changes nothing
                folded = np.concatenate([np.zeros((count, 1), np.uint32), folded], axis=1)
            folded = _behind(self._shift(level), folded[:, ::2]) ^ folded[:, 1::2]
            level += 1
        return np.asarray(folded[:, 0] ^ np.uint32(self.final))

    def of(self, data: bytes) -> int:
        """The CRC of some bytes."""
        return int(self.rows(np.frombuffer(data, np.uint8)[None, :])[0])


def _behind(tables: Any, register: Any) -> Any:
    """Registers behind the zeros that the tables stand for."""
    out = tables[0][register & np.uint32(255)]
    for at in range(1, len(tables)):
        out = out ^ tables[at][(register >> np.uint32(8 * at)) & np.uint32(255)]
    return out


class _Crc32C(Crc):
    """By the library google-crc32c, which uses the processor's own instruction, where it is installed."""

    def __init__(self, polynomial: int) -> None:
        super().__init__(32, polynomial, reflected=True, start=0xFFFFFFFF, inverted=True)
        try:
            library: Any = import_module("google_crc32c")
        except ImportError:
            library = None
        self._value = library.value if library is not None and library.implementation == "c" else None

    def rows(self, data: Bytes) -> NDArray[np.uint32]:
        """The CRC of each row of a matrix of bytes."""
        if self._value is None:
            return super().rows(data)
        raw, length = data.tobytes(), data.shape[1]
        found = [self._value(raw[at : at + length]) for at in range(0, len(data) * length, length)]
        return np.array(found, np.uint32)

    def of(self, data: bytes) -> int:
        """The CRC of some bytes."""
        return int(self._value(data)) if self._value is not None else super().of(data)


CRC32C: Crc = _Crc32C(0x82F63B78)
"""Castagnoli's, RFC 3720 B.4: of "123456789" it is 0xE3069283."""

CRC16 = Crc(16, 0x8005)
"""Of a FLAC frame, RFC 9639 9.3."""

CRC8 = Crc(8, 0x07)
"""Of a FLAC frame's header, RFC 9639 9.1.8."""
