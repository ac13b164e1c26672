"""What the tools do, in mem0's terms, apart from the protocol. All methods block; many threads may call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ...checks import check_search
from ...errors import InvalidInput, NotFound
from ...owners import Progress
from ..adding import Adding, Telling
from ..entries import Entry, Ids, iso, told_under
from ..events import Event, Events
from ..filters import parse
from ..principals import ANYBODY, Principal
from ..service import Found, Search, Service, owner_arguments
from . import shapes
from .shapes import Record

__all__ = ["Caller", "Memories", "Parts"]

MOST = 1_000  # results in one answer


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls a tool, and whose memory is meant when a call does not say."""

    who: Principal = ANYBODY
    user: str | None = None

    def ids(self, given: Mapping[str, Any], *, explicit: bool = False) -> Ids:
        """The names that a call gives, or the caller's own user.

        Args:
            explicit: the call itself has to say whose memory is meant.

        Raises:
            InvalidInput: nobody is named. Forbidden: they are somebody else's.
        """
        ids = Ids.of(given)
        if not ids.given():
            if explicit:
                raise _nobody()
            ids = Ids(user=self.who.user or self.user)
        return self.who.check(ids)

    def filters(self, given: object, ids: Mapping[str, Any]) -> dict[str, Any]:
        """Filters that say whose memories are meant: as given, and the names, or the caller's own user.

        Raises:
            InvalidInput: it is not clear whose they are, or the filters are malformed.
        """
        parts = [dict(given)] if isinstance(given, Mapping) and given else []
        if given not in (None, {}) and not parts:
            parse(given)  # says what is wrong with it
        if Ids.of(ids).given() or not (parts and parse(parts[0]).scoped):
            named = self.ids(ids).given()
            if not named:
                raise _nobody()
        else:
            named = {}
        return {"AND": [*({f"{kind}_id": name} for kind, name in named.items()), *parts]}


@dataclass(frozen=True, slots=True)
class Parts:
    """What the tools work on."""

    service: Service
    events: Events
    adding: Adding


