"""Sentences that say two things, cut where both halves stand by themselves.

"I live in Porto and I've got two cats" is two statements; so is what a speech recognizer runs together
("i moved to leeds in may my sister lives there too"). Cut at sure places only: a new subject with its
verb begins there, and what stands before is a statement of its own.
"""

from __future__ import annotations

import re

from ..text import is_name_like
from .triples import triple_of
from .verbs import is_verb_form

__all__ = ["clauses"]

_MAX_CHARS = 600  # a longer sentence stays whole
_LEAST_WORDS = 3
_SUBJECT = (
    r"(?:i|we|he|she|they|it)(?:'(?:m|ve|s|re|ll|d)\b|(?= ))|(?:im|ive|hes|shes|theyre|weve|theyve)\b|"
    r"(?:my|our) (?:[\w'-]+ ){0,2}?[\w'-]+(?= )|(?-i:[A-Z][\w-]+)(?= )"
)
_JOINED = re.compile(
    rf"(?P<gap>(?:,|;| -| –| —)? (?:and|but|plus|also|and also|and now|but now|and then)|[,;]| -| "
    rf"–| —) (?={_SUBJECT})",
    re.IGNORECASE,
)
_RUN_ON = re.compile(
    r"(?P<gap>) (?=(?:(?:i|we|he|she|they)(?:'\w+)?|im|ive|hes|shes|weve|theyre|my|our|(?:his|her|"
    r"its|their) names?) )",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"(?:(?:and|but|so|well|oh|yes|yeah|also|actually|anyway) )*"
    r"(?P<subject>i'?m|i'?ve|i'll|i'd|we'?re|we'?ve|we'll|(?:he|she|it|they)'\w+|hes|shes|theyre|theyve|"
    r"i|we|he|she|it|they|(?:my|our|the|his|her|their) (?:[\w'-]+ ){0,2}?[\w'-]+?|"
    r"[^\W\d_][\w'-]*)(?P<tail>'s)? (?P<verb>[\w']+)",
    re.IGNORECASE,
)
_SHORTENED = re.compile(
    r"(?:i'?m|i'?ve|\w+'(?:s|re|ve|ll|d|m)|hes|shes|theyre|theyve|we'?re|weve)$", re.IGNORECASE
)
_ADVERBS = frozenset(
    "just also really always never still now only already both usually often finally all recently".split()
)

# A clause that hangs on another one, or a question: nothing is cut off from these.
_SUBORDINATE = re.compile(
    r"(?:and |but |so )?(?:if|when|whenever|because|since|although|though|while|unless|after|before|once|as|"
    r"what|who|where|why|how|which|imagine|suppose|let|wish|did|do|does|can|could|would|is|are|will)\b",
    re.IGNORECASE,
)
# Words after which a clause goes on: what somebody says or thinks; a conjunction, preposition, article.
_GOES_ON = re.compile(
    r"\b(?:that|which|who|whom|whose|where|when|if|whether|because|cause|cos|since|while|until|till|as|than|"
    r"before|after|once|although|though|unless|and|but|or|so|what|how|why|says?|said|think|thinks|thought|"
    r"know|knows|knew|hope|hopes|wish|wishes|guess|reckons?|believes?|feels?|felt|told|tell|heard|"
    r"hear|mean|means|swear|sure|glad|sorry|happy|sad|afraid|like|time|times|day|way|thing|things|"
    r"one|ones|all|"
    r"everything|something|anything|nothing|everyone|someone|anyone|place|person|people|reason|the|a|an|"
    r"my|our|his|her|their|in|on|at|of|to|for|with|from|by|about|into|is|was|are|were|be|not|very|"
    r"i|we|you|he|she|they|it|me|make|makes|made|let|lets|saw|see|watch|watched|only|just|even|every|each)$",
    re.IGNORECASE,
)
_NOUN_PHRASE_END = re.compile(
    r"\b(?:the|a|an|this|that|these|those|any|some|every|each|first|last|best|only|favou?rite)(?: "
    r"[\w'-]+){1,2}$",
    re.IGNORECASE,
)
_SAYS_OF_SELF = re.compile(
    r"^(?:i|we|he|she|they|my|our|his|her|its|their)\b.*?\b(?:is|are|am|'m|'s|'re|has|have|'ve|im|ive|hes|shes|"
    r"lives?|works?|loves?|"
    r"likes?|hates?|wants?)\b",
    re.IGNORECASE,
)
_DANGLES = re.compile(r"\b(?:in|on|at|of|to|for|with|from|by|about|into)$", re.IGNORECASE)


def clauses(sentence: str) -> list[tuple[int, int]]:
    """Where the statements of a sentence stand: start and end offsets, conjunctions left out.

    Args:
        sentence: one sentence, with or without punctuation.
    """
    if len(sentence) > _MAX_CHARS or sentence.rstrip("\"' ").endswith("?") or _SUBORDINATE.match(sentence):
        return [(0, len(sentence))]
    cuts = sorted(
        {(match.start("gap"), match.end()) for match in _JOINED.finditer(sentence)}
        | {(match.start(), match.end()) for match in _RUN_ON.finditer(sentence) if not _is_marked(sentence)}
    )
    spans, start = [], 0
    for end, next_start in cuts:
        if end < start:
            continue
        left, right = sentence[start:end], sentence[next_start:]
        joined = next_start - end > 1
        if _stands(left) and _opens(right, left, joined):
            spans.append((start, end))
            start = next_start
    return [*spans, (start, len(sentence))]


def _is_marked(sentence: str) -> bool:
    """Whether the writer sets commas: then clauses are not run together without any."""
    return "," in sentence or sentence != sentence.lower()


def _stands(left: str) -> bool:
    """Whether words are a statement of their own."""
    if len(left.split()) < _LEAST_WORDS or _SUBORDINATE.match(left) or _GOES_ON.search(left):
        return False
    return _has_verb(left) and _says_something(left)


def _opens(right: str, left: str, joined: bool) -> bool:
    """Whether a new statement begins here, rather than a part of the one before."""
    if len(right.split()) < _LEAST_WORDS or not _has_verb(right):
        return False
    if not joined and _NOUN_PHRASE_END.search(left):
        # "the book i bought": only a verb that such a clause hardly has makes a new statement of it
        return bool(_SAYS_OF_SELF.match(right)) and not _DANGLES.search(right) and _says_something(right)
    return _says_something(right)


_WHO = re.compile(
    r"(?:he|she|it|they)(?=['\s])|(?:he|she)(?=s\s)|(?P<own>his|her|its|their)(?=\s)", re.IGNORECASE
)


def _says_something(text: str) -> bool:
    """Whether a triple can be read, whoever "she" may be."""
    named = _WHO.sub(lambda match: "my sister's" if match["own"] else "my sister", text, count=1)
    return triple_of(named if _WHO.match(text) else text) is not None


def _has_verb(text: str) -> bool:
    """Whether a text begins with a subject and its verb."""
    match = _BEGINS.match(text)
    if match is None:
        return False
    subject, verb = match["subject"], match["verb"]
    if match["tail"] or _SHORTENED.match(subject):
        return True
    if verb.lower() in _ADVERBS:
        verb = text[match.end() :].split(" ")[1] if " " in text[match.end() :].strip() else verb
    first = subject.split()[0].lower()
    known = first in ("i", "we", "he", "she", "it", "they", "my", "our", "the", "his", "her", "their")
    return is_verb_form(verb.strip(",.")) and (known or is_name_like(first))
