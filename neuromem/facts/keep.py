"""Whether an utterance says something about somebody's life that a memory should keep.

A weighted sum of cues (`cues.py`): what is in the words, and what the turns before make of them:
"Potola." is a fact after "What's your dog called?" and nothing by itself.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Sequence

from ..text import STOP_WORDS, is_name_like, normalize, sentences, stems, words
from .cues import BETWEEN_PEOPLE, BIAS, IN_ASKED, IN_TEXT, IN_TOLD, QUESTIONS, SHAPES, UNREAL
from .languages import is_foreign
from .triples import triple_of

__all__ = ["Opinion", "cues_of", "is_question", "is_unreal", "score", "should_keep", "told_score"]

_READ_CHARS = 2_000  # a longer utterance is judged by its beginning
_ASKING, _CLOSING = ("?", "？", "؟", ";", "\u037e"), "\"'”’») "
_TOLD_WORDS = 2  # of another language at least; "Guten Morgen!" is a call
_NO_ANSWER = (
    "question_mark question command request greeting thanks reply reaction made_up served joking you "
    "transient quoted hedged "
    "asks_task"
).split()

Opinion = Callable[[str, Sequence[str], float], float]
"""A second opinion: what is stated, the turns before it, and the rules' score → a score to go by instead."""

_Table = tuple[tuple[str, float, re.Pattern[str]], ...]


@functools.cache
def _table(source: str) -> _Table:
    rows = (line.split(maxsplit=2) for line in source.strip().splitlines())
    return tuple((name, float(weight), re.compile(pattern)) for name, weight, pattern in rows)


def should_keep(text: str, before: Sequence[str] = (), opinion: Opinion | None = None) -> bool:
    """Whether a user's utterance states something worth remembering.

    Questions, greetings, thanks, fillers, commands to the assistant, jokes and make-believe are not. Of
    what is not English only a question mark and shortness are understood: the rest is kept.

    Args:
        text: what the user said; may be lower-case and unpunctuated.
        before: the turns before it, oldest first, such as "assistant: What's your dog called?"; one
            without a role is the user's.
        opinion: is asked where no rule has decided; None leaves it to the rules.
    """
    if is_foreign(text):
        return _may_tell(text)
    said = sentences(text[:_READ_CHARS])
    stated = [sentence for sentence in said if not is_question(sentence) and not is_unreal(sentence)]
    if not stated:
        return False
    told = " ".join(stated)
    by_rules = score(told, before)
    return (by_rules if opinion is None else opinion(told, before, by_rules)) > 0


def _may_tell(text: str) -> bool:
    """Whether words of another language are more than a question or a call."""
    parts = [part.rstrip(_CLOSING) for part in sentences(text[:_READ_CHARS])]
    told = [part for part in parts if not part.endswith(_ASKING)]
    return sum(len(words(part)) - part.endswith("!") for part in told) >= _TOLD_WORDS


def is_question(sentence: str) -> bool:
    """Whether a sentence asks, by its mark or its form: "where is my phone" does, "when I was six" not."""
    bare = _TAG.sub("", sentence[:_READ_CHARS])
    if bare != sentence[:_READ_CHARS]:
        return is_question(bare)
    if sentence.rstrip("\"'”’) ").endswith("?"):
        return True
    asked = normalize(sentence[:_READ_CHARS])
    return any(pattern.search(asked) for pattern in _compiled(QUESTIONS))


_TAG = re.compile(
    r"(?<=\w),? (?:remember|did i (?:say|tell you|mention)(?: that)?|"
    r"can you (?:believe|imagine)(?: (?:it|that))?|would you believe(?: it)?|you know|right|innit|you see|"
    r"(?:is|was|does|did|has|have|are|were|do)n'?t (?:it|he|she|they|i|we))\?+\s*$",
    re.IGNORECASE,
)  # of a statement that only ends as a question: "i don't eat beef anymore, remember?"


def is_unreal(sentence: str) -> bool:
    """Whether a sentence says what is not so: "if I had a dog", "I wish …", "he said I should move"."""
    said = normalize(sentence[:_READ_CHARS])
    return any(pattern.search(said) for pattern in _compiled(UNREAL))


@functools.cache
def _compiled(sources: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(source) for source in sources)


def score(text: str, before: Sequence[str] = ()) -> float:
    """The weighted sum of the cues; above 0 is worth keeping."""
    return _sum([BIAS, *(_weights()[name] for name in cues_of(text, before))])


def told_score(sentence: str) -> float:
    """How much a sentence tells, said by one person to another: about 0 for "That's great", 1 and more for
    an event of one's own; questions tell nothing. The sum over a turn says whether to keep it.
    """
    if is_question(sentence) or is_unreal(sentence):
        return 0.0
    return _sum([BETWEEN_PEOPLE.get(name, 0.0) for name in cues_of(sentence)])


def _sum(weights: Sequence[float]) -> float:
    """The sum of weights of one decimal, whatever their order: names of cues come from a set."""
    return round(math.fsum(weights), 6)


@functools.cache
def _weights() -> dict[str, float]:
    tables = (IN_TEXT, IN_ASKED, IN_TOLD)
    return SHAPES | {name: weight for table in tables for name, weight, _ in _table(table)}


def cues_of(text: str, before: Sequence[str] = ()) -> set[str]:
    """Names of the cues found in an utterance and the turns before it."""
    asked, told = _asked_and_told(before)
    found = {
        name
        for source, searched in ((IN_TEXT, normalize(text)), (IN_ASKED, asked), (IN_TOLD, told))
        for name, _, pattern in _table(source)
        if searched and pattern.search(searched)
    } | _shape(text)
    # Of a film or a song, but told by "I", "we" or "my": "We had it at our wedding."
    if "made_up" in found and "pretended" not in found and found & {"i_am", "i_do", "my"}:
        found.add("own_words")
    # An answer to a question about somebody's life, however short: "Latex and penicillin."
    if "asks_wh" in found and found & {"tells_own", "asks_you"} and not found.intersection(_NO_ANSWER):
        found |= {"answer"} if "words_7_up" in found else {"answer", "short_answer"}
    return found


def _asked_and_told(before: Sequence[str]) -> tuple[str, str]:
    """The assistant's last words and the user's, normalized; empty where there are none."""
    asked = told = ""
    for turn in before:
        role, _, said = turn.partition(":")
        if role.strip() == "assistant":
            asked = normalize(said[:_READ_CHARS])
        else:
            told = normalize((said if role.strip() == "user" else turn)[:_READ_CHARS])
    return asked, told


def _shape(text: str) -> set[str]:
    found = words(text)
    inside = normalize(text, casefold=False).split()[1:]
    count = len(found)
    shape = {
        "words_1": count == 1,
        "words_2_3": 2 <= count <= 3,
        "words_7_up": count >= 7,
        "words_11_up": count >= 11,
        "comma": "," in text.strip(" ,"),
        "name": any(word not in STOP_WORDS and len(word) > 1 and is_name_like(word) for word in found),
        "capital": any(word[:1].isupper() and word.split("'")[0] != "I" for word in inside),
        "triple": triple_of(text) is not None,
        "contentless": len(stems(text)) <= 1,
    }
    return {name for name, present in shape.items() if present}
