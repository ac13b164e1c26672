"""A memory beside a voice pipeline: asked ahead of time, told what was newly said, and never in its way.

Everything that may wait is done on threads; whatever goes wrong is counted and logged, and goes no further.
Nothing here knows of a framework.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from ..config import Config, ContextConfig
from ..echo import without_injected
from ..identity import Owner
from ..sdk.block import Block, Blocks
from ..sdk.client import Client
from ..sdk.workers import QueueFull, Workers
from ..server.transcripts import known_beginning
from ..text import words

if TYPE_CHECKING:
    from ..memory import Memory
    from ..recall import Recall

__all__ = ["Beside", "Counts", "Found", "Here", "Store", "There", "Transcript", "store_of", "with_kept"]

_log = logging.getLogger("neuromem.voice")

READERS, READERS_WAITING = 2, 64  # a lookup of words that are out of date must not hold up the next
TELLERS_WAITING = 1_000  # turns
EXIT_S = 2.0

Said = dict[str, str]
"""{"role": "user" or "assistant", "content": the words}; "name" where it is known."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the memory knows for some words."""

    block: Block
    recalls: tuple[Recall, ...] = ()  # of a memory in this process


class Store(Protocol):
    """A memory, as a pipeline needs it; every call may wait."""

    context: ContextConfig

    def find(self, query: str) -> Found:
        """What is known, and what answers a question."""

    def tell(self, said: Sequence[Said], key: str) -> None:
        """Remembers; told twice under one key it is written once."""

    def used(self, found: Found) -> None:
        """It was put into a prompt: that is being recalled."""

    def close(self) -> None:
        """Lets go of what is its own."""


class Here:
    """A memory in this process; its owner closes it."""

    def __init__(self, memory: Memory, user_id: str, limit: int) -> None:
        self._memory, self._user_id, self._limit = memory, user_id, limit
        self.context = memory.config.context
        self._blocks = Blocks(self.context)

    def find(self, query: str) -> Found:
        """Only looks: words that are not complete yet rehearse nothing."""
        found = self._memory.search(query, self._user_id, limit=self._limit, rehearse=False)
        return Found(self._blocks.of(self._memory.conscious(self._user_id), found), tuple(found))

    def tell(self, said: Sequence[Said], key: str) -> None:  # noqa: ARG002 - it is never told twice
        """Remembers, durably."""
        self._memory.add(list(said), self._user_id)

    def used(self, found: Found) -> None:
        """Rehearses what was recalled."""
        engine = self._memory.engine
        with engine.owners.use(Owner.of(self._user_id, None, None).name) as open_:
            engine.rehearse(open_, [one for one in found.recalls if open_.bank.rows_of(one.id)])

    def close(self) -> None:
        """Nothing here is its own."""


class There:
    """The memory service. What it recalls it rehearses itself, by its own settings."""

    def __init__(self, client: Client, user_id: str, limit: int, *, owned: bool) -> None:
        """Args: owned: close the client at the end."""
        self._client, self._user_id, self._limit, self._owned = client, user_id, limit, owned
        self.context = Config.load().context
        self._blocks = Blocks(self.context)

    def find(self, query: str) -> Found:
        """Two requests."""
        known = self._client.conscious(self._user_id)
        return Found(self._blocks.of(known, self._client.recall(query, self._user_id, self._limit)))

    def tell(self, said: Sequence[Said], key: str) -> None:
        """Tells the service, with retries."""
        self._client.ingest(list(said), self._user_id, idempotency_key=key)

    def used(self, found: Found) -> None:
        """The service has done that."""

    def close(self) -> None:
        """Closes the connections."""
        if self._owned:
            self._client.close()


def store_of(memory: Memory | Client | str, user_id: str, limit: int, api_key: str | None) -> Store:
    """The store for a memory, a client of the service, or the service's URL."""
    if isinstance(memory, str):
        return There(Client(memory, api_key), user_id, limit, owned=True)
    if isinstance(memory, Client):
        return There(memory, user_id, limit, owned=False)
    return Here(memory, user_id, limit)


@dataclass(slots=True)
class Counts:
    """What happened since the beginning."""

    turns: int = 0  # questions that the memory was asked
    in_time: int = 0  # … and answered within the budget
    ahead: int = 0  # … which had been looked up before the words were complete
    late: int = 0  # answers that came too late: the pipeline went on without
    kept: int = 0  # … and were put into the next turn
    injected: int = 0  # turns that something was put into
    told: int = 0  # messages that were remembered
    failed: int = 0  # lookups and tellings that raised
    dropped: int = 0  # … for which there was no room or no time left

    def as_dict(self) -> dict[str, int]:
        """By name."""
        return asdict(self)


