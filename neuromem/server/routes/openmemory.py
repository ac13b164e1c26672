"""OpenMemory's routes for memories, as its page and scripts for it ask them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from ...errors import InvalidInput
from .. import backup
from ..deps import ThePlatform, TheService, Who
from ..openmemory import APP, Listing, OpenMemory, page_of
from ..turns import TELLING, in_turn
from ..wire import reply

__all__ = ["TheOpenMemory", "router"]

router = APIRouter(prefix="/api/v1", tags=["OpenMemory"])


def _open_memory(service: TheService, platform: ThePlatform, who: Who) -> OpenMemory:
    return OpenMemory(service, platform.adding, who)


TheOpenMemory = Annotated[OpenMemory, Depends(_open_memory)]
Page = Annotated[int, Query(ge=1)]
Size = Annotated[int, Query(ge=1, le=100)]


class NewMemory(BaseModel):
    """What is told."""

    user_id: str
    text: str
    metadata: dict[str, Any] = Field(default_factory=dict)
    infer: bool = True
    app: str = APP


class Chosen(BaseModel):
    """Memories of a user."""

    memory_ids: list[str]
    user_id: str


class Pause(BaseModel):
    """Memories of a user that are put away, or (state "active") taken out again."""

    user_id: str
    memory_ids: list[str] | None = None
    category_ids: list[str] | None = None
    app_id: str | None = None
    all_for_app: bool = False
    global_pause: bool = False
    state: str | None = None


class OtherWords(BaseModel):
    """What a memory shall say."""

    memory_content: str
    user_id: str


class Wanted(BaseModel):
    """Which memories are wanted."""

    user_id: str
    page: int = Field(1, ge=1)
    size: int = Field(10, ge=1, le=100)
    search_query: str | None = None
    app_ids: list[str] | None = None
    category_ids: list[str] | None = None
    sort_column: str | None = None
    sort_direction: str | None = None
    from_date: int | None = None
    to_date: int | None = None
    show_archived: bool | None = False


@router.get("/memories")
def list_memories(
    open_memory: TheOpenMemory,
    user_id: str,
    app_id: str | None = None,
    from_date: int | None = None,
    to_date: int | None = None,
    categories: str | None = None,
    search_query: str | None = None,
    sort_column: str | None = None,
    sort_direction: str | None = None,
    page: Page = 1,
    size: Size = 50,
) -> Response:
    """A page of a user's memories."""
    names = [name.strip() for name in (categories or "").split(",") if name.strip()]
    return reply(
        open_memory.listed(
            Listing(
                user_id, page, size, search_query, [app_id] if app_id else [], names, from_date, to_date,
                sort_column, sort_direction,
            )
        )
    )  # fmt: skip


@router.post("/memories/filter")
def filter_memories(body: Wanted, open_memory: TheOpenMemory) -> Response:
    """As the list, with the archived if they are wanted."""
    return reply(
        open_memory.listed(
            Listing(
                body.user_id, body.page, body.size, body.search_query, body.app_ids or [],
                body.category_ids or [], body.from_date, body.to_date, body.sort_column, body.sort_direction,
                bool(body.show_archived),
            )
        )
    )  # fmt: skip


@router.post("/memories")
@in_turn(TELLING)
def create_memory(body: NewMemory, open_memory: TheOpenMemory) -> Response:
    """Tells something. `null` where there is no fact in it."""
    made = open_memory.create(
        body.user_id, body.text, app=body.app, metadata=body.metadata, infer=body.infer
    )  # fmt: skip
    return reply(made)


@router.delete("/memories")
def delete_memories(body: Chosen, open_memory: TheOpenMemory) -> Response:
    """Forgets memories for good."""
    gone = open_memory.delete(body.memory_ids, body.user_id)
    return reply({"message": f"Successfully deleted {gone} memories"})


