"""What a question asks for, and how well a memory fits that."""

# ruff: noqa: E501 - a pattern is one line

from __future__ import annotations

import re

from ..facts.keep import is_question
from ..text import sentences, stems, words

__all__ = ["asks_memory", "fits", "is_follow_up", "missing_names"]

_FOLLOWS = re.compile(r"^\s*(?:and|but|what about|how about|or)\b", re.I)
_POINTS = re.compile(r"\b(?:he|she|they|it|him|her|his|them|their|its|there|that one|this|those)\b", re.I)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|"
    r"sixty|seventy|eighty|ninety|hundred|thousand|half|dozen)\b", re.I,
)  # fmt: skip
_TIME = re.compile(
    r"\d|\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|may|june|july|august|"
    r"september|october|november|december|morning|afternoon|evening|night|noon|midnight|tomorrow|yesterday|today|"
    r"week|month|year|spring|summer|autumn|winter|christmas|easter|\w+teenth|first|second|third|fourth|fifth|"
    r"sixth|seventh|eighth|ninth|tenth|twentieth|thirtieth|since|until|ago)\b", re.I,
)  # fmt: skip
_PLACE = re.compile(
    r"\b(?:in|at|on|to|from|near|under|behind|by|inside|above|over|next to|into|round)\s+\w", re.I
)
_NAME = re.compile(r"(?<=[\w,'’:;\-] )[A-ZÀ-Þ]\w+|^[A-ZÀ-Þ][a-zà-ÿ]+(?=['’]s\b)")
_NO_NAME = re.compile(
    r"what|who|where|when|how|which|why|it|that|there|here|he|she|let|i|(?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    r"january|february|march|april|may|june|july|august|september|october|november|december", re.I,
)  # fmt: skip
_KINDS = (
    (re.compile(r"\bhow (?:much|many|old|long|far|tall|heavy|often|big)\b|\bweigh|\b(?:number|code|pin|price|rent|cost|age)\b", re.I), _NUMBER),
    (re.compile(r"\bwhen\b|\bwhat (?:day|date|time|month|year)\b|\bwhich (?:day|date|month|year)\b", re.I), _TIME),
    (re.compile(r"\bwhere\b|\bwhich (?:city|town|street|country|place)\b|\baddress\b", re.I), _PLACE),
    (re.compile(r"\bwho\b|\bwhose\b|\bcalled\b|\bname\b", re.I), _NAME),
)  # fmt: skip
_OTHERS = re.compile(
    r"\b(?:weather|timer|joke|the news)\b|^\W*(?:please )?(?:play|tell me something)\b", re.I
)


def asks_memory(text: str) -> bool:
    """Whether something is asked that a memory of the user may answer."""
    asked = [sentence for sentence in sentences(text) if is_question(sentence)]
    return bool(asked) and not _OTHERS.search(" ".join(asked))


def is_follow_up(text: str) -> bool:
    """Whether a question leans on the one before: "And at night?", "How much was it?"."""
    return bool(_FOLLOWS.search(text)) or (bool(_POINTS.search(text)) and not _names(text)) or not stems(text)


def fits(question: str, text: str) -> float:
    """1 if a memory holds the kind of thing that is asked for, -1 if it lacks it, 0 where any will do."""
    for asked, wanted in _KINDS:
        if asked.search(question) is None:
            continue
        if wanted is _NAME:
            known = set(words(question))
            return 1.0 if any(name.lower() not in known for name in _names(text)) else -1.0
        return 1.0 if wanted.search(text) else -1.0
    return 0.0


def missing_names(question: str, text: str) -> int:
    """How many names of a question a memory does not hold."""
    held = set(words(text))
    return sum(1 for name in _names(question) if not set(words(name)) & held)


def _names(text: str) -> list[str]:
    """Words that look like names of somebody or something: no question words, no days and months."""
    return [name for name in _NAME.findall(text) if not _NO_NAME.fullmatch(name)]
