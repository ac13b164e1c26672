"""Adding, listing and searching as older clients do: `/v1` and `/v2`, with names beside the filters.

They want bare lists; `{"results": …}` where they say `output_format: "v1.1"`, pages where they ask for one.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from ....errors import InvalidInput
from ...deps import ThePlatform, Who
from ...entries import KINDS
from ...events import DONE
from ...filters import every, parse
from ...platform import Platform
from ...principals import Principal
from ...records import record
from ...turns import ASKING, TELLING, in_turn
from .bodies import IGNORED, Add, Listing, Query, fields_of_query, filter_of, plain_object, read
from .memories import QUEUED, Key, listed, searched, told
from .pages import paged, place_of

__all__ = ["router"]

router = APIRouter(tags=["mem0 v1 and v2"])
Answer = dict[str, Any] | list[dict[str, Any]]


@router.post("/v1/memories")
@router.post("/v2/memories/add")
@in_turn(TELLING, unless=lambda body: body.async_mode == QUEUED)
def add(body: Add, platform: ThePlatform, who: Who, key: Key = None) -> Answer:
    """As in v3."""
    answer = told(body, platform, who, key)
    results: list[dict[str, Any]] = answer["results"]
    return results if body.output_format == "v1.0" else answer


@router.get("/v1/memories")
@router.get("/v2/memories")
def list_of_query(request: Request, platform: ThePlatform, who: Who) -> Answer:
    """A list, asked for in the query string."""
    body = read(Listing, fields_of_query(request.query_params), strict=False)
    return _list(body, request, platform, who)


@router.post("/v2/memories")
def list_(body: Listing, request: Request, platform: ThePlatform, who: Who) -> Answer:
    """A list."""
    return _list(body, request, platform, who)


def _list(body: Listing, request: Request, platform: Platform, who: Principal) -> Answer:
    entries = listed(body, filter_of(body, who), platform, who)

    def show(some: Any) -> list[dict[str, Any]]:
        return [record(found, body.wanted_fields()) for found in platform.service.read(some)]

    in_query = {"page", "page_size"} & set(request.query_params)
    if in_query or body.page or body.page_size:
        return paged(request, entries, place_of(request, body.page, body.page_size), show)
    most = body.top_k or body.limit
    shown = show(entries[:most] if most else entries)
    return {"results": shown} if body.output_format == "v1.1" else shown


@router.post("/v1/memories/search")
@router.post("/v2/memories/search")
@in_turn(ASKING)
def search(body: Query, platform: ThePlatform, who: Who) -> Answer:
    """A search."""
    found = searched(body, filter_of(body, who), platform, who)
    return {"results": found} if body.output_format == "v1.1" else found


@router.delete("/v1/memories")
def delete_all(request: Request, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Forgets all that is filed under names; without any it forgets nothing and says so."""
    given = dict(request.query_params)
    filters = plain_object(given.pop("filters"), "filters") if "filters" in given else {}
    beside: dict[str, Any] = {}
    if "metadata" in given:
        beside["metadata"] = plain_object(given.pop("metadata"), "metadata")
    for kind in KINDS:
        name = given.pop(f"{kind}_id", None)
        if name is not None and not name.strip():
            raise InvalidInput(f"{kind}_id", "is blank", "name somebody, or leave it out")
        if name is not None:
            beside[f"{kind}_id"] = name
    unknown = sorted(set(given) - set(IGNORED))
    if unknown:  # to leave it out of account would delete more than was meant
        raise InvalidInput(
            unknown[0], "is not known here", "name user_id, agent_id, app_id, run_id or filters"
        )
    whole = every([parse(filters), parse(beside)])
    if not whole.scoped:
        raise InvalidInput(
            "filters",
            "names nobody",
            'say whose memories go: user_id, agent_id, app_id or run_id; "*" for all',
        )
    gone = platform.service.delete_where(whole, who)
    event = platform.events.record("DELETE", DONE, who.scope or "", {"count": gone})
    return {"message": "Memories deleted successfully!", "event_id": event, "count": gone}
