"""One search, from the question to the results; and memories that are only looked at."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .checks import DEEP
from .current import View, view_of
from .deep import search_log
from .engine import Engine, Owner, in_time
from .errors import InvalidInput
from .evidence import speakers_of
from .fold import ends_of
from .forgetting import Fidelity
from .history import WRITING
from .log import EventLog, Record
from .owners import OpenOwner
from .question import Question, take_apart
from .recall import Hit, Ranking, Recall, read

__all__ = ["Filters", "Search", "look", "read_hits"]

Filters = Mapping[str, Any] | Callable[[str], bool]
"""Metadata that results must have, or a function that says of a memory's id whether it passes."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked, and how; see `Memory.search`. The arguments are checked already."""

    query: str
    limit: int
    filters: Filters | None = None
    fidelity: str = "auto"
    budget_ms: float | None = None
    explain: bool = False
    rehearse: bool = True
    current_view: bool = True
    now_ms: int | None = None  # the question is asked as if it were this time

    def of(self, engine: Engine, owner: Owner) -> list[Recall]:
        """The results, best first.

        Raises:
            InvalidInput: the filters are none.
        """
        started = time.perf_counter()
        if self.filters is not None and not isinstance(self.filters, Mapping) and not callable(self.filters):
            problem = f"{self.filters!r:.60} is not a dict"
            raise InvalidInput("filters", problem, 'give one such as {"topic": "pets"}')
        deadline = None if self.budget_ms is None else started + self.budget_ms / 1_000
        with engine.owners.use(owner.name, settle=False) as open_:
            now_ms = engine.now_ms() if self.now_ms is None else self.now_ms
            with engine.owners.threads:
                question = take_apart(self.query, engine.keys, speakers_of(open_.bank), now_ms)
            view = view_of(self.query, now_ms) if self.current_view else None
            hits = self._matching(engine, open_, question, now_ms, view)
            recalls = self._read(engine, open_, hits, now_ms, deadline)
            if self.explain:
                pairs = zip(recalls, hits, strict=True)
                recalls = [replace(recall, explain=hit.explained()) for recall, hit in pairs]
            if self.fidelity in ("auto", DEEP):
                recalls = engine.rescued(open_, recalls, deadline)
            recalls = [recall for recall in recalls if recall.fidelity is not Fidelity.FORGOTTEN]
            if self.rehearse:
                engine.rehearse(open_, recalls)
        sure = bool(recalls) and recalls[0].score >= engine.config.recall.low_confidence
        if self.fidelity != DEEP or sure or not in_time(deadline):
            return recalls
        return self._with_older(engine, owner, recalls, deadline, view is not None and not view.of_past)

    def _with_older(
        self, engine: Engine, owner: Owner, recalls: Sequence[Recall], deadline: float | None, current: bool
    ) -> list[Recall]:
        """The results, and what the log has besides: forgotten facts, too; the best of both first.

        Args:
            current: what was superseded is left out.
        """
        left_s = None if deadline is None else deadline - time.perf_counter()
        time_out, until = None if left_s is None else time.monotonic() + left_s, engine.owners.until
        over = _superseded(engine.log, owner.name, until) if current else frozenset()

        def among(record: Record) -> bool:
            told = record.body.get("id") or record.body["text"]  # words that only were heard have no id
            return told not in over and self._wants(record)

        with engine.owners.threads:
            found = search_log(
                engine.log, owner.name, self.query, engine.keys, self.limit, None, time_out, until, among
            )
        with engine.owners.use(owner.name) as open_:
            older = engine.bring_back(open_, found)
            if current:  # a bank that was imported knows what no event says
                older = [item for item in older if not (item.id and open_.bank.ended(item.id)[0])]
        known = {item.id for item in older if item.id}
        both = [*older, *(item for item in recalls if item.id not in known)]
        return sorted(both, key=lambda item: -item.score)[: self.limit]

    def _wants(self, record: Record) -> bool:
        """Whether the filters let words of the log be among the results."""
        if not self.filters:
            return True
        if not isinstance(self.filters, Mapping):
            return bool(record.body.get("id")) and self.filters(record.body["id"])
        return _has(record.body.get("metadata", {}), self.filters)

    def _read(
        self, engine: Engine, open_: OpenOwner, hits: Sequence[Hit], now_ms: int, deadline: float | None
    ) -> list[Recall]:
        """What the weights say, or ("exact") the words of the log: then only what it has not is decoded."""
        if self.fidelity != "exact":
            return read_hits(engine, open_, hits, now_ms)
        words = [engine.words(open_, hit.id) if in_time(deadline) else None for hit in hits]
        return read_hits(engine, open_, hits, now_ms, words)

    def _matching(
        self, engine: Engine, open_: OpenOwner, question: Question, now_ms: int, view: View | None
    ) -> list[Hit]:
        """The best hits that pass the filters; looks further down the list until there are enough."""
        config = engine.config.recall
        wanted = max(self.limit, 0 if view is None else view.looks_at)
        # what has faded to nothing is worth finding only if its words will be fetched
        rescue = {"weights": math.inf, "exact": -math.inf}.get(self.fidelity, config.low_confidence)
        ranking = Ranking(open_.bank, question, now_ms, config, rescue)
        while True:
            hits = ranking.best(wanted)
            seen = hits if view is None else view.seen(open_.bank, hits, now_ms)
            passing = [hit for hit in seen if self._passes(engine, open_, hit.id)]
            if len(passing) >= self.limit or len(hits) < wanted:
                return passing[: self.limit]
            wanted *= 4

    def _passes(self, engine: Engine, open_: OpenOwner, memory_id: str) -> bool:
        """Whether a memory may be among the results."""
        if not self.filters:
            return True
        if not isinstance(self.filters, Mapping):
            return self.filters(memory_id)
        return _has(engine.metadata(open_, memory_id), self.filters)


def _superseded(log: EventLog, owner: str, until: float | None) -> frozenset[str]:
    """Ids and words of the memories that were superseded by a time, also of those that no bank holds."""
    records = [record for record in log.events(owner) if until is None or record.time <= until]
    over = {memory_id for memory_id, (until_ms, _) in ends_of(records).items() if until_ms}
    told = (record.body for record in records if record.kind in WRITING)
    return frozenset([*over, *(body["text"] for body in told if body["id"] in over)])


def _has(metadata: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether metadata has all that is wanted."""
    return all(key in metadata and metadata[key] == value for key, value in wanted.items())


def look(engine: Engine, open_: OpenOwner, ids: Sequence[str], fidelity: str) -> list[Recall]:
    """Memories by id, only looked at, with the words of the log where `fidelity` is "exact"."""
    now_ms = engine.now_ms()
    strengths = [engine.strength(open_, memory_id, now_ms) for memory_id in ids]
    hits = [Hit(id, 1.0, 1.0, strength) for id, strength in zip(ids, strengths, strict=True)]
    words = [engine.words(open_, id) for id in ids] if fidelity == "exact" else ()
    return read_hits(engine, open_, hits, now_ms, words)


def read_hits(
    engine: Engine, open_: OpenOwner, hits: Sequence[Hit], now_ms: int, words: Sequence[str | None] = ()
) -> list[Recall]:
    """What the weights say of memories, or the `words` that are given for them, with their metadata."""
    recalls = read(open_.bank, engine.codec, hits, now_ms, words)
    return [engine.with_metadata(open_, recall) for recall in recalls]
