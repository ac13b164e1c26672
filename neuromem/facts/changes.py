"""What an utterance says about change: what it gives up, what it moves, what it takes back.

General cues of English, written and spoken, each a row of a table: "swapped the minivan for a pickup",
"swim lessons got moved to Sunday", "not the town hall", "forget the jet ski", "scratch that". What is
meant is found by comparing with what is held (`supersede.py`); here it is only read off the words.
"""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import NamedTuple

from ..cached import of_texts
from ..text import is_listed_name, normalize
from .changerows import MACROS, ROWS

__all__ = ["Change", "Denied", "change_of", "clause_denied"]

READ_CHARS = 300  # a longer statement is judged by its beginning


@dataclass(frozen=True, slots=True)
class Change:
    """The cues of change in one utterance.

    `kinds` holds any of "ends" (something named is given up), "moves" (something named has a new value),
    "corrects" (what was just said was wrong), "retracts" (it is to be forgotten), "parts" (a relationship is
    over), "now" (as of now it is so), "again" (the same once more), "done" (a plan was carried out), "mind"
    (another opinion), "yearly" (this time, this year), "adds" (beside what was).
    """

    kinds: frozenset[str]
    old: tuple[str, ...] = ()  # words for what is given up
    topic: tuple[str, ...] = ()  # words for what has a new value
    bare: bool = False  # nothing but the retraction is said

    def __bool__(self) -> bool:
        return bool(self.kinds - {"adds", "again"})

    def has(self, *kinds: str) -> bool:
        """Whether any of these kinds of change is in it."""
        return not self.kinds.isdisjoint(kinds)


_HEDGE = re.compile(
    r"\b(?:if|might|maybe|perhaps|thinking (?:of|about)|considering|planning (?:to|on)|wants? to|wanna|wish|wished|would|could|should|"
    r"hope to|hoping to|almost|nearly|about to|tempted to|dream of|wonder(?:ing)? (?:if|whether)|was going to|were going to|"
    r"wanted to|can'?t wait to|never|what if|whether|afraid of|unless|until|by the time|when i|before i|i'?d)(?: \w+){0,3} ?$",
    re.IGNORECASE,
)


_MACRO = re.compile(r"(?<!\?P)<(np|stop|topic|past)>")


@functools.cache
def _table() -> tuple[tuple[str, re.Pattern[str]], ...]:
    rows = []
    for line in ROWS.strip().splitlines():
        kind, _, pattern = line.partition(" ")
        pattern = _MACRO.sub(lambda match: MACROS[match[1]], pattern.strip())
        rows.append((kind, re.compile(pattern, re.IGNORECASE)))
    return tuple(rows)


_IS = re.compile(
    r"\b((?!it|he|she|that|there|what|who|here|how|let|where)\w{2,})'s(?= (?:off|over|gone|dead|out|closed|done|history|sold|"
    r"cancell?ed|now|at|on|in|only|actually|not|been|moved|moving|changed|called|finished|ready|painted|fixed|going)\b)",
    re.IGNORECASE,
)
_PRONOUNS = frozenset(
    "it that this them him her me us you one ones these those something everything anything all things stuff what i we he she "
    "they my the a an to so up out off over on now and or there here i'm i've i'd we've we're they're had got have".split()
)


@of_texts(4_096)
def change_of(text: str) -> Change:
    """The cues of change in one utterance; cached.

    >>> change_of("Swapped the minivan for a pickup.").old
    ('minivan',)
    >>> sorted(change_of("scratch that").kinds)
    ['corrects', 'retracts']
    """
    plain = _IS.sub(r"\1 is", normalize(text[:READ_CHARS].replace("—", " — "), casefold=False).strip(" .!"))
    kinds: set[str] = set()
    old: list[str] = []
    topic: list[str] = []
    for kind, pattern in _table():
        for match in pattern.finditer(plain):
            if _HEDGE.search(plain[: match.start()]) and kind not in ("corrects", "retracts", "adds", "mind"):
                continue
            if kind == "adds" and " so " in plain[match.end() :]:
                continue  # "put in another stick so my laptop has 24 gigs" adds nothing beside what was
            groups = match.groupdict()
            if _UNREAL.search(groups.get("topic") or ""):
                continue
            kinds.add(kind)
            _append(old, groups.get("old"))
            _append(topic, _DETERMINER.split(groups.get("topic") or "")[-1])
    if "ends" in kinds and not old:
        kinds.discard("ends")
    bare = "retracts" in kinds and _is_bare(plain)
    return Change(frozenset(kinds), tuple(old), tuple(topic), bare)


_DETERMINER = re.compile(r"\b(?:my|our|the|his|her|their|i've|we've) ", re.IGNORECASE)
_UNREAL = re.compile(
    r"\b(?:if|might|would|could|may|should|wish|maybe|unless|when|once|whether|suppose|imagine)\b",
    re.IGNORECASE,
)
_NO_BEGINNING = frozenset(
    "in on at for from last this next to with by of after before since as when while because".split()
)


