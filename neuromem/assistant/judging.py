"""Which statement answers a question, if any: a weighted sum of what speaks for each.

Words in common, meaning, the kind of thing asked for, and whom both are about; then a soft choice among
all statements and "none of them". The weights are fitted by `training/tune_responder.py` on written talks.

Axes: Q statements of all candidates, F kinds of evidence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..facts.clause import KIN_WORDS
from ..facts.gist import parse_gist
from ..facts.slots import slot_of
from ..facts.sought import slots_sought
from ..keys import Keys
from ..senses import nearest_words
from ..text import idf, stems, words
from .asked import KINDS, Asked, content, has_kind, names_in, read_question, said_words
from .candidates import Candidate
from .following import Follow
from .statements import Statement, statements_of

__all__ = ["Judge", "RuleJudge", "Verdict", "sureness"]

Array = np.ndarray[Any, Any]

MOST_IDF = 8.0
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
        heads = _heads(asked)
        order = {seq: place for place, seq in enumerate(sorted({c.seq for c in candidates}))}
        best = max(candidate.score for candidate in candidates)
        aliases = _aliases(asked, candidates)
        rows = [
            _row(asked, candidate, statement, cosine, best, order[candidate.seq] / len(order), aliases)
            | _in_thread(question, candidate, statement)
            | _of_sense(asked, heads, senses, place)
            for place, ((candidate, statement), cosine) in enumerate(zip(pairs, cosines, strict=True))
        ]
        _beside(pairs, rows)
        slots = set(slots_sought(question.text))
        for (candidate, _), row in zip(pairs, rows, strict=True):
            row["slot"] = float(bool(slots) and row["memory"] > 0 and _slot(candidate) in slots)
        return pairs, np.array([[row.get(kind, 0.0) for kind in KINDS_OF_EVIDENCE] for row in rows])

    def _compared(self, question: Follow, texts: Sequence[str]) -> tuple[Array, dict[str, Array]]:
        """[Q] cosines of texts with a question, and of each of its words [Q] how near a word of a text is."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if len(self._known) + len(new) > KNOWN:
            self._known.clear()
            new = list(dict.fromkeys(texts))
        if new:
            keys, codes = self._keys.addresses(new)
            self._known |= dict(zip(new, zip(keys.numpy(), codes.numpy(), strict=True), strict=True))
        held = [self._known[text] for text in texts]
        cosines = np.stack([key for key, _ in held]) @ self._keys.query(question.query).numpy()
        asked = self._keys.query_senses(question.text)
        if not asked:
            return cosines, {}
        wanted = np.stack([vector.numpy() for vector in asked.values()]).astype(np.float32)
        near = nearest_words(np.stack([code for _, code in held]), np.arange(len(held)), len(held), wanted)
        return cosines, dict(zip(asked, near.T, strict=True))


def _beside(pairs: Sequence[tuple[Candidate, Statement]], rows: Sequence[dict[str, float]]) -> None:
    """Adds to each row the most that any statement of the same turn has of some kinds of evidence."""
    best: dict[int, dict[str, float]] = {}
    for (candidate, _), row in zip(pairs, rows, strict=True):
        of_turn = best.setdefault(candidate.seq, {})
        for kind in ("senses", "head", "cosine"):
            of_turn[kind] = max(of_turn.get(kind, -1.0), row.get(kind, 0.0))
    for (candidate, _), row in zip(pairs, rows, strict=True):
        row |= {f"{kind} of turn": value for kind, value in best[candidate.seq].items()}


def _slot(candidate: Candidate) -> str:
    """The slot that the best memory of a candidate fills; "" for none."""
    slot = slot_of(parse_gist(candidate.gist)) if candidate.gist.strip() else None
    return "" if slot is None else slot.key


def _heads(asked: Asked) -> list[str]:
    """Stems of the nouns that say what kind of thing is asked for: "which instrument"."""
    match = _HEAD.search(asked.text)
    return stems(match["head"]) if match else []


_HEAD = re.compile(
    r"\b(?:what|which|how many|whose)(?: (?:kind|sort|type|make|model|brand|name|colour|color) of)? "
    r"(?!(?:is|are|was|were|do|does|did|has|have|can|will|would|should)\b)(?P<head>\w+(?: \w+)?)",
    re.IGNORECASE,
)


