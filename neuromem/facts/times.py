"""What time an expression means, seen from the time at which it was said.

`spans` finds the expressions, `dated` writes the date behind those that only make sense on the day they
were said: "yesterday" → "yesterday [2025-05-02]". Rules, no clock and no state: `now` is given.

Choices where usage differs: weeks begin on Monday; "last Friday" is the nearest one before today, "next
Friday" the one of next week, "this Friday" the coming one; seasons are those of the northern
hemisphere, in whole months; a date without its year is the nearest that the tense allows; 3/4 is March 4
unless `day_first`, and what is no date that way round is read the other way; 3.4.2025 is day first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from .timerules import DAY, Context, Found, Resolver, hint, rules
from .timewords import time_pattern
from .verbs import IRREGULAR_PAST

__all__ = ["TimeSpan", "dated", "has_time_word", "spans"]

_READ_CHARS = 4_000  # of a longer text, the beginning


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A stretch of time that a text speaks of.

    `start` is in it, `end` (midnight) no more; both have the time zone of `now`. `explicit`: the phrase
    names its date or month or year itself, so it means the same whenever it was said. `place`: offset
    of the phrase in the text. `vague`: "a few weeks ago", "in the nineties"; the span is a guess.
    """

    start: datetime
    end: datetime
    phrase: str
    explicit: bool
    place: int = 0
    vague: bool = False


def spans(text: str, now: datetime, day_first: bool = False) -> list[TimeSpan]:
    """The time expressions of a text, in order.

    Args:
        text: any text; lower-case and spelt-out forms ("the twenty third of june") are read too.
        now: when it was said; naive or with a time zone.
        day_first: whether 3/4/2025 is the third of April; by default it is March 4.
    """
    text = text[:_READ_CHARS]
    if not hint().search(text):
        return []
    found: list[TimeSpan] = []
    taken: list[tuple[int, int]] = []
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for pattern, resolve, explicit in rules():
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < last and first < end for first, last in taken):
                continue
            taken.append((start, end))  # also what turns out to be no date, such as "31 June"
            span = _resolved(resolve, match, Context(today, _tense(text, start, end), day_first))
            if span is not None:
                found.append(TimeSpan(span[0], span[1], match.group(), explicit, start, len(span) == 3))
    return sorted(found, key=lambda span: span.place)


def _resolved(resolve: Resolver, match: re.Match[str], context: Context) -> Found | None:
    """None where the words are no date after all ("31 June"), or one beyond the calendar."""
    try:
        return resolve(match, context)
    except (ValueError, OverflowError):
        return None


