"""HEAD is answered as GET would be, without the body: load balancers and `wget --spider` ask so."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .paths import AS_THEY_COME

__all__ = ["Heads"]

OWN = (*AS_THEY_COME, "/archive")  # paths whose routes know HEAD themselves


class Heads:
    """The middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope.get("method") != "HEAD" or any(path == own or path.startswith(f"{own}/") for own in OWN):
            await self.app(scope, receive, send)
            return

        async def bare(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        scope["method"] = "GET"  # in place: what is around looks in the same scope for the route
        try:
            await self.app(scope, receive, bare)
        finally:
            scope["method"] = "HEAD"
