"""What stands around each request: who asks, limits, an id, one line in the log, a count.

Plain ASGI, for speed: it costs a request tens of microseconds.
"""

from __future__ import annotations

import logging
import re
import time
from asyncio import CancelledError
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from ..config import ServerConfig
from .errors import Refused, answer
from .keys import Keys
from .limits import Buckets, Gate, check_body, reading
from .loopback import is_loopback
from .metrics import Metrics

__all__ = ["WHO", "Around", "template_of"]

WHO = "neuromem.who"  # in a request's scope: the `Principal`, or the `Refused` that a route would meet
EXEMPT = ("/health", "/ready", "/metrics")  # answered however much is going on
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
NO_STORE = (b"cache-control", b"no-store")
AGAIN_S, STOPPING = 5, "the server is stopping and has not finished this; ask again"
GOOD_ID = re.compile(rb"[A-Za-z0-9_.:-]{1,128}")
log = logging.getLogger("neuromem.access")

Scope = dict[str, Any]


@dataclass(slots=True)
class _Seen:
    """What is known of a request when it is over."""

    id: bytes
    who: str = "-"
    status: int = 500  # until something was sent
    started: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class Around:
    """The middleware."""

    def __init__(self, app: Any, keys: Keys, config: ServerConfig, metrics: Metrics, clock: Any) -> None:
        self.app, self.keys, self.config, self.metrics, self.clock = app, keys, config, metrics, clock
        self.gate: Gate = metrics.gate
        self.most = config.max_body_kib * 1024
        self.buckets = Buckets(config.rate_per_s, config.burst) if config.rate_per_s else None
        self.origins = {_host(origin) for origin in config.cors.split(",") if origin.strip()}

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        seen = _Seen(_request_id(scope["headers"]))
        exempt = scope["path"] in EXEMPT
        inside = False
        try:
            if not exempt:
                self.gate.enter()
                inside = True
            self._admit(scope, seen, exempt)
            refused = scope[WHO] if isinstance(scope[WHO], Refused) else None
            await self.app(scope, reading(receive, self.most, refused), self._sending(send, seen))
        except Refused as error:
            await answer(error.status, error.detail, error.headers)(scope, receive, self._sending(send, seen))
        except CancelledError:  # the server was told to stop, and has waited for `drain_s`
            if not seen.started:  # it may be stored all the same: told again with its key it is once
                again = {"Retry-After": str(AGAIN_S)}
                await answer(503, STOPPING, again)(scope, receive, self._sending(send, seen))
            raise
        except Exception:
            log.exception("request failed", extra={"data": {"request": seen.id.decode()}})
            seen.status = 500
            if seen.started:
                raise  # half an answer is out: the connection has to break
            detail = f"an error of the server; its log tells of request {seen.id.decode()}"
            await answer(500, detail)(scope, receive, self._sending(send, seen))
        finally:
            if inside:
                self.gate.leave()
            self._account(scope, seen, time.perf_counter() - started)

    def _admit(self, scope: Scope, seen: _Seen, exempt: bool) -> None:
        """Notes who asks, and checks what can be checked before the body is read.

        Raises:
            Refused: 400, 403, 413, 415 or 429.
        """
        headers = scope["headers"]
        check_body(headers, self.most)
        if self.keys.open and not exempt:
            self._check_local(scope)
        try:
            scope[WHO] = who = self.keys.who(headers, self.clock())
            seen.who = who.name
        except Refused as error:  # a route that wants to know who asks will say so; others do not care
            scope[WHO] = error
        if self.buckets is not None and not exempt:
            client = scope.get("client") or ("-", 0)
            known = not isinstance(scope[WHO], Refused)
            seen.headers = self.buckets.take(seen.who if known else f"address:{client[0]}")

    def _check_local(self, scope: Scope) -> None:
        """With no key at all, only this machine's programs may ask: not a page that its browser shows.

        Raises:
            Refused: 403; the page's name leads here by a trick of DNS, or the page is of another origin.
        """
        server = scope.get("server") or ("", 0)
        if not is_loopback(server[0]):
            return
        for name, value in scope["headers"]:
            if name == b"host" and not is_loopback(_host("//" + value.decode("latin-1"))):
                raise Refused(403, "this Host is not this machine; set an admin key to serve other names")
            if name == b"origin" and "*" not in self.origins:
                origin = _host(value.decode("latin-1"))
                if not is_loopback(origin) and origin not in self.origins:
                    raise Refused(403, "a page of another origin may not ask; see the setting server.cors")

    def _sending(self, send: Any, seen: _Seen) -> Callable[[Any], Any]:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                seen.status, seen.started = message["status"], True
                headers = list(message.get("headers", ()))
                headers += [(b"x-request-id", seen.id), *HEADERS]
                headers += [(name.lower().encode(), value.encode()) for name, value in seen.headers.items()]
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    headers.append(NO_STORE)
                message = {**message, "headers": headers}
            await send(message)

        return sending

    def _account(self, scope: Scope, seen: _Seen, seconds: float) -> None:
        route = template_of(scope)
        self.metrics.answered(route, scope["method"], seen.status, seconds)
        if log.isEnabledFor(logging.INFO):
            data = {
                "method": scope["method"] if scope["method"].isalpha() else "?", "route": route,
                "status": seen.status, "ms": round(seconds * 1_000, 2), "request": seen.id.decode(),
                "key": seen.who,
            }  # fmt: skip
            log.info("request", extra={"data": data})


def template_of(scope: Scope) -> str:
    """The route of a request as declared, "/v1/events/{id}"; never the path: it holds names and ids."""
    return getattr(scope.get("route"), "path", None) or "(none)"


def _request_id(headers: list[tuple[bytes, bytes]]) -> bytes:
    """The id that the request brings, if it can be one; else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and GOOD_ID.fullmatch(value):
            return value
    return uuid4().hex.encode()


def _host(url: str) -> str:
    """The name of the machine in an origin, "*" as it is."""
    try:
        return "*" if url.strip() == "*" else (urlsplit(url.strip()).hostname or "")
    except ValueError:
        return ""
