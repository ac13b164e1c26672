"""What `Memory` stands on: the log, the models, the owners, and every change as an event.

A change is made in one way only: events are appended (durable), then folded in. So what was
acknowledged is in the log, and the bank can always be made again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakSet

from .codec import Codec, default_codec
from .config import Config
from .consolidate import Sleep, one_of_each
from .deep import Found
from .encoders import Encoder, check_encoder, load_encoder
from .errors import Closed, NotFound, ReadOnly
from .fold import milliseconds
from .forgetting import Fidelity
from .history import merged_into, stories
from .holders import Holders
from .identity import Owner, canonical_id, folder_of, seconds_of
from .keeping import keeper_for
from .keys import Keys
from .layout import pick_device
from .log import Event, EventLog, Record
from .named import names_of
from .owners import Notice, OpenOwner, Owners, Progress
from .reader import Extractor, FactReader
from .recall import Hit, Recall, read
from .writer import Writer, WriteReport

__all__ = ["Engine", "Owner", "Written", "in_time"]

TOGETHER = 16  # rehearsals logged at once
MOST_UNSETTLED = 32  # … that are not in the log yet: the most that a crash can take with it
PATIENCE_S = 20.0  # for all that is still to be told when a memory is closed


@dataclass(frozen=True, slots=True)
class Written:
    """A fact that was written."""

    id: str
    text: str
    gist: str
    event: str  # "ADD", "UPDATE" or "REINFORCE"
    exact: bool  # the slots say every word
    report: WriteReport | None


class Tells(Protocol):
    """What tells a memory things beside the program."""

    def tell_rest(self, timeout_s: float) -> None:
        """Tells what is left, or gives up after so long."""


def in_time(deadline: float | None) -> bool:
    """Whether a deadline, by `perf_counter`, is still ahead; None: there is none."""
    return deadline is None or time.perf_counter() < deadline


class Engine:
    """The parts of a store and the changes that can be made to it."""

    def __init__(
        self,
        path: str | Path | None,
        config: Config,
        encoder: str | Encoder | None,
        clock: Callable[[], float],
        readonly: bool,
        past: tuple[EventLog, float, Keys] | None = None,
        progress: Progress | None = None,
        notice: Notice | None = None,
        extractor: str | Extractor | None = None,
    ) -> None:
        """Args: as `Memory`. past: the log, time and keys of a past state; `path` is then not used."""
        check_encoder(encoder)
        self.config, self.clock, self.readonly = config, clock, readonly or past is not None
        self._encoder = encoder
        self.reader = FactReader(extractor, config.llm, lambda: keeper_for(self.keys.encoder.name))
        self._closed = False
        self._tellers: WeakSet[Tells] = WeakSet()
        self.forgotten = 0  # how often words were deleted
        self._lock = threading.RLock()
        folder = None if path is None or past else folder_of(path)
        if past is not None:
            self.log, until, self.keys = past
        else:
            self.log, until = EventLog(folder and folder / "log", config.log, readonly=readonly), None
        self.owners = Owners(
            folder and folder / "banks", self.log, lambda: self.writer, config, until, self.readonly,
            progress, notice,
        )  # fmt: skip
        self._past = past is not None
        self.holders = Holders(self.log)
        try:
            self.owners.snapshots.check_log()
        except BaseException:
            self.log.close()
            raise

    # -- the parts ------------------------------------------------------------------------------

    @cached_property
    def codec(self) -> Codec:
        """The frozen codec, loaded when first needed."""
        return default_codec(str(self.bank_device))

    @cached_property
    def keys(self) -> Keys:
        """Encoder and sketch, loaded when first needed."""
        return Keys(load_encoder(self._encoder), self.config.bank, self.config.recall)

    @cached_property
    def writer(self) -> Writer:
        """The write loop."""
        return Writer(self.codec, self.keys, self.config.write)

    @cached_property
    def bank_device(self) -> Any:
        """Device of slots and codec."""
        return pick_device(self.config.bank.device)

    def now_ms(self) -> int:
        """The clock's time in Unix milliseconds; also checks that the memory is open."""
        if self._closed:
            raise Closed("this memory was closed; open it again with Memory(path)")
        return milliseconds(seconds_of(self.clock(), "clock"))

    def waits_for(self, teller: Tells) -> None:
        """Has `close` wait until an object has told the rest, for as long as that is there."""
        with self._lock:
            self._tellers.add(teller)

    def close(self) -> None:
        """Waits for what is still to be told, snapshots, then closes the log."""
        try:
            self._wait_for_tellers()
        finally:  # whoever has no patience (Ctrl-C) closes it all the same
            self._close()

    def _wait_for_tellers(self) -> None:
        until = time.monotonic() + PATIENCE_S
        with self._lock:
            tellers = list(self._tellers)
        for teller in tellers:
            if not self._closed:
                teller.tell_rest(max(0.0, until - time.monotonic()))

    def _close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                if not self._past:
                    try:
                        self.owners.save_all()
                    finally:
                        self.log.close()
                        self.reader.close()

    @contextmanager
    def use_owner_of(self, memory_id: str) -> Iterator[OpenOwner]:
        """The open owner that holds a memory.

        Raises:
            NotFound: nobody does.
        """
        self.now_ms()
        for name in self.holders.of(memory_id):
            with self.owners.use(name) as open_:
                if open_.bank.rows_of(memory_id):
                    yield open_
                    return
                self.check_not_merged(name, memory_id)
        raise NotFound(f"no memory {memory_id}; it was deleted or is forgotten (deep recall may find it)")

    def check_not_merged(self, owner: str, memory_id: str) -> None:
        """Raises NotFound, which names the other, when a memory became part of another."""
        into = merged_into(self.log.events(owner), self.owners.until).get(memory_id)
        if into is not None:
            raise NotFound(f"memory {memory_id} was merged into {into}, which says the same; use that id")

    def commit(self, open_: OpenOwner, events: Sequence[Event]) -> dict[str, WriteReport]:
        """Appends events durably and folds them in.

        Raises:
            ReadOnly: the memory was opened for reading, or is of the past.
        """
        if self.readonly:
            raise ReadOnly("this memory was opened for reading; open it for writing to change it")
        self.owners.append(open_, events)
        return open_.catch_up()

    # -- recalling ------------------------------------------------------------------------------

    def strength(self, open_: OpenOwner, memory_id: str, now_ms: int) -> float:
        """Present strength of a memory."""
        return float(open_.bank.strength(open_.bank.rows_of(memory_id)[:1], now_ms)[0])

    def record(self, open_: OpenOwner, memory_id: str) -> Record | None:
        """The log's record of a memory's words; None for slots that came without words."""
        sequence = open_.bank.told_at(memory_id)
        return self.log.get(open_.fold.owner, sequence) if sequence >= 0 else None

    def words(self, open_: OpenOwner, memory_id: str) -> str | None:
        """A memory's exact words from the log."""
        record = self.record(open_, memory_id)
        return None if record is None or record.erased else str(record.body["text"])

    def metadata(self, open_: OpenOwner, memory_id: str) -> dict[str, Any]:
        """What was given as metadata when a memory was added."""
        if not any(bool(open_.bank.noted[row]) for row in open_.bank.rows_of(memory_id)[:1]):
            return {}
        record = self.record(open_, memory_id)
        return {} if record is None else deepcopy(record.body.get("metadata", {}))

    def with_metadata(self, open_: OpenOwner, recall: Recall) -> Recall:
        """A recall with its metadata."""
        metadata = self.metadata(open_, recall.id)
        return replace(recall, metadata=metadata) if metadata else recall

    def exact(self, open_: OpenOwner, recall: Recall) -> Recall:
        """A recall with the words of the log, if the log has them."""
        words = self.words(open_, recall.id)
        return recall if words is None else recall.with_words(words)

    def rescued(self, open_: OpenOwner, recalls: list[Recall], deadline: float | None) -> list[Recall]:
        """Fetches words from the log where a good answer has faded too far, and writes them back.

        That is hearing it again.
        """
        out: list[Recall] = []
        fetched: list[str] = []
        for recall in recalls:
            better = self.exact(open_, recall) if self._too_faded(recall) and in_time(deadline) else recall
            if better is not recall:
                fetched.append(recall.id)
            out.append(better)
        if fetched and not self.readonly:
            self.commit(open_, [Event("restore", self.clock(), {"ids": fetched})])
        return out

    def _too_faded(self, recall: Recall) -> bool:
        """Whether a result answers the question but cannot say what it knew."""
        if recall.score < self.config.recall.low_confidence or recall.fidelity is Fidelity.VERBATIM:
            return False
        return recall.fidelity.level < Fidelity.GIST.level

    def forget_readings(self) -> None:
        """As `Writer.forget_readings`, and counted."""
        self.forgotten += 1
        self.writer.forget_readings()

    def rehearse(self, open_: OpenOwner, recalls: Sequence[Recall]) -> None:
        """Recalling strengthens the results that are good enough.

        Waiting for the disk would cost a search more than all the rest, so rehearsals are applied at
        once but logged later: before anything but a search happens, or `TOGETHER` of them on the side.
        """
        least = self.config.recall.rehearse_score
        ids = [recall.id for recall in recalls if recall.score >= least]
        if ids and not self.readonly:
            open_.rehearse(Event("rehearse", self.clock(), {"ids": ids}))
            if open_.unsettled >= MOST_UNSETTLED:
                self.owners.settle(open_)
            elif len(open_.pending) >= TOGETHER:
                self.owners.settle_aside(open_)

    def bring_back(self, open_: OpenOwner, found: Sequence[Found]) -> list[Recall]:
        """Results of deep recall as recalls; faded and forgotten ones are written back."""
        found = one_of_each(found, merged_into(self.log.events(open_.fold.owner), self.owners.until))
        facts = {item.text for item in found if "id" in item.record.body}
        found = [item for item in found if "id" in item.record.body or item.text not in facts]
        now_ms = self.now_ms()
        least = self.config.recall.rehearse_score
        good = [item for place, item in enumerate(found) if place == 0 or item.score >= least]
        ids = [str(item.record.body["id"]) for item in good if "id" in item.record.body]
        if not self.readonly:
            weak = [memory_id for memory_id in ids if self._is_weak(open_, memory_id, now_ms)]
            if weak:
                self.commit(open_, [Event("restore", self.clock(), {"ids": weak})])
        out = []
        for item in found:
            memory_id = str(item.record.body.get("id", ""))
            held = bool(memory_id) and bool(open_.bank.rows_of(memory_id))
            if held:
                hit = Hit(memory_id, item.score, item.score, self.strength(open_, memory_id, now_ms))
                recall = read(open_.bank, self.codec, [hit], now_ms)[0].with_words(item.text)
            else:
                recall = Recall.of_record(item.record, item.text, item.score)
            out.append(replace(recall, metadata=deepcopy(item.record.body.get("metadata", {}))))
        return out

    def _is_weak(self, open_: OpenOwner, memory_id: str, now_ms: int) -> bool:
        if not open_.bank.rows_of(memory_id):
            return True
        hit = Hit(memory_id, 0.0, 0.0, 0.0)
        return read(open_.bank, self.codec, [hit], now_ms)[0].fidelity is not Fidelity.VERBATIM

    def history(self, memory_id: str) -> list[dict[str, Any]]:
        """As `Memory.history`."""
        self.now_ms()
        memory_id = canonical_id(memory_id)
        self.owners.settle_all()
        for name in self.holders.of(memory_id):
            found = stories(self.log.events(name), memory_id, self.owners.until)
            if found:
                return found
        raise NotFound(f"no memory {memory_id} was ever written here")

    # -- time -----------------------------------------------------------------------------------

    def sleep(
        self, now: float | None, user_id: str | None, budget_s: float | None, progress: Progress | None
    ) -> dict[str, int]:
        """As `Memory.sleep`."""
        self.now_ms()
        at = seconds_of(self.clock() if now is None else now, "now")
        names = names_of(self.log, user_id)
        return Sleep(self.owners, self.commit, self.config, at, budget_s, progress).of(names)

    def rebuild(self, user_id: str | None, restore: bool, progress: Progress | None) -> dict[str, int]:
        """As `Memory.rebuild`."""
        self.now_ms()
        if self.readonly:
            raise ReadOnly("this memory was opened for reading; open it for writing to rebuild it")
        names = names_of(self.log, user_id)
        held = 0
        for name in names:
            with self.owners.use(name, follow=False) as open_:
                last = self.log.get(name, self.log.length(name) - 1)
                if restore and last.kind != "rebuild":  # rebuilding twice in a row changes nothing
                    self.log.append(name, Event("rebuild", self.clock(), {}))
                self.owners.remake(open_, progress)
                held += len(open_.bank.ids())
        return {"owners": len(names), "held": held}

    def at(self, timestamp: float | datetime | str) -> Engine:
        """As `Memory.at`."""
        seconds = seconds_of(timestamp)
        self.owners.settle_all()
        past = (self.log, seconds, self.keys)
        return Engine(None, self.config, self._encoder, lambda: seconds, True, past, self.owners.progress)
