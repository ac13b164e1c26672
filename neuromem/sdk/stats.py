"""What a wrapped client counts."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, fields

__all__ = ["Stats"]


@dataclass(slots=True)
class Stats:
    """Counts since the client was wrapped. Safe across threads."""

    calls: int = 0  # of the methods that remember
    ownerless: int = 0  # … without a user: they went through unchanged
    recalled: int = 0  # recalls that came back in time
    injected: int = 0  # calls that something was put into
    ingested: int = 0  # exchanges told to the memory
    failed: int = 0  # recalls and tellings that raised, calls that could not be read
    timed_out: int = 0  # recalls that came too late
    skipped: int = 0  # recalls not tried, as the memory had failed before
    dropped: int = 0  # recalls and tellings for which the queue was full
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, name: str) -> None:
        """Counts one more."""
        with self._lock:
            setattr(self, name, getattr(self, name) + 1)

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        with self._lock:
            return {one.name: getattr(self, one.name) for one in fields(self) if one.name[0] != "_"}
