"""One memory at a time, and several by their ids."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ....errors import InvalidInput
from ....facts import read_turns
from ....identity import seconds_of
from ....tell import check_metadata
from ...deps import ThePlatform, Who
from ...entries import own_metadata
from ...records import history_rows, record
from .bodies import Batch, Change, day_of

__all__ = ["router"]

router = APIRouter(tags=["mem0 v1"])


@router.get("/v1/memories/{memory_id}/history")
def history(memory_id: str, platform: ThePlatform, who: Who) -> list[dict[str, Any]]:
    """What happened to a memory, oldest first."""
    stories = platform.service.history(memory_id, who)
    held = platform.service.holds(memory_id)
    shown = record(platform.service.get(memory_id, who=who)) if held else None
    return history_rows(memory_id, stories, shown)


@router.get("/v1/memories/{memory_id}")
def get(memory_id: str, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """One memory, expired or not."""
    return record(platform.service.get(memory_id, who=who))


@router.put("/v1/memories/{memory_id}")
@router.patch("/v1/memories/{memory_id}")
def update(memory_id: str, body: Change, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Changes what is given; an expiration date of null takes it away."""
    return record(platform.service.update(memory_id, **_changes(body), who=who))


@router.delete("/v1/memories/{memory_id}")
def delete(memory_id: str, platform: ThePlatform, who: Who, delete_linked: bool = False) -> dict[str, Any]:
    """Forgets a memory for good; `delete_linked`: with those that it superseded."""
    gone = platform.service.delete([memory_id], linked=delete_linked, who=who)
    answer: dict[str, Any] = {"message": "Memory deleted successfully!"}
    return answer | ({"cascade_count": gone - 1} if delete_linked else {})


@router.put("/v1/batch")
def update_batch(body: Batch, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Changes several; none when one of them is not there, or cannot be changed so."""
    changes = [_changes(item) for item in body.memories]
    for place, (item, change) in enumerate(zip(body.memories, changes, strict=True)):
        if not change:
            raise InvalidInput(f"memories[{place}].text", "is missing", "give text or metadata")
        platform.service.get(item.memory_id, who=who)
        _check(change, f"memories[{place}]")
    for item, change in zip(body.memories, changes, strict=True):
        platform.service.update(item.memory_id, **change, who=who)
    return {"message": f"Successfully updated {len(changes)} memories"}


@router.delete("/v1/batch")
def delete_batch(body: Batch, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Forgets several; none when one of them is not there."""
    gone = platform.service.delete([item.memory_id for item in body.memories], who=who)
    return {"message": f"Successfully deleted {gone} memories"}


def _check(change: dict[str, Any], place: str) -> None:
    """Raises InvalidInput where `Service.update` would, before the first of several is changed."""
    try:
        if "text" in change:
            read_turns(change["text"])
        check_metadata(own_metadata(change.get("metadata")))
        if "timestamp" in change:
            seconds_of(change["timestamp"])
    except InvalidInput as error:
        field = error.field.replace("messages", "text")
        raise InvalidInput(f"{place}.{field}", error.problem, error.remedy) from error


def _changes(body: Change) -> dict[str, Any]:
    """What is to be changed, as arguments of `Service.update`."""
    out: dict[str, Any] = {}
    text = body.text if body.text is not None else body.data
    if text is not None:
        out["text"] = text
    if body.metadata is not None:
        out["metadata"] = body.metadata
    if body.timestamp is not None:
        out["timestamp"] = body.timestamp
    if "expiration_date" in body.model_fields_set:
        out["notes"] = {"expires": day_of(body.expiration_date)}
    return out
