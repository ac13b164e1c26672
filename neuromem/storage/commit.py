"""Group commit: threads that append at once share one commit, and so one wait for the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..errors import NeuromemError, StoreError

__all__ = ["GroupCommit", "Pending"]


@dataclass(eq=False, slots=True)
class Pending:
    """Payloads of one caller, waiting for the commit that takes them along."""

    name: bytes  # owner
    payloads: list[bytes]
    seqs: list[int] | None = None  # once they are durable
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        """Whether it is settled, one way or the other."""
        return self.seqs is not None or self.error is not None


Store = Callable[[Sequence[Pending]], list[list[int]]]


class GroupCommit:
    """Queues what is to be stored; the first thread that finds nobody committing commits it all."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._busy = False
        self._queue: list[Pending] = []
        self.commits = 0
        self.appends = 0

    def submit(self, pending: Pending, store: Store) -> list[int]:
        """Returns the seqs once they are durable; raises what kept them from being stored.

        Args:
            pending: a new one.
            store: stores what it is given in one transaction, durably; returns each one's seqs.
        """
        batch: list[Pending] = []
        try:
            with self._turn:
                self._queue.append(pending)
                while self._busy and not pending.done:
                    self._turn.wait()
                if not pending.done:
                    batch, self._queue = self._queue, []
                    self._busy = True
            if batch:
                self._commit(batch, store)
        except BaseException as error:
            self._break_off(pending, batch, error)
            raise
        finally:
            if batch:
                self._leave()
        if pending.error is not None:
            raise pending.error
        assert pending.seqs is not None
        return pending.seqs

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For other changes: nobody commits meanwhile."""
        with self._turn:
            while self._busy:
                self._turn.wait()
            self._busy = True
        try:
            yield
        finally:
            self._leave()

    def _break_off(self, own: Pending, batch: Sequence[Pending], error: BaseException) -> None:
        """Tells those who waited; what is in nobody's batch may not be stored later.

        What another thread is storing is waited for: else nobody could tell whether it is in the log.
        """
        with self._turn:
            if own in self._queue:
                self._queue.remove(own)
            else:
                while own not in batch and self._busy and not own.done:
                    self._turn.wait()
        for pending in batch:
            if not pending.done:
                pending.error = StoreError(f"the commit broke off ({error!r}); see what the log holds")

    def _leave(self) -> None:
        with self._turn:
            self._busy = False
            self._turn.notify_all()

    def _commit(self, batch: Sequence[Pending], store: Store) -> None:
        try:
            stored = store(batch)
        except NeuromemError as error:
            if len(batch) == 1:
                batch[0].error = error
                return
            for pending in batch:  # one that cannot be stored must not fail the others
                self._commit([pending], store)
            return
        self.commits += 1
        self.appends += len(batch)
        for pending, seqs in zip(batch, stored, strict=True):
            pending.seqs = seqs
