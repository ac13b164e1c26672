"""The dictionaries that records are compressed with, in a log."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import StoreError
from ..records import CHECK_BYTES, FORMAT, FORMAT_KEY, dictionary_key, seal
from .store import Txn

__all__ = ["adopt", "dictionary_number"]


def adopt(txn: Txn, entries: Sequence[tuple[bytes, bytes]]) -> None:
    """Takes in what `EventLog.stored` gave.

    Raises:
        StoreError: it was compressed with a dictionary that has the number of another one here.
    """
    for key, value in entries:
        have = txn.get(key) if key[:1] == b"d" else None
        if have is not None and have != value:
            raise StoreError("the file was compressed with another dictionary; import it into a new store")
        txn.put(key, value)


def dictionary_number(txn: Txn, dictionary: bytes) -> int:
    """The number under which the log keeps this dictionary; a new log takes it in and gets its mark."""
    kept = txn.scan(b"d")
    for key, value in kept:
        sealed = seal(key, dictionary)
        if value == sealed:
            return key[1]
        if value[-CHECK_BYTES:] == sealed[-CHECK_BYTES:]:  # the same one, damaged: healed
            txn.put(key, sealed)
            return key[1]
    number = 1 + len(kept)
    txn.put(dictionary_key(number), seal(dictionary_key(number), dictionary))
    txn.put(FORMAT_KEY, FORMAT)
    return number
