"""What an archive takes and gives: entries made of values, versions, results, the report of damage."""

from __future__ import annotations

import json
import math
import time as clock
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InvalidInput, NotFound
from ..merkle import EMPTY_ROOT, Frontier
from .content import FAST, Before, build
from .records import Entry
from .segment import Segment

__all__ = [
    "DamageReport",
    "Found",
    "Version",
    "alive",
    "before",
    "content_of",
    "entry_of",
    "one_width",
    "unit",
]


@dataclass(frozen=True, slots=True)
class Version:
    """One flush."""

    number: int
    time: float  # Unix seconds
    records: int  # in it alone
    root: str  # Merkle root over all records so far, in hex


@dataclass(frozen=True, slots=True)
class Found:
    """A result of a search."""

    entry: Entry
    score: float  # cosine


@dataclass(frozen=True, slots=True)
class DamageReport:
    """What `verify` found."""

    versions: int
    packets: int
    frames_hurt: int  # FLAC frames whose CRC-16 is wrong, or that are cut off
    header_hurt: bool  # what comes before the frames; repair writes it anew
    packets_hurt: int
    corrected: int  # packets, by Reed-Solomon
    rebuilt: int  # packets of content, by the erasure code
    lost: tuple[str, ...]  # what could not be recovered, by name

    @property
    def ok(self) -> bool:
        """Nothing was hurt."""
        return not (self.frames_hurt or self.header_hurt or self.packets_hurt or self.lost)

    @property
    def recovered(self) -> bool:
        """All content is there, healed where it had to be."""
        return not self.lost


def content_of(number: int, items: Any, before: Before, notes: dict[str, Any], level: int = FAST) -> bytes:
    """The content of a segment: items are (entry, packed, key).

    Raises:
        InvalidInput: keys of several widths, notes that are no JSON.
    """
    one_width(items, 0)
    try:
        json.dumps(notes)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput("notes", f"cannot be JSON ({error})", "give texts, numbers, lists") from error
    entries, packed, vectors = zip(*items, strict=True)
    keys = [(at, key) for at, key in enumerate(vectors) if key is not None]
    return build(number, clock.time(), packed, entries, keys, before, notes, level)


def one_width(items: Any, known: int) -> int:
    """How many numbers the keys of items (entry, packed, key) have; 0: there are none.

    Args:
        known: of those that the archive has; 0: it has none.

    Raises:
        InvalidInput: they differ.
    """
    widths = {len(key) for _, _, key in items if key is not None} | ({known} if known else set())
    if len(widths) > 1:
        raise InvalidInput("key", "vectors of several widths in one archive", "give all the same width")
    return max(widths, default=0)


def before(last: Segment | None) -> Before:
    """What comes before the segment after `last`."""
    return Before(last.tree(), last.prefix.root) if last else Before(Frontier(), EMPTY_ROOT)


def entry_of(value: Any, id_: str, time: float) -> Entry:
    """What is appended, as an entry.

    Raises:
        InvalidInput: it is of another kind; an id that is no text, a time that is no number.
    """
    if not isinstance(id_, str):
        raise InvalidInput("id", f"{id_!r:.40} is no text", "give a str")
    try:
        finite = math.isfinite(time)
    except TypeError:
        finite = False
    if not finite:
        raise InvalidInput("time", f"{time!r:.40} is no time", "give finite Unix seconds")
    if isinstance(value, str):
        return Entry(id_, value.encode("utf-8", "surrogatepass"), "text", time)
    if isinstance(value, dict):
        try:
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInput("value", f"cannot be JSON ({error})", "give texts, numbers, lists") from error
        return Entry(id_, text.encode("utf-8", "surrogatepass"), "record", time)
    if isinstance(value, bytes | bytearray | memoryview):
        return Entry(id_, bytes(value), "bytes", time)
    raise InvalidInput("value", f"{type(value).__name__} cannot be kept", "give bytes, a text or a dict")


def alive(entry: Entry) -> Entry:
    """The entry. Raises NotFound: it says that the id was deleted."""
    if entry.kind == "deleted":
        raise NotFound(f"the record {entry.id!r} was deleted; an older version may have it (as_of)")
    return entry


def unit(key: Any) -> Any:
    """A vector of length 1. Raises InvalidInput: it has no direction, or is none."""
    try:
        with np.errstate(over="ignore"):  # beyond what 32 bits hold: refused below
            vector = np.asarray(key, np.float32).reshape(-1)
    except (TypeError, ValueError) as error:
        raise InvalidInput("key", f"is no vector ({error})", "give a row of numbers") from error
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        raise InvalidInput("key", "is no direction", "give finite numbers, not all zero")
    return vector / length
