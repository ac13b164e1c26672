"""What was so at the point of a course of things that a question asks for comes first.

Statements of one matter follow each other: those that replaced one another are linked, others are known by
what they share. `facts/points.py` reads from a question which point of such a course is meant; here it is
found among the hits and what they are linked with. Where nothing fits, the hits stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from .bank import SlotBank
from .facts.points import Point, Which
from .marks import mark_of
from .recall import Hit, put_first

__all__ = ["LOOKED_AT", "at_point"]

LOOKED_AT = 10  # hits among which the point is looked for, however few are wanted
LONGEST = 64  # steps of a chain
ALIKE = 0.8  # share of another's score from which a statement is as good an answer
NEAR = 0.5  # … from which it may be one
EARLIER = 0.35  # share of the score of a thing named, from which what was before it is of the same matter
CLEARLY = 1.25  # how often the score of the last hit looked at one that stands out has
AMONG = 0.6  # share of the best of those before it, from which the last of them is meant


@dataclass(frozen=True, slots=True)
class Step:
    """A statement in a course of things."""

    id: str
    told: float  # Unix seconds
    until: float  # … until when it held; infinite for what holds still
    successor: str  # id of what replaced it, or may have; of an exception, its habit
    score: float
    date: float  # what of its score is for when it was told
    marks: frozenset[int]
    speaker: int

    def held_in(self, start: float, end: float) -> bool:
        """Whether it was told before a stretch of time is over, and not replaced before it begins."""
        return self.told < end and self.until > start

    def timeless(self) -> Step:
        """The same, its score without what is for when it was told."""
        return replace(self, score=self.score - self.date) if self.date else self

    def follows(self, other: Step, matter: frozenset[int]) -> bool:
        """Whether it may be what came next: as good an answer, or one that names the other again.

        Args:
            matter: words that any statement of the matter has.
        """
        least = NEAR if (self.marks & other.marks) - matter else ALIKE
        return self.is_of(other) and self.told > other.told and self.score >= least * other.score

    def is_of(self, other: Step) -> bool:
        """Whether it may be on the matter of another: told by the same, with a word in common."""
        return self.speaker == other.speaker and bool(self.marks & other.marks)


def at_point(bank: SlotBank, hits: Sequence[Hit], point: Point, now_ms: int) -> list[Hit]:
    """The hits, best first, with what was so at a point of its course before the others.

    Args:
        hits: of all memories, superseded ones too. now_ms: when it is asked, for strengths.
    """
    out = list(hits)
    if not out:
        return out
    chosen = _Course(bank, out).step(point)
    if chosen is None or chosen.id == out[0].id:
        return out
    for place, hit in enumerate(out):
        if hit.id == chosen.id:
            return put_first(out, place)
    strength = float(bank.strength(bank.rows_of(chosen.id)[:1], now_ms)[0])
    return put_first([*out, Hit(chosen.id, 0.0, 0.0, strength)], len(out))


class _Course:
    """The statements found, and those that they are linked with."""

    def __init__(self, bank: SlotBank, hits: Sequence[Hit]) -> None:
        self._bank = bank
        self._known: dict[str, Step | None] = {}
        found = [self._step(hit.id, hit.score, hit) for hit in hits]
        self.steps = [step for step in found if step is not None]
        # where there is much else, what was before stands out from it
        least = min(map(_score, self.steps), default=0.0)
        self._rest = CLEARLY * least if len(self.steps) >= LOOKED_AT else 0.0

    def step(self, point: Point) -> Step | None:
        """The one that a point asks for; None where there is none, or it cannot be told."""
        if not self.steps:
            return None
        words = _marks(point.words)
        if point.which is Which.FIRST:
            return self._first()
        if point.which is Which.AT:
            return self._at(point)
        named = self._named(words)
        if not named:
            return None
        if point.which is Which.WHILE:
            return self._while(named[0], _marks(point.matter))
        # what names it again later is no beginning of it
        anchor = min((each for each in named if each.score >= NEAR * named[0].score), key=_time)
        since = self._named(_marks(point.after)) if point.which is Which.BETWEEN else []
        return self._before(anchor, named, since[0].told if since else -math.inf)

    def _first(self) -> Step:
        best = self.steps[0]
        alike = [step for step in self.steps if step.score >= ALIKE * best.score and step.is_of(best)]
        return min((each for step in (best, *alike) for each in self._chain(step)), key=_time)

    def _at(self, point: Point) -> Step | None:
        """What was so at a time: what speaks of it itself, else the last of the matter told by then."""
        words, matter = _marks(point.words), _marks(point.matter)
        # how it was in May may have been told in March: only what was told in May is nearer for its time
        steps = [step if point.start <= step.told < point.end else step.timeless() for step in self.steps]
        best = max(steps, key=_score)
        spoken = [step for step in steps if words and words <= step.marks]
        if spoken and spoken[0].score >= ALIKE * best.score:
            return spoken[0]
        held = [step for step in steps if step.held_in(point.start, point.end)]
        then = [step for step in self._chain(best) if step.held_in(point.start, point.end)]
        if not then:
            first = max((step for step in held if step.speaker == best.speaker), key=_score, default=None)
            if first is None or first.score < NEAR * best.score:
                return None
            best, then = first, [first]
        if best.told < point.start:
            then += [step for step in held if step.follows(best, matter)]
        linked = [each for step in then for each in self._chain(step)]
        return max((step for step in linked if step.held_in(point.start, point.end)), key=_time)

    def _while(self, anchor: Step, matter: frozenset[int]) -> Step | None:
        """What was so while something else was; what tells both is the answer itself."""
        if anchor.marks & matter:
            return anchor if anchor.until < math.inf else None
        rest = [step for step in self.steps if step.marks & matter]
        if not rest:
            return None
        linked = self._chain(rest[0])
        over = anchor.until < math.inf  # else it is what happened then, or is so still
        then = [
            step for step in linked if step.held_in(anchor.told, anchor.until if over else anchor.told + 1)
        ]
        return max(then, key=_time, default=None) if len(linked) > 1 else None

    def _before(self, anchor: Step, named: Sequence[Step], since: float) -> Step | None:
        """What something that is named came after: what it replaced, else what was told last."""
        replaced = [step for step in self._replaced(anchor) if step.told < anchor.told]
        if replaced and since == -math.inf:
            return max(replaced, key=lambda step: (step.score, step.told))
        # named again later, and nearer to the question: that may tell itself what was before
        share = EARLIER if anchor == named[0] else NEAR
        least = max(self._rest, share * named[0].score) if since == -math.inf else 0.0
        earlier = [
            step
            for step in self.steps
            if since < step.told < anchor.told
            and step not in named
            and step.speaker == anchor.speaker
            and step.score >= least
        ]
        if not earlier:
            return None
        best = max(step.score for step in earlier)
        last = max((step for step in earlier if step.score >= AMONG * best), key=_time)
        return max((each for each in self._chain(last) if each.told < anchor.told), key=_time)

    def _named(self, words: frozenset[int]) -> list[Step]:
        """The statements that hold most of some words, at least half of them; best first."""
        most = max((len(words & step.marks) for step in self.steps), default=0)
        if not words or 2 * most < len(words):
            return []
        named = [step for step in self.steps if len(words & step.marks) == most]
        return sorted(named, key=_score, reverse=True)

    def _chain(self, step: Step) -> list[Step]:
        """A statement with all that it replaced, and that replaced it."""
        found = {step.id: step}
        waiting = [step]
        while waiting and len(found) < LONGEST:
            each = waiting.pop()
            after = self._step(each.successor) if each.successor else None
            for near in (*self._replaced(each), *([after] if after else [])):
                if near.id not in found:
                    found[near.id] = near
                    waiting.append(near)
        return list(found.values())

    def _replaced(self, step: Step) -> Iterator[Step]:
        for id_ in self._bank.replaced_by(step.id):
            if (found := self._step(id_)) is not None:
                yield found

    def _step(self, memory_id: str, score: float = 0.0, hit: Hit | None = None) -> Step | None:
        if memory_id not in self._known:
            self._known[memory_id] = _read(self._bank, memory_id, score, _of_date(hit))
        return self._known[memory_id]


def _read(bank: SlotBank, memory_id: str, score: float, date: float) -> Step | None:
    rows = bank.rows_of(memory_id)
    if not rows:
        return None
    until, successor = bank.ended(memory_id)
    return Step(
        memory_id,
        int(bank.written_ms[rows[0]]) / 1_000,
        until / 1_000 if until else math.inf,
        successor,
        score,
        date,
        frozenset(bank.held_marks(memory_id)),
        int(bank.speaker[rows[0]]),
    )


def _of_date(hit: Hit | None) -> float:
    evidence, place = (hit.evidence if hit is not None else None) or (None, 0)
    return 0.0 if evidence is None else evidence.parts(place).get("date", 0.0)


def _marks(words: Iterable[str]) -> frozenset[int]:
    return frozenset(mark_of(word) for word in words)


def _time(step: Step) -> float:
    return step.told


def _score(step: Step) -> float:
    return step.score
