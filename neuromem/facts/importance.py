"""How much a fact matters, from 0 to 1: a longer life for a name or an allergy than for the weather."""

from __future__ import annotations

import functools
import re

from ..text import idf, normalize, stems
from .clause import KIN_WORDS
from .gist import SPEAKER, Gist

__all__ = ["importance", "is_pinned"]

EMPHASIZED = 0.9
DEFAULT = 0.5
PLANNED = 0.42
STRIKING = 0.08  # importance per nat by which the words are rarer than usual
USUAL_IDF = 9.5  # nats, of the three rarest words of a personal fact
MOST_STRIKING = 0.25
LASTING = 0.75  # from here on, a time in the text does not make it a passing thing

# Relation (from its beginning) → importance; the first that fits wins.
_RELATIONS = """
name|middle name|maiden name|last name|birthday$ -> 0.92
allergy|blood type|medication|pregnancy -> 0.93
condition|diet|baby due|death|medical aid -> 0.85
home$|address|job$|employer|age$|nickname|wife|husband|fiancé|spouse|partner|marriage|wedding -> 0.85
mother|father|son|daughter|child|parents|sister|brother|grand|family|siblings|late |twin -> 0.82
raised by|girlfriend|boyfriend -> 0.82
relationship|birthplace|home town|origin|nationality|religion|phone number|email|doctor -> 0.78
hearing aid|injury|gender -> 0.78
languages?|school|degree|business|best friend|emergency|moving to|alcohol|smoking|godchild|exam result -> 0.61
.*(?:code|pin|password|number|combination|postcode|insurance|account|passport)\\b -> 0.6
.* name$ -> 0.64
pet|likes|dislikes|favou?rite|fear|hobby|instrument|opinion|belief|football team|votes -> 0.55
handedness|height|preference -> 0.55
collects|car|past|childhood|studies|learning|role|sport|team|volunteering|wish|saving for -> 0.54
neighbour|flatmate|boss|landlord -> 0.54
trip|meeting|visit|appointment|interview|plan|exam|party|lunch|dinner|reading|watching|delivery -> 0.42
feel|feeling|is$|was$|like$|went|ate|had$|saw|watched|need|looking for|got|see$ -> 0.42
"""

# Words that make a fact matter wherever in the text they stand.
_TELLING = """
allerg|anaphyla|intoleran|epilep|diabet|asthma|penicillin|pacemaker|blood type -> 0.92
birthday|born (?:on|in)|adopted|pregnant|expecting|engaged|married|divorced|widow|died|funeral -> 0.82
surgery|operation on|diagnos|hospital|medication|vegetarian|vegan|kosher|halal -> 0.78
moved to|moving to|nurse|doctor|teacher|retired|promoted|hired -> 0.7
"""

_EMPHASIS = re.compile(
    r"\b(?:remember (?:this|that|it)|(?:don't|dont|do not|never) (?:ever )?forget|always remember|"
    r"important|make a note|note that|"
    r"note this|keep in mind|for the record|write (?:this|that) down|memori[sz]e)\b|"
    r"^(?:please )?remember\b(?! when)"
)
_PINNED = re.compile(
    r"\b(?:never (?:ever )?forget|always remember|remember (?:this|that|it) (?:forever|for ever|always))\b"
)
_NOT_MEANT = re.compile(
    r"\b(?:i|he|she|we|they|you)(?:'ll| will|'d| would|'ve)? (?:never|always) (?:ever )?"
    r"(?:forget|remember)s?\b"
)

