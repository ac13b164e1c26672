"""What was worked out of texts lately, kept at hand: `functools.lru_cache` and others that deletes can empty.

Words that somebody said stand in such caches as keys. When a memory is deleted, all that were made with
`of_texts` or named with `forgets_texts`, by modules and by objects that are still there, are emptied
(`Writer.forget_readings`): what fills them again takes milliseconds. Not reached are other processes, such as
a client of the service, and what is no cache: an assistant has its talk at hand as long as it lasts.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

__all__ = ["CACHES", "ForgetsTexts", "forget_texts", "forgets_texts", "of_texts"]

T = TypeVar("T")


class ForgetsTexts(Protocol):
    """What keeps texts in its own way."""

    def forget_texts(self) -> None:
        """Drops them; may be called by any thread."""


CACHES: WeakSet[functools._lru_cache_wrapper[Any]] = WeakSet()  # weak: some are of one object, and go with it
_OTHERS: WeakSet[ForgetsTexts] = WeakSet()
_LOCK = threading.Lock()  # of both sets


def of_texts(most: int) -> Callable[[Callable[..., T]], functools._lru_cache_wrapper[T]]:
    """Keeps the last `most` results of a pure function of texts. Safe across threads."""

    def keeping(function: Callable[..., T]) -> functools._lru_cache_wrapper[T]:
        cached = functools.lru_cache(maxsize=most)(function)
        with _LOCK:
            CACHES.add(cached)
        return cached

    return keeping


def forgets_texts(holder: ForgetsTexts) -> None:
    """Has an object told when it is to drop its texts, for as long as it is there."""
    with _LOCK:
        _OTHERS.add(holder)


def forget_texts() -> None:
    """Empties all of them."""
    with _LOCK:
        caches, others = list(CACHES), list(_OTHERS)
    for cache in caches:
        cache.cache_clear()
    for holder in others:
        holder.forget_texts()
