"""What tells two of one name apart: "old Dave" is not "young Dave", nor "Maria at church" "Maria at work".

A byname is of one of few kinds: an age or a size before a name, a role before or after it, a place after it.
A second name is none: San Diego is no other San than San Jose. Two statements are of namesakes if both give
one name a byname of the same kind, and not the same one: that my uncle Frank has moved says nothing of Frank
my landlord.
"""

from __future__ import annotations

import re

from ..cached import of_texts
from ..text import is_listed_name, is_name_like, normalize, stem
from .clause import KIN_WORDS, ROLES
from .relations import PETS
from .verbs import is_verb_form

__all__ = ["are_namesakes"]

Byname = tuple[str, str]
"""Its kind, and what it is."""

_AGES = "old|young|older|younger|elder"
_SIZES = "big|little|small|tall|short|fat|thin|wee"
# Who is a girlfriend or a colleague may be a wife or the boss tomorrow: no such roles tell people apart.
_CHANGING = frozenset(
    "wife husband partner girlfriend boyfriend fiancé fiancée ex child children baby friend mate colleague "
    "coworker boss manager flatmate roommate housemate neighbour neighbor".split()
)
_ROLES = {role for role in (*KIN_WORDS, *ROLES.split()) if KIN_WORDS.get(role, role) not in _CHANGING}
_WORD = r"[^\W\d_][\w-]*"
_TITLE = r"(?:(?:dr|mr|mrs|ms|miss)\b\.? )?"
_ANY = "|".join(sorted(_ROLES, key=len, reverse=True))
_BEFORE = re.compile(
    rf"\b(?:(?P<age>{_AGES})|(?P<size>{_SIZES})|(?P<role>{_ANY})) {_TITLE}(?P<name>{_WORD})", re.IGNORECASE
)
# "i checked with my mother brendan is sixty": without capitals, what one is asked may be of another
_ASKED = re.compile(r"\b(?:with|told|from|to|asked|rang|called) (?:my|our) $")
_AFTER = re.compile(
    rf"\b(?P<name>{_WORD}),? (?:my|our|the) (?:{_WORD} )?(?P<role>{_ANY})\b|"
    rf"^(?:(?:and|so|the|there's a|but) )*(?P<at>{_WORD}) (?:at|from|in|of|on) (?:(?:the|my|our) )?"
    rf"(?P<place>{_WORD})(?:'s| (?P<next>{_WORD}))",
    re.IGNORECASE,
)
_ONE_PLACE = {"office": "work", "job": "work", "class": "school"}
_NO_NAMES = frozenset(
    ("street", "road", "avenue", *PETS.split(), *KIN_WORDS, *ROLES.split(), *f"{_AGES}|{_SIZES}".split("|"))
)


def are_namesakes(one: str, other: str) -> bool:
    """Whether two statements are of two who have one name, and are told apart by their bynames.

    >>> are_namesakes("Young Dave took plot thirty.", "Old Dave has plot nine.")
    True
    """
    first, second = bynames_in(one), bynames_in(other)
    apart = False
    for name in first.keys() & second.keys():
        if first[name] & second[name]:
            return False
        kinds = {kind for kind, _ in first[name]} & {kind for kind, _ in second[name]}
        apart = apart or bool(kinds)
    return apart


@of_texts(4_096)
def bynames_in(text: str) -> dict[str, frozenset[Byname]]:
    """The names in a statement, each with its bynames; cached."""
    plain = normalize(text[:300], casefold=False)
    found: dict[str, set[Byname]] = {}
    for match in _BEFORE.finditer(plain):
        if plain != plain.lower() or not _ASKED.search(plain[: match.start()]):
            kind = next(kind for kind in ("age", "size", "role") if match[kind])
            _note(found, match["name"], kind, match[kind])
    for match in _AFTER.finditer(plain):
        if match["role"]:
            _note(found, match["name"], "role", match["role"])
        elif match["next"] is None or is_verb_form(match["next"]):
            _note(found, match["at"], "place", _ONE_PLACE.get(match["place"].lower(), match["place"]))
    return {name: frozenset(bynames) for name, bynames in found.items()}


def _note(found: dict[str, set[Byname]], name: str, kind: str, what: str) -> None:
    own = name.removesuffix("'s")
    capital = own[0].isupper()
    if own.lower() in _NO_NAMES or not (is_name_like(own) if capital else is_listed_name(own)):
        return
    byname = KIN_WORDS.get(what.lower(), what.lower())
    found.setdefault(stem(own.lower()), set()).add((kind, stem(byname)))
