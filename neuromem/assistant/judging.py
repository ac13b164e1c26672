"""Which statement answers a question, if any: a weighted sum of what speaks for each.

Words in common, meaning, the kind of thing asked for, and whom both are about; then a soft choice among
all statements and "none of them". The weights are fitted by `training/tune_responder.py` on written talks.

Axes: Q statements of all candidates, F kinds of evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..cached import forgets_texts
from ..facts.sought import slots_sought
from ..keys import Keys
from ..linear import matmul
from ..senses import nearest_words
from .asked import read_question
from .candidates import Candidate
from .counting import (
    KINDS_OF_EVIDENCE,
    add_of_turn,
    aliases_in,
    evidence_of_statement,
    heads_of,
    in_thread,
    of_sense,
    slot_filled,
)
from .following import Follow
from .statements import Statement, statements_of

__all__ = ["Judge", "RuleJudge", "Verdict", "sureness"]

Array = np.ndarray[Any, Any]

KNOWN = 2_048  # texts whose keys are held


@dataclass(frozen=True, slots=True)
class Verdict:
    """How likely a statement of a candidate answers."""

    chance: float  # 0 to 1; all verdicts on a question and "none" together 1
    candidate: Candidate
    statement: Statement


class Judge(Protocol):
    """Whatever can tell which statement answers a question."""

    def judge(self, question: Follow, candidates: Sequence[Candidate]) -> list[Verdict]:
        """Verdicts on the statements of candidates, the most likely first; what is left to 1 is "none"."""


def sureness(verdicts: Sequence[Verdict]) -> float:
    """How sure it is that the first of all verdicts answers rather than nothing does, 0 to 1.

    Others that answer as well make it no less sure.
    """
    if not verdicts:
        return 0.0
    none = max(0.0, 1 - sum(verdict.chance for verdict in verdicts))
    best = verdicts[0].chance
    return best / (best + none) if best else 0.0


class RuleJudge:
    """Judges by evidence that can be counted, with no model but the encoder."""

    def __init__(self, keys: Keys) -> None:
        """Args: keys: what texts are compared by."""
        self._keys = keys
        self._known: dict[str, tuple[Array, Array]] = {}  # key and senses of texts read before
        forgets_texts(self)

    def forget_texts(self) -> None:
        """Drops the texts read before: no deleted one must stay. Who is judging goes on with theirs."""
        self._known = {}

    def judge(self, question: Follow, candidates: Sequence[Candidate]) -> list[Verdict]:
        """As `Judge`."""
        pairs, evidence = self.evidence(question, candidates)
        if not pairs:
            return []
        weights = np.array([WEIGHTS.get(kind, 0.0) for kind in KINDS_OF_EVIDENCE])
        logits = np.append(evidence @ weights, WEIGHTS["none"])
        chances = np.exp(logits - logits.max())
        chances /= chances.sum()
        verdicts = [
            Verdict(float(chance), candidate, statement)
            for chance, (candidate, statement) in zip(chances[:-1], pairs, strict=True)
        ]
        return sorted(verdicts, key=lambda verdict: -verdict.chance)

    def evidence(
        self, question: Follow, candidates: Sequence[Candidate]
    ) -> tuple[list[tuple[Candidate, Statement]], Array]:
        """All statements with what speaks for them, [Q, F] float64, columns as `KINDS_OF_EVIDENCE`."""
        pairs = [(candidate, each) for candidate in candidates for each in statements_of(candidate)]
        if not pairs:
            return [], np.zeros((0, len(KINDS_OF_EVIDENCE)))
        asked = read_question(question.text)
        cosines, senses = self._compared(question, [each.text for _, each in pairs])
        heads = heads_of(asked)
        order = {seq: place for place, seq in enumerate(sorted({c.seq for c in candidates}))}
        best = max(candidate.score for candidate in candidates)
        aliases = aliases_in(asked, candidates)
        rows = [
            evidence_of_statement(
                asked, candidate, statement, cosine, best, order[candidate.seq] / len(order), aliases
            )
            | in_thread(question, candidate, statement)
            | of_sense(asked, heads, senses, place)
            for place, ((candidate, statement), cosine) in enumerate(zip(pairs, cosines, strict=True))
        ]
        add_of_turn(pairs, rows)
        slots = set(slots_sought(question.text))
        for (candidate, _), row in zip(pairs, rows, strict=True):
            row["slot"] = float(bool(slots) and row["memory"] > 0 and slot_filled(candidate) in slots)
        return pairs, np.array([[row.get(kind, 0.0) for kind in KINDS_OF_EVIDENCE] for row in rows])

    def _compared(self, question: Follow, texts: Sequence[str]) -> tuple[Array, dict[str, Array]]:
        """[Q] cosines of texts with a question, and of each of its words [Q] how near a word of a text is."""
        known = self._known
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if len(known) + len(new) > KNOWN:
            known = self._known = {}
            new = list(dict.fromkeys(texts))
        if new:
            keys, codes = self._keys.addresses(new)
            known |= dict(zip(new, zip(keys.numpy(), codes.numpy(), strict=True), strict=True))
        held = [known[text] for text in texts]
        cosines = matmul(np.stack([key for key, _ in held]), self._keys.query(question.query).numpy())
        asked = self._keys.query_senses(question.text)
        if not asked:
            return cosines, {}
        wanted = np.stack([vector.numpy() for vector in asked.values()]).astype(np.float32)
        near = nearest_words(np.stack([code for _, code in held]), np.arange(len(held)), len(held), wanted)
        return cosines, dict(zip(asked, near.T, strict=True))


WEIGHTS: dict[str, float] = {
    "score": -5.44,
    "relative": 3.9,
    "memory": 0.51,
    "cosine": 3.66,
    "words": -0.75,
    "words of turn": -0.67,
    "words around": 0.65,
    "fit": 0.53,
    "named": -0.59,
    "named nearby": -0.78,
    "unnamed": -1.46,
    "role": -0.64,
    "alias": 0.36,
    "role nearby": 1.09,
    "stranger": -0.75,
    "own": 0.69,
    "own of another": 0.23,
    "of self": -0.69,
    "leans": 0.47,
    "unreal": -1.07,
    "new words": 0.0,
    "nothing new": -3.88,
    "short": -0.01,
    "newness": 1.02,
    "superseded": -0.59,
    "place": 0.2,
    "fragment": 0.23,
    "words before": -1.72,
    "words before, of turn": 0.92,
    "answered before": -1.33,
    "turn of answer": 1.5,
    "near answer": 1.24,
    "names of answer": 1.12,
    "senses": 4.05,
    "head": 1.25,
    "senses of turn": 2.23,
    "head of turn": 0.37,
    "cosine of turn": 1.57,
    "covered": 1.28,
    "covered and fit": -0.59,
    "role and words": -0.96,
    "covered by turn": -0.36,
    "slot": 1.12,
    "fit and words": 0.49,
    "fit and around": -0.25,
    "words and named": 0.31,
    "cosine and fit": -1.12,
    "fit price": 0.47,
    "fit often": 0.98,
    "fit age": 0.52,
    "fit length": 1.4,
    "fit number": 0.73,
    "fit code": 0.25,
    "fit hour": 0.73,
    "fit when": 1.06,
    "fit where": 0.5,
    "fit who": 0.38,
    "fit name": -0.17,
    "fit why": -0.4,
    "fit job": 0.37,
    "fit yes": 0.0,
    "fit what": 0.0,
    "none": 6.08,
}
"""Fitted by `training/tune_responder.py`."""
