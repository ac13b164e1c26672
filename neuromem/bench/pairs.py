"""Facts and questions of one person in one pool: asked plainly, in a crowd of other facts, and misheard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..config import Config
from ..encoders import Encoder
from ..errors import InvalidInput
from ..memory import Memory
from ..owners import Progress
from .common import mean, share
from .everyday import everyday_facts
from .mishear import Recognizer, word_error_rate
from .ranking import Baselines

__all__ = ["Pool", "lost_points", "measure_pairs"]

KINDS = ("question", "asr_question")
PLACES = (1, 5, 10)
USER = "pool"


class Pool:
    """A memory that holds the facts of pairs, as one owner's."""

    def __init__(self, memory: Memory, rows: Sequence[Mapping[str, Any]]) -> None:
        """
        Args:
            memory: an empty one. rows: `fact`, `question`, and perhaps `asr_question`.

        Raises:
            InvalidInput: a pair has no fact or no question.
        """
        for number, row in enumerate(rows, 1):
            if lacking := [name for name in ("fact", "question") if not row.get(name)]:
                problem = f"line {number} has no {' and no '.join(lacking)}"
                raise InvalidInput("--pairs", problem, "give JSONL of fact, question, asr_question")
        self.memory = memory
        self.facts = [str(row["fact"]) for row in rows]
        self.asked = {kind: [str(row.get(kind) or row["question"]) for row in rows] for kind in KINDS}
        self._place_of = {id: place for place, id in enumerate(self.add(self.facts))}

    def add(self, texts: Sequence[str], step: Progress | None = None) -> list[str]:
        """Adds facts as they are; their ids."""
        messages = [{"role": "user", "content": text} for text in texts]
        written = self.memory.add(messages, user_id=USER, infer=False, progress=step)
        return [item.id for item in written]

    def found(self, question: str) -> list[int | None]:
        """Places of the facts found, best first; None for one of the crowd."""
        recalls = self.memory.search(
            question, user_id=USER, limit=max(PLACES), fidelity="weights", rehearse=False
        )
        return [self._place_of.get(recall.id) for recall in recalls]

    def hits(self, kind: str, questions: Sequence[str] | None = None) -> dict[str, float]:
        """Share of the facts that are among the first k found: ``{"question hit@1": …}``.

        Args:
            kind: of `KINDS`. questions: one for each fact, instead of those of that kind.
        """
        return _hits(kind, [self.found(question) for question in questions or self.asked[kind]])


def measure_pairs(
    rows: Sequence[Mapping[str, Any]],
    config: Config,
    encoder: str | Encoder | None,
    *,
    baselines: bool = False,
    crowd: int = 0,
    hearings: int = 0,
    rate: float = 0.1,
    seed: int = 0,
    step: Progress | None = None,
) -> dict[str, Any]:
    """hit@1, @5 and @10 of each way to ask, shares from 0 to 1, and what noise and a crowd cost, in points.

    Args:
        rows: see `Pool`. baselines: also rank the facts by BM25, by cosine and by their sum.
        crowd: unrelated facts added to the same bank after all else is measured.
        hearings: times that each question is misheard, `rate` word errors a word.

    Returns:
        `pairs` by ranker; with hearings `pairs_misheard`, with a crowd `pairs_in_a_crowd`.
    """
    with Memory(config=config, encoder=encoder) as memory:
        pool = Pool(memory, rows)
        clean = {kind: pool.hits(kind) for kind in KINDS}
        both = clean["question"] | clean["asr_question"]
        report: dict[str, Any] = {"pairs": {"neuromem": both}}
        if baselines:
            report["pairs"] |= _baselines(pool)
        if hearings:
            report |= _misheard(pool, clean["question"], hearings, rate, seed)
        if crowd:
            pool.add(everyday_facts(crowd, seed, [*pool.facts, *pool.asked["question"]]), step)
            after = {name: hit for kind in KINDS for name, hit in pool.hits(kind).items()}
            compared = {"alone": both, "in the crowd": after, "points lost": lost_points(both, after)}
            report |= {"crowd_facts": crowd, "pairs_in_a_crowd": compared}
    return report


def lost_points(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """By how many points of a hundred each share fell."""
    return {name: 100 * (before[name] - after[name]) for name in before}


def _hits(kind: str, rankings: Sequence[Sequence[int | None]]) -> dict[str, float]:
    return {
        f"{kind} hit@{k}": share(place in order[:k] for place, order in enumerate(rankings)) for k in PLACES
    }


def _baselines(pool: Pool) -> dict[str, dict[str, float]]:
    rankers = Baselines(pool.facts, pool.memory.engine.keys.encoder)
    out: dict[str, dict[str, float]] = {}
    for kind, questions in pool.asked.items():
        ranked = [rankers.rank(question) for question in questions]
        for name in ranked[0] if ranked else ():
            out.setdefault(name, {}).update(_hits(kind, [orders[name] for orders in ranked]))
    return out


def _misheard(pool: Pool, clean: dict[str, float], hearings: int, rate: float, seed: int) -> dict[str, Any]:
    asked = pool.asked["question"]
    recognizer = Recognizer([*asked, *pool.facts])
    heard = [recognizer.hear(asked, rate, seed + hearing) for hearing in range(hearings)]
    rows = [pool.hits("question", questions) for questions in heard]
    noisy = {name: mean(row[name] for row in rows) for name in clean}
    return {
        "pairs_word_error_rate": mean(word_error_rate(asked, questions) for questions in heard),
        "pairs_misheard": {"clean": clean, "misheard": noisy, "points lost": lost_points(clean, noisy)},
    }