def _of_sense(
    asked: Asked, heads: Sequence[str], senses: Mapping[str, Array], place: int
) -> dict[str, float]:
    """How near the words of a statement come to those of the question, by what they mean."""
    total = sum(min(MOST_IDF, idf(stem)) for stem in asked.stems if stem in senses)
    near = sum(
        min(MOST_IDF, idf(stem)) * float(senses[stem][place]) for stem in asked.stems if stem in senses
    )
    head = max((float(senses[stem][place]) for stem in heads if stem in senses), default=0.0)
    return {"senses": near / total if total else 0.0, "head": head}


def _share(sought: Sequence[str], held: Set[str]) -> float:
    """Share of the sought words that are held, by how much each tells."""
    total = sum(min(MOST_IDF, idf(stem)) for stem in sought)
    return sum(min(MOST_IDF, idf(stem)) for stem in sought if stem in held) / total if total else 0.0


def _row(
    asked: Asked,
    candidate: Candidate,
    statement: Statement,
    cosine: float,
    best: float,
    newness: float,
    aliases: frozenset[str],
) -> dict[str, float]:
    """What speaks for and against one statement."""
    own = content(statement.text) | content(statement.said)
    turn = content(candidate.text) | own
    around = turn.union(*map(content, candidate.earlier[-2:]))
    memory = max(candidate.memories, key=lambda each: _alike(each.text, statement.text), default=None)
    alike = 0.0 if memory is None else _alike(memory.text, statement.text)
    fit = has_kind(asked.kind, statement.said, asked.names)
    names = {word for name in names_in(f"so {statement.text}") for word in name.split()}
    wanted = {word for name in asked.names for word in name.split()}
    held = said_words(statement.text) | said_words(statement.said)
    nearby = said_words(candidate.text).union(*map(said_words, candidate.earlier))
    kin = {KIN_WORDS.get(word, word) for word in held}
    of_self = bool(held & {"i", "my", "me", "we", "our", "i'm", "im", "i've", "ive"})
    other = bool(names - wanted - aliases)
    new = content(statement.said) - frozenset(asked.stems)
    row = {
        "score": candidate.score,
        "relative": candidate.score / best if best else 0.0,
        "memory": memory.score if memory is not None and alike >= 0.5 else 0.0,
        "cosine": cosine,
        "words": _share(asked.stems, own),
        "words of turn": _share(asked.stems, turn),
        "words around": _share(asked.stems, around),
        "fit": fit,
        "fit " + asked.kind: fit,
        "named": float(bool(wanted & held)),
        "named nearby": float(bool(wanted & nearby)),
        "unnamed": float(bool(wanted) and not wanted & nearby),
        "role": float(bool(asked.roles & kin)),
        "alias": float(bool(aliases & held)),
        "role nearby": float(bool(asked.roles & {KIN_WORDS.get(w, w) for w in nearby} or aliases & nearby)),
        "stranger": float(bool(asked.roles) and not (asked.roles & kin or aliases & held)),
        "own": float(asked.own and of_self),
        "own of another": float(asked.own and not of_self and other),
        "of self": float(not asked.own and of_self and not (wanted | aliases) & held),
        "leans": float(statement.leans),
        "unreal": float(statement.unreal),
        "new words": min(1.0, len(new) / 6),
        "nothing new": float(not new),
        "short": float(len(statement.said.split()) <= 3),
        "newness": newness * (not asked.past),
        "superseded": float(memory is not None and alike >= 0.5 and memory.superseded_by is not None),
        "place": min(1.0, statement.place / 3),
        "fragment": float(not candidate.id),
    }
    row["covered"] = float(row["words"] > 0.99)
    row["covered by turn"] = float(row["words of turn"] > 0.99)
    row["fit and words"] = max(0.0, fit) * row["words"]
    row["fit and around"] = max(0.0, fit) * row["words around"]
    row["words and named"] = row["words"] * row["named"]
    row["cosine and fit"] = max(0.0, fit) * cosine
    return row


