"""What speaks for a statement as the answer to a question, counted: words, names, kinds, senses, time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from ..facts.clause import KIN_WORDS
from ..facts.gist import parse_gist
from ..facts.slots import slot_of
from ..text import idf, stems, words
from .asked import KINDS, Asked, content, has_kind, names_in, said_words, speaks_of_self
from .candidates import Candidate
from .following import Follow
from .statements import Statement, statements_of

__all__ = [
    "KINDS_OF_EVIDENCE",
    "add_of_turn",
    "aliases_in",
    "evidence_of_statement",
    "heads_of",
    "in_thread",
    "of_sense",
    "slot_filled",
]

Array = np.ndarray[Any, Any]

MOST_IDF = 8.0


def add_of_turn(pairs: Sequence[tuple[Candidate, Statement]], rows: Sequence[dict[str, float]]) -> None:
    """Adds to each row the most that any statement of the same turn has of some kinds of evidence."""
    best: dict[int, dict[str, float]] = {}
    for (candidate, _), row in zip(pairs, rows, strict=True):
        of_turn = best.setdefault(candidate.seq, {})
        for kind in ("senses", "head", "cosine"):
            of_turn[kind] = max(of_turn.get(kind, -1.0), row.get(kind, 0.0))
    for (candidate, _), row in zip(pairs, rows, strict=True):
        row |= {f"{kind} of turn": value for kind, value in best[candidate.seq].items()}


def slot_filled(candidate: Candidate) -> str:
    """The slot that the best memory of a candidate fills; "" for none."""
    slot = slot_of(parse_gist(candidate.gist)) if candidate.gist.strip() else None
    return "" if slot is None else slot.key


def heads_of(asked: Asked) -> list[str]:
    """Stems of the nouns that say what kind of thing is asked for: "which instrument"."""
    match = _HEAD.search(asked.text)
    return stems(match["head"]) if match else []


_HEAD = re.compile(
    r"\b(?:what|which|how many|whose)(?: (?:kind|sort|type|make|model|brand|name|colour|color) of)? "
    r"(?!(?:is|are|was|were|do|does|did|has|have|can|will|would|should)\b)(?P<head>\w+(?: \w+)?)",
    re.IGNORECASE,
)


def of_sense(asked: Asked, heads: Sequence[str], senses: Mapping[str, Array], place: int) -> dict[str, float]:
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


def evidence_of_statement(
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
    of_self = speaks_of_self(statement.said)
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
    return row | _joint(row)


def _joint(row: dict[str, float]) -> dict[str, float]:
    """Pairs of what speaks for a statement that tell more together than each alone."""
    fit, covered = row["fit"], float(row["words"] > 0.99)
    return {
        "covered": covered,
        "covered and fit": covered * (fit > 0),
        "role and words": row["role"] * row["words"],
        "covered by turn": float(row["words of turn"] > 0.99),
        "fit and words": max(0.0, fit) * row["words"],
        "fit and around": max(0.0, fit) * row["words around"],
        "words and named": row["words"] * row["named"],
        "cosine and fit": max(0.0, fit) * row["cosine"],
    }


def in_thread(question: Follow, candidate: Candidate, statement: Statement) -> dict[str, float]:
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


def aliases_in(asked: Asked, candidates: Sequence[Candidate]) -> frozenset[str]:
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


# a kind that stands here more than once weighs as often: the weights were fitted to just these columns
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
    "covered and fit",
    "role and words",
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
