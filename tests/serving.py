"""A real server on loopback, for tests: uvicorn in a thread, over a real memory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from neuromem import Memory
from neuromem.config import Config
from neuromem.server.app import create_app
from neuromem.server.desk import Desk
from neuromem.server.service import Service

# mem0's server does not forget unless it is told to, so ours does not either
STEADY: dict[str, Any] = {"forgetting": {"decay": "none"}}


@dataclass(frozen=True)
class Serving:
    """A server that runs."""

    url: str
    service: Service
    server: uvicorn.Server


@contextmanager
def serving(
    folder: Path | None = None, config: Mapping[str, Any] | None = None, **memory: Any
) -> Iterator[Serving]:
    """Runs a server for the length of a `with`. `memory`: further arguments of `Memory`."""
    settings = Config.load({**STEADY, **(config or {})})
    service = Service(Memory(folder, settings, **memory), Desk(folder))
    app = create_app(service, settings.server)
    # of this protocol by name: asyncio turns Nagle's algorithm off for such sockets only, which costs 40 ms
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        assert server.started, "the server did not start"
        try:
            yield Serving(f"http://127.0.0.1:{port}", service, server)
        finally:
            server.should_exit = True
            thread.join(timeout=30)
