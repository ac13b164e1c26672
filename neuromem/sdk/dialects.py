"""The calls of language models that a memory can be put into: how each is read, changed and answered.

A dialect looks only at the arguments of a call and at what comes back; it does not need the SDK they are of.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from .block import Block
from .content import INSTRUCTIONS, as_dict, field_of, newly_said, said_in, text_of, with_text

__all__ = ["AnthropicMessages", "Arguments", "Dialect", "OpenAIChat", "OpenAIResponses"]

Arguments = dict[str, Any]


class Dialect(ABC):
    """One kind of call."""

    talk = "messages"  # the argument that holds the talk
    system = ""  # the argument that holds the system text; "": it is one of the messages
    text_part = "text"  # the type of a part that is words

    def owner(self, call: Arguments) -> object:
        """Whose memory the call names."""
        return call.get("user")

    def settled(self, call: Arguments) -> Arguments:
        """The call with its talk as a list: an iterator could be read only once."""
        talk = call.get(self.talk)
        if isinstance(talk, str | list) or not isinstance(talk, Iterable):
            return call
        return {**call, self.talk: list(talk)}

    def items(self, call: Arguments) -> list[Any]:
        """The talk."""
        talk = call.get(self.talk)
        if isinstance(talk, str):
            return [{"role": "user", "content": talk}]
        return talk if isinstance(talk, list) else []

    def said(self, call: Arguments) -> list[dict[str, Any]]:
        """What the user newly says."""
        return newly_said(self.items(call))

    def question(self, call: Arguments) -> str:
        """The user's last words."""
        items = self.items(call)
        place = _asked(items)
        return "" if place is None else said_in(items[place])

    def with_block(self, call: Arguments, block: Block) -> Arguments:
        """The call with a block put in: what is known after the system text, the rest before the question.

        What changes with every question comes late, so that a cache of the prompt's beginning holds. A
        prompt without a system text is given none: not every model takes one.
        """
        items = list(self.items(call))
        told, has_system = self._with_known(call, items, block.known)
        text = block.recalled if has_system else block.whole
        place = _asked(items)
        if text and place is not None:
            items[place] = self._with_text(items[place], text, first=True)
        talk = call[self.talk]
        return {**call, **told, self.talk: items[0]["content"] if isinstance(talk, str) else items}

    def _with_known(self, call: Arguments, items: list[Any], known: str) -> tuple[Arguments, bool]:
        """(arguments that change, whether there is a system text); `items` is changed in place."""
        if self.system:
            system = call.get(self.system)
            if not (isinstance(system, str | list) and system):
                return {}, False
            return {self.system: with_text(system, known, self.text_part, first=False)} if known else {}, True
        for place, item in enumerate(items):
            if field_of(item, "role") in INSTRUCTIONS:
                if known:
                    items[place] = self._with_text(item, known, first=False)
                return {}, True
        return {}, False

    def _with_text(self, item: object, text: str, *, first: bool) -> Arguments:
        message = as_dict(item)
        content = message.get("content")
        return {**message, "content": with_text(content, text, self.text_part, first=first)}

    @abstractmethod
    def reply(self, answer: object) -> str:
        """The words of a whole answer."""

    @abstractmethod
    def piece(self, event: object) -> str:
        """The words that an event of a streamed answer adds."""


class OpenAIChat(Dialect):
    """``chat.completions`` of OpenAI, of all that speak like it, and of litellm."""

    def reply(self, answer: object) -> str:
        """The words of the first choice."""
        return text_of(field_of(field_of(_first(field_of(answer, "choices")), "message"), "content"))

    def piece(self, event: object) -> str:
        """The words that a chunk adds to the first choice; of `.stream()`'s events, only its chunks count."""
        if field_of(event, "type") == "chunk":
            event = field_of(event, "chunk")
        choice = _first(field_of(event, "choices"))
        if field_of(choice, "index"):
            return ""
        return text_of(field_of(field_of(choice, "delta"), "content"))


class OpenAIResponses(Dialect):
    """``responses`` of OpenAI."""

    talk = "input"
    system = "instructions"
    text_part = "input_text"

    def reply(self, answer: object) -> str:
        """The words of all messages in the output."""
        output = field_of(answer, "output")
        messages = [item for item in output or () if field_of(item, "type") == "message"]
        return "\n".join(filter(None, (text_of(field_of(item, "content")) for item in messages)))

    def piece(self, event: object) -> str:
        """The words of a delta."""
        is_text = field_of(event, "type") == "response.output_text.delta"
        return str(field_of(event, "delta") or "") if is_text else ""


class AnthropicMessages(Dialect):
    """``messages`` of Anthropic."""

    system = "system"

    def owner(self, call: Arguments) -> object:
        """Whose memory the call names, in its metadata."""
        metadata = call.get("metadata")
        return metadata.get("user_id") if isinstance(metadata, Mapping) else None

    def reply(self, answer: object) -> str:
        """The words of all blocks of text."""
        return text_of(field_of(answer, "content"))

    def piece(self, event: object) -> str:
        """The words of a delta."""
        delta = field_of(event, "delta") if field_of(event, "type") == "content_block_delta" else None
        return str(field_of(delta, "text") or "") if field_of(delta, "type") == "text_delta" else ""


def _asked(items: list[Any]) -> int | None:
    """Place of the user's last message that says something."""
    for place in range(len(items) - 1, -1, -1):
        if field_of(items[place], "role") == "user" and said_in(items[place]):
            return place
    return None


def _first(choices: object) -> object:
    return choices[0] if isinstance(choices, list) and choices else None
