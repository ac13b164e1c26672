"""The words of dates and times: numbers, months, days, and the patterns in which they stand.

A pattern is written with `<macro>`s and may name groups; `times.py` says what each means.
"""

from __future__ import annotations

import functools
import re

__all__ = [
    "MONTHS",
    "MONTH_NAMES",
    "SEASONS",
    "WEEKDAYS",
    "day_number",
    "month_number",
    "quantity",
    "time_pattern",
    "year_number",
]

MONTHS = "january february march april may june july august september october november december".split()
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}  # first month, in the north

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth"
).split()
_CARDINALS = {word: value for value, word in enumerate(_UNITS)} | {
    word: 10 * (place + 2) for place, word in enumerate(_TENS)
}
_RANKS = {word: value + 1 for value, word in enumerate(_ORDINALS[:20])} | {"thirtieth": 30}
_VAGUE = {"couple": 2.0, "few": 3.0, "several": 4.0, "half": 0.5}

MONTH_NAMES = "|".join(MONTHS) + r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
_MONTH = rf"(?:{MONTH_NAMES})\b\.?"
_DAY = (
    r"(?:(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?\b(?![:.]\d|%)|"
    rf"(?:(?:twenty|thirty)[ -])?(?:{'|'.join(_ORDINALS)})\b)"
)
_SMALL = rf"(?:{'|'.join((*_UNITS[1:], *_TENS))})"
_MACROS = {
    "<month>": _MONTH,
    "<day>": _DAY,
    "<weekday>": r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|tues|weds|thurs)\b",
    "<season>": r"(?:spring|summer|autumn|fall|winter)",
    "<year>": (
        r"(?:(?:19|20)\d\d\b(?![-:/]?\d)|two thousand(?: and)? (?:" + "|".join(_UNITS[1:]) + r")\b|"
        r"(?:nineteen|twenty)[ -](?:oh[ -]\w+|(?:" + "|".join(_UNITS[10:]) + r")\b|"
        r"(?:" + "|".join(_TENS) + r")(?:[ -](?:" + "|".join(_UNITS[1:10]) + r"))?\b))"
    ),
    "<number>": (
        rf"(?:(?:a |the |this )?(?:couple(?: of)?|few)|several|half an?|an?|one and a half|"
        rf"\d{{1,3}}|{_SMALL}(?:[ -]{_SMALL})?)"
    ),
    "<unit>": r"(?:days?|nights?|weeks?|weekends?|fortnights?|months?|years?|decades?)",
    "<part>": r"(?: (?:early |late )?(?:morning|afternoon|evening|night|lunchtime|lunch))?",
}


@functools.cache
def time_pattern(source: str) -> re.Pattern[str]:
    """A pattern with its macros put in, compiled; upper and lower case are the same."""
    return re.compile(re.sub(r"(?<!\?P)<\w+>", lambda match: _MACROS[match.group()], source), re.IGNORECASE)


def month_number(word: str) -> int:
    """1 to 12; "sept" and "Sep." are 9."""
    return next(
        place for place, name in enumerate(MONTHS, 1) if name.startswith(word.lower().strip(". ")[:3])
    )


def day_number(word: str) -> int:
    """1 to 31 (or more, for nonsense): "23rd", "twenty-third" and "23" are 23."""
    digits = re.match(r"\d+", word)
    if digits:
        return int(digits.group())
    return sum(_RANKS.get(part, _CARDINALS.get(part, 0)) for part in re.split(r"[ -]", word.lower()))


def year_number(words: str) -> int:
    """ "2017", "twenty seventeen", "nineteen eighty-four" and "two thousand and nine" as a number."""
    if words.isdigit():
        return int(words)
    parts = [part for part in re.split(r"[ -]", words.lower()) if part not in ("and", "oh")]
    century = 2000 if parts[0] in ("twenty", "two") else 1900
    return century + sum(_CARDINALS.get(part, 0) for part in parts[2 if parts[0] == "two" else 1 :])


def quantity(words: str) -> tuple[float, bool]:
    """How many, and whether that is vague: "three" → (3, False), "a few" → (3, True)."""
    lower = words.lower().replace("-", " ")
    vague = next((value for word, value in _VAGUE.items() if word in lower.split()), None)
    if "one and a half" in lower:
        return 1.5, False
    if vague is not None:
        return vague, vague > 2
    parts = [part for part in lower.split() if part not in ("the", "this", "of")]
    if parts[0].isdigit():
        return float(parts[0]), False
    return float(sum(1 if part in ("a", "an") else _CARDINALS.get(part, 0) for part in parts)), False
