"""Two people of one name: asked about Nick B., what is said of Nick S. comes after what is said of Nick B.

To a cosine an initial is nothing, and two people told of side by side share their context. Only a name with
another initial counts as somebody else, or with another role: my uncle Frank is not my father-in-law Frank,
and "Nick" alone may be either.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from string import ascii_lowercase

from .bank import SlotBank
from .facts.clause import KIN_WORDS, ROLES
from .marks import mark_of
from .recall import Hit, put_first
from .text import STOP_WORDS, normalize, stem

__all__ = ["named_first", "people_in"]

LEAST = 0.5  # share of a namesake's score from which a memory of who is meant goes before it

_INITIALS = frozenset(mark_of(letter) for letter in ascii_lowercase if letter not in STOP_WORDS)
_PERSON = re.compile(r"\b([^\W\d_]{2,}) ([^\W\d_])(?=[.,!?' ]|$)")
_ROLE_WORDS = {
    *KIN_WORDS,
    *ROLES.split(),
    "cousin",
    "client",
    "babysitter",
    "physiotherapist",
    "boss",
    "cat",
    "dog",
    "horse",
}
_ROLES = frozenset(
    mark_of(each) for word in _ROLE_WORDS for each in (stem(word), stem(KIN_WORDS.get(word, word)), "law")
)
_ROLE = "|".join(sorted(_ROLE_WORDS, key=len, reverse=True))
_BY_ROLE = re.compile(
    rf"\b(?:(?P<role>{_ROLE}) (?P<name>[^\W\d_]{{3,}})|"
    rf"(?P<first>[^\W\d_]{{3,}}),? (?:my|our|the) (?P<what>{_ROLE}))\b"
)

Person = tuple[int, int]
"""Marks of a first name and of the initial or role behind or before it."""


def people_in(question: str) -> frozenset[Person]:
    """Who is named in a question by a first name with an initial or a role."""
    plain = normalize(question)
    by_initial = [
        (name, initial)
        for name, initial in _PERSON.findall(plain)
        if name not in STOP_WORDS and initial not in STOP_WORDS
    ]
    by_role = [
        (match["name"] or match["first"], match["role"] or match["what"])
        for match in _BY_ROLE.finditer(plain)
    ]
    named = [pair for pair in by_role if pair[0] not in STOP_WORDS]
    return frozenset((mark_of(stem(name)), mark_of(stem(more))) for name, more in (*by_initial, *named))


def named_first(bank: SlotBank, hits: Sequence[Hit], people: frozenset[Person]) -> list[Hit]:
    """The hits, best first; those that name who is meant before those that name a namesake."""
    out = list(hits)
    if not people or not out:
        return out
    pairs = {hit.id: _pairs(bank, hit.id) for hit in out}
    first = _names_another(pairs[out[0].id], people)
    meant = [place for place, hit in enumerate(out) if people & pairs[hit.id]]
    if not first or not meant or out[meant[0]].score < LEAST * out[0].score:
        return out
    return put_first(out, meant[0])


def _names_another(pairs: set[Person], people: frozenset[Person]) -> bool:
    firsts = {name for name, _ in people}
    others = {pair for pair in pairs if pair[0] in firsts and pair[1] in _INITIALS | _ROLES}
    return bool(others) and not others & people


def _pairs(bank: SlotBank, memory_id: str) -> set[Person]:
    """Marks that stand side by side in a memory, either way round."""
    beside = pairwise(bank.held_marks(memory_id))
    return {pair for one, other in beside for pair in ((one, other), (other, one))}
