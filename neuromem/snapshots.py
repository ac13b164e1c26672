"""Snapshots: an owner's bank as it was after so many events, a short cut past the log and nothing more.

A snapshot is used if it belongs to this log, these settings and these models. Else the bank is made
anew from the log, and what has changed is said. While that goes on, the bank is set aside now and then
beside the snapshot that it will replace, so that when it is interrupted the next opening goes on there.

Under another encoder only the keys become others. The values are folded anew all the same, though they
come out as they were: which slots a sleep frees, and which words are cut over two slots, is read off
them, and so they decide among which neighbours every later key is sculpted.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from .bank import SlotBank
from .bankfile import OLDER, load_bank, read_notes, save_bank
from .config import Config
from .errors import BankError, NotFound, StoreCorrupt, StoreError
from .fold import Fold
from .history import redact
from .log import EventLog
from .writer import Writer

__all__ = ["Snapshots", "Start"]


@dataclass(frozen=True, slots=True)
class Start:
    """Where the fold of an owner's log begins."""

    bank: SlotBank | None = None  # None: an empty one, with the first event
    events: int = 0  # that the bank has already
    chain: str = ""  # chain value of the last of them, in hex
    anew: bool = True  # not from a snapshot: the bank is made from the log
    why: str = ""  # what is wrong with the snapshot, if there is one


