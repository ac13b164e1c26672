"""Whose request is worked on next: fair between owners, and adds never stand in the way of searches.

On few processors it does not help to work on more requests at once than there are processors: each only
takes longer. So requests wait for their turn, as entries in a queue that cost no thread. Searches and adds
wait in lanes of their own. An add is many times the work of a search, and nobody waits for its answer in the
midst of a sentence: it begins when no search waits, or when it has waited long enough itself.

In a lane, who comes first is first, except that an owner with several waiting stands the further behind,
the more they are: a burst of one owner is theirs alone. Adds of one owner that wait for each other have
their turn together: they are told in one write loop (`combine.py`).

Used by the event loop alone, so nothing here is locked.
"""

from __future__ import annotations

import functools
import inspect
import time
from bisect import insort
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from fastapi import Request, Response

from ..config import ServerConfig
from .around import WHO
from .entries import KINDS
from .limits import Gate
from .principals import Principal
from .wire import reply

__all__ = ["ASKING", "TELLING", "Lane", "Turns", "in_turn"]

T = TypeVar("T")
ASKING, TELLING = "search", "add"
TOGETHER = 16  # adds of one owner in one turn
AHEAD = 4  # requests of one owner that wait as anybody's do; each further one stands …
BEHIND = 16  # … so many places behind where the one before it pushed it
PATIENCE_S = 1.0  # after which an add does not wait for searches any more
NOBODY = "*"  # whose a request is that names nobody, or everybody
MOST_LOOKED_AT = 32  # conditions of a filter, on the way to a name


@dataclass(slots=True, eq=False)
class _Ticket:
    """A request that waits."""

    whose: str
    place: int  # rises in a lane
    since: float
    turn: anyio.Event = field(default_factory=anyio.Event)


class Lane:
    """Requests of one kind."""

    def __init__(
        self,
        at_once: int,
        together: int = 1,
        may_begin: Callable[[float, int], bool] = lambda _waited_s, _turns: True,
        on_leave: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        at_once: turns at the same time; never two of one owner. together: requests that one turn may take.
        may_begin: says of the seconds that a request has waited, and of the turns that are taken, whether its
            turn may begin.
        on_leave: called when a request is done.
        """
        self.at_once, self.together = at_once, together
        self._may_begin, self._on_leave, self._clock = may_begin, on_leave, clock
        self._came = 0
        self._tickets: list[_Ticket] = []  # by place
        self._waiting: Counter[str] = Counter()  # by owner
        self._inside: Counter[str] = Counter()  # requests under way of those who have a turn
        self._limiter = anyio.CapacityLimiter(at_once * together)

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._tickets)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is worked on."""
        return not self._tickets and not self._inside

    def waiting_of(self, whose: str) -> int:
        """Requests of an owner that wait."""
        return self._waiting[whose]

    def share(self, most: int) -> int:
        """Of `most` places in the queue, what is one owner's share when so many wait as do now."""
        return max(1, most // (1 + len(self._waiting)))

    async def run(self, whose: str, work: Callable[[], T]) -> T:
        """Does some work in a thread, when it is its turn."""
        ticket = self._enter(whose)
        self.grant()
        try:
            await ticket.turn.wait()
        except BaseException:  # it is given up
            if ticket.turn.is_set():
                self._leave(whose)
            else:
                self._take(ticket)
            raise
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._leave(whose)

    def _enter(self, whose: str) -> _Ticket:
        self._came += 1
        behind = BEHIND * max(0, self._waiting[whose] + 1 - AHEAD)
        ticket = _Ticket(whose, self._came + behind, self._clock())
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
        now = self._clock()
        for first in list(self._tickets):
            if len(self._inside) >= self.at_once:
                return
            if first.whose in self._inside or not self._may_begin(now - first.since, len(self._inside)):
                continue
            own = [ticket for ticket in self._tickets if ticket.whose == first.whose]
            for ticket in own[: self.together]:
                self._take(ticket)
                self._inside[first.whose] += 1
                ticket.turn.set()

    def _leave(self, whose: str) -> None:
        self._inside[whose] -= 1
        if not self._inside[whose]:
            del self._inside[whose]
            self.grant()
        self._on_leave()


class Turns:
    """The lanes of a server."""

    def __init__(self, config: ServerConfig, gate: Gate, clock: Callable[[], float] = time.monotonic) -> None:
        adds = max(1, config.threads // 2)
        self.gate = gate
        telling = Lane(adds, TOGETHER, self._may_tell, clock=clock)
        asking = Lane(max(1, config.threads - adds), on_leave=telling.grant)
        self.lanes = {ASKING: asking, TELLING: telling}

    def _may_tell(self, waited_s: float, turns: int) -> bool:
        """One add at a time goes on beside searches; a second where there are none, as the first one may be
        waiting for the disk."""
        asking = self.lanes[ASKING]
        return asking.idle if turns else waited_s > PATIENCE_S or not asking.waiting

    async def run(self, lane: str, whose: str, work: Callable[[], T]) -> T:
        """Does some work when it is its turn.

        Raises:
            Refused: 503; the queue is full, and most of it is this owner's.
        """
        self.gate.check_share(self.lanes[lane].waiting_of(whose), self.lanes[lane].share(self.gate.most))
        return await self.lanes[lane].run(whose, work)


def in_turn(
    lane: str, unless: Callable[[Any], bool] = lambda _body: False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes of a plain function a route that waits for its turn; its answer becomes JSON in the thread, too.

    Args:
        unless: says of a body that what it asks for is no work worth mentioning.
    """

    def wrap(route: Callable[..., Any]) -> Callable[..., Any]:
        def answer(given: dict[str, Any]) -> Response:
            done = route(**given)
            return done if isinstance(done, Response) else reply(done)

        @functools.wraps(route)
        async def waiting(asked: Request, **given: Any) -> Response:
            work, body = functools.partial(answer, given), given["body"]
            if unless(body):
                return await anyio.to_thread.run_sync(work)
            turns: Turns = asked.app.state.turns
            return await turns.run(lane, _whose(asked.scope.get(WHO), body), work)

        own = inspect.signature(route)
        asked = inspect.Parameter("asked", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
        waiting.__signature__ = own.replace(parameters=[*own.parameters.values(), asked])  # type: ignore[attr-defined]
        return waiting

    return wrap


def _whose(who: object, body: Any) -> str:
    """Whose memories a request is about, as far as that is seen at a glance; a user's key says it at once."""
    if isinstance(who, Principal) and who.user is not None:
        return f"user:{who.user}"
    for kind in KINDS:
        name = getattr(body, f"{kind}_id", None)
        if name is not None:
            return f"{kind}:{name}"
    return _named(getattr(body, "filters", None))


def _named(filters: object) -> str:
    """The first name in a filter."""
    waiting: deque[object] = deque([filters])
    for _ in range(MOST_LOOKED_AT):
        if not waiting:
            break
        part = waiting.popleft()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, Mapping):
            for kind in KINDS:
                name = part.get(f"{kind}_id", part.get(f"{kind}Id"))
                if isinstance(name, str | int):
                    return f"{kind}:{name}"
            waiting.extend(part.values())
    return NOBODY
