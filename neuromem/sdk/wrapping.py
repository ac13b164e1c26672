"""`wrap`: a client of a language model that remembers."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import wraps
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..config import Config
from ..errors import InvalidInput
from .dialects import AnthropicMessages, Dialect, OpenAIChat, OpenAIResponses
from .exchange import Exchange
from .proxy import Proxy, original
from .sidecar import Sidecar
from .store import MemoryStore, ServiceStore, Store
from .streams import AsyncStream, Manager, Stream

if TYPE_CHECKING:
    from ..memory import Memory

__all__ = ["wrap"]

ClientT = TypeVar("ClientT")

_CHAT, _RESPONSES, _MESSAGES = OpenAIChat(), OpenAIResponses(), AnthropicMessages()
DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "chat.completions.create": _CHAT,
        "chat.completions.parse": _CHAT,
        "chat.completions.stream": _CHAT,
        "beta.chat.completions.parse": _CHAT,
        "beta.chat.completions.stream": _CHAT,
        "responses.create": _RESPONSES,
        "responses.parse": _RESPONSES,
        "responses.stream": _RESPONSES,
        "messages.create": _MESSAGES,
        "messages.parse": _MESSAGES,
        "messages.stream": _MESSAGES,
        "beta.messages.create": _MESSAGES,
        "beta.messages.parse": _MESSAGES,
        "beta.messages.stream": _MESSAGES,
        "completion": _CHAT,  # litellm
        "acompletion": _CHAT,
    }
)
"""Path of a method on a client → how it is called. Everything else on a client passes through."""

SIGNS = ("chat.completions.create", "messages.create", "completion")  # one is on every client that is known
POSITIONAL = ("model", "messages")  # litellm's first; the methods of the others take names only
NOBODY = "nobody"  # an owner that has no memories, to warm up with


def wrap(
    client: ClientT,
    *,
    memory: Memory | None = None,
    url: str | None = None,
    api_key: str | None = None,
    user_id: str | None = None,
    deadline_s: float = 0.15,
    limit: int = 10,
    queue: int = 1_000,
    config: Config | Mapping[str, Any] | None = None,
) -> ClientT:
    """A client that remembers: what is known is put into each call, what was said is kept after it.

    >>> client = wrap(openai.OpenAI(), memory=Memory("my-memory"))         # doctest: +SKIP
    >>> client.chat.completions.create(model=…, messages=…, user="ana")    # doctest: +SKIP

    Whose memory it is: ``user=`` of the call (Anthropic: ``metadata={"user_id": …}``), else `user_id`.
    Calls are those of `DIALECTS`, streamed or not, sync or async. If the memory is down, slow or broken, a
    call goes through as if there were none: see ``client.neuromem`` (`Sidecar`) for `stats`,
    `last_recall`, `enabled` and `flush`.

    Args:
        client: `openai.OpenAI` or `AsyncOpenAI` and what is made like them, `anthropic.Anthropic` or
            `AsyncAnthropic`, or the module `litellm`. It is not changed.
        memory: a memory in this process; it stays yours to close, and waits then for what is to be told.
        url, api_key: the memory service instead.
        user_id: the owner where a call names none.
        deadline_s: how long a call waits for the memory.
        limit: memories recalled at most.
        queue: how many exchanges may wait to be told; more are dropped, and counted.
        config: with `url`: ``context.memories`` is the most tokens that are put in. A memory has its own.

    Raises:
        InvalidInput: not such a client, or a wrapped one; neither or both of memory and url; no memory; a bad
            limit.
        MissingDependency: `url` without httpx.
    """
    _check(client, deadline_s, limit, queue)
    _check_memory(memory)
    if (memory is None) == (url is None):
        raise InvalidInput("memory", "neither or both of memory and url are given", "give one of them")
    store: Store
    if memory is not None:
        store = MemoryStore(memory, limit, deadline_s)
    else:
        settings = config if isinstance(config, Config) else Config.load(config)
        store = ServiceStore(url or "", api_key, limit, deadline_s, settings.context)
    store.warm_up(user_id or NOBODY)
    sidecar = Sidecar(store, user_id or None, deadline_s, queue)
    if memory is not None:
        memory.engine.waits_for(sidecar)
    return cast(ClientT, Remembering(client, sidecar))


class Part(Proxy):
    """A client, or a part of it on the way to its methods."""

    __slots__ = ("_neuromem_path", "_neuromem_sidecar")

    def __init__(self, inner: Any, sidecar: Sidecar, path: str = "") -> None:
        super().__init__(inner)
        object.__setattr__(self, "_neuromem_sidecar", sidecar)
        object.__setattr__(self, "_neuromem_path", path)

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        path = f"{self._neuromem_path}.{name}".lstrip(".")
        if path in DIALECTS:
            return _remembering(path, value, self._neuromem_sidecar)
        if any(known.startswith(f"{path}.") for known in DIALECTS) and not inspect.isroutine(value):
            return Part(value, self._neuromem_sidecar, path)
        return value


class Remembering(Part):
    """A wrapped client."""

    __slots__ = ()

    @property
    def neuromem(self) -> Sidecar:
        """The memory beside this client."""
        sidecar: Sidecar = self._neuromem_sidecar
        return sidecar

    def __copy__(self) -> Remembering:
        return Remembering(copy(original(self)), self._neuromem_sidecar)

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        if name in ("with_options", "copy") and callable(value):
            return self._wrapped_again(value)
        if name == "close" and callable(value):
            return self._aclosing(value) if _is_async(value) else self._closing(value)
        return value

    def _wrapped_again(self, changed: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(changed)
        def copied(*args: Any, **kwargs: Any) -> Remembering:
            return Remembering(changed(*args, **kwargs), self._neuromem_sidecar)

        return copied

    def _closing(self, close: Callable[[], Any]) -> Callable[[], Any]:
        def closing() -> Any:
            try:
                return close()
            finally:
                self.neuromem.close()

        return closing

    def _aclosing(self, close: Callable[[], Any]) -> Callable[[], Any]:
        async def closing() -> Any:
            try:
                return await close()
            finally:
                await asyncio.to_thread(self.neuromem.close)

        return closing

    def __enter__(self) -> Any:
        if not isinstance(original(self), ModuleType):
            original(self).__enter__()
        return self

    def __exit__(self, *raised: Any) -> Any:
        try:
            return None if isinstance(original(self), ModuleType) else original(self).__exit__(*raised)
        finally:
            self.neuromem.close()

    async def __aenter__(self) -> Any:
        await original(self).__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> Any:
        try:
            return await original(self).__aexit__(*raised)
        finally:
            await asyncio.to_thread(self.neuromem.close)


def _remembering(path: str, call: Callable[..., Any], sidecar: Sidecar) -> Callable[..., Any]:
    """The method of a client, with a memory before and after it."""

    def begun(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Exchange, tuple[Any, ...]]:
        """The exchange, and what was given without a name that is known."""
        names = POSITIONAL if len(args) <= len(POSITIONAL) else _names(call)
        named = {**dict(zip(names, args, strict=False)), **kwargs}
        return Exchange(sidecar, DIALECTS[path], named), args[len(names) :]

    if path.endswith(".stream"):

        @wraps(call)
        def streaming(*args: Any, **kwargs: Any) -> Manager:
            return Manager(call, begun(args, kwargs)[0])

        return streaming
    if _is_async(call):

        @wraps(call)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            exchange, rest = begun(args, kwargs)
            await exchange.arecall()
            answer = await call(*rest, **exchange.call)
            return _listened(answer, exchange, awaited=True)

        return awaited

    @wraps(call)
    def called(*args: Any, **kwargs: Any) -> Any:
        exchange, rest = begun(args, kwargs)
        exchange.recall()
        answer = call(*rest, **exchange.call)
        return _listened(answer, exchange, awaited=False)

    return called


def _names(call: Callable[..., Any]) -> Sequence[str]:
    """What a method calls the arguments that it takes in their order."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):  # it does not say
        return POSITIONAL
    return [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD] or POSITIONAL


