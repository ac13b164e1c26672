"""What several threads want at the same time, done at once.

The first that comes starts at once and waits for nobody; whoever comes while it works waits, and the next
takes all of them along. So one alone is as fast as ever, and many share the cost of one batch.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Together"]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True, eq=False)
class _Ticket(Generic[T, R]):
    item: T
    results: list[R]  # one, when it is done
    error: Exception | None = None

    @property
    def done(self) -> bool:
        return bool(self.results) or self.error is not None


class Together(Generic[T, R]):
    """Calls a function of many with what waits for it. Safe across threads."""

    def __init__(
        self,
        work: Callable[[list[T]], Sequence[R]],
        most: int,
        size: Callable[[T], int] = lambda _item: 1,
        counts: Counter[str] | None = None,
    ) -> None:
        """
        Args:
            work: gives one result for each item, in order. What it raises for several, each gets by itself.
            most: summed size of the items of one call; a larger item is called with alone.
            counts: counts the "items" and the "calls".
        """
        self._work, self._most, self._size = work, most, size
        self.counts: Counter[str] = Counter() if counts is None else counts
        self._waiting: list[_Ticket[T, R]] = []
        self._lock, self._turn = threading.Lock(), threading.Lock()

    def __call__(self, item: T) -> R:
        """The result for an item; raises what the function raises for it."""
        ticket: _Ticket[T, R] = _Ticket(item, [])
        with self._lock:
            self._waiting.append(ticket)
        with self._turn:
            while not ticket.done:
                self._do(self._taken())
        if ticket.error is not None:
            raise ticket.error
        return ticket.results[0]

    def _taken(self) -> list[_Ticket[T, R]]:
        """What waits, as far as it fits one call; at least the first."""
        with self._lock:
            size = count = 0
            for ticket in self._waiting:
                size += self._size(ticket.item)
                if count and size > self._most:
                    break
                count += 1
            taken, self._waiting = self._waiting[:count], self._waiting[count:]
            self.counts["items"] += count
            self.counts["calls"] += 1
        return taken

    def _do(self, tickets: list[_Ticket[T, R]]) -> None:
        try:
            for ticket, result in zip(tickets, self._work([t.item for t in tickets]), strict=True):
                ticket.results.append(result)
        except Exception as error:
            if len(tickets) == 1:
                tickets[0].error = error
            else:  # one of them may be wrong, or too much; the others are not
                for ticket in tickets:
                    ticket.results.clear()
                    self._do([ticket])
        except BaseException as error:  # this thread is stopped; those who wait must not wait for ever
            for ticket in tickets:
                ticket.error = RuntimeError(f"the work was stopped ({type(error).__name__}); try again")
            raise
