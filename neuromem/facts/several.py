"""Several others as the subject of an utterance: families, couples, those next door.

"The Okafors have moved to Leeds" and "jo and sam had theirs shifted to thursdays" are as little about the
speaker as "my cousin moved". A recognizer writes no capitals, so a family is told from other plurals by its
name being one, or by what it does.
"""

# ruff: noqa: E501 - a pattern is one line

from __future__ import annotations

import re

from ..text import is_listed_name, is_name_like, stem
from .clause import KIN_WORDS, singular
from .verbs import is_verb_form

__all__ = ["several_of"]

_WORD = r"[^\W\d_][\w'-]*"
_NEARBY = (
    r"(?:next door(?: but one)?|upstairs|downstairs|opposite|(?:a few|\w+) doors? (?:down|up|along|away)|"
    r"(?:across|over|down|up|along) the (?:road|street|way|hall|landing|hill|lane|fence|corridor)|at number \w+)"
)
_WHERE = rf"(?: (?:{_NEARBY}|(?:at|from|in|on|down) (?:(?:the|my|our) )?{_WORD}))?"
_FAMILY = re.compile(rf"the (?P<name>{_WORD}s){_WHERE},? (?P<next>{_WORD})", re.IGNORECASE)
_COUPLE = re.compile(
    rf"(?:(?:my|our) )?(?P<one>{_WORD}) (?:and|&) (?:(?:my|our|his|her|their) )?(?P<other>{_WORD}){_WHERE},? (?P<next>{_WORD})",
    re.IGNORECASE,
)
_NEIGHBOURS = re.compile(
    rf"(?:(?:the|those|our|my) )?(?:(?:\w+ )?(?P<who>people|folks|lot|crowd|lads|guys|girls|boys|students|couple|family|ones|man|woman|"
    rf"lady|bloke|guy|neighbou?rs?) )?(?P<where>{_NEARBY}),? (?P<next>{_WORD})",
    re.IGNORECASE,
)
# What people do, and hardly ever flowers, animals or things.
_DEEDS = frozenset(
    "called rang said told asked had bought sold booked invited decided wanted hired hosted adopted married "
    "say want plan host own rent use need pay prefer quit signed switched gave took chose".split()
)
_THEY = re.compile(r"\b(?:they|they're|they've|their|theirs|them)\b", re.IGNORECASE)
_SELF = re.compile(r"\b(?:i|i'?m|i'?ve|i'?d|my|me|mine|we|we're|we've|our|ours|(?<!of )us)\b", re.IGNORECASE)
_TIMES = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december christmas easter thanksgiving diwali eid hanukkah".split()
)
_PARENTS = {
    frozenset(("mother", "father")): "parents",
    frozenset(("grandmother", "grandfather")): "grandparents",
}


def several_of(plain: str) -> frozenset[str]:
    """Stems of the several others that an utterance is about; none where it is of the speaker, too.

    >>> several_of("the okafors have moved to leeds"), several_of("the curtains have moved up")
    (frozenset({'okafor'}), frozenset())
    """
    reason, so, main = plain.partition(" so ")
    if _SELF.search(plain) or (so and reason and not _THEY.search(main)):
        return frozenset()
    for found in (_couple(plain), _family(plain), _neighbours(plain)):
        if found:
            return found
    return frozenset()


def _family(plain: str) -> frozenset[str]:
    match = _FAMILY.match(plain)
    if match is None or not _does(match["next"]):
        return frozenset()
    name = match["name"]
    if KIN_WORDS.get(name.lower()) or not is_name_like(singular(name)):
        return frozenset()
    if is_listed_name(name) or name[0].isupper():
        return _stems(name)
    does = match["next"].lower() in _DEEDS or _THEY.search(plain, match.end("name"))
    return _stems(name) if does else frozenset()


def _couple(plain: str) -> frozenset[str]:
    match = _COUPLE.match(plain)
    both = (match["one"], match["other"]) if match else ("", "")
    if match is None or not _does(match["next"]) or any(word.lower() in _TIMES for word in both):
        return frozenset()
    kin = [KIN_WORDS.get(word.lower()) for word in both]
    # a capital inside a sentence is a name's; both capitals of a sentence's first words may be
    capital = [match.start("one") > 0 and both[0][0].isupper(), both[1][0].isupper()]
    known = [bool(kin[place]) or capital[place] or is_listed_name(word) for place, word in enumerate(both)]
    person = [known[place] or is_name_like(word) for place, word in enumerate(both)]
    if not (any(known) and all(person)):
        return frozenset()
    together = _PARENTS.get(frozenset(name for name in kin if name))
    return frozenset((stem(together),)) if together else _stems(*both)


def _neighbours(plain: str) -> frozenset[str]:
    match = _NEIGHBOURS.match(plain)
    if match is None or not _does(match["next"]):
        return frozenset()
    words = (match["who"] or "").split() + match["where"].split()
    return frozenset(stem(word.lower()) for word in words if word.lower() not in ("the", "a"))


def _does(word: str) -> bool:
    return is_verb_form(word) or word.lower() in _DEEDS


def _stems(*names: str) -> frozenset[str]:
    return frozenset(stem(KIN_WORDS.get(name.lower(), name.lower())) for name in names)
