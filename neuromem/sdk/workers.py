"""A few threads and a bounded queue: work that may hang without holding up the program or its end.

The threads are daemons, start when there is work and end when there has been none for a while, so that a
client that is made and dropped leaves nothing behind.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar
from weakref import WeakSet

__all__ = ["QueueFull", "Workers"]

T = TypeVar("T")
IDLE_S = 5.0


class QueueFull(Exception):
    """So much is waiting that no more is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """Work in the queue."""

    future: Future[Any]
    work: Callable[[], Any]
    keys: frozenset[str]


class Workers:
    """Threads that take work from one queue, in order.

    Work that shares a key is done one after the other; what waits for its key holds up nobody else.

    Args:
        most: threads at a time. waiting: how much may wait for them.
        exit_s: how long the end of the program waits for what is still to be done.
    """

    def __init__(self, name: str, most: int, waiting: int, exit_s: float = 0.0) -> None:
        self._name, self._most, self._waiting, self._exit_s = name, most, waiting, exit_s
        self._jobs: deque[_Job] = deque()
        self._taken: set[str] = set()  # keys of the work that is being done
        self._threads: list[threading.Thread] = []
        self._idle = self._busy = 0
        self._closed = False
        self._changed = threading.Condition()
        _EVERY.add(self)

    def submit(self, work: Callable[[], T], keys: Collection[str] = ()) -> Future[T]:
        """Puts work into the queue.

        Args:
            keys: nothing else that has one of them is done at the same time, or before what came earlier.

        Raises:
            QueueFull: the queue is full, or closed.
        """
        future: Future[T] = Future()
        with self._changed:
            if self._closed or len(self._jobs) >= self._waiting:
                raise QueueFull(f"{self._waiting} are waiting already")
            self._jobs.append(_Job(future, work, frozenset(keys)))
            self._threads = [thread for thread in self._threads if thread.is_alive()]  # a fork leaves none
            if not self._threads:
                self._idle = self._busy = 0
                self._taken.clear()
            self._start_as_needed()
            self._changed.notify_all()
        return future

    def flush(self, timeout_s: float) -> bool:
        """Waits until everything is done; False when it is not by then, or nobody is left to do it."""
        until = time.monotonic() + timeout_s
        with self._changed:
            while self._jobs or self._busy:
                left = until - time.monotonic()
                if left <= 0 or not any(thread.is_alive() for thread in self._threads):  # none after a fork
                    return False
                self._changed.wait(left)
        return True

    def close(self, timeout_s: float = 0.0) -> int:
        """Ends the threads, after so long at most; returns how much was left undone.

        What a thread is doing then, it does to its end.
        """
        self.flush(timeout_s)
        with self._changed:
            self._closed = True
            left = [job.future for job in self._jobs]
            self._jobs.clear()
            self._changed.notify_all()
        for future in left:
            future.cancel()
        return len(left)

    def after_fork(self) -> None:
        """In a new process: a thread that held the lock then is not there to give it back."""
        self._changed = threading.Condition()

    def _start_as_needed(self) -> None:
        """One more thread when more can be done now than those that wait will take."""
        ready = sum(1 for _ in islice(self._ready(), self._idle + 1))
        if ready > self._idle and len(self._threads) < self._most:
            self._start()

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"neuromem-{self._name}", daemon=True)
        thread.start()  # its first step waits for the lock, which is held here
        self._threads.append(thread)
        self._idle += 1
        if self._exit_s and len(self._threads) == 1:
            atexit.register(self.flush, self._exit_s)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            keys = job.keys
            try:
                if job.future.set_running_or_notify_cancel():
                    _settle(job.future, job.work)
            finally:
                del job
                with self._changed:
                    self._busy -= 1
                    self._idle += 1
                    self._taken -= keys
                    with suppress(RuntimeError):  # at its end a program starts none: this one does all
                        self._start_as_needed()  # for what waited for these keys
                    self._changed.notify_all()

    def _next(self) -> _Job | None:
        """The next work; None when there has been none for a while."""
        with self._changed:
            job = next(self._ready(), None)
            if job is None:
                self._changed.wait_for(lambda: self._closed or any(self._ready()), IDLE_S)
                job = next(self._ready(), None)
            self._idle -= 1
            if job is not None:
                self._jobs.remove(job)
                self._busy += 1
                self._taken |= job.keys
                return job
            self._threads.remove(threading.current_thread())
            if not self._threads:
                atexit.unregister(self.flush)
            return None

    def _ready(self) -> Iterator[_Job]:
        """The work that can be done now, at the same time: no other with one of its keys goes before it."""
        held = set(self._taken)
        for job in self._jobs:
            if held.isdisjoint(job.keys):
                yield job
            held |= job.keys


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    try:
        result = work()
    except BaseException as error:  # it is raised where the result is asked for
        future.set_exception(error)
    else:
        future.set_result(result)


_EVERY: WeakSet[Workers] = WeakSet()


def _after_fork() -> None:
    for workers in list(_EVERY):
        workers.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
