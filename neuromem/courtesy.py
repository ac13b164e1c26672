"""Giving way: long work pauses between its steps while somebody waits for a short answer.

A server writes and answers in one process, on few processors and under Python's one lock. A search that comes
while something is written would take twice as long, and those behind it, too. Whoever runs long work says
with `giving_way` how to wait; the loops of the library ask with `give_way` between two steps. Nothing that is
computed depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["give_way", "giving_way"]

_WAIT: ContextVar[Callable[[], None] | None] = ContextVar("neuromem_wait", default=None)


@contextmanager
def giving_way(wait: Callable[[], None]) -> Iterator[None]:
    """Has the long work of this thread give way, for the length of a `with`.

    Args:
        wait: returns when the work may go on; called while an owner's lock is held, so it must not wait for
            anything that needs that owner.
    """
    before = _WAIT.set(wait)
    try:
        yield
    finally:
        _WAIT.reset(before)


def give_way() -> None:
    """Waits, where this thread gives way and somebody else is to go first."""
    wait = _WAIT.get()
    if wait is not None:
        wait()
