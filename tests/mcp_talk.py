"""Talking to our MCP server with the SDK's own client, over real pipes and sockets."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from command_line import ROOT
from serving import Serving, serving
from strings import NASTY

pytest.importorskip("mcp.server.mcpserver", reason="needs the MCP SDK 2: pip install 'neuromem[server]'")

from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

Result = TypeVar("Result")
ADMIN = "an-admin-key-of-the-tests"
HELLO = {
    "jsonrpc": "2.0", "id": 0, "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
    },
}  # fmt: skip


def behind_keys() -> AbstractContextManager[Serving]:
    """A server that asks for keys; `ADMIN` is the first."""
    return serving(encoder="hash", config={"server": {"admin_key": ADMIN}})


def command(path: Path, *more: str) -> list[str]:
    """The words that start a server on a store."""
    return ["-m", "neuromem", "mcp", "--path", str(path), "--encoder", "hash", *more]


def stdio(path: Path, *more: str) -> StdioServerParameters:
    """A server that the client starts by itself."""
    env = {"OMP_NUM_THREADS": "1"}
    return StdioServerParameters(command=sys.executable, args=command(path, *more), cwd=ROOT, env=env)


def talk(server: Any, what: Callable[[Client], Awaitable[Result]], **options: Any) -> Result:
    """Connects, and does something with the client."""

    async def run() -> Result:
        async with Client(server, read_timeout_seconds=60, **options) as client:
            return await what(client)

    return asyncio.run(run())


@asynccontextmanager
async def with_key(url: str, key: str) -> AsyncIterator[Any]:
    """The endpoint, every request with a key."""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers) as client,
        streamable_http_client(url, http_client=client) as streams,
    ):
        yield streams


async def ask(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Calls a tool; its answer comes as data and, the same, as text."""
    result = await client.call_tool(tool, arguments)
    text = result.content[0].text  # type: ignore[union-attr]
    assert not result.is_error, text
    assert json.loads(text) == result.structured_content
    return dict(result.structured_content)


async def fault(client: Client, tool: str, **arguments: Any) -> str:
    """Calls a tool that is to fail; what it says."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, f"{tool} {arguments}: {result.structured_content}"
    return str(result.content[0].text)  # type: ignore[union-attr]


async def any_words(client: Any) -> None:
    """Words of every kind go there and back as they are."""
    texts = [text for text in NASTY.values() if text.strip() and "\0" not in text and text.isprintable()]
    assert len(texts) > 5
    for place, text in enumerate(texts):
        await ask(client, "add_memory", text=text, user_id=f"user {place}", infer=False)
        (record,) = (await ask(client, "get_memories", user_id=f"user {place}"))["results"]
        assert record["memory"] == text


async def many_at_once(client: Any) -> None:
    """Two dozen additions and a dozen searches, all in flight together."""
    texts = [f"The code of door {n} is {n * 37}" for n in range(24)]
    await asyncio.gather(
        *(ask(client, "add_memory", text=text, user_id=f"u{n % 3}") for n, text in enumerate(texts)),
        *(ask(client, "search_memories", query="door", user_id=f"u{n % 3}") for n in range(12)),
    )
    held = await asyncio.gather(*(ask(client, "get_memories", user_id=f"u{n}") for n in range(3)))
    assert sorted(r["memory"] for page in held for r in page["results"]) == sorted(texts)


class Raw:
    """A server spoken to line by line, to see all that it prints and how it ends."""

    def __init__(self, path: Path, *more: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command(path, *more)], cwd=ROOT, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.send(HELLO)
        self.answer()
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def send(self, message: dict[str, Any]) -> None:
        """One line to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """One line from it, which has to be a message of the protocol."""
        assert self.process.stdout is not None
        message = json.loads(self.process.stdout.readline())
        assert message["jsonrpc"] == "2.0"
        return dict(message)

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Calls a tool."""
        params = {"name": tool, "arguments": arguments}
        self.send({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        return dict(self.answer()["result"])

    def ended(self) -> tuple[int, str, str]:
        """Status, what else it printed, and what it said on standard error."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err
