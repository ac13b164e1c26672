"""Telling, as agents do it over a network: the same talk again and again, retried, with our own words in it.

What is cleaned out before anything is told: system messages, what memories have put into a prompt
(`echoes.py`), and what of a talk was told before (`transcripts.py`). A request that names itself by a key is
carried out once. Every family of routes that takes messages goes through here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from ..engine import Written
from ..errors import InvalidInput
from ..facts import read_turns
from .entries import KINDS, Ids
from .events import DONE, PENDING, TALK, Event, Events
from .jobs import SAID, Jobs
from .principals import ANYBODY, Principal
from .service import Service
from .transcripts import Locks, Transcripts, talk_name

__all__ = ["Adding", "Tell", "Telling", "is_blank"]

INSTRUCTING = ("system", "developer")  # roles of messages that are for the model; never stored
JOB = "add"  # what a job does that takes an add on


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


Result = dict[str, str]
"""{"id": of a memory, "event": "ADD", "UPDATE", "REINFORCE" or "NONE"}"""
Tell = Callable[[list[Any]], list[Written]]
"""Remembers messages, which are clean and new."""


class Adding:
    """Tells what is new of it, once. Safe across threads."""

    def __init__(self, service: Service, events: Events, jobs: Jobs) -> None:
        self._service, self.events, self._jobs = service, events, jobs
        self._talks = Transcripts(service.desk)
        self._once = Locks()
        jobs.work[JOB] = self._do

    @classmethod
    def alone(cls, service: Service) -> Self:
        """For a store without a server around it: nothing is taken on for later."""
        events = Events(service.desk, service.engine.clock)
        return cls(service, events, Jobs(service, events))

    def once(self, told: Telling, tell: Tell, who: Principal = ANYBODY) -> list[Result]:
        """Has `tell` remember what is new of it, in its own way; not called where nothing is.

        Returns:
            What came of it; where all was told before, the memories that came of that, with "NONE".

        Raises:
            InvalidInput: it is malformed.
        """
        ids, began = who.check(told.ids), self._service.engine.clock()
        results, texts, also = self._told(told, ids, who, tell)
        if also and texts:  # a list: when it comes again, this is looked up
            self.events.record("ADD", DONE, ids.owner.name, {"memories": results}, also=also, began=began)
        return results

    def add(
        self,
        told: Telling,
        key: str | None = None,
        who: Principal = ANYBODY,
        *,
        kind: str = "ADD",
        later: bool = False,
    ) -> tuple[Event, dict[str, str]]:
        """Remembers; durable when it returns.

        Args:
            key: names the request: when it comes again from the same principal, it is answered as before.
            kind: of the event. later: only takes it on, durably; the event says when it is done.

        Returns:
            The event, whose body says under "memories" what became of each; and the words of those that were
            told just now, by id.

        Raises:
            InvalidInput: it is malformed, or the key was used for another request.
        """
        ids = who.check(told.ids)
        if key is None:
            return self._later(kind, told, ids, {}) if later else self._add(kind, told, ids, who, {}, None)
        name, request = f"{who.name}\0{kind}\0{key}", {"print": self.events.print_of(asdict(told))}
        with self._once(name):
            before = self.events.answered(name, request["print"])
            if before is not None:
                return before, {}
            if later:
                return self._later(kind, told, ids, request, name)
            return self._add(kind, told, ids, who, request, name)

    def _later(
        self, kind: str, told: Telling, ids: Ids, request: dict[str, Any], key: str | None = None
    ) -> tuple[Event, dict[str, str]]:
        owner = ids.owner.name
        self._cleaned(owner, told.messages, told.infer)  # raises what it will raise
        self._service.check(ids, "x", metadata=told.metadata, timestamp=told.timestamp)
        at = self._service.engine.clock() if told.timestamp is None else told.timestamp
        job = {"do": JOB, "told": asdict(told) | {"ids": ids.given(), "timestamp": at}}
        id_ = self._jobs.put(kind, owner, job, request, key=key)
        return Event(id_, kind, PENDING, owner, request, self._service.engine.clock()), {}

    def _do(self, job: dict[str, Any]) -> dict[str, Any]:
        """Does what was taken on."""
        given = dict(job["told"])
        ids = Ids(**{kind: name for kind, name in given.pop("ids").items() if kind in KINDS})
        told = Telling(ids=ids, **given)
        said: list[str] = []

        def tell(new: list[Any]) -> list[Written]:
            said.extend(turn.text for turn in read_turns(_dictated(new)))
            return self._tell(told, ids, new, ANYBODY)

        results, _, _ = self._told(told, ids, ANYBODY, tell)
        return {"memories": results, SAID: said}

    def _add(
        self, kind: str, told: Telling, ids: Ids, who: Principal, request: dict[str, Any], key: str | None
    ) -> tuple[Event, dict[str, str]]:
        owner, began = ids.owner.name, self._service.engine.clock()
        results, texts, also = self._told(told, ids, who)
        body = request | {"memories": results}
        id_ = self.events.record(kind, DONE, owner, body, key=key, also=also, began=began)
        return Event(id_, kind, DONE, owner, body, began, self._service.engine.clock()), texts

    def _told(
        self, told: Telling, ids: Ids, who: Principal, tell: Tell | None = None
    ) -> tuple[list[Result], dict[str, str], list[str]]:
        """Tells what is new: the results, the words of what was told now, the name of the list."""
        owner = ids.owner.name
        tell = tell or (lambda new: self._tell(told, ids, new, who))
        messages = self._cleaned(owner, told.messages, told.infer)
        if not messages:
            return [], {}, []
        talk = talk_name(owner, ids.given(), told.infer)
        hashes = self._talks.hashes(messages)
        if len(messages) == 1:
            written = tell(messages)
            self._talks.told(talk, hashes, 0)
            return _results(written), {item.id: item.text for item in written}, []
        name = f"{TALK}{self._talks.name_of(talk, hashes)}"
        with self._talks.hold(talk):
            known = self._talks.known(talk, hashes)
            if known == len(messages):
                before = self._answered_before(name)
                if before is not None:
                    return before, {}, [name]
                known = 0  # what came of it went, or it is not known what did: it is meant to be told again
            written = tell(messages[known:])
            self._talks.told(talk, hashes, known)
        return _results(written), {item.id: item.text for item in written}, [name]

    def _answered_before(self, name: str) -> list[Result] | None:
        """What came of a list that was told before, as far as it is there.

        None where all of it was deleted, and where something else was told since that replaced some of it ("I
        live in Paris", said again after Rome): then it is told anew. A part of a talk has no such answer,
        nor has a list that was told longer ago than events are kept.
        """
        event = self.events.answer_to(name)
        results = [item["id"] for item in (event.body.get("memories", ()) if event is not None else ())]
        alive = [entry for id_ in results if (entry := self._service.entry(id_)) is not None]
        replaced = len(alive) == len(results) and any(  # of what was deleted nothing comes back
            entry.replaced_by and entry.replaced_by not in results for entry in alive if not entry.current
        )
        if replaced or (results and not alive):
            return None
        return [{"id": entry.id, "event": "NONE"} for entry in alive]

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

    def _cleaned(self, owner: str, messages: Any, infer: bool) -> list[Any]:
        """The messages that may hold something to remember.

        Args:
            infer: of what is kept as it is only our own marked blocks are taken out.

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
            if several and is_blank(message):
                continue
            try:
                read_turns([message])
            except InvalidInput as error:
                field = error.field.replace("messages[0]", f"messages[{place}]")
                raise InvalidInput(field, error.problem, error.remedy) from error
            kept = self._without_echoes(owner, message, infer)
            if kept is not None:
                said.append(kept)
        if several and all(map(is_blank, messages)):
            raise InvalidInput("messages", "are all blank", "give at least one word")
        return said

    def _without_echoes(self, owner: str, message: Any, infer: bool) -> Any:
        """A message without what memories have put in; None when it has nothing else, or only instructs."""
        echoes = self._service.echoes
        if isinstance(message, str):
            return echoes.without(owner, message, guess=infer) or None
        content = message.get("content")
        if message.get("role") in INSTRUCTING or content is None:
            return None
        bare = echoes.without(owner, [content] if isinstance(content, Mapping) else content, guess=infer)
        if not bare or (isinstance(bare, str) and not bare.strip()):
            return None
        return message if bare == content else {**message, "content": bare}


def is_blank(message: Any) -> bool:
    """Whether a message is of text, and of none. One without content (a call of a tool) is not."""
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
