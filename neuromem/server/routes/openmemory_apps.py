"""OpenMemory's routes for apps, statistics and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from ..deps import TheService, Who
from ..openmemory import page_of
from ..principals import Forbidden, Principal
from ..secrets import without_secrets
from ..service import Service
from ..wire import reply
from .openmemory import Page, Size, TheOpenMemory

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["OpenMemory"])

SETTINGS = ("configuration", "openmemory")  # where they lie on the desk
EMPTY = {
    "openmemory": {"custom_instructions": None},
    "mem0": {"llm": None, "embedder": None, "vector_store": None},
}
SORTS = {"name": "name", "memories": "total_memories_created", "memories_accessed": "total_memories_accessed"}


@router.get("/apps")
def list_apps(
    open_memory: TheOpenMemory,
    name: str | None = None,
    is_active: bool | None = None,
    sort_by: str = "name",
    sort_direction: Annotated[str, Query(pattern="^(asc|desc)$")] = "asc",
    page: Page = 1,
    page_size: Size = 10,
) -> Response:
    """The apps that tell things."""
    apps = [
        app
        for app in open_memory.apps()
        if (name or "").casefold() in app["name"].casefold() and is_active in (None, app["is_active"])
    ]
    apps.sort(key=lambda app: app[SORTS.get(sort_by, "name")], reverse=sort_direction == "desc")
    shown, about = page_of(apps, page, page_size)
    return reply({"total": about["total"], "page": page, "page_size": page_size, "apps": shown})


@router.get("/apps/{app_id}")
def get_app(app_id: str, open_memory: TheOpenMemory) -> Response:
    """One app, by id or name."""
    return reply(open_memory.app(app_id))


@router.put("/apps/{app_id}")
def update_app(app_id: str, is_active: bool, open_memory: TheOpenMemory) -> Response:
    """Pauses an app: it can tell nothing more, until it is active again. Takes an admin."""
    open_memory.pause_app(app_id, is_active)
    return reply({"status": "success", "message": "Updated app details successfully"})


@router.get("/apps/{app_id}/memories")
def app_memories(app_id: str, open_memory: TheOpenMemory, page: Page = 1, page_size: Size = 10) -> Response:
    """What an app told."""
    entries, about = page_of(open_memory.of_app(app_id), page, page_size)
    memories = [open_memory.record(found) for found in open_memory.service.read(entries)]
    return reply({"total": about["total"], "page": page, "page_size": page_size, "memories": memories})


@router.get("/apps/{app_id}/accessed")
def app_accessed(app_id: str, open_memory: TheOpenMemory, page: Page = 1, page_size: Size = 10) -> Response:
    """What an app told and was recalled, the most often first."""
    pairs, about = page_of(open_memory.accessed(app_id), page, page_size)
    counts = {entry.id: count for entry, count in pairs}
    found = open_memory.service.read([entry for entry, _ in pairs])
    memories = [{"memory": open_memory.record(item), "access_count": counts[item.entry.id]} for item in found]
    return reply({"total": about["total"], "page": page, "page_size": page_size, "memories": memories})


@router.get("/stats")
def stats(user_id: str, open_memory: TheOpenMemory) -> Response:
    """How much there is of a user."""
    return reply(open_memory.stats(user_id))


# -- settings: noted, for tools that want them back. Nothing here needs a model or database of others -------


def _settings(service: Service) -> dict[str, Any]:
    kept = service.desk.get(*SETTINGS) or {}
    return _joined(EMPTY, kept.get("sent", {}))


def _keep(service: Service, settings: dict[str, Any], who: Principal) -> Response:
    if not who.admin:
        raise Forbidden("only the admin may change settings")
    service.desk.put(*SETTINGS, {"sent": without_secrets(settings)}, service.engine.clock())
    return reply(_settings(service))


def _joined(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping)
        out[key] = _joined(out[key], value) if both else value
    return out


@router.get("/config")
def get_config(service: TheService, _who: Who) -> Response:
    """The settings that were sent here, without secrets."""
    return reply(_settings(service))


@router.put("/config")
@router.patch("/config")
def put_config(body: dict[str, Any], service: TheService, who: Who) -> Response:
    """Takes note of settings."""
    return _keep(service, _joined(_settings(service), body), who)


@router.post("/config/reset")
def reset_config(service: TheService, who: Who) -> Response:
    """Drops them."""
    return _keep(service, {}, who)


@router.get("/config/openmemory")
def get_own(service: TheService, _who: Who) -> Response:
    """The part that is OpenMemory's own."""
    return reply(_settings(service)["openmemory"])


@router.put("/config/openmemory")
def put_own(body: dict[str, Any], service: TheService, who: Who) -> Response:
    """Takes note of it."""
    _keep(service, _joined(_settings(service), {"openmemory": body}), who)
    return reply(_settings(service)["openmemory"])


Part = Literal["llm", "embedder", "vector_store"]


@router.get("/config/mem0/{part}")
def get_part(part: Part, service: TheService, _who: Who) -> Response:
    """One of mem0's parts."""
    return reply(_settings(service)["mem0"].get(part))


@router.put("/config/mem0/{part}")
def put_part(part: Part, body: dict[str, Any], service: TheService, who: Who) -> Response:
    """Takes note of it."""
    _keep(service, _joined(_settings(service), {"mem0": {part: body}}), who)
    return reply(_settings(service)["mem0"].get(part))
