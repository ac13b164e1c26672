"""Ping, events, feedback."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request

from ...deps import ThePlatform, Who
from ...projects import ORGANIZATION, PROJECT
from .bodies import Body
from .pages import envelope, place_of

__all__ = ["router"]

router = APIRouter(tags=["mem0"])


class Feedback(Body):
    """What somebody thinks of a memory."""

    memory_id: str
    feedback: Literal["POSITIVE", "NEGATIVE", "VERY_NEGATIVE"] | None = None
    feedback_reason: str | None = None


@router.get("/v1/ping")
def ping(_who: Who) -> dict[str, Any]:
    """Whether the key is good; clients take their ids of organization and project from here."""
    return {"status": "ok", "org_id": ORGANIZATION, "project_id": PROJECT, "user_email": None}


@router.get("/v1/event/{event_id}")
def event(event_id: str, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """How something came out that was asked for."""
    return platform.shown([platform.events.get(event_id, who)], who)[0]


@router.get("/v1/events")
def events(
    request: Request, platform: ThePlatform, who: Who, event_type: str | None = None
) -> dict[str, Any]:
    """What was asked for lately, the last first."""
    kind = event_type and event_type.upper()
    page, size = place_of(request)
    count = platform.events.count(who, kind=kind)
    found = platform.events.known(who, limit=size, offset=(page - 1) * size, kind=kind)
    return envelope(request, count, (page, size), platform.shown(found, who))


@router.post("/v1/feedback")
def feedback(body: Feedback, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Notes what somebody thinks of a memory; null takes it back. It goes when the memory goes."""
    memory_id = platform.service.get(body.memory_id, who=who).entry.id
    kept = {"feedback": body.feedback, "feedback_reason": body.feedback_reason}
    if body.feedback is None:
        platform.desk.remove("feedback", memory_id)
    else:
        platform.desk.put("feedback", memory_id, kept, platform.clock())
    return {"id": memory_id, **kept}
