"""What the tools answer: mem0's shapes. A field that has nothing to say is left out: a model reads it all."""

from __future__ import annotations

from typing import Any, cast

from typing_extensions import TypedDict

from ..entries import KINDS, iso
from ..service import Found

__all__ = [
    "Added", "Deleted", "Entities", "Entity", "Event", "Events", "Memories", "Page", "Record", "Told",
    "as_record",
]  # fmt: skip


class Record(TypedDict, total=False):
    """One memory. `fidelity`: how much of it is left, "verbatim" at best; `replaced_by`: no longer true."""

    id: str
    memory: str
    score: float
    user_id: str
    agent_id: str
    app_id: str
    run_id: str
    metadata: dict[str, Any]
    categories: list[str]
    created_at: str
    updated_at: str
    expiration_date: str
    replaced_by: str
    strength: float
    fidelity: str


class Memories(TypedDict):
    """Memories, best first."""

    results: list[Record]


class Page(TypedDict):
    """Memories, newest first: one page of `count` in all."""

    count: int
    page: int
    page_size: int
    next_page: int | None
    results: list[Record]


class Told(TypedDict):
    """A fact that was kept. `event`: ADD, UPDATE (a new memory, which ended an older one), REINFORCE (known)
    or NONE (the same talk was told before)."""

    id: str
    memory: str
    event: str


class Added(TypedDict):
    """What became of words that were told."""

    event_id: str
    status: str
    message: str
    results: list[Told]


class Deleted(TypedDict):
    """How many memories went."""

    deleted: int
    message: str


class Entity(TypedDict):
    """Somebody that memories are filed under."""

    type: str
    id: str
    name: str
    total_memories: int
    created_at: str
    updated_at: str


class Entities(TypedDict):
    """Everybody that memories are filed under."""

    count: int
    results: list[Entity]


class Event(TypedDict, total=False):
    """Something that was asked of the memory, and how it ended."""

    id: str
    event_type: str
    status: str
    results: list[dict[str, Any]]
    created_at: str
    completed_at: str


class Events(TypedDict):
    """What was asked of the memory, newest first."""

    count: int
    page: int
    page_size: int
    next_page: int | None
    results: list[Event]


def as_record(found: Found) -> Record:
    """A memory as the tools show it."""
    entry, recall = found.entry, found.recall
    record: dict[str, Any] = {"id": entry.id, "memory": found.text}
    if found.score is not None:
        record["score"] = round(found.score, 4)
    record |= {f"{kind}_id": entry.ids[kind][0] for kind in KINDS if entry.ids[kind]}
    told = {
        "metadata": dict(entry.metadata), "categories": list(entry.categories),
        "created_at": iso(entry.created_ms), "updated_at": iso(entry.updated_ms),
        "expiration_date": entry.expires, "replaced_by": entry.replaced_by,
        "strength": round(recall.strength, 3), "fidelity": str(recall.fidelity),
    }  # fmt: skip
    record |= {key: value for key, value in told.items() if value not in (None, {}, [])}
    return cast(Record, record)
