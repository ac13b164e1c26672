"""Whose memory it is: each owner's bank, loaded when needed, snapshotted, closed when long unused.

An open owner is a bank and the fold that keeps it in step with the log. Opening loads the last
snapshot and replays what follows; without one that fits (`snapshots.py`: another encoder, other
settings) everything is replayed, with progress, and an interrupted replay goes on at the next opening.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from .appending import Appending
from .bank import SlotBank
from .config import Config
from .errors import NeuromemError, StoreError
from .fold import Fold
from .identity import Owner
from .linear import Threads
from .log import Event, EventLog, Record
from .snapshots import Snapshots, Start
from .writer import Writer, WriteReport

__all__ = ["Notice", "OpenOwner", "Owners", "Progress"]

Progress = Callable[[int, int], None]
"""Called with (done, of how many) during long work."""

Notice = Callable[[str], None]
"""Called with a line that says why long work is done."""


class OpenOwner:
    """An owner's bank in step with the log. Use it under `lock`."""

    def __init__(self, fold: Fold, until: float | None, start: Start) -> None:
        self.fold = fold
        self.until = until  # events after this time are not known yet (a past state)
        self.chain = start.chain  # chain value of the last event looked at, in hex
        self.anew, self.why = start.anew, start.why  # still to be made from the log, and why
        self.lock = threading.RLock()
        self.saved = -1 if start.anew else fold.applied  # events that the last snapshot holds
        self.tried = fold.applied  # events when a snapshot was last due
        self.pending: list[Event] = []  # rehearsals applied to the bank, not yet in the log
        self.appending: Appending | None = None  # the same, on their way there
        self.stale = False  # closed, deleted, or a fold that was interrupted: to be opened anew

    @property
    def bank(self) -> SlotBank:
        """The slots."""
        return self.fold.bank

    @property
    def unsettled(self) -> int:
        """Rehearsals that a crash would take with it."""
        return len(self.pending) + (len(self.appending.events) if self.appending else 0)

    def catch_up(
        self, progress: Progress | None = None, whole: Callable[[], None] | None = None
    ) -> dict[str, WriteReport]:
        """Folds in what the log has that the bank has not; reports what was written, by memory id.

        Args:
            whole: called whenever the bank holds all that was applied, and no batch is under way.
        """
        length = self.fold.log.length(self.fold.owner)
        if length <= self.fold.applied:
            return {}
        records = self.fold.log.events(self.fold.owner, self.fold.applied, length)
        reports: dict[str, WriteReport] = {}
        try:
            if progress is not None:
                progress(self.fold.applied, length)
            for record in self._known(records, length, progress):
                reports |= self.fold.apply([record])
                if whole is not None and record.kind != "add+" and not record.erased:
                    whole()
            return reports | self.fold.finish()
        except BaseException:  # half a batch is in no bank; the log has it all
            self.stale = True
            raise

    def rehearse(self, event: Event) -> None:
        """Applies a rehearsal that will be logged later, before anything else is."""
        try:
            self.fold.rehearse(event.body["ids"], event.time)
            self.pending.append(event)
        except BaseException:  # half a rehearsal is in no log
            self.stale = True
            raise

    def follows(self) -> bool:
        """Whether the log still goes on from what was looked at: another process may have begun it anew."""
        log, name, applied = self.fold.log, self.fold.owner, self.fold.applied
        if applied == 0 or applied > log.length(name):
            return applied == 0
        return log.get(name, applied - 1).chain.hex() == self.chain

    def _known(self, records: Iterator[Record], length: int, progress: Progress | None) -> Iterator[Record]:
        for record in records:
            if self.until is None or record.time <= self.until:
                yield record
            self.chain = record.chain.hex()
            if progress is not None:
                progress(record.seq + 1, length)
        if self.until is not None:
            self.fold.applied = length


