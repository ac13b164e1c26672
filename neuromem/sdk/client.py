"""Clients of the memory service: what can be asked of it, with retries that never write twice."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from ..checks import check_encodable
from ..errors import Closed, InvalidInput, MissingDependency
from ..llm.http import retry_after
from .loop import Loop
from .wire import Remembered, ServiceError, memories_of, pause_before, refusal, told

if TYPE_CHECKING:
    import httpx

__all__ = ["AsyncClient", "Client"]

Messages = str | Sequence[Mapping[str, Any]]
When = float | datetime | str

MAX_REPLY_BYTES = 16 << 20
TRIES = 4


class AsyncClient:
    """The memory service, awaited. One for each event loop.

    Args:
        url: such as "http://localhost:8765".
        api_key: sent as ``Authorization: Bearer …``.
        user_id: whose memory it is, where a call does not say.
        timeout_s: of a call, all its tries together.

    Every call raises `ServiceError` when there is no usable answer in time, and `InvalidInput` where words
    cannot be sent: they hold half of a surrogate pair.

    Raises:
        InvalidInput: not an http(s) URL, or no key. MissingDependency: httpx is not installed.
    """

    def __init__(
        self, url: str, api_key: str | None = None, user_id: str | None = None, timeout_s: float = 10.0
    ) -> None:
        self.url, self.host = _checked(url)
        self.user_id, self.timeout_s = user_id, timeout_s
        self._headers = {"authorization": f"Bearer {_key(api_key)}"} if api_key else {}
        self._line = self._connect()
        self._under_way, self._is_closed = 0, False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, user_id={self.user_id!r})"

    async def close(self) -> None:
        """Closes the connections; where calls are under way, the last of them does."""
        self._is_closed = True
        await self._close_unused()

    # -- the service ----------------------------------------------------------------------------

    async def ingest(
        self,
        messages: Messages,
        user_id: str | None = None,
        session_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        timestamp: When | None = None,
        infer: bool = True,
        *,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Tells what was said: ``{"event_id", "status", "memories": [{"id", "memory", "event"}]}``.

        Args:
            messages: words, or OpenAI-style messages. infer: False keeps each as it is.
            timestamp: when it was said.
            idempotency_key: names this telling; told twice under one name it is written once. A new one
                when None, which the retries of this call share.
        """
        when = timestamp.isoformat() if isinstance(timestamp, datetime) else timestamp
        body: dict[str, Any] = {"user_id": self._user(user_id), "messages": messages, "infer": infer}
        more = {"session_id": session_id, "metadata": metadata, "timestamp": when}
        body |= {name: value for name, value in more.items() if value is not None}
        return await self._ask("POST", "/v1/ingest", body, key=idempotency_key or uuid.uuid4().hex)

    async def recall(
        self, query: str, user_id: str | None = None, limit: int = 10, current_view_only: bool = True
    ) -> list[Remembered]:
        """What answers a question, best first."""
        return await self._recall(query, user_id, limit, current_view_only=current_view_only)

    async def deep(self, query: str, user_id: str | None = None, limit: int = 10) -> list[Remembered]:
        """The slow path: every word ever said, forgotten facts included."""
        return await self._recall(query, user_id, limit, deep=True)

    async def conscious(self, user_id: str | None = None) -> list[Remembered]:
        """The essential facts that hold now, what matters most first."""
        path = f"/v1/conscious?user_id={quote(self._user(user_id), safe='')}"
        return memories_of(await self._ask("GET", path), self.host)

    async def create_user(self, user_id: str) -> dict[str, Any]:
        """Makes a user: ``{"user_id", "api_key"}``."""
        return await self._ask("POST", "/v1/users", {"user_id": user_id}, key=uuid.uuid4().hex)

    async def create_session(self, user_id: str | None = None) -> dict[str, Any]:
        """Begins a session: ``{"session_id", "user_id", "conscious": […]}``."""
        body = {"user_id": self._user(user_id)}
        return await self._ask("POST", "/v1/sessions", body, key=uuid.uuid4().hex)

    async def forget(self, id: str) -> None:
        """Forgets a memory for good."""
        await self._ask("DELETE", f"/v1/memories/{quote(_encodable(id, 'id'), safe='')}/")

    async def health(self) -> dict[str, Any]:
        """What the service says of itself."""
        return await self._ask("GET", "/health")

    # -- asking ---------------------------------------------------------------------------------

    async def _recall(self, query: str, user_id: str | None, limit: int, **more: bool) -> list[Remembered]:
        body = {"user_id": self._user(user_id), "query": query, "limit": limit, **more}
        return memories_of(await self._ask("POST", "/v1/recall", body), self.host)

    def _user(self, user_id: str | None) -> str:
        user = user_id or self.user_id
        if not user:
            raise InvalidInput("user_id", "is missing", "give it here or to the client")
        return _encodable(user, "user_id")

    async def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> dict[str, Any]:
        """An answer, after some tries if need be."""
        headers = {"idempotency-key": key} if key else {}
        until = time.monotonic() + self.timeout_s
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._once(method, path, body, headers, until)
            except UnicodeEncodeError as error:
                raise _unsendable(body or {}, key) from error
            except ServiceError as error:
                pause = pause_before(attempt, error.retry_after_s)
                late = time.monotonic() + pause >= until
                if not error.may_pass or attempt == TRIES or late:
                    raise
            await asyncio.sleep(pause)

    async def _once(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        until: float,
    ) -> dict[str, Any]:
        import httpx

        http = self._http()
        self._under_way += 1
        try:
            async with (
                asyncio.timeout(until - time.monotonic()),
                http.stream(method, self.url + path, json=body, headers=headers) as response,
            ):
                said = await self._body(response)
        except TimeoutError as error:
            raise ServiceError("timeout", f"{self.host}: no answer in {self.timeout_s:g} s") from error
        except httpx.HTTPError as error:
            shown = str(error) or type(error).__name__
            raise ServiceError("connection", f"{self.host}: {shown}; does the service run?") from error
        finally:
            self._under_way -= 1
            await self._close_unused()
        if not response.is_success:
            wait = retry_after(response.headers.get("retry-after"))
            raise refusal(response.status_code, said, self.host, wait)
        return told(said, self.host)

    async def _body(self, response: httpx.Response) -> bytes:
        said = bytearray()
        async for chunk in response.aiter_bytes():
            said += chunk
            if len(said) > MAX_REPLY_BYTES:
                raise ServiceError("invalid", f"{self.host}: answers more than {MAX_REPLY_BYTES:,} bytes")
        return bytes(said)

    def _http(self) -> httpx.AsyncClient:
        """The connections; new ones after a fork, as two processes cannot share them."""
        if self._is_closed:
            raise Closed(f"the client of {self.host} was closed; make a new one")
        if self._line[0] != os.getpid():
            self._line, self._under_way = self._connect(), 0
        return self._line[1]

    async def _close_unused(self) -> None:
        """Closes the connections of a closed client once no call uses them; httpx forgets those just made."""
        if self._is_closed and not self._under_way:
            await self._line[1].aclose()

    def _connect(self) -> tuple[int, httpx.AsyncClient]:
        import httpx

        # the time limit is that of the whole call: see `_once`
        return os.getpid(), httpx.AsyncClient(headers=self._headers, timeout=None)


