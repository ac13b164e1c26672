"""A receiver of webhooks on loopback: a real HTTP server that keeps what comes in."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

__all__ = ["Arrived", "receiver"]


class Arrived(NamedTuple):
    """One delivery."""

    body: bytes
    headers: dict[str, str]
    path: str


@contextmanager
def receiver(
    status: int = 200, slow: threading.Event | None = None
) -> Iterator[tuple[str, queue.Queue[Arrived]]]:
    """A real receiver: its address, and what comes in.

    Args:
        status: of its answers. slow: it answers when this is set.
    """
    came: queue.Queue[Arrived] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.put(Arrived(body, dict(self.headers), self.path))
            if slow is not None:
                slow.wait(20)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?x=1", came
    finally:
        if slow is not None:
            slow.set()
        server.shutdown()
        server.server_close()
