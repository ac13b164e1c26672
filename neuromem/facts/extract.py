"""From messages to facts: who said what, which of it to keep, and what it comes down to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from ..errors import InvalidInput
from ..text import sentences, utf8_len, words
from .answers import completed
from .between import JOINED_BYTES, Piece, together, told_between
from .changes import change_of
from .gist import Gist
from .importance import importance, is_pinned
from .keep import Opinion, cues_of, is_question, is_unreal, should_keep
from .languages import is_foreign
from .references import Talk
from .statements import clauses
from .summary import gist_of
from .times import dated
from .turns import MAX_TEXT_BYTES, SILENT, Turn, read_turns

__all__ = ["MAX_TEXT_BYTES", "Fact", "Turn", "extract", "read_turns"]

_FRAGMENT_WORDS = 3  # a sentence of at most so many words may lean on its neighbour
_TURNS_BEFORE = 2  # by which an utterance is judged
_TURNS_HEARD = 6  # in which a pronoun's referent is looked for


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to remember: the words, their gist, and how much it matters (0 to 1).

    `text` is what was said, readable alone: a pronoun that begins it is put into words where it is sure
    whom it means, and relative times have their date behind them. `said` are the words themselves, `around`
    what was said with them and is no fact, such as the question that they answer: they are found by that too.
    """

    text: str
    gist: Gist
    importance: float
    pinned: bool
    speaker: str | None
    role: str
    turn: int = 0  # place among the turns of the turn that said it
    said: str = ""
    around: str = ""


def extract(
    messages: str | Mapping[str, Any] | Sequence[Mapping[str, Any]] | Sequence[Turn],
    infer: bool = True,
    only: Sequence[int] | None = None,
    times: Sequence[float] | None = None,
    earlier: Sequence[str] = (),
    zone: tzinfo = UTC,
    opinion: Opinion | None = None,
) -> list[Fact]:
    """The facts in a text or a conversation.

    Args:
        messages: as `read_turns`, or what it returned.
        infer: keep what users state about somebody's life, sentence by sentence; of words handed over
            as one string, everything but questions, greetings and the like. False keeps every message
            of users and assistants as it is.
        only: places of the turns to look at; the others are only context. None: all.
        times: when each turn was said, in Unix seconds; relative times are then dated. None: not.
        earlier: what was said before the first turn, oldest first, to know who "she" is and what a bare
            answer answers; "assistant: …" where it was not the user.
        zone: the speakers' time zone, which says when a day begins.
        opinion: as of `should_keep`, on what is said to an assistant.

    Raises:
        InvalidInput: a field is missing, of the wrong type, blank or too long; names the field.
    """
    turns = _as_turns(messages)
    if times is not None and len(times) != len(turns):
        raise InvalidInput("times", f"has {len(times)} for {len(turns)} turns", "give one for each turn")
    chosen = range(len(turns)) if only is None else only
    if not infer:
        spoken = (index for index in chosen if turns[index].role not in SILENT)
        return [_fact(Piece(turns[index].text, turns[index].text), turns[index], index) for index in spoken]
    talk = _Listener(turns, earlier, opinion)
    facts: list[Fact] = []
    for index in chosen:
        turn = turns[index]
        if turn.role == "user":
            now = None if times is None else datetime.fromtimestamp(times[index], zone)
            facts += [_fact(_with_dates(piece, now), turn, index) for piece in talk.statements(index)]
    return facts


def _as_turns(messages: Any) -> Sequence[Turn]:
    if isinstance(messages, Sequence) and messages and isinstance(messages[0], Turn):
        return messages
    return read_turns(messages)


def _fact(piece: Piece, turn: Turn, index: int) -> Fact:
    gist = gist_of(piece.meaning or piece.text, turn.speaker)
    weight, pinned = importance(piece.said, gist), is_pinned(piece.said)
    return Fact(piece.text, gist, weight, pinned, turn.speaker, turn.role, index, piece.said, piece.around)


def _with_dates(piece: Piece, now: datetime | None) -> Piece:
    return piece if now is None else replace(piece, text=dated(piece.text, now))


