"""Streamed, awaited and parsed answers of OpenAI's client, wrapped; its `responses`, too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("openai", reason="the SDK of OpenAI is wrapped here: pip install openai")

import openai
from llm_server import Answer, ScriptedServer
from sdk_llm import (
    ASK,
    EXCHANGE,
    JSON,
    QUESTION,
    SAID,
    SSE,
    NotingMemory,
    awaited,
    chat,
    chat_pieces,
    chat_whole,
    model,
    plain,
    primed_memory,
    response,
    told,
)

import neuromem
from neuromem.echo import OPEN


@pytest.fixture
def memory() -> Iterator[NotingMemory]:
    with primed_memory() as memory:
        yield memory


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with model(chat) as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer, memory: NotingMemory) -> Iterator[Any]:
    with neuromem.wrap(plain(server), memory=memory, user_id="ana", deadline_s=2.0) as client:
        yield client


# --- streams ----------------------------------------------------------------------------------------


def test_a_stream_comes_as_it_was(client: Any, server: ScriptedServer, memory: NotingMemory) -> None:
    stream = client.chat.completions.create(model="m", messages=ASK, stream=True)
    assert isinstance(stream, openai.Stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == SAID
    assert "Potola" in server.asked[0]["messages"][0]["content"]
    assert told(client, memory) == EXCHANGE


def test_an_awaited_call_and_stream(server: ScriptedServer, memory: NotingMemory) -> None:
    async def use(client: Any) -> str:
        reply = await client.chat.completions.create(model="m", messages=ASK)
        assert reply.choices[0].message.content == SAID
        stream = await client.chat.completions.create(model="m", messages=ASK, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert awaited(server, memory, use) == SAID
    assert all("Potola" in asked["messages"][0]["content"] for asked in server.asked)
    assert [messages for _, messages in memory.told] == [EXCHANGE] * 2


@pytest.mark.parametrize("finish", ["iterate", "until_done", "get_final_completion"])
def test_the_helper_of_streams(
    client: Any, server: ScriptedServer, memory: NotingMemory, finish: str
) -> None:
    with client.chat.completions.stream(model="m", messages=ASK) as stream:
        if finish == "iterate":
            deltas = [event.delta for event in stream if event.type == "content.delta"]
            assert "".join(deltas) == SAID
        elif finish == "until_done":
            assert stream.until_done() is stream
        assert stream.get_final_completion().choices[0].message.content == SAID
    assert "Potola" in server.asked[0]["messages"][0]["content"]
    assert told(client, memory) == EXCHANGE


def test_the_helper_of_streams_awaited(server: ScriptedServer, memory: NotingMemory) -> None:
    async def use(client: Any) -> Any:
        async with client.chat.completions.stream(model="m", messages=ASK) as stream:
            return (await stream.get_final_completion()).choices[0].message.content

    assert awaited(server, memory, use) == SAID
    assert "Potola" in server.asked[0]["messages"][0]["content"]
    assert [messages for _, messages in memory.told] == [EXCHANGE]


@pytest.mark.parametrize("ending", ["close", "with", "drop"])
def test_of_a_stream_that_is_left_what_was_said_so_far_is_kept(
    client: Any, server: ScriptedServer, memory: NotingMemory, ending: str
) -> None:
    server.play(Answer(headers=SSE, chunks=chat_pieces("I will ", *["and on "] * 500), between_s=0.002))
    stream = client.chat.completions.create(model="m", messages=ASK, stream=True)
    inner = stream.response
    read = (chunk for chunk in stream if chunk.choices[0].delta.content)
    if ending == "with":
        with stream:
            next(read)
    else:
        next(read)
        if ending == "close":
            stream.close()
    del stream, read
    inner.close()
    assert told(client, memory) == [EXCHANGE[0], {"role": "assistant", "content": "I will"}]


def test_a_line_that_breaks_raises_as_without_a_memory(
    client: Any, server: ScriptedServer, memory: NotingMemory
) -> None:
    server.play(Answer(headers=SSE, chunks=chat_pieces("I will ")[:2], breaks_off=True))
    stream = client.chat.completions.create(model="m", messages=ASK, stream=True)
    with pytest.raises(openai.APIConnectionError):
        list(stream)
    assert told(client, memory)[-1] == {"role": "assistant", "content": "I will"}


def test_an_awaited_stream_that_is_cancelled(server: ScriptedServer, memory: NotingMemory) -> None:
    server.play(Answer(headers=SSE, chunks=chat_pieces("I will ", "and on "), between_s=0.3))

    async def use(client: Any) -> None:
        stream = await client.chat.completions.create(model="m", messages=ASK, stream=True)

        async def read() -> None:
            async for _ in stream:
                pass

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read(), 0.75)
        await stream.close()

    awaited(server, memory, use)
    ((_, messages),) = memory.told
    assert messages[0] == EXCHANGE[0]
    assert messages[-1]["content"].startswith("I will")


# --- responses and parse ----------------------------------------------------------------------------


@pytest.mark.parametrize("talk", [QUESTION, [{"role": "user", "content": QUESTION}]])
def test_responses(client: Any, server: ScriptedServer, memory: NotingMemory, talk: Any) -> None:
    server.play(response)
    reply = client.responses.create(model="m", input=talk, instructions="Be brief.")
    assert reply.output_text == SAID
    sent = server.asked[0]
    assert sent["instructions"].startswith("Be brief.\n\n<neuromem>")
    assert "Potola" in sent["instructions"]
    assert told(client, memory) == EXCHANGE


def test_responses_without_instructions(client: Any, server: ScriptedServer) -> None:
    server.play(response)
    client.responses.create(model="m", input=QUESTION)
    assert server.asked[0]["input"].startswith(OPEN)
    assert server.asked[0]["input"].endswith(QUESTION)
    assert "instructions" not in server.asked[0]


def test_responses_of_parts_and_tools(client: Any, server: ScriptedServer, memory: NotingMemory) -> None:
    server.play(response)
    talk = [
        {"role": "user", "content": [{"type": "input_text", "text": QUESTION}]},
        {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "I live in the rain."},
    ]
    client.responses.create(model="m", input=talk)
    sent = server.asked[0]["input"]
    assert [part["type"] for part in sent[0]["content"]] == ["input_text", "input_text"]
    assert sent[1:] == talk[1:]
    assert told(client, memory) == [EXCHANGE[1]]


@pytest.mark.parametrize("helper", [False, True])
def test_responses_streamed(client: Any, server: ScriptedServer, memory: NotingMemory, helper: bool) -> None:
    server.play(response)
    if helper:
        with client.responses.stream(model="m", input=QUESTION) as stream:
            assert stream.get_final_response().output_text == SAID
    else:
        stream = client.responses.create(model="m", input=QUESTION, stream=True)
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        assert "".join(deltas) == SAID
    assert "Potola" in server.asked[0]["input"]
    assert told(client, memory) == EXCHANGE


def test_responses_awaited(server: ScriptedServer, memory: NotingMemory) -> None:
    server.play(response)

    async def use(client: Any) -> None:
        assert (await client.responses.create(model="m", input=QUESTION)).output_text == SAID
        async with client.responses.stream(model="m", input=QUESTION) as stream:
            assert (await stream.get_final_response()).output_text == SAID

    awaited(server, memory, use)
    assert [messages for _, messages in memory.told] == [EXCHANGE] * 2


def test_parsed_answers(client: Any, server: ScriptedServer, memory: NotingMemory) -> None:
    import pydantic

    class Dog(pydantic.BaseModel):
        name: str

    server.play(Answer(chat_whole('{"name": "Potola"}'), headers=JSON))
    reply = client.chat.completions.parse(model="m", messages=ASK, response_format=Dog)
    assert reply.choices[0].message.parsed == Dog(name="Potola")
    assert "Potola" in server.asked[0]["messages"][0]["content"]
    assert told(client, memory)[0] == EXCHANGE[0]
