"""Which owners may have a memory: those whose tag its id bears, and those into whose log it was brought.

An id begins with the tag of who was told, but an import keeps ids. To open every bank for an id that nobody
has took minutes in a store of a thousand owners; so it is the logs that are looked through, each event once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .errors import NotFound, StoreCorrupt
from .identity import TAG_BYTES, parse_id, tag_of
from .log import EventLog, Record

__all__ = ["Holders"]


@dataclass(slots=True)
class _Brought:
    """The ids in one owner's log that bear another tag than theirs."""

    seen: int = 0  # events looked at
    chain: bytes = b""  # chain value of the last of them: the owner may have been deleted since
    ids: set[bytes] = field(default_factory=set)


class Holders:
    """The owners of a log, by the ids of their memories. Safe across threads."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._brought: dict[str, _Brought] = {}
        self._lock = threading.Lock()

    def of(self, memory_id: str, among: Sequence[str] | None = None) -> Iterator[str]:
        """Names of those who may have a memory, the likeliest first; not one of the others has it.

        Args:
            among: nobody else is looked at; None: whoever has a log.

        Raises:
            InvalidInput: the id is not a UUID.
        """
        raw, names = parse_id(memory_id), self._log.owners() if among is None else among
        tag = raw[:TAG_BYTES]
        own = [name for name in names if tag_of(name) == tag]
        yield from own
        for name in names:
            if name not in own and self._has_brought(name, raw):
                yield name

    def _has_brought(self, name: str, raw: bytes) -> bool:
        with self._lock:
            try:
                return raw in self._follow(name).ids
            except StoreCorrupt:  # its bank may know
                return True
            except NotFound:  # they were deleted meanwhile
                return False

    def _follow(self, name: str) -> _Brought:
        """What is known of an owner's log, brought up to its end."""
        known, length = self._brought.setdefault(name, _Brought()), self._log.length(name)
        if known.seen > length or (
            known.seen and self._log.get(name, known.seen - 1).chain != known.chain
        ):  # deleted, and begun anew
            known = self._brought[name] = _Brought()
        if known.seen < length:
            tag = tag_of(name)
            for record in self._log.events(name, known.seen, length):
                known.ids |= {raw for raw in map(parse_id, _ids_in(record)) if raw[:TAG_BYTES] != tag}
                known.seen, known.chain = record.seq + 1, record.chain
        return known


def _ids_in(record: Record) -> list[str]:
    """The ids of memories that an event names."""
    body = record.body
    return [id_ for id_ in (body.get("id"), body.get("by"), *body.get("ids", ())) if id_]
