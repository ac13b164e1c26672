"""From what the user said to what is said to the user: the persons change, the words stay."""

# ruff: noqa: E501 - a pattern is one line

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from ..facts.times import dated
from ..facts.values import title_names
from ..facts.verbs import is_verb_form

__all__ = ["bare", "continued", "day_said", "states", "told", "turned", "with_dates"]

_TURNS = {
    "i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "we": "you", "us": "you",
    "our": "your", "ours": "yours", "ourselves": "yourselves", "i'm": "you're", "i've": "you've",
    "i'd": "you'd", "i'll": "you'll", "we're": "you're", "we've": "you've", "we'd": "you'd",
    "we'll": "you'll", "im": "you're", "ive": "you've", "your": "my", "yours": "mine", "yourself": "myself",
    "you're": "I'm", "you've": "I've", "you'll": "I'll", "you'd": "I'd",
}  # fmt: skip
_VERBS = {"am": "are", "was": "were", "wasn't": "weren't"}  # after "I"
_MY_VERBS = {"are": "am", "were": "was"}  # after "you"
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
_SUBJECT_NEXT = re.compile(
    r"\s+(?:are|were|have|had|do|did|don't|can|can't|could|will|would|should|shall|must|may|might|know|said|say|"
    r"told|asked|think|need|want|never|always|also|just|\w+ed)\b", re.I,
)  # fmt: skip
_ADDRESS = re.compile(
    r"^(?:(?:oh|well|so|ok|okay|actually|by the way|btw|and|but|also|anyway|ugh|yes|yeah|yep|nope|nah|no(?=,| wait\b| \d)|hey|hi|hello|"
    r"good (?:morning|afternoon|evening)|that(?:['’]s| is| was) (?:wrong|incorrect|not (?:right|true|it))(?=[,.;:])|scratch that|"
    r"just kidding(?=[,.])|my (?:mistake|bad)|i was wrong(?=[,.])|right|now|meanwhile|"
    r"then|plus|apparently|wait|sorry|oh yeah|guess what|good news|bad news|big news|turns out|first thing)\b(?! (?:one|is|was|of)\b)[,:.!]?\s+)+",
    re.I,
)
_LEAD_IN = re.compile(
    r"^(?:(?:please|just|could you|can you) )*(?:(?:remember|note|keep in mind|bear in mind)(?:,? please)?|don['’]?t (?:ever )?forget|"
    r"never forget|(?:make|take) a note|write (?:this |it )?down|note to self|for the record|(?:just )?so you know|"
    r"(?:as|like) i (?:said|told you)|i(?:['’]ve)? (?:already )?told you(?: already| before)?)\b"
    r"(?: this| that| (?:the )?following)?(?P<joint>[,:]| [-–—])?\s+(?!to\b|when\b|how\b|what\b|who\b|why\b|where\b|me\b|of\b|about\b|not\b)",
    re.I,
)
_TAIL = re.compile(
    r"[\s,]*(?:\b(?:lol|haha+|lmao|btw|jk|oops|ugh|please|imagine|thank goodness|can you (?:believe|imagine)(?: (?:it|that))?|you know|"
    r"i guess|i think|believe it or not|mind you|(?:do|did|does|is|was|are|were|have|has|had|can|will|would)n['’]?t (?:i|you|he|she|it|we|they)(?=\?))"
    r"\b[\s.!?,]*)+$",
    re.I,
)
_ASIDE = re.compile(
    r",? (?:so|and|but) (?:please )?(?:remind me|don't let me|note|remember|remind)\b.*$", re.I
)
_LOWER = frozenset(
    "the a an it he she they there this that these those his her their your you you're you've you'll you'd yours its "
    "in on at from to for with by as if when since after before until every each all one two three four five six seven "
    "today tomorrow yesterday eight nine ten some no not just only both we our it's he's she's they're there's that's".split()
)
_SUBJECTS = frozenset(
    "you he she they it i you're you've he's she's they're it's there there's that's".split()
)
_VERBAL = re.compile(
    r"\b(?:is|are|am|was|were|be|been|has|have|had|do|does|did|can|can't|could|will|won't|would|should|must|may|might|"
    r"go|goes|went|get|gets|got|take|takes|took|make|makes|made|say|says|said|live|lives|work|works|eat|eats|want|wants|need|needs|"
    r"like|likes|love|loves|hate|hates|come|comes|came|give|gives|gave|know|knows|knew|think|thinks|thought|cost|costs|\w{2,}ed|"
    r"\w+n't|i'm|im|ive|hes|shes|theyre|whos|thats)\b|\b\w+['’](?:s|re|ve|ll|d|m) (?!(?:\w+)?$)", re.I,
)  # fmt: skip


