"""What an utterance is about: whose it is, the content words, the values it gives, whether it denies.

Two utterances are compared by these frames: "resting heart rate is sixty four" and "my resting heart rate
was seventy two" have one topic and two values of one kind, and the second value replaces the first.
"""

# ruff: noqa: E501 - a pattern is one line

from __future__ import annotations

import re
from dataclasses import dataclass

from ..cached import of_texts
from ..text import idf, normalize, stem, stems
from .clause import KIN_WORDS
from .timewords import MONTH_NAMES
from .values import NUMBER
from .verbs import is_past
from .whose import Whose, whose_of, without_lead, without_reporter

__all__ = ["CALENDAR", "LIGHT", "Frame", "akin", "frame_of", "kin_in_full", "mass"]


READ_CHARS = 1_000  # a longer statement is judged by its beginning


@dataclass(frozen=True, slots=True)
class Frame:
    """One utterance, taken apart."""

    whose: Whose
    stems: frozenset[str]  # of all content words
    topic: frozenset[str]  # of content words that are neither values nor light
    values: frozenset[str]  # kinds of values it gives: "number", "time", "date", "email", "code", "money"
    denies: bool
    once: bool  # it tells of one time, which makes no habit
    detour: bool  # and why it was otherwise: "the ferry was cancelled so I took the bus"
    states: bool  # it says of something what it is, costs, when it starts, …


# --- values -------------------------------------------------------------------------------------------

_DAYS = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekends?|weekdays?"
CALENDAR = rf"\d|{_DAYS}|{MONTH_NAMES}"
_VALUES = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in {
        "email": r"\S+@\S+",
        "rank": r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\d+(?:st|nd|rd|th))\b",
        "money": r"[$£€]\s?\d[\d.,]*|\b\d[\d.,]*\s?(?:dollars|bucks|quid|pounds|euros|crowns|grand)\b",
        "time": rf"\b(?:{_DAYS})\b|\bnoon\b|\bmidnight\b|\b\d{{1,2}}(?::\d\d)?\s?(?:am|pm|a\.m\.|p\.m\.)|"
        r"\bo'?clock\b|\b\d{1,2}:\d\d\b|\b(?:half|quarter) (?:past|to)\b",
        "daytime": r"\b(?:breakfast|lunch|dinner|supper|mornings?|evenings?|afternoons?|nights?|bedtime)\b",
        "date": rf"\b(?:{MONTH_NAMES})\b(?! (?:be|i|we|not)\b)|\b\d{{1,2}}(?:st|nd|rd|th)\b|\b(?:19|20)\d\d\b|"
        r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|\w+teenth|twentieth|"
        r"twenty[- ]\w+|thirtieth|thirty[- ]first) of\b",
        "place": r"\b(?:at|in|into|to|on|by|near|behind|under|inside|from|with) (?:the |my |our |a |an )?(?!\d)[a-z][\w'-]+",
        "number": rf"\b(?!one\b){NUMBER}\b|\b(?:is|are|at|for|have|has|had|got|just|only|about|exactly) one\b",
        "code": r"\b[\w-]*\d[\w-]*[a-z][\w-]*\b|\b[a-z][\w]*-\d[\w-]*\b|\b(?!(?:mon|am|pm)\b)[a-z]{1,2}\d+\b",
    }.items()
}
_WHOLE_VALUE = re.compile(
    "|".join(
        pattern.pattern for kind, pattern in _VALUES.items() if kind not in ("daytime", "place", "rank")
    ),
    re.IGNORECASE,
)
_KINDRED = {
    "number": {"number", "time", "money", "date", "code"},
    "date": {"date", "time"},
    "daytime": {"daytime", "time"},
}


