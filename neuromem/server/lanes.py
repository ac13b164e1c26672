"""A lane: requests of one kind that wait for their turn, as entries in a queue that cost no thread.

In a lane, who comes first is first, except that an owner with several waiting stands the further behind,
the more they are: a burst of one owner is theirs alone. A turn may take several requests: of one owner, each
in a thread of its own (they meet where their work is joined: `combine.py`); or one each of several owners,
one after the other in one thread, after something that is cheaper for all of them at once (`prepare`).

Used by the event loop alone, but for the work itself; so nothing here is locked.
"""

from __future__ import annotations

import asyncio
import time
from bisect import insort
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, cast

__all__ = ["Lane", "Prepare"]

T = TypeVar("T")
AHEAD = 4  # requests of one owner that wait as anybody's do; each further one stands …
BEHIND = 16  # … so many places behind where the one before it pushed it
Prepare = Callable[[Sequence[str]], None]
"""Called in a thread, before the work of a turn, with what its requests are about."""


@dataclass(slots=True, eq=False)
class _Ticket:
    """A request that waits, or is worked on."""

    whose: str
    place: int  # rises in a lane
    since: float
    work: Callable[[], Any]
    about: str
    answer: asyncio.Future[Any]


@dataclass(slots=True, eq=False)
class _Turn:
    left: int  # requests that are not done


class Lane:
    """Requests of one kind."""

    def __init__(
        self,
        at_once: int,
        together: int = 1,
        may_begin: Callable[[float, int], bool] = lambda _waited_s, _turns: True,
        on_leave: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        *,
        across: int = 1,
        prepare: Prepare = lambda _abouts: None,
    ) -> None:
        """Args:
        at_once: turns at the same time; never two of one owner.
        together: requests of one owner that one turn may take.
        may_begin: says of the seconds that a request has waited, and of the turns that are taken, whether its
            turn may begin.
        on_leave: called when a request is done.
        across: owners of whom one turn may take a request each; with more than one, `together` is 1.
        prepare: called for the requests of a turn that has several owners.
        """
        self.at_once, self.together, self.across = at_once, together, across
        self._may_begin, self._on_leave, self._clock = may_begin, on_leave, clock
        self._prepare = prepare
        self._came = self._turns = 0
        self._behind = 0  # requests in a turn that have not begun
        self._tickets: list[_Ticket] = []  # by place
        self._waiting: Counter[str] = Counter()  # by owner
        self._inside: Counter[str] = Counter()  # requests under way, by owner
        self._threads = ThreadPoolExecutor(at_once * together, thread_name_prefix="neuromem-lane")

    @property
    def waiting(self) -> int:
        """Requests that wait: for a turn, or in one for those before them."""
        return len(self._tickets) + self._behind

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is worked on."""
        return not self._tickets and not self._inside

    @property
    def owners(self) -> set[str]:
        """Whose requests wait or are worked on. Any thread may ask."""
        return {*self._waiting, *self._inside}

    def waiting_of(self, whose: str) -> int:
        """Requests of an owner that wait."""
        return self._waiting[whose]

    def share(self, most: int) -> int:
        """Of `most` places in the queue, what is one owner's share when so many wait as do now."""
        return max(1, most // (1 + len(self._waiting)))

    def close(self) -> None:
        """Waits for what is under way, and ends the threads."""
        self._threads.shutdown()

    async def run(self, whose: str, work: Callable[[], T], about: str = "") -> T:
        """Does some work in a thread, when it is its turn. What has begun is done, even if it is given up.

        Args:
            about: what `prepare` is told of it.
        """
        ticket = self._enter(whose, work, about)
        self.grant()
        try:
            return cast(T, await ticket.answer)
        except asyncio.CancelledError:
            if ticket in self._tickets:
                self._take(ticket)
            raise

    def _enter(self, whose: str, work: Callable[[], Any], about: str) -> _Ticket:
        self._came += 1
        behind = BEHIND * max(0, self._waiting[whose] + 1 - AHEAD)
        answer = asyncio.get_running_loop().create_future()
        ticket = _Ticket(whose, self._came + behind, self._clock(), work, about, answer)
        insort(self._tickets, ticket, key=lambda item: item.place)
        self._waiting[whose] += 1
        return ticket

    def _take(self, ticket: _Ticket) -> None:
        self._tickets.remove(ticket)
        self._waiting[ticket.whose] -= 1
        if not self._waiting[ticket.whose]:
            del self._waiting[ticket.whose]

    def grant(self) -> None:
        """Gives turns to those who are next, as far as there are any and they may begin."""
        while self._turns < self.at_once and (tickets := self._next()):
            self._begin(tickets)

    def _next(self) -> list[_Ticket]:
        """Who would have the next turn."""
        now, chosen = self._clock(), dict[str, _Ticket]()
        most = min(self.across, -(-len(self._tickets) // self.at_once))  # other turns get as many
        for first in self._tickets:
            if first.whose in self._inside or first.whose in chosen:
                continue
            if not self._may_begin(now - first.since, self._turns):
                continue
            if self.together > 1:
                own = [ticket for ticket in self._tickets if ticket.whose == first.whose]
                return own[: self.together]
            chosen[first.whose] = first
            if len(chosen) == most:
                break
        return list(chosen.values())

    def _begin(self, tickets: list[_Ticket]) -> None:
        self._turns += 1
        turn, loop = _Turn(len(tickets)), asyncio.get_running_loop()
        for ticket in tickets:
            self._take(ticket)
            self._inside[ticket.whose] += 1
        if self.across > 1:
            self._behind += len(tickets) - 1
        for share in [tickets] if self.across > 1 else [[ticket] for ticket in tickets]:
            self._threads.submit(self._do, share, turn, loop)

    def _do(self, tickets: list[_Ticket], turn: _Turn, loop: asyncio.AbstractEventLoop) -> None:
        """The work of one thread."""

        def ended(ticket: _Ticket, result: Any, error: BaseException | None) -> None:
            loop.call_soon_threadsafe(self._ended, turn, ticket, result, error)

        try:
            if len(tickets) > 1:
                self._prepare([ticket.about for ticket in tickets])
        except BaseException as error:  # told to those who wait
            for ticket in tickets:
                ended(ticket, None, error)
            return
        for ticket in tickets:
            try:
                ended(ticket, ticket.work(), None)
            except BaseException as error:  # told to the one who waits
                ended(ticket, None, error)

    def _ended(self, turn: _Turn, ticket: _Ticket, result: Any, error: BaseException | None) -> None:
        if not ticket.answer.done():  # else nobody waits for it any more
            if error is None:
                ticket.answer.set_result(result)
            else:
                ticket.answer.set_exception(error)
        turn.left -= 1
        self._turns -= not turn.left
        self._behind -= self.across > 1 and turn.left > 0
        self._inside[ticket.whose] -= 1
        if not self._inside[ticket.whose]:
            del self._inside[ticket.whose]
            self.grant()
        self._on_leave()
