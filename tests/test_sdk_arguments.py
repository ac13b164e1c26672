"""What a wrapped client, and `wrap` itself, are given: by name, by place, or wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("openai", reason="the SDK of OpenAI is wrapped here: pip install openai")

from llm_server import ScriptedServer
from sdk_llm import ASK, QUESTION, chat, model, noting_memory, plain, primed_memory

import neuromem
from neuromem import Memory
from neuromem.errors import InvalidInput


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with model(chat) as server:
        yield server


def test_more_arguments_without_a_name_are_those_of_the_method() -> None:
    """litellm's functions take two dozen."""
    given: list[Any] = []

    def completion(model: str, messages: list[Any], timeout: float = 1.0, user: str = "", **more: Any) -> str:
        given.append((model, len(messages), timeout, user, more))
        return "fine"

    with primed_memory() as memory:
        client: Any = neuromem.wrap(SimpleNamespace(completion=completion), memory=memory, deadline_s=5.0)
        assert client.completion("m", ASK, 30, "ana", top_p=1) == "fine"
        assert client.completion("m", ASK, timeout=20, user="ana") == "fine"
        assert client.neuromem.stats.injected == 2
    assert given == [("m", 1, 30, "ana", {"top_p": 1}), ("m", 1, 20, "ana", {})]


def test_what_the_sdk_would_refuse_it_refuses(server: ScriptedServer) -> None:
    with noting_memory() as memory, neuromem.wrap(plain(server), memory=memory, user_id="ana") as client:
        with pytest.raises(TypeError):
            client.chat.completions.create(ASK, "m", 1)  # type: ignore[call-overload]
        with pytest.raises(TypeError):
            client.chat.completions.create(model="m", messages=QUESTION, nonsense=1)  # type: ignore[call-overload]


@pytest.mark.parametrize("memory", ["my-memory", 7, {}, Memory])
def test_what_is_no_memory_is_named(server: ScriptedServer, memory: Any) -> None:
    with pytest.raises(InvalidInput, match=r"memory: .*neuromem\.Memory"):
        neuromem.wrap(plain(server), memory=memory)


@pytest.mark.parametrize("name", ["deadline_s", "limit", "queue"])
@pytest.mark.parametrize("value", ["1", None, True, float("nan"), -1])
def test_what_is_no_number_is_named(server: ScriptedServer, name: str, value: Any) -> None:
    with noting_memory() as memory, pytest.raises(InvalidInput, match=name):
        neuromem.wrap(plain(server), memory=memory, **{name: value})


@pytest.mark.parametrize("name", ["limit", "queue"])
def test_half_a_memory_cannot_be_asked_for(server: ScriptedServer, name: str) -> None:
    with noting_memory() as memory, pytest.raises(InvalidInput, match="whole"):
        neuromem.wrap(plain(server), memory=memory, **{name: 2.5})


def test_a_copy_of_a_client_remembers(server: ScriptedServer) -> None:
    with primed_memory() as memory:
        client = neuromem.wrap(plain(server), memory=memory, user_id="ana", deadline_s=5.0)
        other = copy(client)
        other.chat.completions.create(model="m", messages=ASK)
        assert "Potola" in server.asked[0]["messages"][0]["content"]
        assert other.neuromem is client.neuromem
