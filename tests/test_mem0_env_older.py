"""mem0-env: code that asks as mem0 1.x was asked is understood by mem0 2.x's clients, if they go to us."""

from __future__ import annotations

import asyncio
import inspect
from types import ModuleType
from typing import Any

import pytest

from neuromem import mem0_hook


class Client:
    """As mem0's client is in 2.x, as far as it matters."""

    def __init__(self, api_key: str | None = None, host: str | None = None, client: Any = None) -> None:
        self.host = host

    def search(self, query: str, options: Any = None, **named: Any) -> dict[str, Any]:
        return self._asked(named)

    def get_all(self, options: Any = None, **named: Any) -> dict[str, Any]:
        return self._asked(named)

    def _asked(self, named: dict[str, Any]) -> dict[str, Any]:
        if set(named) & set(mem0_hook.NAMES):
            raise ValueError("not supported")
        return named


class AsyncClient(Client):
    """The other one."""

    def __init__(self, api_key: str | None = None, host: str | None = None, client: Any = None) -> None:
        self.host = host

    async def search(self, query: str, options: Any = None, **named: Any) -> dict[str, Any]:  # type: ignore[override]
        return self._asked(named)


@pytest.fixture
def patched() -> tuple[Any, Any]:
    module = ModuleType("stand_in")
    module.MemoryClient = type("MemoryClient", (Client,), dict(vars(Client)))  # type: ignore[attr-defined]
    module.AsyncMemoryClient = type("AsyncMemoryClient", (AsyncClient,), dict(vars(AsyncClient)))  # type: ignore[attr-defined]
    mem0_hook._patch(module)
    return module.MemoryClient, module.AsyncMemoryClient


def test_names_go_into_the_filters(patched: tuple[Any, Any]) -> None:
    client = patched[0]()
    assert client.search("x", user_id="ana", limit=3) == {"filters": {"user_id": "ana"}, "limit": 3}
    assert client.get_all(user_id="ana", run_id=None) == {"filters": {"user_id": "ana"}}
    both = client.search(query="x", agent_id="bot", filters={"metadata": {"a": 1}})
    assert both == {"filters": {"AND": [{"agent_id": "bot"}, {"metadata": {"a": 1}}]}}
    assert client.search("x", filters={"user_id": "ana"}) == {"filters": {"user_id": "ana"}}


def test_the_asynchronous_client_stays_one(patched: tuple[Any, Any]) -> None:
    client = patched[1]()
    assert inspect.iscoroutinefunction(client.search)
    assert asyncio.run(client.search("x", user_id="ana")) == {"filters": {"user_id": "ana"}}


def test_a_client_with_a_host_of_its_own_and_new_calls_are_left_alone(patched: tuple[Any, Any]) -> None:
    with pytest.raises(ValueError, match="not supported"):
        patched[0](host="http://mine").search("x", user_id="ana")
    with pytest.raises(ValueError, match="not supported"):
        patched[0]().search("x", {"filters": {"run_id": "r"}}, user_id="ana")


def test_a_constructor_takes_what_it_once_took(patched: tuple[Any, Any]) -> None:
    assert patched[0](org_id="o", project_id=None).host == mem0_hook.url()
    assert patched[0](host="http://mine", org_id=None, project_id=None).host == "http://mine"
    with pytest.raises(TypeError, match="org_id"):
        patched[0](host="http://mine", org_id="o")