class Beside:
    """Asks and tells one store on threads of its own. Safe across threads."""

    def __init__(self, store: Store) -> None:
        self.store, self.counts = store, Counts()
        self._readers = Workers("recall", READERS, READERS_WAITING)
        self._writer = Workers("remember", 1, TELLERS_WAITING, exit_s=EXIT_S)
        self._lock = threading.Lock()
        self._newest: tuple[tuple[str, ...], Future[Found]] | None = None
        self._warned: set[str] = set()

    def warm_up(self) -> None:
        """Loads what the first lookup would wait for."""
        self._begin("hello")

    def ahead(self, partial: str) -> None:
        """Begins to look up words that are not complete yet."""
        said = tuple(words(partial))
        with self._lock:
            if not said or (self._newest is not None and self._newest[0] == said):
                return
            if self._newest is not None:
                self._newest[1].cancel()  # one that waits; one that runs goes on
            future = self._begin(partial)
            self._newest = None if future is None else (said, future)

    def ask(self, question: str) -> Future[Found] | None:
        """The lookup for a whole question, begun ahead if its words were guessed; None: there is none."""
        said = tuple(words(question))
        with self._lock:
            newest, self._newest = self._newest, None
        self.counts.turns += 1
        if newest is not None and newest[0] == said and not newest[1].cancelled():
            self.counts.ahead += 1
            return newest[1]
        return self._begin(question)

    def tell(self, said: Sequence[Said]) -> None:
        """Queues what was newly said."""
        if said:
            key = uuid4().hex
            self._write("remember", lambda: self._told(said, key))

    def used(self, found: Found) -> None:
        """It was put into a prompt."""
        self._write("rehearse", lambda: self.store.used(found))

    def close(self, timeout_s: float = EXIT_S) -> None:
        """Tells what is left, for so long, and ends."""
        self._readers.close()
        self.counts.dropped += self._writer.close(timeout_s)
        try:
            self.store.close()
        except Exception as error:
            self.failed("close", error)

    def flush(self, timeout_s: float) -> bool:
        """Waits until all is told; False when it is not by then."""
        return self._writer.flush(timeout_s)

    def failed(self, doing: str, error: BaseException) -> None:
        """Counts an error, and says the first of its kind."""
        full = isinstance(error, QueueFull | CancelledError)
        self.counts.dropped += full
        self.counts.failed += not full
        kind = f"{doing}: {type(error).__name__}"
        if kind not in self._warned:
            self._warned.add(kind)
            _log.warning("%s: %s (said once; the talk goes on)", kind, error)

    def _told(self, said: Sequence[Said], key: str) -> None:
        self.store.tell(said, key)
        self.counts.told += len(said)

    def _begin(self, query: str) -> Future[Found] | None:
        try:
            return self._readers.submit(lambda: self.store.find(query))
        except QueueFull as error:
            self.failed("recall", error)
            return None

    def _write(self, doing: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:
                self.failed(doing, error)

        try:
            self._writer.submit(guarded)
        except QueueFull as error:
            self.failed(doing, error)


class Transcript:
    """What of a talk is new: a pipeline hands over the whole context with every turn."""

    def __init__(self) -> None:
        self._heard: list[bytes] | None = None

    def new(self, said: Sequence[Said]) -> list[Said]:
        """The messages that have not been given here yet.

        Of the first list only what the user said last is new: what stands before it was said before this
        memory was there. So it is when a context was made anew in a way that has nothing in common with the
        one before.
        """
        keys = [f"{one['role']}\0{one['content']}".encode("utf-8", "replace") for one in said]
        heard, self._heard = self._heard, keys
        for skipped in range(len(keys) if heard else 0):  # a summary may stand in place of the beginning
            if known := known_beginning(heard or (), keys[skipped:]):
                return list(said[skipped + known :])
        last = len(said)
        while last and said[last - 1]["role"] == "user":
            last -= 1
        return list(said[last:])


def said_in(message: Mapping[str, Any], text: str) -> Said | None:
    """A message as the memory takes it, without what memories put into it; None: nobody said anything."""
    role, plain = message.get("role"), without_injected(text)
    if role not in ("user", "assistant") or not plain:
        return None
    name = message.get("name")
    return {"role": str(role), "content": plain} | ({"name": name} if isinstance(name, str) and name else {})


def with_kept(block: Block, kept: Block | None, most_tokens: int) -> str:
    """A block's text, and below it what a late block has that this one has not, where there is room."""
    if kept is None or block.tokens + kept.tokens > most_tokens:
        return block.whole
    if not block.lines:
        return kept.whole
    there = set(block.whole.split("\n"))
    missing = [line for line in kept.recalled.split("\n") if line.startswith("- ") and line not in there]
    if not missing:
        return block.whole
    frame = [line for line in kept.recalled.split("\n") if not line.startswith("- ")]
    return "\n".join([block.whole, *frame[:-1], *missing, frame[-1]])
