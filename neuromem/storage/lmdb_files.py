"""The files of a log's generations, LMDB's transaction as a `Txn`, and what its errors mean."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NeuromemError, StoreCorrupt, StoreError, StoreFull, StoreLocked

if TYPE_CHECKING:
    import lmdb

__all__ = ["LmdbTxn", "LogFiles"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_PROBE_BYTES = 1 << 20


class LmdbTxn:
    """`Txn` over LMDB."""

    def __init__(self, txn: lmdb.Transaction[bytes]) -> None:
        self._txn = txn

    def get(self, key: bytes) -> bytes | None:
        """See `Txn`, as with the rest."""
        return self._txn.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        """Raises lmdb.MapFullError, on which `LmdbStore.write` begins again."""
        self._txn.put(key, value)

    def delete(self, key: bytes) -> None:
        """Leaves the bytes in freed pages: see `LmdbStore.purge`."""
        self._txn.delete(key)

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """Walks a cursor."""
        found = []
        cursor = self._txn.cursor()
        more = cursor.set_range(prefix)
        while more and cursor.key().startswith(prefix):
            found.append(cursor.item())
            more = cursor.next()
        return found

    def drop(self, prefix: bytes) -> int:
        """Walks a cursor."""
        dropped = 0
        cursor = self._txn.cursor()
        more = cursor.set_range(prefix)
        while more and cursor.key().startswith(prefix):
            more = cursor.delete() and bool(cursor.key())
            dropped += 1
        return dropped

    def entries(self) -> int:
        """As LMDB counts them."""
        return self._txn.stat()["entries"]


class LogFiles:
    """Names, lists and unlinks the generations in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make_folder(self) -> None:
        """Makes it, for its user alone, when it is missing."""
        if self.folder.is_dir():
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(PermissionError):  # a folder that may be passed but not read cannot be synced
            _sync_folder(self.folder.parent)  # else a power cut may take ours, with all that is in it

    def file(self, generation: int) -> Path:
        """LMDB's data file."""
        return self.folder / f"log-{generation:08d}.mdb"

    def lock_file(self, generation: int) -> Path:
        """LMDB's reader table."""
        return self.folder / f"log-{generation:08d}.mdb-lock"

    def generations(self) -> list[int]:
        """Those that are there, oldest first."""
        stems = (file.stem.removeprefix("log-") for file in self.folder.glob("log-*.mdb"))
        return sorted(int(stem) for stem in stems if stem.isdigit())

    def explain(self, error: Exception) -> NeuromemError:
        """What an error of LMDB or of the system means to the user, and what to do about it."""
        import lmdb

        code = _system_code(error)
        if code in _FULL or (code == errno.EIO and self._is_full()):
            return StoreFull(
                f"{self.folder}: the disk or the quota is full; nothing acknowledged was lost; "
                "free some space and try again"
            )
        if "already open" in str(error):
            return StoreLocked(
                f"{self.folder}: this process (pid {os.getpid()}) has it open, or the one that it was forked "
                "from had it; use that object or close it, and start processes by spawn"
            )
        if code in _DENIED:
            reason = os.strerror(code)
            return StoreError(
                f"{self.folder} cannot be opened ({reason}); mend its permissions or choose another"
            )
        damage = (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.InvalidError, lmdb.VersionMismatchError)
        if isinstance(error, damage):
            return StoreCorrupt(f"{self.folder}: the file is damaged ({error}); restore it from a backup")
        return StoreError(f"{self.folder}: {error}; see that the folder can be written")

    def _is_full(self) -> bool:
        """LMDB reports a write that was cut short as EIO: finds out whether it was for want of room."""
        sizes = [file.stat().st_size for file in self.folder.glob("log-*.*")]
        probe = self.folder / "log-probe.tmp"
        try:
            with probe.open("wb", buffering=0) as file:
                file.seek(max(sizes, default=0))  # a limit on the size of files counts as full, too
                written = file.write(bytes(_PROBE_BYTES))
                os.fsync(file.fileno())
            return written < _PROBE_BYTES
        except OSError as error:
            return error.errno in _FULL
        finally:
            probe.unlink(missing_ok=True)

    def unlink(self, generation: int) -> None:
        """Removes a generation, durably."""
        self.file(generation).unlink(missing_ok=True)
        self.lock_file(generation).unlink(missing_ok=True)
        self.sync()

    def sync(self) -> None:
        """Makes the names in the folder durable."""
        _sync_folder(self.folder)


def _system_code(error: Exception) -> int:
    """The errno behind an error, 0 when there is none."""
    if isinstance(error, OSError):
        return error.errno or 0
    said = str(error)  # the bindings before 3.0 give the text only
    known = (*_FULL, *_DENIED, errno.EIO)
    return next((code for code in known if said.endswith(os.strerror(code))), 0)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
