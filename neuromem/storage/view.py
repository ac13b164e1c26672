"""One owner's log as it stands in one transaction: head, records, tree nodes, erasure."""

from __future__ import annotations

from ..errors import StoreCorrupt
from ..merkle import leaf_hash
from ..records import (
    Event,
    OwnerHead,
    Record,
    RecordCodec,
    Stored,
    commitment,
    decode_event,
    dictionary_key,
    head_key,
    lost,
    record_key,
    unseal,
)
from .store import Txn

__all__ = ["OwnerView"]

_READ_BYTES = 4 << 20  # compressed


class OwnerView:
    """Reads, and within a writing transaction changes, one owner's log.

    Args:
        txn: valid as long as its transaction is.
        codec: decompresses.
        name: the owner, in UTF-8.
    """

    def __init__(self, txn: Txn, codec: RecordCodec, name: bytes) -> None:
        self._txn = txn
        self._codec = codec
        self._name = name

    def head(self) -> OwnerHead:
        """Where the log stands; that of an empty one for an unknown owner."""
        key = head_key(self._name)
        value = self._txn.get(key)
        return OwnerHead() if value is None else OwnerHead.from_bytes(key, value)

    def put_head(self, head: OwnerHead) -> None:
        """Stores what `append` and `erase` have changed."""
        key = head_key(self._name)
        self._txn.put(key, head.to_bytes(key))

    def append(self, head: OwnerHead, payload: bytes) -> None:
        """Stores the next record and moves `head` on."""
        key = record_key(self._name, head.size)
        self._txn.put(key, self._codec.seal(head, key, payload))

    def exists(self, seq: int) -> bool:
        """Whether something is stored there, damaged or not."""
        return self._txn.get(record_key(self._name, seq)) is not None

    def stored(self, seq: int) -> Stored:
        """A record as it lies in the store. Raises StoreCorrupt when it is missing or damaged."""
        key = record_key(self._name, seq)
        value = self._txn.get(key)
        if value is None:
            raise StoreCorrupt(f"record {seq} of {self._name.decode()!r} is missing; restore a backup")
        return Stored.from_bytes(key, seq, value)

    def record(self, seq: int, stored: Stored | None = None) -> Record:
        """A record as the caller gets it."""
        stored = stored or self.stored(seq)
        owner = self._name.decode()
        if stored.erased:
            return Record(owner, seq, 0.0, "erased", {}, stored.content, stored.chain, True)
        payload = self._payload(stored)
        event: Event = decode_event(payload)
        content = commitment(stored.salt, payload)
        return Record(owner, seq, event.time, event.kind, event.body, content, stored.chain, False)

    def opening(self, seq: int) -> tuple[bytes, bytes]:
        """(salt, payload) of a live record: what its commitment is made of."""
        stored = self.stored(seq)
        return stored.salt, self._payload(stored)

    def records(self, start: int, stop: int) -> tuple[list[Record], StoreCorrupt | None]:
        """Records from `start` on, at most to `stop` and some megabytes; and what ended them early."""
        records: list[Record] = []
        room = _READ_BYTES
        for seq in range(start, stop):
            try:
                stored = self.stored(seq)
                records.append(self.record(seq, stored))
            except StoreCorrupt as error:
                return records, error
            room -= len(stored.content)
            if room < 0:
                break
        return records, None

    def node(self, level: int, index: int) -> bytes:
        """Hash of a complete subtree, as the record that completed it keeps it."""
        stored = self.stored(((index + 1) << level) - 1)
        return stored.node(level) if level else leaf_hash(self._hash(stored))

    def erase(self, head: OwnerHead, seq: int) -> bool:
        """Leaves of a record its place and commitment only; whether there was more."""
        key = record_key(self._name, seq)
        try:
            stored = self.stored(seq)
            if stored.erased:
                return False
            payload = self._payload(stored)
            head.payload_bytes -= len(payload)
            head.frame_bytes -= len(stored.content)
            rest = stored.erase(commitment(stored.salt, payload))
        except StoreCorrupt:
            # its owner's wish holds for a damaged record as well; verify goes on reporting it
            rest = lost(seq)
        head.erased += 1
        self._txn.put(key, rest.to_bytes(key))
        return True

    def drop(self) -> bool:
        """Deletes everything of the owner; whether there was something."""
        known = self._txn.get(head_key(self._name)) is not None
        self._txn.delete(head_key(self._name))
        return self._txn.drop(record_key(self._name, 0)[:-8]) > 0 or known

    def _hash(self, stored: Stored) -> bytes:
        return stored.content if stored.erased else commitment(stored.salt, self._payload(stored))

    def _payload(self, stored: Stored) -> bytes:
        return self._codec.payload(stored, self._dictionary)

    def _dictionary(self, number: int) -> bytes:
        key = dictionary_key(number)
        value = self._txn.get(key)
        if value is None:
            raise StoreCorrupt(f"compression dictionary {number} is missing; restore the log from a backup")
        return unseal(key, value, f"compression dictionary {number}")