def _append(phrases: list[str], phrase: str | None) -> None:
    phrase = (phrase or "").strip(" .,;:!?")
    first = phrase.lower().partition(" ")[0]
    if not phrase or first in _NO_BEGINNING or all(word in _PRONOUNS for word in phrase.lower().split()):
        return
    if phrase not in phrases:
        phrases.append(phrase)


_RETRACTION_ALONE = re.compile(
    r"^(?:(?:oh|um|uh|hey|ok|okay|well|please|no|wait|sorry|and|so|actually|just|can you|could you|i take it back|i was wrong|"
    r"my bad|my mistake)[, ]*)*"
    r"(?:(?:forget|scratch|never ?mind|ignore|disregard|strike|erase|delete|drop|discard|unremember|cancel|scrap|"
    r"don'?t remember|stop remembering|take back)\b.*|(?:that'?s|that is|that was|it'?s|it is|it was|what i said (?:is|was)) "
    r"(?:not true|wrong|not right|a lie|false|incorrect|a mistake|no longer true|not the case|outdated)\b(?! (?:to|of|on|for)\b)(?P<after>.*))$",
    re.IGNORECASE,
)
_SAYS_NEW = re.compile(
    r"[,;.—:]\s*(?!please|thanks|thank|sorry|it was|that was|i was|my mistake|my bad|ok|okay|i said|i told|forget|never)(?=\w)|"
    r"\b(?:i'm|im|i am|we're|i've|it's|its|it is|i (?:can't|can|will|do|don't|have|want|need|like|signed|got|went|am|bought|"
    r"moved|decided|chose)|we (?:have|will|do|are)|make (?:it|that)|put me|go with|my \w+ (?:is|are)|the \w+ (?:is|are)|there is|"
    r"there's|found (?:my|it|the|them|him|her)|they(?:'re| are| were)|(?:it|he|she) (?:was|is) (?:in|at|on|under|behind|with))\b",
    re.IGNORECASE,
)


# "scratch that he's coming thursday": what follows is a statement with a subject and a verb of its own
_CLAUSE_AFTER = re.compile(
    r"\b(?:scratch|forget|strike|never ?mind|ignore|disregard|cancel|scrap|take back) ?(?:that|it|what i said|this)?[,.:;]? "
    r"(?:(?:actually|no|it's|its|now|so|because|cause|cos) )*"
    r"(?:(?:he|she|they|it|we|i|you)(?:'s|'re|'ll|'m|'ve|'d| is| are| was| were| will| has| have| can| got| said| \w+s| \w+ed)|"
    r"(?:the|my|our|his|her|their) [\w'-]+(?: [\w'-]+)?(?:'s| is| are| was| will| starts?| comes?| goes)|we're|there's) (?!about\b)",
    re.IGNORECASE,
)


def _is_bare(plain: str) -> bool:
    """Whether a retraction says nothing new: "forget what I said about the jet ski"."""
    match = _RETRACTION_ALONE.match(plain)
    if match is None:
        return False
    if _CLAUSE_AFTER.search(plain):
        return False
    said_about = re.sub(
        r"(?:what|when|everything|all|the (?:thing|part|bit)) ?i (?:just )?(?:said|told you)(?: (?:about|earlier))?", "", plain,
        flags=re.IGNORECASE,
    )  # fmt: skip
    return not _SAYS_NEW.search(said_about[6:])


_DENIED = re.compile(
    r"^(?:(?:oh|um|uh|hey|ok|okay|well|please|no|nope|wait|sorry|and|so|actually|just|can you|could you|you can)[, ]+)*"
    r"(?:(?P<forget>(?:forget|disregard|delete|erase|unremember|don'?t remember|stop remembering) that)"
    r"|(?:scratch|strike) that(?P<anew>[,:]?)) (?P<clause>(?P<first>[^\W\d][\w'’-]*) \S.*)$",
    re.IGNORECASE,
)
_SUBJECTS = frozenset(
    "i i'm i've i'd i'll im ive we we're we've we'd my our his her their its the he he's she she's they they're it it's you".split()
)


class Denied(NamedTuple):
    """ "Forget that I love olives. I keep bees.": what is denied, and what is said beside it."""

    clause: str = ""
    forget: bool = False  # it may be what is to be forgotten; else it is so instead …
    anew: bool = False  # … for certain
    rest: str = ""


def clause_denied(text: str) -> Denied:
    """What a sentence takes back or puts right in one breath; an empty clause for any other.

    >>> clause_denied("no scratch that my sister lives in York").clause
    'my sister lives in York'
    >>> clause_denied("Forget that I love olives.").forget
    True
    """
    found = _DENIED.match(text.strip())
    asks = text.rstrip(" \"'”’").endswith("?")
    if found is None or asks or not _is_subject(found["first"].replace("’", "'")):
        return Denied()
    return Denied(found["clause"], bool(found["forget"]), bool(found["anew"]))


def _is_subject(word: str) -> bool:
    """Whether a clause may begin so: "I …", "Rosa …"; "that guy", "that itch" are no clauses."""
    return word.lower() in _SUBJECTS or word[0].isupper() or is_listed_name(word.removesuffix("'s"))
