"""Heads and proofs: what a user may keep to check later that nothing said was changed or left out.

A `Head` stands for a whole log, in 32 bytes of Merkle root however long the log is. A `Proof` shows that
one memory's words are in the log of a head, with a path of log2(n) hashes; to check it takes neither the
store nor neuromem's word for it, only SHA-256 (RFC 9162, and the layout in `records.py`).

    head = memory.head("ana")                       # keep str(head) anywhere: "12:ab34…"
    proof = memory.prove(recall.id)
    proof.words, proof.holds(head)                  # "My dog's name is Potola", True
    memory.verify(user_id="ana", since=str(head))   # later: the log of then is how that of now begins
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from .errors import InvalidInput, NotFound, StoreCorrupt
from .log import EventLog, Record, VerifyReport, verify_consistency, verify_inclusion
from .merkle import HASH_BYTES
from .records import commitment, decode_event

__all__ = ["Head", "Proof", "head_of", "prove", "verify_since"]

_HEAD = re.compile(r"\s*(\d{1,18}):([0-9a-f]{64})\s*")


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log stands; `str` is ``SIZE:ROOT``."""

    size: int  # records
    root: str  # Merkle tree hash of all of them, RFC 9162, in hex

    def __str__(self) -> str:
        return f"{self.size}:{self.root}"

    @classmethod
    def of(cls, given: Head | str) -> Head:
        """A head, or one that was written down.

        Raises:
            InvalidInput: it is none.
        """
        match = _HEAD.fullmatch(str(given)) if isinstance(given, Head | str) else None
        if match is None:
            raise InvalidInput("head", f"{given!r:.80} is none", "give one as verify prints it, SIZE:ROOT")
        return cls(int(match[1]), match[2])


@dataclass(frozen=True, slots=True)
class Proof:
    """That a record is in the log of a head. All bytes are in hex."""

    id: str  # of the memory whose words it holds
    sequence: int  # the record's place in the log, from 0
    size: int  # records of the log
    root: str  # Merkle tree hash of the log
    salt: str
    payload: str  # the record: time, and JSON of kind and body; see `records.py`
    path: tuple[str, ...]  # hashes beside the way to the root

    @property
    def words(self) -> str:
        """What the record says."""
        return str(decode_event(bytes.fromhex(self.payload)).body.get("text", ""))

    def holds(self, head: Head | str | None = None) -> bool:
        """Whether the record is in the log of a head; None: the one that the proof names itself."""
        if head is not None and Head.of(head) != Head(self.size, self.root):
            return False
        leaf = commitment(bytes.fromhex(self.salt), bytes.fromhex(self.payload))
        path = [bytes.fromhex(node) for node in self.path]
        return verify_inclusion(bytes.fromhex(self.root), leaf, self.sequence, self.size, path)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self) | {"path": list(self.path)}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """What `to_dict` gave.

        Raises:
            InvalidInput: it is no proof.
        """
        try:
            proof = cls(**(dict(given) | {"path": tuple(given["path"])}))
            for part in (proof.root, proof.salt, proof.payload, *proof.path):
                bytes.fromhex(part)
            counted = type(proof.sequence) is type(proof.size) is int
            if not (counted and proof.words and isinstance(proof.id, str)):
                raise TypeError("a field of another kind, or no words")
        except (TypeError, ValueError, KeyError, AttributeError, StoreCorrupt) as error:
            raise InvalidInput("proof", "is none", "give what Proof.to_dict gave") from error
        return proof


def head_of(log: EventLog, owner: str, until: float | None = None) -> Head:
    """Where an owner's log stands now, or stood at a time in Unix seconds.

    Erased records have no time any more: those right behind what was said by then are taken for part of it.
    """
    size = log.length(owner)
    if until is not None:
        size = next((record.seq for record in log.events(owner, 0, size) if record.time > until), size)
    return Head(size, log.root(owner, size).hex())


def prove(
    log: EventLog, record: Record | None, memory_id: str, head: Head | str | None = None,
    until: float | None = None,
) -> Proof:  # fmt: skip
    """The proof that a memory's record is in its owner's log.

    Args:
        record: of the memory's words; None where no log has them.
        head: of which log; None: as it stands now, or stood at `until` (Unix seconds).

    Raises:
        NotFound: no log has the words, or the log of that head had them not yet. InvalidInput: `head` is
            none of this log's.
    """
    if record is None or record.erased:
        raise NotFound(f"the words of {memory_id} are in no log here, so nothing proves them")
    stood = head_of(log, record.owner, until) if head is None else Head.of(head)
    if stood.size > log.length(record.owner) or log.root(record.owner, stood.size).hex() != stood.root:
        raise InvalidInput("head", f"{stood} is none of this log's", "give one that verify printed for it")
    if record.seq >= stood.size:
        raise NotFound(f"the words of {memory_id} came after {stood}")
    salt, payload = log.opening(record.owner, record.seq)
    path = log.inclusion_proof(record.owner, record.seq, stood.size)
    hexes = tuple(node.hex() for node in path)
    return Proof(memory_id, record.seq, stood.size, stood.root, salt.hex(), payload.hex(), hexes)


def verify_since(log: EventLog, owner: str, report: VerifyReport, since: Head | str) -> VerifyReport:
    """A report on an owner's log, and whether the log that a head stood for is how that of now begins.

    Raises:
        InvalidInput: `since` is no head.
    """
    then = Head.of(since)
    if _begins_so(log, owner, then):
        return report
    problem = f"owner {owner!r}: the log does not begin as it stood at {then}: it was rewritten, or cut off"
    return VerifyReport(False, report.owners, report.records, [*report.problems, problem])


def _begins_so(log: EventLog, owner: str, then: Head) -> bool:
    now = log.length(owner)
    if then.size > now:
        return False
    try:
        new, path = log.root(owner, now), log.consistency_proof(owner, then.size, now)
    except StoreCorrupt:
        return False  # the report names what is damaged
    old = bytes.fromhex(then.root)
    return len(old) == HASH_BYTES and verify_consistency(old, new, then.size, now, path)
