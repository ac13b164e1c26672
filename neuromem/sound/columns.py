"""Columns of a block: what many records have in common is said once, numbers lie byte plane by byte plane.

::

    ints   = width (1) ‖ least (8) ‖ width planes of a byte for each number, less the least
    times  = scale (1) ‖ first (8) ‖ ints of the steps      Unix seconds · scale are whole; else the floats
    ids    = form (1) ‖ …      numbered: prefixes, which of them, steps of the number
                               UUIDs: 16 planes · others: lengths, then the bytes in UTF-8

All numbers are little-endian; how many there are is known before.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ..errors import ArchiveInvalid

__all__ = ["ColumnReader", "Ids", "ids_out", "ints_out", "times_out"]

_INTS, _FIRST = struct.Struct("<Bq"), struct.Struct("<Bq")
SCALES = (1.0, 1e3, 1e6, 2.0**22)  # the last: of any float between 2004 and 2038
_AS_FLOATS = 255
_PLAIN, _NUMBERED, _UUIDS = 0, 1, 2  # forms of ids
_MOST_PREFIXES = 255
_NUMBER = re.compile(r"(.*?)(0|[1-9][0-9]{0,17})", re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Ints = NDArray[np.int64]


def ints_out(values: Any) -> bytes:
    """Whole numbers as a column."""
    numbers = np.asarray(values, np.int64)
    if not len(numbers):
        return _INTS.pack(0, 0)
    least = int(numbers.min())
    width = -(-(int(numbers.max()) - least).bit_length() // 8)
    rest = numbers.astype("<u8") - np.uint64(least & 0xFFFFFFFFFFFFFFFF)  # wraps round, and back on reading
    return _INTS.pack(width, least) + rest.view(np.uint8).reshape(-1, 8)[:, :width].T.tobytes()


def times_out(times: Any) -> bytes:
    """Finite floats as a column, exact to the last bit."""
    floats = np.asarray(times, "<f8")
    for place, scale in enumerate(SCALES):
        with np.errstate(over="ignore"):  # beyond the range of floats it is no whole number of steps
            whole = np.rint(floats * scale)
        if (np.abs(whole) < 2.0**62).all() and (whole / scale == floats).all():
            numbers = whole.astype(np.int64)
            first = int(numbers[0]) if len(numbers) else 0
            return _FIRST.pack(place, first) + ints_out(np.diff(numbers, prepend=first))
    return bytes([_AS_FLOATS]) + floats.view(np.uint8).reshape(-1, 8).T.tobytes()


def ids_out(ids: Sequence[str]) -> bytes:
    """Ids as a column."""
    if all(map(_UUID.fullmatch, ids)):
        raw = b"".join(UUID(name).bytes for name in ids)
        return bytes([_UUIDS]) + np.frombuffer(raw, np.uint8).reshape(-1, 16).T.tobytes()
    parts = [_NUMBER.fullmatch(name) for name in ids]
    prefixes = dict[str, int]()
    which, numbers = list[int](), list[int]()
    for part in parts:
        if part is None or len(prefixes) > _MOST_PREFIXES:
            break
        which.append(prefixes.setdefault(part[1], len(prefixes)))
        numbers.append(int(part[2]))
    if len(numbers) == len(ids) and len(prefixes) <= _MOST_PREFIXES:
        steps = np.diff(np.array(numbers, np.int64), prepend=0)
        return (
            bytes([_NUMBERED, len(prefixes)]) + texts_out(list(prefixes)) + ints_out(which) + ints_out(steps)
        )
    return bytes([_PLAIN]) + texts_out(ids)


def texts_out(texts: Sequence[str]) -> bytes:
    """Texts as a column."""
    raw = [text.encode() for text in texts]
    return ints_out([len(each) for each in raw]) + b"".join(raw)


class ColumnReader:
    """Goes through the columns of a buffer.

    Raises:
        ArchiveInvalid: by every method; the buffer ends before the column does, or holds what cannot be.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        begin, self.at = self.at, self.at + count
        if not 0 <= begin <= self.at <= len(self.raw):
            raise ArchiveInvalid("a table of the archive is cut short; run repair")
        return self.raw[begin : self.at]

    def planes(self, count: int, width: int) -> NDArray[np.uint8]:
        """(count, width) bytes."""
        return np.frombuffer(self.take(count * width), np.uint8).reshape(width, count).T

    def ints(self, count: int) -> Ints:
        """A column of whole numbers."""
        width, least = _INTS.unpack(self.take(_INTS.size))
        if width > 8:
            raise ArchiveInvalid("a column of the archive has numbers of more than 64 bits; run repair")
        wide = np.zeros((count, 8), np.uint8)
        wide[:, :width] = self.planes(count, width)
        return (wide.view("<u8")[:, 0] + np.uint64(least & 0xFFFFFFFFFFFFFFFF)).astype(np.int64)

    def sizes(self, count: int) -> Ints:
        """A column of lengths."""
        found = self.ints(count)
        if len(found) and (found.min() < 0 or found.max() > 1 << 40):
            raise ArchiveInvalid("a column of the archive has a length that cannot be; run repair")
        return found

    def times(self, count: int) -> NDArray[np.float64]:
        """A column of finite times."""
        form = self.take(1)[0]
        if form < len(SCALES):
            (first,) = struct.unpack("<q", self.take(8))
            found: Any = (first + np.cumsum(self.ints(count))) / SCALES[form]
        elif form == _AS_FLOATS:
            found = np.ascontiguousarray(self.planes(count, 8)).view("<f8")[:, 0]
        else:
            raise ArchiveInvalid("a column of the archive has times of an unknown form; run repair")
        if not np.isfinite(found).all():
            raise ArchiveInvalid("a column of the archive has a time that is no number; run repair")
        return np.asarray(found, np.float64)

    def texts(self, count: int) -> list[str]:
        """A column of texts."""
        return Plain(self, count).all()

    def ids(self, count: int) -> Ids:
        """A column of ids."""
        form = self.take(1)[0]
        kind = {_PLAIN: Plain, _NUMBERED: Numbered, _UUIDS: Uuids}.get(form)
        if kind is None:
            raise ArchiveInvalid("a column of the archive has ids of an unknown form; run repair")
        return kind(self, count)


