"""One call of a language model, from the memory's side: before it, during its answer, after it."""

from __future__ import annotations

from typing import Any

from ..context.lines import printable
from ..echo import without_injected
from .block import Block
from .dialects import Arguments, Dialect
from .sidecar import Sidecar
from .store import Said

__all__ = ["Exchange"]

MOST_ASKED = 2_000  # characters of the user's words that are asked with: their end


class Exchange:
    """One call. `call` holds the arguments to be used: the caller's own, until something is recalled.

    Args:
        call: the caller's arguments; never changed.
    """

    def __init__(self, sidecar: Sidecar, dialect: Dialect, call: Arguments) -> None:
        self.call = call
        self._sidecar, self._dialect = sidecar, dialect
        self._user_id: str | None = None
        self._question = ""
        self._said: list[dict[str, Any]] = []
        self._pieces: list[str] = []
        if sidecar.enabled:
            with sidecar.fails_open("reading a call"):
                self._read()

    def _read(self) -> None:
        self._sidecar.stats.add("calls")
        self.call = self._dialect.settled(self.call)
        named = self._dialect.owner(self.call)
        user_id = self._sidecar.user_id if _is_left_out(named) else _name(named)
        if user_id is None:
            self._sidecar.ownerless()
            return
        self._said = self._dialect.said(self.call)
        self._question = self._dialect.question(self.call)[-MOST_ASKED:].strip()
        self._user_id = user_id  # last: who is named is remembered

    # -- before ---------------------------------------------------------------------------------

    def recall(self) -> None:
        """Puts in what is known; waits for it no longer than the deadline."""
        if self._user_id is not None and self._question:
            self._put_in(self._sidecar.recall(self._question, self._user_id))

    async def arecall(self) -> None:
        """The same, awaited."""
        if self._user_id is not None and self._question:
            self._put_in(await self._sidecar.arecall(self._question, self._user_id))

    def _put_in(self, block: Block | None) -> None:
        if block is None or not block.lines:
            return
        with self._sidecar.fails_open("putting in what was recalled"):
            self.call = self._dialect.with_block(self.call, block)
            self._sidecar.stats.add("injected")

    # -- after ----------------------------------------------------------------------------------

    def answered(self, answer: object) -> None:
        """The whole answer is there."""
        with self._sidecar.fails_open("reading an answer"):
            self._pieces.append(self._dialect.reply(answer))
        self.end()

    def heard(self, event: object) -> str:
        """An event of a streamed answer came; returns the words it adds."""
        piece = ""
        with self._sidecar.fails_open("reading an answer"):
            piece = self._dialect.piece(event)
            if piece:
                self._pieces.append(piece)
        return piece

    def end(self) -> None:
        """The answer is over, or is read no further: what was said so far is told to the memory, once."""
        user_id, self._user_id = self._user_id, None
        if user_id is None:
            return
        with self._sidecar.fails_open("reading an answer"):
            answer = without_injected(printable("".join(self._pieces)))
            messages = [*self._said, *([{"role": "assistant", "content": answer}] if answer else [])]
            if messages:
                self._sidecar.tell(Said(user_id, messages))


def _is_left_out(given: object) -> bool:
    """None, or the marks that the clients have for "not given"."""
    return given is None or type(given).__name__ in ("NotGiven", "Omit")


def _name(given: object) -> str | None:
    """Whom a call names; None where that is no name: somebody else's memory would not do instead."""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return given if isinstance(given, str) and given.strip() else None
