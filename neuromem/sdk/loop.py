"""One thread with an event loop, for those who cannot await.

All calls of a client run there, side by side, so that a server that hangs costs a socket until the deadline
and never a thread. The thread starts with the first call; after a fork, with the next one.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from ..errors import Closed

__all__ = ["Loop"]

T = TypeVar("T")
STOP_S = 2.0


class Loop:
    """Runs coroutines on a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.is_stopped = False

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begins work; cancelling the future cancels the work.

        Raises:
            Closed: it was stopped.
        """
        try:
            with self._lock:  # what is begun is known to the loop before it can be told to stop
                return asyncio.run_coroutine_threadsafe(work, self._running())
        except Closed:
            work.close()
            raise

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Does work and waits for it.

        Raises:
            Closed: it was stopped, perhaps by another thread in the midst of this.
        """
        future = self.submit(work)
        try:
            return future.result()
        except CancelledError as error:
            if not self.is_stopped:
                raise
            raise Closed(
                "this client was closed before it was answered; what was asked may have been done"
            ) from error
        except BaseException:
            future.cancel()  # the caller was interrupted: nobody waits for it any more
            raise

    def stop(self) -> None:
        """Ends the thread for good."""
        with self._lock:
            self.is_stopped = True
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is not None and thread is not None and thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
            thread.join(STOP_S)

    def _running(self) -> asyncio.AbstractEventLoop:
        """The loop, which runs; called with the lock held."""
        if self.is_stopped:
            raise Closed("this client was closed; make a new one")
        if self._loop is None or self._thread is None or not self._thread.is_alive():
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=_serve, args=(self._loop,), name="neuromem-loop", daemon=True
            )
            self._thread.start()
            weakref.finalize(self, _stop, self._loop)
        return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(_end())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


async def _end() -> None:
    """Cancels what is left, and lets the sockets close."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for _ in range(3):
        await asyncio.sleep(0)


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)
