"""Sleep: what says the same becomes one memory, essentials in use are refreshed, what has faded goes.

Each step is an event, whole or not there at all, so a sleep may be stopped anywhere:

1. ``merge``: near-duplicates (`alike.py`) of one speaker, both current, become the older one of them, with
   the fuller wording, as if it had been heard again when the newer one was told. Only what was written or
   heard since the last sleep is compared, and only with memories of the same content words or the same gist:
   a join over the bank's buffers, then the words of the log for the few that fit.
2. ``refresh``: an essential of the conscious set that would soon cease to be verbatim is rehearsed, once for
   each time that it came into use (recalled or heard again). What nobody asks for is not: it fades.
3. ``sleep``: the weights shrink as they are due, what says nothing any more is freed. Its body tells up to
   which event of the log memories have been compared; the next sleep goes on there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .alike import FILLERS, same_fact
from .bank import SlotBank
from .clusters import clusters_of
from .config import Config
from .conscious import essentials
from .deep import Found
from .errors import InvalidInput
from .fold import milliseconds
from .forgetting import THRESHOLDS, Fidelity
from .history import WRITING
from .layout import DAY_MS
from .log import Event, EventLog, Record
from .marks import mark_of
from .order import order_of
from .owners import OpenOwner, Owners, Progress
from .tell import is_immutable
from .text import stem

__all__ = ["Sleep", "one_of_each"]

LOOK_BACK = 20_000  # newest events that are searched for the last sleep, or for the last use of an essential
STRIDE = 512  # of them read at a time
TOGETHER = 32  # merges logged at once
MOST_IN_BLOCK = 128  # memories of the same content words that are compared with each other
USES = ("rehearse", "restore", "hear", "merge")  # events that show that a memory is in use
READY = 4_000  # memories up to which clusters are made at sleep: each is compared with all, the owner is held
LIKE_TWINS = 0.5  # least cosine of the keys of two tellings of one thing: sculpting has set them apart

_FILLER_MARKS = frozenset(mark_of(stem(word)) for word in FILLERS)
Array = np.ndarray[Any, Any]
_Commit = Callable[[OpenOwner, Sequence[Event]], object]


@dataclass(frozen=True, slots=True)
class _Telling:
    """A memory and the record that holds its words."""

    id: str
    record: Record
    heard_ms: int
    key: Tensor  # [K] unit


@dataclass(frozen=True, slots=True)
class _Block:
    """Memories that may say the same, oldest first. By id: a merge may move others to other rows."""

    ids: tuple[str, ...]
    newest: int  # number of the last event that brought words of one of them


class Sleep:
    """One sleep of a store, owner after owner."""

    def __init__(
        self,
        owners: Owners,
        commit: _Commit,
        config: Config,
        now: float,
        budget_s: float | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Args:
        commit: appends events durably and folds them in.
        now: Unix seconds. budget_s: as `Memory.sleep`.
        progress: called with (done, in all): owners, or blocks of like memories where there is one owner.

        Raises:
            InvalidInput: the budget is no time.
        """
        number = isinstance(budget_s, int | float) and not isinstance(budget_s, bool)
        if budget_s is not None and not (number and 0 <= budget_s < math.inf):
            raise InvalidInput("budget_s", f"{budget_s!r} is out of range", "give seconds, 0 or more")
        self._owners, self._commit, self._config, self._now = owners, commit, config, now
        self._deadline = None if budget_s is None else time.monotonic() + budget_s
        self._progress = progress

    def of(self, names: Sequence[str]) -> dict[str, int]:
        """Puts owners to sleep; those who have not slept for longest come first when time is limited.

        Returns:
            ``{"owners": …, "held": …, "forgotten": …, "merged": …, "refreshed": …, "left": …}``; left is what
            the time did not suffice for: last events of the blocks of like memories that are still to be
            compared, each counted once, and owners who did not sleep.
        """
        total = dict.fromkeys(("owners", "held", "forgotten", "merged", "refreshed", "left"), 0)
        log, alone = self._owners.log, len(names) == 1
        if self._deadline is not None and not alone:
            slept = {name: _last_sleep(log, name) for name in names}
            names = sorted(names, key=lambda name: record.time if (record := slept[name]) else 0.0)
        for place, name in enumerate(names):
            if place and self._is_late():
                total["left"] += len(names) - place
                break
            with self._owners.use(name) as open_:
                for part, count in self._one(open_, self._progress if alone else None).items():
                    total[part] += count
            if self._progress is not None and not alone:
                self._progress(place + 1, len(names))
        return total

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _one(self, open_: OpenOwner, progress: Progress | None) -> dict[str, int]:
        """One owner's sleep."""
        log, name, bank = self._owners.log, open_.fold.owner, open_.bank
        last, until = _last_sleep(log, name), log.length(name)
        since = 0 if last is None else int(last.body.get("seen", 0))
        blocks = _blocks(bank, since) if self._config.sleep.merge else []
        merged, done = self._merge(open_, blocks, progress)
        seen = until if done == len(blocks) else min(until, blocks[done].newest)
        left = len({block.newest for block in blocks[done:]})
        refreshed = self._refresh(open_)
        before = len(bank.ids())
        self._commit(open_, [Event("sleep", self._now, {"seen": max(seen, since)})])
        held = len(bank.ids())
        if held <= READY and not self._is_late():
            clusters_of(bank, open_.fold.writer.keys.strangers)  # ready to be shown
        parts = {"held": held, "forgotten": before - held, "merged": merged, "refreshed": refreshed}
        return parts | {"owners": 1, "left": left}

    # -- merging --------------------------------------------------------------------------------

    def _merge(self, open_: OpenOwner, blocks: list[_Block], progress: Progress | None) -> tuple[int, int]:
        """Merges what says the same. Returns how many memories went, and how many blocks were looked at.

        Stops when time is up, but never between blocks that the next sleep could not tell apart.
        """
        merger = _Merger(open_.bank, self._owners.log, open_.fold.owner, self._now)
        events: list[Event] = []
        for done, block in enumerate(blocks):
            if done and self._is_late() and block.newest > blocks[done - 1].newest:
                break
            events += merger.merges(block)
            if len(events) >= TOGETHER:
                self._commit(open_, events)
                events = []
            if progress is not None:
                progress(done + 1, len(blocks))
        else:
            done = len(blocks)
        if events:
            self._commit(open_, events)
        return merger.merged, done

    # -- refreshing -----------------------------------------------------------------------------

    def _refresh(self, open_: OpenOwner) -> int:
        """Rehearses essentials in use that would soon cease to be verbatim; returns how many."""
        days, bank, now_ms = self._config.sleep.refresh_days, open_.bank, milliseconds(self._now)
        if not days:
            return 0
        verbatim, due = THRESHOLDS[Fidelity.VERBATIM], []
        for hit in essentials(bank, self._config.context.essentials, now_ms):
            rows = bank.rows_of(hit.id)[:1]
            since = now_ms - int(bank.rehearsed_ms[rows[0]])
            # what fades within days: half-way at the soonest
            soon = now_ms + min(round(days * DAY_MS), since)
            used = bool((bank.recalls[rows] > 0) | (bank.heard_ms[rows] > bank.written_ms[rows]))
            if used and hit.strength >= verbatim > float(bank.strength(rows, soon)[0]):
                due.append(hit.id)
        ids = _in_use(self._owners.log, open_.fold.owner, due)
        if ids:
            self._commit(open_, [Event("refresh", self._now, {"ids": ids})])
        return len(ids)


