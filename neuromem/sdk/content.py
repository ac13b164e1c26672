"""Messages as callers give them: dicts or objects of an SDK, content as text or in parts.

Nothing here changes what it is given; what is new is a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..context.lines import printable
from ..echo import without_injected

__all__ = ["as_dict", "field_of", "is_text_part", "newly_said", "said_in", "text_of", "with_text"]

TEXTS = ("text", "input_text", "output_text")  # types of parts that are words
INSTRUCTIONS = ("system", "developer")


def field_of(item: object, name: str) -> Any:
    """A field of a dict or of an object; None where there is none."""
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def as_dict(item: object) -> dict[str, Any]:
    """A message as a dict of its own.

    Raises:
        TypeError: it is neither a dict nor an object that can be made one.
    """
    if isinstance(item, Mapping):
        return dict(item)
    dump = getattr(item, "model_dump", None)
    if dump is None:
        raise TypeError(f"a message of type {type(item).__name__} can take nothing in")
    return dict(dump(exclude_none=True))


def is_text_part(part: object) -> bool:
    """Whether a part of a content is words."""
    return field_of(part, "type") in TEXTS and isinstance(field_of(part, "text"), str)


def text_of(content: object) -> str:
    """The words in a content, its parts on lines of their own; images and the like say nothing."""
    if isinstance(content, str):
        return content
    if not isinstance(content, Iterable) or isinstance(content, bytes | Mapping):
        return ""
    parts = (part if isinstance(part, str) else field_of(part, "text") for part in content if _says(part))
    return "\n".join(parts)


def _says(part: object) -> bool:
    return isinstance(part, str) or is_text_part(part)


def said_in(item: object) -> str:
    """What a person said in a message, without what memories put into it."""
    return without_injected(printable(text_of(field_of(item, "content"))))


def newly_said(items: Sequence[object]) -> list[dict[str, Any]]:
    """The user's messages after the last turn of the assistant or a tool, as a memory takes them.

    The very last item may be the beginning of the assistant's answer (a prefill); it is passed over.
    """
    end = len(items)
    if end and field_of(items[-1], "role") == "assistant" and not field_of(items[-1], "tool_calls"):
        end -= 1
    said: list[dict[str, Any]] = []
    for item in reversed(items[:end]):
        role = field_of(item, "role")
        if role in INSTRUCTIONS:
            continue
        if role != "user":
            break
        text, name = said_in(item), field_of(item, "name")
        if text:
            said.append({"role": "user", "content": text, **({"name": name} if name else {})})
    return said[::-1]


def with_text(content: object, text: str, kind: str, *, first: bool) -> str | list[Any]:
    """A content with a text more: before its first words, or at its end.

    Args:
        kind: the type of a part that is words.
    """
    if content is None or isinstance(content, str):
        pieces = (text, content) if first else (content, text)
        return "\n\n".join(filter(None, pieces))
    if not isinstance(content, Iterable) or isinstance(content, bytes | Mapping):
        raise TypeError(f"a content of type {type(content).__name__} can take nothing in")
    parts = list(content)
    words = [place for place, part in enumerate(parts) if is_text_part(part)]
    # results of tools have to stay where they are: at the beginning
    place = (words[0] if words else len(parts)) if first else len(parts)
    return [*parts[:place], {"type": kind, "text": text}, *parts[place:]]
