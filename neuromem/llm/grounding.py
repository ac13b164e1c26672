"""Whether a statement that a model made is what the speaker said.

A model may join words, resolve "she" and date "yesterday"; it may not add, turn round, or put words into
another's mouth. So the quote must be words of the turn; the statement's content must come from that turn,
and from the turns before only where the quote leans on them; who is meant, "not" and "if" must be the same.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from ..facts.clause import kin_name
from ..facts.values import to_digits
from ..text import STOP_WORDS, is_name_like, normalize, sentences, stem, words
from .dates import without_derived_dates
from .phrases import (
    ANSWERS,
    BASE_FORMS,
    EMPTY,
    FIRST_PERSON,
    INVERTED,
    JOINT,
    MOOD,
    MOOD_KEPT,
    NEGATIONS,
    OPEN,
    POLITE,
    REVERSED,
    SELF,
    SUBJECTS,
    THINKS,
    THIRD_PERSON,
)

__all__ = ["Said", "as_said", "fault_of", "is_said", "sentence_of", "terms"]

SHORT_WORDS = 4  # an utterance of at most so many words, without a subject, leans on what went before

MOST_PIECES = 4  # of a quote with "..." in it


@dataclass(frozen=True, slots=True)
class Said:
    """What a statement may be made of."""

    text: str  # the words of the turn that it quotes
    before: tuple[str, ...] = ()  # of the turns before, whoever spoke
    names: tuple[str, ...] = ()  # of everybody who speaks there
    speaker: str | None = None
    now: dt.datetime | None = None  # when it was said
    asked: bool = False  # the turn just before is somebody else's question


def fault_of(statement: str, quote: str, said: Said) -> str | None:
    """Why a statement is not what was said.

    Returns:
        "quote", "question", "words", "subject", "negation" or "mood"; None when it is what was said.
    """
    if not is_said(quote, said.text):
        return "quote"
    if _is_asked(quote, said.text):
        return "question"
    if not _has_its_words(statement, quote, said):
        return "words"
    if _swaps_person(statement, _clause_of(quote, set(terms(statement))), quote, said):
        return "subject"
    shared = [part for part in _clauses(statement) if _known(part) & _known(quote)]
    return next(filter(None, (_turned(part, quote) for part in shared or [statement])), None)


def _turned(part: str, quote: str) -> str | None:
    """Whether a clause of the statement says the contrary of the quote, or as sure what is supposed."""
    clause = _clause_of(quote, set(terms(part)))
    if _is_negated(clause, set(terms(part))) != _is_negated(part, set(terms(clause))):
        return "negation"
    supposed = MOOD.search(POLITE.sub(" ", normalize(clause))) and not MOOD_KEPT.search(normalize(part))
    return "mood" if supposed else None


# --- words ----------------------------------------------------------------------------------------


def terms(text: str) -> list[str]:
    """Content words in a form to compare by: stems, numbers in digits, one name for "mum" and "mother"."""
    return [_term(word) for word in words(to_digits(text)) if _is_content(word)]


def _is_content(word: str) -> bool:
    return word not in STOP_WORDS and word not in NEGATIONS and word not in EMPTY


def _term(word: str) -> str:
    bare = word.removesuffix("'s").removesuffix("'")
    stemmed = stem(kin_name(bare) or bare)
    return BASE_FORMS.get(bare) or BASE_FORMS.get(stemmed, stemmed)


def _known(*texts: str | None) -> set[str]:
    return {term for text in texts if text for term in terms(text)}


def _has_its_words(statement: str, quote: str, said: Said) -> bool:
    """Whether all that the statement speaks of was said, and something of it in the quote."""
    undated = without_derived_dates(statement, said.text, said.now)
    missing = set(terms(undated)) - _known(said.text, said.speaker) - SELF
    if missing and not (_leans(quote, said.asked) and missing <= _known(*said.before, *said.names)):
        return False
    answers = said.asked and set(words(quote)) <= ANSWERS
    return answers or bool(_known(quote) & set(terms(statement)))


def _plain(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", normalize(text))


def is_said(quote: str, text: str) -> bool:
    """Whether a quote is words of a text, one after the other; "..." may leave some out."""
    said = f" {' '.join(_plain(text))} "
    place = 0
    pieces = [" ".join(_plain(piece)) for piece in normalize(quote).split("...")]
    pieces = [piece for piece in pieces if piece]
    if len(pieces) > MOST_PIECES:
        return False
    for piece in pieces:
        found = said.find(f" {piece} ", place)
        if found < 0:
            return False
        place = found + len(piece) + 1
    return bool(pieces)


def as_said(quote: str, text: str) -> str:
    """A quote as it stands in the text, with its capitals and punctuation; itself if it is not there."""
    pieces = [_plain(piece) for piece in normalize(quote).split("...")]
    loose = [
        r"[\W_]+".join(re.escape(word).replace("'", "['’ʼ`´′‘]") for word in piece)
        for piece in pieces
        if piece
    ]
    found = re.search(r"(?<!\w)" + r"\b.*?\b".join(loose) + r"(?!\w)", text, re.IGNORECASE | re.DOTALL)
    return found.group() if found else quote


def sentence_of(quote: str, text: str) -> str:
    """The sentence of a text that holds a quote; the quote itself when it spans several."""
    return next((one for one in sentences(text) if is_said(quote, one)), quote)


# --- asking, leaning, who is meant ------------------------------------------------------------------


def _is_asked(quote: str, text: str) -> bool:
    """Whether the quote is what a question asks: "Should [I move to Porto]?"."""
    sentence = sentence_of(quote, text)
    if not sentence.rstrip("\"'”’) ").endswith("?"):
        return False
    before, found, _ = f" {' '.join(_plain(sentence))} ".partition(f" {' '.join(_plain(quote))} ")
    begins, precedes = _plain(quote)[0], before.split()[-1:]
    return not found or begins in INVERTED or bool(INVERTED.intersection(precedes))


def _is_first(word: str) -> bool:
    return word.split("'")[0] in FIRST_PERSON


def _is_third(word: str) -> bool:
    return word.split("'")[0] in THIRD_PERSON


def _leans(quote: str, asked: bool) -> bool:
    """Whether the quote cannot be understood without what went before."""
    said = words(quote)
    short = len(said) <= SHORT_WORDS and not any(map(_is_first, said))
    return asked or short or any(word.split("'")[0] in OPEN for word in said)


def _swaps_person(statement: str, clause: str, quote: str, said: Said) -> bool:
    """Whether the statement is about somebody else than the quote."""
    stated, quoted = words(statement), words(quote)
    if any(map(_is_first, stated)) and not any(map(_is_first, quoted)):
        others = any(word.split("'")[0] in ("he", "she", "they") for word in words(clause))
        # "my dad" may be "he"
        selves = any(word.split("'")[0] in ("i", "we", "im", "ive") for word in stated)
        return (others and selves) or _names_another(words(clause), stated, said)
    if any(map(_is_first, words(clause))) and not any(map(_is_third, quoted)):
        own = _known(said.text, said.speaker) | SELF
        undated = words(without_derived_dates(statement, said.text, said.now))
        return any(_is_name(word) and _term(word) not in own for word in undated)
    return False


def _names_another(quoted: list[str], stated: list[str], said: Said) -> bool:
    """Whether a name that is not the speaker's comes before what quote and statement share."""
    shared, own = {_term(word) for word in stated}, _known(said.speaker)
    for word in filter(_is_content, quoted):
        if _term(word) in shared:
            return False
        if _is_name(word) and _term(word) not in own:
            return True
    return False


