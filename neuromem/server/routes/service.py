"""The memory service's own routes: sessions, ingest, recall, conscious memory, sleep."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ...checks import check_search
from ...identity import Owner
from ...recall import Recall
from ..adding import Telling
from ..deps import Admin, TheBackground, TheEvents, ThePlatform, TheService, Who
from ..entries import Entry, Ids, told_under
from ..events import Event
from ..filters import Filter, Index, Words
from ..principals import Principal
from ..service import Search, Service
from ..turns import ASKING, TELLING, in_turn
from ..wire import reply

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["memory service"])
INGEST = "INGEST"
MOST = 10_000  # results of a search
Name = Annotated[str, Field(min_length=1, max_length=256)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)]


class Given(BaseModel):
    """What a request may hold; anything else is refused."""

    model_config = ConfigDict(extra="forbid", str_max_length=1 << 22)


class NewSession(Given):
    """A talk that begins."""

    user_id: Name | None = None
    metadata: dict[str, Any] | None = None  # taken, and kept nowhere: every ingest has its own


class Ingest(Given):
    """What was said."""

    user_id: Name | None = None
    messages: str | dict[str, Any] | list[dict[str, Any]]
    session_id: Name | None = None
    metadata: dict[str, Any] | None = None
    timestamp: float | str | None = None
    infer: bool = True
    async_mode: bool = False


class Ask(Given):
    """A question."""

    user_id: Name | None = None
    query: str
    limit: int = Field(10, ge=1, le=MOST)
    current_view_only: bool = True
    session_id: Name | None = None
    deep: bool = False
    fidelity: str = "auto"


# -- telling --------------------------------------------------------------------------------------------


@router.post("/sessions", status_code=201)
def begin(body: NewSession, service: TheService, who: Who) -> Response:
    """Begins a session; gives what an assistant should have in mind from the start."""
    ids = who.check(Ids(user=body.user_id))
    return reply(
        {"session_id": str(uuid4()), "user_id": ids.user, "conscious": _conscious(service, ids.owner)}, 201
    )  # fmt: skip


@router.post("/ingest", responses={202: {"description": "Taken on; ask for the event."}})
@in_turn(TELLING, unless=lambda body: body.async_mode)
def ingest(body: Ingest, platform: ThePlatform, who: Who, key: Key = None) -> Response:
    """Remembers what is said; durable when it is answered.

    With an `Idempotency-Key`, a request that is sent again is answered as before and told once.
    """
    ids = who.check(Ids(user=body.user_id, run=body.session_id))
    telling = Telling(ids, body.messages, body.metadata, body.infer, body.timestamp)
    event, texts = platform.adding.add(telling, key, who, kind=INGEST, later=body.async_mode)
    if event.completed is None:
        return reply({"event_id": event.id, "status": event.status}, 202)
    memories = _memories_of(event, texts, platform.service, who)
    return reply({"event_id": event.id, "status": event.status, "memories": memories})


def _memories_of(
    event: Event, texts: Mapping[str, str], service: Service, who: Principal
) -> list[dict[str, Any]]:
    """What an event came to; words that were not told just now are read, as far as they are still there."""
    memories = event.body.get("memories", ())
    unread = [item["id"] for item in memories if item["id"] not in texts]
    read = {found.entry.id: found.text for found in service.read_ids(unread, who)}
    return [item | {"memory": texts.get(item["id"], read.get(item["id"]))} for item in memories]


def _event(service: Service, event: Event, who: Principal) -> dict[str, Any]:
    """An event as it is shown."""
    memories = _memories_of(event, {}, service, who)
    return {
        "event_id": event.id, "kind": event.kind, "status": event.status, "created_at": event.created,
        "completed_at": event.completed, "error": event.body.get("error"), "memories": memories,
    }  # fmt: skip


@router.get("/events/{event_id}")
def event(event_id: str, service: TheService, events: TheEvents, who: Who) -> Response:
    """What became of an ingest."""
    return reply(_event(service, events.get(event_id, who), who))


# -- asking ---------------------------------------------------------------------------------------------


def _filed(ids: Ids) -> Filter:
    """What a user has, filed under a session where one is given. A name is a name here, "*" too."""
    owner = ids.owner.name

    def test(entry: Entry, _words: Words) -> bool:
        return ids.run is None or ids.run in entry.ids["run"]

    def owners(_index: Index) -> set[str]:
        return {owner}

    return Filter(test, owners, scoped=True)


@router.post("/recall")
@in_turn(ASKING, unless=lambda body: body.deep)  # that is slow, and nobody should wait behind it
def recall(body: Ask, service: TheService, who: Who) -> Response:
    """Recalls what answers a question, best first."""
    started = time.perf_counter()
    ids = who.check(Ids(user=body.user_id, run=body.session_id))
    wanted = _filed(ids)
    if body.deep:
        memories = _deep(service, ids, body)
    else:
        search = Search(
            body.query, wanted, body.limit, latest_only=None if body.current_view_only else False,
            fidelity=body.fidelity,
        )  # fmt: skip
        found = service.search(search, who=who)
        memories = [
            _memory(item.recall, item.entry.metadata, item.score, item.entry.replaced_by) for item in found
        ]
    spent = (time.perf_counter() - started) * 1_000
    return reply({"memories": memories, "latency_ms": round(spent, 3)})


def _deep(service: Service, ids: Ids, body: Ask) -> list[dict[str, Any]]:
    """The slow path: every word ever said."""
    owner = ids.owner
    check_search(body.query, body.limit, body.fidelity, None)
    if not service.engine.log.length(owner.name):
        return []
    among = told_under(ids)  # not among what was found: that is brought back
    found = service.memory.deep(body.query, ids.user, limit=body.limit, among=among)
    entries = service.catalog(owner.name).entries
    return [
        _memory(
            item, entry.metadata if (entry := entries.get(item.id)) else {}, item.score, item.superseded_by
        )
        for item in found
    ]


def _memory(
    recall: Recall, metadata: Any, score: float | None = None, superseded_by: str | None = None
) -> dict[str, Any]:
    shown = {
        "id": recall.id, "memory": recall.text, "strength": round(recall.strength, 4),
        "fidelity": str(recall.fidelity), "gist": recall.gist, "created_at": recall.created_at.isoformat(),
        "updated_at": recall.updated_at.isoformat(), "last_refreshed_at": recall.updated_at.isoformat(),
        "superseded_by": superseded_by,
        "valid_until": recall.valid_until.isoformat() if recall.valid_until else None,
        "metadata": dict(metadata),
    }  # fmt: skip
    return shown if score is None else shown | {"score": round(score, 4)}


@router.get("/conscious")
def conscious(
    service: TheService, who: Who, user_id: Annotated[str | None, Query(min_length=1, max_length=256)] = None
) -> Response:
    """The essential facts that hold now: what to have in mind before anything is asked."""
    return reply({"memories": _conscious(service, who.check(Ids(user=user_id)).owner)})


def _conscious(service: Service, owner: Owner) -> list[dict[str, Any]]:
    if not service.engine.log.length(owner.name):
        return []
    found = service.memory.conscious(owner.id)
    entries = service.catalog(owner.name).entries
    return [_memory(item, entries[item.id].metadata) for item in found if item.id in entries]


@router.post("/sleep")
def sleep(background: TheBackground, _who: Admin) -> Response:
    """Merges what says the same, refreshes essentials in use, forgets what has faded: for everybody."""
    return reply(background.sleep())
