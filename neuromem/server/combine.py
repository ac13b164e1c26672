"""Adds that wait for the same owner are told together: one write loop, one commit.

A bank must come out of its log bit for bit, so talk of different owners is never in one write loop; the log
joins their commits by itself.
"""

from __future__ import annotations

import threading
from collections import Counter

from ..engine import Engine, Written
from ..identity import Owner
from ..telling import CHUNK, Call, add_all
from ..together import Together

__all__ = ["Combiner"]


class Combiner:
    """Tells what several threads want to tell."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.counts: Counter[str] = Counter()  # "items": calls of `add`; "calls": write loops for them
        self._lock = threading.Lock()
        self._owners: dict[str, tuple[Together[Call, list[Written]], list[None]]] = {}

    def add(self, owner: Owner, call: Call) -> list[Written]:
        """As `Memory.add`; durable when it returns."""
        with self._lock:
            if owner.name not in self._owners:
                self._owners[owner.name] = (self._teller(owner), [])
            together, users = self._owners[owner.name]
            users.append(None)
        try:
            return together(call)
        finally:
            with self._lock:
                users.pop()
                if not users:
                    del self._owners[owner.name]

    def _teller(self, owner: Owner) -> Together[Call, list[Written]]:
        def tell(calls: list[Call]) -> list[list[Written]]:
            return add_all(self.engine, owner, calls)

        return Together(tell, CHUNK, lambda call: len(call.turns), self.counts)
