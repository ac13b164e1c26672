"""The segments of a file: by hopping from one to the next, or by a search for every packet that is left."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import ArchiveInvalid, NotFound
from .cache import Kept
from .flac import HEADER_BYTES, Layout, profile_in, read_header
from .packets import Healed, Packets, Shape
from .profiles import PROFILES, Profile
from .segment import Segment, Source

__all__ = ["DiskFile", "Salvaged", "profile_of_file", "salvage", "segments"]

_HEAD_BYTES = 256 << 10  # looked through for a frame that says the profile


class DiskFile:
    """A file on a disk. It stays readable when another takes its place under the name."""

    def __init__(self, path: Path | None, fd: int = -1) -> None:
        if path is not None and not path.is_file():
            raise NotFound(f"{path} does not exist; give the path of a sound archive")
        self._fd = fd if path is None else os.open(path, os.O_RDONLY)

    def again(self) -> DiskFile:
        """The same file, closed by itself."""
        return DiskFile(None, os.dup(self._fd))

    def size(self) -> int:
        """Bytes there are."""
        return os.fstat(self._fd).st_size

    def read(self, offset: int, length: int) -> bytes:
        """That many bytes, fewer at the end."""
        return os.pread(self._fd, length, offset)

    def close(self) -> None:
        """Ends it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        if hasattr(self, "_fd"):
            self.close()


def profile_of_file(source: Source) -> Profile | None:
    """The profile that a file was written with; None: an archive with nothing in it.

    Raises:
        ArchiveInvalid: it is no sound archive.
    """
    size = source.size()
    told = read_header(source.read(0, HEADER_BYTES))
    if told is not None and told.profile in PROFILES:
        return PROFILES[told.profile] if size > HEADER_BYTES else None
    found = profile_in(source.read(HEADER_BYTES, _HEAD_BYTES))
    if found is None and size > HEADER_BYTES + _HEAD_BYTES:
        found = profile_in(source.read(size - _HEAD_BYTES, _HEAD_BYTES))
    if found is None and (size > HEADER_BYTES or source.read(0, 4) != b"fLaC"):
        raise ArchiveInvalid("this is no sound archive, or nothing is left of it; give what export wrote")
    return found


def segments(source: Source, packets: Packets, kept: Kept) -> tuple[list[Segment], int]:
    """The whole segments, and the first frame after them. What is half written at the end is left out."""
    layout, at = Layout(packets.profile), 0
    found: list[Segment] = []
    header = read_header(source.read(0, HEADER_BYTES))
    told = header.versions if header else 1 << 24  # what a header tells of was whole once
    frames = layout.frames(source.size())
    while at < frames:
        raw = source.read(layout.offset(at), layout.offset(at + 1) - layout.offset(at))
        rows = layout.read(at, at + 1, raw)
        good = packets.check(rows)
        if not good[0] or packets.places(rows[:1])[0]:
            return _hurt(source, packets, found, at, kept, told)
        segment = Segment(source, packets, at, packets.shape_in(rows[0]), kept=kept)
        end = at + segment.shape.frames(packets.profile)
        if end > frames and segment.shape.segment < told:  # it was whole once: damage, and no crash
            return _hurt(source, packets, found, at, kept, told, cut=segment.shape.segment)
        if end > frames or (segment.shape.segment >= told and not _written(segment)):
            break
        found.append(segment)
        at = end
    return found, at


def _written(segment: Segment) -> bool:
    """Whether all of a segment is there: a crash may leave a hole where its end was to be."""
    last = segment.shape.frames(segment.packets.profile)
    return bool(segment.packets.check(segment.rows(last - 1, last)).all()) or segment.heal().whole


def _hurt(
    source: Source, packets: Packets, found: list[Segment], at: int, kept: Kept, told: int, cut: int = -1
) -> tuple[list[Segment], int]:
    """Where a segment begins with a packet that is hurt, or has lost bytes: all are looked for, the good ones
    kept as found.

    Args:
        cut: one that ends beyond the file. Without its index it would only stand before the older ones.
    """
    known = {segment.shape.segment for segment in found}
    free = at  # the first frame after all that is kept, wherever it lies
    for number, rest in sorted(salvage(source, packets).items()):
        if number not in known and rest.enough and (number < told or rest.healed.whole):
            segment = Segment(source, packets, at, rest.shape, rest.healed, kept)
            if number == cut and not segment.indexed:
                continue
            found.append(segment)
            at += rest.shape.frames(packets.profile)
            free = max(free, at, rest.end)
    return found, free


class Salvaged(NamedTuple):
    """What is left of a segment.

    Attributes:
        enough: it is whole, or three tenths of its packets were there (what a writer left half done has
            fewer, and all of those are sound). end: the first frame after its last packet.
    """

    shape: Shape
    healed: Healed
    enough: bool
    end: int


def salvage(source: Source, packets: Packets) -> dict[int, Salvaged]:
    """Every segment of which a packet is found, by its number, wherever its frames have moved to."""
    profile, layout = packets.profile, Layout(packets.profile)
    raw = source.read(0, source.size())
    frames = layout.frames(len(raw))
    moved = layout.moved(raw, 0)
    every = np.concatenate([layout.read(0, frames, raw[HEADER_BYTES:]), *(rows for _, rows in moved)])
    places = [*range(frames), *(layout.frames(at) for at, _ in moved)]
    ends = np.array(places, np.int64).repeat(profile.per_frame) + 1
    good = packets.check(every)
    last, shapes = dict[int, int](), Counter[Shape]()
    for row, end in zip(every[good], ends[good].tolist(), strict=True):
        shape = packets.shape_in(row)
        shapes[shape] += 1
        last[shape.segment] = max(end, last.get(shape.segment, 0))
    best: dict[int, tuple[int, Shape]] = {}
    for shape, count in shapes.items():
        sound = shape.groups and 0 < shape.data <= shape.total and shape.packets <= 4 * len(every)
        if sound and count > best.get(shape.segment, (0,))[0]:
            best[shape.segment] = count, shape
    out = {}
    for number, (count, shape) in best.items():
        healed = packets.heal(shape, every)
        enough = healed.whole or 10 * count >= 3 * shape.packets
        out[number] = Salvaged(shape, healed, enough, int(last[number]))
    return out
