"""Memories as mem0 shows them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from ..identity import NOTES
from .entries import KINDS, iso
from .events import Event
from .service import Found

__all__ = ["event_shown", "history_rows", "record", "results_shown"]

ROWS = {"ADD": "ADD", "IMPORT": "ADD", "UPDATE": "UPDATE", "DELETE": "DELETE"}


def record(found: Found, fields: Sequence[str] | None = None) -> dict[str, Any]:
    """A memory; of a search with its score.

    Args:
        fields: keys to be shown, besides the id; None: all.
    """
    entry = found.entry
    shown: dict[str, Any] = {"id": entry.id, "memory": found.text}
    shown |= {f"{kind}_id": next(iter(entry.ids[kind]), None) for kind in KINDS}
    shown |= {
        "metadata": dict(entry.metadata),
        "categories": list(entry.categories),
        "created_at": iso(entry.created_ms),
        "updated_at": iso(entry.updated_ms),
        "expiration_date": entry.expires,
        "immutable": entry.immutable,
        "hash": hashlib.md5(found.text.encode(), usedforsecurity=False).hexdigest(),
        "replaced_by": entry.replaced_by,
        "lifecycle_state": "active" if entry.current else "superseded",
    }
    if found.score is not None:
        shown["score"] = round(found.score, 6)
    if found.recall.explain is not None:
        shown["score_breakdown"] = found.recall.explain
    if fields is None:
        return shown
    return {key: value for key, value in shown.items() if key == "id" or key in fields}


def results_shown(event: Event, texts: Mapping[str, str]) -> list[dict[str, Any]]:
    """What came of an add, in both forms that callers know; `texts`: of the memories that are there."""
    out = []
    for item in event.body.get("memories", ()):
        text, kind = texts.get(item["id"]), {"UPDATE": "ADD", "REINFORCE": "NONE"}.get(item["event"])
        shown = {"id": item["id"], "memory": text, "data": {"memory": text}, "event": kind or item["event"]}
        out.append(shown)
    return out


def event_shown(event: Event, texts: Mapping[str, str]) -> dict[str, Any]:
    """An event, as it is polled."""
    done = event.completed
    shown: dict[str, Any] = {
        "id": event.id,
        "event_id": event.id,
        "event_type": event.kind,
        "status": event.status,
        "payload": {},
        "results": results_shown(event, texts),
        "created_at": iso(round(event.created * 1_000)),
        "updated_at": iso(round((done or event.created) * 1_000)),
        "completed_at": None if done is None else iso(round(done * 1_000)),
        "latency": None if done is None else round((done - event.created) * 1_000, 3),
    }
    return shown | ({"error": event.body["error"]} if event.body.get("error") else {})


def history_rows(
    memory_id: str, stories: Sequence[Mapping[str, Any]], shown: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """What happened to a memory, oldest first.

    Args:
        stories: as `Service.history`. shown: its record; None of one that is gone.
    """
    rows: list[dict[str, Any]] = []
    words: str | None = None
    for story in stories:
        event = ROWS.get(str(story["event"]))
        if event is None:
            continue
        new = None if event == "DELETE" else story.get("text")
        said = {"role": story.get("role", "user"), "content": new}
        rows.append({
            "id": str(uuid5(NAMESPACE_OID, f"{memory_id}/{story['sequence']}")),
            "memory_id": memory_id,
            "input": [said] if new else [],
            "old_memory": words,
            "new_memory": new,
            "event": event,
            **{f"{kind}_id": shown and shown[f"{kind}_id"] for kind in KINDS},
            "categories": shown["categories"] if shown else [],
            "metadata": {k: v for k, v in (story.get("metadata") or {}).items() if k != NOTES},
            "created_at": rows[0]["created_at"] if rows else story["time"],
            "updated_at": story["time"],
        })  # fmt: skip
        words = new
    return rows
