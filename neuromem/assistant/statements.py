"""Turns taken apart: each statement by itself, with who is meant where it says only "she"."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ..facts.keep import is_question, is_unreal
from ..facts.references import Talk
from ..facts.statements import clauses
from ..text import sentences
from .candidates import Candidate

__all__ = ["Statement", "statements_of"]

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


@functools.lru_cache(CACHED)
def _statements(text: str, earlier: tuple[str, ...]) -> tuple[Statement, ...]:
    talk = Talk()
    for turn in earlier:
        for sentence in sentences(turn):
            for start, end in clauses(sentence):
                talk.resolved(sentence[start:end])  # what is resolved is spoken of again
                talk.hear(sentence[start:end])
    out: list[Statement] = []
    for sentence in sentences(text):
        asks, unreal = is_question(sentence), is_unreal(sentence)
        for start, end in clauses(sentence):
            said = sentence[start:end].strip()
            resolved = talk.resolved(said)
            if said and not asks:
                leans = talk.opens_unresolved(said)
                out.append(Statement(said, resolved, leans, unreal, len(out)))
            if not unreal:
                talk.hear(said)
    return tuple(out)