class _Merger:
    """Turns blocks of like memories into events, looking at each pair once."""

    def __init__(self, bank: SlotBank, log: EventLog, owner: str, now: float) -> None:
        self._bank, self._log, self._owner, self._now = bank, log, owner, now
        self._told: dict[str, _Telling] = {}  # survivors, with the words that they keep
        self._gone: set[str] = set()
        self.merged = 0

    def merges(self, block: _Block) -> list[Event]:
        """The events that make one memory of those of a block that say the same."""
        groups: list[list[_Telling]] = []
        for telling in self._tellings(block):
            group = next((group for group in groups if self._are_one(group[0], telling)), None)
            if group is None:
                groups.append([telling])
            else:
                group.append(telling)
        return [self._event(group) for group in groups if len(group) > 1]

    def _tellings(self, block: _Block) -> Iterator[_Telling]:
        """The memories of a block with their words, but for those that are erased or stay as they are."""
        for id_ in block.ids:
            rows = self._bank.rows_of(id_)
            if id_ in self._gone or not rows:  # merged into another, or evicted to make room
                continue
            if id_ not in self._told:
                record = self._log.get(self._owner, int(self._bank.sequence[rows[0]]))
                if record.erased or "text" not in record.body:
                    continue
                if is_immutable(record.body.get("metadata", {})):
                    continue
                heard_ms = int(self._bank.heard_ms[rows[0]])
                self._told[id_] = _Telling(id_, record, heard_ms, self._key(rows[0]))
            yield self._told[id_]

    def _key(self, row: int) -> Tensor:
        """[K] unit key of a row."""
        return self._bank.key[row].float() * self._bank.inverse_norm[row]

    def _are_one(self, one: _Telling, other: _Telling) -> bool:
        if float(one.key @ other.key) < LIKE_TWINS:
            return False
        return same_fact(one.record.body, other.record.body, (other.heard_ms - one.heard_ms) / 1_000)

    def _event(self, group: Sequence[_Telling]) -> Event:
        """The event by which the first of a group takes in the others, and keeps the longest wording."""
        survivor, *others = group
        fullest = max(group, key=lambda telling: len(telling.record.body["text"]))  # of equals the first
        self._told[survivor.id] = replace(survivor, record=fullest.record)
        self._gone |= {telling.id for telling in others}
        self.merged += len(others)
        ids = [telling.id for telling in others]
        return Event("merge", self._now, {"id": survivor.id, "ids": ids, "words": fullest.record.seq})