def _in_thread(question: Follow, candidate: Candidate, statement: Statement) -> dict[str, float]:
    """What speaks for a statement as the answer to a question that leans on the one before."""
    before = question.before
    if before is None:
        return {}
    told = stems(before.question)
    turn = content(f"{candidate.text} {statement.text}")
    return {
        "words before": _share(told, content(statement.text)),
        "words before, of turn": _share(told, turn),
        "answered before": float(candidate.seq == before.seq and statement.text == before.answer),
        "turn of answer": float(candidate.seq == before.seq),
        "near answer": float(before.seq >= 0 and 0 < abs(candidate.seq - before.seq) <= 8),
        "names of answer": float(bool(names_in(f"so {before.answer}") & names_in(f"so {statement.text}"))),
    }


def _alike(one: str, other: str) -> float:
    """Share of the words of either that both hold."""
    first, second = said_words(one), said_words(other)
    return len(first & second) / max(1, len(first | second))


def _aliases(asked: Asked, candidates: Sequence[Candidate]) -> frozenset[str]:
    """Names by which those go that a question calls "my sister"."""
    if not asked.roles:
        return frozenset()
    found: set[str] = set()
    for candidate in candidates:
        for statement in statements_of(candidate):
            said = words(statement.text)
            for place, word in enumerate(said[:-1]):
                if KIN_WORDS.get(word, word) not in asked.roles:
                    continue
                after = said[place + 1 : place + 4]
                for near in after:
                    if near not in ("is", "name", "called", "s", "my", "the", "and"):
                        if near.capitalize() in statement.text or near.upper() in statement.text:
                            found.add(near)
                        break
    return frozenset(found)


WEIGHTS: dict[str, float] = {
    "score": -1.63,
    "relative": 3.26,
    "memory": -0.27,
    "cosine": 3.4,
    "words": -0.85,
    "words of turn": -0.26,
    "words around": 0.8,
    "fit": 0.66,
    "named": -0.47,
    "named nearby": -0.54,
    "unnamed": -1.35,
    "role": -1.66,
    "alias": 1.01,
    "role nearby": 1.13,
    "stranger": -0.89,
    "own": 0.64,
    "own of another": 0.31,
    "of self": -0.68,
    "leans": 0.51,
    "unreal": -2.5,
    "new words": -0.05,
    "nothing new": 0.37,
    "short": -0.65,
    "newness": 1.01,
    "superseded": -0.28,
    "place": 0.17,
    "fragment": 0.23,
    "words before": 0.01,
    "words before, of turn": -1.28,
    "answered before": -1.43,
    "turn of answer": 1.38,
    "near answer": 1.62,
    "names of answer": 0.88,
    "senses": 4.31,
    "head": 3.37,
    "senses of turn": 2.18,
    "head of turn": -1.73,
    "cosine of turn": 0.62,
    "covered": 0.97,
    "covered by turn": 0.52,
    "slot": 0.39,
    "fit and words": -0.6,
    "fit and around": 0.11,
    "words and named": -0.47,
    "cosine and fit": -0.36,
    "fit price": 0.57,
    "fit often": 3.69,
    "fit age": 0.37,
    "fit length": 2.06,
    "fit number": 0.57,
    "fit code": -0.25,
    "fit hour": 0.11,
    "fit when": 1.89,
    "fit where": -0.22,
    "fit who": 0.96,
    "fit name": -0.38,
    "fit why": 0.6,
    "fit job": 0.15,
    "fit yes": 0.0,
    "fit what": 0.0,
    "none": 6.63,
}
"""Fitted by `training/tune_responder.py`."""
KINDS_OF_EVIDENCE: tuple[str, ...] = (
    "score",
    "relative",
    "memory",
    "cosine",
    "words",
    "words of turn",
    "words around",
    "fit",
    "named",
    "named nearby",
    "unnamed",
    "role",
    "alias",
    "role nearby",
    "stranger",
    "own",
    "own of another",
    "of self",
    "leans",
    "unreal",
    "new words",
    "nothing new",
    "short",
    "newness",
    "superseded",
    "place",
    "fragment",
    "words before",
    "words before, of turn",
    "answered before",
    "turn of answer",
    "near answer",
    "names of answer",
    "senses",
    "head",
    "senses of turn",
    "head of turn",
    "cosine of turn",
    "covered",
    "covered by turn",
    "slot",
    "fit and words",
    "words",
    "fit and around",
    "words around",
    "words and named",
    "words",
    "named",
    "cosine and fit",
    *(f"fit {kind}" for kind in KINDS),
)