class Ids:
    """The ids of a block, in one of three forms."""

    def __init__(self, reader: ColumnReader, count: int) -> None:
        raise NotImplementedError  # a form does it

    def at(self, place: int) -> str:
        """One of them."""
        raise NotImplementedError

    def find(self, name: str) -> int | None:
        """The last place of an id."""
        raise NotImplementedError

    def all(self) -> list[str]:
        """Every one, in order."""
        raise NotImplementedError


class Plain(Ids):
    """Any texts, one after another."""

    def __init__(self, reader: ColumnReader, count: int) -> None:
        self._ends = np.cumsum(reader.sizes(count))
        self._begins = np.concatenate([[0], self._ends[:-1]]).astype(np.int64)[:count]
        self._raw = reader.take(int(self._ends[-1]) if count else 0)

    def at(self, place: int) -> str:
        """One of them."""
        try:
            return self._raw[int(self._begins[place]) : int(self._ends[place])].decode()
        except UnicodeDecodeError as error:
            raise ArchiveInvalid("the archive has an id that is no text; run repair") from error

    def find(self, name: str) -> int | None:
        """The last place of an id: its bytes are looked for from the end, and must fill a place."""
        sought = name.encode("utf-8", "surrogatepass")
        at = self._raw.rfind(sought)
        while at >= 0:
            place = int(np.searchsorted(self._begins, at, side="right")) - 1
            if self._begins[place] == at and self._ends[place] == at + len(sought):
                return place
            at = self._raw.rfind(sought, 0, at + len(sought) - 1) if sought else -1
        return None

    def all(self) -> list[str]:
        """Every one, in order."""
        return [self.at(place) for place in range(len(self._ends))]


class Numbered(Ids):
    """A few prefixes, and numbers behind them."""

    def __init__(self, reader: ColumnReader, count: int) -> None:
        self._prefixes = reader.texts(reader.take(1)[0])
        self._which = reader.sizes(count)
        self._numbers = np.cumsum(reader.ints(count))
        if count and (self._which.max() >= len(self._prefixes) or self._numbers.min() < 0):
            raise ArchiveInvalid("a column of the archive has ids that cannot be; run repair")

    def at(self, place: int) -> str:
        """One of them."""
        return f"{self._prefixes[int(self._which[place])]}{int(self._numbers[place])}"

    def find(self, name: str) -> int | None:
        """The last place of an id."""
        part = _NUMBER.fullmatch(name)
        if part is None or part[1] not in self._prefixes:
            return None
        wanted = self._prefixes.index(part[1])
        found = np.flatnonzero((self._numbers == int(part[2])) & (self._which == wanted))
        return int(found[-1]) if len(found) else None

    def all(self) -> list[str]:
        """Every one, in order."""
        pairs = zip(self._which.tolist(), self._numbers.tolist(), strict=True)
        return [f"{self._prefixes[which]}{number}" for which, number in pairs]


class Uuids(Ids):
    """UUIDs as they are mostly written: lower case, with dashes."""

    def __init__(self, reader: ColumnReader, count: int) -> None:
        self._rows = np.ascontiguousarray(reader.planes(count, 16))

    def at(self, place: int) -> str:
        """One of them."""
        return str(UUID(bytes=self._rows[place].tobytes()))

    def find(self, name: str) -> int | None:
        """The last place of an id."""
        if _UUID.fullmatch(name) is None:
            return None
        high, low = np.frombuffer(UUID(name).bytes, np.uint64)
        words = self._rows.view(np.uint64)
        found = np.flatnonzero(words[:, 0] == high)
        found = found[words[found, 1] == low]
        return int(found[-1]) if len(found) else None

    def all(self) -> list[str]:
        """Every one, in order."""
        return [self.at(place) for place in range(len(self._rows))]
