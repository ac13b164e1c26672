"""Appending that nobody waits for: a thread takes events to the disk.

A commit waits for the disk, some ten milliseconds, in which a search could have been answered twice.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from .log import Event, EventLog

__all__ = ["Appending"]


class Appending:
    """Events of one owner on their way into the log. Nothing else may be appended for them meanwhile."""

    def __init__(self, log: EventLog, owner: str, events: Sequence[Event]) -> None:
        """Begins at once.

        Args:
            events: at least one.

        Raises:
            RuntimeError: no thread can be started; nothing was appended.
        """
        self.events = list(events)
        self.begun = log.length(owner)  # events of the owner in the log before
        self.end = 0  # events of the owner in the log once these are durable; 0: they are not
        self.chain = ""  # chain value of the last one, in hex
        self.error: BaseException | None = None  # what went wrong
        self._thread = threading.Thread(target=self._append, args=(log, owner), name="neuromem-append")
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has ended, one way or the other."""
        return not self._thread.is_alive()

    def wait(self) -> None:
        """Returns when it has ended."""
        self._thread.join()

    def _append(self, log: EventLog, owner: str) -> None:
        try:
            last = log.append_many(owner, self.events)[-1]
            self.end = last + 1
            self.chain = log.get(owner, last).chain.hex()
        except BaseException as error:  # told to the one who takes the outcome
            self.error = error