def akin(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two utterances give values of one kind."""
    return any(b in _KINDRED.get(a, {a}) or a in _KINDRED.get(b, {b}) for a in one for b in other)


# --- frames -------------------------------------------------------------------------------------------

_DENIES = re.compile(
    r"\b(?:not|never|no longer|can'?t|cannot|don'?t|doesn'?t|isn'?t|aren'?t|won'?t|didn'?t|wasn'?t|no more|hates?|"
    r"dislikes?|detests?|loathes?|quit|gave up|given up|stopped|can not|any ?more)\b",
    re.IGNORECASE,
)
_STATES = re.compile(
    r"\b(?:is|are|am|'s|'re|i'?m|isn'?t|was|were|costs?|closes?|opens?|starts?|ends?|leaves?|departs?|arrives?|"
    r"expires?|weighs?|lands?|comes?|charges?|takes place|meets?|lives?|works?|has|have)\b",
    re.IGNORECASE,
)
_ONCE = re.compile(
    r"\b(?:today|tonight|this (?:morning|afternoon|evening|week|weekend|friday|one time)|yesterday|last (?:night|"
    r"week|weekend|month|year|summer|winter|spring|fall|\w+day)|the other day|for once|just this once|this once|one time|for a change|"
    r"instead of the usual|on an? \w+day|had to|tried|borrowed|grabbed|sampled|ordered)\b",
    re.IGNORECASE,
)
_EVENT = re.compile(
    r"^(?:(?:i|we|he|she|they|and|so|then|just|[\w']+ (?:was|were) \w+ (?:\w+ ){0,4}so i) )?(?:did|went|ate|had|took|sang|"
    r"saw|made|ran|rode|drank|wore|met|tried|borrowed|grabbed|ordered|cooked|played|watched|prayed|walked|"
    r"cycled|biked|drove|swam|slept|spent|hosted|visited|called|cleaned|used|worked|overslept|skipped|"
    r"missed|forgot|ended up|stayed|ate out|finished off|slept (?:in|through)|filled in|subbed|swapped shifts|caught|got a (?:ride|lift)|celebrated|rented|rode|fried|baked|rained|snowed|broke|painted)\b",
    re.IGNORECASE,
)
LIGHT = frozenset(
    stem(word)
    for word in (
        "now today tonight yesterday tomorrow morning currently really just still also actually sorry mean meant "
        "got get gets getting go goes going went new old change changed changing switch switched move moved "
        "swap swapped replace replaced set reset update updated start started starting stop stopped turn turned "
        "call called name named say said tell told think know like thing stuff one usually normally always "
        "again anymore instead rather finally officially completely totally nope okay well please right wrong "
        "day days week weeks miscounted misread misheard misspoke misremembered mistyped autocorrect typo bad scratch forget forgot "
        "last ago since another whole entire minute minutes hour hours second seconds percent degrees dollars bucks pounds turns out after next month months year years time times total early late lately nowadays correction "
        "wait oops mistake mind put make made take took taken have had live lives living work works done did".split()
    )
)


_DETOUR = re.compile(
    r"\b(?:so|and) (?:i|we) (?:just |had to )?(?:took|grabbed|went|ate|used|rode|drove|walked|ordered|got (?:a|the)|made|did|"
    r"stayed|slept|bought|had|ran|switched to the)\b|"
    r"\b(?:was|were|got|had been|ran|had) (?:\w+ ){1,4}(?:so|and) (?:i|we|he|she|they) (?:just |had to )?(?!moved|switched|quit|joined|signed|traded|"
    r"swapped|replaced|changed|started)(?:\w+ed|got|took|went|ate|had|drove|rode|made|did|ran|sat|slept|wore|met|stayed|swam|sang|flew|used)\b|"
    r"\b(?:because|cause|since|as|due to|on account of|for|thanks to)\b.*\b(?:was|were|overslept|forgot|ran out|missed|flat|"
    r"fog|storm|rain|snow|weather|trip|strike|traffic|power cut|holiday|birthday|valentine'?s)\b",
    re.IGNORECASE,
)
# Why it was otherwise for once, and what somebody did then; what was bought, hired or joined stays so.
_FOR_ONCE = re.compile(r"^(?P<why>[^.;]{4,80}?)(?:,? (?:and )?so) (?P<then>.+)", re.IGNORECASE)
_GONE = re.compile(
    r"\b(?:quit|retired|resigned|died|passed away|graduated|moved (?:away|out|to)|left (?!the house|early|late|it|my)|sold|folded|fired|"
    r"shut (?:down|its doors)|closed (?:down|for good|its doors)|went (?:under|bust|part[- ]time)|needed the|promoted|transferred)\b",
    re.IGNORECASE,
)
_STAYS = re.compile(
    r"\b(?:moved|switched|quit|joined|signed|traded|swapped|replaced|changed|started|bought|hired|adopted|enrolled|transferred|"
    r"took (?:it )?over|took up|picked up|gave up|signed up|went back|went with|went into|paired|assigned|reassigned|matched|turned to|ended up with|found|rented|made|got (?:an?|the|my|our|new)|"
    r"put|set|gave|let|sold|booked|chose|picked|named|called|retired|left|told|said|could|would|became|leased|renamed|settled|decided|married|promoted|upgraded|now|from now on|these days|for good|"
    r"permanently|any ?more)\b",
    re.IGNORECASE,
)
_BRIEFLY = re.compile(
    r"\b(?:for an? (?:hour|bit|day|night|week)|today|tonight|this (?:time|once|week)|last night|just once)\b",
    re.IGNORECASE,
)
# Gone for good, and something else bought: no detour.
_RENEWED = re.compile(
    r"\b(?:switched|changed|moved|transferred|converted|went|gone) (?:over )?from\b.* to\b|"
    r"\b(?:died|gave out|gave up the ghost|packed (?:it )?(?:up|in)|conked out|kicked the bucket|bit the dust|wore out|"
    r"fell apart|broke|cracked|burn(?:ed|t) out|crashed|snapped|shattered|beyond repair|on its last legs|"
    r"(?:was|got|been) (?:stolen|nicked|totall?ed|written off|smashed|wrecked|crushed|lost))\b.*?"
    r"(?:\b(?:so|and)|,) (?:i|we|he|she|they)(?:'ve| have| had to| just| finally| went and| then)* "
    r"(?:bought|buy|got|get|picked up|ordered|replaced|upgraded|switched|leased|went with|went for)\b",
    re.IGNORECASE,
)
# What is told in the past, but was so again and again: "we had dinner at my mom's on Sundays".
_HABIT = re.compile(
    r"\b(?:usually|always|often|used to|every (?:day|week|month|year|\w+day|morning|night|summer|winter|time)|each|on (?:\w+days|weekends|weekdays)|"
    r"(?:once|twice|\w+ times) an?)\b",
    re.IGNORECASE,
)
_NOWADAYS = re.compile(
    r"\b(?:it'?s|i'?m|we'?re|they'?re|is|are|i|we)\b.*\b(?:these days|nowadays|now|from (?:now|here) on|any ?more|for good)\b",
    re.IGNORECASE,
)
_PRESENT = re.compile(
    rf"\b(?:is|are|am|i'?m|it'?s|that'?s)\b|\b(?:was|were) (?:at |about |only |just |down to |up to )?{NUMBER}\b",
    re.IGNORECASE,
)


@of_texts(4_096)
def frame_of(text: str) -> Frame:
    """An utterance taken apart; cached."""
    plain = normalize(text[:READ_CHARS].replace("—", " — "), casefold=False)
    event = bool(_EVENT.match(without_lead(plain)))
    event = event and not _HABIT.search(plain) and not _NOWADAYS.search(plain)
    once = event or bool(_ONCE.search(plain) and not _PRESENT.search(plain))
    return Frame(
        whose=whose_of(plain),
        stems=frozenset(stems(kin_in_full(plain))),
        topic=frozenset(stems(kin_in_full(_WHOLE_VALUE.sub(" ", without_reporter(plain))))) - LIGHT,
        values=frozenset(kind for kind, pattern in _VALUES.items() if pattern.search(plain)),
        denies=bool(_DENIES.search(plain)),
        once=once,
        detour=(bool(_DETOUR.search(plain)) or _is_for_once(plain)) and not _RENEWED.search(plain),
        states=bool(_STATES.search(plain)) and not event,
    )


def _is_for_once(plain: str) -> bool:
    """Whether something was in the way for a while, and something else was done: "… was closed, so I …"."""
    match = _FOR_ONCE.search(plain)
    if match is None or _GONE.search(match["why"]) or not any(map(is_past, match["why"].split())):
        return False
    place = next((place for place, word in enumerate(match["then"].split()[:9]) if is_past(word)), None)
    return place is not None and (not _STAYS.search(match["then"]) or bool(_BRIEFLY.search(match["then"])))


def kin_in_full(text: str) -> str:
    """A text in which grandma is the grandmother."""
    return _WORD.sub(lambda word: _KIN.get(word[0].lower(), word[0]), text)


_WORD = re.compile(r"[\w-]+")
_KIN = {word: KIN_WORDS[word] for word in KIN_WORDS if word[:2] not in ("bo", "gi", "ba", "tw")}


def mass(found: frozenset[str] | set[str]) -> float:
    """How telling some stems are together, in nats."""
    return sum(idf(word) for word in found)