def _is_name(word: str) -> bool:
    bare = word.removesuffix("'s")
    return _is_content(word) and bare.isalpha() and is_name_like(bare)


# --- not, and if ------------------------------------------------------------------------------------


def _clauses(text: str) -> list[str]:
    return [clause for clause in JOINT.split(normalize(text, casefold=False)) if clause.strip()]


def _clause_of(quote: str, shared: set[str]) -> str:
    """The shortest run of the quote's clauses with all the statement's words that the quote has."""
    clauses = _clauses(quote)
    wanted = shared & set(terms(quote))
    for length in range(1, len(clauses)):
        for start in range(len(clauses) - length + 1):
            run = " ".join(clauses[start : start + length])
            if wanted and wanted <= set(terms(run)):
                return run
    return quote


def _is_negated(clause: str, shared: set[str]) -> bool:
    """Whether a clause says "not", or "used to", of what it shares with the statement, or at all."""
    if REVERSED.search(normalize(clause)):
        return True
    said = _plain(clause)
    places = [place for place, word in enumerate(said) if _term(word) in shared]
    first = min(places, default=len(said))
    for place, word in enumerate(said):
        if not (word in NEGATIONS or word.endswith("n't")):
            continue
        between = said[place + 1 : first] if places else []
        outside = any(other.split("'")[0] in SUBJECTS for other in between)  # "I can't believe I won"
        if not outside or (between[0] in THINKS and not word.startswith("can")):
            return True
    return False
