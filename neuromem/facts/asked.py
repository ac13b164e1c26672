"""What time a question is about: now, before, or a date.

A question for what is so needs what is current. One for what was ("where did I live before?", "what was it
in January?", "when did I move?") must reach what has been superseded.
"""

# ruff: noqa: E501 - a pattern is one line

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ..text import STOP_WORDS, is_listed_name, is_name_like, normalize, words
from .clause import KIN_WORDS, ROLES
from .points import Point, point_of
from .relations import PETS
from .times import spans

__all__ = ["Asked", "asked_of", "asks_of_self"]


@dataclass(frozen=True, slots=True)
class Asked:
    """The time a question is about.

    `past`: what was so before comes first. `any`: history belongs to the answer, but does not come first.
    `latest`: the newest of several is meant. `did`: it is about what happened, not about how things are.
    `start`, `end`: Unix seconds of a stretch of time that is named and over, else None. `point`: which point
    of a course of things is asked for.
    """

    past: bool = False
    any: bool = False
    did: bool = False
    latest: bool = False
    start: float | None = None
    end: float | None = None
    point: Point | None = None


_BEFORE = re.compile(
    r"\b(?:used to|use to|previously|formerly|originally|at first|initially|back then|in the past|"
    r"before (?!(?:bed|noon|breakfast|lunch|dinner|school|work|meals?|midnight|sleep\w*|the (?:meeting|show|race|game)|"
    r"\d|christmas|easter|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b)(?:i|we|my|the|that|it|this|\w+)|before(?=\W*$)|"
    r"when (?:i|we|he|she|they) (?:was|were) (?:little|young|small|a \w+|\d+|\w+teen|in \w+)|as an? (?:kid|child|teenager|boy|girl)|"
    r"growing up|prior to|earlier (?:than|on)|until (?:recently|then)|(?:my|our|the|his|her|their) (?:old|former|previous|prior|original|"
    r"first|ex|past|earlier|last) (?!name\b|time\b|thing\b|one\b|night\b|week\b|month\b|year\b|born\b|day\b|child\b)\w+|"
    r"(?:did|had|was|were) (?:i|we|he|she|it|they)\b.*\bthe first time|no longer|any ?more|replaced?|instead of what|"
    r"(?:did|have) (?:i|we|he|she|they) (?:give up|quit|stop|leave|replace|get rid of|drop|sell|switch from|change from|"
    r"move from|trade in))\b",
    re.IGNORECASE,
)
_WHEN_CHANGED = re.compile(
    r"\b(?:when|how long ago|what (?:day|date|month|year)|since when|why|how often|how many times)\b.*\b(?:did|have|has|was|were)\b|"
    r"\b(?:have|has|did|was|were) (?:i|we|he|she|it|they|my \w+) ever\b|\bever (?:have|had|been|live|work|own|drive)\w*\b|"
    r"\b(?:history|timeline|over the years|over time|all the|every)\b",
    re.IGNORECASE,
)
_LATEST = re.compile(
    r"\b(?:now|nowadays|these days|currently|current|latest|newest|most recent|most recently|recently|at the moment|today|still|"
    r"this (?:year|month|week|time|season)|at present|up to date|last time|(?:did|have|has|was|were) (?:i|we|he|she|they|my \w+) last|so far|(?:my|our|the|his|her|their) last (?!name\b|night\b|week\b|month\b|year\b|job\b|place\b|house\b|apartment\b|school\b|boss\b|car\b)\w+|yet|as of (?:now|today))\b",
    re.IGNORECASE,
)
_NEWEST = re.compile(
    r"\b(?:current|currently|latest|newest|most recent|most recently|last|now|up to date)\b", re.IGNORECASE
)
_DID = re.compile(r"\b(?:did|was|were|had|ate|went|happened|last \w+|yesterday|ago)\b", re.IGNORECASE)


def asked_of(question: str, now: datetime) -> Asked:
    """The time a question is about, asked at `now`.

    >>> asked_of("where did I live before?", datetime(2026, 3, 2)).past
    True
    """
    plain = normalize(question)
    did = bool(_DID.search(plain))
    if _LATEST.search(plain):
        return Asked(did=did, latest=bool(_NEWEST.search(plain)))
    over = [span for span in spans(question, now) if span.end <= now]
    if (
        over
        and not re.search(r"\bused? to\b", plain)
        and re.search(r"\b(?:was|were|did|had|used|lived?|worked|been)\b", plain)
    ):
        point = point_of(question, over)
        named = (over[0].start, over[0].end)
        start, end = (point.start, point.end) if point and point.end else (each.timestamp() for each in named)
        return Asked(any=True, did=True, start=start, end=end, point=point)
    point = point_of(question)
    past = bool(_BEFORE.search(plain)) or point is not None
    return Asked(past=past, any=past or bool(_WHEN_CHANGED.search(plain)), did=did, point=point)


_MINE = re.compile(r"\b(?:i|my|me|mine|am|i'm|we|our)\b")


def asks_of_self(question: str) -> bool:
    """Whether a question is about who asks it and names nobody else: "what floor is my office on?".

    >>> asks_of_self("when does my sister's shift start?"), asks_of_self("which plot is our allotment?")
    (False, True)
    """
    plain = normalize(question)
    found = words(_MY_THING.sub(_unless_a_name, question))
    somebody = any(
        word in KIN_WORDS
        or word in _ROLES
        or (len(word) > 1 and word not in STOP_WORDS and is_name_like(word))
        for word in found
    )
    if re.match(r"(?:and |so )?who(?!(?:'s| is| are) (?:my|our)\b)", plain):
        return False
    return (
        bool(_MINE.search(plain))
        and not somebody
        and not re.search(r"\w's\b(?<!what's)(?<!where's)(?<!when's)(?<!who's)(?<!how's)", plain)
    )


_ROLES = frozenset((*ROLES.split(), *PETS.split())) | {
    "friend",
    "neighbor",
    "neighbour",
    "roommate",
    "coworker",
    "boss",
    "team",
    "baby",
}
# no name, however rare a word: "my allotment"; but "my sister", "my dentist", and "our Rosa"
_MY_THING = re.compile(
    rf"\b(?:my|our) (?!(?:{'|'.join(sorted({*KIN_WORDS, *_ROLES}))})s?\b)(?-i:([a-z][\w-]+))\b(?!['’]s)",
    re.IGNORECASE,
)


def _unless_a_name(found: re.Match[str]) -> str:
    return found[0] if is_listed_name(found[1]) or found[1].endswith("ist") else ""