class Snapshots:
    """The bank files of a store."""

    def __init__(
        self, folder: Path | None, log: EventLog, writer: Callable[[], Writer], config: Config, readonly: bool
    ) -> None:
        """Args:
        folder: where they are kept; None: nowhere.
        writer: gives the write loop, whose models the banks depend on.
        readonly: nothing is written, and nothing removed.
        """
        self.folder, self.log, self.config, self.readonly = folder, log, config, readonly
        self._writer = writer

    def check_log(self) -> None:
        """Raises StoreCorrupt if there are snapshots of an empty log: the next ones would replace them."""
        files = sorted(self.folder.glob("*.safetensors")) if self.folder else []
        # who looks while the only owner is deleted has seen files that go before the log's words do
        if files and not self.log.owners() and any(file.exists() for file in files):
            raise StoreCorrupt(
                f"the log is gone, and {self.folder} holds {len(files)} of its banks; restore it from a "
                "backup, or move these files away and import them into a new store"
            )

    def path(self, name: str) -> Path | None:
        """File of an owner's snapshot."""
        if self.folder is None:
            return None
        return self.folder / f"{blake2b(name.encode(), digest_size=16).hexdigest()}.safetensors"

    def load(self, name: str) -> Start:
        """An owner's snapshot, if it fits; else what an interrupted fold has set aside; else nothing."""
        path = self.path(name)
        if path is None:
            return Start()
        start = self.read(name, path)
        if not start.anew:
            return start
        aside = self.read(name, _aside(path))
        return Start(aside.bank, aside.events, aside.chain, True, start.why)

    def read(self, name: str, path: Path) -> Start:
        """A bank file of an owner's, if it fits. One that is damaged is removed, unless `readonly`."""
        try:
            notes = read_notes(path)
            why = self._misfit(name, notes)
            if why:
                return Start(why=why)
            bank = load_bank(path, self.config.bank, self.config.forgetting, whole=True)
        except NotFound:
            return Start()
        except BankError as error:
            if not self.readonly:
                with suppress(OSError):  # the log has everything; the next one is written over it
                    path.unlink()
            older = OLDER in str(error)
            return Start(why=f"its snapshot is {'of an older version' if older else 'damaged'}")
        return Start(bank, int(str(notes["events"])), str(notes["chain"]), anew=False)

    def _misfit(self, name: str, notes: dict[str, Any]) -> str:
        """Why a snapshot is of no use: not of this log's past, other models or settings; "" if it is."""
        events = notes.get("events") if notes.get("owner") == name else None
        if not isinstance(events, int) or not 0 < events <= self.log.length(name):
            return "its snapshot is not of this log"
        if self.log.get(name, events - 1).chain.hex() != notes.get("chain"):
            return "its snapshot is not of this log"
        return "" if notes.get("settings") == self._settings() else self._changes(notes)

    def _changes(self, notes: dict[str, Any]) -> str:
        """What is other now than when a snapshot was made."""
        writer = self._writer()
        codec, keys = str(notes.get("codec")), str(notes.get("encoder"))
        (encoder, _, lexical), (ours, _, our_lexical) = (
            identity.rpartition("+lex") for identity in (keys, writer.keys.identity)
        )
        changes = []
        (lexical, _, senses), (our_lexical, _, our_senses) = (
            parts.partition("+senses@") for parts in (lexical, our_lexical)
        )
        if encoder != ours:
            changes.append(f"the encoder changed from {encoder} to {ours}")
        elif senses != our_senses:
            changes.append("the senses of words changed")
        if lexical != our_lexical:
            changes.append("the lexical part of keys changed")
        if codec != writer.codec.identity:
            changes.append(f"the codec changed from {codec} to {writer.codec.identity}")
        if self._settings(codec, keys) != notes.get("settings"):
            changes.append("settings changed")
        return ", ".join(changes)

    def _settings(self, codec: str | None = None, keys: str | None = None) -> str:
        """Hash of everything besides the log that a bank depends on.

        Args:
            codec, keys: identities of the models; None: those in use.
        """
        bank = asdict(self.config.bank) | {"device": "", "open_banks": 0, "threads": 0}
        if not self.config.bank.max_kib:
            del bank["max_kib"]  # snapshots that were made before there was such a limit fit
        relevant = {
            "bank": bank,
            "write": asdict(self.config.write),
            "forgetting": asdict(self.config.forgetting),
            "codec": codec or self._writer().codec.identity,
            "keys": keys or self._writer().keys.identity,
        }
        return blake2b(json.dumps(relevant, sort_keys=True).encode(), digest_size=16).hexdigest()

    def write(self, fold: Fold) -> None:
        """Makes a fold's bank the snapshot of its owner.

        Raises:
            StoreError: it cannot be written, or deletes cannot be finished; nothing is lost.
        """
        path = self._save(fold, self.path(fold.owner))
        if path is not None:
            with suppress(OSError):  # what was set aside is of no use now, and of no harm
                _aside(path).unlink(missing_ok=True)

    def set_aside(self, fold: Fold) -> None:
        """Keeps a bank that is being made anew, in case that is interrupted.

        Raises:
            StoreError: as `write`.
        """
        path = self.path(fold.owner)
        self._save(fold, path and _aside(path))

    def finish_deletes(self, fold: Fold) -> None:
        """Erases the words that deletes have left in the log: killed, or without room, before they were done.

        Has to come before every snapshot, for nobody looks at the events before one again.

        Raises:
            StoreFull: there is no room; they are still to be erased.
        """
        name, left = fold.owner, fold.unerased
        if left and not self.readonly:
            records = list(self.log.events(name, 0, max(left.values())))
            doomed = {seq for id_, until in left.items() for seq in redact(records[:until], [id_])[0]}
            if doomed:
                fold.writer.forget_readings()  # a replay has written them again
                self.remove(name)  # it may hold their weights
                self.log.erase(name, doomed)
        left.clear()

    def _save(self, fold: Fold, path: Path | None) -> Path | None:
        if path is None or self.readonly:
            return None
        self.finish_deletes(fold)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.save(fold, path)
        except OSError as error:
            raise StoreError(
                f"snapshot {path} cannot be written ({error.strerror or error}); nothing is lost, the next "
                "opening replays the log; make room or check the folder"
            ) from error
        return path

    def save(self, fold: Fold, path: Path) -> None:
        """Writes a bank file that `load` will recognize.

        Raises:
            OSError: it cannot be written there.
        """
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

    def remove(self, name: str) -> None:
        """Deletes an owner's bank files: they may hold what was just erased from the log."""
        path = self.path(name)
        if path is not None:
            for file in (path, _aside(path)):
                file.unlink(missing_ok=True)
                file.with_name(file.name + ".partial").unlink(missing_ok=True)  # of a save that was killed


def _aside(path: Path) -> Path:
    """Where the bank that will be a snapshot is kept while it is made."""
    return path.with_suffix(".anew")
