"""What the log needs from a place to keep its entries, a dict in RAM that gives it, and two locks.

`Store` is the face; `RamStore` is here, `lmdb_store.LmdbStore` is the one on disk.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from ..errors import Closed, StoreLocked

__all__ = ["Gate", "RamStore", "Store", "Txn", "WriterLock"]

T = TypeVar("T")

CLOSED = "the log is closed; open it again"
FEW = 64  # new keys of a store in RAM that are put in their places one by one


class Txn(Protocol):
    """One consistent view of the entries; with changes, where it was begun by `Store.write`."""

    def get(self, key: bytes) -> bytes | None:
        """The value, None when there is none."""
        ...

    def put(self, key: bytes, value: bytes) -> None:
        """Stores or replaces a value."""
        ...

    def delete(self, key: bytes) -> None:
        """Deletes an entry, if there is one."""
        ...

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """All entries whose key begins with `prefix`, sorted."""
        ...

    def drop(self, prefix: bytes) -> int:
        """Deletes every entry whose key begins with `prefix`; returns how many."""
        ...

    def entries(self) -> int:
        """Number of entries before the changes of this transaction."""
        ...


class Store(Protocol):
    """What the log needs from a place to live. Callers of `write` and `purge` take turns."""

    readonly: bool

    def read(self) -> AbstractContextManager[Txn]:
        """A view of the newest commit."""
        ...

    def write(self, fill: Callable[[Txn], T]) -> T:
        """Runs `fill` and commits; it may run again, so it must be repeatable."""
        ...

    def mark_purge(self, txn: Txn) -> None:
        """Notes, in the transaction that deletes, that bytes are to leave the disk."""
        ...

    def purge_pending(self) -> bool:
        """Whether deleted bytes are still on the disk."""
        ...

    def purge(self) -> None:
        """Makes deleted bytes leave the disk."""
        ...

    def bytes_on_disk(self) -> int:
        """Size of the file, 0 in RAM."""
        ...

    def close(self) -> None:
        """Ends it; more calls do nothing."""
        ...


class _RamTxn:
    def __init__(self, base: dict[bytes, bytes], keys: list[bytes]) -> None:
        self._base, self._keys = base, keys
        self.changes: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.changes[key] if key in self.changes else self._base.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        self.changes[key] = value

    def delete(self, key: bytes) -> None:
        self.changes[key] = None

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        first = bisect_left(self._keys, prefix)
        end = bisect_right(self._keys, prefix, first, key=lambda key: key[: len(prefix)])
        found: dict[bytes, bytes | None] = {key: self._base[key] for key in self._keys[first:end]}
        found |= {key: value for key, value in self.changes.items() if key.startswith(prefix)}
        return sorted((key, value) for key, value in found.items() if value is not None)

    def drop(self, prefix: bytes) -> int:
        found = self.scan(prefix)
        self.changes.update((key, None) for key, _ in found)
        return len(found)

    def entries(self) -> int:
        return len(self._base)


class RamStore:
    """Entries in a dict, their keys in order beside it; nothing touches a disk."""

    readonly = False

    def __init__(self) -> None:
        self._entries: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []  # sorted
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def read(self) -> Iterator[Txn]:
        """A view; one at a time."""
        with self._lock:
            if self._closed:
                raise Closed(CLOSED)
            yield _RamTxn(self._entries, self._keys)

    def write(self, fill: Callable[[Txn], T]) -> T:
        """Runs `fill`; its changes are made when it returns, all or none."""
        with self.read() as txn:
            assert isinstance(txn, _RamTxn)
            result = fill(txn)
            self._change(txn.changes)
            return result

    def _change(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Makes changes, and keeps the keys in order."""
        new = [key for key, value in changes.items() if value is not None and key not in self._entries]
        gone = [key for key, value in changes.items() if value is None and key in self._entries]
        self._entries |= {key: value for key, value in changes.items() if value is not None}
        for key in gone:
            del self._entries[key]
        if gone:
            self._keys = [key for key in self._keys if key in self._entries]
        if len(new) <= FEW:
            for key in new:
                insort(self._keys, key)
        else:
            self._keys = sorted([*self._keys, *new])

    def mark_purge(self, txn: Txn) -> None:
        """Nothing to mark: a deleted entry is gone."""

    def purge_pending(self) -> bool:
        """Never: a deleted entry is gone."""
        return False

    def purge(self) -> None:
        """Nothing to do: a deleted entry is gone."""

    def bytes_on_disk(self) -> int:
        """None."""
        return 0

    def close(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._closed = True
            self._entries.clear()
            self._keys.clear()


class Gate:
    """Lets many threads read at once, or one alone change the map or the file."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._shut = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Keeps the map and the file as they are."""
        with self._changed:
            while self._shut:
                self._changed.wait()
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                if not self._inside:
                    self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Waits until all who share have left, and keeps others out."""
        with self._changed:
            while self._shut:
                self._changed.wait()
            self._shut = True
        try:
            with self._changed:
                while self._inside:
                    self._changed.wait()
            yield
        finally:
            with self._changed:
                self._shut = False
                self._changed.notify_all()


class WriterLock:
    """An flock on the file ``lock`` in the store's folder, which names the process that has it.

    Raises:
        StoreLocked: another process, or another object of this one, has it.
    """

    def __init__(self, folder: Path) -> None:
        import fcntl

        self._pid = os.getpid()
        # a file object, not a number: when the log is dropped without close(), the lock goes with it
        self._file = os.fdopen(os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file.write(f"{self._pid:<20}\n".encode())
        except BlockingIOError as error:
            holder = self._file.read(20).decode(errors="replace").strip() or "unknown"
            self._file.close()
            whose = "this process itself" if holder == str(self._pid) else "another process"
            raise StoreLocked(
                f"{folder}: {whose} (pid {holder}) is writing to it; close that, or only look: "
                "readonly=True, on the command line show, search --no-rehearse, verify and export"
            ) from error
        except BaseException:
            self._file.close()
            raise

    def release(self) -> None:
        """Lets another writer in."""
        import fcntl

        # a forked child shares the lock: there, closing must not release the parent's; here, the
        # lock must go even while such a child lives
        if os.getpid() == self._pid and not self._file.closed:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._file.close()
