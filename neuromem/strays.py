"""Ids that do not lead to their owner: those of memories that were imported, which keep what they had.

An id begins with a tag of its owner, so it is known at once whose memory it names. Only an imported one may
be somebody else's. To ask every owner for an id that nobody has would open every bank of the store.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from .history import WRITING
from .identity import TAG_BYTES, owner_of, parse_id, tag_of
from .log import EventLog

__all__ = ["Strays"]

NAMING = (*WRITING, "slots", "merge", "delete")  # events one of which names every memory, words or no words


@dataclass(slots=True)
class _Read:
    """What was read of an owner's log."""

    first: bytes  # chain value of its first record: another where the owner was deleted and told anew
    length: int = 0
    ids: set[bytes] = field(default_factory=set)  # without the owner's tag


class Strays:
    """The ids of a log that bear no tag of their owner. Safe across threads; each record is read once."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._read: dict[str, _Read] = {}

    def owners_of(self, memory_id: str) -> list[str]:
        """Names of the owners who may hold a memory, those whose tag it bears first.

        Raises:
            StoreCorrupt: a record's bytes are not what was written.
        """
        raw, names = parse_id(memory_id), owner_of(memory_id, self._log.owners())
        return [name for name in names if tag_of(name) == raw[:TAG_BYTES] or raw in self._of(name)]

    def _of(self, owner: str) -> set[bytes]:
        length = self._log.length(owner)
        if not length:
            return set()
        first, tag = self._log.get(owner, 0).chain, tag_of(owner)
        with self._lock:
            read = self._read.get(owner)
            if read is None or read.first != first or read.length > length:
                read = self._read[owner] = _Read(first)
            if read.length < length:
                for record in self._log.events(owner, read.length, length):
                    if record.kind in NAMING:
                        raws = map(parse_id, (record.body["id"], *record.body.get("ids", ())))
                        read.ids.update(raw for raw in raws if raw[:TAG_BYTES] != tag)
                read.length = length
            return read.ids
