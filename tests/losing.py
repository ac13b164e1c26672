"""A line to a server on which answers get lost: what was asked is done, and nobody hears of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

__all__ = ["Line", "losing"]


class Line:
    """The line; `lose` answers get lost from now on."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._to = (at.hostname or "", at.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.lose = 0
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        far = socket.create_connection(self._to)
        threading.Thread(target=self._there, args=(near, far), daemon=True).start()
        try:
            while data := far.recv(1 << 16):
                if self.lose:
                    self.lose -= 1
                    break
                near.sendall(data)
        except OSError:
            pass
        for one in (near, far):
            _hang_up(one)

    def _there(self, near: socket.socket, far: socket.socket) -> None:
        try:
            while data := near.recv(1 << 16):
                far.sendall(data)
        except OSError:
            pass
        _hang_up(far)

    def close(self) -> None:
        """Takes no more calls."""
        self._listener.close()


def _hang_up(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def losing(url: str) -> Iterator[Line]:
    """A line to a server, for the length of a `with`."""
    line = Line(url)
    try:
        yield line
    finally:
        line.close()
