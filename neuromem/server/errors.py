"""Errors as answers: one JSON shape that every client of mem0 can read.

`detail` is what mem0's Python client shows; others read `error` or `message`. None holds words of a memory
but those that the request itself sent.
"""

from __future__ import annotations

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
    async def malformed(_request: Request, error: RequestValidationError) -> Response:
        faults = [
            {"field": ".".join(str(part) for part in fault["loc"][1:]) or "body", "problem": fault["msg"]}
            for fault in error.errors()
        ]
        detail = "; ".join(f"{fault['field']}: {fault['problem']}" for fault in faults)
        return answer(422, detail, errors=faults)

    @app.exception_handler(HTTPException)
    async def of_http(_request: Request, error: HTTPException) -> Response:
        return answer(error.status_code, str(error.detail), dict(error.headers or {}))
