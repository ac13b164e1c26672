"""Whose memory it is: each owner's bank, loaded when needed, snapshotted, closed when long unused.

An open owner is a bank and the fold that keeps it in step with the log. Opening loads the last
snapshot, if it belongs to this log, these settings and these models, and replays what follows; without
one everything is replayed. A snapshot is only ever a short cut.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path

from .bank import SlotBank
from .bankfile import load_bank, read_notes, save_bank
from .config import Config
from .errors import BankError, InvalidInput, NotFound, StoreError
from .fold import Fold
from .identity import Owner
from .linear import Threads
from .log import Event, EventLog, Record
from .writer import Writer, WriteReport

__all__ = ["OpenOwner", "Owners", "Progress", "names_of", "only_user", "user_ids"]

Progress = Callable[[int, int], None]
"""Called with (done, of how many) during long work."""


class OpenOwner:
    """An owner's bank in step with the log. Use it under `lock`."""

    def __init__(self, fold: Fold, until: float | None, chain: str = "") -> None:
        self.fold = fold
        self.until = until  # events after this time are not known yet (a past state)
        self.chain = chain  # chain value of the last event looked at, in hex
        self.lock = threading.RLock()
        self.saved = fold.applied  # events that the last snapshot holds
        self.tried = fold.applied  # events when a snapshot was last due
        self.pending: list[Event] = []  # rehearsals applied to the bank, not yet in the log
        self.stale = False  # closed, deleted, or a fold that was interrupted: to be opened anew

    @property
    def bank(self) -> SlotBank:
        """The slots."""
        return self.fold.bank

    def catch_up(self, progress: Progress | None = None) -> dict[str, WriteReport]:
        """Folds in what the log has that the bank has not; reports what was written, by memory id."""
        length = self.fold.log.length(self.fold.owner)
        if length <= self.fold.applied:
            return {}
        records = self.fold.log.events(self.fold.owner, self.fold.applied, length)
        try:
            reports = self.fold.apply(self._known(records, length, progress))
            return reports | self.fold.finish()
        except BaseException:  # half a batch is in no bank; the log has it all
            self.stale = True
            raise

    def rehearse(self, event: Event) -> None:
        """Applies a rehearsal that will be logged later, before anything else is."""
        self.fold.rehearse(event.body["ids"], event.time)
        self.pending.append(event)

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
    ) -> None:
        """Args:
        folder: where snapshots are kept; None: nowhere.
        writer: gives the write loop, made (and its models loaded) when first needed.
        until: look no further than this time, in Unix seconds.
        """
        self.folder, self.log, self.config, self.until = folder, log, config, until
        self.readonly = readonly
        self.threads = Threads(config.bank.threads)
        self._writer = writer
        self._open: OrderedDict[str, OpenOwner] = OrderedDict()
        self._lock = threading.RLock()

    @contextmanager
    def use(self, name: str, progress: Progress | None = None, settle: bool = True) -> Iterator[OpenOwner]:
        """The owner, locked and in step with the log, for the length of a `with`.

        Args:
            settle: rehearsals that wait for company are logged first.
        """
        owner = self._locked(name)
        try:
            with self.threads:
                if settle:
                    self.settle(owner)
                if self.readonly and not owner.follows():
                    owner.fold, owner.chain = self.fresh(name), ""
                owner.catch_up(progress)
                yield owner
            if not owner.stale and owner.fold.applied - owner.tried >= self.config.log.snapshot_events:
                owner.tried = owner.fold.applied
                with suppress(StoreError):  # what was done is in the log; `close` tries again and says so
                    self.snapshot(owner)
        finally:
            if owner.stale:
                self._remove(owner)
            owner.lock.release()

    def append(self, owner: OpenOwner, events: Sequence[Event]) -> None:
        """Appends an owner's waiting rehearsals, which the bank has already, and events, which it has not."""
        waiting = owner.pending
        sequences = self.log.append_many(owner.fold.owner, [*waiting, *events])
        if waiting:
            last = sequences[len(waiting) - 1]
            owner.pending = []
            owner.fold.applied, owner.chain = last + 1, self.log.get(owner.fold.owner, last).chain.hex()

    def settle(self, owner: OpenOwner) -> None:
        """Logs an owner's waiting rehearsals. On a full disk they go on waiting: reading must not fail."""
        if owner.pending:
            with suppress(StoreError):
                self.append(owner, [])

    def settle_all(self) -> None:
        """Brings the log up to date with every open owner."""
        with self._lock:
            names = [name for name, owner in self._open.items() if owner.pending]
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
            owner.lock.release()

    def _get(self, name: str) -> OpenOwner:
        with self._lock:
            owner = self._open.get(name)
            if owner is None:
                owner = self._open[name] = self._load(name)
                self._close_idle()
            self._open.move_to_end(name)
            return owner

    def _remove(self, owner: OpenOwner) -> None:
        with self._lock:
            if self._open.get(owner.fold.owner) is owner:
                del self._open[owner.fold.owner]

    def _close_idle(self) -> None:
        """Closes the least recently used owners that nobody holds."""
        for name in list(self._open)[: max(0, len(self._open) - self.config.bank.open_banks)]:
            owner = self._open[name]
            if owner.lock.acquire(blocking=False):
                try:
                    with suppress(StoreError):  # the log has it all
                        self.snapshot(owner)
                    owner.stale = True
                    del self._open[name]
                finally:
                    owner.lock.release()

    # -- snapshots ------------------------------------------------------------------------------

    def path(self, name: str) -> Path | None:
        """File of an owner's snapshot."""
        if self.folder is None:
            return None
        return self.folder / f"{blake2b(name.encode(), digest_size=16).hexdigest()}.safetensors"

    def _load(self, name: str) -> OpenOwner:
        fold, chain = self.fresh(name), ""
        path = self.path(name)
        if path is None or self.until is not None:
            return OpenOwner(fold, self.until)
        try:
            notes = read_notes(path)
            if self._fits(name, notes):
                fold.bank = load_bank(path, self.config.bank, self.config.forgetting)
                fold.applied, chain = int(str(notes["events"])), str(notes["chain"])
        except NotFound:
            pass  # no snapshot yet
        except BankError:
            if not self.readonly:
                path.unlink()  # damaged: the log has everything, and a new one is written on close
        return OpenOwner(fold, self.until, chain)

    def fresh(self, name: str) -> Fold:
        """An empty bank and its fold, nothing applied."""
        writer = self._writer()
        bank = SlotBank(writer.keys.width, self.config.bank, self.config.forgetting)
        return Fold(name, bank, self.log, writer, self.config)

    def _fits(self, name: str, notes: dict[str, object]) -> bool:
        """Whether a snapshot is of this log's past, made with these models and settings."""
        events = notes.get("events")
        if notes.get("settings") != self._settings() or notes.get("owner") != name:
            return False
        if not isinstance(events, int) or not 0 < events <= self.log.length(name):
            return False
        return self.log.get(name, events - 1).chain.hex() == notes.get("chain")

    def _settings(self) -> str:
        """Hash of everything besides the log that the bank depends on."""
        writer = self._writer()
        relevant = {
            "bank": asdict(self.config.bank) | {"device": "", "open_banks": 0, "threads": 0},
            "write": asdict(self.config.write),
            "forgetting": asdict(self.config.forgetting),
            "codec": writer.codec.identity,
            "keys": writer.keys.identity,
        }
        return blake2b(json.dumps(relevant, sort_keys=True).encode(), digest_size=16).hexdigest()

    def snapshot(self, owner: OpenOwner) -> None:
        """Saves an owner's bank if it has changed, and if the log has all that the bank has.

        Raises:
            StoreError: it cannot be written; nothing is lost.
        """
        self.settle(owner)
        if owner.pending:
            return  # the disk is full; saved now, these rehearsals would be replayed upon themselves
        fold, path = owner.fold, self.path(owner.fold.owner)
        if path is None or self.readonly or fold.applied == 0 or fold.applied == owner.saved:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.save(fold, path)
        except OSError as error:
            raise StoreError(
                f"snapshot {path} cannot be written ({error.strerror or error}); nothing is lost, the next "
                "opening replays the log; make room or check the folder"
            ) from error
        owner.saved = fold.applied

    def save(self, fold: Fold, path: Path) -> None:
        """Writes a bank file that `_fits` will recognize."""
        writer = self._writer()
        chain = self.log.get(fold.owner, fold.applied - 1).chain.hex() if fold.applied else ""
        save_bank(
            fold.bank,
            path,
            codec=writer.codec.identity,
            encoder=writer.keys.identity,
            owner=fold.owner,
            events=fold.applied,
            chain=chain,
            settings=self._settings(),
        )

    def replace(self, name: str, fold: Fold) -> None:
        """Puts a newly folded bank in the place of the open one."""
        with self._lock:
            owner = self._open[name]
        with owner.lock:
            owner.fold = fold
            owner.saved = -1

    def drop(self, name: str) -> None:
        """Forgets an owner: the open bank and the snapshot."""
        with self._lock:
            owner = self._open.pop(name, None)
        if owner is not None:
            owner.stale = True
        self.remove_snapshot(name)

    def remove_snapshot(self, name: str) -> None:
        """Deletes an owner's snapshot: it may hold what was just erased from the log."""
        path = self.path(name)
        if path is not None:
            path.unlink(missing_ok=True)

    def save_all(self) -> None:
        """Snapshots every open owner."""
        with self._lock:
            owners = list(self._open.values())
        for owner in owners:  # not under the lock: one who holds an owner may be waiting for it
            with owner.lock:
                if not owner.stale:
                    self.snapshot(owner)


def user_ids(log: EventLog) -> list[str]:
    """Ids of the users with a log, sorted."""
    return sorted(Owner.parse(name).id for name in log.owners() if Owner.parse(name).kind == "user")


def only_user(log: EventLog) -> str:
    """The one user of a log that has one.

    Raises:
        InvalidInput: there are none, or several.
    """
    users = user_ids(log)
    if len(users) != 1:
        names = ", ".join(users[:5]) or "nobody"
        raise InvalidInput("user_id", "is missing", f"say whose memory; this store has {names}")
    return users[0]


def names_of(log: EventLog, user_id: str | None) -> list[str]:
    """One user's name in the log, or everybody's.

    Raises:
        InvalidInput: no name. NotFound: nobody of that name.
    """
    if user_id is None:
        return log.owners()
    name = Owner.of(user_id, None, None).name
    if log.length(name) == 0:
        raise NotFound(f"{user_id!r} has no memory here; check the name")
    return [name]
