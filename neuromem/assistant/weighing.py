"""Two judges as one: what the reader makes of a turn, and what can be counted of a statement.

Each gives chances that add up to 1 with that of "none"; their logarithms are weighed against each other
(a product of experts: Hinton, 2002). The weights were fitted by `training/tune_weighing.py` on dialogues
that the reader was not trained on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..facts.sought import slots_sought
from ..memory import Memory
from ..reading import Passage, Reader
from .candidates import Candidate
from .counting import slot_filled
from .following import Follow
from .judging import Judge, RuleJudge, Verdict
from .statements import Statement

__all__ = ["Evidence", "ReadingJudge", "Weights", "evidence_of", "judge_for", "weighed"]

READ = 12  # candidates that are read
BEFORE = 2  # turns before one that are read with it
LEAST = 1e-4  # chance below which no difference is made


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one statement, or of "none": logarithms of both chances, and whether the answer stands in it."""

    counted: float
    read: float
    here: float = 0.0  # 0 to 1: share of what the reader marked as the answer
    slot: bool = False  # its memory holds the very slot asked for


@dataclass(frozen=True, slots=True)
class Weights:
    """Of each kind of evidence; `training/tune_weighing.py` fits them."""

    counted: float = 0.373
    reading: float = 0.624
    here: float = 2.031
    none: float = 0.991
    slot: float = 3.0  # by hand: few questions name one


def judge_for(memory: Memory) -> Judge:
    """Both judges together where the reader's checkpoint is there; else the rules alone."""
    reader, rules = Reader(), RuleJudge(memory.engine.keys)
    return ReadingJudge(reader, rules) if reader.is_there else rules


class ReadingJudge:
    """Judges with the reader and another judge together."""

    def __init__(self, reader: Reader, other: Judge) -> None:
        """Args: other: who judges the statements by what can be counted."""
        self._reader, self._other = reader, other

    def judge(self, question: Follow, candidates: Sequence[Candidate]) -> list[Verdict]:
        """As `Judge`."""
        verdicts = self._other.judge(question, candidates)
        if not verdicts:
            return []
        told, none = evidence_of(self._reader, question, candidates, verdicts)
        return weighed(verdicts, told, none)


def weighed(
    verdicts: Sequence[Verdict], told: Sequence[Evidence], none: Evidence, weights: Weights | None = None
) -> list[Verdict]:
    """The verdicts with the chances of both judges together, likeliest first."""
    by = weights or Weights()
    logits = [
        by.counted * each.counted + by.reading * each.read + by.here * each.here + by.slot * each.slot
        for each in told
    ]
    logits.append(by.counted * none.counted + by.reading * none.read + by.none)
    peak = max(logits)
    chances = [math.exp(logit - peak) for logit in logits]
    total = sum(chances)
    judged = [
        Verdict(chance / total, verdict.candidate, verdict.statement)
        for chance, verdict in zip(chances, verdicts, strict=False)
    ]
    return sorted(judged, key=lambda verdict: -verdict.chance)


def _fills(verdict: Verdict, slots: Sequence[str]) -> bool:
    """Whether its memory holds the very slot asked for, still: "my dog's name" → `1|dog name`."""
    return verdict.candidate.current and slot_filled(verdict.candidate) in slots


def evidence_of(
    reader: Reader, question: Follow, candidates: Sequence[Candidate], verdicts: Sequence[Verdict]
) -> tuple[list[Evidence], Evidence]:
    """What both judges say of each verdict's statement; and of "none"."""
    read = candidates[:READ]
    passages = [
        Passage(each.text, " ".join(each.earlier[-BEFORE:]), each.created_at.timestamp(), rank)
        for rank, each in enumerate(read)
    ]
    readings = reader.read(question.query, passages)
    by_turn = {each.seq: reading for each, reading in zip(read, readings, strict=True)}
    slots = slots_sought(question.text)
    out = []
    for verdict in verdicts:
        reading, fills = by_turn.get(verdict.candidate.seq), _fills(verdict, slots)
        if reading is None:
            out.append(Evidence(_log(verdict.chance), math.log(LEAST), slot=fills))
            continue
        here = _share(verdict.candidate.text, verdict.statement, reading.start, reading.end)
        out.append(Evidence(_log(verdict.chance), _log(reading.chance), here, fills))
    rest = 1 - sum(verdict.chance for verdict in verdicts)
    return out, Evidence(_log(rest), _log(1 - sum(reading.chance for reading in readings)))


def _share(text: str, statement: Statement, start: int, end: int) -> float:
    """Share of a range of characters of a turn that lies in a statement of it."""
    begin = text.find(statement.said)
    if begin < 0 or end <= start:
        return 0.0
    return max(0, min(end, begin + len(statement.said)) - max(start, begin)) / (end - start)


def _log(chance: float) -> float:
    return math.log(max(LEAST, chance))
