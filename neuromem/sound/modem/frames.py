"""Bytes into frames and back: what a burst says of itself, and what each LDPC word holds.

::

    control   magic "nM" · version (4 bits: 1 plain, 2 graded), bursts of parity (4) · mode · message id ·
              burst's bytes · message's bytes · part · parts · CRC
    frame     sequence u16 · length u16 · payload, padded · CRC-32C

All numbers are little-endian. A message longer than a burst is cut into parts of the same id, which is
the CRC-32C of the whole.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..layers.crc import CRC32C
from ..layers.ldpc import Ldpc, code
from .chance import bits
from .plan import MODES, MOST_BYTES, MOST_SYMBOLS, Layout, Place

__all__ = [
    "MOST_CODED",
    "MOST_SPARE",
    "Control",
    "Words",
    "chunks_of",
    "code_words",
    "control_code",
    "crc32c",
    "mask",
    "read_words",
]

_CONTROL = struct.Struct("<2sBBIIIHH")
_MAGIC, _PLAIN, _GRADED = b"nM", 1, 2
MOST_SPARE, MOST_CODED = 15, 256  # bursts of parity of a message; all bursts of one that has any
crc32c = CRC32C.of
_LIFT = 16  # of the control word's code: 192 bits of information


@lru_cache(maxsize=1)
def control_code() -> Ldpc:
    """The code of the control word: 384 bits for 24 bytes."""
    return code("1/2", _LIFT)


@dataclass(frozen=True)
class Control:
    """What a burst says of itself.

    Attributes:
        spare: bursts of parity behind the parts; their numbers go on from the last part's.
        mode: its number. message: CRC-32C of the whole message. size: payload bytes of this burst.
        total: bytes of the message. part, parts: which of how many, from 0. graded: its words say
            themselves what they carry (`grading`); `size` is then the number of its data symbols.
    """

    mode: int
    message: int
    size: int
    total: int
    part: int
    parts: int
    spare: int = 0
    graded: bool = False

    def pack(self) -> bytes:
        """24 bytes."""
        head = _CONTROL.pack(
            _MAGIC,
            (_GRADED if self.graded else _PLAIN) | self.spare << 4,
            self.mode,
            self.message,
            self.size,
            self.total,
            self.part,
            self.parts,
        )
        return head + struct.pack("<I", crc32c(head))

    @classmethod
    def read(cls, data: bytes) -> Control | None:
        """None when it is damaged, of another version, or says what cannot be."""
        if len(data) != _CONTROL.size + 4 or struct.unpack("<I", data[-4:])[0] != crc32c(data[:-4]):
            return None
        magic, version, mode, message, size, total, part, parts = _CONTROL.unpack(data[:-4])
        mine = {each.number: each for each in MODES.values()}.get(mode)
        if magic != _MAGIC or version & 15 not in (_PLAIN, _GRADED) or mine is None:
            return None
        spare = version >> 4
        if version & 15 == _GRADED:
            fits = 0 < size <= MOST_SYMBOLS and part < parts and 0 < total <= MOST_BYTES and not spare
            return cls(mode, message, size, total, part, parts, 0, True) if fits else None
        fits = size <= mine.capacity and part < parts + spare and total <= parts * mine.capacity
        fits = fits and size <= total and (not spare or parts + spare <= MOST_CODED)
        return cls(mode, message, size, total, part, parts, spare) if fits else None


def chunks_of(payload: bytes, plan: Layout) -> list[bytes]:
    """The payload cut as the layout's frames hold it."""
    ends = np.cumsum(plan.sizes).tolist()
    return [payload[end - size : end] for end, size in zip(ends, plan.sizes, strict=True)]


def code_words(chunks: list[bytes], place: Place, first: int) -> NDArray[np.uint8]:
    """Information bits of a band's LDPC words: shape (words, k).

    Args:
        first: number of the band's first word in the burst. Words beyond the last frame carry the first
            frames again, which costs nothing.
    """
    k = code(place.band.rate).k
    out = np.empty((place.words, k // 8), np.uint8)
    for i in range(place.words):
        number = _number(first + i, chunks, k)
        head = struct.pack("<HH", number, len(chunks[number]))
        body = (head + chunks[number]).ljust(k // 8 - 4, b"\0")
        out[i] = np.frombuffer(body + struct.pack("<I", crc32c(body)), np.uint8)
    return np.unpackbits(out, axis=1) ^ mask(first, place.words, k)


def _number(word: int, chunks: list[bytes], k: int) -> int:
    number = word % len(chunks)
    # a frame of a band with longer words may not fit where it would come again
    return number if len(chunks[number]) <= k // 8 - 8 else 0


def mask(first: int, words: int, k: int) -> NDArray[np.uint8]:
    """A frame of zeros would be a tone: every word is added to one that looks like noise."""
    drawn = [bits(0x6D61736B + first + i, k) for i in range(words)]
    return np.stack(drawn) if drawn else np.empty((0, k), np.uint8)


@dataclass
class Words:
    """What has come of a burst's frames.

    Attributes:
        chunks: by sequence. hurt: words that came with wrong bits. healed: those that went out right.
        words: how many there were.
    """

    chunks: dict[int, bytes]
    hurt: int = 0
    healed: int = 0
    words: int = 0

    def count(self, whole: Sequence[bool], changed: NDArray[np.int64]) -> None:
        """Counts decoded words: whether each CRC held, and how many bits the decoder turned."""
        for good, turned in zip(whole, changed, strict=True):
            self.words += 1
            self.hurt += bool(turned) or not good
            self.healed += good and bool(turned)


def read_words(
    info: NDArray[np.uint8], changed: NDArray[np.int64], first: int, plan: Layout, into: Words
) -> None:
    """Takes a band's decoded words: those whose CRC holds give their frame, whatever the code says.

    Args:
        info: information bits, shape (words, k). changed: bits that the decoder turned, by word.
        first: number of the band's first word in the burst.
    """
    whole, good = np.packbits(info ^ mask(first, len(info), info.shape[1]), axis=1), list[bool]()
    for row in whole:
        data = row.tobytes()
        number, length = struct.unpack("<HH", data[:4])
        right = struct.unpack("<I", data[-4:])[0] == crc32c(data[:-4])
        good.append(right and number < len(plan.sizes) and length == plan.sizes[number])
        if good[-1]:
            into.chunks[number] = data[4 : 4 + length]
    into.count(good, changed)