class Owners:
    """The open owners of a store, the least recently used closed first."""

    def __init__(
        self,
        folder: Path | None,
        log: EventLog,
        writer: Callable[[], Writer],
        config: Config,
        until: float | None = None,
        readonly: bool = False,
        progress: Progress | None = None,
        notice: Notice | None = None,
    ) -> None:
        """Args:
        folder: where snapshots are kept; None: nowhere.
        writer: gives the write loop, made (and its models loaded) when first needed.
        until: look no further than this time, in Unix seconds.
        progress: called with (events done, events in all) while a bank is brought in step with the log.
        notice: told why, when a bank has to be made anew.
        """
        self.log, self.config, self.until = log, config, until
        self.snapshots = Snapshots(folder if until is None else None, log, writer, config, readonly)
        self.readonly, self.progress, self.notice = readonly, progress, notice
        self.threads = Threads(config.bank.threads)
        self._writer = writer
        self._open: OrderedDict[str, OpenOwner] = OrderedDict()
        self._opening: dict[str, threading.Lock] = {}
        self._lock = threading.RLock()

    @contextmanager
    def use(self, name: str, *, settle: bool = True, follow: bool = True) -> Iterator[OpenOwner]:
        """The owner, locked and in step with the log, for the length of a `with`.

        Args:
            settle: rehearsals that wait for company are logged first.
            follow: False leaves the bank where it is, for who will `remake` it.
        """
        owner = self._locked(name)
        try:
            with self.threads:
                if settle:
                    self.settle(owner)
                else:
                    self._take_outcome(owner, wait=False)
                if self.readonly and not owner.follows():
                    owner.fold, owner.chain = self.fresh(name), ""
                if follow and owner.appending is None:
                    self._follow(owner)
                yield owner
            if not owner.stale and owner.fold.applied - owner.tried >= self.config.log.snapshot_events:
                owner.tried = owner.fold.applied
                with suppress(StoreError):  # what was done is in the log; `close` tries again and says so
                    self.snapshot(owner)
        finally:
            if owner.stale:
                if owner.appending is not None:
                    owner.appending.wait()
                self._remove(owner)
            owner.lock.release()

    def _follow(self, owner: OpenOwner) -> None:
        """Brings a bank in step with the log; one that is made anew is saved on the way and at the end."""
        applied = owner.fold.applied
        self._say_why(owner)
        owner.catch_up(self.progress, (lambda: self._set_aside(owner)) if owner.anew else None)
        with suppress(StoreError):  # `close` tries again and says so
            if owner.why:
                self.snapshot(owner)
            elif owner.fold.applied > applied:  # a delete may have been killed
                self.snapshots.finish_deletes(owner.fold)
        owner.anew, owner.why = False, ""

    def remake(self, owner: OpenOwner, progress: Progress | None) -> None:
        """Makes a bank anew from the first event on, in the place of the one that is there."""
        anew = OpenOwner(self.fresh(owner.fold.owner), None, Start())
        self._say_why(owner)
        try:
            # a snapshot that fits is a better beginning than half a bank
            anew.catch_up(progress or self.progress, (lambda: self._set_aside(anew)) if owner.anew else None)
        except BaseException:
            owner.stale = owner.anew
            raise
        owner.fold, owner.chain, owner.saved = anew.fold, anew.chain, -1
        owner.anew, owner.why = False, ""
        self.snapshot(owner)

    def _say_why(self, owner: OpenOwner) -> None:
        """Tells why a bank is made anew, where there was a snapshot."""
        if not owner.why or self.notice is None:
            return
        name, done = owner.fold.owner, owner.fold.applied
        on = f", going on after {done:,} of {self.log.length(name):,} events" if done else ""
        self.notice(f"{Owner.parse(name).id}: {owner.why}; the bank is made anew from the log{on}")

    def _set_aside(self, owner: OpenOwner) -> None:
        """Keeps a bank that is being made anew, every so many events."""
        if owner.fold.applied - owner.tried >= self.config.log.snapshot_events:
            owner.tried = owner.fold.applied
            with suppress(StoreError):  # only a convenience: the log has it all
                self.snapshots.set_aside(owner.fold)

    def append(self, owner: OpenOwner, events: Sequence[Event]) -> None:
        """Appends an owner's waiting rehearsals, which the bank has already, and events, which it has not."""
        self._take_outcome(owner)
        waiting, begun = owner.pending, self.log.length(owner.fold.owner)
        try:
            sequences = self.log.append_many(owner.fold.owner, [*waiting, *events])
        except BaseException:
            self._check_refused(owner, begun)
            raise
        if waiting:
            last = sequences[len(waiting) - 1]
            owner.pending = []
            owner.fold.applied, owner.chain = last + 1, self.log.get(owner.fold.owner, last).chain.hex()

    def next_place(self, owner: OpenOwner) -> int:
        """The place in the log of the next event that is appended, behind the rehearsals that wait."""
        self._take_outcome(owner)
        return self.log.length(owner.fold.owner) + len(owner.pending)

    def settle(self, owner: OpenOwner) -> None:
        """Logs an owner's waiting rehearsals. On a full disk they go on waiting: reading must not fail."""
        self._take_outcome(owner)
        if owner.pending:
            try:
                self.append(owner, [])
            except StoreError:
                if owner.stale:
                    raise

    def settle_aside(self, owner: OpenOwner) -> None:
        """Logs an owner's waiting rehearsals while others go on: a search does not wait for the disk."""
        self._take_outcome(owner, wait=False)
        if owner.pending and owner.appending is None:
            try:
                owner.appending = Appending(self.log, owner.fold.owner, owner.pending)
                owner.pending = []
            except RuntimeError:  # no more threads
                self.settle(owner)

    def _take_outcome(self, owner: OpenOwner, wait: bool = True) -> None:
        """Notes that rehearsals have reached the log; such as have not go on waiting.

        Args:
            wait: until it is known.
        """
        appending = owner.appending
        if appending is None or not (wait or appending.done):
            return
        appending.wait()
        owner.appending = None
        if appending.end:
            owner.fold.applied, owner.chain = appending.end, appending.chain
        else:
            owner.pending = [*appending.events, *owner.pending]
            self._check_refused(owner, appending.begun)
        if appending.error is not None and (owner.stale or not isinstance(appending.error, StoreError)):
            raise appending.error

    def _check_refused(self, owner: OpenOwner, begun: int) -> None:
        """After an append that failed: whether it is in the log all the same (Ctrl-C while the disk wrote).

        Then the bank has the rehearsals of it, but not the rest: it is opened anew.

        Args:
            begun: events of the owner that were in the log before.
        """
        try:
            refused = self.log.length(owner.fold.owner) == begun
        except NeuromemError:  # nobody can tell
            refused = False
        if not refused:
            owner.stale, owner.pending = True, []

    def settle_all(self) -> None:
        """Brings the log up to date with every open owner."""
        with self._lock:
            names = [name for name, owner in self._open.items() if owner.unsettled]
        for name in names:
            with self.use(name):
                pass

    def _locked(self, name: str) -> OpenOwner:
        """The open owner, its lock held; one that was closed while we waited for it is opened again."""
        while True:
            owner = self._get(name)
            owner.lock.acquire()
            if not owner.stale:
                return owner
            self._remove(owner)  # whoever closed it may have been interrupted before
            owner.lock.release()

    def _get(self, name: str) -> OpenOwner:
        """The open owner. Others go on while one is read from the disk, or another written to it."""
        while True:
            with self._lock:
                if name in self._open:
                    self._open.move_to_end(name)
                    return self._open[name]
                opening = self._opening.setdefault(name, threading.Lock())
            with opening:
                if self._opening.get(name) is opening:  # else another thread has opened it meanwhile
                    try:
                        owner = self._load(name)
                        with self._lock:
                            self._open[name] = owner
                    finally:
                        self._opening.pop(name)
                    self._close_idle()
                    return owner

    def open_now(self) -> list[OpenOwner]:
        """The owners that are open."""
        with self._lock:
            return list(self._open.values())

    def _remove(self, owner: OpenOwner) -> None:
        with self._lock:
            if self._open.get(owner.fold.owner) is owner:
                del self._open[owner.fold.owner]

    def _close_idle(self) -> None:
        """Closes the least recently used owners that nobody holds."""
        with self._lock:
            names = list(self._open)[: max(0, len(self._open) - self.config.bank.open_banks)]
            owners = [self._open[name] for name in names]
        for owner in owners:
            if owner.lock.acquire(blocking=False):
                try:
                    if not owner.stale:
                        with suppress(StoreError):  # the log has it all
                            self.snapshot(owner)
                        owner.stale = True
                    self._remove(owner)
                finally:
                    owner.lock.release()

    # -- snapshots ------------------------------------------------------------------------------

    def _load(self, name: str) -> OpenOwner:
        with self._lock:
            self._writer()  # its models are loaded once, whoever comes first
        fold, start = self.fresh(name), self.snapshots.load(name)
        if start.bank is not None:
            fold.bank, fold.applied = start.bank, start.events
        return OpenOwner(fold, self.until, start)

    def fresh(self, name: str) -> Fold:
        """An empty bank and its fold, nothing applied."""
        writer = self._writer()
        bank = SlotBank(writer.keys.width, self.config.bank, self.config.forgetting)
        return Fold(name, bank, self.log, writer, self.config)

    def snapshot(self, owner: OpenOwner) -> None:
        """Saves an owner's bank if it has changed, and if the log has all that the bank has.

        Raises:
            StoreError: it cannot be written; nothing is lost.
        """
        self.settle(owner)
        if owner.pending:
            return  # the disk is full; saved now, these rehearsals would be replayed upon themselves
        if owner.fold.applied not in (0, owner.saved):
            self.snapshots.write(owner.fold)
            owner.saved = owner.fold.applied

    def drop(self, name: str) -> None:
        """Forgets an owner: the open bank and the snapshot."""
        with self._lock:
            owner = self._open.pop(name, None)
        if owner is not None:
            owner.stale = True
        self.snapshots.remove(name)

    def save_all(self) -> None:
        """Snapshots every open owner."""
        for owner in self.open_now():  # not under the lock: one who holds an owner may be waiting for it
            with owner.lock:
                if not owner.stale:
                    self.snapshot(owner)
