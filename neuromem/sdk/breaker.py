"""A memory that does not answer is left alone for a while, so that it does not slow down every call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["Breaker"]


class Breaker:
    """Opens after some failures in a row; then lets one call try, now and then, until it works again.

    Args:
        failures: how many in a row open it.
        pause_s: how long nothing is tried then; each try that fails doubles it, up to `longest_s`.
        clock: gives monotonic seconds.
    """

    def __init__(
        self,
        failures: int = 5,
        pause_s: float = 5.0,
        longest_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._first_s, self._longest_s, self._clock = failures, pause_s, longest_s, clock
        self._failed, self._pause_s, self._until = 0, pause_s, 0.0
        self._trying, self._worked_at = False, float("-inf")
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether calls are turned away."""
        return self._failed >= self._most

    def allows(self) -> bool:
        """Whether to try now. While it is open, one try at a time is let through after each pause."""
        with self._lock:
            now = self._clock()
            if not self.is_open:
                return True
            if now < self._until:
                return False
            self._trying, self._until = True, now + self._pause_s  # nobody else tries meanwhile
            return True

    def worked(self) -> None:
        """A try gave an answer."""
        with self._lock:
            self._failed, self._trying, self._worked_at = 0, False, self._clock()

    def failed(self) -> bool:
        """A try failed. Returns whether that opened it."""
        with self._lock:
            opened = False
            if not self.is_open:
                self._failed += 1
                self._pause_s, opened = self._first_s, self.is_open
            elif self._trying:
                self._pause_s = min(self._pause_s * 2, self._longest_s)
            else:
                return False  # begun before it opened: says nothing new
            self._trying, self._until = False, self._clock() + self._pause_s
            return opened

    def late(self, deadline_s: float) -> bool:
        """A try took too long: a failure, unless others were answered meanwhile (it is busy, not down)."""
        with self._lock:
            busy = not self.is_open and self._clock() - self._worked_at < deadline_s
        return False if busy else self.failed()
