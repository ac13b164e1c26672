"""From words to their gist."""

from __future__ import annotations

import re

from ..errors import InvalidInput
from ..text import idf, normalize, sentences, stems, utf8_len
from .gist import GIST_FIELD_BYTES, Gist, keyword_gist
from .triples import triple_of

__all__ = ["gist_of", "same_fact_key"]

_READ_CHARS = 4_000  # a longer text is judged by its beginning
_MOST_KEYWORDS = 12


def gist_of(text: str, speaker: str | None = None) -> Gist:
    """The compressed form of a text: the triple of its first clear statement, else its content words.

    Args:
        text: any text that is not blank.
        speaker: the speaker's name, if known; they are subject "1".

    Raises:
        InvalidInput: the text is blank.
    """
    if not text.strip():
        raise InvalidInput("text", "is blank", "give at least one word")
    beginning = text.strip()[:_READ_CHARS]
    for sentence in sentences(beginning)[:5]:
        triple = triple_of(sentence, speaker)
        if triple is not None and triple[0].strip("| "):
            return Gist(*triple)
    return keyword_gist(_keywords(beginning))


def _keywords(text: str) -> list[str]:
    """Content words as they are written, the most informative first."""
    telling: dict[str, float] = {}
    written = normalize(text, casefold=False).split()
    for word in written:
        bare = word.strip(".,;:!?\"'()[]{}<>|…*_") or word
        found = stems(bare)
        if found:
            telling.setdefault(bare, max(idf(stem) for stem in found))
    ranked = sorted(telling, key=lambda word: -telling[word])[:_MOST_KEYWORDS]
    return ranked or written[:_MOST_KEYWORDS] or [ascii(text[:4])]  # only invisible characters: name them


def same_fact_key(text: str, gist: Gist) -> str:
    """Equal for two tellings of one fact: the same triple, or the same words up to case and punctuation."""
    # An object near its limit may have been cut, and two that differ further on would look the same.
    if gist.is_triple and gist.object and utf8_len(gist.object) < GIST_FIELD_BYTES[3] - 4:
        return normalize(str(gist))
    return re.sub(r"[^\w]+", " ", normalize(text)).strip() or normalize(text)
