"""What damage there is in an archive, and what can still be had of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import ArchiveDamaged, ArchiveInvalid
from ..merkle import EMPTY_ROOT, Frontier, leaf_hash
from .flac import HEADER_BYTES, Layout, read_header
from .items import DamageReport
from .records import Entry, pack
from .segment import Segment, Source

__all__ = ["LOST", "damage", "last_root", "newest"]

_FRAMES = 1_024  # checked at a time
LOST = (ArchiveDamaged, ArchiveInvalid)


def damage(source: Source, layout: Layout, segments: Sequence[Segment]) -> DamageReport:
    """Reads everything; says what is hurt, what could be healed, and what is lost."""
    header = read_header(source.read(0, HEADER_BYTES))
    frames = layout.frames(source.size())
    bad = max(0, header.frames - frames) if header else 0  # those that are cut off
    for start in range(0, frames, _FRAMES):
        stop = min(start + _FRAMES, frames)
        begin, end = layout.offset(start), layout.offset(stop)
        bad += layout.bad_frames(start, stop, source.read(begin, end - begin))
    healed = [segment.heal() for segment in segments]
    lost = [line for segment in segments for line in segment.lost()]
    lost += _missing(segments, header.versions if header else 0)
    lost += _broken(segments)
    if not segments and frames and not lost:
        lost.append("every version")
    return DamageReport(
        len(healed), sum(segment.shape.packets for segment in segments), bad, header is None,
        sum(state.hurt for state in healed), sum(state.corrected for state in healed),
        sum(state.rebuilt for state in healed), tuple(lost),
    )  # fmt: skip


def _missing(segments: Sequence[Segment], versions: int) -> Iterator[str]:
    """Versions that are not there: those between others, and those that the header tells of."""
    numbers = {segment.shape.segment for segment in segments}
    first = min(numbers, default=max(0, versions - 1))
    for number in range(first, max(max(numbers, default=-1) + 1, versions)):
        if number not in numbers:
            yield f"version {number}: all of it"


def _broken(segments: Sequence[Segment]) -> Iterator[str]:
    """Where a version is not what was written, or does not follow the one before."""
    tree, root, known = Frontier(), EMPTY_ROOT, True  # known: the tree up to here was computed
    for segment in segments:
        name = f"version {segment.shape.segment}"
        try:
            prefix = segment.prefix
            if not segment.heal().whole:
                known, root = False, prefix.root
                continue
            if not segment.check():
                yield f"{name}: its check is wrong"
            if prefix.before == 0:
                tree, known = Frontier(), True
            elif prefix.parent != root or (prefix.before != tree.size and known):
                yield f"{name}: it does not follow the version before it"
            segment.tree()  # what the next version is to go on from
            if known:
                for number in range(len(segment.table)):
                    for entry in segment.block(number).entries():
                        tree.push(leaf_hash(pack(entry)))
                if tree.root() != prefix.root:
                    yield f"{name}: its records are not those of its Merkle root"
            root = prefix.root
        except LOST as error:
            known = False
            if segment.heal().whole:  # what is hurt was named already
                yield f"{name}: {error}"


def last_root(segments: Sequence[Segment]) -> bytes:
    """The Merkle root of the last version that still tells it."""
    for segment in reversed(segments):
        try:
            return segment.prefix.root
        except LOST:
            continue
    return EMPTY_ROOT


def newest(segments: Sequence[Segment], tolerant: bool) -> list[tuple[Entry, Any]]:
    """The newest record of every id that is not deleted, and its key or None; oldest first.

    Args:
        tolerant: leave out what is lost.

    Raises:
        ArchiveDamaged: something is lost, unless `tolerant`.
    """
    out, seen = list[tuple[Entry, Any]](), set[str]()
    for segment in reversed(segments):
        try:
            table, rows = segment.table, _rows(segment, tolerant)
        except LOST:
            if not tolerant:
                raise
            continue
        for number in reversed(range(len(table))):
            try:
                entries = segment.block(number).entries()
            except LOST:
                if not tolerant:
                    raise
                continue
            first = int(table.firsts[number])
            for at in reversed(range(len(entries))):
                if entries[at].id not in seen:
                    seen.add(entries[at].id)
                    if entries[at].kind != "deleted":
                        out.append((entries[at], rows.get(first + at)))
    return out[::-1]


def _rows(segment: Segment, tolerant: bool) -> dict[int, Any]:
    """The keys of a segment by record."""
    try:
        return dict(zip(segment.keyed.tolist(), segment.keys.rows, strict=True))
    except LOST:
        if not tolerant:
            raise
        return {}