_EVENT = re.compile(
    r"\b(?:tomorrow|tonight|this (?:morning|afternoon|evening|week|weekend|month)|next (?:week|month|"
    r"weekend|\w+day)|"
    r"(?:on|by|until|till|last|this) (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)(?!s)|"
    r"yesterday|in an hour|"
    r"in (?:\w+) (?:minutes|hours|days|weeks)|the day after)\b"
)
_EPHEMERA = (
    re.compile(
        r"\b(?:rain(?:s|ing|ed|y)?|snow(?:s|ing|ed)?|sunny|windy|drizzl\w+|weather|forecast|foggy|"
        r"freezing outside|cloudy|"
        r"(?:hot|cold|warm|chilly|muggy|lovely|nice) (?:today|outside|out|day|evening|morning))\b"
    ),
    re.compile(
        r"\b(?:i am|i'm|im|i feel|feeling|we're|i was) (?:so |a bit |really |very |just |quite |"
        r"absolutely |too |pretty )*"
        r"(?:tired|bored|hungry|thirsty|cold|hot|sleepy|knackered|exhausted|happy|sad|grumpy|fine|good|"
        r"great|okay|ok|stuffed|full|"
        r"starving|shattered|late|busy|back|home now|stuck|ready|done|annoyed|cross|gutted|excited|nervous|"
        r"soaked|awake)\b"
    ),
    re.compile(
        r"\b(?:had|ate|having|made|cooked|ordered|drank|grabbed)\b.*\b(?:for (?:breakfast|lunch|dinner|tea|"
        r"supper)|this morning|"
        r"today|tonight|earlier|last night|just now)\b|\b(?:coffee|breakfast|lunch) (?:was|is) (?:good|"
        r"nice|cold|great|ready)\b"
    ),
    re.compile(
        r"\b(?:just|currently) (?:had|got|eating|drinking|sitting|walking|waiting|watching|leaving|arrived|"
        r"woke|dropped)\b"
    ),
    re.compile(
        r"\b(?:the bus|the train|my bus|my train|traffic) (?:is|was|are) (?:late|full|delayed|bad|terrible|"
        r"awful|packed)\b"
    ),
)
_PASSING = (0.12, 0.2)


@functools.cache
def _rows(table: str) -> tuple[tuple[re.Pattern[str], float], ...]:
    rows = (line.split(" -> ") for line in table.strip().splitlines())
    return tuple((re.compile(rf"(?:{pattern})"), float(value)) for pattern, value in rows)


def is_pinned(text: str) -> bool:
    """Whether the speaker asks never to forget it; "I'll never forget that day" does not."""
    words = normalize(text)
    return bool(_PINNED.search(_NOT_MEANT.sub("", words)))


def importance(text: str, gist: Gist) -> float:
    """How much a fact matters.

    Args:
        text: the words.
        gist: what they come down to.

    Returns:
        0 to 1: who somebody is, health and family near 1; lasting tastes about 0.55; plans with a time
        0.4; weather, moods and meals under 0.3; what is to be remembered at least 0.9. Of lesser facts,
        striking words add up to 0.25, plain ones take as much away.
    """
    words = normalize(text)
    telling = (weight for pattern, weight in _rows(_TELLING) if re.search(rf"\b{pattern.pattern}", words))
    value = max(_by_relation(gist), next(telling, 0.0))
    passing = sum(bool(pattern.search(words)) for pattern in _EPHEMERA)
    if value < LASTING:
        if passing:
            value = _PASSING[passing == 1]
        elif _EVENT.search(words):
            value = min(value, PLANNED)
        value += (0.3 if passing else 1.0) * _striking(text)
    if _EMPHASIS.search(_NOT_MEANT.sub("", words)):
        value = max(value, EMPHASIZED)
    return round(value, 3)


def _striking(text: str) -> float:
    """What rare words add and common ones take away: the distinct is kept better (von Restorff 1933)."""
    rarest = sorted((idf(stem) for stem in set(stems(text))), reverse=True)[:3]
    if not rarest:
        return -MOST_STRIKING
    return max(-MOST_STRIKING, min(MOST_STRIKING, STRIKING * (sum(rarest) / len(rarest) - USUAL_IDF)))


def _by_relation(gist: Gist) -> float:
    if not gist.is_triple:
        return DEFAULT - 0.05
    found = next((value for pattern, value in _rows(_RELATIONS) if pattern.match(gist.relation)), DEFAULT)
    near = gist.subject == SPEAKER or gist.subject in KIN_WORDS.values()
    # Of people outside the family, the same fact matters a little less to the speaker.
    return found if near or found <= DEFAULT else DEFAULT + (found - DEFAULT) * 0.8
