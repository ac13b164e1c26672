"""Messages as they come in: checked, and put into one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..checks import check_encodable
from ..errors import InvalidInput
from ..text import utf8_len

__all__ = ["MAX_TEXT_BYTES", "SILENT", "Turn", "check_words", "read_turns"]

MAX_TEXT_BYTES = 262_144
ROLES = ("user", "assistant", "system", "developer", "tool", "function")
SILENT = ("system", "developer", "tool", "function")  # they instruct and report; they tell no facts


@dataclass(frozen=True, slots=True)
class Turn:
    """One message: who said what."""

    role: str
    text: str
    speaker: str | None
    dictated: bool = False  # words handed over to be remembered, not overheard in talk
    timestamp: float | str | None = None  # its own time, as given; unchecked


def read_turns(messages: object) -> list[Turn]:
    """Checked messages: a string, or messages as OpenAI has them, oldest first.

    Each has "role", "content" (a string, or parts of which those of type "text" count) and perhaps
    "name" and "timestamp". Calls of tools and pictures without words, which say nothing, are left out.

    Raises:
        InvalidInput: a field is missing, of the wrong type, blank or too long; names the field.
    """
    if isinstance(messages, str):
        return [Turn("user", check_words(messages, "messages"), None, dictated=True)]
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
        return Turn("user", check_words(message, field), None)
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
    if content is None and (role in SILENT or message.get("tool_calls") or message.get("function_call")):
        return None  # a call of a tool says nothing
    if isinstance(content, Mapping):  # as mem0 takes it: one part by itself
        content = [content]
    text = _text_of(content, f"{field}.content")
    if not text.strip() and (role in SILENT or _only_shows(content)):
        return None
    speaker = check_words(name, f"{field}.name").strip() if name and name.strip() else None
    return Turn(role, check_words(text, f"{field}.content"), speaker, timestamp=message.get("timestamp"))


def _only_shows(content: object) -> bool:
    """Whether all parts are pictures, sound and the like: nothing is said in words."""
    return isinstance(content, list) and all(
        isinstance(part, Mapping) and part.get("type", "text") != "text" for part in content
    )


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


def check_words(text: str, field: str) -> str:
    """Words that can be told, as they are.

    Raises:
        InvalidInput: they are blank, too long, or no text that UTF-8 can encode; names the field.
    """
    if not text.strip():
        raise InvalidInput(field, "is blank", "give at least one word")
    if len(text) > MAX_TEXT_BYTES or utf8_len(text) > MAX_TEXT_BYTES:
        raise InvalidInput(
            field, f"is longer than {MAX_TEXT_BYTES:,} bytes", "split it into several messages"
        )
    check_encodable(field, text)
    return text
