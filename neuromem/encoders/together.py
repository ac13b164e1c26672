"""Questions that many threads ask at once go through the encoder together.

The product of a few rows with a matrix takes the time in which the matrix is read, so eight questions in one
pass cost little more than two. Nobody waits for company: who comes first goes alone, and those who come
meanwhile go together when it is done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from torch import Tensor

__all__ = ["Together"]


class _Asked:
    """A text that waits for its vector."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.leads = False  # its thread runs the next pass
        self.vector: Tensor | None = None
        self.error: BaseException | None = None
        self.woken = threading.Event()


class Together:
    """text → vector, by whichever thread runs the pass that the text is in."""

    def __init__(self, encode: Callable[[Sequence[str]], Tensor], most: int = 16) -> None:
        """
        Args:
            encode: texts → [B, W]. most: texts of one pass.
        """
        self._encode, self._most = encode, most
        self._lock = threading.Lock()
        self._waiting: list[_Asked] = []
        self._busy = False

    def __call__(self, text: str) -> Tensor:
        """[W]: the vector of a text. What `encode` raises is raised for all texts of its pass."""
        asked = _Asked(text)
        with self._lock:
            self._waiting.append(asked)
            asked.leads, self._busy = not self._busy, True
        if not asked.leads:
            try:
                asked.woken.wait()
            except BaseException:  # interrupted: nobody may wait for this thread
                self._leave(asked)
                raise
        if asked.leads:
            self._pass()
        if asked.error is not None:
            raise asked.error
        assert asked.vector is not None
        return asked.vector

    def _pass(self) -> None:
        """Encodes those who wait; then the first of those who have come since leads, if there is one."""
        with self._lock:
            batch = self._waiting[: self._most]
            del self._waiting[: self._most]
        try:
            for asked, vector in zip(batch, self._encode([asked.text for asked in batch]), strict=True):
                asked.vector = vector
        except BaseException as error:
            for asked in batch:
                asked.error = error
        with self._lock:
            self._hand_over()
        for asked in batch:
            asked.woken.set()

    def _hand_over(self) -> None:
        """Under the lock."""
        self._busy = bool(self._waiting)
        for asked in self._waiting[:1]:
            asked.leads = True
            asked.woken.set()

    def _leave(self, asked: _Asked) -> None:
        with self._lock:
            if asked in self._waiting:
                self._waiting.remove(asked)
                if asked.leads:
                    self._hand_over()
