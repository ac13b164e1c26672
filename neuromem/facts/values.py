"""The value of a fact, put short: numbers in digits, dates and times, no articles or tails."""

from __future__ import annotations

import re

from ..text import is_name_like

__all__ = ["NUMBER", "ordinal_digits", "strip_tail", "tidy", "title_names", "to_digits"]

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
_UNITS += " sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES = {word: value for value, word in enumerate(_UNITS.split())}
_VALUES |= {word: 10 * (index + 2) for index, word in enumerate(_TENS.split())}
_VALUES |= {"oh": 0}
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth"
    " sixteenth seventeenth eighteenth nineteenth twentieth"
)
_ORDINAL_VALUES = {word: value + 1 for value, word in enumerate(_ORDINALS.split())}
_ORDINAL_VALUES |= {"thirtieth": 30}

_WORD = "|".join(sorted((*_VALUES, "hundred", "thousand"), key=len, reverse=True))
NUMBER = rf"(?:\d[\d.,:]*|(?:{_WORD})(?:(?:[- ]|\sand\s)(?:{_WORD}))*)"
_SPELT = re.compile(rf"\b(?:{_WORD})(?:(?:[- ]+|\sand\s)(?:{_WORD}))*\b", re.IGNORECASE)

_TIMES = {"double": 2, "triple": 3, "treble": 3}
_TWICE = re.compile(rf"\b(double|triple|treble) (\d|{'|'.join(_VALUES)})\b", re.IGNORECASE)
_GROUPS = re.compile(r"(?=.*\d\d)\d+(?: \d+){2,}")
_READ_OUT = re.compile(r"(?:(?:[a-z]|\d+) )+(?:[a-z]|\d+)", re.IGNORECASE)

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_ORDINAL_WORD = "|".join(sorted(_ORDINAL_VALUES, key=len, reverse=True))
_DATE = re.compile(
    rf"\b(?:the )?(?P<day>\d{{1,2}}(?:st|nd|rd|th)?|(?:twenty |thirty |twenty-|thirty-)?(?:{_ORDINAL_WORD}))"
    rf"(?: of)? (?P<month>{_MONTHS})\b",
    re.IGNORECASE,
)
_TIMELY = re.compile(
    rf"\b(?:{_DAYS}|{_MONTHS})s?\b|\d(?:st|nd|rd|th)\b|^at |\b(?:half|quarter) ", re.IGNORECASE
)
_MONTH_FIRST = re.compile(
    rf"\b(?P<month>{_MONTHS}),? (?:on )?the (?P<day>\d{{1,2}})(?:st|nd|rd|th)\b", re.IGNORECASE
)
_HOUR = rf"\d{{1,2}}|{_UNITS.replace(' ', '|')}"
_MINUTE = "fifteen|twenty-five|twenty|thirty|forty-five|forty|fifty-five|fifty|ten|five"
_CLOCK = re.compile(
    rf"\b(?:(?:at )?(?P<half>half|quarter past|quarter to|(?:{_MINUTE}|\d\d?) (?:past|"
    rf"to))(?: past)? (?P<late>{_HOUR})|"
    rf"at (?P<hour>{_HOUR})(?:[: .](?P<minute>\d\d|{_MINUTE}))?)(?: ?(?P<part>[ap]\.?m\.?|"
    rf"o'clock))?\b(?![-\w])",
    re.IGNORECASE,
)

