"""Records, and the content of a segment: records in compressed blocks, then the indexes over them.

::

    content = prefix (fixed) ‖ blocks ‖ sections ‖ directory (zstd of JSON: where all that is)

Sections: `blocks` (where each lies, its first record, its times), `ids` (hashes of the ids, sorted) with
`fences` (every 512th of them), `bloom`, and `keys` (a vector for each record that came with one).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArchiveInvalid, InvalidInput
from ..merkle import Frontier, leaf_hash
from ..records import RecordCodec

__all__ = [
    "BLOCKS",
    "FENCE",
    "IDS",
    "Entry",
    "Prefix",
    "bloom_has",
    "build",
    "id_hash",
    "pack",
    "parse",
    "unpack",
]

KINDS = ("bytes", "text", "record", "deleted")
MAX_ID_BYTES, MAX_DATA_BYTES = 1_024, 64 << 20
BLOCK_BYTES = 64 << 10  # of records, before compression
FENCE = 512  # ids between two fences
MAX_UNPACKED = MAX_DATA_BYTES + (1 << 20)
BLOCKS = np.dtype([(n, t) for n, t in zip(
    "offset length raw first low high".split(), ("<u8", "<u4", "<u4", "<u4", "<f8", "<f8"), strict=True,
)])  # fmt: skip
IDS = np.dtype([("hash", "<u8"), ("record", "<u4")])
BLOOM_BYTES = 64  # of a block of the filter: one read answers
_BITS, _PROBES = 10, 6  # bits of the filter for an id; bits that it sets
_ENTRY = struct.Struct(">BHId")
_PREFIX = struct.Struct(">4sBIdQQIIQ32s32s16s")
_MAGIC, _FORMAT = b"NMSA", 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of an archive."""

    id: str
    data: bytes
    kind: str  # "bytes", "text", "record" (a JSON object) or "deleted"
    time: float  # Unix seconds

    @property
    def value(self) -> Any:
        """What was appended: bytes, a text, or a dict."""
        if self.kind == "text":
            return self.data.decode("utf-8", "surrogatepass")
        return json.loads(self.data.decode("utf-8", "surrogatepass")) if self.kind == "record" else self.data


def pack(entry: Entry) -> bytes:
    """An entry as bytes.

    Raises:
        InvalidInput: its id or its data is too long, or the id is no text.
    """
    try:
        name = entry.id.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("id", "it holds half of a surrogate pair", "give valid unicode") from error
    if not 0 < len(name) <= MAX_ID_BYTES:
        raise InvalidInput("id", f"{len(name)} bytes in UTF-8", f"give 1 to {MAX_ID_BYTES}")
    if len(entry.data) > MAX_DATA_BYTES:
        raise InvalidInput("data", f"{len(entry.data):,} bytes", f"split it into parts of {MAX_DATA_BYTES:,}")
    head = _ENTRY.pack(KINDS.index(entry.kind), len(name), len(entry.data), entry.time)
    return head + name + entry.data


def parse(raw: bytes) -> list[Entry]:
    """The entries of a block. Raises ArchiveInvalid: it holds none."""
    out, at = [], 0
    try:
        while at < len(raw):
            kind, name, size, time = _ENTRY.unpack_from(raw, at)
            at += _ENTRY.size
            if at + name + size > len(raw):
                raise ValueError("cut short")
            data = raw[at + name : at + name + size]
            out.append(Entry(raw[at : at + name].decode(), data, KINDS[kind], time))
            at += name + size
    except (struct.error, ValueError, IndexError) as error:
        raise ArchiveInvalid(f"a block of the archive holds no records ({error}); run repair") from error
    return out


def id_hash(name: str) -> int:
    """64 bits of an id."""
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


@dataclass(frozen=True, slots=True)
class Prefix:
    """What every segment begins with."""

    number: int  # version
    time: float  # of the version, Unix seconds
    length: int  # bytes of the content
    directory: int  # where it begins
    directory_bytes: int
    count: int  # records in it
    before: int  # records of earlier versions
    root: bytes  # Merkle root (RFC 9162) over all records up to here
    parent: bytes  # … of the version before
    check: bytes  # BLAKE2b-128 of blocks, sections and directory

    SIZE = _PREFIX.size

    def to_bytes(self) -> bytes:
        """As it is stored."""
        return _PREFIX.pack(
            _MAGIC, _FORMAT, self.number, self.time, self.length, self.directory, self.directory_bytes,
            self.count, self.before, self.root, self.parent, self.check,
        )  # fmt: skip

    @classmethod
    def from_bytes(cls, raw: bytes) -> Prefix:
        """Reads it back. Raises ArchiveInvalid: it is none, or of another version."""
        try:
            magic, form, *rest = _PREFIX.unpack_from(raw)
        except struct.error as error:
            raise ArchiveInvalid("a segment of the archive is cut short; run repair") from error
        if (magic, form) != (_MAGIC, _FORMAT):
            raise ArchiveInvalid("a segment is not one of a sound archive, or of a newer version of neuromem")
        found = cls(*rest)
        if not cls.SIZE <= found.directory <= found.directory + found.directory_bytes == found.length:
            raise ArchiveInvalid("a segment of the archive points outside itself; run repair")
        return found


