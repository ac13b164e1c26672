"""Of two statements that may answer, the one that the other made out of date is not said.

What is asked for is mostly so in the words of the statement that holds no more: whoever says "it's once a
month now" need not say what is. So the judge of news (`verdict.py`) reads the likeliest statements in pairs.
The limits were chosen on dialogues that neither it nor the reader was trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..memory import Memory
from ..reading import Passage
from ..verdict import news_judge_for
from .candidates import Candidate
from .judging import Verdict

__all__ = ["Ends", "ends_for", "holding"]

Ends = Callable[[Candidate, Candidate], float]
"""Of a turn and one told before it: the chance that it makes that one out of date."""

LOOKED_AT = 3  # statements after the likeliest one
CLOSE = 0.25  # share of its chance from which they are looked at
REPLACED = 0.9  # chance from which the older of two is out of date


def ends_for(memory: Memory) -> Ends | None:
    """The shipped judge's; None where there is none for the memory's encoder."""
    judge = news_judge_for(memory.engine.keys.encoder.name)
    if judge is None:
        return None
    return lambda newer, older: judge.ends(newer.text, _passage(older))


def _passage(turn: Candidate) -> Passage:
    return Passage(turn.text, turn.before, turn.created_at.timestamp())


def holding(verdicts: Sequence[Verdict], ends: Ends) -> Verdict | None:
    """The statement that holds, where the likeliest one and another about as likely cannot both.

    Args:
        verdicts: likeliest first, one at least.
    """
    best = verdicts[0]
    for other in verdicts[1 : 1 + LOOKED_AT]:
        if other.candidate.seq == best.candidate.seq or other.chance < CLOSE * best.chance:
            continue
        older, newer = sorted((best, other), key=lambda each: each.candidate.seq)
        if ends(newer.candidate, older.candidate) >= REPLACED:
            return newer
    return None
