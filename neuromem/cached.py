"""What was worked out of texts lately, kept at hand: `functools.lru_cache` that deletes can empty.

Words that somebody said stand in such caches as keys. When a memory is deleted, they all are emptied
(`Engine.forget_readings`): what fills them again takes milliseconds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["CACHES", "forget_texts", "of_texts"]

T = TypeVar("T")
CACHES: list[functools._lru_cache_wrapper[Any]] = []


def of_texts(most: int) -> Callable[[Callable[..., T]], functools._lru_cache_wrapper[T]]:
    """Keeps the last `most` results of a pure function of texts. Safe across threads."""

    def keeping(function: Callable[..., T]) -> functools._lru_cache_wrapper[T]:
        cached = functools.lru_cache(maxsize=most)(function)
        CACHES.append(cached)
        return cached

    return keeping


def forget_texts() -> None:
    """Empties all of them."""
    for cache in CACHES:
        cache.cache_clear()
