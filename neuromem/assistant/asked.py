"""What a question asks for: whom it is about, by which words, and what kind of thing would answer it."""

# ruff: noqa: E501 - a pattern is one line

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..cached import of_texts
from ..facts.clause import KIN_WORDS, ROLES
from ..facts.keep import is_question
from ..facts.timewords import MONTHS
from ..text import STOP_WORDS, is_name_like, normalize, sentences, stem, stems, words

__all__ = [
    "KINDS",
    "ROLE_WORDS",
    "Asked",
    "asks",
    "asks_memory",
    "asks_of_assistant",
    "is_follow_up",
    "kind_of",
    "names_in",
    "read_question",
    "said_words",
]

_FOLLOWS = re.compile(r"^\W*(?:and|but|or|what about|how about)\b", re.I)
_POINTS = re.compile(
    r"\b(?:he|she|they|it|him|her|hers|his|them|their|theirs|its|there|then|that one|this|those|these|one)\b|"
    r"\bthat(?= *\?|$| (?:one|day|cost|happen\w*|start|end)\b)", re.I,
)  # fmt: skip
_OTHERS = re.compile(
    r"\b(?:weather|forecast|timer|riddle|the news)\b|\bset (?:an?|the|my) alarm\b|\ba (?:\w+ )?joke\b|^\W*(?:(?:please|can you|could you) )*(?:play|tell me (?:something|a (?:joke|story|"
    r"bedtime)))\b|\bis it true\b|^\W*(?:do|can|could|would|will) you (?!remember|know|recall)\b|\bdo you think\b|"
    r"^\W*(?:how (?:do|should) (?:i|you|we) (?:spell|say|cook|make|clean|proof)|what(?:'s| is) the (?:capital|time)\b|how far is it\b)", re.I,
)  # fmt: skip
_ASKS = re.compile(
    r"^\W*(?:(?:please|so|and|but|ok|okay|hey|um|now|well|right|er) )*(?:(?:can|could) you )?(?:remind me|tell me|"
    r"do you (?:remember|know|recall)|name|give me|who\w*|what\w*|where\w*|when\w*|which|whose|whom|why\w*|how\w*|(?:from|since|until|for|with|by|of|at|in|to|on) (?:which|what|whom|whose|when|how)\w*)\b|^\W*the [\w' ]+ please\W*$", re.I,
)  # fmt: skip
_COMMAND = re.compile(
    r"^\W*(?:please )?(?:remind me|tell me|give me|name) (?!(?:\w+ ){0,3}?(?:who|what|where|when|which|whose|why|how|the|my|our|its|his|her|their|again|\w+'s)\b)",
    re.I,
)
_REMINDER = re.compile(
    r"\bremind me (?:to|not to|at|in|on|about|every|tomorrow)\b|^\W*tell me (?:something|a (?:\w+ )?(?:joke|story|riddle|poem|fact)|how to)\b",
    re.I,
)

MONTH = "|".join(MONTHS)
DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
ORDINAL = r"(?:twenty|thirty)[ -](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\w+teenth|twentieth|thirtieth|\d{1,2}(?:st|nd|rd|th)"
NUMBER = (
    r"\d[\d,.]*|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety|hundred|thousand|half|dozen)"
)
UNIT_OF_TIME = r"(?:second|minute|hour|day|night|week|fortnight|month|year|evening|morning|weekend)s?"

CACHED = 4_096  # texts whose words are kept


def _r(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)


