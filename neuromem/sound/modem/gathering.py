"""A graded message put together from the words that came: whole, or as much of it as there is.

::

    stream of CONTROL = bytes of what follows (4) · items (4) · zlib of: classes (1 byte each) ‖ lengths (4
                        bytes each) · control items
    stream of a class = its items one after another, in their order

The directory is the first of what is sent in the control class, so that whatever else is lost can be named.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ...errors import SignalDamaged
from .frames import crc32c
from .grading import Word
from .importance import Importance
from .packets import PACKET, Shape, shape_of

if TYPE_CHECKING:
    from .hearing import Report

__all__ = ["Gathering", "Graded", "Item", "streams_of"]

_HEAD = struct.Struct("<II")
MOST_ITEMS = 1 << 20
SHOWN = 6  # lost items that an error names


class Item(NamedTuple):
    """What was sent as one.

    Attributes:
        data: its bytes; None when any of them are lost. size: how many were sent. kept: of one that is not
            whole, what came, by offset.
    """

    importance: Importance
    data: bytes | None
    size: int
    kept: dict[int, bytes]


@dataclass(frozen=True)
class Graded:
    """The items of a message, in the order in which they were sent."""

    items: tuple[Item, ...]
    report: Report

    @property
    def payload(self) -> bytes:
        """The whole items one after another."""
        return b"".join(item.data for item in self.items if item.data is not None)

    @property
    def lost(self) -> list[str]:
        """Items that are not whole, by number and class."""
        return [
            f"item {number} ({item.importance.label}, {item.size - sum(map(len, item.kept.values()))} of "
            f"{item.size} bytes)"
            for number, item in enumerate(self.items)
            if item.data is None
        ]


def streams_of(items: Sequence[tuple[bytes, Importance]]) -> dict[Importance, bytes]:
    """What each class carries; classes without a byte are left out."""
    classes = bytes(importance for _, importance in items)
    lengths = struct.pack(f"<{len(items)}I", *(len(data) for data, _ in items))
    packed = zlib.compress(classes + lengths, 9)
    streams = {Importance.CONTROL: [_HEAD.pack(len(packed), len(items)), packed]}
    for data, importance in items:
        streams.setdefault(importance, []).append(data)
    joined = {importance: b"".join(streams[importance]) for importance in sorted(streams)}
    return {importance: data for importance, data in joined.items() if data}


@dataclass
class _Stream:
    shape: Shape
    came: dict[int, bytes] = field(default_factory=dict)

    def content(self) -> dict[int, bytes]:
        """Packets of content by number, rebuilt where they can be."""
        return self.shape.rebuilt(self.came)


@dataclass
class Gathering:
    """What has come of a graded message.

    Attributes:
        total: its bytes, of all streams. check: their CRC-32C. parts: bursts that were heard. told: what
            is missing of it was said, and nothing has come since.
    """

    total: int
    check: int
    parts: set[int] = field(default_factory=set)
    told: bool = False
    _streams: dict[Importance, _Stream] = field(default_factory=dict)

    @property
    def held(self) -> int:
        """Bytes of packets."""
        return PACKET * sum(len(stream.came) for stream in self._streams.values())

    def add(self, words: Sequence[Word | None], part: int) -> None:
        """Takes in a burst; a word that contradicts an earlier one is not believed."""
        self.parts.add(part)
        self.told = False
        for word in words:
            if word is None:
                continue
            shape = shape_of(word.size, word.level)
            others = sum(s.shape.size for each, s in self._streams.items() if each is not word.importance)
            stream = self._streams.get(word.importance)
            if stream is None and others + shape.size <= self.total:
                stream = self._streams[word.importance] = _Stream(shape)
            if stream is not None and stream.shape == shape:
                for at, packet in enumerate(word.packets):
                    stream.came[(word.first + at) % shape.total] = packet

    def whole(self, report: Report) -> Graded | None:
        """The message, if all of it is there and its CRC-32C is right."""
        if sum(stream.shape.size for stream in self._streams.values()) != self.total:
            return None
        content = self._content(report)
        if any(len(content[each]) < stream.shape.data for each, stream in self._streams.items()):
            return None
        joined = {each: _joined(content[each], stream.shape.size) for each, stream in self._streams.items()}
        if crc32c(b"".join(joined[each] for each in sorted(joined))) != self.check:
            return None
        return self._items(content, report)

    def damage(self, report: Report) -> SignalDamaged:
        """What there is of a message that did not come whole, as an error that names the rest."""
        content = self._content(report)
        graded = self._items(content, report)
        if graded is None:
            missing = "its directory is lost, so that nothing of it can be told apart"
        else:
            lost = graded.lost
            missing = f"lost: {', '.join(lost[:SHOWN])}" + (", …" if len(lost) > SHOWN else "")
            missing = f"{len(graded.items) - len(lost)} of {len(graded.items)} items are whole; {missing}"
        report.lost = [
            f"{name}: {row['lost']} of {row['packets']} packets"
            for name, row in report.classes.items()
            if row["lost"]
        ]
        return SignalDamaged(
            f"a message of {self.total} bytes came with gaps ({missing}); send it again, louder or nearer",
            report,
            None,
            graded,
        )

    def _content(self, report: Report) -> dict[Importance, dict[int, bytes]]:
        out = {}
        for importance in sorted(self._streams):
            stream = self._streams[importance]
            out[importance] = found = stream.content()
            came = sum(number < stream.shape.data for number in stream.came)
            report.classes[importance.label] = {
                "bytes": stream.shape.size, "packets": stream.shape.data, "rebuilt": len(found) - came,
                "lost": stream.shape.data - len(found),
            }  # fmt: skip
        return out

    def _items(self, content: dict[Importance, dict[int, bytes]], report: Report) -> Graded | None:
        """All items; None without a directory."""
        control = self._streams.get(Importance.CONTROL)
        if control is None:
            return None
        listed = _directory(content[Importance.CONTROL], control.shape.size)
        if listed is None:
            return None
        begin, rows = listed
        at = dict.fromkeys(Importance, 0) | {Importance.CONTROL: begin}
        out = []
        for importance, size in rows:
            kept = _cut(content.get(importance, {}), at[importance], size)
            data = b"".join(kept[offset] for offset in sorted(kept))
            whole = len(data) == size
            out.append(Item(importance, data if whole else None, size, {} if whole else kept))
            at[importance] += size
        for importance in sorted({each for each, size in rows if size} - set(content)):
            count = shape_of(at[importance], 0).data
            report.classes[importance.label] = {
                "bytes": at[importance], "packets": count, "rebuilt": 0, "lost": count,
            }  # fmt: skip
        return Graded(tuple(out), report)


def _joined(packets: dict[int, bytes], size: int) -> bytes:
    return b"".join(packets[number] for number in range(len(packets)))[:size]


def _cut(packets: dict[int, bytes], begin: int, size: int) -> dict[int, bytes]:
    """Of the bytes begin … begin + size what is there, by offset from `begin`; neighbours are joined."""
    out, run = dict[int, bytes](), -1
    for number in range(begin // PACKET, -(-(begin + size) // PACKET) if size else 0):
        low, high = max(begin, number * PACKET), min(begin + size, (number + 1) * PACKET)
        packet = packets.get(number)
        if packet is None:
            run = -1
            continue
        piece = packet[low - number * PACKET : high - number * PACKET]
        if run < 0:
            run, out[low - begin] = low - begin, piece
        else:
            out[run] += piece
    return out


def _directory(packets: dict[int, bytes], size: int) -> tuple[int, list[tuple[Importance, int]]] | None:
    """Where the control items begin, and class and length of each item; None: it is not all there."""
    head = b"".join(_cut(packets, 0, min(size, _HEAD.size)).values())
    if len(head) < _HEAD.size:
        return None
    length, count = _HEAD.unpack(head)
    packed = b"".join(_cut(packets, _HEAD.size, min(length, size)).values())
    if len(packed) != length or count > MOST_ITEMS:
        return None
    try:
        raw = zlib.decompressobj().decompress(packed, 5 * count + 1)
    except zlib.error:
        return None  # what is not a directory
    if len(raw) != 5 * count or any(each not in set(Importance) for each in raw[:count]):
        return None
    sizes = struct.unpack(f"<{count}I", raw[count:])
    return _HEAD.size + length, [(Importance(each), n) for each, n in zip(raw[:count], sizes, strict=True)]
