"""Exports and summaries. An export is kept as what was asked for; words are gathered when it is fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Body, Request

from ....errors import InvalidInput, NotFound
from ...deps import ThePlatform, Who
from ...filling import fill, read_schema
from ...filters import Filter, every, parse
from ...platform import Platform
from ...principals import Principal
from ...records import record
from .bodies import Named, fields_of_query, read

__all__ = ["router"]

router = APIRouter(tags=["mem0 exports"])
Given = Annotated[dict[str, Any], Body()]
SAID = 40  # memories that a summary tells of


@router.post("/v1/exports", status_code=201)
def create(body: Given, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Asks for an export: memories that pass the filters, in the shape of a schema."""
    if "schema" not in body:
        raise InvalidInput("schema", "is missing", "give a JSON schema")
    schema, asked = read_schema(body["schema"]), _asked(body)
    _filter(asked)
    export = str(uuid4())
    kept = {"schema": schema, "asked": asked, "who": who.user}
    platform.desk.put("export", export, kept, platform.clock())
    return {"message": "Memory export request received. The export will be ready in a moment.", "id": export}


@router.post("/v1/exports/get")
def get(body: Given, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """An export, by its id or the filters that it was asked for with."""
    return _gathered(_find(body, platform, who), platform, who)


@router.get("/v1/exports")
def get_of_query(request: Request, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """As older clients ask for one."""
    return _gathered(_find(fields_of_query(request.query_params), platform, who), platform, who)


@router.post("/v1/summary")
def summary(body: Given, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """What is known, in the words of the memories that count most."""
    filter_ = _filter(_asked(body))
    if not filter_.scoped and who.user is None:
        raise InvalidInput("filters", "names nobody", "say whose memories are meant")
    entries = platform.service.entries(filter_, latest_only=True, who=who)
    texts = [found.text for found in platform.service.read(entries[:SAID])]
    said = " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in reversed(texts))
    return {"summary": said, "count": len(entries), "status": "succeeded"}


def _asked(body: Mapping[str, Any]) -> dict[str, Any]:
    """What an export is about: filters, and names beside them."""
    filters = body.get("filters")
    if filters is not None and not isinstance(filters, Mapping):
        raise InvalidInput("filters", f"is of type {type(filters).__name__}", "give an object")
    return {"filters": dict(filters or {}), **read(Named, dict(body)).names()}


def _filter(asked: Mapping[str, Any]) -> Filter:
    names = {key: value for key, value in asked.items() if key != "filters"}
    return every([parse(asked["filters"]), parse(names)])


def _find(body: Mapping[str, Any], platform: Platform, who: Principal) -> dict[str, Any]:
    """An export that is theirs.

    Raises:
        NotFound: there is none.
    """
    wanted = body.get("memory_export_id") or body.get("id")
    asked = json.dumps(_asked(body), sort_keys=True)
    fitting = [
        export
        for export in platform.desk.things("export")
        if (export["id"] == wanted if wanted else json.dumps(export["asked"], sort_keys=True) == asked)
        and (who.user is None or export["who"] == who.user)
    ]
    if not fitting:
        raise NotFound("no such export was asked for")
    return fitting[-1]


def _gathered(export: Mapping[str, Any], platform: Platform, who: Principal) -> dict[str, Any]:
    filter_, schema = _filter(export["asked"]), export["schema"]
    filled = fill(platform.service, schema, filter_, who)
    if schema.get("additionalProperties") is False and filled:
        return filled
    found = platform.service.read(platform.service.entries(filter_, who=who))
    return {"memories": [record(item) for item in found], **filled}
