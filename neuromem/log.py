"""The event log: every word ever said, in order, hash-chained, durable before acknowledged.

The log is the truth; a bank is a deterministic fold over its events. Each owner has a log of their
own: records 0, 1, 2, ... with a hash chain and an RFC 9162 Merkle tree over the records' content
commitments. A record can be erased: its words leave the disk, its commitment stays, and so chain,
tree and every proof given before still verify.

    with EventLog("memory/log") as log:
        seq = log.append("ana", Event("add", time.time(), {"text": "My dog's name is Potola"}))
        for record in log.events("ana"):
            print(record.seq, record.kind, record.body)

The layers below: `records` (the bytes of a record), `merkle` (the tree), `storage` (where they live).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from .config import LogConfig
from .errors import InvalidInput, NotFound, ReadOnly, StoreCorrupt, StoreError
from .merkle import (
    EMPTY_ROOT,
    consistency_path,
    inclusion_path,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)
from .records import (
    FORMAT,
    FORMAT_KEY,
    Event,
    OwnerHead,
    Record,
    RecordCodec,
    encode_event,
    head_key,
    owner_bytes,
    record_key,
)
from .storage.commit import GroupCommit, Pending
from .storage.dictionaries import adopt, dictionary_number
from .storage.recent import RecentRecords
from .storage.sizes import Sizes
from .storage.store import RamStore, Store, Txn
from .storage.verify import VerifyReport, verify_log
from .storage.view import OwnerView

__all__ = ["Event", "EventLog", "Record", "VerifyReport", "verify_consistency", "verify_inclusion"]

RECENT = 4_096  # records kept in RAM: those of a bank's memories are asked for again and again
_FEW = 64  # records of an iteration that are kept, too
_READ_RECORDS = 256  # per transaction of an iteration: a slow reader must not pin old pages


class EventLog:
    """The log in a folder, or in RAM. Thread-safe; a context manager.

    Args:
        path: folder of the log, made when missing. None: in RAM only, nothing touches a disk.
        config: sync, first map size, compression level.
        readonly: reads while another process may be writing; sees each of its commits.

    Raises:
        InvalidInput: the path is a file, or (readonly) holds no log.
        StoreLocked: another process is writing, or this one has it open already.
        StoreError: it cannot be opened; StoreFull, StoreCorrupt when that is why.
    """

    def __init__(
        self, path: str | Path | None, config: LogConfig | None = None, *, readonly: bool = False
    ) -> None:
        config = config or LogConfig()
        self._codec = RecordCodec(config.compression_level)
        self._store = _open_store(path, config, readonly)
        self._commits = GroupCommit()
        self._recent = RecentRecords(0 if readonly else RECENT)  # what a reader holds, another may erase
        self._sizes = Sizes(known=not readonly)  # to a reader, another process may be writing
        try:
            self._prepare()
        except BaseException:
            self._store.close()
            raise

    def _prepare(self) -> None:
        """Checks the format; a writer marks a new log and chooses the compression dictionary."""
        with self._store.read() as txn:
            found = txn.get(FORMAT_KEY)
            if found is None and txn.entries():
                raise StoreCorrupt("this is no event log, or its format mark is gone; restore a backup")
        if found not in (None, FORMAT):
            raise StoreError(f"the log has format {found!r}, not {FORMAT!r}; use the version that wrote it")
        if not self._store.readonly:
            shipped = self._codec.shipped_dictionary()
            number = self._store.write(lambda txn: dictionary_number(txn, shipped))
            self._codec.write_with(number, shipped)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends it; what was acknowledged is safe. More calls do nothing, other calls raise Closed."""
        with self._commits.alone():
            self._store.close()
            self._recent.clear()
            self._sizes.forget()

    # ---- appending

    def append(self, owner: str, event: Event) -> int:
        """Appends one event; returns its seq once it is durable. Raises as `append_many`."""
        return self.append_many(owner, [event])[0]

    def append_many(self, owner: str, events: Iterable[Event]) -> list[int]:
        """Appends events in order, all or none; returns their seqs once they are durable.

        Threads that append at once share a commit: the first commits for all who wait.

        Raises:
            InvalidInput: the owner's name or an event cannot be stored; nothing was.
            StoreFull: no room; nothing of it is kept, all that came before is.
            ReadOnly, Closed: the log is not open for writing.
        """
        pending = Pending(owner_bytes(owner), [encode_event(event) for event in events])
        if self._store.readonly:
            raise ReadOnly("the log was opened with readonly=True; open it for writing to append")
        return self._commits.submit(pending, self._append)

    def _append(self, batch: Sequence[Pending]) -> list[list[int]]:
        try:
            stored = self._store.write(lambda txn: [self._fill(txn, pending) for pending in batch])
            for pending, seqs in zip(batch, stored, strict=True):
                if seqs:
                    self._sizes.note(pending.name, seqs[-1] + 1)
        except BaseException:  # Ctrl-C while the disk writes, or right after: it may be there all the same
            self._sizes.forget()
            raise
        return stored

    def _fill(self, txn: Txn, pending: Pending) -> list[int]:
        view = OwnerView(txn, self._codec, pending.name)
        head = view.head()
        first = head.size
        for payload in pending.payloads:
            view.append(head, payload)
        if pending.payloads:
            view.put_head(head)
        return list(range(first, head.size))

    # ---- reading

    @contextmanager
    def _view(self, owner: str) -> Iterator[OwnerView]:
        name = owner_bytes(owner)
        with self._store.read() as txn:
            yield OwnerView(txn, self._codec, name)

    def length(self, owner: str) -> int:
        """Number of the owner's records, erased ones included; 0 for one who never said anything."""

        def look() -> int:
            with self._view(owner) as view:
                return view.head().size

        return self._sizes.of(owner_bytes(owner), look)

    def owners(self) -> list[str]:
        """Names of all who have records, sorted."""
        with self._store.read() as txn:
            return [key[1:].decode() for key, _ in txn.scan(b"o")]

    def get(self, owner: str, seq: int) -> Record:
        """One record; shared by all who ask for it, so its body is not to be changed.

        Raises:
            NotFound: there is no such record.
            StoreCorrupt: its bytes are not what was written.
        """
        _check_range("seq", seq, 0)
        erasures = self._recent.erasures
        if held := self._recent.get(owner, seq):
            return held
        with self._view(owner) as view:
            size = view.head().size
            if seq >= size:
                raise NotFound(f"owner {owner!r} has no record {seq}; there are {size}")
            record = view.record(seq)
        self._recent.put([record], erasures)
        return record

    def events(self, owner: str, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        """The owner's records `start` to `stop` (exclusive), of those that are there when it is called.

        Raises, on the way: StoreCorrupt, at a record whose bytes are not what was written.
        """
        _check_range("start", start, 0)
        size = self.length(owner)
        if stop is not None:
            _check_range("stop", stop, 0)
            size = min(stop, size)
        return self._iterate(owner, start, size)

    def _iterate(self, owner: str, start: int, stop: int) -> Iterator[Record]:
        few, erasures = stop - start <= _FEW, self._recent.erasures
        while start < stop:
            records, damage = self._recent.span(owner, start, stop) if few else [], None
            if not records:
                with self._view(owner) as view:
                    records, damage = view.records(start, min(stop, start + _READ_RECORDS))
                self._recent.put(records if few else [], erasures)
            yield from records
            if damage is not None:
                raise damage
            start += len(records)

    # ---- proofs

    def head(self, owner: str) -> bytes:
        """The chain value of the owner's last record, 32 bytes; zeros before the first. O(1)."""
        with self._view(owner) as view:
            return view.head().chain

    def root(self, owner: str, size: int | None = None) -> bytes:
        """Merkle tree hash (RFC 9162) of the owner's first `size` records, 32 bytes. O(log n)."""
        with self._view(owner) as view:
            head = view.head()
            if size is None or size == head.size:
                return head.tree.root()
            _check_range("size", size, 0, head.size)
            return subtree_root(view.node, 0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, owner: str, seq: int, size: int | None = None) -> list[bytes]:
        """Proof that record `seq` is in the tree of the first `size` records: see `verify_inclusion`."""
        with self._view(owner) as view:
            have = view.head().size
            size = have if size is None else size
            _check_range("size", size, 1, have)
            _check_range("seq", seq, 0, size - 1)
            return inclusion_path(view.node, seq, size)

    def opening(self, owner: str, seq: int) -> tuple[bytes, bytes]:
        """(salt, payload) of a record that is there: what its commitment is made of."""
        with self._view(owner) as view:
            return view.opening(seq)

    def consistency_proof(self, owner: str, old: int, new: int) -> list[bytes]:
        """Proof that the tree of `new` records extends that of `old`: see `verify_consistency`."""
        with self._view(owner) as view:
            _check_range("new", new, 0, view.head().size)
            _check_range("old", old, 0, new)
            return consistency_path(view.node, old, new)

    # ---- erasing

    def erase(self, owner: str, seqs: Iterable[int]) -> None:
        """Erases records: when it returns their words are in no file of the log.

        The records' places, commitments and the proofs stay. Costs a copy of the file, however many
        are erased: give all at once. (The file system and the drive may keep the blocks of a
        removed file for a while; encrypt the disk if that matters.)

        Raises:
            InvalidInput: there is no such record; nothing was erased.
            StoreFull: no room for the copy: the records read as erased, their bytes leave the file
                with the next erasure or opening that finds room.
        """
        name = owner_bytes(owner)
        wanted = sorted(set(seqs))
        with self._commits.alone():
            self._store.write(lambda txn: self._erase(txn, name, wanted))
            self._recent.clear()
            self._purge()

    def _erase(self, txn: Txn, name: bytes, seqs: list[int]) -> None:
        view = OwnerView(txn, self._codec, name)
        head = view.head()
        for seq in seqs:
            _check_range("seqs", seq, 0, head.size - 1)
        erased = [seq for seq in seqs if view.erase(head, seq)]
        if erased:
            view.put_head(head)
            self._store.mark_purge(txn)

    def drop_owner(self, owner: str) -> None:
        """Erases an owner altogether: words, hashes and name. They may begin again at seq 0."""
        name = owner_bytes(owner)
        with self._commits.alone():
            self._store.write(lambda txn: self._drop(txn, name))
            self._recent.clear()
            self._sizes.forget()
            self._purge()

    def _drop(self, txn: Txn, name: bytes) -> None:
        if OwnerView(txn, self._codec, name).drop():
            self._store.mark_purge(txn)

    def _purge(self) -> None:
        if self._store.purge_pending():
            self._store.purge()

    # ---- moving it as it is

    def stored(self, owner: str) -> list[tuple[bytes, bytes]]:
        """Everything that is stored of an owner, and the dictionaries it was compressed with: for `adopt`."""
        name = owner_bytes(owner)
        with self._store.read() as txn:
            head = txn.get(head_key(name))
            own = [] if head is None else [(head_key(name), head)]
            return [*txn.scan(b"d"), *own, *txn.scan(record_key(name, 0)[:-8])]

    def adopt(self, owner: str, entries: Iterable[tuple[bytes, bytes]], root: str | None = None) -> None:
        """Takes in what `stored` gave, byte for byte, and verifies it; nothing is kept that does not verify.

        Whoever calls this keeps others from telling the owner anything meanwhile.

        Args:
            root: the Merkle tree hash that it must have, in hex; None: any.

        Raises:
            InvalidInput: the owner has a log here, or an entry is none of the owner's; nothing was changed.
            StoreCorrupt: it does not verify. StoreFull, ReadOnly: as `append_many`.
        """
        name, entries = owner_bytes(owner), list(entries)
        records = record_key(name, 0)[:-8]
        for key, _ in entries:
            own = key == head_key(name) or (key.startswith(records) and len(key) == len(records) + 8)
            if not own and not (key[:1] == b"d" and len(key) == 2):
                raise InvalidInput("entries", "hold what is not this owner's", "give what `stored` gave")
        with self._commits.alone():
            if self.length(owner):
                raise InvalidInput(
                    "owner", f"{owner!r} has a log here", "use a new store, or delete it first"
                )
            self._store.write(lambda txn: adopt(txn, entries))
            self._sizes.forget()
        sound = self.verify(owner).ok and self.length(owner) > 0  # others go on: it takes seconds
        if not sound or root not in (None, self.root(owner).hex()):
            self.drop_owner(owner)
            what = "is not the one that was exported" if sound else "does not verify"
            raise StoreCorrupt(f"the log in the file {what}; nothing was taken in")

    # ---- looking after it

    def verify(
        self, owner: str | None = None, progress: Callable[[int, int], None] | None = None
    ) -> VerifyReport:
        """Reads everything back and recomputes every check, chain value and tree node.

        Args:
            owner: only this one's log; None: all.
            progress: called with (records done, records in all).
        """
        return verify_log(self._store, self._codec, None if owner is None else owner_bytes(owner), progress)

    def stats(self) -> dict[str, int | float | bool]:
        """Sizes: owners, records, erased records, bytes on disk, payload and compressed bytes of the
        live records and their ratio; appends and commits of this object; whether erased bytes
        still wait for room to leave the file."""
        with self._store.read() as txn:
            heads = [OwnerHead.from_bytes(key, value) for key, value in txn.scan(b"o")]
        payload, frames = (sum(h.payload_bytes for h in heads), sum(h.frame_bytes for h in heads))
        return {
            "owners": len(heads),
            "records": sum(head.size for head in heads),
            "erased": sum(head.erased for head in heads),
            "bytes": self._store.bytes_on_disk(),
            "payload_bytes": payload,
            "compressed_bytes": frames,
            "compression_ratio": payload / frames if frames else 1.0,
            "appends": self._commits.appends,
            "commits": self._commits.commits,
            "purge_pending": self._store.purge_pending(),
        }


def _open_store(path: str | Path | None, config: LogConfig, readonly: bool) -> Store:
    if path is None:
        if readonly:
            raise InvalidInput("path", "a log in RAM has nobody to read from", "give a folder")
        return RamStore()
    from .storage.lmdb_store import LmdbStore

    return LmdbStore(Path(path), config.map_mib << 20, config.sync, readonly)


def _check_range(field: str, value: int, low: int, high: int | None = None) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        upto = "up" if high is None else f"to {high}"
        raise InvalidInput(field, f"{value!r} is out of range", f"give a whole number from {low} {upto}")
