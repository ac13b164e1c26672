"""Memories in sound over HTTP: put records into a FLAC file, ask it, fetch it or a range of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ...errors import InvalidInput
from ..deps import TheArchives, TheMetrics, Who
from ..ranges import send_file
from ..wire import reply

__all__ = ["router"]

router = APIRouter(tags=["memories in sound"])
Name = Annotated[str, Field(min_length=1, max_length=256)]
Whose = Annotated[str | None, Query(min_length=1, max_length=256)]
MEDIA = "audio/flac"
RANGED: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {MEDIA: {}}},
    206: {"description": "The range that was asked for.", "content": {MEDIA: {}}},
    304: {"description": "It is the one of If-None-Match."},
    412: {"description": "It is not the one of If-Match."},
    416: {"description": "It has no such range."},
}


class Given(BaseModel):
    """What a request may hold; anything else is refused."""

    model_config = ConfigDict(extra="forbid", str_max_length=1 << 22)


class Record(Given):
    """What is kept."""

    value: str | dict[str, Any]
    id: Annotated[str | None, Field(min_length=1, max_length=256)] = None
    time: float | str | None = None


class Encode(Given):
    """Records for an archive, or the whole memory of a user."""

    name: Name
    user_id: Name | None = None
    records: Annotated[list[Record], Field(max_length=10_000)] = []
    memory: bool = False
    profile: Name | None = None
    semantic: bool = False


class Ask(Given):
    """What is wanted of an archive: ids, a question, a span of time, or else the newest records."""

    name: Name
    user_id: Name | None = None
    ids: Annotated[list[Name], Field(max_length=1_000)] = []
    query: Annotated[str | None, Field(min_length=1)] = None
    start: float | str | None = None
    stop: float | str | None = None
    as_of: Annotated[int | None, Field(ge=0, lt=1 << 24)] = None
    limit: int = Field(10, ge=1, le=1_000)


@router.post("/encode", status_code=201)
def encode(body: Encode, archives: TheArchives, metrics: TheMetrics, who: Who) -> Response:
    """Appends records to an archive as a version of it, or writes a memory into one; durable when answered.

    `semantic` keeps a key for each text, by which `POST /query` finds it; it takes more room than the text.
    409: the archive of that name holds a memory, and records are given, or the other way round.
    """
    if body.memory == bool(body.records):
        raise InvalidInput("records", "and `memory` exclude each other", "give records, or memory: true")
    if body.memory:
        about = archives.encode_memory(body.name, body.user_id, who, body.profile)
    else:
        rows = [(record.value, record.id, record.time) for record in body.records]
        about = archives.encode(body.name, body.user_id, who, rows, body.profile, body.semantic)
    metrics.archive_records.labels("encoded").inc(len(body.records) or about["records"])
    return reply(about, 201)


@router.post("/query")
def query(body: Ask, archives: TheArchives, metrics: TheMetrics, who: Who) -> Response:
    """Finds records in an archive."""
    answer = archives.query(
        body.name, body.user_id, who, text=body.query, ids=body.ids, times=(body.start, body.stop),
        as_of=body.as_of, limit=body.limit,
    )  # fmt: skip
    metrics.archive_records.labels("found").inc(len(answer["results"]))
    return reply(answer)


@router.get("/archive/{name}", response_class=Response, responses=RANGED)
def fetch(
    name: str, request: Request, archives: TheArchives, metrics: TheMetrics, who: Who, user_id: Whose = None
) -> Response:
    """An archive as it is, or a range of it (`Range`, `If-Range`, `If-Match`, `If-None-Match`)."""
    sent = send_file(archives.existing(name, user_id, who), request.headers, MEDIA, head=False)
    metrics.archive_bytes.inc(int(sent.headers.get("content-length", 0)))
    return sent


@router.head("/archive/{name}", response_class=Response, responses=RANGED)
def look(name: str, request: Request, archives: TheArchives, who: Who, user_id: Whose = None) -> Response:
    """The headers that GET would answer with."""
    return send_file(archives.existing(name, user_id, who), request.headers, MEDIA, head=True)


@router.delete("/archive/{name}")
def remove(name: str, archives: TheArchives, who: Who, user_id: Whose = None) -> Response:
    """Deletes an archive."""
    archives.remove(name, user_id, who)
    return reply({"message": f"archive {name} deleted"})
