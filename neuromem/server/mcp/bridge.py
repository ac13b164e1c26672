"""From standard input and output to a server that runs: `neuromem mcp --url`.

One process writes a store; where a server has it, this lets clients that speak stdio use it, too. What a
client asks is passed on as it is, each time anew, so the server may be restarted meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import anyio
import httpx2
import mcp_types as types
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.server.lowlevel.server import Server
from mcp_types.version import LATEST_MODERN_VERSION

from ... import __version__
from ...errors import InvalidInput, NeuromemError
from .build import INSTRUCTIONS
from .stdio import speak

__all__ = ["Bridge", "serve"]

Result = TypeVar("Result")
CONNECT_S, ANSWER_S = 5.0, 300.0


class _Refused(NeuromemError):
    """The server answered, but not in its capacity as one of MCP."""


class Bridge:
    """What a client asks, asked of a server."""

    def __init__(self, url: str, key: str | None = None, user: str | None = None) -> None:
        """Args:
        url: of the server, with or without /mcp. key: that it knows.
        user: whose memory is meant when a call does not say.

        Raises:
            InvalidInput: it is no URL of HTTP.
        """
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise InvalidInput("--url", f"{url!r} is not a URL", "give one such as http://127.0.0.1:8888")
        base = url.rstrip("/").removesuffix("/mcp")
        self.url = f"{base}/mcp" + (f"?{urlencode({'user': user})}" if user else "")
        self.http = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(ANSWER_S, connect=CONNECT_S),
            event_hooks={"response": [_refuse]},
        )

    async def ask(self, call: Callable[[Client], Awaitable[Result]]) -> Result:
        """One question and its answer.

        Raises:
            MCPError: of the server; or it cannot be reached, and why.
        """
        problem: list[str] = []
        refused: list[MCPError] = []
        try:
            transport = streamable_http_client(self.url, http_client=self.http)
            async with Client(transport, mode=LATEST_MODERN_VERSION) as client:
                return await call(client)
        except* MCPError as group:
            refused += _leaves(group)
        except* _Refused as group:
            problem += [str(error) for error in _leaves(group)]
        except* httpx2.HTTPError as group:
            where = self.url.partition("?")[0]
            problem += [f"no server answers at {where} ({_leaves(group)[0]}); start one with: neuromem serve"]
        if problem:
            raise MCPError(types.INTERNAL_ERROR, problem[0])
        raise refused[0]

    def server(self) -> Server[Any]:
        """A server that passes everything on."""

        async def tools(_ctx: Any, _params: Any) -> types.ListToolsResult:
            return await self.ask(lambda client: client.list_tools())

        async def call(_ctx: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
            try:
                return await self.ask(lambda client: client.call_tool(params.name, params.arguments or {}))
            except MCPError as error:  # a model is to read it, too
                text = types.TextContent(type="text", text=str(error))
                return types.CallToolResult(content=[text], is_error=True)

        async def templates(_ctx: Any, _params: Any) -> types.ListResourceTemplatesResult:
            return await self.ask(lambda client: client.list_resource_templates())

        async def resources(_ctx: Any, _params: Any) -> types.ListResourcesResult:
            return await self.ask(lambda client: client.list_resources())

        async def resource(_ctx: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
            return await self.ask(lambda client: client.read_resource(str(params.uri)))

        async def prompts(_ctx: Any, _params: Any) -> types.ListPromptsResult:
            return await self.ask(lambda client: client.list_prompts())

        async def prompt(_ctx: Any, params: types.GetPromptRequestParams) -> types.GetPromptResult:
            return await self.ask(lambda client: client.get_prompt(params.name, params.arguments))

        return Server(
            "neuromem", version=__version__, title="neuromem", instructions=INSTRUCTIONS,
            on_list_tools=tools, on_call_tool=call, on_list_resources=resources,
            on_list_resource_templates=templates, on_read_resource=resource, on_list_prompts=prompts,
            on_get_prompt=prompt,
        )  # fmt: skip


async def _refuse(response: httpx2.Response) -> None:
    """Says what a server says that lets nobody in, or is busy; its other answers are the SDK's to read."""
    if response.status_code in (401, 403, 404, 429, 501, 503):
        await response.aread()
        try:
            detail = response.json()["detail"]
        except (ValueError, KeyError, TypeError):
            return
        raise _Refused(f"the server refuses ({response.status_code}): {detail}")


def _leaves(group: BaseExceptionGroup[Any]) -> list[Any]:
    """The single errors of a group."""
    found: list[Any] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def serve(bridge: Bridge) -> int:
    """Passes on until standard input ends; returns the exit status."""

    async def run() -> int:
        async with bridge.http:
            return await speak(bridge.server())

    return anyio.run(run)
