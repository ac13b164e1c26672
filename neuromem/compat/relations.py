"""What mem0's users of a graph read under "relations": the triples that the memories' gists are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..facts import SPEAKER
from ..server.service import Service

__all__ = ["added", "triples"]


def triples(service: Service, records: Iterable[dict[str, Any]], last: str) -> list[dict[str, str]]:
    """Subject, relation and object of each memory that is a triple; `last` names the object's key."""
    return [
        {"source": source, "relationship": relation, last: target}
        for record in records
        for source, relation, target in [_triple(service, record)] if relation
    ]  # fmt: skip


def added(service: Service, results: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """The same, as `add` answers it."""
    new = [result for result in results if result["event"] == "ADD"]
    return {"deleted_entities": [], "added_entities": triples(service, new, "target")}


def _triple(service: Service, record: dict[str, Any]) -> tuple[str, str, str]:
    found = service.get(record["id"])
    parts = found.recall.gist.split("|")
    if len(parts) != 3 or not all(parts):
        return "", "", ""
    whose = next((names[0] for names in found.entry.ids.values() if names), "")
    source = whose if parts[0] == SPEAKER else parts[0]
    return source, parts[1].replace(" ", "_"), parts[2]
