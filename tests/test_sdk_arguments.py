"""What a wrapped client, and `wrap` itself, are given: by name, by place, or wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("openai", reason="the SDK of OpenAI is wrapped here: pip install openai")

from llm_server import ScriptedServer
from sdk_llm import ASK, QUESTION, chat, model, noting_memory, plain, primed_memory

import neuromem


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
