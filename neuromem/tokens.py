"""How many tokens a text is: with no tokenizer at hand, an estimate that is not too low.

A byte-level or byte-fallback tokenizer (of GPT, Llama, Mistral, Qwen, Gemma, Phi, DeepSeek, Falcon, …) never
makes more tokens than there are bytes of UTF-8: its smallest piece is one byte. `byte_bound` counts just
those. It holds for every text and every such tokenizer, and is four times too high for English.

`word_bound` counts bytes, too, but for common English words. What these cost at most was counted, each
small and capitalized, after a space and after a line break, before a space and before marks, with 17
vocabularies of those families (`training/token_costs.py`; the table names them). Between spaces, line breaks
and marks such a word counts as much as in the worst of them; names, numbers, marks and all other languages
count their bytes. So it is 1.6 to 1.9 times too high for English talk, and not too low for a vocabulary that
takes no common word apart further than those do. One that was trained on no English, or whose tokens are
bytes, needs `byte_bound` or a count of its own.

Both leave out what a tokenizer or a chat template puts around a text (BOS, a blank before it, roles).
"""

from __future__ import annotations

import functools
import gzip
import re
import unicodedata
from collections.abc import Callable, Mapping
from importlib import resources

from .cached import of_texts
from .text import utf8_len

__all__ = ["CUT", "Count", "byte_bound", "cut_middle", "word_bound", "word_costs"]

Count = Callable[[str], int]
"""Tokens of a text, such as a tokenizer's ``lambda text: len(tokenize(text))``."""

CUT = " […] "  # stands for what was cut out
LONGEST = 32  # characters a token: of a text longer than that many limits the middle is not looked at

# a word between blanks and marks, with the blank before it
_WORD = re.compile(r"(?:^|(?<=\n)| )[A-Za-z]+(?:'[a-z]+)?(?=[ \n.,;:!?]|$)")


def byte_bound(text: str) -> int:
    """Bytes of UTF-8, of the longest form into which tokenizers normalize a text (as it is, NFC, NFKC)."""
    return max(map(utf8_len, _forms(text)))


def word_bound(text: str) -> int:
    """`byte_bound`, with common English words at the most that any vocabulary of the table needs for them.

    >>> word_bound("I live in Oslo"), byte_bound("I live in Oslo")
    (8, 14)
    """
    return max(utf8_len(form) - sum(map(_saved, _WORD.findall(form))) for form in _forms(text))


def _forms(text: str) -> set[str]:
    if text.isascii():
        return {text}
    return {text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFKC", text)}


@of_texts(16_384)
def _saved(spaced: str) -> int:
    """Bytes that a word, with the blank before it, does not cost."""
    word = spaced.lstrip(" ")
    if not (word[1:].islower() or len(word) == 1):
        return 0
    return len(spaced) - min(len(spaced), word_costs().get(word.lower(), len(spaced)))


@functools.cache
def word_costs() -> Mapping[str, int]:
    """Common English words in small letters → the most tokens that one costs in any vocabulary known."""
    packed = (resources.files(__package__) / "data" / "token_costs.txt.gz").read_bytes()
    costs: dict[str, int] = {}
    for line in gzip.decompress(packed).decode("utf-8").splitlines():
        if not line.startswith("#"):
            cost, _, words = line.partition(" ")
            costs |= dict.fromkeys(words.split(), int(cost))
    return costs


def cut_middle(text: str, limit: int, count: Count) -> str:
    """A text of at most `limit` tokens: the whole, or its two ends around `CUT`; empty when no end fits.

    Args:
        count: need not be monotone: what is returned has been counted.
    """
    if limit <= 0:
        return ""
    most = limit * LONGEST
    if len(text) <= most and count(text) <= limit:
        return text
    kept, too_many = 0, min(len(text), most + 1)
    while too_many - kept > 1:
        middle = (kept + too_many) // 2
        if count(_ends(text, middle)) <= limit:
            kept = middle
        else:
            too_many = middle
    return _ends(text, kept) if kept else ""


def _ends(text: str, kept: int) -> str:
    """The first and last characters of a text, `kept` in all, around the mark of a cut."""
    tail = kept // 2
    return f"{text[: kept - tail].rstrip()}{CUT}{text[len(text) - tail :].lstrip()}"
