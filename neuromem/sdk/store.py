"""Where a wrapped client remembers: a `Memory` in this process, or the service at a URL."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from ..config import ContextConfig
from .block import Block, Blocks
from .client import AsyncClient
from .loop import Loop
from .workers import Workers

if TYPE_CHECKING:
    from ..memory import Memory

__all__ = ["MemoryStore", "Said", "ServiceStore", "Store"]

READERS, READERS_WAITING = 2, 256  # threads that ask a memory in this process, and what may wait for them
LAST_WORDS_S = 20.0  # a memory in this process may have to load its networks first
TELL_S = 10.0  # of one exchange told to a service, with its retries


@dataclass(frozen=True, slots=True)
class Said:
    """What was newly said in one call."""

    user_id: str
    messages: list[dict[str, Any]]
    key: str = field(default_factory=lambda: uuid4().hex)  # so that a retry never writes it twice


class Store(Protocol):
    """A memory, as a wrapped client needs it."""

    @property
    def patience_s(self) -> float:
        """How long its end waits for what is still to be told."""

    def warm_up(self, user_id: str) -> None:
        """Begins to load and connect, beside the program: the first recall should not have to."""

    def recall(self, query: str, user_id: str) -> Future[Block]:
        """Begins to recall; cancelling the future gives up."""

    def ingest(self, said: Said) -> None:
        """Remembers what was said; on the thread of whoever calls."""

    def close(self) -> None:
        """Lets go of connections and threads; not of a memory that is somebody else's."""


class MemoryStore:
    """A memory in this process, asked on a few threads of its own."""

    patience_s = LAST_WORDS_S

    def __init__(self, memory: Memory, limit: int, deadline_s: float) -> None:
        self._memory, self._limit, self._budget_ms = memory, limit, deadline_s * 1_000
        self._blocks = Blocks(memory.config.context)
        self._readers = Workers("recall", READERS, READERS_WAITING, exit_s=self.patience_s)

    def warm_up(self, user_id: str) -> None:
        """Begins to load the networks and a bank."""
        self._readers.submit(lambda: self._recall("hello", user_id, rehearse=False))

    def recall(self, query: str, user_id: str) -> Future[Block]:
        """Begins to recall."""
        return self._readers.submit(lambda: self._recall(query, user_id, rehearse=True))

    def ingest(self, said: Said) -> None:
        """Remembers what was said."""
        self._memory.add(said.messages, user_id=said.user_id)

    def close(self) -> None:
        """Ends the threads; the memory is its owner's."""
        self._readers.close()

    def _recall(self, query: str, user_id: str, *, rehearse: bool) -> Block:
        found = self._memory.search(
            query, user_id=user_id, limit=self._limit, budget_ms=self._budget_ms, rehearse=rehearse
        )
        return self._blocks.of(self._memory.conscious(user_id=user_id), found)


class ServiceStore:
    """The memory service, asked from one thread with an event loop."""

    patience_s = 2.0  # it may hang

    def __init__(
        self, url: str, api_key: str | None, limit: int, deadline_s: float, config: ContextConfig
    ) -> None:
        self._asking = AsyncClient(url, api_key, timeout_s=deadline_s)  # no time for a second try
        self._telling = AsyncClient(url, api_key, timeout_s=TELL_S)
        self._limit = limit
        self._blocks = Blocks(config)
        self._loop = Loop()

    def warm_up(self, user_id: str) -> None:
        """Makes a connection, and has the service load a bank."""
        self._loop.submit(self._asking.conscious(user_id))

    def recall(self, query: str, user_id: str) -> Future[Block]:
        """Begins to recall."""
        return self._loop.submit(self._recall(query, user_id))

    def ingest(self, said: Said) -> None:
        """Tells the service, with retries."""
        self._loop.run(self._telling.ingest(said.messages, said.user_id, idempotency_key=said.key))

    def close(self) -> None:
        """Closes the connections and ends the thread."""
        self._loop.run(self._asking.close())
        self._loop.run(self._telling.close())
        self._loop.stop()

    async def _recall(self, query: str, user_id: str) -> Block:
        known, found = await asyncio.gather(
            self._asking.conscious(user_id), self._asking.recall(query, user_id, self._limit)
        )
        return self._blocks.of(known, found)
