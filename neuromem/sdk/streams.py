"""Streamed answers: passed on event by event as they come, and listened to.

What was said is told to the memory when the stream ends, is closed, breaks, or is dropped half-way.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from .exchange import Exchange
from .proxy import Proxy, original

__all__ = ["AsyncStream", "Manager", "Stream"]


class _Listening(Proxy):
    __slots__ = ("_neuromem_events", "_neuromem_exchange")

    def __init__(self, inner: Any, events: Any, exchange: Exchange) -> None:
        super().__init__(inner)
        object.__setattr__(self, "_neuromem_events", events)
        object.__setattr__(self, "_neuromem_exchange", exchange)
        weakref.finalize(self, exchange.end).atexit = False  # dropped half-way, without a close

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        if name == "until_done" or name.startswith("get_final_"):  # reads to the end
            return self._after_all(value)
        return value

    def _after_all(self, finish: Callable[..., Any]) -> Callable[..., Any]:
        """A method that reads the rest, in such a way that the rest is listened to."""
        raise NotImplementedError


class Stream(_Listening):
    """A streamed answer, listened to."""

    __slots__ = ()

    def __init__(self, inner: Any, exchange: Exchange) -> None:
        super().__init__(inner, iter(inner), exchange)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._next()[0]

    def _next(self) -> tuple[Any, str]:
        """The next event, and the words that it adds."""
        try:
            event = next(self._neuromem_events)
        except BaseException:  # the end, or the line broke, or the caller was interrupted
            self._neuromem_exchange.end()
            raise
        return event, self._neuromem_exchange.heard(event)

    @property
    def text_stream(self) -> Iterator[str]:
        """Only the words, where the SDK has such a stream."""
        _ = original(self).text_stream
        return self._texts()

    def _texts(self) -> Iterator[str]:
        while True:
            try:
                piece = self._next()[1]
            except StopIteration:
                return
            if piece:
                yield piece

    def _after_all(self, finish: Callable[..., Any]) -> Callable[..., Any]:
        def read_all(*args: Any, **kwargs: Any) -> Any:
            for _ in self:
                pass
            result = finish(*args, **kwargs)
            return self if result is original(self) else result

        return read_all

    def __enter__(self) -> Any:
        original(self).__enter__()
        return self

    def __exit__(self, *raised: Any) -> Any:
        try:
            return original(self).__exit__(*raised)
        finally:
            self._neuromem_exchange.end()

    def close(self) -> None:
        """Closes the answer."""
        try:
            original(self).close()
        finally:
            self._neuromem_exchange.end()


class AsyncStream(_Listening):
    """A streamed answer, awaited and listened to."""

    __slots__ = ()

    def __init__(self, inner: Any, exchange: Exchange) -> None:
        super().__init__(inner, aiter(inner), exchange)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        return (await self._next())[0]

    async def _next(self) -> tuple[Any, str]:
        try:
            event = await anext(self._neuromem_events)
        except BaseException:  # the end, or the line broke, or the task was cancelled
            self._neuromem_exchange.end()
            raise
        return event, self._neuromem_exchange.heard(event)

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """Only the words, where the SDK has such a stream."""
        _ = original(self).text_stream
        return self._texts()

    async def _texts(self) -> AsyncIterator[str]:
        while True:
            try:
                piece = (await self._next())[1]
            except StopAsyncIteration:
                return
            if piece:
                yield piece

    def _after_all(self, finish: Callable[..., Any]) -> Callable[..., Any]:
        async def read_all(*args: Any, **kwargs: Any) -> Any:
            async for _ in self:
                pass
            result = await finish(*args, **kwargs)
            return self if result is original(self) else result

        return read_all

    async def __aenter__(self) -> Any:
        await original(self).__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> Any:
        try:
            return await original(self).__aexit__(*raised)
        finally:
            self._neuromem_exchange.end()

    async def close(self) -> None:
        """Closes the answer."""
        try:
            await original(self).close()
        finally:
            self._neuromem_exchange.end()

    async def aclose(self) -> None:
        """Closes the answer."""
        try:
            await original(self).aclose()
        finally:
            self._neuromem_exchange.end()


class Manager:
    """What ``.stream(…)`` gives: the call is made when it is entered, so that a recall can be awaited."""

    def __init__(self, call: Callable[..., Any], exchange: Exchange) -> None:
        self._call, self._exchange = call, exchange
        self._inner: Any = None

    def __enter__(self) -> Any:
        self._exchange.recall()
        self._inner = self._call(**self._exchange.call)
        return Stream(self._inner.__enter__(), self._exchange)

    def __exit__(self, *raised: Any) -> Any:
        try:
            return self._inner.__exit__(*raised)
        finally:
            self._exchange.end()

    async def __aenter__(self) -> Any:
        await self._exchange.arecall()
        self._inner = self._call(**self._exchange.call)
        return AsyncStream(await self._inner.__aenter__(), self._exchange)

    async def __aexit__(self, *raised: Any) -> Any:
        try:
            return await self._inner.__aexit__(*raised)
        finally:
            self._exchange.end()