def dated(text: str, now: datetime) -> str:
    """The text with the date behind each relative expression of a day or more from now, in brackets.

    Days are written as 2025-05-02, months as 2025-05, years as 2025, longer spans as ISO 8601 intervals
    (2025-05-03/04). Vague expressions, dates that are written out, and weekdays that may be a habit
    stay as they are.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for span in reversed(spans(text, now)):
        away = span.end <= today or span.start > today
        if (
            not away
            or span.explicit
            or span.vague
            or (_PERHAPS_A_HABIT.fullmatch(span.phrase) and not _is_sure(text, span))
        ):
            continue
        end = span.place + len(span.phrase)
        if text[end : end + 2] != " [":
            text = f"{text[:end]} [{_iso(span)}]{text[end:]}"
    return text


def has_time_word(text: str) -> bool:
    """Whether a text says when: a date, a day, "ago", "recently"."""
    return bool(_TIME_WORD.search(text)) or bool(spans(text, datetime(2000, 1, 1)))


def _iso(span: TimeSpan) -> str:
    first, last = span.start, span.end - DAY
    whole_months = first.day == 1 and span.end.day == 1
    if whole_months and first.month == 1 and span.end.month == 1:
        parts = [f"{first:%Y}", f"{last:%Y}"]
    elif whole_months:
        parts = [f"{first:%Y-%m}", f"{last:%m}" if first.year == last.year else f"{last:%Y-%m}"]
        parts = parts[:1] if (first.year, first.month) == (last.year, last.month) else parts
    else:
        same_month = (first.year, first.month) == (last.year, last.month)
        until = (
            f"{last:%d}" if same_month else f"{last:%m-%d}" if first.year == last.year else f"{last:%Y-%m-%d}"
        )
        parts = [f"{first:%Y-%m-%d}", until] if first != last else [f"{first:%Y-%m-%d}"]
    return "/".join(dict.fromkeys(parts))


_TIME_WORD = re.compile(
    r"\b(?:ago|recently|lately|soon|nowadays|these days|the other (?:day|week|night)|once|earlier|later|"
    r"since (?:i|we|he|she|they)|when i was|as a (?:child|kid)|years|months|weeks|every (?:day|"
    r"week|month|year)|"
    r"midnight|noon|\d{1,2}(?::\d\d)? ?[ap]\.?m\b|o'clock|christmas|easter|halloween|thanksgiving|"
    r"new year'?s?|birthday|anniversary)\b",
    re.IGNORECASE,
)


# --- tense ----------------------------------------------------------------------------------------

_PERHAPS_A_HABIT = time_pattern(r"(?:on )?<weekday><part>|\w+ the <day>")
_FUTURE = re.compile(
    r"\b(?:will|won't|wont|going to|gonna|shall|about to|plan(?:s|ning)? to|'ll|tomorrow|coming|"
    r"(?:'m|'re|'s|am|are|is|im|were|we're|hes|shes) (?:not )?\w+ing)\b|'ll\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    rf"\b(?:{'|'.join(sorted(IRREGULAR_PAST - {'read', 'put', 'set', 'let', 'cut', 'hit', 'hurt', 'shut'}))}|"
    r"(?!need|hundred|bed|red)\w{2,}ed|did(?:n'?t)?|wasn'?t|weren'?t)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?;\n]")
_CALLED_OFF = r"(?:cancell?ed|called off|postponed|rescheduled|put (?:off|back)|pushed back|brought forward)"
_REARRANGED = rf"(?:{_CALLED_OFF}|moved)"
# "(the dentist on Friday) at ten is cancelled", but not "(I heard on Friday) that it is cancelled"
_IS_REARRANGED = re.compile(
    r"^(?:(?: (?!that\b|when\b|how\b|why\b|if\b|it\b|he\b|she\b|they\b|we\b|i\b|you\b)[\w:'-]+){0,4}? "
    rf"(?:is|are|was|were|be|been|being|gets?|got|has|have|had)|'s) (?:\w+ ){{0,2}}?{_REARRANGED}\b",
    re.IGNORECASE,
)
_WAS = re.compile(r"\b(?:was|were|got|had)\b", re.IGNORECASE)
_REARRANGED_TO = re.compile(rf"\b{_REARRANGED}\b.*\b(?:to|until|till|for|from) (?:the )?$", re.IGNORECASE)
_REARRANGES = re.compile(
    rf"\b(?:{_CALLED_OFF} (?:(?:my|our|the|his|her|their|this) )?|{_REARRANGED} "
    r"(?:(?!and |in |out |house |home )[\w'-]+ ){0,4}(?:appointment|meeting|"
    r"party|dinner|lunch|breakfast|class|lesson|session|practice|rehearsal|flight|trip|visit|call|game|match|"
    r"interview|concert|date|booking|reservation|dentist|doctor|checkup|delivery) )$",
    re.IGNORECASE,
)


def _is_rearranged(before: str, behind: str) -> bool:
    """Whether a weekday is that of something called off or moved: nobody does that to what is over."""
    rearranged = _IS_REARRANGED.match(behind) if before.strip() or behind.startswith("'s") else None
    if rearranged is not None:  # "was cancelled, so we stayed home" is over
        return not (_WAS.search(rearranged[0]) and _PAST.search(behind, rearranged.end()))
    return bool(_REARRANGED_TO.search(before) or _REARRANGES.search(before))


def _tense(text: str, start: int, end: int) -> int:
    """The tense of the verb nearest before an expression, else nearest behind it in the sentence."""
    before = _SENTENCE_END.split(text[max(0, start - 120) : start])[-1]
    behind = _SENTENCE_END.split(text[end : end + 80])[0]
    if _PERHAPS_A_HABIT.fullmatch(text[start:end]) and _is_rearranged(before, behind):
        return 1
    past = max((match.end() for match in _PAST.finditer(before)), default=-1)
    future = max((match.end() for match in _FUTURE.finditer(before)), default=-1)
    if past != future:
        return 1 if future >= past else -1
    later, earlier = _FUTURE.search(behind), _PAST.search(behind)
    if later and (not earlier or later.start() <= earlier.start()):
        return 1
    return -1 if earlier else 0


def _is_sure(text: str, span: TimeSpan) -> bool:
    """Whether a weekday is one day and not a habit: "I went on Friday" is, "choir is on Friday" not."""
    return (
        span.phrase.lower().startswith(("on ", "by "))
        and _tense(text, span.place, span.place + len(span.phrase)) != 0
    )
