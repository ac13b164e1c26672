"""The compressed form of a fact, and the ladder down which it fades.

A gist is a triple `subject|relation|object` (subject `1` is the speaker) or, where a text has no
clear triple, its content words, the most informative first. It is kept in four fields of limited
length, so that each rung of the ladder is a prefix of the one above::

    1|dog name|Potola  →  1|dog name|P  →  1|dog name  →  1
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ..errors import InvalidInput
from ..text import utf8_len

__all__ = ["GIST_FIELD_BYTES", "SPEAKER", "Gist", "keyword_gist", "parse_gist"]

SPEAKER = "1"
GIST_FIELD_BYTES = (16, 24, 8, 32)  # subject, relation, initial, rest; separators are counted in


@dataclass(frozen=True, slots=True)
class Gist:
    """Three parts and what stands between them: "|" in a triple, a space between keywords.

    Over-long parts are shortened when the gist is built, at a word where that keeps half of it.
    """

    subject: str
    relation: str = ""
    object: str = ""
    separator: str = "|"

    def __post_init__(self) -> None:
        if self.separator not in ("|", " "):
            raise InvalidInput("separator", f"{self.separator!r} is not one", 'give "|" or " "')
        most_subject, most_relation, most_initial, most_rest = GIST_FIELD_BYTES
        subject = _shorten(_clean(self.subject), most_subject)
        relation = _shorten(_clean(self.relation), most_relation - 1)
        value = _clean(self.object)
        value = _shorten(value, utf8_len(_initial(value, most_initial - 1)) + most_rest)
        if self.separator == " ":
            subject, relation, value = _close_ranks(subject, relation, value)
        object.__setattr__(self, "subject", subject)
        object.__setattr__(self, "relation", relation)
        object.__setattr__(self, "object", value)

    @property
    def is_triple(self) -> bool:
        """Whether it is a triple; keywords otherwise."""
        return self.separator == "|"

    def segments(self) -> tuple[str, str, str, str]:
        """Subject, relation, initial, rest: the first 1, 2, 3, 4 joined are the rungs of the ladder.

        Each fits its `GIST_FIELD_BYTES`; parts that a gist lacks are empty.
        """
        initial = _initial(self.object, GIST_FIELD_BYTES[2] - 1)
        relation = self.separator + self.relation if self.relation or self.object else ""
        return (
            self.subject,
            relation,
            self.separator + initial if self.object else "",
            self.object[len(initial) :],
        )

    def rungs(self) -> tuple[str, str, str, str]:
        """The ladder from the subject alone up to the whole gist."""
        first, second, third, fourth = self.segments()
        return first, first + second, first + second + third, first + second + third + fourth

    def __str__(self) -> str:
        return "".join(self.segments())


def keyword_gist(keywords: list[str]) -> Gist:
    """A gist of content words, most informative first; what does not fit is left out.

    Raises:
        InvalidInput: there is no word.
    """
    keywords = [word for word in (_clean(word) for word in keywords) if word]
    if not keywords:
        raise InvalidInput("keywords", "there is no word", "give at least one")
    rest: list[str] = []
    for word in keywords[2:]:
        if utf8_len(" ".join([*rest, word])) <= GIST_FIELD_BYTES[3]:
            rest.append(word)
    return Gist(keywords[0], " ".join(keywords[1:2]), " ".join(rest), separator=" ")


def parse_gist(text: str) -> Gist:
    """Reads what `str(gist)`, or a rung of its ladder, says.

    Raises:
        InvalidInput: the text is blank.
    """
    if "|" in text:
        subject, relation, value = [*text.split("|", 2), ""][:3]
        return Gist(subject, relation, value)
    keywords = text.split()
    if not keywords:
        raise InvalidInput("gist", "the text is blank", 'give "subject|relation|object" or keywords')
    return keyword_gist(keywords)


def _clean(part: str) -> str:
    return " ".join(part.replace("|", "/").split())


def _close_ranks(*parts: str) -> tuple[str, ...]:
    """Moves keywords up into an empty place, so that spaces separate words only."""
    kept = [part for part in parts if part]
    return (*kept, *[""] * (3 - len(kept)))


def _shorten(text: str, limit_bytes: int) -> str:
    """The longest beginning that fits, ending with a word if that keeps at least half of the room."""
    if utf8_len(text) <= limit_bytes:
        return text
    end = limit_bytes
    while utf8_len(text[:end]) > limit_bytes:
        end -= 1
    cut = text[:end]
    if text[end] != " ":
        at_word = re.sub(r"\s\S*$", "", cut)
        cut = at_word if utf8_len(at_word) * 2 >= limit_bytes else cut
    return cut.rstrip(" ,;:-")


def _initial(text: str, limit_bytes: int) -> str:
    """The first character with its accents, as far as they fit."""
    end = min(1, len(text))
    while end < len(text) and unicodedata.combining(text[end]) and utf8_len(text[: end + 1]) <= limit_bytes:
        end += 1
    return text[:end]
