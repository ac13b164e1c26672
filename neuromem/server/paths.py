"""One spelling for every path: clients of mem0 end paths with a slash or not, double it, and encode names.

Routes are written without a slash at the end. A segment is decoded by itself, after the path was taken
apart, so a name such as `a%2F%2Fb` comes to its route (`{name:anything}`) with both slashes in it. Nothing is
redirected: httpx does not follow redirects unless told to.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["OnePath", "one_path"]

AS_THEY_COME = ("/mcp",)  # mounted apps that look at paths themselves


def one_path(raw: bytes) -> str:
    """A path as routes know it.

    >>> one_path(b"//v2/entities/user/a%2F%2Fb/")
    '/v2/entities/user/a//b'
    """
    segments = [unquote(part.decode("latin-1"), errors="replace") for part in raw.split(b"/") if part]
    return "/" + "/".join(segments)


class OnePath:
    """The middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            raw = scope.get("raw_path") or quote(scope["path"]).encode()
            path = one_path(raw)
            if not any(path == own or path.startswith(f"{own}/") for own in AS_THEY_COME):
                scope = dict(scope, path=path)
        await self.app(scope, receive, send)
