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

    One lookup runs at a time; of the guesses that come meanwhile only the newest is looked up after it. What
    was found is of no use any more when something was remembered since the lookup began.
    """

    def __init__(self, find: Callable[[str], FoundT], remembered: Callable[[], int] = lambda: 0) -> None:
        """
        Args:
            find: looks a question up; called in a thread of its own, or by `take`.
            remembered: another number whenever something was remembered; called by any thread.
        """
        self._find, self._remembered = find, remembered
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="neuromem-ahead")
        self._lock = Lock()
        self._said: tuple[str, ...] = ()  # words of the newest guess
        self._since = 0  # what was remembered when it came
        self._found: Future[tuple[int, FoundT]] | None = None  # what was remembered before, what was found

    def begin(self, partial: str) -> None:
        """Looks a partial question up, unless that has been done."""
        said, since = _meant(partial), self._remembered()
        with self._lock:
            if not said or (said, since) == (self._said, self._since):
                return
            if self._found is not None:
                self._found.cancel()  # one that waits; one that runs goes on
            self._said, self._since, self._found = said, since, self._pool.submit(self._look, partial)

    def _look(self, partial: str) -> tuple[int, FoundT]:
        return self._remembered(), self._find(partial)

    def take(self, text: str) -> tuple[FoundT, bool]:
        """What was found for a whole question, and whether that had been begun ahead."""
        with self._lock:
            found = self._found if _meant(text) == self._said else None
            self._said, self._found = (), None
        if found is not None and not found.cancelled():
            since, known = found.result()
            if since == self._remembered():
                return known, True
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