# kind of question: how it is asked, and what a text that answers it holds
KINDS: dict[str, tuple[re.Pattern[str], re.Pattern[str] | None]] = {
    "price": (_r(r"\bhow much (?!(?:does|do|did) \w+(?: \w+)? weigh)\b|\bwhat (?:does|did|do) .*\b(?:cost|pay|earn|charge)\b|\b(?:price|rent|salary|wages?|cost|fee|deposit|fare)\b|\b(?:earn|owe)\b"),
              _r(rf"\b(?:{NUMBER})\b|[$£€₹]")),
    "often": (_r(r"\bhow (?:often|many times|frequently)\b"),
              _r(r"\b(?:every|each|once|twice|times|daily|weekly|monthly|per|a (?:day|week|month|year)|always|never|(?:mon|tues|wednes|thurs|fri|satur|sun)days|alternate|weekends)\b")),
    "age": (_r(r"\bhow old\b|\b(?:age|aged)\b"), _r(rf"\b(?:{NUMBER})\b")),
    "length": (_r(r"\bhow long\b|\bsince when\b|\buntil when\b|\bfor how\b"),
               _r(rf"\b(?:{NUMBER}|a|an|all|until|since|few|couple)\b.*\b(?:{UNIT_OF_TIME}|{MONTH}|{DAY}|\d{{4}})\b|\b(?:since|until|till)\b")),
    "number": (_r(r"\bhow (?:many|far|tall|heavy|big|high|large|deep|fast|wide)\b|\bweigh\w*\b|\bhow much\b"), _r(rf"\b(?:{NUMBER})\b")),
    "code": (_r(r"\b(?:code|pin|password|number|plate|registration|combination|combo|postcode|reference|serial|address|room|flat|seat|gate)\b"), _r(rf"\d|\b(?:{NUMBER})\b")),
    "hour": (_r(r"\b(?:what|which) time\b|\bhow (?:early|late)\b|\bat what\b"), _r(rf"\b(?:{NUMBER}|noon|midnight|midday|morning|evening|dawn|lunch\w*|dusk|night)\b")),
    "when": (_r(r"\bwhen\b|\b(?:what|which) (?:day|date|month|year|weekday|evening|morning|night|season|week)s?\b|\bhow soon\b"),
             _r(rf"\b(?:{DAY}s?|{MONTH}|{ORDINAL}|morning|afternoon|evening|night|noon|midnight|tomorrow|yesterday|today|tonight|week(?:end)?s?|months?|years?|spring|summer|autumn|fall|winter|christmas|easter|ramadan|eid|diwali|since|until|ago|\d{{4}}|\d{{1,2}}[:.]\d\d|\d+)\b")),
    "where": (_r(r"\bwhere\b|\b(?:which|what) (?:city|town|street|country|place|village|shop|room|school|hospital|island|port|part)\b|\baddress\b|\bwhich side\b"),
              _r(r"\b(?:in|at|on|to|from|near|under|behind|by|inside|above|over|beside|next to|into|round|through|outside|across|opposite|below|between|off|up|down)\s+(?!(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september|october|november|december|\d|the \d)\w")),
    "who": (_r(r"\b(?:who|whom|whose|who's|whos)\b"), None),
    "name": (_r(r"\bcalled\b|\bnames?\b|\bnamed\b|\bnickname\b|\btitle\b|\bcall (?:my|the|our|it|him|her)\b"), None),
    "why": (_r(r"\bwhy\b|\bhow come\b|\bwhat(?:'s| is| was) the reason\b|\bwhat for\b"),
            _r(r"\b(?:because|cause|cos|since|so|as|for|due|to|in case|means?|thanks)\b")),
    "job": (_r(r"\b(?:job|profession|occupation|living|line of work|trade|work as|career|by profession)\b|\bwhat (?:do|does|did) (?:\w+ ){1,3}do\b"),
            _r(r"\b(?:is|was|as|are|am|'s|i'm|works?|worked|teach\w*|runs?|ran|makes?|drives?|drove|sells?|sold|\w+(?:er|or|ist|ian|man|woman))\b")),
    "yes": (_r(r"^\W*(?:is|are|am|was|were|do|does|did|have|has|had|can|could|will|would|should|may|must)\b"), None),
    "what": (_r(r"\b(?:what|which|how|whats)\b"), None),
}  # fmt: skip

_NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-ZÀ-ÞİŞĞÇÖÜ][\w’'-]*\w|^[A-ZÀ-ÞİŞĞÇÖÜ][a-zà-ÿ]+(?=['’]s\b)")
_NO_NAME = re.compile(
    rf"(?:what|who|whom|whose|where|how|when|which|why|it|that|there|here|he|she|let|i|and|the|my|mum|dad|mr|mrs|ms|miss|dr|doctor|yes|no|ok|"
    rf"on|in|at|is|do|does|did|from|for|to|by|of|a|an|{DAY}s?|{MONTH})(?:['’]\w+)?", re.I,
)  # fmt: skip
ROLE_WORDS = frozenset(
    {
        *KIN_WORDS,
        *ROLES.split(),
        "partner",
        "fiancé",
        "fiancée",
        "fiance",
        "fiancee",
        "youngest",
        "eldest",
        "oldest",
    }
)
_OWN = re.compile(
    r"\b(?:i|me|we|us|mine|am)\b|\b(?:my|our)\b(?! (?:\w+ )?(?:"
    + "|".join(map(re.escape, sorted(ROLE_WORDS)))
    + r")\b)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, read."""

    text: str
    kind: str  # one of KINDS
    stems: tuple[str, ...]  # of its content words
    names: frozenset[str]  # names that it says, folded
    roles: frozenset[str]  # kin and roles that it says, under their one name
    own: bool  # whether it is about the speaker, not only about somebody of theirs
    past: bool  # whether it asks how things were before


@of_texts(1_024)
def read_question(text: str) -> Asked:
    """Reads a question, pronouns resolved as far as they can be."""
    roles = frozenset(KIN_WORDS.get(word, word) for word in said_words(text) if word in ROLE_WORDS)
    return Asked(
        text, kind_of(text), tuple(dict.fromkeys(stems(text))), names_in(text), roles,
        speaks_of_self(text), bool(re.search(r"\b(?:before|used to|previous\w*|former\w*|originally|first|old)\b", text, re.I)),
    )  # fmt: skip


def speaks_of_self(text: str) -> bool:
    """Whether a text speaks of the speaker, and not only of somebody of theirs ("my sister")."""
    return bool(_OWN.search(text))


def kind_of(question: str) -> str:
    """The kind of thing that a question asks for; the most telling of those that fit."""
    return next((kind for kind, (asked, _) in KINDS.items() if asked.search(question)), "what")


@of_texts(CACHED)
def names_in(text: str) -> frozenset[str]:
    """What looks like a name of somebody or something, folded; no question words, days or months."""
    found = (re.sub(r"['’]s?$", "", name) for name in _NAME.findall(text))
    return frozenset(normalize(name) for name in found if not _NO_NAME.fullmatch(name))


def asks_memory(text: str) -> bool:
    """Whether something is asked that a memory of the user may answer."""
    said = sentences(text)
    asked = [sentence for sentence in said if _asks(sentence)]
    if not asked or _OTHERS.search(" ".join(asked)):
        return False
    return said[-1] in asked or len(" ".join(asked)) > len(text) / 2  # else it is told more than asked


_WH = re.compile(r"\b(?:who|whom|whose|what|which|when|where|why|how)\b", re.I)
_GOES_ON = re.compile(r"^\W*(?:and|or|with|for|from|by|in|at|on|of)\b", re.I)
_STATES = re.compile(
    r"\b(?:i|we|he|she|they|it)(?:'\w+)? (?!(?:call|say|name)\b)\w+|\b(?:is|are|was|were|has|have) \w+ (?:a|the|my|in|at|on)\b",
    re.I,
)


def is_elliptic(text: str) -> bool:
    """Whether words may ask on, after a question: "and my number", "for how long", "fixing what"."""
    said = words(text)
    if not 0 < len(said) <= 10 or _OTHERS.search(text) or _TELLS_WHEN.match(text):
        return False
    return bool(_WH.search(text)) or (bool(_GOES_ON.match(text)) and _STATES.search(text) is None)


_TO_YOU = re.compile(r"\b(?:you|your|yours|yourself|you['’](?:re|ve|ll|d)|youre)\b", re.I)
_OF_OWN = re.compile(
    r"\b(?:i|i['’]\w+|im|ive|me|my|mine|we|us|our|ours)\b|"
    r"\byou(?: \w+)? (?:know|remember|recall|heard?|forget|forgot|have|got|keep|note[ds]?|saved?|stored?)\b|\b(?:tell|told|remind)\b", re.I,
)  # fmt: skip


def asks_of_assistant(text: str) -> bool:
    """Whether a question is about the assistant, and nothing of the speaker's or of others: "How are you?"."""
    return _TO_YOU.search(text) is not None and _OF_OWN.search(text) is None and not names_in(text)


# questions as a recognizer writes them, without their mark: "is salma vegetarian", "what dont i like"
_UNMARKED = re.compile(
    r"^\W*(?:(?:and|so|but|ok|okay|well|hey|um|er) )*(?:"
    r"(?:is|are|isn['’]?t|aren['’]?t) (?!(?:in|at|on|to|from|with|by|for|of|about|not|an?|very|so|too|always|never|still|now|just|also|only|all|both|really|\w+ing|called|named)\b)"
    r"(?:my |our |the )?[\w'’-]+ (?!(?:is|are|was|were|to|of|since|about|than|as|with|by)\b)[\w'’-]+|"
    r"does [\w'’-]+ (?!(?:every|each|all|on|at|in|with|for|by|to|and|an?|the|once|twice|three|most|again|daily|weekly|regularly)\b)\w|"
    r"(?:who|what|where|when|why|how|which) (?:\w+ )?(?:do|does|did|is|are|was|were|has|have|had|ca|can|could|would|should|wo)n['’]?t\b)", re.I,
)  # fmt: skip
# "When I was six I broke my arm": two clauses, of which the first only says when
_TELLS_WHEN = re.compile(
    r"^\W*(?:(?:and|so|but|well|oh) )*(?:when|whenever|where|wherever) (?:i|we|he|she|they|it|my \w+|our \w+|the \w+)\b"
    r"(?!.*\b(?:what|which|who|whom|how|why|where)(?: \w+){0,2} (?:do|does|did|should|shall|can|could|will|would) )"
    r"(?!.*\b(?:do|does|did|should|shall|can|could|will|would) (?:i|we|you|he|she|they)\b)(?:\W+\w+){5}",
    re.I,
)


def asks(sentence: str) -> bool:
    """Whether a sentence is a question, also as a recognizer writes it: without its mark, or any other."""
    unmarked = not sentence.rstrip("\"'”’) ").endswith((".", "!"))
    return is_question(sentence) or (unmarked and _UNMARKED.match(sentence) is not None)


def _asks(sentence: str) -> bool:
    if _REMINDER.search(sentence):
        return False
    if asks(sentence):
        return True
    return (
        _TELLS_WHEN.match(sentence) is None and bool(_ASKS.match(sentence)) and not _COMMAND.match(sentence)
    )


def is_follow_up(text: str) -> bool:
    """Whether a question leans on the one before: "And at night?", "How much was it?"."""
    return bool(_FOLLOWS.search(text)) or bool(_POINTS.search(text)) or not stems(text)


def has_kind(kind: str, text: str, known: frozenset[str] = frozenset()) -> float:
    """1 if a text holds the kind of thing that is asked for, -1 if it lacks it, 0 where any will do.

    Args:
        known: names that the question itself says; they answer nothing.
    """
    if kind in ("who", "name"):
        return 1.0 if names_in(f"so {text}") - known else -1.0
    wanted = KINDS[kind][1]
    return 0.0 if wanted is None else 1.0 if wanted.search(text) else -1.0


@of_texts(CACHED)
def content(text: str) -> frozenset[str]:
    """Stems of the words of a text that tell something."""
    return frozenset(stem(word) for word in words(text) if word not in STOP_WORDS)


@of_texts(CACHED)
def said_words(text: str) -> frozenset[str]:
    """The words of a text, folded; "sister's" also as "sister"."""
    said = words(text)
    return frozenset((*said, *(re.sub(r"['’]s?$", "", word) for word in said)))


def capitals_in(texts: Iterable[str]) -> dict[str, str]:
    """How names are written in texts that have capitals, by their small letters."""
    found = (
        re.sub(r"['’]s?$", "", name) for text in texts if text != text.lower() for name in _NAME.findall(text)
    )
    return {name.lower(): name for name in found if not _NO_NAME.fullmatch(name) and is_name_like(name)}
