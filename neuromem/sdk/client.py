"""Clients of the memory service: what can be asked of it, with retries that never write twice."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from ..errors import Closed, InvalidInput
from ..llm.http import retry_after
from .loop import Loop
from .sendable import address_of, header_of, key_of, seconds, text_of, to_json
from .wire import Remembered, ServiceError, memories_of, pause_before, refusal, told

if TYPE_CHECKING:
    import httpx

__all__ = ["AsyncClient", "Client"]

Messages = str | Sequence[Mapping[str, Any]]
When = float | datetime | str

MAX_REPLY_BYTES = 16 << 20
TRIES = 4
NOT_THERE = 404
GATEWAYS = (502, 504)  # a proxy's own: what it passed on may have been done


class AsyncClient:
    """The memory service, awaited. One for each event loop.

    Args:
        url: such as "http://localhost:8765".
        api_key: sent as ``Authorization: Bearer …``.
        user_id: whose memory it is, where a call does not say.
        timeout_s: of a call, all its tries together.

    Every call raises `ServiceError` when there is no usable answer in time, and `InvalidInput` where
    something cannot be sent: it is no JSON, or holds half of a surrogate pair.

    Raises:
        InvalidInput: not an http(s) URL, no key, or no time. MissingDependency: httpx is not installed.
    """

    def __init__(
        self, url: str, api_key: str | None = None, user_id: str | None = None, timeout_s: float = 10.0
    ) -> None:
        self.url, self.host = address_of(url)
        self.user_id, self.timeout_s = user_id, seconds(timeout_s, "timeout_s")
        self._headers = {"authorization": f"Bearer {key_of(api_key)}"} if api_key else {}
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
        body = {"user_id": text_of(user_id, "user_id")}
        return await self._ask("POST", "/v1/users", body, key=uuid.uuid4().hex)

    async def create_session(self, user_id: str | None = None) -> dict[str, Any]:
        """Begins a session: ``{"session_id", "user_id", "conscious": […]}``."""
        body = {"user_id": self._user(user_id)}
        return await self._ask("POST", "/v1/sessions", body, key=uuid.uuid4().hex)

    async def forget(self, id: str) -> None:
        """Forgets a memory for good."""
        if not text_of(id, "id").strip():
            raise InvalidInput("id", "is blank", "give the id of a memory")
        await self._ask("DELETE", f"/v1/memories/{quote(id, safe='')}/", gone_is_done=True)

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
        return text_of(user, "user_id")

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
        *,
        gone_is_done: bool = False,
    ) -> dict[str, Any]:
        """An answer, after some tries if need be.

        Args:
            gone_is_done: a try whose answer was lost may have been carried out: that nothing is there for the
                next one is what was wanted then.
        """
        headers = {} if key is None else {"idempotency-key": header_of(key, "idempotency_key")}
        if body is not None:
            headers["content-type"] = "application/json"
        content = None if body is None else to_json(body)
        until = time.monotonic() + self.timeout_s
        attempt, lost = 0, False
        while True:
            attempt += 1
            try:
                return await self._once(method, path, content, headers, until)
            except ServiceError as error:
                if gone_is_done and lost and error.status == NOT_THERE:
                    return {}
                lost |= error.reason == "connection" or error.status in GATEWAYS
                pause = pause_before(attempt, error.retry_after_s)
                late = time.monotonic() + pause >= until
                if not error.may_pass or attempt == TRIES or late:
                    raise
            await asyncio.sleep(pause)

    async def _once(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str], until: float
    ) -> dict[str, Any]:
        import httpx

        http = self._http()
        self._under_way += 1
        try:
            async with (
                asyncio.timeout(until - time.monotonic()),
                http.stream(method, self.url + path, content=content, headers=headers) as response,
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
        """Closes the connections; calls of other threads that are under way raise `Closed`."""
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
