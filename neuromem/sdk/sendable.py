"""What a client of the memory service can send; of what cannot be sent, the field is named."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from ..checks import check_encodable, fits_header
from ..errors import InvalidInput, MissingDependency

__all__ = ["address_of", "header_of", "key_of", "seconds", "text_of", "to_json"]

MAX_DEPTH = 64
MAX_PORT = 65_535


def to_json(body: Mapping[str, Any]) -> bytes:
    """A body as JSON.

    Raises:
        InvalidInput: something in it is no JSON, or holds half of a surrogate pair.
    """
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        for name, value in body.items():
            _check(value, name, 0)
        raise InvalidInput("body", "is no JSON", "give strings, finite numbers, lists and dicts") from error


def _check(value: object, field: str, depth: int) -> None:
    """Raises InvalidInput for the first thing that cannot be sent."""
    if depth > MAX_DEPTH:
        raise InvalidInput(field, f"is nested more than {MAX_DEPTH} deep", "make it flatter")
    if isinstance(value, str):
        text_of(value, field)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(field, f"{value} is no number in JSON", "give a finite one")
    elif isinstance(value, dict):
        for name, item in value.items():
            text_of(name, field)
            _check(item, f"{field}.{name}", depth + 1)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            _check(item, f"{field}[{place}]", depth + 1)
    elif not isinstance(value, int | float | None):
        problem = f"is of type {type(value).__name__}"
        raise InvalidInput(field, problem, "give strings, finite numbers, lists and dicts")


def text_of(text: object, field: str) -> str:
    """A text that can be sent.

    Raises:
        InvalidInput: it is none, or holds half of a surrogate pair.
    """
    if not isinstance(text, str):
        raise InvalidInput(field, f"is of type {type(text).__name__}", "give a string")
    check_encodable(field, text)
    return text


def header_of(text: object, field: str) -> str:
    """A text that can stand in a header.

    Raises:
        InvalidInput: it cannot.
    """
    if not (isinstance(text, str) and fits_header(text)):
        problem = f"{text!a:.60} cannot stand in a header"
        raise InvalidInput(field, problem, "give letters, digits and punctuation")
    return text


def key_of(api_key: str) -> str:
    """A key that can be sent; one that cannot would be shown in an error of the line."""
    key = api_key.strip()
    if not fits_header(key):
        raise InvalidInput(
            "api_key", "holds characters that no key has", "give the key as the service made it"
        )
    return key


def seconds(given: object, field: str) -> float:
    """A time to wait.

    Raises:
        InvalidInput: it is no number above 0.
    """
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < math.inf:
        raise InvalidInput(field, f"{given!r:.60} is no number of seconds", "give one above 0")
    return given


def address_of(url: str) -> tuple[str, str]:
    """A service's URL without the last slash, and its host.

    Raises:
        InvalidInput: not an http(s) URL. MissingDependency: httpx is not installed.
    """
    if find_spec("httpx") is None:
        raise MissingDependency("a client of the memory service", "httpx", "sdk")
    import httpx

    try:
        parsed = httpx.URL(url.rstrip("/"))
    except (httpx.InvalidURL, TypeError, AttributeError) as error:
        raise InvalidInput("url", f"is not a URL ({error})", "give http://HOST:PORT") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.userinfo:
        raise InvalidInput("url", "is not the http(s) URL of a service", "give http://HOST:PORT")
    if parsed.port is not None and parsed.port > MAX_PORT:
        raise InvalidInput("url", f"has a port above {MAX_PORT:,}", "give http://HOST:PORT")
    return str(parsed).rstrip("/"), parsed.netloc.decode("ascii")
