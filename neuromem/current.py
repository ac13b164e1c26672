"""Which of the memories found are shown: what is current, or what was.

A superseded memory keeps its key, and goes on being found by what it said; in the current view it hands its
score on to what replaced it. So "where's the recital?" finds "the recital's at the town hall", and the answer
is the correction, "I mean the grange hall", which by itself has no word of the question.

Asked about the past it is the other way round: what was replaced stands above what replaced it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import torch

from .bank import SlotBank
from .chains import LOOKED_AT, at_point
from .facts.asked import Asked, asked_of, asks_of_self
from .introduced import Sought, behind_its_lead, sought_of
from .marks import ASKS, OTHER
from .namesakes import Person, named_first, people_in
from .recall import ABOVE, Hit, put_first

__all__ = ["View", "view_of"]

LONGEST_CHAIN = 64  # successors of successors


ENOUGH = 0.35  # share of a memory's score from which what may be news of it goes before it

OWN = 0.75  # share of the score of somebody else's fact from which one's own goes before it
LATEST = 0.7  # share of the best score from which a newer memory may be the latest of what is asked for

Ends = dict[str, tuple[int, str]]
"""Of each memory: see `SlotBank.ended`."""
Steps = dict[str, tuple[int, str] | None]
"""The same, as far as it was looked up; None for a memory that is not held."""


@dataclass(frozen=True, slots=True)
class View:
    """What a question lets be seen."""

    asked: Asked
    sought: Sought
    people: frozenset[Person]
    own: bool = False  # it is about who asks, and nobody else

    @property
    def looks_at(self) -> int:
        """How many hits it has to see, however few are wanted."""
        return 0 if self.asked.point is None else LOOKED_AT

    @property
    def of_past(self) -> bool:
        """Whether what was superseded belongs to the answer."""
        return self.asked.any or self.asked.past

    def seen(self, bank: SlotBank, hits: Sequence[Hit], now_ms: int) -> list[Hit]:
        """The hits that are shown, best first.

        Args:
            hits: of all memories, superseded ones too. now_ms: when it is asked, for strengths.
        """
        ends = bank.ends([hit.id for hit in hits])
        past, shown = self.of_past, list(hits)
        if any(any(end) for end in ends.values()):
            shown = self._history(bank, hits, ends) if past else self._current(bank, hits, ends, now_ms)
            shown.sort(key=lambda hit: (-hit.score, hit.id))
            shown = shown if past else behind_its_lead(bank, shown)
        if self.asked.latest:
            shown = _latest_first(bank, shown)
        if self.own:
            shown = _own_first(bank, shown)
        shown = self.sought.first(bank, named_first(bank, shown, self.people))
        return shown if self.asked.point is None else at_point(bank, shown, self.asked.point, now_ms)

    def _history(self, bank: SlotBank, hits: Sequence[Hit], ends: Ends) -> list[Hit]:
        """Everything; what was so at the time asked for stands above what came after it."""
        score = {hit.id: hit.score for hit in hits}
        out = []
        for hit in hits:
            after = score.get(ends[hit.id][1], 0.0)
            first = after > 0 and self._asked_for(bank, hit.id, *ends[hit.id])
            if not first and self._is_outdone(bank, hit.score, after, *ends[hit.id]):
                hit = replace(hit, score=after - ABOVE)
            out.append(replace(hit, score=max(hit.score, after + ABOVE)) if first else hit)
        return out

    def _is_outdone(self, bank: SlotBank, score: float, after: float, until_ms: int, successor: str) -> bool:
        """Whether what replaced a memory answers, too, and no time before it is asked for."""
        if not until_ms or self.asked.past or after < ENOUGH * score:
            return False
        return self.asked.start is None or self._told_then(bank, successor)

    def _told_then(self, bank: SlotBank, memory_id: str) -> bool:
        """Whether a memory was told in the time that the question names."""
        start, end = self.asked.start, self.asked.end
        return start is not None and end is not None and start <= _written(bank, memory_id) < end

    def _current(self, bank: SlotBank, hits: Sequence[Hit], ends: Ends, now_ms: int) -> list[Hit]:
        """Current memories; those found by what they replaced are there with that score."""
        known: Steps = dict(ends)
        shown = [(hit, successor_of(bank, hit.id, known)) for hit in hits]
        successors = list({id_ for hit, id_ in shown if id_ is not None and id_ != hit.id})
        firsts = torch.tensor([bank.rows_of(id_)[0] for id_ in successors], dtype=torch.int64)
        strengths = dict(zip(successors, bank.strength(firsts, now_ms).tolist(), strict=True))
        best: dict[str, Hit] = {}
        for hit, memory_id in shown:
            if memory_id is None:
                continue
            if memory_id != hit.id:
                hit = replace(hit, id=memory_id, strength=strengths[memory_id])
            if memory_id not in best or hit.score > best[memory_id].score:
                best[memory_id] = hit
        for hit in hits:
            before = self._before(bank, hit.id, ends[hit.id], known)
            if before in best and hit.score * ENOUGH <= best[before].score <= hit.score:
                best[before] = replace(best[before], score=hit.score + ABOVE)
        return list(best.values())

    def _before(self, bank: SlotBank, memory_id: str, end: tuple[int, str], known: Steps) -> str | None:
        """What goes before a current memory: news of it, or the habit to which it is an exception."""
        until_ms, by = end
        if until_ms or not by:
            return None
        exception = _written(bank, by) < _written(bank, memory_id)
        return None if exception and self.asked.did else successor_of(bank, by, known)

    def _asked_for(self, bank: SlotBank, memory_id: str, until_ms: int, successor: str) -> bool:
        """Whether a memory that has a successor was so at the time that the question names."""
        if self.asked.start is None or self.asked.end is None:
            return self.asked.past
        since, then = (_written(bank, id_) for id_ in (memory_id, successor))
        if self._told_then(bank, successor):  # of "in February", what was told last in February
            return False
        return since < self.asked.end and (until_ms / 1_000 or then) >= self.asked.start


def _latest_first(bank: SlotBank, hits: Sequence[Hit]) -> list[Hit]:
    """Asked for the latest of several, the newest of those that are about the same comes first.

    In talk of two, what the other says of it is no newer state of it, and a question is none at all.
    """
    out = list(hits)
    if len(out) < 2:
        return out
    best, speaker = set(bank.held_marks(out[0].id)), _speaker(bank, out[0].id)
    rivals = [
        (_written(bank, hit.id), place)
        for place, hit in enumerate(out)
        if hit.score >= LATEST * out[0].score
        and not best.isdisjoint(bank.held_marks(hit.id))
        and (not place or (_speaker(bank, hit.id) == speaker and not _asks(bank, hit.id)))
    ]
    place = max(rivals, default=(0.0, 0))[1]
    return put_first(out, place) if place else out


def _own_first(bank: SlotBank, hits: Sequence[Hit]) -> list[Hit]:
    """What is about who asks before what is about somebody else and hardly nearer."""
    out = list(hits)
    firsts = [bank.rows_of(hit.id)[:1] for hit in out]
    theirs = [any(int(bank.traits[row]) & OTHER for row in rows) for rows in firsts]
    place = theirs.index(False) if False in theirs else 0
    return put_first(out, place) if place and out[place].score >= OWN * out[0].score else out


def _speaker(bank: SlotBank, memory_id: str) -> int:
    """Mark of who said a memory; 0 for the owner, and when it is not held."""
    rows = bank.rows_of(memory_id)
    return int(bank.speaker[rows[0]]) if rows else 0


def _asks(bank: SlotBank, memory_id: str) -> bool:
    """Whether a memory ends as a question."""
    return any(int(bank.traits[row]) & ASKS for row in bank.rows_of(memory_id)[-1:])


def view_of(question: str, now_ms: int) -> View:
    """The view that a question asks for, at a time in Unix milliseconds."""
    asked = asked_of(question, datetime.fromtimestamp(now_ms / 1_000, UTC))
    return View(asked, sought_of(question), people_in(question), asks_of_self(question))


def _written(bank: SlotBank, memory_id: str) -> float:
    """Unix seconds of a memory's first writing; 0 when it is not held."""
    rows = bank.rows_of(memory_id)
    return int(bank.written_ms[rows[0]]) / 1_000 if rows else 0.0


def successor_of(bank: SlotBank, memory_id: str, known: Steps) -> str | None:
    """The memory itself if it is current, else what has replaced it; None when nothing has, or it is gone.

    Args:
        known: what was looked up before; what is looked up now is added.
    """
    for _ in range(LONGEST_CHAIN):
        if memory_id not in known:
            known[memory_id] = bank.ended(memory_id) if bank.rows_of(memory_id) else None
        end = known[memory_id]
        if end is None:
            return None
        until_ms, successor = end
        if not until_ms:
            return memory_id
        if not successor:
            return None
        memory_id = successor
    return None