def one_of_each(found: Sequence[Found], merged: Mapping[str, str]) -> list[Found]:
    """Results of deep recall, those of merged memories as of the one that says the same now, each once.

    Args:
        merged: as `history.merged_into`.
    """
    out: dict[str, Found] = {}
    for item in found:
        own = str(item.record.body.get("id", ""))
        id_ = merged.get(own, own)
        if id_ != own:
            item = replace(item, record=replace(item.record, body=item.record.body | {"id": id_}))
        out.setdefault(id_ or f"say {item.record.seq}", item)
    return list(out.values())


def _blocks(bank: SlotBank, since: int) -> list[_Block]:
    """Memories that may say the same: of one speaker, with the same content words or the same gist.

    In each is one whose words came with event `since` or later. In the order in which they were completed, so
    that a sleep that stops can say how far it got.
    """
    order = order_of(bank)
    head = order.rows[order.heads]
    first = torch.from_numpy(head.copy()).to(bank.device)
    sequence = bank.sequence[first]
    fit = (bank.until_ms[first] == 0) & ~(bank.successor[first] != 0).any(dim=1) & (sequence >= 0)
    if not bool((fit & (sequence >= since)).any()):
        return []
    marks, begin = bank.column("marks")[order.rows], np.append(order.heads, len(order.rows))
    speaker, meaning = bank.speaker[first].tolist(), bank.meaning[first].cpu().numpy()

    def signs(place: int) -> list[tuple[int, object]]:
        said = set(marks[begin[place] : begin[place + 1]].flatten().tolist())
        both: tuple[object, ...] = (frozenset(said - _FILLER_MARKS - {0}), int(meaning[place]))
        return [(speaker[place], sign) for sign in both if sign]

    new = (fit & (sequence >= since)).nonzero().flatten().cpu().numpy()
    wanted = {sign for place in new.tolist() for sign in signs(place)}
    found: dict[tuple[int, object], list[int]] = {}
    may = _may_join(marks, order.heads, meaning, new)
    for place in np.flatnonzero(may & fit.cpu().numpy()).tolist():
        for sign in signs(place):
            if sign in wanted:
                found.setdefault(sign, []).append(place)
    blocks = []
    for places in dict.fromkeys(map(tuple, found.values())):
        if len(places) > 1:
            newest = max(int(sequence[place]) for place in places)
            rows = torch.from_numpy(head[list(places[:MOST_IN_BLOCK])])
            blocks.append(_Block(tuple(bank.ids_of(rows)), newest))
    return sorted(blocks, key=lambda block: block.newest)


def _may_join(marks: Array, heads: Array, meaning: Array, new: Array) -> Array:
    """[M] whether a memory may have the content words or the gist of a new one; every new one may.

    To look at each one's words takes seconds where there are 100,000: of old ones few are left by this.

    Args:
        marks: [R, marks of a row] int16 of the rows, memory after memory. heads: [M] where each begins.
        meaning: [M] int64 fingerprints of gists. new: places of the memories that came since the last sleep.
    """
    of_new = np.zeros(len(heads), dtype=bool)
    of_new[new] = True
    size = np.diff(np.append(heads, len(marks)))
    words = np.append(marks[np.repeat(of_new, size)].flatten(), [0, *sorted(_FILLER_MARKS)])
    told = np.logical_and.reduceat(np.isin(marks, words).all(axis=1), heads)
    found: Array = told | np.isin(meaning, meaning[new])
    return found


def _backwards(log: EventLog, owner: str) -> Iterator[Record]:
    """An owner's newest events, the newest first."""
    end = log.length(owner)
    for stop in range(end, max(0, end - LOOK_BACK), -STRIDE):
        yield from reversed(list(log.events(owner, max(0, stop - STRIDE), stop)))


def _last_sleep(log: EventLog, owner: str) -> Record | None:
    return next((record for record in _backwards(log, owner) if record.kind == "sleep"), None)


def _in_use(log: EventLog, owner: str, memory_ids: Sequence[str]) -> list[str]:
    """Those of some memories that were recalled or heard after they were told and refreshed last."""
    waiting, used = set(memory_ids), set()
    for record in _backwards(log, owner) if waiting else ():
        named = waiting & {record.body.get("id"), *record.body.get("ids", ())}
        if record.kind in USES:
            used |= named
        if record.kind in (*USES, *WRITING, "refresh"):
            waiting -= named
        if not waiting:
            break
    return [memory_id for memory_id in memory_ids if memory_id in used]
