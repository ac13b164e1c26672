"""A memory service on loopback that speaks the wire of ours, and servers that only pretend to be one."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from neuromem import Memory, Recall

KEY = "nm-secret"


class Service:
    """The wire, before a real memory; `refuse` holds answers to be given before the true ones."""

    def __init__(self, memory: Memory) -> None:
        self.memory, self.app = memory, FastAPI()
        self.asked: list[tuple[str, str, Any, str | None]] = []  # method, path, body, idempotency key
        self.refuse: deque[Response | None] = deque()  # None: the work is done, and the line is cut
        self.done: dict[str, dict[str, Any]] = {}
        self.url = ""
        self.app.middleware("http")(self.gate)
        for method, path, answer in (
            ("POST", "/v1/ingest", self.ingest),
            ("POST", "/v1/recall", self.recall),
            ("GET", "/v1/conscious", self.conscious),
            ("POST", "/v1/users", self.user),
            ("POST", "/v1/sessions", self.session),
            ("DELETE", "/v1/memories/{id}/", self.forget),
            ("GET", "/health", self.health),
        ):
            self.app.add_api_route(path, answer, methods=[method])

    async def gate(self, request: Request, go_on: Callable[[Request], Any]) -> Response:
        body = await request.json() if await request.body() else None
        path = str(request.url.path)
        self.asked.append((request.method, path, body, request.headers.get("idempotency-key")))
        if request.headers.get("authorization") != f"Bearer {KEY}" and path != "/health":
            return JSONResponse({"detail": "the key is wrong", "error": "unauthorized"}, 401)
        answer = self.refuse.popleft() if self.refuse else go_on
        if answer is None:
            await go_on(request)
            return Response(status_code=502)
        return answer if isinstance(answer, Response) else await go_on(request)

    async def ingest(self, request: Request) -> dict[str, Any]:
        body, key = await request.json(), request.headers.get("idempotency-key") or uuid4().hex
        if key not in self.done:
            written = await asyncio.to_thread(
                self.memory.add, body["messages"], body["user_id"],
                metadata=body.get("metadata"), timestamp=body.get("timestamp"), infer=body["infer"],
            )  # fmt: skip
            memories = [{"id": one.id, "memory": one.text, "event": one.event} for one in written]
            self.done[key] = {"event_id": uuid4().hex, "status": "SUCCEEDED", "memories": memories}
        return self.done[key]

    async def recall(self, request: Request) -> dict[str, Any]:
        body = await request.json()
        search = self.memory.deep if body.get("deep") else self.memory.search
        found = await asyncio.to_thread(search, body["query"], body["user_id"], limit=body["limit"])
        return {"memories": [record(one) for one in found], "latency_ms": 1.0}

    async def conscious(self, user_id: str) -> dict[str, Any]:
        return {"memories": [record(one) for one in await asyncio.to_thread(self.memory.conscious, user_id)]}

    async def user(self, request: Request) -> Response:
        return JSONResponse({"user_id": (await request.json())["user_id"], "api_key": "nm-new"}, 201)

    async def session(self, request: Request) -> Response:
        user_id = (await request.json())["user_id"]
        known = [record(one) for one in self.memory.conscious(user_id)]
        return JSONResponse({"session_id": uuid4().hex, "user_id": user_id, "conscious": known}, 201)

    async def forget(self, id: str) -> dict[str, Any]:
        self.memory.delete(id)
        return {"message": "forgotten"}

    async def health(self) -> dict[str, Any]:
        return {"status": "ok"}


def record(recall: Recall) -> dict[str, Any]:
    told = recall.to_dict()
    return {**told, "memory": told.pop("text")}


@contextmanager
def service(memory: Memory) -> Iterator[Service]:
    """The service, running on a thread."""
    serving = Service(memory)
    config = uvicorn.Config(serving.app, log_level="error", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    listening = listening_socket()
    serving.url = url_of(listening)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield serving
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


def listening_socket(port: int = 0) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(256)
    return listening


def url_of(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


# --- those that only pretend ------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
ANSWERS: dict[str, bytes] = {
    "500": b"HTTP/1.1 500 Oh\r\ncontent-length: 4\r\n\r\noops",
    "html": b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 14\r\n\r\n<html>Hi</html",
    "other json": HEAD + b"content-length: 24\r\n\r\n" + b'{"memories": [{"id": 1}]}'[:24],
    "null": HEAD + b"content-length: 4\r\n\r\nnull",
    "no list": HEAD + b'content-length: 18\r\n\r\n{"memories": "no"}',
    "noise": bytes(range(256)) * 4,
    "closes": b"",
}
SLOW: dict[str, bytes] = {
    "hangs": b"",
    "drips headers": HEAD[:-1] + b"x" * 10_000,
    "drips a body": HEAD + b"content-length: 10000\r\n\r\n" + b" " * 10_000,
}


@contextmanager
def pretender(kind: str) -> Iterator[str]:
    """The URL of a server that accepts everything, and answers in one wrong way."""
    ended = threading.Event()
    with listening_socket() as listening:
        if kind == "refuses":
            listening.close()
            yield "http://127.0.0.1:9"
            return

        def serve(line: socket.socket) -> None:
            with suppress(OSError), line:
                line.recv(65_536)
                if kind in ANSWERS:
                    line.sendall(ANSWERS[kind])
                    return
                for byte in itertools.chain(SLOW[kind]):
                    line.sendall(bytes([byte]))
                    if ended.wait(0.02):
                        return
                line.settimeout(60)
                while line.recv(65_536):  # until the other side gives up
                    pass

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield url_of(listening)
        finally:
            ended.set()
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def main(port: int) -> None:
    """A service in a process of its own, to be killed."""
    memory = Memory()
    memory.add("My dog's name is Potola", user_id="ana")
    memory.search("dog", user_id="ana")
    config = uvicorn.Config(Service(memory).app, port=port, log_level="error", lifespan="off", ws="none")
    threading.Timer(300, os._exit, [1]).start()  # should the test that started it be gone
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
