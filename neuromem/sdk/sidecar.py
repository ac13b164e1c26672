"""The memory beside a client: asked before a call, told after it, and never in its way.

Whatever goes wrong here is counted and logged, and the call goes on as if there were no memory.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass

from ..errors import InvalidInput
from .block import Block
from .breaker import Breaker
from .stats import Stats
from .store import Said, Store
from .wire import ServiceError
from .workers import QueueFull, Workers

__all__ = ["LastRecall", "Sidecar"]

_log = logging.getLogger("neuromem.sdk")

LATE = "no answer in time"
TELLERS = 2  # exchanges of different users that are told at a time
LONG = 4_000  # characters that take a memory in this process seconds: of such exchanges one at a time is told
REFUSALS = (400, 403, 413, 422)  # statuses of HTTP that are about one call


@dataclass(frozen=True, slots=True)
class LastRecall:
    """What was recalled for a call."""

    query: str
    user_id: str
    known: str  # what was put beside the system text
    recalled: str  # what was put before the user's words
    memories: int
    tokens: int
    latency_ms: float


class Sidecar:
    """What ``client.neuromem`` is: the counts, the last recall, and a switch.

    Attributes:
        enabled: False: calls go through as if there were no memory.
        stats: the counts.
        last_recall: what was recalled last; None before.
    """

    def __init__(self, store: Store, user_id: str | None, deadline_s: float, queue: int) -> None:
        self.enabled, self.stats = True, Stats()
        self.last_recall: LastRecall | None = None
        self.user_id, self.deadline_s = user_id, deadline_s
        self._store = store
        self._breaker = Breaker()
        self._writer = Workers("ingest", TELLERS, queue, exit_s=store.patience_s)
        self._warned: set[str] = set()
        self._closed = False

    def __repr__(self) -> str:
        return f"<neuromem beside a client: {'on' if self.enabled else 'off'}, {self.stats.as_dict()}>"

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Waits until what was said is told to the memory; False when some of it is not by then."""
        return self._writer.flush(timeout_s)

    def tell_rest(self, timeout_s: float) -> None:
        """Waits until what was said is told, as the end of the program would: the memory is closed."""
        self.flush(min(timeout_s, self._store.patience_s))

    def close(self, timeout_s: float | None = None) -> None:
        """Tells what is left, for so long, and ends; calls go on without a memory.

        Args:
            timeout_s: None: 20 s for a memory in this process, 2 s for a service.
        """
        if not self._closed:
            self.enabled, self._closed = False, True
            untold = self._writer.close(self._store.patience_s if timeout_s is None else timeout_s)
            for _ in range(untold):
                self.stats.add("dropped")
            if untold:
                _log.warning("closed before %d exchanges were told to the memory: they are lost", untold)
            with self.fails_open("closing the memory"):
                self._store.close()

    # -- before a call --------------------------------------------------------------------------

    def recall(self, query: str, user_id: str) -> Block | None:
        """What the memory knows for a question; None when it does not say in time."""
        started = time.perf_counter()
        with self.fails_open("recall", self._breaker):
            future = self._begin(query, user_id)
            if future is None:
                return None
            try:
                block = future.result(self.deadline_s)
            except TimeoutError as error:
                raise TimeoutError(str(error) or LATE) from error
            finally:
                future.cancel()
            return self._came(block, query, user_id, started)
        return None

    async def arecall(self, query: str, user_id: str) -> Block | None:
        """The same, awaited."""
        started = time.perf_counter()
        with self.fails_open("recall", self._breaker):
            future = self._begin(query, user_id)
            if future is None:
                return None
            block = await _awaited(future, self.deadline_s)
            return self._came(block, query, user_id, started)
        return None

    def _begin(self, query: str, user_id: str) -> Future[Block] | None:
        if not self._breaker.allows():
            self.stats.add("skipped")
            return None
        return self._store.recall(query, user_id)

    def _came(self, block: Block, query: str, user_id: str, started: float) -> Block:
        self._breaker.worked()
        self.stats.add("recalled")
        latency_ms = (time.perf_counter() - started) * 1_000
        self.last_recall = LastRecall(
            query, user_id, block.known, block.recalled, block.lines, block.tokens, latency_ms
        )
        return block

    # -- after a call ---------------------------------------------------------------------------

    def tell(self, said: Said) -> None:
        """Puts what was said into the queue; the memory is told beside the program."""
        with self.fails_open("telling the memory"):
            self._writer.submit(lambda: self._told(said), _keys(said))

    def _told(self, said: Said) -> None:
        with self.fails_open("telling the memory"):
            self._store.ingest(said)
            self.stats.add("ingested")

    # -- failing open ---------------------------------------------------------------------------

    @contextmanager
    def fails_open(self, doing: str, breaker: Breaker | None = None) -> Iterator[None]:
        """Whatever is raised inside is counted and logged, and goes no further.

        Args:
            breaker: is told of it.
        """
        opened = False
        try:
            yield
        except QueueFull as error:
            self.stats.add("dropped")
            self._note(doing, error)
        except Exception as error:
            late = isinstance(error, TimeoutError | CancelledError)
            late = late or (isinstance(error, ServiceError) and error.reason == "timeout")
            self.stats.add("timed_out" if late and breaker else "failed")
            if breaker is not None and not _is_refusal(error):
                opened = breaker.late(self.deadline_s) if late else breaker.failed()
            self._note(doing, error)
        if opened:
            _log.warning("the memory does not answer: it is left alone for a while, calls go on without it")

    def ownerless(self) -> None:
        """A call came without a user, and there is none by default."""
        self.stats.add("ownerless")
        self._warn("ownerless", "a call names no user, and the wrap has none: it is not remembered; "
                   "give user=… with the call or user_id=… to neuromem.wrap")  # fmt: skip

    def _note(self, doing: str, error: Exception) -> None:
        kind = f"{doing}: {type(error).__name__}"
        if not self._warn(kind, f"{kind}: {error} (said once; calls go on, see .neuromem.stats)"):
            _log.debug("%s: %s", kind, error)

    def _warn(self, kind: str, message: str) -> bool:
        """Warns once of each kind."""
        if kind in self._warned:
            return False
        self._warned.add(kind)
        _log.warning(message)
        return True


def _keys(said: Said) -> list[str]:
    """What keeps the words of one user in order, and leaves a thread for short ones beside a long text."""
    size = sum(len(message["content"]) for message in said.messages)
    return [f"user {said.user_id}", *(["long"] if size > LONG else [])]


def _is_refusal(error: Exception) -> bool:
    """Whether a memory that works says no to one call, for its owner or its words."""
    return isinstance(error, InvalidInput) or (isinstance(error, ServiceError) and error.status in REFUSALS)


async def _awaited(future: Future[Block], timeout_s: float) -> Block:
    """The result of a future of another thread, which is cancelled when nobody waits for it any more.

    Raises:
        TimeoutError: it is late. CancelledError: the other side gave up; this task goes on.
    """
    here = asyncio.wrap_future(future)
    here.add_done_callback(_is_looked_at)
    try:
        done, _ = await asyncio.wait([here], timeout=timeout_s)
    finally:
        here.cancel()  # else what comes of it later is brought to a loop that may be closed by then
        future.cancel()
    if not done:
        raise TimeoutError(LATE)
    if here.cancelled():
        raise CancelledError("the memory was closed meanwhile")
    return here.result()


def _is_looked_at(future: asyncio.Future[Block]) -> None:
    """Takes an error that comes when nobody waits any more: asyncio would log it as forgotten."""
    if not future.cancelled():
        future.exception()
