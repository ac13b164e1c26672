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
from .flac import Layout
from .packets import Healed, Packets, Shape
from .records import (
    BLOCKS,
    BLOOM_BYTES,
    FENCE,
    IDS,
    MAX_UNPACKED,
    Entry,
    Prefix,
    bloom_has,
    id_hash,
    parse,
    unpack,
)

__all__ = ["Segment", "Source"]

MAX_DIRECTORY = 16 << 20  # bytes, unpacked


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
    """

    def __init__(
        self, source: Source, packets: Packets, start: int, shape: Shape, healed: Healed | None = None
    ) -> None:
        self.source, self.start, self.shape = source, start, shape
        self._packets, self._layout = packets, Layout(packets.profile)
        self._healed = healed
        self._block = lru_cache(maxsize=64)(self._read_block)
        self._page = lru_cache(maxsize=256)(self.read)  # of the indexes: 8 KB at most

    # ---- bytes

    def rows(self, first: int, stop: int) -> NDArray[np.uint8]:
        """The packets of its frames `first` to `stop`, unchecked."""
        begin, end = self._layout.offset(self.start + first), self._layout.offset(self.start + stop)
        raw = self.source.read(begin, end - begin)
        return self._layout.read(self.start + first, self.start + stop, raw.ljust(end - begin, b"\0"))

    def heal(self) -> Healed:
        """The whole content, as far as it can be had."""
        if self._healed is None:
            rows = self.rows(0, self.shape.frames(self._packets.profile))
            self._healed = self._packets.heal(self.shape, rows)
        return self._healed

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the content.

        Raises:
            ArchiveDamaged: they are lost.
        """
        size, per = self._packets.profile.shard_bytes, self._packets.profile.per_frame
        first, stop = offset // size, -(-(offset + length) // size)
        if stop > self.shape.groups * self.shape.data:
            raise ArchiveInvalid("a segment of the archive points outside itself; run repair")
        if self._healed is None:
            rows = self.rows(first // per, -(-stop // per))[first % per :][: stop - first]
            right = self._packets.check(rows) & (self._packets.places(rows) == np.arange(first, stop))
            if right.all():
                at = offset - first * size
                return self._packets.shards(rows).tobytes()[at : at + length]
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
    def blocks(self) -> NDArray[Any]:
        """Where each block lies."""
        return _table(self.section("blocks"), BLOCKS)

    @cached_property
    def fences(self) -> NDArray[np.uint64]:
        """Every 512th id."""
        return _table(self.section("fences"), np.dtype("<u8"))

    @cached_property
    def keys(self) -> NDArray[np.float32]:
        """A row for each record that has a key."""
        count = len(self.keyed)
        return (
            _table(self.section("keys"), np.dtype("<f2"))
            .reshape(count, -1 if count else 0)
            .astype(np.float32)
        )

    @cached_property
    def keyed(self) -> NDArray[np.uint32]:
        """The records that have keys."""
        return _table(self.section("keyed"), np.dtype("<u4"))

    def tree(self) -> Frontier:
        """The Merkle tree up to and with this version."""
        hashes = [bytes.fromhex(node) for node in self.directory["frontier"]]
        return Frontier(self.prefix.before + self.prefix.count, hashes)

    def block(self, number: int) -> list[Entry]:
        """The entries of a block; the last 64 that were read are kept."""
        return self._block(number)

    def _read_block(self, number: int) -> list[Entry]:
        row = self.blocks[number]
        return parse(
            unpack(self.read(int(row["offset"]), int(row["length"])), min(int(row["raw"]), MAX_UNPACKED))
        )

    def entry(self, record: int) -> Entry:
        """A record by its place."""
        number = int(np.searchsorted(self.blocks["first"], record, side="right")) - 1
        try:
            return self.block(number)[record - int(self.blocks[number]["first"])]
        except IndexError as error:
            raise ArchiveInvalid(f"the archive has no record {record} where its index says") from error

    def find(self, name: str) -> Entry | None:
        """The last record of an id, if there is one: by the Bloom filter, then by the sorted ids."""
        sought = id_hash(name)
        begin, length = self._where("bloom")
        if self.prefix.count == 0 or not bloom_has(
            sought, length // BLOOM_BYTES, lambda at, size: self._page(begin + at, size)
        ):
            return None
        fences = self.fences
        page = max(0, int(np.searchsorted(fences, np.uint64(sought), side="left")) - 1)
        stop = int(np.searchsorted(fences, np.uint64(sought), side="right"))
        ids, size = self._where("ids")[0], IDS.itemsize * FENCE
        last = min((stop if stop > page else page + 1) * size, self.prefix.count * IDS.itemsize)
        rows = _table(self._page(ids + page * size, last - page * size), IDS)
        for row in rows[rows["hash"] == np.uint64(sought)][::-1]:
            found = self.entry(int(row["record"]))
            if found.id == name:
                return found
        return None

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
        try:
            blocks, count = self.blocks, self.prefix.count
        except (ArchiveDamaged, ArchiveInvalid, NotFound):
            return [f"{name}: all of it (its index is lost)"]
        out = []
        for number in range(len(blocks)):
            try:
                self.block(number)
            except (ArchiveDamaged, ArchiveInvalid):
                end = int(blocks[number + 1]["first"]) if number + 1 < len(blocks) else count
                out.append(f"{name}: records {int(blocks[number]['first'])} to {end - 1}")
        return out


def _table(raw: bytes, kind: np.dtype[Any]) -> NDArray[Any]:
    if len(raw) % kind.itemsize:
        raise ArchiveInvalid("an index of the archive is cut short; run repair")
    return np.frombuffer(raw, kind)
