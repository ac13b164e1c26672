"""The log's entries in an LMDB file.

The file is ``log-00000001.mdb``, a *generation*. LMDB is copy-on-write: what was deleted stays in
freed pages, in the gaps of live pages and behind the ends of values. So `purge` copies the live
entries one by one into a new generation, makes it durable, renames it into place and unlinks the
old one. A crash at any point leaves either the old generation, or the new one beside the old one,
which the next writer unlinks. A number in the name (not one name that is replaced) keeps LMDB's
reader table with its own file: other processes see that theirs is gone and open the next.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..errors import Closed, InvalidInput, ReadOnly, StoreCorrupt, StoreError, StoreFull, StoreLocked
from ..records import PURGE_KEY
from .lmdb_files import LmdbTxn, LogFiles
from .store import CLOSED, Gate, Txn, WriterLock

if TYPE_CHECKING:
    import lmdb

__all__ = ["LmdbStore"]

T = TypeVar("T")

_READERS = 500  # simultaneous reads, over all processes
_LOCK_FILE_BYTES = 32 << 10  # holds that many readers
_COPY_ENTRIES = 4_096  # per transaction of a copy
_COPY_SLACK = 1 << 20  # bytes


class _Opened(NamedTuple):
    env: lmdb.Environment
    generation: int
    inode: int


class LmdbStore:
    """Entries in LMDB.

    Args:
        folder: where the files are; made when missing, unless `readonly`.
        map_bytes: first size of the map; it doubles whenever it is full.
        sync: what was written is on the disk when `write` returns.
        readonly: another process may be writing; each read sees its newest commit.
    """

    def __init__(self, folder: Path, map_bytes: int, sync: bool, readonly: bool) -> None:
        import lmdb

        self.folder = folder
        self._files = LogFiles(folder)
        self.readonly = readonly
        self._map_bytes = map_bytes
        self._sync = sync
        self._pid = os.getpid()
        self._gate = Gate()
        self._lock: WriterLock | None = None
        self._opened: _Opened | None = None  # one attribute: a swap is a single assignment
        try:
            self._check_folder()
            if readonly:
                self._opened = self._open_newest()
            else:
                self._lock = WriterLock(folder)
                self._recover()
        except (OSError, lmdb.Error) as error:
            self.close()
            raise self._files.explain(error) from error
        except BaseException:
            self.close()
            raise

    # ---- opening

    def _check_folder(self) -> None:
        if self.folder.exists() and not self.folder.is_dir():
            raise InvalidInput("path", f"{self.folder} is a file", "give a folder")
        if self.readonly and not self._files.generations():
            raise InvalidInput("path", f"there is no log in {self.folder}", "open it for writing first")
        if not self.readonly:
            self._files.make_folder()

    def _recover(self) -> None:
        """Clears what a crash may have left, opens the newest generation, ends a begun purge."""
        for rest in self.folder.glob("log-*.tmp"):
            rest.unlink()
        if not self._files.generations():
            self._build(1)
        *old, newest = self._files.generations()
        for generation in old:
            self._files.unlink(generation)
        self._opened = self._open(newest)
        self._opened.env.reader_check()  # readers that were killed would pin old pages
        if self.purge_pending():
            # on a full disk it stays pending, and `stats` says so: the log must open all the same
            with suppress(StoreFull):
                self.purge()

    def _open(self, generation: int) -> _Opened:
        import lmdb

        file = self._files.file(generation)
        state = file.stat()
        if state.st_size == 0:  # LMDB would begin a new log in it, and the banks would be made anew from that
            problem = f"the file is damaged ({file.name} is empty)"
            raise StoreCorrupt(f"{self.folder}: {problem}; restore it from a backup")
        env = lmdb.open(
            str(file),
            subdir=False,
            create=False,
            readonly=self.readonly,
            map_size=max(self._map_bytes, state.st_size),
            sync=self._sync,
            metasync=self._sync,
            mode=0o600,
            max_readers=_READERS,
            readahead=False,
        )
        info = env.info()
        self._map_bytes = info["map_size"]
        needed = (info["last_pgno"] + 1) * env.stat()["psize"]
        if state.st_size < needed:
            self._lengthen(file, needed)
        return _Opened(env, generation, state.st_ino)

    def _lengthen(self, file: Path, needed: int) -> None:
        """Of a file cut short: to read a zero page is an error, to read behind the end kills the process."""
        if not self.readonly:
            os.truncate(file, needed)
            return
        with suppress(OSError, StoreLocked):  # a medium that nobody writes to; a writer, who has done it
            lock = WriterLock(self.folder)
            try:
                if file.stat().st_size < needed:
                    os.truncate(file, needed)
            finally:
                lock.release()

    def _open_newest(self) -> _Opened:
        """For readers: a writer may unlink the file between the look and the opening."""
        import lmdb

        for _ in range(5):
            generations = self._files.generations()
            if not generations:
                break
            try:
                return self._open(generations[-1])
            except (OSError, lmdb.Error):
                if self._files.file(generations[-1]).exists():
                    raise
        raise StoreError(f"{self.folder}: the log is gone; it was moved or removed")

    def _follow(self) -> None:
        """For readers: goes over to the newest generation when the one at hand was unlinked."""
        import lmdb

        if self._is_current():
            return
        with self._gate.alone():
            opened = self._environment()
            if not self._is_current():
                try:
                    self._opened = self._open_newest()
                except (OSError, lmdb.Error) as error:
                    raise self._files.explain(error) from error
                opened.env.close()

    def _is_current(self) -> bool:
        opened = self._environment()
        try:
            return os.stat(self._files.file(opened.generation)).st_ino == opened.inode
        except FileNotFoundError:
            return False

    # ---- reading and writing

    def _environment(self) -> _Opened:
        if self._opened is None:
            raise Closed(CLOSED)
        if os.getpid() != self._pid:
            raise StoreError("the log was opened before this process was forked; start processes by spawn")
        return self._opened

    @contextmanager
    def read(self) -> Iterator[Txn]:
        """One consistent view of the entries."""
        import lmdb

        if self.readonly:
            self._follow()
        while True:
            try:
                with self._gate.shared(), self._environment().env.begin() as txn:
                    yield LmdbTxn(txn)
                    return
            except lmdb.MapResizedError:  # raised by begin() only: another process made the map larger
                self._resize(0)
            except lmdb.Error as error:
                raise self._files.explain(error) from error

    def write(self, fill: Callable[[Txn], T]) -> T:
        """Runs `fill` in a transaction and commits it.

        Raises:
            StoreFull: no room; nothing of this transaction is kept, all that came before is.
            ReadOnly: it was opened for reading.
        """
        import lmdb

        if self.readonly:
            raise ReadOnly(f"{self.folder} was opened with readonly=True; open it for writing to change it")
        while True:
            try:
                with self._environment().env.begin(write=True) as txn:
                    return fill(LmdbTxn(txn))
            except lmdb.MapFullError:
                self._resize(2 * self._map_bytes)
            except lmdb.Error as error:
                explained = self._files.explain(error)
                self._reopen()
                raise explained from error

    def _resize(self, map_bytes: int) -> None:
        import lmdb

        with self._gate.alone():  # LMDB: no transaction of this process may be open
            env = self._environment().env
            try:
                env.set_mapsize(map_bytes)
            except lmdb.Error as error:
                raise self._files.explain(error) from error
            self._map_bytes = env.info()["map_size"]

    def _reopen(self) -> None:
        """After a failed commit: LMDB refuses an environment whose meta page it could not write."""
        with self._gate.alone():
            opened = self._environment()
            opened.env.close()
            self._opened = None  # should the next line fail, the log is closed, and says so
            self._opened = self._open(opened.generation)

    # ---- erasure

    def mark_purge(self, txn: Txn) -> None:
        """Notes, within the transaction that deletes, that this generation holds deleted bytes."""
        txn.put(PURGE_KEY, self._environment().generation.to_bytes(8, "big"))

    def purge_pending(self) -> bool:
        """Whether deleted bytes are still in the file (a purge failed for want of room)."""
        with self.read() as txn:
            marked = txn.get(PURGE_KEY)
        return marked is not None and int.from_bytes(marked, "big") >= self._environment().generation

    def purge(self) -> None:
        """Moves the live entries to a new file and unlinks the old one, with all that was deleted.

        Raises:
            StoreFull: no room for the copy; the purge stays pending.
        """
        import lmdb

        old = self._environment()
        generation = old.generation + 1
        try:
            self._build(generation)
            opened = self._open(generation)
            with self._gate.alone():
                self._opened = opened
                old.env.close()
            self._files.unlink(old.generation)
        except BaseException as error:
            if self._opened is old:
                self._discard(generation)
            if isinstance(error, OSError | lmdb.Error):
                raise self._files.explain(error) from error
            raise

    def _discard(self, generation: int) -> None:
        """Removes a copy that was not gone over to: the next to open would take it for the truth."""
        try:
            self._files.unlink(generation)
        except OSError as error:
            self.close()  # not one event more into the old file, then: the copy holds all there are
            raise self._files.explain(error) from error

    def _build(self, generation: int) -> None:
        """Makes a generation with the live entries of the open one, if any; durable, then visible."""
        import lmdb

        draft = self._files.file(generation).with_suffix(".tmp")
        try:
            self._copy_to(draft)
            # written out: a hole in this mapped file would be a SIGBUS on the day that the disk is full
            self._files.lock_file(generation).write_bytes(bytes(_LOCK_FILE_BYTES))
            self._files.lock_file(generation).chmod(0o600)
            draft.rename(self._files.file(generation))
            self._files.sync()
        except (OSError, lmdb.Error) as error:
            explained = self._files.explain(error)  # looks at the disk as it is with the draft
            draft.unlink(missing_ok=True)
            raise explained from error

    def _copy_to(self, draft: Path) -> None:
        # entry by entry into clean pages: env.copy(compact=True) would carry along the bytes between
        # the end of a large value and the end of its page
        import lmdb

        draft.unlink(missing_ok=True)
        room = self._map_bytes + _COPY_SLACK
        copy = lmdb.open(str(draft), subdir=False, lock=False, sync=False, map_size=room, mode=0o600)
        try:
            if self._opened is not None:
                with self._gate.shared(), self._opened.env.begin() as txn:
                    entries = iter(txn.cursor())
                    consumed = 1
                    while consumed:
                        with copy.begin(write=True) as out:
                            consumed, _ = out.cursor().putmulti(islice(entries, _COPY_ENTRIES), append=True)
            copy.sync(True)
        finally:
            copy.close()

    # ---- the rest

    def bytes_on_disk(self) -> int:
        """Size of the file."""
        return self._files.file(self._environment().generation).stat().st_size

    def close(self) -> None:
        """Ends it; waits for reads in progress. More calls do nothing."""
        with self._gate.alone():
            if self._opened is not None:
                self._opened.env.close()
                self._opened = None
            if self._lock is not None:
                self._lock.release()
                self._lock = None
