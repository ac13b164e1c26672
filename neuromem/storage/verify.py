"""Checks a whole log: every record, chain value and tree node is recomputed from what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from ..errors import StoreCorrupt
from ..merkle import Frontier, leaf_hash
from ..records import GENESIS, STORE_KEYS, OwnerHead, RecordCodec, link
from .store import Store, Txn
from .view import OwnerView

__all__ = ["VerifyReport", "verify_log"]

_BATCH_RECORDS = 256  # per transaction, and between calls of `progress`


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `EventLog.verify` found."""

    ok: bool
    owners: int
    records: int  # looked at
    problems: list[str]  # one line each, naming owner and seq


@dataclass(slots=True)
class _Owner:
    """One owner's log on the way through it."""

    name: bytes
    size: int
    head: OwnerHead | None  # None: damaged
    chain: bytes | None = GENESIS  # of the record before; None: unknown, because that is damaged
    tree: Frontier | None = field(default_factory=Frontier)  # None: some leaf is unknown

    def check(self, view: OwnerView, seq: int) -> list[str]:
        """Problems of one record."""
        who = f"owner {self.name.decode()!r}, seq {seq}"
        try:
            stored = view.stored(seq)
            content = view.record(seq, stored).hash
        except StoreCorrupt as error:
            self.chain = self.tree = None
            return [f"{who}: {error}"]
        problems = []
        if self.chain is not None and link(self.chain, seq, content) != stored.chain:
            problems.append(f"{who}: its content and the record before do not give its chain value")
        if self.tree is not None and b"".join(self.tree.push(leaf_hash(content))) != stored.nodes:
            problems.append(f"{who}: its Merkle nodes are not those of the records up to it")
            self.tree = None
        self.chain = None if problems else stored.chain
        return problems

    def finish(self) -> list[str]:
        """Problems of the head, once all records have been checked."""
        problems = []
        if self.head and self.chain not in (None, self.head.chain):
            problems.append(f"owner {self.name.decode()!r}: the last chain value is not the head's")
        if self.head and self.tree and self.tree.hashes != self.head.tree.hashes:
            problems.append(f"owner {self.name.decode()!r}: the Merkle root is not the head's")
        return problems


def verify_log(
    store: Store, codec: RecordCodec, only: bytes | None, progress: Callable[[int, int], None] | None
) -> VerifyReport:
    """See `EventLog.verify`."""
    try:
        with store.read() as txn:
            owners, problems = _owners(txn, codec, only)
    except StoreCorrupt as error:
        return VerifyReport(False, 0, 0, [str(error)])
    total = sum(owner.size for owner in owners)
    done = 0
    for owner in owners:
        for records, found in _walk(store, codec, owner):
            done += records
            problems += found
            if progress is not None:
                progress(done, total)
        problems += owner.finish()
    return VerifyReport(not problems, len(owners), done, problems)


def _owners(txn: Txn, codec: RecordCodec, only: bytes | None) -> tuple[list[_Owner], list[str]]:
    """The owners to check, and what is wrong already."""
    problems: list[str] = []
    owners = []
    for key, _ in txn.scan(b"o"):
        if only not in (None, key[1:]):
            continue
        view = OwnerView(txn, codec, key[1:])
        try:
            head = view.head()
            owners.append(_Owner(key[1:], head.size, head))
        except StoreCorrupt as error:
            problems.append(str(error))
            size = next(seq for seq in count() if not view.exists(seq))
            owners.append(_Owner(key[1:], size, None))
    if only is None:
        expected = sum(1 + owner.size for owner in owners) + len(txn.scan(b"d")) + len(STORE_KEYS)
        present = txn.entries() + sum(txn.get(mark) is None for mark in STORE_KEYS)
        if present != expected:
            problems.append(f"{present - expected:+d} entries against what the owners' heads say")
    return owners, problems


def _walk(store: Store, codec: RecordCodec, owner: _Owner) -> Iterator[tuple[int, list[str]]]:
    """Checks an owner's records, a batch per transaction; yields how many, and their problems."""
    for start in range(0, owner.size, _BATCH_RECORDS):
        batch = range(start, min(start + _BATCH_RECORDS, owner.size))
        try:
            with store.read() as txn:
                view = OwnerView(txn, codec, owner.name)
                problems = [problem for seq in batch for problem in owner.check(view, seq)]
        except StoreCorrupt as error:  # a damaged page of the file: what comes after cannot be reached
            owner.chain = owner.tree = None
            yield 0, [f"owner {owner.name.decode()!r}, from seq {start}: {error}"]
            return
        yield len(batch), problems