class Memories:
    """The tools' work."""

    def __init__(self, parts: Callable[[], Parts]) -> None:
        """Args:
        parts: gives them; it may raise where the store cannot be opened just now.
        """
        self.parts = parts

    @property
    def service(self) -> Service:
        """The operations."""
        return self.parts().service

    # -- telling --------------------------------------------------------------------------------

    def add(
        self,
        caller: Caller,
        ids: Mapping[str, Any],
        messages: Any,
        *,
        metadata: Mapping[str, Any] | None = None,
        infer: bool = True,
        timestamp: float | str | None = None,
        expires: str | None = None,
    ) -> shapes.Added:
        """Keeps what is said, as far as it was not said before."""
        parts, named = self.parts(), caller.ids(ids)
        telling = Telling(named, messages, metadata, infer, timestamp, expires)
        event, texts = parts.adding.add(telling, who=caller.who)
        results = event.body["memories"]
        before = parts.service.read_ids([r["id"] for r in results if r["id"] not in texts], caller.who)
        texts |= {found.entry.id: found.text for found in before}
        facts = [
            shapes.Told(id=r["id"], memory=texts[r["id"]], event=r["event"])
            for r in results
            if r["id"] in texts
        ]
        kept = f"{len(facts)} fact{'s' if len(facts) != 1 else ''} kept"
        nothing = "no fact in it (a question, a greeting?); infer=false keeps words as they are"
        return shapes.Added(
            event_id=event.id, status=event.status, message=kept if facts else nothing, results=facts
        )

    def update(
        self, caller: Caller, memory_id: str, text: str | None, metadata: Mapping[str, Any] | None
    ) -> Record:
        """Gives a memory new words, or other metadata."""
        return shapes.as_record(self.service.update(memory_id, text=text, metadata=metadata, who=caller.who))

    # -- looking --------------------------------------------------------------------------------

    def search(
        self,
        caller: Caller,
        ids: Mapping[str, Any],
        query: str,
        filters: object,
        limit: int,
        threshold: float,
    ) -> list[Record]:
        """What answers a question, best first."""
        limit = _between(limit, "limit", MOST)
        check_search(query, limit, "auto", None)
        wanted = Search(query, parse(caller.filters(filters, ids)), limit, threshold)
        return [shapes.as_record(found) for found in self.service.search(wanted, who=caller.who)]

    def page(
        self, caller: Caller, ids: Mapping[str, Any], filters: object, page: int, size: int
    ) -> shapes.Page:
        """Memories that pass, newest first."""
        size, page = _between(size, "page_size", MOST), _between(page, "page", 1_000_000)
        service = self.service
        entries = service.entries(parse(caller.filters(filters, ids)), who=caller.who)
        start = (page - 1) * size
        shown = service.read(entries[start : start + size])
        return shapes.Page(
            count=len(entries),
            page=page,
            page_size=size,
            next_page=page + 1 if start + size < len(entries) else None,
            results=[shapes.as_record(found) for found in shown],
        )

    def get(self, caller: Caller, memory_id: str) -> Record:
        """One memory."""
        return shapes.as_record(self.service.get(memory_id, who=caller.who))

    def deep(
        self, caller: Caller, ids: Mapping[str, Any], query: str, limit: int, progress: Progress | None
    ) -> list[Record]:
        """What answers a question among all words ever said, forgotten ones included."""
        service, named = self.service, caller.ids(ids)
        owner = named.owner
        whose: dict[str, Any] = owner_arguments(owner.name)
        recalls = service.memory.deep(
            query, **whose, limit=_between(limit, "limit", MOST), progress=progress, among=told_under(named)
        )
        return [self._record(service, caller, owner.name, recall) for recall in recalls]

    def conscious(self, caller: Caller, ids: Mapping[str, Any]) -> list[Record]:
        """The essential facts of an owner, what matters most first: those filed under all names given."""
        service, named = self.service, caller.ids(ids)
        owner = named.owner
        whose: dict[str, Any] = owner_arguments(owner.name)
        entries = service.catalog(owner.name).entries if len(named.given()) > 1 else None
        recalls = [
            recall
            for recall in service.memory.conscious(**whose)
            if entries is None or _is_under(entries.get(recall.id), named)
        ]
        return [self._record(service, caller, owner.name, recall) for recall in recalls]

    def _record(self, service: Service, caller: Caller, owner: str, recall: Any) -> Record:
        """A recall as the tools show it; one that no slot holds any more has no entry."""
        try:
            found = service.get(recall.id, who=caller.who)
        except (NotFound, InvalidInput):
            made = iso(round(recall.created_at.timestamp() * 1_000))
            record = Record(id=recall.id, memory=recall.text, created_at=made, fidelity=str(recall.fidelity))
            return record | owner_arguments(owner)  # type: ignore[return-value]
        return shapes.as_record(Found(found.entry, recall.text, recall))

    # -- forgetting -----------------------------------------------------------------------------

    def delete(self, caller: Caller, memory_ids: Sequence[str]) -> shapes.Deleted:
        """Forgets memories for good."""
        if not memory_ids:
            raise InvalidInput("memory_ids", "is empty", "give the id of at least one memory")
        return _deleted(self.service.delete(memory_ids, who=caller.who))

    def delete_where(self, caller: Caller, ids: Mapping[str, Any]) -> shapes.Deleted:
        """Forgets all that is filed under all the names given."""
        named = caller.ids(ids, explicit=True).given()
        if "*" in named.values():
            raise InvalidInput(
                "user_id", "'*' would be everybody", "name one entity; list_entities shows them"
            )
        wanted = parse({"AND": [{f"{kind}_id": {"eq": name}} for kind, name in named.items()]})
        return _deleted(self.service.delete_where(wanted, who=caller.who))

    def delete_entity(self, caller: Caller, ids: Mapping[str, Any]) -> shapes.Deleted:
        """Forgets somebody: exactly one is to be named."""
        if len(Ids.of(ids).given()) > 1:
            raise InvalidInput("user_id", "is not the only name", "name one entity at a time")
        return self.delete_where(caller, ids)

    # -- who, and what was asked ------------------------------------------------------------------

    def entities(self, caller: Caller) -> shapes.Entities:
        """Everybody that memories are filed under."""
        results = [
            shapes.Entity(
                type=item["kind"], id=item["name"], name=item["name"], total_memories=item["total"],
                created_at=iso(item["first_ms"]), updated_at=iso(item["last_ms"]),
            )
            for item in self.service.filing.entities(caller.who)
        ]  # fmt: skip
        return shapes.Entities(count=len(results), results=results)

    def users(self, caller: Caller) -> list[str]:
        """Names of users that have memories."""
        return [item["name"] for item in self.service.filing.entities(caller.who) if item["kind"] == "user"]

    def events(self, caller: Caller, page: int, size: int) -> shapes.Events:
        """What was asked of the memory, newest first."""
        size, page = _between(size, "page_size", MOST), _between(page, "page", 1_000_000)
        events, start = self.parts().events, (page - 1) * size
        count = events.count(caller.who)
        return shapes.Events(
            count=count,
            page=page,
            page_size=size,
            next_page=page + 1 if start + size < count else None,
            results=[_event(event) for event in events.known(caller.who, limit=size, offset=start)],
        )

    def event(self, caller: Caller, event_id: str) -> shapes.Event:
        """One event."""
        return _event(self.parts().events.get(event_id, caller.who))


def _nobody() -> InvalidInput:
    remedy = "say whose memories are meant: user_id, agent_id, app_id or run_id"
    return InvalidInput("user_id", "is missing", remedy)


def _is_under(entry: Entry | None, named: Ids) -> bool:
    """Whether a memory is filed under every name given."""
    return entry is not None and all(name in entry.ids[kind] for kind, name in named.given().items())


def _between(number: int, field: str, most: int) -> int:
    """A number that may be asked for. Raises InvalidInput when it is not."""
    if not 1 <= number <= most:
        raise InvalidInput(field, f"{number} is out of range", f"give 1 to {most:,}")
    return number


def _deleted(count: int) -> shapes.Deleted:
    return shapes.Deleted(deleted=count, message=f"{count} memor{'y' if count == 1 else 'ies'} deleted")


def _event(event: Event) -> shapes.Event:
    shown: dict[str, Any] = {
        "id": event.id, "event_type": event.kind, "status": event.status,
        "results": event.body.get("memories") or [],
        "created_at": iso(round(event.created * 1_000)),
    }  # fmt: skip
    if event.completed is not None:
        shown["completed_at"] = iso(round(event.completed * 1_000))
    return cast(shapes.Event, shown)
