"""MCP over HTTP, as part of a server: `/mcp`, and `/mcp/CLIENT/http/USER` as OpenMemory had it.

Every request stands by itself: there is no session to lose, and each shows its key anew. The package `mcp`
is loaded by the first request, so a server that nobody speaks MCP to starts without it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ...config import ServerConfig
from ...errors import MissingDependency, NeuromemError
from ..entries import KINDS
from ..errors import Refused
from ..principals import ANYBODY, Principal
from ..turns import ASKING, TELLING, Turns, whose_request
from .memories import Caller, Memories, Parts

if TYPE_CHECKING:
    from anyio.abc import TaskGroup, TaskStatus
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

__all__ = ["Door"]

CALLER = "neuromem.caller"  # in the scope of a request
PATHS = ("/mcp", "/mcp/{client}/http/{user:path}")
LANES = {"add_memory": TELLING, "search_memories": ASKING}  # tools that wait as the routes of the same do
DEFAULT_USER = "me"  # of a server that asks for no keys; as on the command line
WhoAsks = Callable[[Request], Awaitable[Principal]]


class Busy(NeuromemError):
    """So many wait that another would wait too long."""


class Door:
    """The ASGI app."""

    def __init__(self, parts: Parts, config: ServerConfig, who: WhoAsks, turns: Turns) -> None:
        """Args:
        who: says who a request comes from; it may raise what the app answers.
        turns: the lanes in which calls wait.
        """
        self._config, self._who, self._turns = config, who, turns
        self._memories = Memories(lambda: parts)
        # no GET: nothing is ever said unasked
        self._plain, self._openmemory = (
            Route(path, endpoint=self, methods=["POST"], include_in_schema=False) for path in PATHS
        )
        self._lock = anyio.Lock()
        self._tasks: TaskGroup | None = None
        self._managers: dict[bool, StreamableHTTPSessionManager] = {}  # by whether it is OpenMemory's

    @property
    def routes(self) -> list[Route]:
        """Where it stands."""
        return [self._plain, self._openmemory]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """It answers for the length of this."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            yield
            tasks.cancel_scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        request = Request(scope)
        who = await self._who(request)
        named = request.path_params.get("user") or request.query_params.get("user")
        fallback = self._config.mcp_user or (DEFAULT_USER if who == ANYBODY else None)
        scope[CALLER] = Caller(who, named or fallback)
        scope["route"] = self._openmemory if "client" in request.path_params else self._plain
        managers = await self._open()
        await managers["client" in request.path_params].handle_request(scope, receive, send)

    async def _open(self) -> dict[bool, StreamableHTTPSessionManager]:
        async with self._lock:
            if not self._managers:
                assert self._tasks is not None, "Door.running() is not entered"
                managers = await anyio.to_thread.run_sync(self._build)
                await self._tasks.start(self._run, managers)
                self._managers = managers
        return self._managers

    def _build(self) -> dict[bool, StreamableHTTPSessionManager]:
        try:
            from mcp.server.transport_security import TransportSecuritySettings

            from .build import build
        except ImportError as error:
            raise MissingDependency("MCP", "mcp", "server") from error
        # who may ask, from which host and page, is checked for the whole server (`around.py`)
        open_to_all = TransportSecuritySettings(enable_dns_rebinding_protection=False)

        waits = {tool: self._waits(lane) for tool, lane in LANES.items()}
        managers = {}
        for openmemory in (False, True):
            server = build(self._memories, _caller, openmemory=openmemory, waits=waits)
            server.streamable_http_app(
                json_response=True, stateless_http=True, transport_security=open_to_all,
                max_request_body_size=self._config.max_body_kib * 1024,
            )  # fmt: skip
            managers[openmemory] = server.session_manager
        return managers

    def _waits(self, lane: str) -> Callable[[Mapping[str, Any], Callable[[], Any]], Awaitable[Any]]:
        async def wait(given: Mapping[str, Any], work: Callable[[], Any]) -> Any:
            try:
                return await self._turns.run(lane, _whose(given), work, given.get("query", ""))
            except Refused as error:
                raise Busy(error.detail) from error

        return wait

    async def _run(
        self, managers: dict[bool, StreamableHTTPSessionManager], *, task_status: TaskStatus[None]
    ) -> None:
        async with AsyncExitStack() as stack:
            for manager in managers.values():
                await stack.enter_async_context(manager.run())
            task_status.started()
            await anyio.sleep_forever()


def _caller(ctx: Any) -> Caller:
    """Who calls, as the door found it."""
    caller: Caller = ctx.request_context.request.scope[CALLER]
    return caller


def _whose(given: Mapping[str, Any]) -> str:
    """Whose memories a call is about: named as in a request to a route, else the caller's own user."""
    caller, filters = _caller(given["ctx"]), given.get("filters")
    names = {f"{kind}_id": given.get(f"{kind}_id") or None for kind in KINDS}
    if not filters and not any(names.values()):
        names["user_id"] = caller.user
    return whose_request(caller.who, SimpleNamespace(**names, filters=filters))
