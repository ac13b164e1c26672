"""The content of a segment, put together.

::

    content = prefix (fixed) ‖ blocks ‖ sections ‖ directory (zstd of JSON: where all that is)

Sections: `table` and `filter` of the blocks (`blocks`), `keys` and `keyed` (`vectors`; left out where no
record has a key).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from ..errors import ArchiveInvalid
from ..merkle import Frontier, leaf_hash
from .blocks import filter_of, make_blocks
from .columns import ints_out
from .records import Entry, Prefix, squeeze, unpack
from .vectors import rounded

__all__ = ["FAST", "SMALL", "Before", "build", "unpack_pieces"]

FAST, SMALL = 9, 19  # levels of zstd: of a flush, and of what is written anew
_PIECE = 8 << 20  # bytes that are compressed together, of what has no end
_KEYS = 1  # level; they are noise but for how often each byte comes
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Before:
    """What a segment follows.

    Attributes:
        tree: of all records before; those of the segment are added to it. parent: root of the version before.
    """

    tree: Frontier
    parent: bytes


def build(
    number: int, time: float, packed: Sequence[bytes], entries: Sequence[Entry], keys: Any, before: Before,
    notes: dict[str, Any], level: int = FAST,
) -> bytes:  # fmt: skip
    """The content of a segment.

    Args:
        packed, entries: the records, as `pack` gave them and as they are.
        keys: pairs of (record's place, vector).
        notes: JSON values for the directory.
        level: of compression.
    """
    blocks, table = make_blocks(entries, level)
    earlier = before.tree.size
    for record in packed:
        before.tree.push(leaf_hash(record))
    sections: dict[str, bytes] = {"table": squeeze(table.to_bytes(), level)}
    sections["filter"] = filter_of(table, [entry.id for entry in entries])
    width = 0
    if keys:
        rows = rounded([key for _, key in keys])
        width = rows.shape[1]
        sections["keys"] = _pieces(rows.tobytes())
        sections["keyed"] = squeeze(ints_out(np.diff([place for place, _ in keys], prepend=-1)), level)
    where, at = dict[str, list[int]](), Prefix.SIZE + sum(map(len, blocks))
    for name, section in sections.items():
        where[name] = [at, len(section)]
        at += len(section)
    listing: dict[str, Any] = {
        "sections": where,
        "frontier": [node.hex() for node in before.tree.hashes],
        "notes": notes,
    }
    if keys:
        listing |= {"width": width, "keyed": len(keys)}
    directory = squeeze(json.dumps(listing, separators=(",", ":")).encode())
    body = b"".join([*blocks, *sections.values(), directory])
    prefix = Prefix(
        number, time, Prefix.SIZE + len(body), at, len(directory), len(packed), earlier, before.tree.root(),
        before.parent, blake2b(body, digest_size=16).digest(),
    )  # fmt: skip
    return prefix.to_bytes() + body


def _pieces(raw: bytes) -> bytes:
    out = []
    for at in range(0, len(raw), _PIECE):
        piece = squeeze(raw[at : at + _PIECE], _KEYS)
        out += [_LENGTH.pack(len(piece)), piece]
    return b"".join(out)


def unpack_pieces(raw: bytes, size: int) -> bytes:
    """What was compressed piece by piece. Raises ArchiveInvalid: it is not so many bytes."""
    out, at, left = [], 0, size
    while left > 0 and at + _LENGTH.size <= len(raw):
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        piece = unpack(raw[at : at + length], min(_PIECE, left))
        at += length
        if len(piece) != min(_PIECE, left):
            break
        left -= len(piece)
        out.append(piece)
    if left or at != len(raw):
        raise ArchiveInvalid("the keys of the archive are not what its directory says; run repair")
    return b"".join(out)
