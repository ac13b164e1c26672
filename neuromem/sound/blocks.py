"""Blocks of records, compressed, and the table that says where they are and whose ids they may hold.

::

    block  = zstd of (ids ‖ kinds ‖ times ‖ lengths), zstd of the data one after another
    table  = for each block its sizes, how many records, first and last time, least and greatest id
    filter = only where the ranges of ids overlap: bits that say which blocks may hold an id

Ids are ordered by length, then by bytes ("r9" before "r10"). Ids that rise, as numbers and dated ones do,
need no index but the table. For others there is a Bloom filter for each block, all cut into the same rows
and kept row by row, so that one read answers for all blocks (bit-sliced as in Bingmann et al., COBS, SPIRE
2019; blocked as in Putze et al., WEA 2007). It is sized to say yes in vain for `VAIN` blocks a lookup.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArchiveInvalid
from .columns import ColumnReader, Ids, ids_out, ints_out, times_out
from .records import KINDS, MAX_DATA_BYTES, Entry, squeeze, unpack

__all__ = ["BLOCK_BYTES", "Block", "Table", "filter_of", "make_blocks"]

BLOCK_BYTES = 384 << 10  # of data, with a little for each id; a record that is larger has its own block
ID_BYTES = 8  # that an id counts for
MOST_RECORDS = 16_384  # in a block: what an unpacked one costs has a bound
MAX_HEAD = 20 << 20  # bytes of the columns of a block, unpacked
MAX_TABLE = 64 << 20
VAIN = 0.05  # blocks looked into in vain, a lookup of an unordered id
ROWS = 512  # of the filter in a page: all bits of an id are in one of them
_MIXERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
MOST_PROBES = 7 * len(_MIXERS)  # a product has seven times the nine bits that name a row
_COUNT = struct.Struct("<I")
NAMES = "head head_raw data data_raw count".split()  # columns of the table before times and ids

Read = Callable[[int, int], bytes]


def _order(name: str) -> tuple[int, bytes]:
    raw = name.encode("utf-8", "surrogatepass")
    return len(raw), raw


def id_hash(name: str) -> int:
    """64 bits of an id."""
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


# -- writing


def make_blocks(entries: Sequence[Entry], level: int) -> tuple[list[bytes], Table]:
    """Entries as blocks, and their table."""
    parts, rows, spans = list[bytes](), list[list[int]](), list[tuple[str, str, float, float]]()
    for run in _runs(entries):
        ids, times = [entry.id for entry in run], [entry.time for entry in run]
        kinds = [KINDS.index(entry.kind) for entry in run]
        head = ids_out(ids) + ints_out(kinds) + times_out(times) + ints_out([len(e.data) for e in run])
        data = b"".join([entry.data for entry in run])
        packed = squeeze(head, level), squeeze(data, level)
        parts.append(b"".join(packed))
        rows.append([len(packed[0]), len(head), len(packed[1]), len(data), len(run)])
        spans.append((min(ids, key=_order), max(ids, key=_order), min(times), max(times)))
    numbers = np.array(rows, np.int64).reshape(-1, len(NAMES))
    columns = dict(zip(NAMES, numbers.T, strict=True))
    least, greatest, low, high = ([span[at] for span in spans] for at in range(4))
    return parts, Table(columns, np.array(low, float), np.array(high, float), list(least), list(greatest))  # type: ignore[arg-type]


def _runs(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    first = size = 0
    for at, entry in enumerate(entries):
        more = ID_BYTES + len(entry.data)
        if at > first and (size + more > BLOCK_BYTES or at - first == MOST_RECORDS):
            yield entries[first:at]
            first, size = at, 0
        size += more
    if entries:
        yield entries[first:]


def filter_of(table: Table, ids: Sequence[str]) -> bytes:
    """The filter of all ids, by their blocks; empty where the table alone can tell."""
    if table.ordered:
        return b""
    blocks, (pages, probes) = len(table), table.sizes
    hashes = np.array([id_hash(name) for name in ids], np.uint64)
    owner = np.repeat(np.arange(blocks), table.columns["count"])
    page, rows = _places(hashes, pages, probes)
    bits = np.zeros((pages * ROWS, blocks), np.uint8)
    bits[(page * np.uint64(ROWS))[:, None] + rows, owner[:, None]] = 1
    return np.packbits(bits).tobytes()


def _places(hashes: NDArray[np.uint64], pages: int, probes: int) -> tuple[Any, Any]:
    page = (hashes >> np.uint64(32)) % np.uint64(pages)
    each = [
        (hashes * np.uint64(_MIXERS[at // 7]) >> np.uint64(1 + 9 * (at % 7))) & np.uint64(ROWS - 1)
        for at in range(probes)
    ]
    return page, np.stack(each, axis=1)


# -- reading


@dataclass(frozen=True)
class Table:
    """Where the blocks of a segment are and what they may hold.

    Attributes:
        columns: by `NAMES`. low, high: times of each block's records. least, greatest: its ids.
    """

    columns: dict[str, NDArray[np.int64]]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    least: list[str]
    greatest: list[str]

    def __len__(self) -> int:
        return len(self.low)

    def to_bytes(self) -> bytes:
        """As it is stored, before compression."""
        numbers = b"".join(ints_out(self.columns[name]) for name in NAMES)
        ids = ids_out(self.least) + ids_out(self.greatest)
        return _COUNT.pack(len(self)) + numbers + times_out(self.low) + times_out(self.high) + ids

    @classmethod
    def from_bytes(cls, raw: bytes, records: int, room: int) -> Table:
        """Reads it back.

        Args:
            records: of the segment. room: bytes there are for blocks.

        Raises:
            ArchiveInvalid: it is none, or says what cannot be.
        """
        reader = ColumnReader(raw)
        (count,) = _COUNT.unpack(reader.take(_COUNT.size))
        if count > min(records, room):
            raise ArchiveInvalid("the archive says that it has more blocks than records; do not trust it")
        columns = {name: reader.sizes(count) for name in NAMES}
        low, high = reader.times(count), reader.times(count)
        found = cls(columns, low, high, reader.ids(count).all(), reader.ids(count).all())
        many = columns["count"] > 1
        right = (
            int(columns["count"].sum()) == records
            and int((columns["head"] + columns["data"]).sum()) <= room
            and (columns["count"] <= MOST_RECORDS).all()
            and (columns["head_raw"] <= MAX_HEAD).all()
            and (columns["data_raw"] <= np.where(many, BLOCK_BYTES, MAX_DATA_BYTES)).all()
        )
        if not right:
            raise ArchiveInvalid("the table of the archive's blocks says what cannot be; do not trust it")
        return found

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Where each block begins, from the first."""
        return np.concatenate([[0], np.cumsum(self.columns["head"] + self.columns["data"])]).astype(np.int64)

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """The first record of each block, and how many there are in all."""
        return np.concatenate([[0], np.cumsum(self.columns["count"])]).astype(np.int64)

    @cached_property
    def _ranges(self) -> tuple[list[int], list[tuple[int, bytes]], list[tuple[int, bytes]]]:
        least, greatest = [_order(name) for name in self.least], [_order(name) for name in self.greatest]
        by_least = sorted(range(len(self)), key=lambda at: (least[at], greatest[at], at))
        return by_least, [least[at] for at in by_least], [greatest[at] for at in by_least]

    @cached_property
    def ordered(self) -> bool:
        """Whether no two blocks have more than an id in common."""
        _, least, greatest = self._ranges
        return all(before <= after for before, after in zip(greatest, least[1:], strict=False))

    @cached_property
    def sizes(self) -> tuple[int, int]:
        """Pages of the filter, and rows of a page that an id sets."""
        bits = max(1.0, math.log2(len(self) / VAIN))
        rows = int(self.columns["count"].max()) * bits / math.log(2) * 1.1  # pages are not equally full
        return max(1, round(rows / ROWS)), min(MOST_PROBES, round(bits))

    def candidates(self, name: str, read: Read) -> list[int]:
        """The blocks that may hold an id, the last first.

        Args:
            read: (offset, length) → bytes of the filter; asked only where there is one.
        """
        sought = _order(name)
        by_least, least, greatest = self._ranges
        stop = bisect_right(least, sought)
        if self.ordered:
            first = stop
            while first and greatest[first - 1] >= sought:
                first -= 1
            return sorted(by_least[first:stop], reverse=True)
        pages, probes = self.sizes
        wide = ROWS * len(self) // 8  # bytes of a page
        page, rows = _places(np.array([id_hash(name)], np.uint64), pages, probes)
        raw = np.unpackbits(np.frombuffer(read(int(page[0]) * wide, wide), np.uint8)).reshape(ROWS, -1)
        bits = np.bitwise_and.reduce(raw[rows[0].astype(np.int64)], axis=0)
        inside = {at for at, high in zip(by_least[:stop], greatest[:stop], strict=True) if high >= sought}
        return [at for at in np.flatnonzero(bits)[::-1].tolist() if at in inside]

    def filter_bytes(self) -> int:
        """How long its filter has to be."""
        if self.ordered:
            return 0
        return self.sizes[0] * ROWS * len(self) // 8