@router.get("/memories/categories")
def categories(user_id: str, open_memory: TheOpenMemory) -> Response:
    """What a user's memories are about."""
    found = open_memory.categories(user_id)
    return reply({"categories": found, "total": len(found)})


@router.post("/memories/actions/archive")
def archive(body: list[str] | Chosen, open_memory: TheOpenMemory, user_id: str | None = None) -> Response:
    """Archives memories: they are kept, and neither listed nor recalled."""
    chosen = body if isinstance(body, list) else body.memory_ids
    whose = user_id if isinstance(body, list) else body.user_id
    if whose is None:
        raise InvalidInput("user_id", "is missing", "say whose memories they are")
    done = open_memory.set_state(chosen, "archived", whose)
    return reply({"message": f"Successfully archived {done} memories"})


@router.post("/memories/actions/pause")
def pause(body: Pause, open_memory: TheOpenMemory) -> Response:
    """Pauses memories by id, by category, of an app, or all of a user."""
    state = body.state or "paused"
    if body.memory_ids:
        chosen = body.memory_ids
    elif body.global_pause or body.app_id or body.category_ids:
        apps = [body.app_id] if body.app_id else []
        chosen = open_memory.ids(Listing(body.user_id, apps=apps, categories=body.category_ids or []))
    else:
        raise InvalidInput(
            "memory_ids", "is missing", "give memory_ids, category_ids, app_id or global_pause"
        )
    done = open_memory.set_state(chosen, state, body.user_id)
    return reply({"message": f"Successfully paused {done} memories", "state": state})


@router.get("/memories/{memory_id}")
def get_memory(memory_id: str, open_memory: TheOpenMemory) -> Response:
    """One memory."""
    record = open_memory.record(open_memory.get(memory_id))
    return reply(record | {"text": record["content"]})


@router.put("/memories/{memory_id}")
def update_memory(memory_id: str, body: OtherWords, open_memory: TheOpenMemory) -> Response:
    """Gives a memory other words."""
    return reply(open_memory.change(memory_id, body.memory_content, body.user_id))


@router.get("/memories/{memory_id}/access-log")
def access_log(memory_id: str, open_memory: TheOpenMemory, page: Page = 1, page_size: Size = 10) -> Response:
    """When a memory was recalled."""
    logs, about = page_of(open_memory.access_log(memory_id), page, page_size)
    return reply({"total": about["total"], "page": page, "page_size": page_size, "logs": logs})


@router.get("/memories/{memory_id}/related")
def related(memory_id: str, user_id: str, open_memory: TheOpenMemory, page: Page = 1) -> Response:
    """Memories that this one brings to mind, five on a page."""
    return reply(open_memory.related(memory_id, user_id, page))


# -- backups --------------------------------------------------------------------------------------------


class ToExport(BaseModel):
    """What a backup shall hold."""

    user_id: str
    app_id: str | None = None
    from_date: int | None = None
    to_date: int | None = None
    include_vectors: bool = True


@router.post("/backup/export", response_class=Response)
def export(body: ToExport, open_memory: TheOpenMemory) -> Response:
    """A user's memories as a zip."""
    apps = [body.app_id] if body.app_id else []
    wanted = Listing(body.user_id, apps=apps, from_date=body.from_date, to_date=body.to_date)
    headers = {"Content-Disposition": 'attachment; filename="memories_export.zip"'}
    return Response(backup.export(open_memory, wanted), media_type="application/zip", headers=headers)


@router.post("/backup/import")
def import_(
    file: UploadFile, user_id: Annotated[str, Form()], open_memory: TheOpenMemory, mode: str = "overwrite"
) -> Response:
    """Tells a user what a backup holds. What they know already is not told twice, whatever the mode."""
    if mode not in ("skip", "overwrite"):
        raise InvalidInput("mode", f"{mode!r:.60} is not known", "give 'skip' or 'overwrite'")
    ids = backup.import_(open_memory, file.file.read(), user_id)
    return reply({"message": f'Import completed into user "{user_id}"', "ids": ids})
