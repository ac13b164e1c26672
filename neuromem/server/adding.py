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
from dataclasses import dataclass
from typing import Any

from ..engine import Written
from ..errors import InvalidInput
from ..facts import read_turns
from .desk import Desk
from .entries import Ids
from .events import Events, Result
from .principals import ANYBODY, Principal
from .service import Service
from .transcripts import Locks, Transcripts

__all__ = ["Adding", "Telling"]

INSTRUCTING = ("system", "developer")  # roles of messages that are for the model; never stored
SHOWN_AS = {"ADD": "ADD", "UPDATE": "ADD", "REINFORCE": "NONE", "NONE": "NONE"}


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


class Adding:
    """Tells what is new of it, once. Safe across threads."""

    def __init__(self, service: Service, desk: Desk, events: Events) -> None:
        self._service, self._events = service, events
        self._talks = Transcripts(desk)
        self._once = Locks()

    def add(self, told: Telling, key: str | None = None, who: Principal = ANYBODY) -> dict[str, Any]:
        """Remembers; durable when it returns.

        Args:
            key: names the request: the same key of the same principal is answered by the same event.

        Returns:
            The event; its results are of ADD for a new memory, of NONE for what was known. If it was carried
            out just now, with the words of each under "texts".
        """
        ids = who.check(told.ids)
        if key is None:
            return self._add(told, ids, who, ())
        name = "key:" + hashlib.sha256(json.dumps([who.name, key]).encode()).hexdigest()
        with self._once(name):
            return self._events.answer_to(name) or self._add(told, ids, who, (name,))

    def _add(self, told: Telling, ids: Ids, who: Principal, answers: tuple[str, ...]) -> dict[str, Any]:
        owner = ids.owner.name
        began = self._service.engine.clock()
        messages = self._cleaned(owner, told.messages)
        talk = f"{owner}\0{json.dumps([ids.agent, ids.app, ids.run, told.infer])}"
        results: list[Result] = []
        texts: dict[str, str] = {}
        with ExitStack() as held:
            if messages:
                hashes = self._talks.hashes(messages)
                if len(messages) > 1:
                    held.enter_context(self._talks.hold(talk))
                    answers = (*answers, "talk:" + self._talks.name_of(talk, hashes))
                known = self._talks.known(talk, hashes)
                before = self._answered_before(answers[-1]) if known == len(messages) else None
                if before is None and known == len(messages):
                    known = 0  # what came of it was deleted, and it is told again: that is meant
                if known < len(messages):
                    written = self._tell(told, ids, messages[known:], who)
                    results, texts = _results(written), {item.id: item.text for item in written}
                else:
                    results = before or []
                self._talks.told(talk, hashes, known)
            event = self._events.note("ADD", owner, results, answers=answers, began=began)
        return (self._events.get(event) or {}) | ({"texts": texts} if texts else {})

    def _answered_before(self, name: str) -> list[Result] | None:
        """What came of a list that was told before, as far as it is there; None where all was deleted."""
        event = self._events.answer_to(name)
        results = event["results"] if event is not None else []
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
    if len(messages) == 1 and isinstance(messages[0], Mapping):
        (only,) = messages
        plain = isinstance(only.get("content"), str) and not set(only) - {"role", "content"}
        if plain and only.get("role", "user") == "user":
            return only["content"]
    return list(messages)


def _results(written: Sequence[Written]) -> list[Result]:
    """Each memory once, by what happened to it first."""
    first: dict[str, str] = {}
    for item in written:
        first.setdefault(item.id, SHOWN_AS.get(item.event, "NONE"))
    return [{"id": memory_id, "event": event} for memory_id, event in first.items()]
