"""`SoundArchive`: records in one FLAC file, appended, found, verified and repaired.

    with SoundArchive("notes.flac", profile="durable") as archive:
        archive.append("Potola is a dog", id="dog")
        archive.flush()                     # a version: a segment of its own, durable
        print(archive.get("dog").value)

A version is never changed: readers see those that were there when they opened, while one writer appends.
"""

from __future__ import annotations

import os
import struct
import time as clock
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from ..errors import ArchiveDamaged, ArchiveInvalid, InvalidInput, NotFound, ReadOnly
from .finding import DiskFile, profile_of_file, segments
from .flac import HEADER_BYTES, Layout, Md5, header
from .items import DamageReport, Found, Version, alive, content_of, entry_of, unit
from .packets import Packets
from .profiles import Profile, profile_of
from .records import Entry, pack, parse
from .segment import Segment
from .wal import WriteAhead

__all__ = ["SoundArchive"]

_KEY = struct.Struct(">I")
Encoder = Callable[[str], Any]


class SoundArchive:
    """An archive; a context manager. One thread at a time.

    Args:
        path: of the FLAC file; made when missing, unless `readonly`.
        profile: name of a profile, for a new file; None: what fits this machine.
        encoder: words → a unit vector: texts are then searched by words. Keys may be given all the same.
        sync: what `append` was given is on the disk when it returns; `flush` always is.
        source: where the bytes come from instead of `path`; reading only.

    Raises:
        ArchiveInvalid: the file is no sound archive. NotFound: there is none, and `readonly`.
        InvalidInput: no such profile. StoreLocked: another process is writing to it.
    """

    def __init__(
        self, path: str | Path, profile: str | Profile | None = None, *, readonly: bool = False,
        encoder: Encoder | None = None, sync: bool = False, source: Any = None,
    ) -> None:  # fmt: skip
        self.path, self.readonly = Path(path), readonly or source is not None
        self._encoder, self._pending, self._changed = encoder, list[tuple[Entry, bytes, Any]](), False
        wanted = profile_of(profile)
        if source is None and not self.readonly and not self.path.exists():
            self.path.write_bytes(header(Layout(wanted), 0))
        self._source: Any = source or DiskFile(self.path)
        self._wal: WriteAhead | None = None
        try:
            self.profile = profile_of_file(self._source) or wanted
            self._packets, self._layout = Packets(self.profile), Layout(self.profile)
            self._segments, self._frames = segments(self._source, self._packets)
            if not self.readonly:
                self._wal = WriteAhead(self.path.with_name(self.path.name + ".wal"), sync)
                self._replay()
        except BaseException:
            self.close(flush=False)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close(flush=kind is None)

    def close(self, flush: bool = True) -> None:
        """Flushes, completes the FLAC header, and ends it. More calls do nothing."""
        wal = self._wal
        if wal is not None:
            if flush:
                self.flush()
            if self._changed:
                self._finish()
            wal.close(remove=not self._pending)
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
            if key is None and self._encoder is not None and entry.kind == "text":
                key = self._encoder(str(entry.value))
            items.append((entry, pack(entry), None if key is None else unit(key)))
        self._add(items)

    def delete(self, id: str) -> None:
        """Makes an id unknown from the next version on; `merge` then drops its words."""
        self.get(id)
        entry = Entry(id, b"", "deleted", clock.time())
        self._add([(entry, pack(entry), None)])

    def _add(self, items: list[tuple[Entry, bytes, Any]]) -> None:
        wal = self._writing()
        if not self._pending:
            wal.begin(self.records)
        bodies = []
        for _, packed, key in items:
            vector = b"" if key is None else key.astype("<f4").tobytes()
            bodies.append(_KEY.pack(len(vector)) + vector + packed)
        wal.append(bodies)
        self._pending += items

    def _writing(self, to: str = "change") -> WriteAhead:
        """The write-ahead file. Raises ReadOnly: the archive was opened for reading."""
        if self._wal is None:
            raise ReadOnly(f"{self.path} was opened for reading; open it for writing to {to} it")
        return self._wal

    def _replay(self) -> None:
        """Takes up what a crash has left in the write-ahead file."""
        for body in self._wal.waiting(self.records) if self._wal else ():
            length = _KEY.unpack_from(body)[0]
            packed = body[_KEY.size + length :]
            key = np.frombuffer(body[_KEY.size : _KEY.size + length], "<f4") if length else None
            self._pending.append((parse(packed)[0], packed, key))

    def flush(self, notes: dict[str, Any] | None = None) -> int:
        """Makes what was appended a version, durable on return; returns the number of the newest.

        Args:
            notes: JSON values kept with the version, such as the head of a log.
        """
        wal = self._writing()
        last = self._segments[-1] if self._segments else None
        number = last.shape.segment + 1 if last else 0
        if not self._pending:
            return number - 1
        content = content_of(number, self._pending, last, notes or {})
        packets = self._packets.encode(number, content)
        data = self._layout.write(self._frames, packets)
        with self.path.open("r+b") as file:
            file.truncate(self._layout.offset(self._frames))  # a half-written append
            file.seek(self._layout.offset(self._frames))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._segments.append(
            Segment(self._source, self._packets, self._frames, self._packets.shape_in(packets[0]))
        )
        self._frames += len(packets) // self.profile.per_frame
        self._pending, self._changed = [], True
        wal.begin(self.records)
        return number

    def _finish(self) -> None:
        """The FLAC header, with length, seek table and MD5."""
        digest, step = Md5(self.profile), 1_024
        for start in range(0, self._frames, step):
            stop = min(start + step, self._frames)
            begin, end = self._layout.offset(start), self._layout.offset(stop)
            digest.update(self._layout.read(start, stop, self._source.read(begin, end - begin)))
        with self.path.open("r+b") as file:
            file.write(header(self._layout, self._frames, digest.digest()))

    # ---- reading

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
        for segment in reversed(self._segments):
            found = segment.find(id)
            if found is not None:
                return alive(found)
        raise NotFound(f"the archive has no record {id!r}; check the id")

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
            for number in reversed(range(len(segment.blocks))):
                yield from reversed(segment.block(number))

    def in_order(self) -> Iterator[Entry]:
        """Every record of the versions, in order of appending."""
        for segment in self._segments:
            for number in range(len(segment.blocks)):
                yield from segment.block(number)

    def between(self, start: float, stop: float) -> list[Entry]:
        """Records of the versions with start <= time < stop, by the time index, in order of appending."""
        out = []
        for segment in self._segments:
            inside = (segment.blocks["low"] < stop) & (segment.blocks["high"] >= start)
            for number in np.flatnonzero(inside):
                out += [entry for entry in segment.block(int(number)) if start <= entry.time < stop]
        return out

    def search(self, query: Any, limit: int = 10) -> list[Found]:
        """The records whose keys are nearest to a vector, or to a text if there is an encoder.

        Raises:
            InvalidInput: a text, and no encoder to make a vector of it; a vector of another width.
        """
        if isinstance(query, str):
            if self._encoder is None:
                raise InvalidInput(
                    "query", "is a text, and there is no encoder", "open with encoder=, or give a vector"
                )
            query = self._encoder(query)
        vector, found = unit(query), list[Found]()
        for segment in self._segments:
            if not len(segment.keyed):
                continue
            if segment.keys.shape[1] != len(vector):
                raise InvalidInput("query", f"has {len(vector)} numbers", f"give {segment.keys.shape[1]}")
            scores = segment.keys @ vector
            for at in np.argsort(-scores)[: 2 * limit]:
                found.append(Found(segment.entry(int(segment.keyed[at])), float(scores[at])))
        found.sort(key=lambda item: -item.score)
        return [item for item in found if self._current(item.entry)][:limit]

    def _current(self, entry: Entry) -> bool:
        try:
            return self.get(entry.id) == entry
        except NotFound:
            return False

    # ---- versions

    def versions(self) -> list[Version]:
        """All versions, the oldest first."""
        prefixes = [segment.prefix for segment in self._segments]
        return [Version(p.number, p.time, p.count, p.root.hex()) for p in prefixes]

    def notes(self) -> dict[str, Any]:
        """What the newest version was flushed with."""
        listing = self._segments[-1].directory if self._segments else {}
        return {key: value for key, value in listing.items() if key not in ("sections", "frontier")}

    def as_of(self, number: int | None = None, time: float | None = None) -> SoundArchive:
        """The archive as it was with a version, or at a time (Unix seconds); for reading only."""
        past = SoundArchive(self.path, self.profile, readonly=True, encoder=self._encoder)
        past._segments = [
            segment for segment in past._segments
            if (number is None or segment.prefix.number <= number)
            and (time is None or segment.prefix.time <= time)
        ]  # fmt: skip
        return past

    def merge(self) -> int:
        """Writes the newest record of every id into one version, in a new file in this one's place; returns
        how many records there are. What was deleted or replaced is gone; open readers keep what they see."""
        self._writing()
        self.flush()
        return self._rewrite(list(self)[::-1], self.notes())

    def _rewrite(self, entries: Sequence[Entry], notes: dict[str, Any]) -> int:
        keys: dict[Entry, Any] = {}
        for segment in self._segments:
            try:
                keys |= {segment.entry(int(r)): k for r, k in zip(segment.keyed, segment.keys, strict=True)}
            except (ArchiveDamaged, ArchiveInvalid):
                continue
        number = self._segments[-1].shape.segment if self._segments else 0
        items = [(entry, pack(entry), keys.get(entry)) for entry in entries]
        self._replace([(number, content_of(number, items, None, notes))] if items else [])
        return len(items)

    def _replace(self, contents: list[tuple[int, bytes]]) -> None:
        """A new file of these segments, in place of the old one."""
        partial, at = self.path.with_name(self.path.name + ".partial"), 0
        with partial.open("wb") as file:
            file.write(header(self._layout, 0))
            for number, content in contents:
                packets = self._packets.encode(number, content)
                file.write(self._layout.write(at, packets))
                at += len(packets) // self.profile.per_frame
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path)
        self._source.close()
        self._source = DiskFile(self.path)
        self._segments, self._frames = segments(self._source, self._packets)
        self._finish()

    # ---- damage

    def verify(self) -> DamageReport:
        """Reads everything; says what is hurt, what could be healed, and what is lost."""
        size = self._source.size()
        frames = self._layout.frames(size)
        raw = self._source.read(HEADER_BYTES, size)
        bad = self._layout.bad_frames(0, frames, raw[: self._layout.offset(frames) - HEADER_BYTES])
        healed = [segment.heal() for segment in self._segments]
        lost = [line for segment in self._segments for line in segment.lost()]
        numbers = [segment.shape.segment for segment in self._segments]
        known = set(numbers)
        lost += [
            f"version {at}: all of it"
            for at in range(min(numbers, default=0), max(numbers, default=-1))
            if at not in known
        ]
        for segment, state in zip(self._segments, healed, strict=True):
            if state.whole and not segment.check():
                lost.append(f"version {segment.shape.segment}: its check is wrong")
        if not self._segments and frames:
            lost.append("every version")
        return DamageReport(
            len(healed), sum(segment.shape.packets for segment in self._segments), bad,
            sum(h.hurt for h in healed), sum(h.corrected for h in healed), sum(h.rebuilt for h in healed),
            tuple(lost),
        )  # fmt: skip

    def repair(self) -> DamageReport:
        """Writes the file anew, healed; returns what `verify` said before. What is lost is left out, and the
        rest is then one version that names it in its notes."""
        self._writing("repair")
        report = self.verify()
        if report.recovered:
            contents = [(s.shape.segment, s.heal().content[: s.prefix.length]) for s in self._segments]
            self._replace(contents)
            return report
        self._rewrite(list(self.readable()), {"lost": list(report.lost)})
        return report

    def readable(self) -> Iterator[Entry]:
        """The newest record that can still be had of every id, oldest first."""
        newest: dict[str, Entry] = {}
        for segment in self._segments:
            try:
                blocks = len(segment.blocks)
            except (ArchiveDamaged, ArchiveInvalid):
                continue
            for number in range(blocks):
                try:
                    newest |= {entry.id: entry for entry in segment.block(number)}
                except (ArchiveDamaged, ArchiveInvalid):
                    continue
        yield from (entry for entry in newest.values() if entry.kind != "deleted")
