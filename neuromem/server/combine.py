"""Adds that wait for the same owner are told together: one write loop, one commit.

Whoever gets the owner first takes along all that wait. A bank must come out of its log bit for bit, so
talk of different owners is never in one write loop; the log joins their commits by itself.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from ..engine import Engine, Written
from ..errors import NeuromemError
from ..identity import Owner
from ..telling import CHUNK, Call, add_all

__all__ = ["Combiner"]


@dataclass(slots=True, eq=False)
class _Ticket:
    call: Call
    written: list[Written] = field(default_factory=list)
    error: Exception | None = None
    done: bool = False


@dataclass(slots=True, eq=False)
class _Queue:
    """What waits for one owner. `lock` is held by who tells."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: list[_Ticket] = field(default_factory=list)
    wanted: int = 0  # threads that use it


class Combiner:
    """Tells what several threads want to tell."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.counts: Counter[str] = Counter()  # "calls" told, in so many "loops"
        self._lock = threading.Lock()
        self._queues: dict[str, _Queue] = {}

    def add(self, owner: Owner, call: Call) -> list[Written]:
        """As `Memory.add`; durable when it returns."""
        ticket = _Ticket(call)
        with self._lock:
            queue = self._queues.setdefault(owner.name, _Queue())
            queue.waiting.append(ticket)
            queue.wanted += 1
        try:
            with queue.lock:
                while not ticket.done:
                    self._tell(owner, self._taken(queue))
        finally:
            with self._lock:
                queue.wanted -= 1
                if queue.wanted == 0:
                    self._queues.pop(owner.name, None)
        if ticket.error is not None:
            raise ticket.error
        return ticket.written

    def _taken(self, queue: _Queue) -> list[_Ticket]:
        """What waits, as far as it fits one write loop; at least the first."""
        with self._lock:
            size, count = 0, 0
            for ticket in queue.waiting:
                size += len(ticket.call.turns)
                if count and size > CHUNK:
                    break
                count += 1
            taken, queue.waiting = queue.waiting[:count], queue.waiting[count:]
            self.counts["calls"] += count
            self.counts["loops"] += 1
        return taken

    def _tell(self, owner: Owner, tickets: list[_Ticket]) -> None:
        """Tells them at once; when that fails, each by itself: one may be too much, the others are not."""
        try:
            every = add_all(self.engine, owner, [ticket.call for ticket in tickets])
            for ticket, written in zip(tickets, every, strict=True):
                ticket.written = written
        except NeuromemError as error:
            tickets[0].error = error
            if len(tickets) > 1:
                for ticket in tickets:
                    ticket.error = None
                    self._tell(owner, [ticket])
        except Exception as error:
            for ticket in tickets:
                ticket.error = error
        finally:
            for ticket in tickets:
                ticket.done = True