def turned(text: str) -> str:
    """A statement with its persons turned round: "I am at my desk" → "you are at your desk"."""
    before = ""

    def turn(match: re.Match[str]) -> str:
        nonlocal before
        word = match[0]
        plain = word.replace("’", "'").lower()
        if before in ("i", "we") and plain in _VERBS:
            new = _VERBS[plain]
        elif before == "you as subject" and plain in _MY_VERBS:
            new = _MY_VERBS[plain]
        elif plain == "you":
            subject = _SUBJECT_NEXT.match(match.string[match.end() :]) is not None
            new, plain = ("I", "you as subject") if subject else ("me", plain)
        else:
            new = _TURNS.get(plain, word)
        before = plain
        return new

    return _WORD.sub(turn, text)


def told(
    text: str, at: datetime, now: datetime, day: bool = True, capitals: Mapping[str, str] | None = None
) -> str:
    """A memory as a sentence: "You told me on 3 May that your dog's name is Potola."

    Args:
        text: the words as the user said them, one statement. at, now: when, and the present.
        day: whether the day of telling is said. capitals: names as they are written, by their small letters.
    """
    plain = " ".join(text.split())
    plain = _TAIL.sub("", _ASIDE.sub("", _without_lead_in(plain))).rstrip(" .!?,;:") or plain
    if plain == plain.lower():
        plain = _WORD.sub(lambda word: (capitals or {}).get(word[0], word[0]), title_names(plain))
    plain = _COMPOUND.sub(_in_figures, plain)  # now that its capitals are set
    said = continued(turned(with_dates(plain, at, now)))
    joint = " that " if states(said) else ": "
    return f"You told me{f' {day_said(at, now)}' if day else ''}{joint}{said}."


def bare(text: str) -> str:
    """Words without what only leads up to them: "no, that's wrong, it's Max" → "it's Max"."""
    return _ADDRESS.sub("", text)


def _without_lead_in(text: str) -> str:
    """ "Remember this: the code is 4471" → "the code is 4471"; "Remember the milk" stays."""
    plain = bare(text)
    lead = _LEAD_IN.match(plain)
    rest = plain[lead.end() :] if lead else ""
    return rest if rest and states(rest) else plain


_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth".split()
_COMPOUND = re.compile(rf"\b(?P<tens>twenty|thirty)[ -](?P<ones>{'|'.join(_ORDINALS)})\b", re.I)


def _in_figures(match: re.Match[str]) -> str:
    """ "twenty fifth", as speech recognizers write it → "25th"."""
    ones = _ORDINALS.index(match["ones"].lower()) + 1
    ending = {1: "st", 2: "nd", 3: "rd"}.get(ones, "th")
    return f"{2 if match['tens'].lower() == 'twenty' else 3}{ones}{ending}"


def continued(text: str) -> str:
    """Words as they go on in a sentence: "The left one" → "the left one"; names keep their capitals."""
    first, _, rest = text.partition(" ")
    if first.lower() not in _LOWER:
        return text
    return f"{first.lower()} {rest}" if rest else first.lower()


def states(said: str) -> bool:
    """Whether words have a verb, so that "that" may stand before them."""
    first, *more = said.split()
    if first.lower() in _SUBJECTS or _VERBAL.search(said):
        return True
    return any(is_verb_form(word.strip(",.")) and not word[0].isupper() for word in more[:3])


def with_dates(text: str, at: datetime, now: datetime) -> str:
    """A text with its days as dates: "tomorrow", said on 7 May, is "on 8 May".

    Only where it is sure which day is meant; what may be a habit ("choir is on Friday") stays.

    Args:
        at: when it was said. now: the present; days are named without the year if it is the same.
    """

    def said(match: re.Match[str]) -> str:
        day = datetime.fromisoformat(match["day"])
        date = f"{day.day} {day:%B}" + (f" {day.year}" if day.year != now.year else "")
        if match["relative"]:
            return f"on {date}" + (match["part"] or "").replace(" ", " in the ", 1).replace(
                "the night", "the evening"
            )
        return f"{match['weekday']} {date}" if match["weekday"] else ""

    plain = _NOTED.sub("", text)
    return _NOTED.sub("", _DAY_NOTED.sub(said, dated(plain, at)))


_NOTED = re.compile(r" \[\d{4}(?:-\d\d)*(?:/[\d-]+)?\]")
_DAY_NOTED = re.compile(
    r"(?:\b(?P<relative>today|tonight|tomorrow|yesterday|last night|the day (?:after tomorrow|before yesterday))"
    r"(?P<part> (?:morning|afternoon|evening|night))?|(?P<weekday>\b(?:(?:on|by|this|next|last) )*[a-z]{3,6}day))"
    r" \[(?P<day>\d{4}-\d\d-\d\d)\]",
    re.I,
)


def day_said(at: datetime, now: datetime) -> str:
    """A day as one says it: "today", "yesterday", "on 3 May", with the year if it is another."""
    days = (now.date() - at.date()).days
    if days in (0, 1):
        return ("today", "yesterday")[days]
    return f"on {at.day} {at:%B}" + (f" {at.year}" if at.year != now.year else "")