class Block:
    """A block that was read; its data only when a record of it is wanted.

    Args:
        head: as it is stored. data: gives the data as it is stored.
    """

    def __init__(
        self, head: bytes, count: int, head_raw: int, data_raw: int, data: Callable[[], bytes]
    ) -> None:
        reader = ColumnReader(unpack(head, head_raw))
        self.ids: Ids = reader.ids(count)
        self._kinds = reader.ints(count)
        self.times = reader.times(count)
        self._ends = np.cumsum(reader.sizes(count))
        if count and (
            self._ends[-1] != data_raw or not 0 <= self._kinds.min() <= self._kinds.max() < len(KINDS)
        ):
            raise ArchiveInvalid("a block of the archive holds no records; run repair")
        self._packed, self._data_raw = data, data_raw
        self.cost = 4 * head_raw + data_raw + 4_096  # bytes of memory, about

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def _data(self) -> bytes:
        found = unpack(self._packed(), self._data_raw)
        if len(found) != self._data_raw:
            raise ArchiveInvalid("a block of the archive is shorter than its table says; run repair")
        return found

    def entry(self, place: int) -> Entry:
        """A record of it."""
        begin = int(self._ends[place - 1]) if place else 0
        data = self._data[begin : int(self._ends[place])]
        return Entry(self.ids.at(place), data, KINDS[int(self._kinds[place])], float(self.times[place]))

    def entries(self) -> list[Entry]:
        """All of them, in order."""
        data, begin, out = self._data, 0, []
        rows = zip(
            self.ids.all(), self._kinds.tolist(), self.times.tolist(), self._ends.tolist(), strict=True
        )
        for name, kind, time, end in rows:
            out.append(Entry(name, data[begin:end], KINDS[kind], time))
            begin = end
        return out
