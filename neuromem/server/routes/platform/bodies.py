"""What requests bring, checked by type, field by field; whatever clients send beside it is left alone."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import QueryParams

from ....errors import InvalidInput
from ....identity import seconds_of
from ...entries import KINDS, Ids
from ...filters import Filter, every, parse
from ...principals import Principal

__all__ = [
    "Add", "Batch", "Body", "Change", "Listing", "Named", "Query", "day_of", "fields_of_query", "filter_of",
    "plain_object", "read",
]  # fmt: skip

Id = str | int
Texts = str | list[str]
M = TypeVar("M", bound=BaseModel)
IGNORED = (  # of old clients and of integrations; none of these narrows what is meant
    "org_id", "project_id", "org_name", "project_name", "version", "api_version", "output_format", "source",
    "async_mode", "delete_linked",
)  # fmt: skip


class Body(BaseModel):
    """Strict about types, generous about what it does not know."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class Named(Body):
    """The four names at the top level."""

    user_id: Id | None = None
    agent_id: Id | None = None
    app_id: Id | None = None
    run_id: Id | None = None

    def names(self) -> dict[str, Id]:
        """Those that are given."""
        given = {f"{kind}_id": getattr(self, f"{kind}_id") for kind in KINDS}
        return {key: value for key, value in given.items() if value is not None}


class Add(Named):
    """Of an add."""

    messages: Any
    metadata: dict[str, Any] | None = None
    infer: bool | None = None
    custom_categories: list[Any] | None = None
    timestamp: float | str | None = None
    expiration_date: str | None = None
    immutable: bool | None = None
    filters: dict[str, Any] | None = None
    output_format: str | None = None
    async_mode: bool | str | None = None

    def ids(self) -> Ids:
        """The names under which it is to be filed; some callers put them into filters."""
        given = self.names()
        for place in [self.filters or {}, *_plain(self.filters or {})]:
            for kind in KINDS:
                value = place.get(f"{kind}_id")
                if isinstance(value, str | int) and not isinstance(value, bool):
                    given.setdefault(f"{kind}_id", value)
        for key, value in given.items():
            if value == "*":
                raise InvalidInput(key, "'*' stands for everybody", "name one of them")
        return Ids.of(given)


def _plain(filters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    every_ = filters.get("AND")
    return [item for item in every_ if isinstance(item, Mapping)] if isinstance(every_, list) else []


class Narrowing(Named):
    """What a list and a search have in common."""

    filters: dict[str, Any] | None = None
    categories: Texts | None = None
    metadata: dict[str, Any] | None = None
    keywords: Texts | None = None
    start_date: str | int | float | None = None
    end_date: str | int | float | None = None
    show_expired: bool | None = None
    latest_only: bool | None = None
    fields: Texts | None = None
    output_format: str | None = None
    top_k: Annotated[int, Field(ge=1, le=1_000)] | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] | None = None

    def wanted_fields(self) -> list[str] | None:
        """Keys that a record is to have; None: all."""
        chosen = [self.fields] if isinstance(self.fields, str) else self.fields
        return chosen or None


class Query(Narrowing):
    """Of a search."""

    query: str
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    reference_date: str | int | float | None = None
    explain: bool | None = None


class Listing(Narrowing):
    """Of a list."""

    page: Annotated[int, Field(ge=1)] | None = None
    page_size: Annotated[int, Field(ge=1, le=10_000)] | None = None


class Change(Body):
    """Of an update. `data` is a common mistake for `text`."""

    text: str | None = None
    data: str | None = None
    metadata: dict[str, Any] | None = None
    timestamp: float | str | None = None
    expiration_date: str | None = None


class BatchItem(Change):
    """One of several."""

    memory_id: str


class Batch(Body):
    """Several at once."""

    memories: Annotated[list[BatchItem], Field(min_length=1, max_length=1_000)]


def read(model: type[M], given: Any, *, strict: bool = True) -> M:
    """Something that did not come as a body, checked like one.

    Raises:
        RequestValidationError: a field is malformed.
    """
    try:
        return model.model_validate(given, strict=strict)
    except ValidationError as error:
        faults = [dict(fault, loc=("body", *fault["loc"])) for fault in error.errors()]
        raise RequestValidationError(faults) from error


def fields_of_query(query: QueryParams) -> dict[str, Any]:
    """The fields in a query string: repeated keys are lists, objects are JSON or Python's spelling of it."""
    out: dict[str, Any] = {}
    for key in query:
        values = query.getlist(key)
        out[key] = values if len(values) > 1 else values[0]
        if key in ("filters", "metadata"):
            out[key] = plain_object(str(values[0]), key)
    return out


def plain_object(text: str, field: str) -> dict[str, Any]:
    """An object from JSON, or from the `repr` of a dict: so do clients put one into a query string.

    Raises:
        InvalidInput: it is none.
    """
    for reads in (json.loads, ast.literal_eval):
        try:
            found = reads(text[:100_000])
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(found, dict):
            return {str(key): value for key, value in found.items()}
    raise InvalidInput(field, f"{text!r:.60} is no object", 'give JSON such as {"user_id": "ana"}')


def filter_of(body: Narrowing, who: Principal, *, names: bool = True) -> Filter:
    """The filter that a request means.

    Args:
        names: whether user_id and the like may stand beside the filters, as old clients have them.

    Raises:
        InvalidInput: they may not; or nobody is named.
    """
    given = body.names()
    if given and not names:
        field = next(iter(given))
        raise InvalidInput(field, "is not taken at the top level", f'put it into filters: {{"{field}": …}}')
    beside: dict[str, Any] = dict(given)
    if body.metadata:
        beside["metadata"] = body.metadata
    if body.categories:
        beside["categories"] = {
            "in": [body.categories] if isinstance(body.categories, str) else body.categories
        }
    between = {"gte": body.start_date, "lte": body.end_date}
    between = {operator: moment for operator, moment in between.items() if moment is not None}
    if between:
        beside["created_at"] = between
    words = [body.keywords] if isinstance(body.keywords, str) else body.keywords or []
    spoken = [parse({"keywords": {"icontains": word}}) for word in words]
    whole = every([parse(body.filters), parse(beside), *spoken])
    if not whole.scoped and who.user is None:
        raise InvalidInput(
            "filters",
            "names nobody",
            'say whose memories are meant: user_id, agent_id, app_id or run_id; "*" for all',
        )
    return whole


def day_of(given: str | None) -> str | None:
    """A date of expiry as it is kept, YYYY-MM-DD, UTC.

    Raises:
        InvalidInput: it is no date.
    """
    if given is None or not given.strip():
        return None
    seconds = seconds_of(given.strip(), "expiration_date")
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
