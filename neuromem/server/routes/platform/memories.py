"""Adding, listing and searching as clients do today (`/v3`)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request

from ....errors import InvalidInput
from ....identity import seconds_of
from ...adding import Telling
from ...categories import definitions
from ...deps import ThePlatform, Who
from ...events import PENDING
from ...filters import Filter
from ...platform import Platform
from ...principals import Principal
from ...records import record, results_shown
from ...service import Search
from ...turns import ASKING, TELLING, in_turn
from .bodies import Add, Listing, Query, day_of, filter_of
from .pages import paged, place_of

__all__ = ["QUEUED", "Key", "listed", "router", "searched", "told"]

router = APIRouter(tags=["mem0 v3"])
THRESHOLD, TOP_K = 0.1, 10
QUEUED = "queue"  # the `async_mode` that takes an add on for later; older clients send true with every add
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=1_000)]


@router.post("/v3/memories/add")
@in_turn(TELLING, unless=lambda body: body.async_mode == QUEUED)
def add(body: Add, platform: ThePlatform, who: Who, key: Key = None) -> dict[str, Any]:
    """Remembers what is said; it is durable when this answers."""
    return told(body, platform, who, key)


@router.post("/v3/memories")
def list_(body: Listing, request: Request, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """A page of memories, what was told last first."""
    entries = listed(body, filter_of(body, who, names=False), platform, who)
    service, fields = platform.service, body.wanted_fields()
    return paged(
        request, entries, place_of(request, body.page, body.page_size or body.top_k or body.limit),
        lambda some: [record(found, fields) for found in service.read(some)],
    )  # fmt: skip


@router.post("/v3/memories/search")
@in_turn(ASKING)
def search(body: Query, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """What answers a question, best first."""
    return {"results": searched(body, filter_of(body, who, names=False), platform, who)}


def told(body: Add, platform: Platform, who: Principal, key: str | None) -> dict[str, Any]:
    """Adds; the answer has the event and what came of it."""
    telling = Telling(
        ids=body.ids(),
        messages=body.messages,
        metadata=body.metadata,
        infer=body.infer is not False,
        timestamp=body.timestamp,
        expires=day_of(body.expiration_date),
        among=definitions(body.custom_categories),
        immutable=bool(body.immutable),
    )
    event, texts = platform.adding.add(telling, key, who, later=body.async_mode == QUEUED)
    if event.body.get("memories") and not texts:
        texts = platform.texts([event], who)
    results = results_shown(event, texts)
    new = sum(item["event"] == "ADD" for item in results)
    message = f"{new} new memories" if new != 1 else "1 new memory"
    if event.status == PENDING:
        message = "Taken on; ask for the event."
    return {"event_id": event.id, "status": event.status, "message": message, "results": results}


def listed(body: Listing, filter_: Filter, platform: Platform, who: Principal) -> Any:
    """The entries that a list is about."""
    return platform.service.entries(
        filter_, show_expired=bool(body.show_expired), latest_only=bool(body.latest_only), who=who
    )


def searched(body: Query, filter_: Filter, platform: Platform, who: Principal) -> list[dict[str, Any]]:
    """The records that a search finds."""
    query = body.query.strip()
    if not query:
        raise InvalidInput("query", "is blank", "ask for something")
    at = body.reference_date
    wanted = Search(
        query,
        filter_,
        limit=body.top_k or body.limit or TOP_K,
        threshold=THRESHOLD if body.threshold is None else body.threshold,
        show_expired=bool(body.show_expired),
        latest_only=body.latest_only,
        at=None if at is None else moment(at, "reference_date"),
        decay=platform.projects.decay,
        explain=bool(body.explain),
    )
    fields = body.wanted_fields()
    return [record(found, fields) for found in platform.service.search(wanted, who=who)]


def moment(given: str | int | float, field: str) -> float:
    """Unix seconds of a date, a time, or Unix seconds as text."""
    if isinstance(given, str) and given.replace(".", "", 1).isdigit() and len(given) > 8:
        given = float(given)
    return seconds_of(given, field)