def _listened(answer: Any, exchange: Exchange, *, awaited: bool) -> Any:
    """An answer that is listened to while it streams, or is read at once. litellm's can do both."""
    kind = type(answer)
    if awaited and hasattr(kind, "__anext__"):
        return AsyncStream(answer, exchange)
    if hasattr(kind, "__next__"):
        return Stream(answer, exchange)
    exchange.answered(answer)
    return answer


def _is_async(call: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(inspect.unwrap(call))


def _check(client: object, deadline_s: float, limit: int, queue: int) -> None:
    if isinstance(client, Part):
        raise InvalidInput("client", "is wrapped already", "wrap the client itself")
    if not any(_has(client, path) for path in SIGNS):
        problem = f"{type(client).__name__} is no client that is known"
        raise InvalidInput("client", problem, "give one of OpenAI or Anthropic, or the module litellm")
    for name, value, kind in (
        ("deadline_s", deadline_s, float),
        ("limit", limit, int),
        ("queue", queue, int),
    ):
        if isinstance(value, bool) or not isinstance(value, (int, kind)) or not 0 < value < 1_000_000:
            wanted = "a whole number" if kind is int else "a number"
            raise InvalidInput(name, f"{value!r} is out of range", f"give {wanted} above 0")


def _check_memory(memory: object) -> None:
    """
    Raises:
        InvalidInput: it has not the methods of a memory, or is its class.
    """
    lacking = {"add", "conscious", "engine", "search"} - set(dir(memory))
    if memory is not None and (lacking or isinstance(memory, type)):
        lacks = f"{type(memory).__name__} has no {' and no '.join(sorted(lacking))}"
        problem = lacks if lacking else "is a class"
        raise InvalidInput("memory", problem, "give a neuromem.Memory, such as neuromem.Memory('folder')")


def _has(client: object, path: str) -> bool:
    for name in path.split("."):
        client = getattr(client, name, None)
    return callable(client)
