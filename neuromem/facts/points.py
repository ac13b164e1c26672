"""Which point of a course of things a question asks for: its beginning, what was before X, while X, at a time.

"What was the heating when we first moved in?", "who was my boss before Dov?", "what did I drive last summer?"
each ask for how something was, and name the point by other words than the matter. Only questions for a state
have such a point. One for what somebody did then, or for when it was, is answered by what was told of that.
"""

# ruff: noqa: E501 - a pattern is one line

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from ..text import normalize, stems
from .times import TimeSpan

__all__ = ["Point", "Which", "asks_state", "point_of"]


class Which(StrEnum):
    """How the point is named."""

    FIRST = "first"  # the beginning of it
    BEFORE = "before"  # what something that is named came after
    BETWEEN = "between"  # what came after one thing that is named and before another
    WHILE = "while"  # what was so while something else was
    AT = "at"  # a stretch of time


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a course of things.

    `words`: stems by which a statement is known that marks the point; of a time, those that name it. `matter`:
    those of the rest of the question. `after`: of two things, those of the earlier one. `start`, `end`: Unix
    seconds, of a time.
    """

    which: Which
    words: frozenset[str] = frozenset()
    matter: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    start: float = 0.0
    end: float = 0.0


# who or what a question is about: "I", "my two sisters", "the shop", "Ben"
_SUBJECT = r"(?:(?:i|we|you|he|she|it|they)|(?:my|our|his|her|their|the) (?:[\w']+ ){0,2}[\w']+|[\w']+)"
# verbs for what lasts or is done again and again, in their base form
_LASTING = "|".join(
    """
    live work have own drive teach sing use pay play wear study train swim rent belong support coach lead serve sleep stay
    weigh earn cost ride smoke drink keep charge owe look sound need want like love prefer believe commute bank practise
    practice measure row bowl
    """.split()
)
_STATE = re.compile(
    r"\b(?:was|were)\b|\bused? to\b|^(?:and |so )?who (?:taught|led|ran|coached|owned|managed|had|looked after|trained|cut|did)\b|"
    rf"\bdid {_SUBJECT} (?:use to )?(?:{_LASTING})\b"
)
# "when was it?", "what was I doing?" ask about something that happened
_EVENT = re.compile(
    r"^(?:and |so )?(?:when|why|how come|how long ago|since when|how (?:was|were))\b|\b(?:happen\w*|going on|born)\b|"
    r"^what (?:was|were) [\w' ]+ doing\b"
)
# "was the boiler serviced?": something was done; "was I stationed", "was it called" is how it was
_HOW_IT_WAS = "called|named|paid|based|stationed|posted|married|employed|used|supposed|engaged|registered|enrolled|planned|red"
_DONE = re.compile(
    rf"\b(?:was|were) (?:(?!when\b|while\b|before\b|until\b)[\w']+ ){{1,4}}?(?!(?:{_HOW_IT_WAS})\b)"
    r"(?:\w{2,}ed|done|given|made|built|held|taken|sent|told|sold|found|bought)\b(?= (?:in|on|at|last|back|two|a|over|by)\b|$)"
)
_FIRST = re.compile(
    r"\b(?:originally|initially|at first|to (?:begin|start) with|in the beginning|at the (?:very )?(?:start|beginning|outset)(?! of\b)|"
    r"(?:as|when) first (?:planned|agreed|intended|thought|said)|first of all|when \w+ (?:only )?(?:just )?start(?:ed)? out|"
    r"back when \w+ started)\b"
)
_WHEN_FIRST = re.compile(r"\bwhen (?:\w+ ){1,3}?first (?!time\b)\w+")
_BEFORE = re.compile(
    r"\b(?:before|prior to|until|till|up to when|up until)\b (?!then\b|now\b|recently\b|that\b|this\b|bed\b|noon\b|school\b|work\b)(?P<what>.+)$"
)
_BETWEEN = re.compile(r"\bbetween (?P<one>.+?) and (?P<other>.+)$")
_WHILE = re.compile(
    r"(?:\b(?:while|whilst|(?:back )?when|as long as|all the time)|^(?:while|when)) (?P<what>(?:\w+ ){1,}\w+)"
)
_DAYS = timedelta(days=2)  # of a time no longer than this it is asked what happened
_UP_TO = re.compile(
    r"\b(?:before|until|till|prior to|up to)(?: the (?:start|beginning) of)?(?: [a-z]+)?(?: \d{4})?$"
)


def asks_state(folded: str) -> bool:
    """Whether a question, case-folded, asks how something was, and not what happened or when.

    >>> asks_state("what car did i have in may?"), asks_state("what did i do in may?")
    (True, False)
    """
    return bool(_STATE.search(folded)) and not _EVENT.search(folded) and not _DONE.search(folded)


def point_of(question: str, over: Sequence[TimeSpan] = ()) -> Point | None:
    """The point that a question asks for; None for one that asks for none, or not for a state.

    Args:
        over: stretches of time that it names and that are over.
    """
    plain = normalize(question).strip(" ?!.")
    if _FIRST.search(plain):
        return Point(Which.FIRST)
    if not asks_state(plain):
        return None
    if _WHEN_FIRST.search(plain):
        return Point(Which.FIRST)
    if over and over[0].end - over[0].start > _DAYS:
        return _at(question, over[0])
    if match := _BETWEEN.search(plain):
        return Point(Which.BETWEEN, _told(match["other"]), after=_told(match["one"]))
    for pattern, which in ((_BEFORE, Which.BEFORE), (_WHILE, Which.WHILE)):
        match = pattern.search(plain)
        if match and (words := _told(match["what"])):
            return Point(which, words, _told(plain) - words)
    return None


def _at(question: str, span: TimeSpan) -> Point:
    """A time that is named, or all the time before it."""
    words = _told(normalize(span.phrase))
    start, end = span.start.timestamp(), span.end.timestamp()
    if _UP_TO.search(normalize(question[: span.place] + span.phrase)):
        start, end = 0.0, start
    return Point(Which.AT, words, _told(question) - words, start=start, end=end)


def _told(phrase: str) -> frozenset[str]:
    return frozenset(stems(phrase))
