"""Turns taken apart: each statement by itself, with who is meant where it says only "she"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..cached import of_texts
from ..facts.keep import is_unreal
from ..facts.references import Talk
from ..facts.statements import clauses
from ..text import sentences
from .asked import asks, content, has_kind, kind_of, names_in
from .candidates import Candidate
from .phrasing import states

__all__ = ["Statement", "focused", "statements_of"]

CACHED = 4_096  # turns


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a turn."""

    said: str  # as it was said
    text: str  # the pronoun that begins it put into words, where it is sure whom it means
    leans: bool  # whether a pronoun that begins it is left open
    unreal: bool  # "if I had a dog"
    place: int  # among the statements of its turn


def statements_of(candidate: Candidate) -> tuple[Statement, ...]:
    """The statements of a candidate, in order; questions are none."""
    return _statements(candidate.text, candidate.earlier)


@of_texts(CACHED)
def _statements(text: str, earlier: tuple[str, ...]) -> tuple[Statement, ...]:
    talk = Talk()
    for turn in earlier:
        for sentence in sentences(turn):
            for start, end in clauses(sentence):
                talk.resolved(sentence[start:end])  # what is resolved is spoken of again
                talk.hear(sentence[start:end])
    out: list[Statement] = []
    for sentence in sentences(text):
        asked, unreal = asks(sentence), is_unreal(sentence)
        for start, end in clauses(sentence):
            said = sentence[start:end].strip()
            resolved = talk.resolved(said)
            if said and not asked:
                leans = talk.opens_unresolved(said)
                out.append(Statement(said, resolved, leans, unreal, len(out)))
            if not unreal:
                talk.hear(said)
    return tuple(out)


_JOINTS = re.compile(
    r"(?:,|;| -| –| —)? (?:so(?! (?:that|much|many|far|good|long|\w+ that))|but|because|cos|though|although|"
    r"while|whereas|"
    r"and(?= (?:i|i'm|he|he's|she|she's|they|we|it|its|it's|the|my|his|her|their|that|there)\b)) |[;—–] ",
    re.IGNORECASE,
)
_NO_MORE = re.compile(r",? (?:instead of|rather than) .+$", re.IGNORECASE)  # what is so no more
_PAST = re.compile(r"\b(?:before|instead|used to|previous\w*|former\w*|originally|first)\b", re.IGNORECASE)
LEAST_WORDS = 3  # of a part that is said by itself


def focused(text: str, question: str) -> str:
    """The part of a statement that answers, where another part says something else.

    >>> focused("Mia can't do Thursdays so practice is on Tuesdays", "When is practice?")
    'practice is on Tuesdays'
    """
    if not _PAST.search(question):
        text = _NO_MORE.sub("", text)
    kind, asked, names = kind_of(question), content(question), names_in(question)
    parts = [part.strip(" ,;") for part in _JOINTS.split(text)]
    if kind == "why" or len(parts) < 2 or any(len(p.split()) < LEAST_WORDS or not states(p) for p in parts):
        return text
    worth = [has_kind(kind, part, names) + len(asked & content(part)) for part in parts]
    best = max(range(len(parts)), key=worth.__getitem__)
    clear = all(worth[best] > other + 1 for place, other in enumerate(worth) if place != best)
    return parts[best] if clear else text
