"""Whose request is worked on next: fair between owners, and adds never stand in the way of searches.

On few processors it does not help to work on more requests at once than there are processors: each only
takes longer. So requests wait for their turn, as entries in a queue that cost no thread. Searches and adds
wait in lanes of their own, an add being many times the work of a search. In a lane it goes round by owner,
one turn each: who sends a hundred at once waits for themselves, and nobody else does. Adds of one owner that
wait for each other have their turn together: they are told in one write loop (`combine.py`).

Used by the event loop alone, so nothing here is locked.
"""

from __future__ import annotations

import functools
import inspect
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
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
NOBODY = "*"  # whose a request is that names nobody, or everybody
MOST_LOOKED_AT = 32  # conditions of a filter, on the way to a name


class Lane:
    """Requests of one kind."""

    def __init__(self, at_once: int, together: int = 1) -> None:
        """Args:
        at_once: turns at the same time; never two of one owner. together: requests that one turn may take.
        """
        self.at_once, self.together = at_once, together
        self._waiting: OrderedDict[str, deque[anyio.Event]] = (
            OrderedDict()
        )  # by owner, whose turn is next first
        self._inside: Counter[str] = Counter()  # requests under way of those who have a turn
        self._limiter = anyio.CapacityLimiter(at_once * together)

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return sum(map(len, self._waiting.values()))

    def waiting_of(self, whose: str) -> int:
        """Requests of an owner that wait."""
        return len(self._waiting.get(whose, ()))

    def share(self, most: int) -> int:
        """Of `most` places in the queue, what is one owner's share when so many wait as do now."""
        return max(1, most // (1 + len(self._waiting)))

    async def run(self, whose: str, work: Callable[[], T]) -> T:
        """Does some work in a thread, when it is its owner's turn."""
        turn = anyio.Event()
        self._waiting.setdefault(whose, deque()).append(turn)
        self._grant()
        try:
            await turn.wait()
        except BaseException:  # it is given up
            if turn.is_set():
                self._leave(whose)
            else:
                self._give_up(whose, turn)
            raise
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._leave(whose)

    def _grant(self) -> None:
        """Gives turns to those who are next, as far as there are any."""
        for whose in list(self._waiting):
            if len(self._inside) >= self.at_once:
                return
            if whose in self._inside:
                continue
            turns = self._waiting.pop(whose)
            for _ in range(min(self.together, len(turns))):
                self._inside[whose] += 1
                turns.popleft().set()
            if turns:  # the others had no turn yet
                self._waiting[whose] = turns

    def _leave(self, whose: str) -> None:
        self._inside[whose] -= 1
        if not self._inside[whose]:
            del self._inside[whose]
            self._grant()

    def _give_up(self, whose: str, turn: anyio.Event) -> None:
        self._waiting[whose].remove(turn)
        if not self._waiting[whose]:
            del self._waiting[whose]


class Turns:
    """The lanes of a server."""

    def __init__(self, config: ServerConfig, gate: Gate) -> None:
        adds = max(1, config.threads // 4)
        self.gate = gate
        self.lanes = {TELLING: Lane(adds, TOGETHER), ASKING: Lane(max(1, config.threads - adds))}

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
