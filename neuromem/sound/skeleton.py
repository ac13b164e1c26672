"""A log taken apart for the air, and put together again, byte for byte, or with gaps that are named.

Chain, Merkle nodes and checks follow from the records' commitments, so that of each record only its salt and
its compressed words have to travel, and its commitment beside them. Where the words of a record are lost
its commitment stands in, as it does in an erased record: chain and Merkle root are those of the sender.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from ..errors import ArchiveInvalid, StoreCorrupt
from ..records import (
    OwnerHead,
    RecordCodec,
    Stored,
    commitment,
    dictionary_key,
    head_key,
    owner_bytes,
    record_key,
    seal,
    unseal,
)

__all__ = ["MAGIC", "Skeleton", "parts_of"]

MAGIC = b"NMA2"
_HASH, _SALT = 32, 16
_SIZES = struct.Struct("<II")  # bytes of the notes, records

Entry = tuple[bytes, bytes]


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


@dataclass(frozen=True)
class Skeleton:
    """A log without its words.

    Attributes:
        notes: whose it is and where it stands. dictionaries: by number a hash of each; only those that
            this version of the package ships can be left out. numbers: of each record its dictionary,
            0 for an erased one. hashes: commitment of each record, 32 bytes.
    """

    notes: dict[str, Any]
    dictionaries: dict[int, str]
    numbers: bytes
    hashes: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """As it is sent."""
        about = {"notes": self.notes, "dictionaries": {str(n): h for n, h in self.dictionaries.items()}}
        text = json.dumps(about, separators=(",", ":")).encode()
        return MAGIC + _SIZES.pack(len(text), len(self.hashes)) + text + self.numbers + b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Skeleton:
        """Reads it back. Raises ArchiveInvalid: it is none."""
        try:
            length, count = _SIZES.unpack_from(raw, len(MAGIC))
            at = len(MAGIC) + _SIZES.size + length
            about = json.loads(raw[at - length : at])
            right = raw.startswith(MAGIC) and len(raw) == at + count * (1 + _HASH)
            notes, hashes = dict(about["notes"]), dict(about["dictionaries"])
            dictionaries = {int(number): str(found) for number, found in hashes.items()}
        except (struct.error, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ArchiveInvalid(f"what was heard is no memory ({error!s:.80})") from error
        if not right:
            raise ArchiveInvalid("what was heard is no memory; `neuromem listen` shows it")
        places = range(at + count, len(raw), _HASH)
        return cls(notes, dictionaries, raw[at : at + count], tuple(raw[p : p + _HASH] for p in places))

    @property
    def sent(self) -> list[int]:
        """Numbers of the records that have words, in the order in which these are sent."""
        return [seq for seq, number in enumerate(self.numbers) if number]

    def entries(
        self, words: Mapping[int, bytes], dictionaries: Iterable[bytes]
    ) -> tuple[list[Entry], list[int]]:
        """What `EventLog.adopt` takes, and the records whose words are lost.

        Args:
            words: salt and compressed words, by record. dictionaries: those that were sent.

        Raises:
            ArchiveInvalid: the words need a dictionary that is not here.
        """
        known = self._dictionaries(dictionaries)
        codec, head, name = RecordCodec(1), OwnerHead(), owner_bytes(str(self.notes.get("owner")))
        records, lost = list[Entry](), list[int]()
        for seq, content in enumerate(self.hashes):
            chain, nodes = head.push(content)
            key = record_key(name, seq)
            stored = Stored(0, chain, nodes, b"", content)
            if seq in words:
                salt, frame = words[seq][:_SALT], words[seq][_SALT:]
                stored = Stored(self.numbers[seq], chain, nodes, salt, frame)
            payload = _payload(codec, stored, known, content)
            if payload is None:
                stored = Stored(0, chain, nodes, b"", content)
                head.erased += 1
                if self.numbers[seq]:
                    lost.append(seq)
            else:
                head.payload_bytes += len(payload)
                head.frame_bytes += len(stored.content)
            records.append((key, stored.to_bytes(key)))
        own = [(head_key(name), head.to_bytes(head_key(name)))] if records else []
        keys = [(dictionary_key(number), data) for number, data in sorted(known.items())]
        return [*((key, seal(key, data)) for key, data in keys), *own, *records], lost

    def _dictionaries(self, sent: Iterable[bytes]) -> dict[int, bytes]:
        here = {_digest(data): data for data in (RecordCodec.shipped_dictionary(), *sent)}
        missing = set(self.dictionaries.values()) - set(here)
        if missing:
            raise ArchiveInvalid("it was sent by another version of neuromem; use that, or a dense file")
        return {number: here[found] for number, found in self.dictionaries.items()}


def _payload(codec: RecordCodec, stored: Stored, known: Mapping[int, bytes], content: bytes) -> bytes | None:
    """The words of a record; None: there are none, or not those that were committed to."""
    if stored.erased or stored.dictionary not in known:
        return None
    try:
        payload = codec.payload(stored, known.__getitem__)
    except StoreCorrupt:
        return None  # named as lost by the caller
    return payload if commitment(stored.salt, payload) == content else None


def parts_of(
    owner: str, stored: Iterable[Entry], notes: dict[str, Any]
) -> tuple[Skeleton, dict[int, bytes], list[bytes]]:
    """Takes apart what `EventLog.stored` gave: the skeleton, words by record, dictionaries to be sent.

    Raises:
        StoreCorrupt: the log is damaged, so that it could not be put together again.
    """
    entries = list(stored)
    shipped = RecordCodec.shipped_dictionary()
    known = {
        key[1]: unseal(key, value, f"dictionary {key[1]}") for key, value in entries if _is_dictionary(key)
    }
    name, codec = owner_bytes(owner), RecordCodec(1)
    numbers, hashes, words = bytearray(), list[bytes](), dict[int, bytes]()
    for seq, record in enumerate(_records(name, entries)):
        payload = None if record.erased else codec.payload(record, known.__getitem__)
        numbers.append(record.dictionary)
        hashes.append(record.content if payload is None else commitment(record.salt, payload))
        if payload is not None:
            words[seq] = record.salt + record.content
    skeleton = Skeleton(notes, {n: _digest(data) for n, data in known.items()}, bytes(numbers), tuple(hashes))
    sent = [data for data in known.values() if data != shipped]
    if skeleton.entries(words, sent) != (entries, []):
        raise StoreCorrupt("the log is damaged (`neuromem verify` says where); export a dense file of it")
    return skeleton, words, sent


def _is_dictionary(key: bytes) -> bool:
    return key[:1] == b"d" and len(key) == 2


def _records(name: bytes, entries: Iterable[Entry]) -> Iterator[Stored]:
    first = record_key(name, 0)[:-8]
    for key, value in entries:
        if key.startswith(first) and len(key) == len(first) + 8:
            seq = int.from_bytes(key[-8:], "big")
            yield Stored.from_bytes(key, seq, value)
