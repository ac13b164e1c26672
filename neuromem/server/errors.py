"""Errors as answers: one JSON shape that every client of mem0 can read.

`detail` is what mem0's Python client shows; others read `error` or `message`. None holds words of a memory
but those that the request itself sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ..errors import (
    CapacityExhausted,
    Closed,
    InvalidInput,
    MissingDependency,
    NeuromemError,
    NotFound,
    StoreError,
)
from .principals import Forbidden
from .wire import reply

__all__ = ["Refused", "answer", "install"]

STATUS: tuple[tuple[type[NeuromemError], int], ...] = (
    (Forbidden, 403),
    (InvalidInput, 400),
    (NotFound, 404),
    (CapacityExhausted, 413),
    (Closed, 503),
    (StoreError, 503),
    (MissingDependency, 501),
)

FRAMEWORKS = "There was an error parsing the body"  # FastAPI's words for it
UNREADABLE = "body: is no JSON in UTF-8, or is nested too deep"
UNMARKED = "send it with the header Content-Type: application/json"


class Refused(Exception):
    """A request that is refused with a status of its own, and perhaps headers."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def answer(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """An error as JSON."""
    body = {"detail": detail, "error": detail, "message": detail, **more}
    return reply(body, status, headers)


def status_of(error: NeuromemError) -> int:
    """The HTTP status of an error of ours."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def install(app: FastAPI) -> None:
    """Makes an app answer errors in this way."""

    @app.exception_handler(NeuromemError)
    async def ours(_request: Request, error: NeuromemError) -> Response:
        status = status_of(error)
        headers = {"Retry-After": "1"} if status == 503 else None
        more = {"field": error.field} if isinstance(error, InvalidInput) else {}
        return answer(status, str(error), headers, **more)

    @app.exception_handler(Refused)
    async def refused(_request: Request, error: Refused) -> Response:
        return answer(error.status, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        kind = request.headers.get("content-type", "")
        faults = [_fault(fault, kind) for fault in error.errors()]
        detail = "; ".join(f"{fault['field']}: {fault['problem']}" for fault in faults)
        return answer(422, detail, errors=faults)

    @app.exception_handler(HTTPException)
    async def of_http(_request: Request, error: HTTPException) -> Response:
        detail = UNREADABLE if error.detail == FRAMEWORKS else str(error.detail)
        return answer(error.status_code, detail, dict(error.headers or {}))


def _fault(fault: Mapping[str, Any], kind: str) -> dict[str, str]:
    """What is wrong with a field, or with the body as a whole. `kind`: its Content-Type."""
    place, problem = fault["loc"], str(fault["msg"])
    if fault["type"] == "json_invalid":  # its place is a number of characters, no field
        return {"field": "body", "problem": f"no JSON at character {place[1]}: {fault['ctx']['error']}"}
    if len(place) == 1 and place[0] == "body" and fault["type"] != "missing" and "json" not in kind.lower():
        return {"field": "body", "problem": f"{UNMARKED}, not {kind!r:.60}" if kind else UNMARKED}
    return {"field": ".".join(str(part) for part in place[1:]) or "body", "problem": problem}
