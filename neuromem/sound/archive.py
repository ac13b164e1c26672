"""`SoundArchive`: records in one FLAC file, appended, found, verified and repaired.

    with SoundArchive("notes.flac", profile="durable") as archive:
        archive.append("Potola is a dog", id="dog")
        archive.flush()                     # a version: a segment of its own, durable
        print(archive.get("dog").value)

A version is never changed: readers see those that were there when they opened, while one writer appends.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from ..atomic import replacing
from ..errors import InvalidInput, NotFound, ReadOnly
from ..merkle import Frontier
from . import writing
from .cache import Kept
from .content import SMALL, Before
from .finding import DiskFile, profile_of_file, segments
from .flac import HEADER_BYTES, Layout, header, read_header
from .items import DamageReport, Found, Version, alive, before, content_of, entry_of, one_width, unit
from .mending import LOST, damage, last_root, newest
from .packets import Packets
from .profiles import Profile, profile_of
from .records import Entry, Prefix, pack
from .remote import RemoteFile, is_url
from .searching import search
from .segment import Segment
from .wal import WriteAhead, body_of, read_body

__all__ = ["SoundArchive"]

PLACES = 4_096  # of ids that were asked for last
Encoder = Callable[[str], Any]


class SoundArchive:
    """An archive; a context manager. One thread at a time.

    Args:
        path: of the FLAC file; made when missing, unless `readonly`. A URL (https, s3) is only read.
        profile: name of a profile, for a new file; None: what fits this machine.
        encoder: words → a unit vector: texts are then searched by words. Keys may be given all the same.
        sync: what `append` was given is on the disk when it returns; `flush` always is.
        source: where the bytes come from instead of `path`; reading only.
        storage: for a URL, options of its file system (`remote.RemoteFile`).
        semantic: keep the keys that records come with; without them nothing is found by meaning, and a file
            is smaller by about a byte for each number of a key.

    Raises:
        ArchiveInvalid: the file is no sound archive. NotFound: there is none, and `readonly`.
        InvalidInput: no such profile, or file system. StoreLocked: another process is writing to it.
    """

    def __init__(
        self, path: str | Path, profile: str | Profile | None = None, *, readonly: bool = False,
        encoder: Encoder | None = None, sync: bool = False, semantic: bool = True,
        source: Any = None, storage: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        if source is None and is_url(path):
            source = RemoteFile(str(path), storage)
        self.path, self.readonly = Path(path), readonly or source is not None
        self.encoder, self.semantic = encoder, semantic
        self._pending, self._changed = list[tuple[Entry, bytes, Any]](), False
        self._width = 0  # numbers of a key
        self._wal: WriteAhead | None = None
        wanted = None if profile is None else profile_of(profile)
        if source is None and not self.readonly and not self.path.exists():
            wanted = wanted or profile_of(None)  # looks for a loudspeaker: not for a file that is there
            writing.begin(self.path, Layout(wanted))
        self._source: Any = source or DiskFile(self.path)
        try:
            self.profile = profile_of_file(self._source) or wanted or profile_of(None)
            self._packets, self._layout = Packets(self.profile), Layout(self.profile)
            self._load()
            if not self.readonly:
                self._wal = WriteAhead(self.path.with_name(self.path.name + ".wal"), sync)
                self._replay()
        except BaseException:
            self.close(flush=False)
            raise

    def _load(self) -> None:
        self._segments, self._frames = segments(self._source, self._packets, Kept())
        found = read_header(self._source.read(0, HEADER_BYTES))
        self._told = found.versions if found else 0  # versions, by the header
        self._where = lru_cache(maxsize=PLACES)(self._find)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close(flush=kind is None)

    def close(self, flush: bool = True) -> None:
        """Flushes, completes the FLAC header, and ends it. More calls do nothing."""
        wal = self._wal
        try:
            if wal is not None:
                if flush:
                    self.flush()
                if self._changed:
                    self._finish()
        finally:
            if wal is not None:
                wal.close()
                self._wal = None
            if hasattr(self._source, "close"):
                self._source.close()

    # ---- writing

    def append(
        self, value: bytes | str | dict[str, Any], id: str, time: float | None = None, key: Any = None
    ) -> None:
        """Appends a record, or a newer one under the same id; in the write-ahead file on return.

        Args:
            time: Unix seconds; None: now.
            key: a vector that `search` finds it by.
        """
        self.append_many([(value, id, time, key)])

    def append_many(self, rows: Iterable[tuple[Any, str, float | None, Any]]) -> None:
        """Appends records (value, id, time, key), together in the write-ahead file on return."""
        now, items = clock.time(), []
        for value, id_, time, key in rows:
            entry = entry_of(value, id_, now if time is None else time)
            if not self.semantic:
                key = None
            elif key is None and self.encoder is not None and entry.kind == "text":
                key = self.encoder(str(entry.value))
            items.append((entry, pack(entry), None if key is None else unit(key)))
        self._add(items)

    def delete(self, id: str) -> None:
        """Makes an id unknown from the next version on; `merge` then drops its words."""
        self.get(id)
        entry = Entry(id, b"", "deleted", clock.time())
        self._add([(entry, pack(entry), None)])

    def _add(self, items: list[tuple[Entry, bytes, Any]]) -> None:
        wal, width = self._writing(), one_width(items, self._width)
        if not self._pending:
            wal.begin(self.records)
        self._width = width
        wal.append([body_of(packed, key) for _, packed, key in items])
        self._pending += items

    def _writing(self, to: str = "change") -> WriteAhead:
        """The write-ahead file. Raises ReadOnly: the archive was opened for reading."""
        if self._wal is None:
            raise ReadOnly(f"{self.path} was opened for reading; open it for writing to {to} it")
        return self._wal

    def _replay(self) -> None:
        """Takes up what a crash has left in the write-ahead file, unless the archive has to be repaired."""
        try:
            records = self.records
        except LOST:
            return
        try:
            width = self._segments[-1].width if self._segments else 0
        except LOST:
            width = 0  # no version can follow before it is repaired
        self._changed = writing.unfinished(self._source, self._frames)
        lost = self._told > 0 or self._source.size() > HEADER_BYTES  # else it is new: a name used again
        self._pending += map(read_body, self._wal.waiting(records, lost) if self._wal else ())
        self._width = one_width(self._pending, width)

    def flush(self, notes: dict[str, Any] | None = None) -> int:
        """Makes what was appended a version, durable on return; returns the number of the newest.

        Args:
            notes: JSON values kept with the version, such as the head of a log.
        """
        wal = self._writing()
        last = self._segments[-1] if self._segments else None
        if not self._pending:
            return last.shape.segment if last else -1
        number = self._next
        content = content_of(number, self._pending, before(last), notes or {})
        packets = self._packets.encode(number, content)
        data, root = self._layout.write(self._frames, packets), Prefix.from_bytes(content).root
        old = last.prefix.root if last else b""
        writing.append(self.path, self._layout, self._frames, data, self._told, old, number, root)
        self._told = number + 1
        shape, kept = self._packets.shape_in(packets[0]), last.kept if last else Kept()
        self._segments.append(Segment(self._source, self._packets, self._frames, shape, kept=kept))
        self._frames += len(packets) // self.profile.per_frame
        self._where.cache_clear()
        self._pending, self._changed = [], True
        wal.begin(self.records)
        return number

    @property
    def _next(self) -> int:
        """Number of the next version; one that was lost is not given again."""
        return max(self._segments[-1].shape.segment + 1 if self._segments else 0, self._told)

    def _finish(self) -> None:
        """The FLAC header, with length, seek table and MD5."""
        root = self._segments[-1].prefix.root if self._segments else b""
        self._told = self._next
        writing.complete(self.path, self._source, self._layout, self._frames, self._told, root)

    # ---- reading

    @property
    def source(self) -> Any:
        """Where its bytes come from: a file on a disk, or a `RemoteFile`, which counts its requests."""
        return self._source

    @property
    def segments(self) -> list[Segment]:
        """What its versions are stored in, the oldest first."""
        return list(self._segments)

    @property
    def records(self) -> int:
        """Records in the versions, older ones of an id included."""
        if not self._segments:
            return 0
        prefix = self._segments[-1].prefix
        return prefix.before + prefix.count

    def get(self, id: str) -> Entry:
        """The newest record of an id.

        Raises:
            NotFound: there is none. ArchiveDamaged: it is lost.
        """
        for entry, _, _ in reversed(self._pending):
            if entry.id == id:
                return alive(entry)
        where = self._where(id)
        if where is not None:
            return alive(self._segments[where[0]].entry(where[1]))
        raise NotFound(f"the archive has no record {id!r}; check the id")

    def __contains__(self, id: object) -> bool:
        """Whether there is a record of an id, by ranges and filters. Raises ArchiveDamaged: it is lost."""
        try:
            return isinstance(id, str) and self.get(id) is not None
        except NotFound:
            return False

    def __iter__(self) -> Iterator[Entry]:
        """The newest record of every id, the newest first."""
        seen = set[str]()
        for entry in self._backwards():
            if entry.id not in seen:
                seen.add(entry.id)
                if entry.kind != "deleted":
                    yield entry

    def _backwards(self) -> Iterator[Entry]:
        yield from (entry for entry, _, _ in reversed(self._pending))
        for segment in reversed(self._segments):
            for number in reversed(range(len(segment.table))):
                yield from reversed(segment.block(number).entries())

    def in_order(self) -> Iterator[Entry]:
        """Every record of the versions, in order of appending."""
        for segment in self._segments:
            for number in range(len(segment.table)):
                yield from segment.block(number).entries()

    def between(self, start: float, stop: float) -> list[Entry]:
        """Records of the versions with start <= time < stop, by the time index, in order of appending."""
        out = []
        for segment in self._segments:
            inside = (segment.table.low < stop) & (segment.table.high >= start)
            for number in np.flatnonzero(inside).tolist():
                block = segment.block(number)
                places = np.flatnonzero((block.times >= start) & (block.times < stop))
                out += [block.entry(place) for place in places.tolist()]
        return out

    def search(self, query: Any, limit: int = 10) -> list[Found]:
        """The records whose keys are nearest to a vector, or to a text if there is an encoder.

        Raises:
            InvalidInput: a text, and no encoder to make a vector of it; a vector of another width; a limit
                below 1.
        """
        if isinstance(query, str):
            if self.encoder is None:
                remedy = "open with encoder=, or give a vector"
                raise InvalidInput("query", "is a text, and there is no encoder", remedy)
            query = self.encoder(query)
        waiting = {entry.id for entry, _, _ in self._pending}
        return search(
            self._segments, unit(query), limit,
            lambda id_, place: id_ not in waiting and self._where(id_) == place,
        )  # fmt: skip

    def _find(self, id: str) -> tuple[int, int] | None:
        """Segment and record of the newest record of an id in the versions."""
        places = ((at, self._segments[at].place(id)) for at in reversed(range(len(self._segments))))
        return next(((at, record) for at, record in places if record is not None), None)

    # ---- versions

    def versions(self) -> list[Version]:
        """All versions, the oldest first."""
        prefixes = [segment.prefix for segment in self._segments]
        return [Version(p.number, p.time, p.count, p.root.hex()) for p in prefixes]

    def notes(self) -> dict[str, Any]:
        """What the newest version was flushed with."""
        notes = self._segments[-1].directory.get("notes") if self._segments else None
        return dict(notes) if isinstance(notes, dict) else {}

    def as_of(self, number: int | None = None, time: float | None = None) -> SoundArchive:
        """The archive as it was with a version, or at a time (Unix seconds); for reading only.

        Raises:
            NotFound: there is no such version (any more: merge and repair make one of all).
        """
        past = SoundArchive(
            self.path, self.profile, source=self._source.again(), encoder=self.encoder
        )  # fmt: skip
        kept = [
            segment for segment in past._segments
            if (number is None or segment.prefix.number <= number)
            and (time is None or segment.prefix.time <= time)
        ]  # fmt: skip
        begun = not past._segments or past._segments[0].shape.segment == 0
        if (number is not None and (not kept or kept[-1].shape.segment != number)) or not (kept or begun):
            there = ", ".join(str(segment.shape.segment) for segment in past._segments[-8:]) or "none"
            past.close()
            raise NotFound(
                f"the archive has no version {'of that time' if number is None else number} (any more: merge "
                f"keeps the newest alone); these are there: {there}"
            )
        past._segments = kept
        return past

    def merge(self) -> int:
        """Writes the newest record of every id into one version, in a new file in this one's place; returns
        how many records there are. What was deleted or replaced is gone; open readers keep what they see."""
        self._writing()
        self.flush()
        return self._rewrite(newest(self._segments, tolerant=False), self.notes())

    def _rewrite(self, rows: list[tuple[Entry, Any]], notes: dict[str, Any]) -> int:
        """One version of these records and their keys; its parent is the last one before."""
        number, parent = self._next, Before(Frontier(), last_root(self._segments))
        items = [(entry, pack(entry), key if self.semantic else None) for entry, key in rows]
        self._replace([(number, content_of(number, items, parent, notes, SMALL))] if items else [])
        return len(items)

    def _replace(self, contents: list[tuple[int, bytes]]) -> None:
        """A new file of these segments, in place of the old one."""
        at = 0
        with replacing(self.path) as partial, partial.open("wb") as file:
            file.write(header(self._layout, 0))
            for number, content in contents:
                packets = self._packets.encode(number, content)
                file.write(self._layout.write(at, packets))
                at += len(packets) // self.profile.per_frame
        self._source.close()
        self._source = DiskFile(self.path)
        told = self._told
        self._load()
        self._told = max(told, self._told)
        self._finish()

    # ---- damage

    def verify(self) -> DamageReport:
        """Reads everything; says what is hurt, what could be healed, and what is lost."""
        return damage(self._source, self._layout, self._segments)

    def repair(self) -> DamageReport:
        """Writes the file anew, healed; returns what `verify` said before. What is lost is left out, and the
        rest is then one version that names it in its notes."""
        wal, report = self._writing("repair"), self.verify()
        if report.recovered:
            contents = [(s.shape.segment, s.heal().content[: s.prefix.length]) for s in self._segments]
            self._replace(contents)
        else:
            self._rewrite(newest(self._segments, tolerant=True), {"lost": list(report.lost)})
        if self._pending:
            wal.rebase(self.records)
        else:
            self._replay()  # what could not be taken up before
        return report
