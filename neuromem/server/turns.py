"""Whose request is worked on next: fair between owners, and adds never stand in the way of searches.

On few processors it does not help to work on more requests at once than there are processors: each only
takes longer. So requests wait for their turn, as entries in a queue that cost no thread. Searches and adds
wait in lanes of their own. An add is many times the work of a search, and nobody waits for its answer in the
midst of a sentence: it begins when no search waits, or when it has waited long enough itself.

Adds of one owner that wait for each other have their turn together: they are told in one write loop
(`combine.py`). Searches of different owners have turns together: their questions go through the encoder at
once, where that costs less, and one thread answers them all. How a queue is kept: `lanes.py`.

Used by the event loop alone, so nothing here is locked.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from fastapi import Request, Response

from ..config import ServerConfig
from ..courtesy import giving_way
from .around import WHO
from .entries import KINDS
from .lanes import Lane, Prepare
from .limits import Gate
from .principals import Principal
from .wire import reply

__all__ = ["ASKING", "TELLING", "Turns", "in_turn"]

T = TypeVar("T")
ASKING, TELLING = "search", "add"
TOGETHER = 16  # adds of one owner in one turn
ACROSS = 8  # searches of different owners in one turn
PATIENCE_S = 1.0  # after which an add does not wait for searches any more
PAUSE_S = 0.2  # that an add, once begun, pauses at most while others search: it holds its owner meanwhile
LOOK_S = 0.002  # between two looks whether it may go on
NOBODY = "*"  # whose a request is that names nobody, or everybody
MOST_LOOKED_AT = 32  # conditions of a filter, on the way to a name


class Turns:
    """The lanes of a server."""

    def __init__(
        self,
        config: ServerConfig,
        gate: Gate,
        clock: Callable[[], float] = time.monotonic,
        prepare: Prepare = lambda _questions: None,
    ) -> None:
        """Args:
        prepare: called with the questions of searches that have their turn together.
        """
        adds = max(1, config.threads // 2)
        self.gate, self._clock = gate, clock
        telling = Lane(adds, TOGETHER, self._may_tell, clock=clock)
        searches = max(1, config.threads - adds)
        asking = Lane(searches, on_leave=telling.grant, across=ACROSS, prepare=prepare)
        self.lanes = {ASKING: asking, TELLING: telling}

    def _may_tell(self, waited_s: float, turns: int) -> bool:
        """One add at a time goes on beside searches; a second where there are none, as the first one may be
        waiting for the disk."""
        asking = self.lanes[ASKING]
        return asking.idle if turns else waited_s > PATIENCE_S or not asking.waiting

    def close(self) -> None:
        """Waits for what is under way, and ends the threads."""
        for lane in self.lanes.values():
            lane.close()

    async def run(self, lane: str, whose: str, work: Callable[[], T], about: str = "") -> T:
        """Does some work when it is its turn.

        Args:
            about: the question, of a search.

        Raises:
            Refused: 503; the queue is full, and most of it is this owner's.
        """
        self.gate.check_share(self.lanes[lane].waiting_of(whose), self.lanes[lane].share(self.gate.most))
        if lane == TELLING:
            work = functools.partial(self.aside, whose, work)
        return await self.lanes[lane].run(whose, work, about)

    def aside(self, whose: str, work: Callable[[], T]) -> T:
        """Does the work of an add, which pauses between its steps while others search.

        Args:
            whose: the owner that is written to, as "user:ana".
        """
        asking, until = self.lanes[ASKING], self._clock() + PAUSE_S

        def wait() -> None:
            while self._clock() < until and (searching := asking.owners):
                if any(_may_need(name, whose) for name in searching):
                    break  # it waits for this very add
                time.sleep(LOOK_S)

        with giving_way(wait):
            return work()


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
            whose, question = whose_request(asked.scope.get(WHO), body), getattr(body, "query", "")
            return await turns.run(lane, whose, work, question if isinstance(question, str) else "")

        own = inspect.signature(route)
        asked = inspect.Parameter("asked", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
        waiting.__signature__ = own.replace(parameters=[*own.parameters.values(), asked])  # type: ignore[attr-defined]
        return waiting

    return wrap


def whose_request(who: object, body: Any) -> str:
    """Whose memories a request is about, as far as that is seen at a glance; a user's key says it at once."""
    if isinstance(who, Principal) and who.user is not None:
        return f"user:{who.user}"
    for kind in KINDS:
        name = getattr(body, f"{kind}_id", None)
        if name is not None:
            return f"{kind}:{name}"
    return _named(getattr(body, "filters", None))


def _may_need(searching: str, whose: str) -> bool:
    """Whether a search looks, perhaps, in what an add writes to.

    A memory that was told under several names belongs to the one whose kind is first in `KINDS`: one of a
    user is found by its agent or its run, too.
    """
    if searching in (whose, NOBODY):
        return True
    by, of = (name.partition(":")[0] for name in (searching, whose))
    return not {by, of} <= set(KINDS) or KINDS.index(by) > KINDS.index(of)


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
