"""MCP over standard input and output: what a client such as an editor starts by itself.

The store is opened while the client says hello. Where that fails (another process is writing), every tool
says so and the next call tries again, rather than that the client merely shows a server that died.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
from anyio.abc import ObjectSendStream
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_PARAMS, ErrorData, JSONRPCError

from ...errors import NeuromemError, StoreLocked
from .build import build
from .memories import Caller, Memories, Parts

__all__ = ["Opening", "serve", "speak"]

_SURROGATE = re.compile(r"\\ud[89a-f]", re.IGNORECASE)  # as JSON writes half of a pair, or a whole one


class Opening:
    """A store that is opened when it is first needed, or before."""

    def __init__(self, open_: Callable[[], Parts]) -> None:
        self._open, self._lock = open_, threading.Lock()
        self._parts: Parts | None = None

    def begin(self) -> None:
        """Opens it in the background; what is wrong is said on standard error, and again to who asks."""
        threading.Thread(target=self._try, name="opening", daemon=True).start()

    def _try(self) -> None:
        try:
            self()
        except NeuromemError as error:
            print(f"neuromem: {error}", file=sys.stderr, flush=True)

    def __call__(self) -> Parts:
        """What was opened.

        Raises:
            NeuromemError: it cannot be opened now.
        """
        with self._lock:
            if self._parts is None:
                try:
                    self._parts = self._open()
                except StoreLocked as error:
                    remedy = "or serve it once for all (neuromem serve) and start this with --url"
                    raise StoreLocked(f"{str(error).partition(';')[0]}; close that, {remedy}") from error
            return self._parts

    def close(self) -> None:
        """Closes what was opened."""
        with self._lock:
            if self._parts is not None:
                self._parts.events.flush()
                self._parts.service.close()


def serve(opening: Opening, user: str) -> int:
    """Speaks until standard input ends or a signal comes, then closes the store.

    Args:
        user: whose memory is meant when a call does not say.

    Returns:
        The exit status.
    """
    caller = Caller(user=user)
    server = build(Memories(opening), lambda _ctx: caller)
    opening.begin()
    try:
        return anyio.run(speak, server._lowlevel_server)
    finally:
        opening.close()


async def speak(server: Server[Any]) -> int:
    """Lets a server speak over standard input and output; returns the exit status."""
    lines = _Lines()
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lines.end_by_signal)
            # the SDK takes an `anyio` file here and only goes through its lines
            async with stdio_server(stdin=lines) as (read, write):  # type: ignore[arg-type]
                lines.answers = write
                await server.run(read, write, server.create_initialization_options())
            tasks.cancel_scope.cancel()
    except* BrokenPipeError:
        pass  # the client went without waiting for its answers: that ends it, too
    return 128 + lines.signal if lines.signal else 0


class _Lines:
    """The lines of standard input, until it ends or a signal comes.

    The SDK's own reader waits in a thread that nothing can call back: Ctrl-C would be heard at the next line
    only. This one's thread is left behind, and reads the descriptor itself, so that no lock of Python's is
    held when the process ends.
    """

    def __init__(self) -> None:
        self.signal = 0
        self.answers: ObjectSendStream[SessionMessage] | None = None
        self._send, self._receive = anyio.create_memory_object_stream[str](0)

    async def __aiter__(self) -> AsyncIterator[str]:
        token = anyio.lowlevel.current_token()
        threading.Thread(target=self._read, args=(token,), name="stdin", daemon=True).start()
        async with self._receive:
            async for line in self._receive:
                refusal = _refusal(line)
                if refusal is None or self.answers is None:
                    yield line
                else:
                    await self.answers.send(SessionMessage(message=refusal))

    def _read(self, token: Any) -> None:
        begun: list[bytes] = []  # of a line that has not ended
        try:
            while more := os.read(0, 1 << 16):
                *lines, rest = more.split(b"\n")
                if lines:
                    lines[0] = b"".join([*begun, lines[0]])
                    begun.clear()
                begun.append(rest)
                for line in lines:
                    anyio.from_thread.run(self._send.send, line.decode("utf-8", "replace"), token=token)
            if not self.signal:  # else the loop is on its way out
                anyio.from_thread.run(self._end, token=token)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, RuntimeError):
            return  # nobody listens any more

    async def end_by_signal(self) -> None:
        """Ends the lines when a signal comes."""
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                self.signal = int(number)
                await self._end()
                return

    async def _end(self) -> None:
        self._send.close()


def _refusal(line: str) -> JSONRPCError | None:
    """The answer to a request that holds half of a surrogate pair; None where a line holds none.

    The SDK cannot read such a line, and leaves whoever asked waiting.
    """
    if not _SURROGATE.search(line):
        return None
    try:
        asked = json.loads(line)
        json.dumps(asked, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        given = asked.get("id") if isinstance(asked, dict) else None
        problem = "the request holds half of a surrogate pair; give text that UTF-8 can encode"
        number = given if isinstance(given, str | int) and str(given).isascii() else None
        return JSONRPCError(jsonrpc="2.0", id=number, error=ErrorData(code=INVALID_PARAMS, message=problem))
    except (ValueError, RecursionError):
        return None  # the SDK's to judge
    return None