@cache
def _zstd(level: int) -> tuple[Any, Any]:
    import zstandard

    words = zstandard.ZstdCompressionDict(RecordCodec.shipped_dictionary())
    return (
        zstandard.ZstdCompressor(level, dict_data=words, write_dict_id=True, write_content_size=True),
        zstandard.ZstdDecompressor(dict_data=words),
    )


def squeeze(raw: bytes, level: int = 3) -> bytes:
    """Compresses, with the dictionary of personal talk."""
    out: bytes = _zstd(level)[0].compress(raw)
    return out


def unpack(raw: bytes, most: int) -> bytes:
    """Decompresses no more than `most` bytes. Raises ArchiveInvalid: it cannot be, or says it is more."""
    import zstandard

    try:
        if zstandard.get_frame_parameters(raw).content_size > min(most, MAX_UNPACKED):
            raise ArchiveInvalid(
                f"a block of the archive unpacks to more than {most:,} bytes; do not trust it"
            )
        out: bytes = _zstd(3)[1].decompress(raw, max_output_size=most)
    except zstandard.ZstdError as error:
        raise ArchiveInvalid(f"a block of the archive does not decompress ({error}); run repair") from error
    return out


def build(
    number: int, time: float, packed: Sequence[bytes], entries: Sequence[Entry], keys: Any, tree: Frontier,
    parent: bytes, notes: dict[str, Any], level: int = 3,
) -> bytes:  # fmt: skip
    """The content of a segment.

    Args:
        packed, entries: the records, as `pack` gave them and as they are.
        keys: pairs of (record's place, unit vector).
        tree: of all records before; these are added to it.
        notes: JSON values for the directory.
    """
    before = tree.size
    blocks, table, at, first = [], [], Prefix.SIZE, 0
    while first < len(packed):
        last, size = first, 0
        while last < len(packed) and (last == first or size + len(packed[last]) <= BLOCK_BYTES):
            size += len(packed[last])
            last += 1
        block = squeeze(b"".join(packed[first:last]), level)
        times = [entry.time for entry in entries[first:last]]
        table.append((at, len(block), size, first, min(times), max(times)))
        blocks.append(block)
        at, first = at + len(block), last
    for record in packed:
        tree.push(leaf_hash(record))
    hashes = np.array([id_hash(entry.id) for entry in entries], np.uint64)
    order = np.argsort(hashes, kind="stable")
    ids = np.empty(len(order), IDS)
    ids["hash"], ids["record"] = hashes[order], order
    places = [place for place, _ in keys]
    matrix = np.array([key for _, key in keys], "<f2").tobytes() if keys else b""
    sections = {
        "blocks": np.array(table, BLOCKS).tobytes(), "ids": ids.tobytes(), "bloom": _bloom(hashes),
        "fences": np.ascontiguousarray(ids["hash"][::FENCE]).tobytes(),
        "keys": matrix, "keyed": np.array(places, "<u4").tobytes(),
    }  # fmt: skip
    where = {}
    for name, section in sections.items():
        where[name] = [at, len(section)]
        at += len(section)
    listing = {"sections": where, "frontier": [node.hex() for node in tree.hashes], **notes}
    directory = squeeze(json.dumps(listing).encode())
    body = b"".join([*blocks, *sections.values(), directory])
    check = blake2b(body, digest_size=16).digest()
    prefix = Prefix(
        number,
        time,
        Prefix.SIZE + len(body),
        at,
        len(directory),
        len(packed),
        before,
        tree.root(),
        parent,
        check,
    )
    return prefix.to_bytes() + body


def _positions(hashes: NDArray[np.uint64], blocks: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The block of the filter for each id, and the bits in it."""
    block = (hashes >> np.uint64(32)) % np.uint64(blocks)
    mixed = hashes * np.uint64(0x9E3779B97F4A7C15)
    shifts = np.arange(_PROBES, dtype=np.uint64) * np.uint64(9)
    return block, (mixed[:, None] >> shifts) & np.uint64(BLOOM_BYTES * 8 - 1)


def _bloom(hashes: NDArray[np.uint64]) -> bytes:
    blocks = max(1, -(-len(hashes) * _BITS // (BLOOM_BYTES * 8)))
    bits = np.zeros((blocks, BLOOM_BYTES * 8), np.uint8)
    block, positions = _positions(hashes, blocks)
    bits[block[:, None], positions] = 1
    return np.packbits(bits, axis=1).tobytes()


def bloom_has(name_hash: int, blocks: int, read: Any) -> bool:
    """Whether the filter may hold an id.

    Args:
        blocks: of the filter. read: gives (offset in the filter, bytes).
    """
    block, positions = _positions(np.array([name_hash], np.uint64), blocks)
    bits = np.unpackbits(np.frombuffer(read(int(block[0]) * BLOOM_BYTES, BLOOM_BYTES), np.uint8))
    return bool(bits[positions[0]].all())
