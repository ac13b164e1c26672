"""What to keep of talk between people, and what of it goes together into one memory.

People who talk with each other do not dictate: most of what they say is asked, agreed to, or admired. A turn
is kept as far as it tells something (`keep.told_score`), its sentences side by side as far as they fit one
slot, each memory with what stood around it: the question that it answers, and what was left out.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..cached import of_texts
from ..text import split_to_fit, utf8_len
from .gist import Gist
from .importance import importance, is_pinned
from .keep import is_question, told_score
from .slots import slot_of
from .summary import gist_of
from .times import has_time_word

__all__ = ["JOINED_BYTES", "Piece", "together", "told_between"]

JOINED_BYTES = 158  # sentences that belong together stay in one fact up to here, so in one slot
_DATE_BYTES = 16  # what a date adds behind its words
_AROUND_BYTES = 480
# Chosen on talk whose turns are labelled with what is asked for later.
_TURN_TELLS = 0.3  # the least sum of `told_score` of a turn worth keeping
_ANSWER_TELLS = 0.3  # by how much a turn tells more that answers a question
_PIECE_TELLS = 0.7  # the least `told_score` worth room of its own
_ASKED_FOR = 10.0  # outweighs all doubt: somebody asked that it be remembered
_REMEMBER = re.compile(
    r"\b(?:remember|don'?t forget|do not forget)(?:,| that)? (?:i|my|we|our|the)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A statement of a turn: as said, and readable alone; `gap` joins it to the one before."""

    said: str
    text: str
    gap: str = " "
    meaning: str = ""  # a sentence to take the gist of, where it is not the text itself
    around: str = ""  # as of `Fact`


def together(first: Piece, second: Piece) -> Piece:
    """Two statements as one."""
    gap = " " if first.said[-1] in ".!?" else second.gap  # what stood between has been dropped
    said, text = first.said + gap + second.said, first.text + gap + second.text
    return Piece(said, text, first.gap)


def told_between(pieces: Sequence[Piece], asked: str = "") -> list[Piece]:
    """The statements to keep of a turn in talk between people: what tells something, if the turn does at all.

    Args:
        pieces: of the turn, in order. asked: the questions of the turn before, if somebody else said it.
    """
    scores = {piece: _score(piece.said) for piece in pieces if not is_question(piece.said)}
    if not scores or sum(scores.values()) + (_ANSWER_TELLS if asked else 0) < _TURN_TELLS:
        return []
    best = max(scores, key=lambda piece: scores[piece])
    kept = [piece for piece in pieces if piece is best or scores.get(piece, 0) >= _PIECE_TELLS]
    slots = _slots(kept)
    for piece in sorted(scores, key=lambda piece: -scores[piece]):  # what takes no further slot may stay
        more = [each for each in pieces if each in kept or each is piece]
        if scores[piece] > 0 and _slots(more) == slots:
            kept = more
    return _with_surroundings(_groups(kept), pieces, asked)


def _score(said: str) -> float:
    asked_for = is_pinned(said) or _REMEMBER.search(said)
    return told_score(said) + (_ASKED_FOR if asked_for else 0)


def _groups(kept: Sequence[Piece]) -> list[list[Piece]]:
    """Statements in order, those together that fit one slot."""
    groups: list[list[Piece]] = []
    size = 0
    for piece in kept:
        own = _size(piece.text)
        if groups and size + own < JOINED_BYTES and not _stands_alone(piece.text):
            groups[-1].append(piece)
            size += own
        else:
            groups.append([piece])
            size = own
    return groups


def _slots(kept: Sequence[Piece]) -> int:
    sizes = (sum(_size(piece.text) for piece in group) for group in _groups(kept))
    return sum(-(-size // JOINED_BYTES) for size in sizes)


@of_texts(1_024)
def _size(text: str) -> int:
    return utf8_len(text) + 1 + (_DATE_BYTES if has_time_word(text) else 0)


@of_texts(1_024)
def _gist(text: str) -> Gist:
    return gist_of(text)


def _stands_alone(text: str) -> bool:
    """Who somebody is, and what may be replaced one day, needs a gist of its own."""
    slot = slot_of(_gist(text))
    return slot is not None and (slot.single or slot.name.endswith(" name"))


def _with_surroundings(groups: Sequence[Sequence[Piece]], pieces: Sequence[Piece], asked: str) -> list[Piece]:
    """Each group as one statement, with what was left out beside it; the first with what was asked."""
    home = {piece: place for place, group in enumerate(groups) for piece in group}
    around = [[asked] if asked else [], *([] for _ in groups[1:])]
    place = 0
    for piece in pieces:
        place = home.get(piece, place)
        if piece not in home:
            around[place].append(piece.said)
    return [
        replace(_as_one(group), around="".join(split_to_fit(" ".join(said), _AROUND_BYTES)[:1]))
        for group, said in zip(groups, around, strict=True)
    ]


def _as_one(group: Sequence[Piece]) -> Piece:
    """Statements as one, whose gist is that of what matters most."""
    if len(group) == 1:
        return group[0]
    most = max(
        group, key=lambda piece: (_gist(piece.text).is_triple, importance(piece.said, _gist(piece.text)))
    )
    return replace(functools.reduce(together, group), meaning=most.text)