# Applied in order to every value; then once more from the start of what is left.
_SWAPS = [
    (re.compile(pattern, re.IGNORECASE), to)
    for pattern, to in (
        (rf"\bevery (?=(?:{_DAYS})\b)", ""),
        (rf"\b({_DAYS})s\b", r"\1"),
        (r"\bquid\b", "pounds"),
        (r"\bbucks\b", "dollars"),
        (r"\bper cent\b", "percent"),
        (r"^(?:pure )?veg(?:gie)?$", "vegetarian"),
        (r"\bkilos?\b|\bkilograms?\b", "kg"),
        (r"\b(\d) metres? (\d\d)\b", r"\1\2 cm"),
        (r"\bafter tax\b", "net"),
        (r"\b(?:my|our) own\b", "own"),
    )
]
_HEAD = re.compile(
    r"^(?:(?:a|an|the|my|our|some|any|this|that|number|called|named|on|just|only|really|actually|about|"
    r"also|it is|"
    r"quite|very|a bit of|a lot of|lots of|to be|both)\s+)+(?=\S)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[\s,]+(?:these days|any ?more|any longer|at the moment|right now|now(?:adays)?|too|as well|"
    r"by the way|by trade|you know|"
    r"actually|after all|it turned out|mostly|though|already|of course|i think|i guess|for now|at last|"
    r"terribly|something (?:terrible|awful|dreadful|rotten|chronic)|again|"
    r"a lot|very much|so much|the most|to bits|remember that|please|lately|ever|online|yet|instead|"
    r"last \w+|with a \w|and all|(?:at|by|towards|in) the (?:end|start|beginning|middle) of \w+(?: \w+)?|"
    r"a while (?:ago|back)|"
    r"(?:\w+ ){1,2}(?:weeks?|months?|years?) ago)$",
    re.IGNORECASE,
)
# "pears, plums and figs": the rest of a list of short names, in which nobody does anything
_ITEM = (
    r"(?!(?:i|we|he|she|it|they|you|this|that|there|who|which|is|was|have|my|our|his|her|its|their|but|so|"
    r"now|then|maybe|probably|near|next|behind|beside|opposite|above|below|under|over|off|with|from|to|for|"
    r"of|as|when|where|after|before|since|until|just|only|hates?|likes?|loves|lives|avoid|wants?|needs?)\b)"
    r"[\w'-]+"
)
_ITEMS = rf"{_ITEM}(?: {_ITEM}){{0,2}}"
_LIST = rf"(?:{_ITEMS}, ){{0,6}}{_ITEMS},? (?:and|or) {_ITEMS}$"
_TITLE = r"(?<!\bdr)(?<!\bmr)(?<!\bms)(?<!\bst)(?<!\bmrs)(?<!\brev)(?<!\bprof)"
_NEXT_CLAUSE = re.compile(
    rf"(?:,|;|{_TITLE}\.|!| -)\s+(?!(?:\d|and \w+$|some |plus |in |on |at |by |every |not |about |"
    rf"{_LIST})).*$|"
    r"[,;]? (?:because|since (?:he|she|my|i|we)|but|which|who|so that|when i|so i|and (?:i|he|she|we|they|"
    r"it|the|my)|"
    r"he is|she is|it is|they is|in case|(?<=\w )(?:he|she|they|we|i|it) \w|and (?:never|then|now|have|is|"
    r"was|bought|do))\b.*$",
    re.IGNORECASE,
)
# "York, sad and alone": a name, and how something is; a list of names has capitals throughout
_CAPITAL = r"(?-i:[A-ZÀ-Þ])[\w'.-]*"
_AND_HOW = re.compile(
    rf"^({_CAPITAL}(?: {_CAPITAL})*), (?=(?-i:[a-zß-ÿ]))(?!and |or |some |plus |every |not ){_LIST}",
    re.IGNORECASE,
)


def to_digits(text: str) -> str:
    """Spelt numbers as digits: "forty-four" → 44, "eight one double four" → 8144, "two thousand" → 2000.

    Letters read out one by one are put together: "w r seventeen k o t" → WR17KOT. Groups of digits that are
    written apart stay apart: 22 8 17 is not 22 81 7.
    """
    if _GROUPS.fullmatch(text):
        return text
    text = _TWICE.sub(lambda match: " ".join([match[2]] * _TIMES[match[1].lower()]), text)
    text = _SPELT.sub(lambda match: _number(match.group()), text)
    letters = _READ_OUT.fullmatch(text)
    return text.replace(" ", "").upper() if letters and len(text.split()) > 2 else text


