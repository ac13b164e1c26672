"""Sound archives on the server: each user has a folder of their own, each archive is one FLAC file in it.

A folder is named by a hash, a file by a checked name, so no name leads out of it. One writes to an archive
at a time; who reads it meanwhile sees the version before.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from weakref import WeakValueDictionary

from ..errors import CapacityExhausted, InvalidInput, NotFound
from ..identity import seconds_of
from .entries import Ids
from .errors import Refused
from .principals import Principal
from .service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..sound import SoundArchive
    from ..sound.records import Entry

__all__ = ["Archives", "Row"]

SUFFIX = ".flac"
GOOD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
Row = tuple[str | dict[str, Any], str | None, float | str | None]  # value, id, time


class _Lock:
    """A lock that can be held weakly."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class Archives:
    """The archives of all users.

    Args:
        folder: where they are; None: in a folder that goes with this object.
        most_mib: of all archives of a user.
    """

    def __init__(self, service: Service, folder: Path | None, most_mib: int) -> None:
        self.service, self.most = service, most_mib << 20
        self._temporary = tempfile.TemporaryDirectory(prefix="neuromem-") if folder is None else None
        self.folder = Path(self._temporary.name) if self._temporary else Path(folder or "") / "archives"
        self._guard = threading.Lock()
        self._locks: WeakValueDictionary[Path, _Lock] = WeakValueDictionary()
        service.on_forget.append(self.forget)

    def close(self) -> None:
        """Removes what was only in a folder of its own."""
        if self._temporary is not None:
            self._temporary.cleanup()

    # -- names ----------------------------------------------------------------------------------

    def _of(self, owner: str) -> Path:
        return self.folder / sha256(owner.encode()).hexdigest()[:32]

    def path(self, name: str, user_id: str | None, who: Principal) -> Path:
        """The file of an archive.

        Raises:
            InvalidInput: the name is none, or it is not said whose it is. Forbidden: it is somebody else's.
        """
        bare = name.removesuffix(SUFFIX)
        if GOOD_NAME.fullmatch(bare) is None or ".." in bare:
            raise InvalidInput(
                "name", f"{name!r:.80} is no name for an archive", "use letters, digits, '.', '_' and '-'"
            )
        return self._of(who.check(Ids(user=user_id)).owner.name) / f"{bare}{SUFFIX}"

    def existing(self, name: str, user_id: str | None, who: Principal) -> Path:
        """The same, of an archive that is there. Raises NotFound: it is not."""
        path = self.path(name, user_id, who)
        if not path.is_file():
            raise NotFound(f"no archive {name!r:.80}; POST /encode makes one")
        return path

    # -- work -----------------------------------------------------------------------------------

    def encode(
        self, name: str, user_id: str | None, who: Principal, rows: Sequence[Row], profile: str | None,
        semantic: bool,
    ) -> dict[str, Any]:  # fmt: skip
        """Appends records to an archive, as one version; made if there is none. Durable on return.

        Raises:
            Refused: 409; the archive of that name is a whole memory, which no import would take then.
        """
        path = self.path(name, user_id, who)
        values = [
            (value, id_ or str(uuid4()), None if time is None else seconds_of(time, "time"), None)
            for value, id_, time in rows
        ]
        with self._writing(path) as locked:
            self._same_kind(locked, memory=False)
            with self._open(locked, profile, semantic, readonly=False) as archive:
                archive.append_many(values)
                archive.flush()
        return self._about(path) | {"ids": [id_ for _, id_, _, _ in values]}

    def encode_memory(
        self, name: str, user_id: str | None, who: Principal, profile: str | None
    ) -> dict[str, Any]:
        """A user's whole memory, log and bank, as an archive; in place of an earlier one of it.

        Raises:
            NotFound: they have none. Refused: 409; the archive of that name holds records.
        """
        path = self.path(name, user_id, who)
        user = who.check(Ids(user=user_id)).owner.id
        if user not in self.service.memory.users():
            raise NotFound(f"{user!r:.80} has no memory here")
        with self._writing(path) as locked:
            self._same_kind(locked, memory=True)
            self.service.memory.export(locked, user, profile)
        return self._about(path)

    def query(
        self, name: str, user_id: str | None, who: Principal, *, text: str | None, ids: Sequence[str],
        times: tuple[float | str | None, float | str | None], as_of: int | None, limit: int,
    ) -> dict[str, Any]:  # fmt: skip
        """Records by id, by time, by meaning, or the newest ones.

        Raises:
            NotFound: no such archive. InvalidInput: by meaning, and none of its records has a key.
        """
        path = self.existing(name, user_id, who)
        start, stop = (None if time is None else seconds_of(time, "time") for time in times)
        with self._open(path, None, text is not None, readonly=True) as newest:
            archive = newest if as_of is None else newest.as_of(as_of)
            found: list[tuple[Entry, float | None]]
            try:
                if ids:
                    found = [(entry, None) for id_ in ids if (entry := _get(archive, id_)) is not None]
                elif text is not None:
                    _check_keys(archive)
                    found = [(item.entry, item.score) for item in archive.search(text, limit)]
                elif start is not None or stop is not None:
                    low, high = -1e300 if start is None else start, 1e300 if stop is None else stop
                    found = [(entry, None) for entry in archive.between(low, high)[:limit]]
                else:
                    found = [(entry, None) for entry, _ in zip(archive, range(limit), strict=False)]
            finally:
                if archive is not newest:
                    archive.close()
            return {"name": path.name, "results": [_shown(entry, score) for entry, score in found]}

    def remove(self, name: str, user_id: str | None, who: Principal) -> None:
        """Deletes an archive."""
        path = self.existing(name, user_id, who)
        with self._lock(path):
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}.wal").unlink(missing_ok=True)  # a crash may have left one

    def forget(self, owner: str) -> None:
        """Deletes all archives of an owner."""
        with suppress(FileNotFoundError):  # most have none
            shutil.rmtree(self._of(owner))

    def _about(self, path: Path) -> dict[str, Any]:
        with self._open(path, None, False, readonly=True) as archive:
            versions = archive.versions()
            return {
                "name": path.name, "url": f"/archive/{path.name}", "bytes": path.stat().st_size,
                "version": versions[-1].number if versions else None, "versions": len(versions),
                "records": archive.records, "profile": archive.profile.name,
                "root": versions[-1].root if versions else None,
            }  # fmt: skip

    def _open(self, path: Path, profile: str | None, semantic: bool, *, readonly: bool) -> SoundArchive:
        from ..sound import SoundArchive  # NumPy, zstd and the codes: 60 ms that others need not wait

        encoder = self._key if semantic else None
        return SoundArchive(path, profile or "desktop", readonly=readonly, encoder=encoder, semantic=semantic)

    def _same_kind(self, path: Path, *, memory: bool) -> None:
        """Refuses to put records into a whole memory, or a memory in the place of records."""
        from ..sound.memory_file import holds_memory

        if not path.is_file():
            return
        with self._open(path, None, False, readonly=True) as archive:
            is_memory, empty = holds_memory(archive), not archive.segments
        if not empty and is_memory is not memory:
            kind, other = ("records", "a memory") if memory else ("a memory", "records")
            raise Refused(
                409,
                f"{path.name} holds {kind}, not {other}; use another name, or DELETE /archive/{path.name}",
            )

    def _key(self, text: str) -> Any:
        """[K] of a record or of a question: both alike, for which of them it is is not known here."""
        return self.service.engine.keys.queries([text])[0].numpy()

    @contextmanager
    def _writing(self, path: Path) -> Iterator[Path]:
        """One writer at a time, within the room that a user has."""
        with self._lock(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            used = sum(file.stat().st_size for file in path.parent.glob(f"*{SUFFIX}"))
            if used >= self.most:
                raise CapacityExhausted(
                    f"the archives of this user have {used >> 20} MiB, all that they may "
                    "(server.archives_mib); DELETE /archive/{name} makes room"
                )
            yield path

    @contextmanager
    def _lock(self, path: Path) -> Iterator[None]:
        with self._guard:
            held = self._locks.setdefault(path, _Lock())
        with held.lock:
            yield


def _check_keys(archive: SoundArchive) -> None:
    """Refuses a question by meaning where nothing could answer it."""
    if archive.segments and not any(segment.width for segment in archive.segments):
        raise InvalidInput(
            "query", "the archive has no keys, by which texts are found",
            "encode texts with semantic: true, or ask by ids or by time",
        )  # fmt: skip


def _get(archive: SoundArchive, id_: str) -> Entry | None:
    try:
        return archive.get(id_)
    except NotFound:
        return None


def _shown(entry: Entry, score: float | None) -> Mapping[str, Any]:
    shown: dict[str, Any] = {"id": entry.id, "time": entry.time, "kind": entry.kind}
    if entry.kind == "bytes":
        shown["bytes"] = len(entry.data)
    else:
        shown["value"] = entry.value
    return shown if score is None else shown | {"score": score}
