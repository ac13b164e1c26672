"""Whether two tellings say the same: near-duplicates, which sleep makes one memory.

Two ways to be the same. In the same words, in the same order, but for articles, fillers, contractions and
the signs between words ("I've got the two cats" and "oh, I have two cats"). Or with the same gist and nothing
else: whatever content word, number, name or telling function word (not, to, from, if, was, …) one of them has
beside its gist, the other has too. In doubt they are not the same: a memory too many costs a slot, one too
few costs a fact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .cached import of_texts
from .facts.frames import frame_of
from .facts.gist import Gist
from .facts.slots import Slot, slot_of, synonyms
from .text import STOP_WORDS, normalize, stems

__all__ = ["FILLERS", "plain_words", "same_fact", "slot_in"]

DAY_S = 86_400.0
WHOLE_GIST = 28  # bytes of a gist's object from which it may have been cut

FILLERS = frozenset("really very also um uh er hmm honestly actually basically literally".split())
_BEFORE = FILLERS | frozenset("oh ok okay well yeah yes hey hi so btw and".split())  # at the very beginning
_ARTICLES = frozenset("a an the".split())
_EXPANDED = {
    short: long.split()
    for short, long in (
        item.split("=")
        for item in (
            "i'm=i am,im=i am,i've=i have,ive=i have,you're=you are,youre=you are,you've=you have,"
            "we're=we are,we've=we have,they're=they are,theyre=they are,"
            "they've=they have,theyve=they have,it's=it is,"
            "that's=that is,thats=that is,there's=there is,theres=there is,i'll=i will,we'll=we will,"
            "they'll=they will,you'll=you will,isn't=is not,isnt=is not,aren't=are not,arent=are not,"
            "wasn't=was not,wasnt=was not,weren't=were not,werent=were not,don't=do not,dont=do not,"
            "doesn't=does not,doesnt=does not,didn't=did not,didnt=did not,can't=can not,cant=can not,"
            "cannot=can not,couldn't=could not,couldnt=could not,won't=will not,wont=will not,"
            "wouldn't=would not,wouldnt=would not,shouldn't=should not,shouldnt=should not,"
            "haven't=have not,havent=have not,hasn't=has not,hasnt=has not,hadn't=had not,hadnt=had not"
        ).split(",")
    )
}
_HAVE = frozenset("have has".split())
# function words that a gist says anyway, whatever the wording
_SAID_BY_GIST = frozenset(
    "a an the i my me mine am is are be been have has do does it its that which who of".split()
)
_EDGES = ".,;:!?\"'()[]{}…"
_POSSESSIVE = re.compile(r"(?<=\w)'(?=s?$)")


@of_texts(4_096)
def plain_words(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared: case-folded, whole, with signs that tell ("C++", "-5", "€5").

    Without articles, fillers and marks of punctuation; contractions in full. An "A" inside a sentence is no
    article, and neither is the last word.
    """
    raw = [
        bare for token in normalize(text, casefold=False).split() for bare in [token.strip(_EDGES)] if bare
    ]
    out: list[str] = []
    for place, token in enumerate(raw):
        word = token.casefold()
        article = word in _ARTICLES and place + 1 < len(raw) and (place == 0 or token != "A")
        filler = word in (_BEFORE if not out else FILLERS)
        got = word == "got" and bool(out) and out[-1] in _HAVE
        if not (article or filler or got):
            out += _EXPANDED.get(word, [_POSSESSIVE.sub("", word)])
    return tuple(out)


def same_fact(one: Mapping[str, Any], other: Mapping[str, Any], apart_s: float = 0.0) -> bool:
    """Whether two tellings are of one fact, and nothing is lost if one of them goes.

    Args:
        one, other: bodies of the events that brought the words: "text", "gist", "name", "role", "metadata".
        apart_s: seconds between the tellings. What happened once and is told again on another day
            happened again.
    """
    for name in ("name", "role", "metadata"):
        if (one.get(name) or None) != (other.get(name) or None):
            return False
    texts = str(one["text"]), str(other["text"])
    asks, others = ((text.count("?"), text.rstrip().endswith("?")) for text in texts)
    if asks != others:  # also in the midst of it: "The Porto? has cats"
        return False
    ours, theirs = map(plain_words, texts)
    if not ours or not (ours == theirs or _same_gist(one, other)):
        return False
    return abs(apart_s) <= DAY_S or not any(frame_of(text).once for text in texts)


def slot_in(gist: str) -> Slot | None:
    """The slot of a gist as it is written, "1|home|Porto"; None for keywords."""
    parts = gist.split("|", 2)
    return slot_of(Gist(*parts)) if len(parts) == 3 else None


class _Rest(NamedTuple):
    """What a telling says beside its gist."""

    content: tuple[str, ...]  # stems, in order
    function: frozenset[str]
    signs: tuple[str, ...]  # words with digits or signs, in order


def _same_gist(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether both have one gist, whole, and say the same beside it."""
    gists = [tuple(normalize(part) for part in body["gist"]) for body in (one, other)]
    if gists[0] != gists[1] or not _is_whole(gists[0]):
        return False
    texts = str(one["text"]), str(other["text"])
    if frame_of(texts[0]).denies != frame_of(texts[1]).denies:
        return False
    return _rest(texts[0], gists[0]) == _rest(texts[1], gists[1])


def _is_whole(gist: Sequence[str]) -> bool:
    """Whether a gist is a triple with an object that was not cut."""
    value = "".join(gist[2:]).removeprefix("|")
    return gist[1].startswith("|") and 0 < len(value.encode()) < WHOLE_GIST


def _rest(text: str, gist: tuple[str, ...]) -> _Rest:
    plain = plain_words(text)
    slot = slot_in("".join(gist))
    said = {stemmed for part in (gist[0], gist[1], "".join(gist[2:])) for stemmed in stems(part)}
    said |= synonyms(slot.name) if slot else frozenset()
    said |= {"call", "name"}
    return _Rest(
        tuple(stemmed for word in plain for stemmed in stems(word) if stemmed not in said),
        frozenset(plain) & STOP_WORDS - _SAID_BY_GIST,
        tuple(word for word in plain if re.search(r"[^\w'-]|\d|_", word)),
    )
