"""One segment of an archive, read as far as is asked for; healed as a whole when it turns out to be hurt."""

from __future__ import annotations

import json
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ArchiveDamaged, ArchiveInvalid, NotFound
from ..merkle import Frontier
from .blocks import MAX_TABLE, Block, Table
from .cache import Kept
from .columns import ColumnReader
from .content import unpack_pieces
from .flac import Layout
from .packets import Healed, Packets, Shape
from .records import Entry, Prefix, unpack
from .vectors import Vectors

__all__ = ["Segment", "Source"]

MAX_DIRECTORY = 16 << 20  # bytes, unpacked
MAX_KEYS = 4 << 30
MAX_WIDTH = 1 << 16  # numbers of a key


class Source(Protocol):
    """Where a file's bytes come from: a disk, or ranges over a network."""

    def size(self) -> int:
        """Bytes there are."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """That many bytes, fewer at the end."""
        ...


class Segment:
    """A version of an archive.

    Args:
        start: its first FLAC frame.
        shape: as its packets say it.
        healed: its content, where the file was too hurt to be read by offsets.
        kept: blocks that were read; of one archive, shared by its segments.
    """

    def __init__(
        self, source: Source, packets: Packets, start: int, shape: Shape, healed: Healed | None = None,
        kept: Kept | None = None,
    ) -> None:  # fmt: skip
        self.source, self.start, self.shape = source, start, shape
        self.packets, self._layout = packets, Layout(packets.profile)
        self._healed = healed
        self.kept = Kept() if kept is None else kept
        self._page = lru_cache(maxsize=64)(self.read)  # of the filter

    # ---- bytes

    def rows(self, first: int, stop: int) -> NDArray[np.uint8]:
        """The packets of its frames `first` to `stop`, unchecked."""
        begin, end = self._layout.offset(self.start + first), self._layout.offset(self.start + stop)
        raw = self.source.read(begin, end - begin)
        return self._layout.read(self.start + first, self.start + stop, raw.ljust(end - begin, b"\0"))

    def heal(self) -> Healed:
        """The whole content, as far as it can be had."""
        if self._healed is None:
            rows = self.rows(0, self.shape.frames(self.packets.profile))
            self._healed = self.packets.heal(self.shape, rows)
            if not self._healed.whole and (moved := self._moved()):
                self._healed = self.packets.heal(self.shape, np.concatenate([rows, *moved]))
        return self._healed

    def _moved(self) -> list[NDArray[np.uint8]]:
        """Its packets that lie beside their places: bytes before them are gone, or have come in."""
        stop = self.start + self.shape.frames(self.packets.profile)
        begin, end = self._layout.offset(self.start), self._layout.offset(stop + 1)  # the last may lie later
        return [rows for _, rows in self._layout.moved(self.source.read(begin, end - begin), begin)]

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the content.

        Raises:
            ArchiveDamaged: they are lost. ArchiveInvalid: the segment ends before them.
        """
        size, per = self.packets.profile.shard_bytes, self.packets.profile.per_frame
        first, stop = offset // size, -(-(offset + length) // size)
        if stop > self.shape.groups * self.shape.data:
            raise ArchiveInvalid("a segment of the archive points outside itself; run repair")
        if self._healed is None:
            rows = self.rows(first // per, -(-stop // per))[first % per :][: stop - first]
            if self.packets.are(rows, self.shape, first):
                at = offset - first * size
                return self.packets.shards(rows).tobytes()[at : at + length]
        healed = self.heal()
        if not healed.good[first:stop].all():
            raise ArchiveDamaged(
                f"version {self.shape.segment}: bytes {offset:,} to {offset + length:,} are lost; "
                "verify names the records, repair keeps the others"
            )
        return healed.content[offset : offset + length]

    # ---- what it holds

    @cached_property
    def prefix(self) -> Prefix:
        """What it begins with."""
        return Prefix.from_bytes(self.read(0, Prefix.SIZE))

    @cached_property
    def directory(self) -> dict[str, Any]:
        """Where everything is."""
        raw = unpack(self.read(self.prefix.directory, self.prefix.directory_bytes), MAX_DIRECTORY)
        try:
            found = json.loads(raw)
            if all(isinstance(number, int) for pair in found["sections"].values() for number in pair):
                return dict(found)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ArchiveInvalid(f"a directory of the archive cannot be read ({error})") from error
        raise ArchiveInvalid("a directory of the archive points nowhere")

    def section(self, name: str) -> bytes:
        """A whole section."""
        return self.read(*self._where(name))

    def _where(self, name: str) -> tuple[int, int]:
        try:
            offset, length = self.directory["sections"][name]
        except (KeyError, ValueError) as error:
            raise ArchiveInvalid(f"the archive has no section {name!r}") from error
        if not 0 <= offset <= offset + length <= self.prefix.length:
            raise ArchiveInvalid(f"the section {name!r} of the archive lies outside it")
        return offset, length

    @cached_property
    def table(self) -> Table:
        """Where each block lies."""
        raw = unpack(self.section("table"), MAX_TABLE)
        return Table.from_bytes(raw, self.prefix.count, self.prefix.directory - Prefix.SIZE)

    @property
    def indexed(self) -> bool:
        """Whether its table can be had; without it none of its records is found."""
        try:
            return len(self.table.firsts) > 0
        except (ArchiveDamaged, ArchiveInvalid, NotFound):
            return False

    @cached_property
    def keyed(self) -> NDArray[np.int64]:
        """The records that have keys, rising."""
        count = self._number("keyed", self.prefix.count)
        if not count:
            return np.empty(0, np.int64)
        places = np.cumsum(ColumnReader(unpack(self.section("keyed"), MAX_TABLE)).ints(count)) - 1
        if (np.diff(places, prepend=-1) < 1).any() or places[-1] >= self.prefix.count:
            raise ArchiveInvalid("the archive has keys of records that it has not; do not trust it")
        return places

    @cached_property
    def keys(self) -> Vectors:
        """A row for each record that has a key."""
        count, width = len(self.keyed), self.width
        if count * width > MAX_KEYS:
            raise ArchiveInvalid("the archive says that its keys are larger than any; do not trust it")
        raw = unpack_pieces(self.section("keys"), count * width) if count else b""
        return Vectors(np.frombuffer(raw, np.int8).reshape(count, width))

    @property
    def width(self) -> int:
        """Numbers of its keys; 0: it has none."""
        return self._number("width", MAX_WIDTH)

    def _number(self, name: str, most: int) -> int:
        found = self.directory.get(name, 0)
        if not isinstance(found, int) or not 0 <= found <= most:
            raise ArchiveInvalid(f"a directory of the archive says {name} = {found!r:.40}; do not trust it")
        return found

    def tree(self) -> Frontier:
        """The Merkle tree up to and with this version."""
        size = self.prefix.before + self.prefix.count
        try:
            hashes = [bytes.fromhex(node) for node in self.directory["frontier"]]
        except (KeyError, TypeError, ValueError) as error:
            raise ArchiveInvalid(f"a directory of the archive has no Merkle tree ({error})") from error
        tree = Frontier(size, hashes)
        if len(hashes) != size.bit_count() or tree.root() != self.prefix.root:
            raise ArchiveInvalid(
                "a directory of the archive has another Merkle tree than its root; run repair"
            )
        return tree

    def block(self, number: int) -> Block:
        """A block; those that were read last are kept."""
        return self.kept.get((self.start, number), lambda: self._read_block(number))

    def _read_block(self, number: int) -> Block:
        table = self.table
        head, head_raw, data, data_raw, count = (int(column[number]) for column in table.columns.values())
        at = Prefix.SIZE + int(table.offsets[number])
        return Block(self.read(at, head), count, head_raw, data_raw, lambda: self.read(at + head, data))

    def entry(self, record: int) -> Entry:
        """A record by its place."""
        number = int(np.searchsorted(self.table.firsts, record, side="right")) - 1
        if not 0 <= record < self.prefix.count:
            raise ArchiveInvalid(f"the archive has no record {record} where its index says")
        return self.block(number).entry(record - int(self.table.firsts[number]))

    def place(self, name: str) -> int | None:
        """The last record of an id, if there is one: by the ranges of the blocks, or by the filter."""
        if not self.prefix.count:
            return None
        for number in self.table.candidates(name, self._read_filter):
            found = self.block(number).ids.find(name)
            if found is not None:
                return int(self.table.firsts[number]) + found
        return None

    def _read_filter(self, offset: int, length: int) -> bytes:
        begin, size = self._where("filter")
        if size != self.table.filter_bytes():
            raise ArchiveInvalid("the filter of the archive has not the size that it needs; run repair")
        return self._page(begin + offset, length)

    def find(self, name: str) -> Entry | None:
        """The last record of an id, if there is one."""
        place = self.place(name)
        return None if place is None else self.entry(place)

    def check(self) -> bool:
        """Whether its content is what was written."""
        prefix = self.prefix
        body = self.heal().content[Prefix.SIZE : prefix.length]
        return blake2b(body, digest_size=16).digest() == prefix.check

    def lost(self) -> list[str]:
        """The records that cannot be had, by name; empty when all is there."""
        name = f"version {self.shape.segment}"
        if self.heal().whole:
            return []
        if not self.indexed:
            return [f"{name}: all of it (its index is lost)"]
        firsts, out = self.table.firsts, []
        for number in range(len(firsts) - 1):
            try:
                self.block(number).entries()
            except (ArchiveDamaged, ArchiveInvalid):
                out.append(f"{name}: records {int(firsts[number])} to {int(firsts[number + 1]) - 1}")
        return out
