"""Recall that begins before the words are complete, so that it costs nothing when they are."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import Generic, TypeVar

from ..text import words

__all__ = ["Ahead"]

FoundT = TypeVar("FoundT")
SAYS_NOTHING = frozenset("a an the uh um er well so okay please".split())  # to what is looked up


class Ahead(Generic[FoundT]):
    """The newest guess at a question, looked up on the side.

    One lookup runs at a time; of the guesses that come meanwhile only the newest is looked up after it.
    """

    def __init__(self, find: Callable[[str], FoundT]) -> None:
        """Args: find: looks a question up; called in a thread of its own, or by `take`."""
        self._find = find
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="neuromem-ahead")
        self._lock = Lock()
        self._said: tuple[str, ...] = ()  # words of the newest guess
        self._found: Future[FoundT] | None = None

    def begin(self, partial: str) -> None:
        """Looks a partial question up, unless that has been done."""
        said = _meant(partial)
        with self._lock:
            if not said or said == self._said:
                return
            if self._found is not None:
                self._found.cancel()  # one that waits; one that runs goes on
            self._said, self._found = said, self._pool.submit(self._find, partial)

    def take(self, text: str) -> tuple[FoundT, bool]:
        """What was found for a whole question, and whether that had been begun ahead."""
        with self._lock:
            found = self._found if _meant(text) == self._said else None
            self._said, self._found = (), None
        if found is not None and not found.cancelled():
            return found.result(), True
        return self._find(text), False

    def wait(self, seconds: float) -> bool:
        """Waits for the newest lookup. Returns False when it has not ended in that time."""
        with self._lock:
            found = self._found
        return found is None or not wait([found], seconds).not_done

    def close(self) -> None:
        """Ends the thread; a lookup under way is waited for."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _meant(text: str) -> tuple[str, ...]:
    """Words that a lookup depends on: recognizers change their mind about the small ones at the end."""
    return tuple(word for word in words(text) if word not in SAYS_NOTHING)
