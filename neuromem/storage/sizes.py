"""How long each owner's log is, at hand: it is asked for several times in a search."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Sizes"]


class Sizes:
    """Lengths by owner, of a log that nobody else writes. Safe across threads."""

    def __init__(self, known: bool = True) -> None:
        """Args:
        known: False: nothing is kept, every length is looked up.
        """
        self._keeps = known
        self._lock = threading.Lock()
        self._known: dict[bytes, int] = {}
        self._forgotten = 0  # times

    def of(self, name: bytes, look: Callable[[], int]) -> int:
        """An owner's length; `look` reads it where it is not known."""
        size = self._known.get(name)
        if size is None:
            before = self._forgotten
            size = look()
            with self._lock:
                if (
                    self._keeps and before == self._forgotten
                ):  # else what was read may be of an owner that was dropped
                    size = self._known.setdefault(name, size)  # what an append noted meanwhile is newer
        return size

    def note(self, name: bytes, size: int) -> None:
        """An owner's log has grown; called in the order of the commits."""
        with self._lock:
            self._known[name] = size

    def forget(self) -> None:
        """Logs were dropped or taken in."""
        with self._lock:
            self._known.clear()
            self._forgotten += 1
