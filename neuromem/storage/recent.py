"""Records that were read a moment ago: what is in the log does not change, but by being erased."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from ..records import Record

__all__ = ["RecentRecords"]


class RecentRecords:
    """The records that were asked for last, by owner and place. Safe across threads."""

    def __init__(self, capacity: int) -> None:
        """Args: capacity: records held; 0 for none."""
        self._capacity = capacity
        self._records: OrderedDict[tuple[str, int], Record] = OrderedDict()
        self._erasures = 0
        self._lock = threading.Lock()

    @property
    def erasures(self) -> int:
        """How often all were dropped: what was read before must not be put back after."""
        return self._erasures

    def get(self, owner: str, seq: int) -> Record | None:
        """A record; None if it is not held."""
        key = (owner, seq)
        with self._lock:
            record = self._records.get(key)
            if record is not None:
                self._records.move_to_end(key)
            return record

    def span(self, owner: str, start: int, stop: int) -> list[Record]:
        """The records `start` to `stop`, exclusive, if all of them are held; else none."""
        held = [self.get(owner, seq) for seq in range(start, stop)]
        return [] if None in held else [record for record in held if record is not None]

    def put(self, records: Sequence[Record], erasures: int) -> None:
        """Holds records that were read when so many erasures had been."""
        with self._lock:
            if self._capacity and erasures == self._erasures:
                self._records.update(((record.owner, record.seq), record) for record in records)
                while len(self._records) > self._capacity:
                    self._records.popitem(last=False)

    def clear(self) -> None:
        """Drops all: erased words must not linger in RAM."""
        with self._lock:
            self._erasures += 1
            self._records.clear()
