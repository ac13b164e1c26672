"""The client of Anthropic, wrapped: its calls against a real server on loopback, with a real memory."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("anthropic", reason="the SDK of Anthropic is wrapped here: pip install anthropic")

import anthropic
from llm_server import Answer, ScriptedServer
from sdk_llm import (
    JSON,
    QUESTION,
    SAID,
    SSE,
    NotingMemory,
    message,
    message_pieces,
    message_whole,
    model,
    primed_memory,
)

import neuromem
from neuromem.echo import CLOSE, OPEN

ASK = [{"role": "user", "content": QUESTION}]
EXCHANGE = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": SAID}]
BASE = {"model": "m", "max_tokens": 9}


@pytest.fixture
def memory() -> Iterator[NotingMemory]:
    with primed_memory() as memory:
        yield memory


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with model(message) as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer, memory: NotingMemory) -> Iterator[Any]:
    inner = anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0)
    with neuromem.wrap(inner, memory=memory, user_id="ana", deadline_s=2.0) as client:
        yield client


def told(client: Any, memory: NotingMemory) -> list[dict[str, Any]]:
    assert client.neuromem.flush(10)
    return [message for _, messages in memory.told for message in messages]


def test_without_a_system_text_all_goes_before_the_question(
    client: Any, server: ScriptedServer, memory: NotingMemory
) -> None:
    before = copy.deepcopy(ASK)
    reply = client.messages.create(**BASE, messages=ASK)
    assert reply.content[0].text == SAID
    sent = server.asked[0]
    assert "system" not in sent
    assert sent["messages"][0]["content"].startswith(OPEN)
    assert "Potola" in sent["messages"][0]["content"]
    assert before == ASK
    assert told(client, memory) == EXCHANGE


def test_a_system_text_is_added_to(client: Any, server: ScriptedServer) -> None:
    client.messages.create(**BASE, messages=ASK, system="Be brief.")
    assert server.asked[0]["system"].startswith(f"Be brief.\n\n{OPEN}")
    assert server.asked[0]["system"].endswith(CLOSE)


def test_a_system_of_blocks_gets_one_more(client: Any, server: ScriptedServer) -> None:
    blocks = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    client.messages.create(**BASE, messages=ASK, system=blocks)
    sent = server.asked[0]["system"]
    assert sent[0] == blocks[0]
    assert sent[1]["type"] == "text"
    assert "Potola" in sent[1]["text"]
    assert len(blocks) == 1


def test_the_owner_is_in_the_metadata(client: Any, server: ScriptedServer, memory: NotingMemory) -> None:
    client.messages.create(**BASE, messages=ASK, metadata={"user_id": "ben"})
    assert server.asked[0]["messages"] == ASK
    assert server.asked[0]["metadata"] == {"user_id": "ben"}
    client.neuromem.flush(10)
    assert [user for user, _ in memory.told] == ["ben"]


def test_results_of_tools_stay_first_and_are_not_kept(
    client: Any, server: ScriptedServer, memory: NotingMemory
) -> None:
    use = {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Porto"}}
    server.play(
        Answer(message_whole(use, stop="tool_use"), headers=JSON), Answer(message_whole(), headers=JSON)
    )
    first = client.messages.create(**BASE, messages=ASK)
    assert first.content[0].name == "weather"
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "I live in the rain."}
    talk = [*ASK, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    client.messages.create(**BASE, messages=talk)
    sent = server.asked[1]["messages"]
    assert "Potola" in sent[0]["content"]
    assert sent[2]["content"] == [result]
    assert told(client, memory) == [EXCHANGE[0], EXCHANGE[1]]
    with_words = {"role": "user", "content": [result, {"type": "text", "text": "My dog?"}]}
    client.messages.create(**BASE, messages=[*talk[:2], with_words])
    kinds = [part["type"] for part in server.asked[2]["messages"][2]["content"]]
    assert kinds == ["tool_result", "text", "text"]


def test_the_beginning_of_an_answer_is_passed_over(
    client: Any, server: ScriptedServer, memory: NotingMemory
) -> None:
    client.messages.create(**BASE, messages=[*ASK, {"role": "assistant", "content": "It is"}])
    assert server.asked[0]["messages"][1] == {"role": "assistant", "content": "It is"}
    assert told(client, memory) == EXCHANGE


@pytest.mark.parametrize("read", ["events", "text_stream", "get_final_message", "get_final_text", "half"])
def test_the_helper_of_streams(client: Any, server: ScriptedServer, memory: NotingMemory, read: str) -> None:
    server.play(
        message if read != "half" else Answer(headers=SSE, chunks=message_pieces("I ", "will"), then_s=1)
    )
    with client.messages.stream(**BASE, messages=ASK) as stream:
        assert isinstance(stream, anthropic.MessageStream)
        if read == "events":
            assert "".join(event.text for event in stream if event.type == "text") == SAID
        elif read == "text_stream":
            assert "".join(stream.text_stream) == SAID
        elif read == "get_final_message":
            assert stream.get_final_message().content[0].text == SAID
        elif read == "get_final_text":
            assert stream.get_final_text() == SAID
        else:
            assert next(iter(stream.text_stream)) == "I "
    assert "Potola" in server.asked[0]["messages"][0]["content"]
    said = "I" if read == "half" else SAID
    assert told(client, memory) == [EXCHANGE[0], {"role": "assistant", "content": said}]


def test_a_plain_stream(client: Any, memory: NotingMemory) -> None:
    kinds = [event.type for event in client.messages.create(**BASE, messages=ASK, stream=True)]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    assert told(client, memory) == EXCHANGE


def test_awaited(server: ScriptedServer, memory: NotingMemory) -> None:
    async def use() -> None:
        inner = anthropic.AsyncAnthropic(base_url=server.url, api_key="k", max_retries=0)
        async with neuromem.wrap(inner, memory=memory, user_id="ana", deadline_s=2.0) as client:
            assert (await client.messages.create(**BASE, messages=ASK)).content[0].text == SAID
            stream = await client.messages.create(**BASE, messages=ASK, stream=True)
            assert [event.type async for event in stream][-1] == "message_stop"
            async with client.messages.stream(**BASE, messages=ASK) as helper:
                assert "".join([piece async for piece in helper.text_stream]) == SAID
            async with client.beta.messages.stream(**BASE, messages=ASK) as helper:
                assert await helper.get_final_text() == SAID

    asyncio.run(use())
    assert all("Potola" in asked["messages"][0]["content"] for asked in server.asked)
    assert [messages for _, messages in memory.told] == [EXCHANGE] * 4


def test_everything_else_passes_through(client: Any, server: ScriptedServer) -> None:
    assert list(client.models.list()) == []
    assert isinstance(client, anthropic.Anthropic)
    other = client.with_options(timeout=3.0)
    other.messages.create(**BASE, messages=ASK)
    assert "Potola" in server.asked[0]["messages"][0]["content"]