def ordinal_digits(text: str) -> str:
    """A day that is an ordinal and no more, in digits: "the eleventh" → 11th."""
    match = re.fullmatch(rf"(?:the )?((?:(?:twenty|thirty)[ -])?(?:{_ORDINAL_WORD}))", text, re.IGNORECASE)
    if match is None:
        return text
    day = sum(_ORDINAL_VALUES.get(part, _VALUES.get(part, 0)) for part in re.split("[ -]", match[1].lower()))
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10 if day not in (11, 12, 13) else 0, "th")
    return f"{day}{ending}"


def _number(spelt: str) -> str:
    parts = [part for part in re.split(r"[-\s]+", spelt.lower()) if part != "and"]
    groups: list[int] = []  # a new one where the words stop adding up, as in digits read out
    for part in parts:
        if part in ("hundred", "thousand"):
            scale = 100 if part == "hundred" else 1000
            groups = [*groups[:-1], groups[-1] * scale] if groups else [scale]
        elif groups and _adds_up(groups[-1], _VALUES[part]):
            groups[-1] += _VALUES[part]
        else:
            groups.append(_VALUES[part])
    return "".join(str(group) for group in groups)


def _adds_up(total: int, value: int) -> bool:
    if value >= 100 or value == 0:
        return False
    room = 10 if 20 <= total % 100 <= 90 and total % 10 == 0 else 100 if total and total % 100 == 0 else 0
    return value < room


def _date(match: re.Match[str]) -> str:
    day = match["day"].lower().replace("-", " ").split()
    number = sum(_ORDINAL_VALUES.get(word, _VALUES.get(word, 0)) for word in day)
    return f"{number or re.sub(r'[^0-9]', '', match['day'])} {match['month'].capitalize()}"


def _clock(match: re.Match[str]) -> str:
    hour = int(to_digits(match["hour"] or match["late"]))
    minute = int(to_digits(match["minute"] or "0"))
    if match["half"]:
        amount, _, side = match["half"].lower().partition(" ")
        minute = {"half": 30, "quarter": 15}.get(amount) or int(to_digits(amount))
        hour, minute = (hour - 1, 60 - minute) if side == "to" else (hour, minute)
    hour += 12 if (match["part"] or "").lower().startswith("p") and hour < 12 else 0
    return f"{hour}:{minute:02d}" if 0 <= hour < 25 and minute < 60 else match.group()


def tidy(value: str, digits: bool = False, whole: bool = False) -> str:
    """A value put short.

    Args:
        value: words taken from a sentence.
        digits: also write spelt numbers as digits.
        whole: keep what follows the first clause.
    """
    value = value.strip(" ,.;:!?\"'-")
    if not whole:
        value = _AND_HOW.sub(r"\1", _NEXT_CLAUSE.sub("", value))
    value = _DATE.sub(_date, value)
    value = _MONTH_FIRST.sub(lambda match: f"{match['day']} {match['month'].capitalize()}", value)
    if _TIMELY.search(value):
        value = _CLOCK.sub(_clock, value)
    for pattern, to in _SWAPS:
        value = pattern.sub(to, value)
    value = to_digits(value) if digits else value
    for _ in range(2):
        value = _TAIL.sub("", value).strip(" ,")
    return _HEAD.sub("", value).strip(" ,")


def strip_tail(text: str) -> str:
    """Takes away what ends a sentence without adding to it: "now", "these days", "you know"."""
    return _TAIL.sub("", text)


def title_names(text: str, every_word: bool = False) -> str:
    """Gives names their capitals in text that has none, such as a speech recognizer's."""
    if text != text.lower():
        return text
    small = {"and", "of", "the", "in", "at", "on", "to", "de", "van", "von", "la", "a", "no", "not", "i"}
    parts = re.split(r"(\s+)", text)
    return "".join(
        part[:1].upper() + part[1:] if part not in small and (every_word or _is_calendar(part)) else part
        for part in parts
    )


def _is_calendar(word: str) -> bool:
    return re.fullmatch(rf"(?:{_DAYS}|{_MONTHS})s?", word, re.IGNORECASE) is not None and is_name_like(word)
