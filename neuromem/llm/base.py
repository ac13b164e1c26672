"""What every language model here can do: answer, answer bit by bit, and stop at once.

A model is anything with the methods of `LLM`. Those of this package raise `LLMError` and nothing else
when a call fails, with a `reason` that a caller can act on, and never show a key.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from ..checks import check_range
from ..errors import InvalidInput, NeuromemError

__all__ = [
    "DEFAULT_TIMEOUT_S",
    "LLM",
    "LLMError",
    "Message",
    "Notice",
    "Pieces",
    "Reply",
    "Request",
    "Stream",
    "Switch",
    "cut_at",
    "request_of",
]

DEFAULT_TIMEOUT_S = 60.0
MAX_TIMEOUT_S = 86_400.0
ROLES = ("system", "user", "assistant")

Message = Mapping[str, str]
"""{"role": "system", "user" or "assistant", "content": the words}."""

Notice = Callable[[str], None]
"""Called with a line that says what went otherwise than wished."""


class LLMError(NeuromemError):
    """A model gave no answer that can be used.

    `reason` is one of: "connection" (nobody there, or it broke off), "timeout", "limited" (asked to slow
    down), "auth" (key refused), "request" (the server will not do this), "server" (it failed), "refused"
    (the model declines), "empty", "invalid" (not the protocol), "too long" (more than the model can read).
    """

    def __init__(
        self, reason: str, message: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status  # of HTTP
        self.retry_after_s = retry_after_s  # as the server asked


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    text: str
    finish: str = "stop"  # or "length": cut off at max_tokens
    prompt_tokens: int | None = None  # as the model counted; None where it does not tell
    reply_tokens: int | None = None


class Pieces(Protocol):
    """An answer bit by bit; a generator is one. Closing it ends the answer at once."""

    def __iter__(self) -> Iterator[str]: ...

    def __next__(self) -> str: ...

    def close(self) -> None:
        """Ends the answer; nothing more comes."""


class LLM(Protocol):
    """A language model that keeps nothing from one call to the next."""

    @property
    def name(self) -> str:
        """What to call it in messages: never a key."""

    @property
    def context_tokens(self) -> int | None:
        """Tokens that prompt and answer may have together; None when unknown."""

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        schema: Mapping[str, Any] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Reply:
        """The whole answer.

        Args:
            messages: the conversation, oldest first.
            max_tokens: length at which the answer is cut off.
            temperature: 0 takes the likeliest word each time.
            stop: strings before which the answer ends.
            schema: JSON schema of the answer; kept to where model and server can, so check the answer.
            timeout_s: for everything, waiting and asking again included.

        Raises:
            LLMError: no answer.
            InvalidInput: an argument is wrong.
        """

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        schema: Mapping[str, Any] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Pieces:
        """The answer as it comes; arguments and errors as `generate`, errors while iterating."""

    def count(self, text: str) -> int | None:
        """Tokens of a text; None where only the far side could tell."""


@dataclass(frozen=True, slots=True)
class Request:
    """Checked arguments of a call."""

    messages: tuple[dict[str, str], ...]
    max_tokens: int
    temperature: float
    stop: tuple[str, ...]
    schema: dict[str, Any] | None
    timeout_s: float


def request_of(
    messages: Sequence[Message],
    max_tokens: int,
    temperature: float,
    stop: Sequence[str],
    schema: Mapping[str, Any] | None,
    timeout_s: float,
) -> Request:
    """The arguments of a call, checked.

    Raises:
        InvalidInput: one is wrong; names it.
    """
    if isinstance(stop, str) or not all(isinstance(one, str) and one for one in stop):
        raise InvalidInput("stop", f"{stop!r} is not a list of strings", "give strings that are not empty")
    check_range("max_tokens", max_tokens, 1, 1_000_000)
    check_range("temperature", temperature, 0, 2)
    check_range("timeout_s", timeout_s, 0.001, MAX_TIMEOUT_S)
    return Request(
        _checked_messages(messages), int(max_tokens), float(temperature), tuple(stop),
        None if schema is None else dict(schema), float(timeout_s),
    )  # fmt: skip


def _checked_messages(messages: Sequence[Message]) -> tuple[dict[str, str], ...]:
    if isinstance(messages, str | Mapping) or not messages:
        raise InvalidInput("messages", "is not a list of messages", "give [{role, content}, ...]")
    out = []
    for index, message in enumerate(messages):
        role, content = message.get("role"), message.get("content")
        if role not in ROLES:
            problem = f"{role!r} is not known"
            raise InvalidInput(f"messages[{index}].role", problem, f"give one of {', '.join(ROLES)}")
        if not isinstance(content, str):
            raise InvalidInput(f"messages[{index}].content", "is not a string", "give the words as a string")
        out.append({"role": role, "content": content})
    return tuple(out)


class Switch:
    """Ends a call from any thread, by hand or when its time is up."""

    def __init__(self) -> None:
        self._thrown = threading.Event()
        self._lock = threading.Lock()
        self._hook: Callable[[], None] | None = None
        self.late = False  # thrown because the time was up

    def throw(self, late: bool = False) -> None:
        """Ends the call; once is enough."""
        with self._lock:
            first = not self._thrown.is_set()
            self.late = self.late or (late and first)
            self._thrown.set()
            hook = self._hook
        if hook is not None:
            hook()

    @property
    def thrown(self) -> bool:
        """Whether the call is over."""
        return self._thrown.is_set()

    def wait(self, seconds: float) -> bool:
        """Waits so long or until thrown; tells whether it was."""
        return self._thrown.wait(seconds)

    def on_throw(self, hook: Callable[[], None] | None) -> None:
        """What to do when thrown, at once if that has happened; None for nothing."""
        with self._lock:
            self._hook = hook
        if hook is not None and self.thrown:
            hook()

    def after(self, seconds: float) -> threading.Timer:
        """A running timer that throws it; cancel it when the call is done."""
        timer = threading.Timer(max(0.0, seconds), self.throw, kwargs={"late": True})
        timer.daemon = True
        timer.start()
        return timer


class Stream:
    """An answer bit by bit. `close` ends it at once, from any thread; then iterating simply stops."""

    def __init__(self, pieces: Callable[[Switch], Iterator[str]]) -> None:
        """Args: pieces: makes the generator that yields them; it ends when the switch is thrown."""
        self._switch = Switch()
        self._pieces = pieces(self._switch)
        self._lock = threading.Lock()  # held while a piece is waited for
        self._closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        with self._lock:
            if self._closed:
                raise StopIteration
            try:
                piece = next(self._pieces)
            except LLMError:
                if not self._closed:  # else it is the sound of the line being cut
                    raise
                raise StopIteration from None
            if self._closed:
                self._end()
                raise StopIteration
            return piece

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the answer at once."""
        self._closed = True
        self._switch.throw()
        if self._lock.acquire(blocking=False):  # else the thread that waits for a piece is woken and ends it
            try:
                self._end()
            finally:
                self._lock.release()

    def _end(self) -> None:
        end = getattr(self._pieces, "close", None)
        if end is not None:
            end()


def cut_at(pieces: Iterator[str], stop: Sequence[str]) -> Iterator[str]:
    """The pieces up to the first of the strings, which may lie across several of them."""
    held = ""
    longest = max(map(len, stop), default=1)
    for piece in pieces:
        held += piece
        places = [place for place in (held.find(one) for one in stop) if place >= 0]
        if places:
            yield held[: min(places)]
            return
        safe = len(held) - longest + 1
        if safe > 0:
            yield held[:safe]
            held = held[safe:]
    if held:
        yield held
