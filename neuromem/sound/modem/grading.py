"""Which word of which burst carries which packets of a graded message.

::

    word      importance (4 bits), eighths of parity (4) · first packet (3 bytes) · bytes of the class's
              stream (4) · packets, padded · CRC-32C

All numbers are little-endian. A word says all that a receiver has to know of it; packets go on from the
first, after the last comes the first again.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidInput
from ..layers.ldpc import code
from .frames import crc32c, mask
from .importance import Importance, bands_of
from .packets import PACKET, shape_of
from .plan import MOST_SYMBOLS, Layout, Mode, words_in

__all__ = ["Bursts", "Word", "deal", "read_graded", "words_of_burst"]

Stream = tuple[int, int, list[bytes]]  # bytes, eighths of parity, packets
_HEAD = struct.Struct("<B3sI")
MOST_BURSTS = 4_096


@dataclass(frozen=True, slots=True)
class Word:
    """Packets of a class, so many as the word of a band holds."""

    importance: Importance
    level: int
    size: int  # bytes of the class's stream
    first: int  # number of the first packet
    packets: tuple[bytes, ...]


@dataclass(frozen=True)
class Bursts:
    """A plan.

    Attributes:
        symbols: data symbols of each burst. words: for each burst and band the class of each word and its
            first packet.
    """

    mode: Mode
    symbols: int
    words: list[list[list[tuple[Importance, int]]]]


def room(mode: Mode, band: int) -> int:
    """Packets in a word of a band."""
    return (code(mode.bands[band].rate).k // 8 - _HEAD.size - 4) // PACKET


def deal(counts: Mapping[Importance, int], mode: Mode) -> Bursts:
    """The shortest plan in which each class finds room in its band or better ones.

    Args:
        counts: packets of each class.

    Raises:
        InvalidInput: it would take too many bursts.
    """
    bursts = next((n for n in range(1, MOST_BURSTS) if _assigned(counts, mode, MOST_SYMBOLS, n)), None)
    if bursts is None:
        raise InvalidInput("items", f"{sum(counts.values())} packets", "send less at a time")
    few, many = 0, MOST_SYMBOLS
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if _assigned(counts, mode, middle, bursts) else (middle, many)
    assigned, holds = _assigned(counts, mode, many, bursts) or [], words_in(mode, many)
    dealt = [[words[burst::bursts] for words in assigned] for burst in range(bursts)]
    for burst, bands in enumerate(dealt):
        for band, words in enumerate(bands):
            words += _again(counts, mode, band, holds[band] - len(words), burst)
    return Bursts(mode, many, dealt)


def _assigned(
    counts: Mapping[Importance, int], mode: Mode, symbols: int, bursts: int
) -> list[list[tuple[Importance, int]]] | None:
    """By band the words of all bursts; None: they do not fit. What matters most chooses first."""
    left = [bursts * count for count in words_in(mode, symbols)]
    out: list[list[tuple[Importance, int]]] = [[] for _ in left]
    for importance in sorted(counts):
        first, count = 0, counts[importance]
        for band in bands_of(importance, mode):
            each = room(mode, band)
            taken = min(left[band], -(-(count - first) // each))
            out[band] += [(importance, first + at * each) for at in range(taken)]
            left[band] -= taken
            first = min(count, first + taken * each)
        if first < count:
            return None
    return out


def _again(
    counts: Mapping[Importance, int], mode: Mode, band: int, free: int, burst: int
) -> list[tuple[Importance, int]]:
    """Words that were left over carry what matters most once more, each burst something else."""
    each = room(mode, band)
    every = [
        (importance, at)
        for importance in sorted(counts)
        if band in bands_of(importance, mode) or importance < Importance.STANDARD
        for at in range(0, counts[importance], each)
    ]
    return [every[(burst * free + at) % len(every)] for at in range(free)]


def words_of_burst(
    plan: Layout, words: Sequence[Sequence[tuple[Importance, int]]], streams: Mapping[Importance, Stream]
) -> list[NDArray[np.uint8]]:
    """By band the information bits of a burst's words: shape (words, k)."""
    out, number = [], 0
    for band, (place, carried) in enumerate(zip(plan.places, words, strict=True)):
        k, each = code(place.band.rate).k, room(plan.mode, band)
        rows = np.empty((len(carried), k // 8), np.uint8)
        for at, (importance, first) in enumerate(carried):
            size, level, packets = streams[importance]
            head = _HEAD.pack(importance | level << 4, first.to_bytes(3, "little"), size)
            body = head + b"".join(packets[(first + i) % len(packets)] for i in range(each))
            body = body.ljust(k // 8 - 4, b"\0")
            rows[at] = np.frombuffer(body + struct.pack("<I", crc32c(body)), np.uint8)
        out.append(np.unpackbits(rows, axis=1) ^ mask(number, len(carried), k))
        number += place.words
    return out


def read_graded(info: NDArray[np.uint8], first: int, plan: Layout, band: int, most: int) -> list[Word | None]:
    """Decoded words of a band; None for one whose CRC-32C does not hold.

    Args:
        info: information bits, shape (words, k). first: number of the band's first word in the burst.
        most: bytes of the message; a word that says more is not believed.
    """
    whole = np.packbits(info ^ mask(first, len(info), info.shape[1]), axis=1)
    return [_read(row.tobytes(), room(plan.mode, band), most) for row in whole]


def _read(data: bytes, each: int, most: int) -> Word | None:
    if struct.unpack("<I", data[-4:])[0] != crc32c(data[:-4]):
        return None
    kind, place, size = _HEAD.unpack_from(data)
    first, level = int.from_bytes(place, "little"), kind >> 4
    if kind & 15 not in set(Importance) or not 0 < size <= most or first >= shape_of(size, level).total:
        return None
    packets = [data[at : at + PACKET] for at in range(_HEAD.size, _HEAD.size + each * PACKET, PACKET)]
    return Word(Importance(kind & 15), level, size, first, tuple(packets))
