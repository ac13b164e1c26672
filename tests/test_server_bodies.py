"""Bodies that do not come, are too large, or are of somebody without a key: nobody else waits for them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from serving import serving
from starlette.exceptions import HTTPException

from neuromem.server.errors import Refused
from neuromem.server.limits import reading

ASKED = {"user_id": "ana", "query": "what do I drink?"}
BEGUN = (
    b"POST /v1/recall HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n{"
)


@contextmanager
def half_sent(url: str, how_many: int) -> Iterator[list[socket.socket]]:
    """Requests whose bodies never come."""
    at = urlsplit(url)
    with ExitStack() as stack:
        begun = []
        for _ in range(how_many):
            connection = stack.enter_context(socket.create_connection((at.hostname, at.port or 0)))
            connection.sendall(BEGUN)
            begun.append(connection)
        yield begun


def test_who_has_no_key_takes_no_place_with_a_body_that_does_not_come() -> None:
    settings = {"server": {"threads": 2, "queue": 2, "admin_key": "boss"}}
    with serving(config=settings, encoder="hash") as server, half_sent(server.url, 20) as begun:
        for connection in begun:
            connection.settimeout(10)
            assert connection.recv(12) == b"HTTP/1.1 401", "answered at once"
        boss = {"Authorization": "Token boss"}
        assert httpx.post(f"{server.url}/v1/recall", json=ASKED, headers=boss).status_code == 200


def test_a_body_that_takes_too_long_is_not_waited_for() -> None:
    pieces = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def slow() -> dict[str, Any]:
        for piece in pieces:
            return piece
        await asyncio.sleep(60)
        raise AssertionError

    async def read() -> None:
        receive = reading(slow, 1_000, within_s=0.05)
        await receive()
        await receive()

    with pytest.raises(HTTPException) as caught:
        asyncio.run(read())
    assert caught.value.status_code == 408
    assert "0.05 s" in caught.value.detail


def test_who_waits_for_the_client_to_go_waits_as_long_as_it_takes() -> None:
    messages = [{"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"}]

    async def told() -> dict[str, Any]:
        await asyncio.sleep(0.05)
        return messages.pop(0)

    async def read() -> list[str]:
        receive = reading(told, 1_000, within_s=0.08)
        return [(await receive())["type"], (await receive())["type"]]

    assert asyncio.run(read()) == ["http.request", "http.disconnect"]


def test_nothing_is_read_for_who_may_not_ask() -> None:
    async def never() -> dict[str, Any]:
        raise AssertionError

    with pytest.raises(HTTPException) as caught:
        asyncio.run(reading(never, 1_000, Refused(401, "no", {"WWW-Authenticate": "Bearer"}))())
    assert (caught.value.status_code, caught.value.headers) == (401, {"WWW-Authenticate": "Bearer"})


def test_an_async_client_that_sends_too_much_is_told_so() -> None:
    """It reads no answer before it has sent all: a connection closed on it looks broken."""
    said = {"user_id": "ana", "messages": "x" * 3_000_000}

    async def ask(url: str) -> list[int]:
        async with httpx.AsyncClient(base_url=url) as client:
            first = await client.post("/v1/ingest", json=said)
            assert "64 KiB" in first.json()["detail"]
            return [first.status_code, (await client.post("/v1/recall", json=ASKED)).status_code]

    with serving(config={"server": {"max_body_kib": 64}}, encoder="hash") as server:
        assert asyncio.run(ask(server.url)) == [413, 200]
