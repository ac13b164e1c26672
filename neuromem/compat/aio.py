"""`AsyncMemory`: the same in threads, so that an event loop is never held up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from functools import wraps
from typing import Any, Self, TypeVar

from .main import Memory

__all__ = ["AsyncMemory"]

R = TypeVar("R")


def _in_thread(method: Callable[..., R]) -> Callable[..., Coroutine[Any, Any, R]]:
    @wraps(method)
    async def call(self: AsyncMemory, *args: Any, **kwargs: Any) -> R:
        return await asyncio.to_thread(method, self.sync, *args, **kwargs)

    return call


class AsyncMemory:
    """As `Memory`, to be awaited. Calls under `asyncio.gather` that add for one owner share a write loop.

    mem0 1.x has `from_config` awaited, 2.x has not: both work.
    """

    def __init__(self, config: Any = None) -> None:
        self.sync = Memory(config)
        self.config, self.ignored = self.sync.config, self.sync.ignored

    @classmethod
    def from_config(cls, config_dict: dict[str, Any]) -> Self:
        """A memory of a configuration."""
        return cls(config_dict)

    def __await__(self) -> Generator[Any, None, Self]:
        yield from ()
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """As `Memory.close`."""
        self.sync.close()

    add = _in_thread(Memory.add)
    search = _in_thread(Memory.search)
    get = _in_thread(Memory.get)
    get_all = _in_thread(Memory.get_all)
    update = _in_thread(Memory.update)
    delete = _in_thread(Memory.delete)
    delete_all = _in_thread(Memory.delete_all)
    history = _in_thread(Memory.history)
    reset = _in_thread(Memory.reset)
    chat = _in_thread(Memory.chat)
