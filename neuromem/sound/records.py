"""Records, what a segment begins with, and compression.

The form that is hashed (a leaf of the Merkle tree) and waits in the write-ahead file::

    record = kind (1) ‖ bytes of the id (2) ‖ bytes of the data (4) ‖ time (8) ‖ id in UTF-8 ‖ data

In a segment records lie in columns (`blocks`).
"""

from __future__ import annotations

import json
import struct
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..errors import ArchiveInvalid, InvalidInput
from ..records import RecordCodec

__all__ = ["KINDS", "MAX_DATA_BYTES", "Entry", "Prefix", "pack", "parse", "squeeze", "unpack"]

KINDS = ("bytes", "text", "record", "deleted")
MAX_ID_BYTES, MAX_DATA_BYTES = 1_024, 64 << 20
MAX_UNPACKED = MAX_DATA_BYTES + (1 << 20)
_SMALL = 32 << 10  # bytes; below, the dictionary of personal talk pays, above it costs
_ENTRY = struct.Struct(">BHId")
_PREFIX = struct.Struct(">4sBIdQQIIQ32s32s16s")
_MAGIC, _FORMAT = b"NMSA", 2


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of an archive."""

    id: str
    data: bytes
    kind: str  # "bytes", "text", "record" (a JSON object) or "deleted"
    time: float  # Unix seconds

    @property
    def value(self) -> Any:
        """What was appended: bytes, a text, or a dict. Raises ArchiveInvalid: it is none in fact."""
        if self.kind not in ("text", "record"):
            return self.data
        try:
            text = self.data.decode("utf-8", "surrogatepass")
            return text if self.kind == "text" else json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ArchiveInvalid(f"the record {self.id!r:.80} is no {self.kind} ({error!s:.80})") from error


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
    """The records in what `pack` gave, one or more. Raises ArchiveInvalid: it holds none."""
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
        if magic != _MAGIC:
            raise ArchiveInvalid("a segment is not one of a sound archive; give what export wrote")
        if form != _FORMAT:
            raise ArchiveInvalid(
                f"the archive has format {form}, this version of neuromem reads {_FORMAT}; "
                "read it with the version that wrote it"
            )
        found = cls(*rest)
        if not cls.SIZE <= found.directory <= found.directory + found.directory_bytes == found.length:
            raise ArchiveInvalid("a segment of the archive points outside itself; run repair")
        return found


@cache
def _talk() -> Any:
    import zstandard

    return zstandard.ZstdCompressionDict(RecordCodec.shipped_dictionary())


class _Contexts(threading.local):
    """What compresses and decompresses in a thread: a zstd context serves one at a time."""

    def __init__(self) -> None:
        self.compressor = cache(_new_compressor)  # a cache for each thread
        self.decompressor = cache(_new_decompressor)


def _new_compressor(level: int, small: bool) -> Any:
    import zstandard

    return zstandard.ZstdCompressor(level, dict_data=_talk() if small else None, write_content_size=True)


def _new_decompressor(small: bool) -> Any:
    import zstandard

    return zstandard.ZstdDecompressor(dict_data=_talk() if small else None)


_CONTEXTS = _Contexts()


def squeeze(raw: bytes, level: int = 9) -> bytes:
    """Compresses; little things with the dictionary of personal talk."""
    out: bytes = _CONTEXTS.compressor(level, len(raw) < _SMALL).compress(raw)
    return out


def unpack(raw: bytes, most: int) -> bytes:
    """Decompresses no more than `most` bytes. Raises ArchiveInvalid: it cannot be, or says it is more."""
    import zstandard

    try:
        frame = zstandard.get_frame_parameters(raw)
        if frame.content_size > min(most, MAX_UNPACKED):
            raise ArchiveInvalid(
                f"a block of the archive unpacks to more than {most:,} bytes; do not trust it"
            )
        out: bytes = _CONTEXTS.decompressor(bool(frame.dict_id)).decompress(raw, max_output_size=most)
    except zstandard.ZstdError as error:
        raise ArchiveInvalid(f"a block of the archive does not decompress ({error}); run repair") from error
    return out
