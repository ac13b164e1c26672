"""From memories to an object of a wanted shape, without a model: each property is asked for like a question.

A property takes the memory that answers its description best; a list takes all that answer it; a number, the
first one in the answer. What nothing answers stays null: better a gap than a guess.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from .filters import Filter
from .principals import Principal
from .records import record
from .service import Found, Search, Service

__all__ = ["fill", "profile_of", "read_schema"]

SURE = 0.4  # public score from which a memory is an answer
MANY, DEEPEST, MOST_PROPERTIES = 20, 4, 100
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")


def read_schema(given: Any, field: str = "schema") -> dict[str, Any]:
    """A JSON schema, given as such or as its text.

    Raises:
        InvalidInput: it is none.
    """
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return {"description": given}  # a description in words: mem0 takes that, too
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidInput(field, f"is of type {type(given).__name__}", "give a JSON schema")
    properties = given.get("properties", {})
    if not isinstance(properties, Mapping) or not all(
        isinstance(item, Mapping) for item in properties.values()
    ):
        raise InvalidInput(
            f"{field}.properties", "is no object of schemas", 'give {"name": {"type": "string"}}'
        )
    if len(properties) > MOST_PROPERTIES:
        raise InvalidInput(f"{field}.properties", f"has {len(properties)}", f"give at most {MOST_PROPERTIES}")
    return dict(given)


def fill(
    service: Service, schema: Mapping[str, Any], filter_: Filter, who: Principal, depth: int = 0
) -> dict[str, Any]:
    """An object of the schema's shape from the memories that pass a filter."""
    out: dict[str, Any] = {}
    for name, wanted in schema.get("properties", {}).items():
        if (
            wanted.get("type") == "object"
            and isinstance(wanted.get("properties"), Mapping)
            and depth < DEEPEST
        ):
            out[name] = fill(service, wanted, filter_, who, depth + 1)
            continue
        question = str(wanted.get("description") or name.replace("_", " ")).strip() or name
        search = Search(question[:1_000], filter_, limit=MANY, threshold=SURE, rehearse=False)
        out[name] = _value(str(wanted.get("type", "string")), service.search(search, who=who))
    return out


def _value(kind: str, found: list[Found]) -> Any:
    texts = [item.text for item in found]
    if kind == "array":
        return texts
    if not texts:
        return None
    if kind in ("number", "integer"):
        number = _NUMBER.search(texts[0])
        read = float(number[0].replace(",", ".")) if number else None
        return int(read) if read is not None and kind == "integer" else read
    return texts[0] if kind == "string" else None


def profile_of(
    service: Service, schema: Mapping[str, Any], filter_: Filter, who: Principal
) -> dict[str, Any]:
    """What is known of somebody: by the schema, else by categories."""
    if schema.get("properties"):
        return fill(service, schema, filter_, who)
    profile: dict[str, Any] = {}
    for found in service.read(service.entries(filter_, latest_only=True, who=who)):
        for category in record(found)["categories"] or ["misc"]:
            profile.setdefault(category, []).append(found.text)
    return profile
