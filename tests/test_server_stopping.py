"""A request that a server cannot finish before it stops is answered so that clients ask again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the server is made with fastapi: pip install 'neuromem[server]'")

from neuromem.config import ServerConfig
from neuromem.server.around import Around
from neuromem.server.desk import Desk
from neuromem.server.keys import Keys
from neuromem.server.limits import Gate
from neuromem.server.metrics import Metrics

SCOPE: dict[str, Any] = {
    "type": "http", "path": "/v1/ingest", "method": "POST", "headers": [], "server": ("10.0.0.1", 80),
}  # fmt: skip
HALF: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}


@pytest.mark.parametrize("begun", [False, True])
def test_who_waits_when_the_server_stops_is_told_to_ask_again(begun: bool) -> None:
    async def slow(_scope: Any, _receive: Any, send: Any) -> None:
        if begun:
            await send(HALF)
        await asyncio.sleep(60)

    async def stopped() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        settings = ServerConfig()
        around = Around(slow, Keys(Desk(None)), settings, Metrics(Gate(settings)), lambda: 0.0)
        task = asyncio.create_task(around(dict(SCOPE), None, send))
        await asyncio.sleep(0.05)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        return sent

    start, *rest = asyncio.run(stopped())
    assert (start["status"], len(rest)) == ((200, 0) if begun else (503, 1))
    assert ((b"retry-after", b"5") in start["headers"]) is not begun
