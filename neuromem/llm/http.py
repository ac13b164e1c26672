"""Calls of a server that runs a model: one total time limit, retries, and a line that can be cut.

httpx limits the wait for each packet, not the whole call, and cannot be stopped from another thread. So a
call has a connection to itself, whose socket is shut down when the time is up or the answer is closed.
"""

from __future__ import annotations

import email.utils
import importlib.util
import json
import re
import socket
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput, MissingDependency
from .base import LLMError, Switch

if TYPE_CHECKING:
    import httpx

__all__ = ["Endpoint", "retry_after"]

CONNECT_S = 10.0
BACKOFF_S = (0.5, 2.0)  # waits before asking again; a longer Retry-After is obeyed
ASK_AGAIN = (408, 429, 502, 503, 504, 529)
MAX_REPLY_BYTES = 16 << 20
MAX_ERROR_BYTES = 65_536
SHOWN_CHARS = 300  # of what a server says about its error
REASONS = {401: "auth", 403: "auth", 408: "timeout", 413: "too long", 429: "limited", 529: "limited"}
_TOO_LONG = re.compile(r"(?i)context (?:length|window|size)|prompt is too long|too many tokens")
_KEY_LIKE = re.compile(r"\b(?:sk|key|pk|gsk|xai)-[\w*.-]{6,}")


def _need_httpx(feature: str) -> None:
    """
    Raises:
        MissingDependency: httpx is not installed.
    """
    if importlib.util.find_spec("httpx") is None:
        raise MissingDependency(feature, "httpx", "sdk")


