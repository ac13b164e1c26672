"""Telling, as agents do it over a network: the same talk again and again, retried, with our own words in it.

What is cleaned out before anything is told: system messages, what memories have put into a prompt
(`echoes.py`), and what of a talk was told before (`transcripts.py`). A request that names itself by a key is
carried out once. Every family of routes that takes messages goes through here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from ..engine import Written
from ..errors import InvalidInput
from ..facts import read_turns
from .desk import Desk
from .entries import Ids
from .events import DONE, Event, Events
from .principals import ANYBODY, Principal
from .service import Service
from .transcripts import Locks, Transcripts

__all__ = ["Adding", "Telling", "Told"]

INSTRUCTING = ("system", "developer")  # roles of messages that are for the model; never stored

Result = dict[str, str]
"""{"id": of a memory, "event": "ADD", "UPDATE", "REINFORCE" or "NONE"}"""


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told, in mem0's terms; see `Service.add`."""

    ids: Ids
    messages: Any
    metadata: Mapping[str, Any] | None = None
    infer: bool = True
    timestamp: float | str | None = None
    expires: str | None = None
    among: Mapping[str, str] | None = None
    immutable: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it."""

    event: Event
    texts: Mapping[str, str] = field(default_factory=dict)  # words by id, if it was told just now


class Adding:
    """Tells what is new of it, once. Safe across threads."""

    def __init__(self, service: Service, desk: Desk, events: Events) -> None:
        self._service, self._events = service, events
        self._talks = Transcripts(desk)
        self._once = Locks()

    def add(self, told: Telling, key: str | None = None, who: Principal = ANYBODY) -> Told:
        """Remembers; durable when it returns.

        Args:
            key: names the request: the same key of the same principal is answered by the same event.
        """
        ids = who.check(told.ids)
        if key is None:
            return self._add(told, ids, who, ())
        name = "key:" + hashlib.sha256(json.dumps([who.name, key]).encode()).hexdigest()
        with self._once(name):
            before = self._events.answered(name)
            return self._add(told, ids, who, (name,)) if before is None else Told(before)

    def _add(self, told: Telling, ids: Ids, who: Principal, keys: tuple[str, ...]) -> Told:
        began = self._service.engine.clock()
        results, texts, keys = self.tell(told, ids, who, keys)
        event = self._events.record(
            "ADD", DONE, ids.owner.name, {"memories": results}, keys=keys, began=began
        )
        return Told(event, texts)

    def tell(
        self, told: Telling, ids: Ids, who: Principal, keys: tuple[str, ...] = ()
    ) -> tuple[list[Result], dict[str, str], tuple[str, ...]]:
        """Tells, and notes no event: (what came of it, words by id, the names by which an event answers)."""
        owner = ids.owner.name
        messages = self._cleaned(owner, told.messages)
        talk = f"{owner}\0{json.dumps([ids.agent, ids.app, ids.run, told.infer])}"
        results: list[Result] = []
        texts: dict[str, str] = {}
        with ExitStack() as held:
            if messages:
                hashes = self._talks.hashes(messages)
                if len(messages) > 1:
                    held.enter_context(self._talks.hold(talk))
                    keys = (*keys, "talk:" + self._talks.name_of(talk, hashes))
                known = self._talks.known(talk, hashes)
                before = self._answered_before(keys[-1]) if known == len(messages) else None
                if before is None and known == len(messages):
                    known = 0  # what came of it was deleted, and it is told again: that is meant
                if known < len(messages):
                    written = self._tell(told, ids, messages[known:], who)
                    results, texts = _results(written), {item.id: item.text for item in written}
                else:
                    results = before or []
                self._talks.told(talk, hashes, known)
        return results, texts, keys

    def _answered_before(self, name: str) -> list[Result] | None:
        """What came of a list that was told before, as far as it is there; None where all was deleted."""
        event = self._events.answered(name)
        results = event.body.get("memories", []) if event is not None else []
        alive = [item for item in results if self._service.holds(item["id"])]
        if results and not alive:
            return None
        return [{"id": item["id"], "event": "NONE"} for item in alive]

    def _tell(self, told: Telling, ids: Ids, messages: Sequence[Any], who: Principal) -> list[Written]:
        return self._service.add(
            ids,
            _dictated(messages),
            metadata=told.metadata,
            infer=told.infer,
            timestamp=told.timestamp,
            expires=told.expires,
            among=told.among,
            immutable=told.immutable,
            who=who,
        )

    def _cleaned(self, owner: str, messages: Any) -> list[Any]:
        """The messages that may hold something to remember.

        Raises:
            InvalidInput: they are malformed, or there was nothing in them from the start.
        """
        if isinstance(messages, str | Mapping):
            messages = [messages]
        if not isinstance(messages, list) or not messages:
            problem = "is empty" if messages == [] else f"is of type {type(messages).__name__}"
            raise InvalidInput("messages", problem, "give a list of {role, content}")
        several = len(messages) > 1
        said: list[Any] = []
        for place, message in enumerate(messages):
            if several and _is_blank(message):
                continue
            try:
                read_turns([message])
            except InvalidInput as error:
                field = error.field.replace("messages[0]", f"messages[{place}]")
                raise InvalidInput(field, error.problem, error.remedy) from error
            kept = self._without_echoes(owner, message)
            if kept is not None:
                said.append(kept)
        if several and all(map(_is_blank, messages)):
            raise InvalidInput("messages", "are all blank", "give at least one word")
        return said

    def _without_echoes(self, owner: str, message: Any) -> Any:
        """A message without what memories have put in; None when it has nothing else, or only instructs."""
        if isinstance(message, str):
            return self._service.echoes.without(owner, message) or None
        content = message.get("content")
        if message.get("role") in INSTRUCTING or content is None:
            return None
        bare = self._service.echoes.without(owner, content)
        if not bare or (isinstance(bare, str) and not bare.strip()):
            return None
        return message if bare == content else {**message, "content": bare}


def _is_blank(message: Any) -> bool:
    content = message.get("content") if isinstance(message, Mapping) else message
    return isinstance(content, str) and not content.strip()


def _dictated(messages: Sequence[Any]) -> Any:
    """One message of a user alone is what clients make of words that are to be remembered."""
    if len(messages) == 1:
        (only,) = messages
        if isinstance(only, str):
            return only
        plain = isinstance(only.get("content"), str) and not set(only) - {"role", "content"}
        if plain and only.get("role", "user") == "user":
            return only["content"]
    return list(messages)


def _results(written: Sequence[Written]) -> list[Result]:
    """Each memory once, by what happened to it first."""
    first: dict[str, str] = {}
    for item in written:
        first.setdefault(item.id, item.event)
    return [{"id": memory_id, "event": event} for memory_id, event in first.items()]