class Client:
    """The memory service for code that does not await. Safe across threads; see `AsyncClient`.

    >>> client = Client("http://localhost:8765", api_key="…", user_id="ana")       # doctest: +SKIP
    >>> client.ingest("My dog's name is Potola")                                   # doctest: +SKIP
    >>> client.recall("what is my dog called?")[0].text                            # doctest: +SKIP
    "My dog's name is Potola"
    """

    def __init__(
        self, url: str, api_key: str | None = None, user_id: str | None = None, timeout_s: float = 10.0
    ) -> None:
        self._client = AsyncClient(url, api_key, user_id, timeout_s)
        self._loop = Loop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._client).removeprefix("Async")

    def close(self) -> None:
        """Closes the connections."""
        if not self._loop.is_stopped:
            self._loop.run(self._client.close())
            self._loop.stop()

    def ingest(
        self,
        messages: Messages,
        user_id: str | None = None,
        session_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        timestamp: When | None = None,
        infer: bool = True,
        *,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Tells what was said; see `AsyncClient.ingest`."""
        return self._loop.run(
            self._client.ingest(
                messages, user_id, session_id, metadata, timestamp, infer, idempotency_key=idempotency_key
            )
        )

    def recall(
        self, query: str, user_id: str | None = None, limit: int = 10, current_view_only: bool = True
    ) -> list[Remembered]:
        """What answers a question, best first."""
        return self._loop.run(self._client.recall(query, user_id, limit, current_view_only))

    def deep(self, query: str, user_id: str | None = None, limit: int = 10) -> list[Remembered]:
        """The slow path: every word ever said, forgotten facts included."""
        return self._loop.run(self._client.deep(query, user_id, limit))

    def conscious(self, user_id: str | None = None) -> list[Remembered]:
        """The essential facts that hold now, what matters most first."""
        return self._loop.run(self._client.conscious(user_id))

    def create_user(self, user_id: str) -> dict[str, Any]:
        """Makes a user: ``{"user_id", "api_key"}``."""
        return self._loop.run(self._client.create_user(user_id))

    def create_session(self, user_id: str | None = None) -> dict[str, Any]:
        """Begins a session: ``{"session_id", "user_id", "conscious": […]}``."""
        return self._loop.run(self._client.create_session(user_id))

    def forget(self, id: str) -> None:
        """Forgets a memory for good."""
        self._loop.run(self._client.forget(id))

    def health(self) -> dict[str, Any]:
        """What the service says of itself."""
        return self._loop.run(self._client.health())


def _key(api_key: str) -> str:
    """A key that can be sent; one that cannot would be shown in an error of the line."""
    key = api_key.strip()
    if not (key.isascii() and key.isprintable()):
        raise InvalidInput(
            "api_key", "holds characters that no key has", "give the key as the service made it"
        )
    return key


def _encodable(text: str, field: str) -> str:
    """A text that can be sent.

    Raises:
        InvalidInput: it holds half of a surrogate pair.
    """
    check_encodable(field, text)
    return text


def _unsendable(body: Mapping[str, Any], key: str | None) -> InvalidInput:
    """Why a request cannot be encoded: names the first field that holds half of a surrogate pair."""
    try:
        for name, value in body.items():
            _check_encodable(value, name)
    except InvalidInput as error:
        return error
    return InvalidInput(
        "idempotency_key", f"{key!a:.60} is not ASCII", "give letters, digits and punctuation"
    )


def _check_encodable(value: object, field: str) -> None:
    if isinstance(value, str):
        _encodable(value, field)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            _encodable(str(name), field)
            _check_encodable(item, f"{field}.{name}")
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            _check_encodable(item, f"{field}[{place}]")


def _checked(url: str) -> tuple[str, str]:
    """A service's URL without the last slash, and its host.

    Raises:
        InvalidInput, MissingDependency: see `AsyncClient`.
    """
    if find_spec("httpx") is None:
        raise MissingDependency("a client of the memory service", "httpx", "sdk")
    import httpx

    try:
        parsed = httpx.URL(url.rstrip("/"))
    except (httpx.InvalidURL, TypeError, AttributeError) as error:
        raise InvalidInput("url", f"is not a URL ({error})", "give http://HOST:PORT") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.userinfo:
        raise InvalidInput("url", "is not the http(s) URL of a service", "give http://HOST:PORT")
    return str(parsed).rstrip("/"), parsed.netloc.decode("ascii")
