"""One turn of talk: its answer as it comes, what it was made from, and the turn while it is under way."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Self

from .. import telling
from ..context import Context
from ..engine import Written
from ..errors import InvalidInput
from ..recall import Recall

__all__ = ["Answering", "Reply", "Turn"]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and what it was made from."""

    text: str
    recalled: tuple[Recall, ...] = ()  # what was found for it, best first
    latency_ms: float = 0.0  # from the words to the first piece of the answer, the model's own time left out
    stages: Mapping[str, float] = field(default_factory=dict)  # ms: hear, recall, context, model, answer, …
    used: tuple[Recall, ...] = ()  # what the answer says; with a model, what it was shown first
    known: bool = True  # False: "I don't know that"
    written: tuple[Written, ...] = ()  # facts that were remembered from the user's words
    notice: str = ""  # why the model did not answer, when the responder had to
    interrupted: bool = False  # closed before its end: `text` is what was said until then
    build: Callable[[], Context] | None = field(default=None, repr=False, compare=False)  # the prompt

    @property
    def context(self) -> Context | None:
        """The prompt as messages, with its tokens; built when first asked for where no model was given it."""
        return None if self.build is None else self.build()

    @property
    def prompt(self) -> str:
        """The exact prompt, as one text."""
        context = self.context
        return "" if context is None else context.text


class Answering:
    """An answer bit by bit. Closing it ends it at once; `reply` is there when it has ended."""

    def __init__(self, pieces: Generator[str, None, None], turn: Turn) -> None:
        self._pieces, self._turn = pieces, turn

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        return next(self._pieces)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the answer; what was said of it stays part of the talk."""
        self._pieces.close()

    @property
    def reply(self) -> Reply:
        """The whole of it; waits until what was said is remembered.

        Raises:
            InvalidInput: it has not ended.
        """
        if self._turn.ending is None:
            raise InvalidInput("reply", "the answer has not ended", "read it to its end, or close it, first")
        return self._turn.ending.result()


@dataclass(slots=True)
class Turn:
    """One turn under way."""

    text: str
    now: float  # Unix seconds
    started: float  # perf_counter
    timestamp: float | None
    stages: dict[str, float] = field(default_factory=dict)
    recalled: list[Recall] = field(default_factory=list)
    used: tuple[Recall, ...] = ()
    known: bool = True
    build: Callable[[], Context] | None = None  # its prompt
    call: telling.Call | None = None  # the user's words, once they are in the log
    place: int = -1  # … and where
    written: list[Written] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)  # memories
    said: list[str] = field(default_factory=list)
    first_ms: float = 0.0
    notice: str = ""
    ending: Future[Reply] | None = None  # there when the last piece was given

    def lap(self, stage: str, since: float) -> None:
        """Books the time since then under a stage."""
        self.stages[stage] = self.stages.get(stage, 0.0) + (time.perf_counter() - since) * 1_000