class Endpoint:
    """A server by its URL. Safe across threads: each call has a line of its own."""

    def __init__(self, base_url: str, headers: Mapping[str, str], secrets: tuple[str, ...] = ()) -> None:
        """
        Args:
            base_url: such as "https://api.openai.com/v1".
            headers: sent with every call.
            secrets: taken out of every message.

        Raises:
            InvalidInput: not an http(s) URL.
            MissingDependency: httpx is not installed.
        """
        _need_httpx("a language model on a server")
        import httpx

        try:
            url = httpx.URL(base_url.rstrip("/"))
        except httpx.InvalidURL as error:
            raise InvalidInput("base_url", f"is not a URL ({error})", "give https://HOST/v1") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise InvalidInput("base_url", "is not an http(s) URL", "give https://HOST/v1")
        if url.query or url.fragment or url.userinfo:
            problem = "holds a query, a fragment or a password"  # it would be shown in messages and logs
            raise InvalidInput("base_url", problem, "give scheme, host and path, and the key as api_key")
        self.url = str(url).rstrip("/")
        self.host = url.netloc.decode("ascii")
        self._headers = dict(headers)
        self._secrets = tuple(secret for secret in secrets if secret)
        self._free: list[_Line] = []
        self._lock = threading.Lock()
        weakref.finalize(self, _close, self._free)

    def chunks(self, path: str, body: Mapping[str, Any], until: float, switch: Switch) -> Iterator[bytes]:
        """POSTs JSON and yields the answer's bytes as they come.

        Asks again, after a pause, where the server was busy or the line broke before anything came.

        Args:
            until: `time.monotonic()` at which it gives up.
            switch: ends the call.

        Raises:
            LLMError: there is no answer, or not all of it.
        """
        import httpx

        for pause in (*BACKOFF_S, None):
            begun = False
            try:
                for chunk in self._once(path, body, until, switch):
                    begun = True
                    yield chunk
                return
            except LLMError as error:
                nobody = isinstance(error.__cause__, httpx.ConnectError)
                again = error.status in ASK_AGAIN or (error.reason == "connection" and not nobody)
                if begun or pause is None or not again:
                    raise
                wait = max(pause, error.retry_after_s or 0.0)
                if time.monotonic() + wait >= until or switch.wait(wait):
                    raise

    def _once(self, path: str, body: Mapping[str, Any], until: float, switch: Switch) -> Iterator[bytes]:
        import httpx

        if until <= time.monotonic():
            raise self._late()
        timer = switch.after(until - time.monotonic())
        try:
            with self._line() as line:
                switch.on_throw(line.cut)
                try:
                    with line.post(self.url + path, body, self._headers, until) as response:
                        if response.status_code != 200:
                            raise self._refusal(response)
                        yield from _limited(response.iter_bytes(), self.host)
                finally:
                    switch.on_throw(None)
        except httpx.TimeoutException as error:
            raise self._late() from error
        except (httpx.HTTPError, httpx.StreamError) as error:
            if switch.late:
                raise self._late() from error
            said = self.clean(str(_root(error))) or "the connection broke off"
            raise LLMError("connection", f"{self.host}: {said}") from error
        finally:
            timer.cancel()

    @contextmanager
    def _line(self) -> Iterator[_Line]:
        with self._lock:
            line = self._free.pop() if self._free else None
        line = line or _Line()
        try:
            yield line
        except BaseException:
            line.close()  # half an answer may still be on it
            raise
        if line.is_cut:  # too late to matter for this call
            line.close()
            return
        with self._lock:
            self._free.append(line)

    def close(self) -> None:
        """Closes idle connections."""
        with self._lock:
            _close(self._free)

    # -- errors -----------------------------------------------------------------------------------

    def _late(self) -> LLMError:
        return LLMError("timeout", f"{self.host}: no answer in time")

    def _refusal(self, response: httpx.Response) -> LLMError:
        """The error that a status other than 200 tells of."""
        said = b""
        for chunk in response.iter_bytes():
            said += chunk
            if len(said) > MAX_ERROR_BYTES:
                break
        status = response.status_code
        reason = REASONS.get(status, "server" if status >= 500 else "request")
        message = self.clean(_error_text(said))
        reason = "too long" if reason == "request" and _TOO_LONG.search(message) else reason
        wait = retry_after(response.headers.get("retry-after"))
        full = f"{self.host}: HTTP {status}{': ' if message else ''}{message}"
        return LLMError(reason, full, status=status, retry_after_s=wait)

    def clean(self, text: str) -> str:
        """A line of text without keys, cut to what is shown."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return _KEY_LIKE.sub("***", " ".join(text.split()))[:SHOWN_CHARS]


class _Line:
    """A connection for one call at a time, which another thread can cut."""

    def __init__(self) -> None:
        import httpx

        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        self._client = httpx.Client(limits=limits)
        self._socket: Any = None
        self.is_cut = False

    @contextmanager
    def post(
        self, url: str, body: Mapping[str, Any], headers: Mapping[str, str], until: float
    ) -> Iterator[httpx.Response]:
        """The answer to a POST, its body still to be read."""
        import httpx

        left = max(0.001, until - time.monotonic())
        timeout = httpx.Timeout(left, connect=min(CONNECT_S, left))
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        kind = {"content-type": "application/json", **headers}
        with self._client.stream(
            "POST", url, content=content, headers=kind, timeout=timeout, extensions={"trace": self._watch}
        ) as response:
            yield response

    def _watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Takes note of the socket: a new call may need a new one."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.is_cut:
                self.cut()

    def cut(self) -> None:
        """Wakes whoever waits on the line, with an error."""
        self.is_cut = True
        if self._socket is not None:
            with suppress(OSError):  # closed already
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()


def _close(lines: list[_Line]) -> None:
    while lines:
        lines.pop().close()


def _limited(chunks: Iterator[bytes], host: str) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            raise LLMError("invalid", f"{host}: the answer is larger than {MAX_REPLY_BYTES:,} bytes")
        yield chunk


def _root(error: BaseException) -> BaseException:
    """The operating system's own error behind httpx's, if there is one."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return error


def _error_text(said: bytes) -> str:
    """What a server says about its error: the message in its JSON, or the beginning of its text."""
    text = said.decode("utf-8", "replace")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return re.sub(r"<[^>]*>", " ", text)
    error = told.get("error", told.get("detail", told)) if isinstance(told, dict) else told
    if isinstance(error, dict):
        parts = [error.get("message"), error.get("param"), error.get("code")]
        return ", ".join(str(part) for part in parts if part) or json.dumps(error)
    return error if isinstance(error, str) else json.dumps(error)


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header: a number, or a date of HTTP."""
    if value is None:
        return None
    if re.fullmatch(r"\d{1,6}(?:\.\d+)?", value.strip()):
        return float(value)
    try:
        then = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())
