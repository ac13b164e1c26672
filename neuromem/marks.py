"""Marks: a few bytes beside a slot's key by which words are matched exactly.

A cosine says how alike two texts are, not whether they share the one word that tells. So a slot also
keeps a 16-bit hash of each of its content words, in order, and a byte of traits: enough to count in
how many slots a word of a question occurs, which of them hold it, and which hold two in a row.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .cached import of_texts
from .facts.times import has_time_word
from .facts.whose import whose_of
from .text import STOP_WORDS, idf, normalize, sentences, stems, words

__all__ = [
    "ASKS",
    "ASSISTANT",
    "MARKS",
    "NAMES",
    "NEWS",
    "NUMBER",
    "ORDERS",
    "OTHER",
    "OWN",
    "TIME",
    "any_of",
    "fingerprint",
    "is_own",
    "mark_of",
    "marks_of",
    "name_mark",
    "speaker_mark",
    "traits_of",
]

MARKS = 24  # of a slot; 160 bytes of text hardly hold more content words
ASKS, TIME, NUMBER = 1, 2, 4  # bits of a slot's traits: ends as a question; has a time word; has a number
OWN = 1  # mark of the owner as the subject of a memory; no name has it
ASSISTANT = -1  # mark of an assistant as a speaker, whatever it is called; no name has it
NAMES = 8  # the traits' number of names, 0 to 3, begins at this bit
OTHER = 128  # is about somebody else than who says it
ORDERS = 32  # tells an assistant what to do from now on
NEWS = 64  # speaks of change: "rescheduled", "increased", "now"
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|twenty|thirty|forty|fifty|hundred"
    r"|thousand|million|once|twice|half)\b",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"(?:^|[.!?,;:]\s+)(?:(?:please|so|and|ok|okay)\s+)*"
    r"(?:always|never|from now on,?(?: please)?"
    r"|(?:every time|whenever|when) i (?:ask|say|mention|want)[^,.!?]*,)\s+"
    r"(?:add|address|answer|ask|assume|avoid|call|check|cite|convert|do|don['’]t|end|explain|format|give|highlight"
    r"|include|keep|list|mention|provide|recommend|remind|reply|respond|round|say|show|speak|start|suggest|tell"
    r"|translate|use|write)\b"
    r"|\b(?:every time|when(?:ever)?) i ask (?:you|about|for|to|how|what|where|which|who|why)\b",
    re.IGNORECASE,
)
_NEWS = re.compile(
    r"\b(?:now|recently|lately|latest|newest|new|updated?|updates?|reschedul\w+|postpon\w+|delayed|moved?|pushed"
    r"|shifted|extend(?:ed|ing)|shorten(?:ed|ing)?|increas(?:ed?|ing)|decreas(?:ed?|ing)|reduc(?:ed?|ing)"
    r"|rais(?:ed?|ing)|lower(?:ed|ing)|bumped|upped|improv(?:ed?|ing)|grown|growth|grew|dropped|rose|risen"
    r"|reach(?:ed|es)|revis(?:ed|ing)|adjust(?:ed|ing)?|chang(?:ed|ing)|upgraded|instead|no longer|anymore"
    r"|added|adding|total|so far|up to|down to|turns out|actually)\b",
    re.IGNORECASE,
)
_OWN = re.compile(  # not "tell me …", which asks about anybody
    r"\b(?:i|i'(?:m|ve|ll|d)|im|ive|my|(?<!the )(?<!a )mine|myself|we|we'(?:re|ve|ll|d)|our|ours|us"
    r"|(?<!tell )(?<!show )(?<!give )(?<!remind )me)\b"
)
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_NO_NAMES = STOP_WORDS | frozenset(
    "i i'm i've i'll i'd monday tuesday wednesday thursday friday saturday sunday january february march "
    "april may june july august september october november december".split()
)


@of_texts(8_192)
def mark_of(stem: str) -> int:
    """The mark of a stem: -32,768 to 32,767, never 0. About one slot in 2,700 shares one by chance."""
    digest = blake2b(stem.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    number: int = int.from_bytes(digest, "little")
    return number % 65_535 - 32_768 or 32_767


def marks_of(texts: list[str], around: str = "") -> Tensor:
    """[B, MARKS] int16: marks of each text's content words in order, each once; zeros to fill.

    Args:
        around: what was said with the texts: its most telling words take the places that are left.
    """
    more = sorted(stems(around), key=lambda stem: -idf(stem))
    found = [dict.fromkeys([*stems(text), *more]) for text in texts]
    rows = [[mark_of(stem) for stem in own][:MARKS] for own in found]
    padded = [row + [0] * (MARKS - len(row)) for row in rows]
    return torch.tensor(padded, dtype=torch.int16).view(len(texts), MARKS)


def traits_of(texts: list[str]) -> Tensor:
    """[B] uint8: whether each text asks, orders, tells news, has a time word or a number; how many names."""
    return torch.tensor([_traits(text) for text in texts], dtype=torch.uint8)


def speaker_mark(name: str, role: str = "user") -> int:
    """The mark of who said something: of their name; `ASSISTANT`; 0 for the owner."""
    return ASSISTANT if role == "assistant" else name_mark(name)


def name_mark(name: str) -> int:
    """63 bits by which a speaker is known: of the first word of their name; 0 for none."""
    first: str = next(iter(words(normalize(name))), "")
    return fingerprint(first)


def fingerprint(text: str) -> int:
    """63 bits by which words, a gist or a name are known when they come again; 0 for none."""
    if not text:
        return 0
    mark: int = int.from_bytes(
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
    )
    return mark >> 1


def is_own(folded: str) -> bool:
    """Whether a text speaks of the one who says it: "my dog", "we moved"; or asks about them.

    Args:
        folded: as `normalize` gives it.
    """
    return _OWN.search(folded) is not None


def _traits(text: str) -> int:
    asks = ASKS * int(text.rstrip().endswith("?"))
    told = TIME * has_time_word(text) | NUMBER * bool(_NUMBER.search(text))
    told |= ORDERS * bool(_ORDERS.search(text)) | NEWS * bool(_NEWS.search(text))
    return asks | told | NAMES * _names(text) | OTHER * (not asks and whose_of(text).kind == "other")


def _names(text: str) -> int:
    """Capitalized words inside sentences, at most 3."""
    inside: list[str] = [word for sentence in sentences(text) for word in _WORD.findall(sentence)[1:]]
    return min(3, sum(word[:1].isupper() and word.lower() not in _NO_NAMES for word in inside))


def any_of(column: np.ndarray[Any, Any], few: Collection[int]) -> np.ndarray[Any, Any]:
    """[M] 1 where a column [M] is one of a few numbers; `np.isin` sorts first, which takes longer."""
    found = np.zeros(len(column), dtype=bool)
    for number in few:
        found |= column == number
    return found.astype(np.float32)