class _Listener:
    """Follows a conversation turn by turn: what was named, and what came just before."""

    def __init__(self, turns: Sequence[Turn], earlier: Sequence[str], opinion: Opinion | None) -> None:
        self._turns, self._opinion = turns, opinion
        self._earlier = [_spoken(text) for text in earlier]
        names = {turn.speaker for turn in turns if turn.role == "user" and turn.speaker}
        self._peers = names if len(names) > 1 else set()  # people who talk with each other
        self._talk = Talk()
        self._heard = 0  # turns that `_talk` has taken in
        for role, text in self._earlier:
            self._hear(sentences(text), role, None)

    def statements(self, index: int) -> list[Piece]:
        """What is worth keeping of a turn of a user; turns must be asked for in order."""
        for skipped in range(max(self._heard, index - _TURNS_HEARD), index):
            past = self._turns[skipped]
            self._hear(sentences(past.text), past.role, past.speaker)
        self._heard = index + 1
        turn = self._turns[index]
        pieces = list(self._pieces(turn))
        if turn.dictated:
            return [piece for piece in pieces if _is_told(piece.said)]
        if self._peers:
            return told_between(pieces, self._asked_before(index))
        kept = _worth_keeping(pieces, self._before(index), self._opinion)
        self._hear([piece.meaning for piece in kept if piece.meaning], turn.role, turn.speaker)
        return kept

    def _before(self, index: int) -> list[str]:
        past = [(turn.role, turn.text) for turn in self._turns[max(0, index - _TURNS_BEFORE) : index]]
        return [f"{role}: {text}" for role, text in [*self._earlier, *past][-_TURNS_BEFORE:]]

    def _asked_before(self, index: int) -> str:
        """The questions of the turn before, if somebody else said it."""
        if not index or self._turns[index - 1].speaker == self._turns[index].speaker:
            return ""
        return " ".join(filter(is_question, sentences(self._turns[index - 1].text)))

    def _pieces(self, turn: Turn) -> Iterator[Piece]:
        """The statements of a turn, each with its pronoun resolved, as far as they are heard."""
        speaker = turn.speaker or turn.role
        for sentence in sentences(turn.text):
            waiting: Piece | None = None
            until = 0
            for start, end in clauses(sentence):
                clause = sentence[start:end]
                unresolved = self._talk.opens_unresolved(clause, speaker)
                piece = Piece(clause, self._talk.resolved(clause, speaker), sentence[until:start] or " ")
                if waiting and unresolved:
                    waiting = together(waiting, piece)
                else:
                    if waiting:
                        yield waiting
                    waiting = piece
                self._hear([clause], turn.role, turn.speaker)
                until = end
            if waiting:
                yield waiting

    def _hear(self, said: Sequence[str], role: str, speaker: str | None) -> None:
        if role in SILENT:
            return
        own = speaker or role
        others = (self._peers or {"user", "assistant"}) - {own}
        for sentence in (each for each in said if not is_unreal(each)):
            self._talk.hear(sentence, own, next(iter(others)) if len(others) == 1 else None)


_ROLE = re.compile(r"(user|assistant): ", re.IGNORECASE)


def _spoken(text: str) -> tuple[str, str]:
    """ "assistant: How is she?" → role and words; without a role it was the user."""
    match = _ROLE.match(text)
    return (match[1].lower(), text[match.end() :]) if match else ("user", text)


def _worth_keeping(pieces: Sequence[Piece], before: Sequence[str], opinion: Opinion | None) -> list[Piece]:
    """The statements to keep; a fragment, or a remark on what was just said, joins the one before."""
    kept: list[Piece] = []
    leaning = False  # whether the piece just before was kept
    waiting: Piece | None = None  # a fragment that may belong to the next piece: "Cats. I was bitten once."
    for piece in pieces:
        whole = piece if waiting is None else together(waiting, piece)
        keep = should_keep(whole.text, before, opinion)
        fragment = len(words(piece.said)) <= _FRAGMENT_WORDS and not (keep and gist_of(piece.text).is_triple)
        if keep and leaning and (fragment or _is_remark(kept[-1], piece)):
            kept[-1] = together(kept[-1], piece)
        elif keep:
            kept.append(_with_question(whole, before) if len(pieces) == 1 else whole)
        lone = fragment and not keep and piece.said[-1] not in "?!" and _is_substance(piece.said)
        waiting, leaning = (piece if lone else None), keep
        before = [*before, f"user: {piece.said}"][-_TURNS_BEFORE:] if len(pieces) > 1 else before
    return kept


def _with_question(piece: Piece, before: Sequence[str]) -> Piece:
    """A bare answer says nothing by itself: its question goes with it."""
    found = None if _HAS_SUBJECT.match(piece.text) else completed(piece.text, before)
    return piece if found is None else replace(piece, text=found[0], meaning=found[1])


_HAS_SUBJECT = re.compile(
    r"(?:(?:yes|no|yeah|well|oh|and|so)[,]? )*(?:i|i'\w+|im|ive|we|we'\w+|my|our|he|she|it|they|\w+'s) ",
    re.IGNORECASE,
)


_REMARK = re.compile(
    r"(?:(?:and|but|so|oh|yeah|yes|well) )*(?:it|this|that|these|those|they|he|she|there|here|"
    r"what|such|so|which)\b",
    re.IGNORECASE,
)


def _is_remark(before: Piece, piece: Piece) -> bool:
    """Whether a statement makes little sense without the one before, and both fit one slot."""
    fits = utf8_len(before.text) + utf8_len(piece.text) < JOINED_BYTES
    return fits and _REMARK.match(piece.text) is not None


def _is_told(piece: str) -> bool:
    """Whether words that were handed over tell something: also "guess who's the new principal"."""
    long = len(words(piece)) > _FRAGMENT_WORDS
    tells_change = long and change_of(piece).has("ends", "moves", "now", "turns")
    done = _DONE_NOT_ORDERED.match(piece) is not None
    return not piece.endswith("?") and (tells_change or done or _is_substance(piece) or is_foreign(piece))


# a past that looks like an order: "read four books this month"
_DONE_NOT_ORDERED = re.compile(
    r"(?:read|put|set|cut|shut|hit|quit|split|beat|let|bet|shed|spread)\b.*\b"
    r"(?:this (?:morning|week|month|year)|today|yesterday|last \w+|so far|again)\b",
    re.IGNORECASE,
)


def _is_substance(piece: str) -> bool:
    """Whether a fragment says anything by itself, unlike "Thanks." or "Yes please."."""
    return not cues_of(piece).intersection(("greeting", "thanks", "reply", "reaction", "command", "question"))
