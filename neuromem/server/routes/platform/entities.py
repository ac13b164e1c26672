"""Users, agents, apps and runs: everybody that memories are filed under."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from ....errors import InvalidInput, NotFound
from ...deps import ThePlatform, Who
from ...entries import KINDS, iso
from ...filters import filed_under
from .pages import paged, place_of

__all__ = ["router"]

router = APIRouter(tags=["mem0 entities"])


@router.get("/v1/entities")
@router.get("/v2/entities")
def entities(request: Request, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """All of them, who came first first."""
    known = platform.service.filing.entities(who)
    totals = {f"total_{kind}s": sum(item["kind"] == kind for item in known) for kind in KINDS}
    return paged(request, known, place_of(request), lambda some: [_shown(item) for item in some]) | totals


@router.get("/v2/entities/{kind}/{name:anything}/profile")  # before the next one, whose name takes in all
def profile(kind: str, name: str, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """What is known of a user."""
    if _kind(kind) != "user":
        raise InvalidInput("entity_type", f"{kind!r} has no profiles", "give user")
    return platform.profiles.get(name, who)


@router.get("/v1/entities/{kind}/{name:anything}")
@router.get("/v2/entities/{kind}/{name:anything}")
def entity(kind: str, name: str, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """One of them."""
    for item in platform.service.filing.entities(who):
        if (item["kind"], item["name"]) == (_kind(kind), name):
            return _shown(item)
    raise NotFound(f"no {kind} {name!r} has memories here")


@router.delete("/v1/entities/{kind}/{name:anything}")
@router.delete("/v2/entities/{kind}/{name:anything}")
def delete_entity(kind: str, name: str, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Forgets all that is filed under exactly this name; there may be nothing left of it."""
    gone = platform.service.delete_where(filed_under(_kind(kind), name), who)
    return {"message": "Entity deleted successfully!", "count": gone}


def _kind(kind: str) -> str:
    if kind.removesuffix("s") not in KINDS:
        raise InvalidInput("entity_type", f"{kind!r:.40} is not known", f"give one of {', '.join(KINDS)}")
    return kind.removesuffix("s")


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": item["name"],
        "name": item["name"],
        "type": item["kind"],
        "total_memories": item["total"],
        "created_at": iso(item["first_ms"]),
        "updated_at": iso(item["last_ms"]),
        "owner": "neuromem",
        "metadata": {},
    }
