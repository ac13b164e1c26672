"""From messages to facts: who said what, which of it to keep, and what it comes down to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput
from ..text import sentences, utf8_len, words
from .gist import Gist
from .importance import importance, is_pinned
from .keep import cues_of, should_keep
from .summary import gist_of

__all__ = ["MAX_TEXT_BYTES", "Fact", "Turn", "extract", "read_turns"]

MAX_TEXT_BYTES = 262_144
ROLES = ("user", "assistant", "system", "developer", "tool", "function")
_SILENT = ("system", "developer", "tool", "function")  # they instruct and report; they tell no facts
_FRAGMENT_WORDS = 3  # a sentence of at most so many words may lean on its neighbour
_TURNS_BEFORE = 2


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to remember: the words as said, their gist, and how much it matters (0 to 1)."""

    text: str
    gist: Gist
    importance: float
    pinned: bool
    speaker: str | None
    role: str
    turn: int = 0  # place among the turns of the turn that said it


@dataclass(frozen=True, slots=True)
class Turn:
    """One message: who said what."""

    role: str
    text: str
    speaker: str | None
    dictated: bool = False  # words handed over to be remembered, not overheard in talk
    timestamp: float | str | None = None  # its own time, as given; unchecked


def extract(
    messages: str | Mapping[str, Any] | Sequence[Mapping[str, Any]] | Sequence[Turn],
    infer: bool = True,
    only: Sequence[int] | None = None,
) -> list[Fact]:
    """The facts in a text or a conversation.

    Args:
        messages: as `read_turns`, or what it returned.
        infer: keep what users state about somebody's life, sentence by sentence; of words handed over
            as one string, everything but questions, greetings and the like. False keeps every message
            of users and assistants as it is.
        only: places of the turns to look at; the others are only context. None: all.

    Raises:
        InvalidInput: a field is missing, of the wrong type, blank or too long; names the field.
    """
    turns = _as_turns(messages)
    chosen = range(len(turns)) if only is None else only
    facts: list[Fact] = []
    for index in chosen:
        turn = turns[index]
        if not infer and turn.role not in _SILENT:
            facts.append(_fact(turn.text, turn, index))
        elif infer and turn.role == "user":
            before = [f"{past.role}: {past.text}" for past in turns[max(0, index - _TURNS_BEFORE) : index]]
            texts = _dictated(turn.text) if turn.dictated else _statements(turn.text, before)
            facts += [_fact(text, turn, index) for text in texts]
    return facts


def _as_turns(messages: Any) -> Sequence[Turn]:
    if isinstance(messages, Sequence) and messages and isinstance(messages[0], Turn):
        return messages
    return read_turns(messages)


def _fact(text: str, turn: Turn, index: int) -> Fact:
    gist = gist_of(text, turn.speaker)
    return Fact(text, gist, importance(text, gist), is_pinned(text), turn.speaker, turn.role, index)


def _dictated(text: str) -> list[str]:
    """The sentences of words handed over, without those that can be no fact at all."""
    return [piece for piece in sentences(text) if not piece.endswith("?") and _is_substance(piece)]


def _statements(text: str, before: Sequence[str]) -> list[str]:
    """The sentences worth keeping; a fragment joins the statement that it leans on."""
    pieces = sentences(text)
    kept: list[str] = []
    leaning = False  # whether the piece just before was kept
    waiting = ""  # a fragment that may belong to the next piece: "Cats. I was bitten once."
    for piece in pieces:
        keep = should_keep(f"{waiting} {piece}".strip(), before)
        fragment = len(words(piece)) <= _FRAGMENT_WORDS
        if keep and leaning and fragment:
            kept[-1] += f" {piece}"
        elif keep:
            kept.append(f"{waiting} {piece}".strip())
        waiting = piece if fragment and not keep and piece[-1] not in "?!" and _is_substance(piece) else ""
        leaning = keep
        before = [*before, f"user: {piece}"][-_TURNS_BEFORE:] if len(pieces) > 1 else before
    return kept


def _is_substance(piece: str) -> bool:
    """Whether a fragment says anything by itself, unlike "Thanks." or "Yes please."."""
    return not cues_of(piece).intersection(("greeting", "thanks", "reply", "reaction", "command", "question"))


# --- reading messages -------------------------------------------------------------------------------


def read_turns(messages: object) -> list[Turn]:
    """Checked messages: a string, or messages as OpenAI has them, oldest first.

    Each has "role", "content" (a string, or parts of which those of type "text" count) and perhaps
    "name" and "timestamp". Calls of tools, which say nothing, are left out.

    Raises:
        InvalidInput: a field is missing, of the wrong type, blank or too long; names the field.
    """
    if isinstance(messages, str):
        return [Turn("user", _checked(messages, "messages"), None, dictated=True)]
    if isinstance(messages, Mapping):
        messages = [messages]
    if not isinstance(messages, Sequence) or isinstance(messages, bytes | bytearray):
        kind = type(messages).__name__
        raise InvalidInput("messages", f"is of type {kind}", "give a string or a list of {role, content}")
    if not messages:
        raise InvalidInput("messages", "is empty", "give at least one message")
    turns = [_turn(message, f"messages[{index}]") for index, message in enumerate(messages)]
    return [turn for turn in turns if turn is not None]


def _turn(message: object, field: str) -> Turn | None:
    if isinstance(message, str):
        return Turn("user", _checked(message, field), None)
    if not isinstance(message, Mapping):
        raise InvalidInput(field, f"is of type {type(message).__name__}", "give an object {role, content}")
    role = message.get("role", "user")
    if role not in ROLES:
        raise InvalidInput(f"{field}.role", f"{role!r} is not known", f"give one of {', '.join(ROLES)}")
    name = message.get("name")
    if name is not None and not isinstance(name, str):
        raise InvalidInput(
            f"{field}.name", f"is of type {type(name).__name__}", "give a string or leave it out"
        )
    content = message.get("content")
    if content is None and (role in _SILENT or message.get("tool_calls") or message.get("function_call")):
        return None  # a call of a tool says nothing
    text = _text_of(content, f"{field}.content")
    if role in _SILENT and not text.strip():
        return None
    speaker = _checked(name, f"{field}.name").strip() if name and name.strip() else None
    return Turn(role, _checked(text, f"{field}.content"), speaker, timestamp=message.get("timestamp"))


def _text_of(content: object, field: str) -> str:
    if content is None:
        raise InvalidInput(field, "is missing", "give the words as a string")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise InvalidInput(field, f"is of type {type(content).__name__}", "give a string or a list of parts")
    texts = []
    for index, part in enumerate(content):
        if isinstance(part, str):
            texts.append(part)
        elif not isinstance(part, Mapping):
            raise InvalidInput(f"{field}[{index}]", "is not a part", 'give {"type": "text", "text": "..."}')
        elif part.get("type", "text") == "text":
            if not isinstance(part.get("text"), str):
                raise InvalidInput(f"{field}[{index}].text", "is not a string", "give the words as a string")
            texts.append(part["text"])
    return "\n".join(texts)


def _checked(text: str, field: str) -> str:
    if not text.strip():
        raise InvalidInput(field, "is blank", "give at least one word")
    if len(text) > MAX_TEXT_BYTES or utf8_len(text) > MAX_TEXT_BYTES:
        raise InvalidInput(
            field, f"is longer than {MAX_TEXT_BYTES:,} bytes", "split it into several messages"
        )
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInput(field, "holds half of a surrogate pair", "give text that UTF-8 can encode")
    return text
