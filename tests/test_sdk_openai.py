"""The client of OpenAI, wrapped: its calls against a real server on loopback, with a real memory."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("openai", reason="the SDK of OpenAI is wrapped here: pip install openai")

import openai
from llm_server import Answer, ScriptedServer
from sdk_llm import (
    CALL,
    JSON,
    POTOLA,
    QUESTION,
    SAID,
    SSE,
    NotingMemory,
    chat,
    chat_pieces,
    chat_whole,
    model,
    noting_memory,
    response,
)

import neuromem
from neuromem.echo import CLOSE, KNOWN, OPEN, RECALLED
from neuromem.errors import InvalidInput

ASK = [{"role": "user", "content": QUESTION}]


@pytest.fixture
def memory() -> Iterator[NotingMemory]:
    with noting_memory() as memory:
        memory.add(POTOLA, user_id="ana")
        memory.search(QUESTION, user_id="ana")  # networks are loaded: a deadline is for recall
        memory.told.clear()
        yield memory


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with model(chat) as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer, memory: NotingMemory) -> Iterator[Any]:
    with neuromem.wrap(plain(server), memory=memory, user_id="ana", deadline_s=2.0) as client:
        yield client


def plain(server: ScriptedServer) -> Any:
    return openai.OpenAI(base_url=server.url, api_key="k", max_retries=0)


def awaited(server: ScriptedServer, memory: NotingMemory, use: Callable[[Any], Awaitable[Any]]) -> Any:
    """What a use of the wrapped async client gives."""

    async def used() -> Any:
        inner = openai.AsyncOpenAI(base_url=server.url, api_key="k", max_retries=0)
        async with neuromem.wrap(inner, memory=memory, user_id="ana", deadline_s=2.0) as client:
            return await use(client)

    return asyncio.run(used())


def told(client: Any, memory: NotingMemory) -> list[dict[str, Any]]:
    """What the memory was told after the calls, by one user."""
    assert client.neuromem.flush(10)
    return [message for _, messages in memory.told for message in messages]


EXCHANGE = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": SAID}]


# --- what is put in, and what is kept ---------------------------------------------------------------


def test_what_is_known_is_put_in_and_what_was_said_is_kept(
    client: Any, server: ScriptedServer, memory: NotingMemory
) -> None:
    before = copy.deepcopy(ASK)
    reply = client.chat.completions.create(model="m", messages=ASK)
    assert reply.choices[0].message.content == SAID
    (sent,) = server.asked[0]["messages"]
    assert sent["content"].startswith(OPEN)
    assert sent["content"].endswith(f"{CLOSE}\n\n{QUESTION}")
    assert "Potola" in sent["content"]
    assert before == ASK
    assert told(client, memory) == EXCHANGE
    stats = client.neuromem.stats
    assert (stats.calls, stats.recalled, stats.injected, stats.ingested) == (1, 1, 1, 1)
    assert client.neuromem.last_recall.query == QUESTION
    assert client.neuromem.last_recall.memories == 1


def test_what_is_told_in_one_call_is_known_in_the_next(client: Any, server: ScriptedServer) -> None:
    client.chat.completions.create(model="m", messages=[{"role": "user", "content": "I live in Porto."}])
    client.neuromem.flush(10)
    client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Where do I live?"}])
    assert "I live in Porto" in server.asked[1]["messages"][0]["content"]


def test_the_conscious_set_goes_with_the_system_text(client: Any, server: ScriptedServer) -> None:
    talk = [{"role": "system", "content": "Be brief."}, *ASK]
    client.chat.completions.create(model="m", messages=talk)
    system, asked = server.asked[0]["messages"]
    assert system["content"].startswith("Be brief.\n\n<neuromem>\n" + KNOWN)
    assert "Potola" in system["content"]
    assert RECALLED not in system["content"]
    assert asked["content"].endswith(QUESTION)


def test_what_was_put_in_never_comes_back_as_said(
    client: Any, server: ScriptedServer, memory: NotingMemory
) -> None:
    client.chat.completions.create(model="m", messages=ASK)
    client.chat.completions.create(model="m", messages=server.asked[0]["messages"])
    assert told(client, memory) == EXCHANGE * 2
    assert len(memory.all(user_id="ana")) == 1


def test_what_is_put_in_stays_within_the_budget(server: ScriptedServer) -> None:
    with noting_memory(context={"memories": 120, "conscious": 60}) as memory:
        for name in ("Potola", "Rex", "Bruno", "Luna", "Milo", "Nero"):
            memory.add(f"I have a dog called {name} and it likes the long walk at the river", user_id="ana")
        client = neuromem.wrap(plain(server), memory=memory, user_id="ana", deadline_s=5.0)
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "my dog?"}])
        recall = client.neuromem.last_recall
        assert 0 < recall.tokens <= 120
        assert 0 < recall.memories < 6
        client.close()


def test_only_what_is_new_is_kept(client: Any, memory: NotingMemory) -> None:
    talk = [
        {"role": "user", "content": "I like tea."},
        {"role": "assistant", "content": "Good."},
        {"role": "user", "content": "I like rice, too.", "name": "Ana"},
        {"role": "user", "content": "And I like figs."},
    ]
    client.chat.completions.create(model="m", messages=talk)
    assert told(client, memory)[:-1] == [
        {"role": "user", "content": "I like rice, too.", "name": "Ana"},
        {"role": "user", "content": "And I like figs."},
    ]


def test_calls_of_tools_are_left_alone_and_their_results_are_not_kept(
    client: Any, server: ScriptedServer, memory: NotingMemory
) -> None:
    server.play(
        Answer(chat_whole(None, tool_calls=[CALL]), headers=JSON),
        Answer(chat_whole("It rains."), headers=JSON),
    )
    talk: list[Any] = [{"role": "user", "content": "Does my dog Potola need a coat?"}]
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    first = client.chat.completions.create(model="m", messages=talk, tools=tools)
    assert first.choices[0].message.tool_calls[0].function.name == "weather"
    talk += [
        first.choices[0].message,  # as it came: an object
        {"role": "tool", "tool_call_id": "call_1", "content": "I live in the rain of Porto."},
    ]
    client.chat.completions.create(model="m", messages=talk, tools=tools)
    assert told(client, memory) == [
        {"role": "user", "content": "Does my dog Potola need a coat?"},
        {"role": "assistant", "content": "It rains."},
    ]
    one, two = (asked["messages"] for asked in server.asked)
    assert "Potola" in two[0]["content"]
    assert one[0]["content"].endswith("a coat?")
    assert two[1]["tool_calls"] == [CALL]
    assert two[2]["content"] == "I live in the rain of Porto."
    assert server.asked[1]["tools"] == tools


@pytest.mark.parametrize("image", [{"url": "data:image/png;base64,AAAA"}, {"url": "http://x/y.png"}])
def test_of_a_content_in_parts_only_the_words_are_read(
    client: Any, server: ScriptedServer, memory: NotingMemory, image: dict[str, str]
) -> None:
    parts = [{"type": "image_url", "image_url": image}, {"type": "text", "text": QUESTION}]
    client.chat.completions.create(model="m", messages=[{"role": "user", "content": parts}])
    sent = server.asked[0]["messages"][0]["content"]
    assert [sent[0], sent[2]] == parts
    assert sent[1]["text"].startswith(OPEN)
    assert told(client, memory)[0]["content"] == QUESTION
    assert len(parts) == 2


def test_a_message_without_words_asks_nothing(client: Any, server: ScriptedServer) -> None:
    parts = [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]
    client.chat.completions.create(model="m", messages=[{"role": "user", "content": parts}])
    assert server.asked[0]["messages"][0]["content"] == parts
    assert client.neuromem.stats.recalled == 0


def test_a_talk_that_can_be_read_only_once(client: Any, server: ScriptedServer, memory: NotingMemory) -> None:
    client.chat.completions.create(model="m", messages=iter(ASK))
    assert server.asked[0]["messages"][0]["content"].endswith(QUESTION)
    assert told(client, memory) == EXCHANGE


def test_a_talk_of_objects(client: Any, server: ScriptedServer, memory: NotingMemory) -> None:
    import pydantic

    class Message(pydantic.BaseModel):
        role: str = "user"
        content: str

    talk = [Message(content=QUESTION)]
    client.chat.completions.create(model="m", messages=talk)
    assert server.asked[0]["messages"][0]["role"] == "user"
    assert "Potola" in server.asked[0]["messages"][0]["content"]
    assert talk == [Message(content=QUESTION)]
    assert told(client, memory) == EXCHANGE


@pytest.mark.parametrize("said", ["名前はポトラです。", "🐕‍🦺 é́", "half \ud83d of a pair", "‮rtl", "\x00"])
def test_any_text(server: ScriptedServer, memory: NotingMemory, said: str) -> None:
    server.play(Answer(chat_whole(said.replace("\ud83d", "")), headers=JSON))
    client = neuromem.wrap(plain(server), memory=memory, user_id="ána/日本", deadline_s=2.0)
    talk = [{"role": "user", "content": said}]
    try:
        client.chat.completions.create(model="m", messages=talk)
    except UnicodeEncodeError:  # the SDK's own: half a pair cannot be sent
        assert "\ud83d" in said
    client.neuromem.flush(10)
    assert client.neuromem.stats.failed == 0
    client.close()


# --- whose memory it is -----------------------------------------------------------------------------


def test_the_user_of_the_call_is_the_owner(client: Any, server: ScriptedServer, memory: NotingMemory) -> None:
    client.chat.completions.create(model="m", messages=ASK, user="ben")
    assert server.asked[0]["messages"] == ASK
    assert server.asked[0]["user"] == "ben"
    client.neuromem.flush(10)
    assert [user for user, _ in memory.told] == ["ben"]


def test_without_an_owner_nothing_is_done(
    server: ScriptedServer, memory: NotingMemory, caplog: pytest.LogCaptureFixture
) -> None:
    client = neuromem.wrap(plain(server), memory=memory)
    with caplog.at_level(logging.WARNING, "neuromem.sdk"):
        for _ in range(3):
            client.chat.completions.create(model="m", messages=ASK)
    assert server.asked[0]["messages"] == ASK
    assert told(client, memory) == []
    assert client.neuromem.stats.ownerless == 3
    assert [record.message for record in caplog.records if "names no user" in record.message] != []
    assert len(caplog.records) == 1
    client.close()


def test_it_can_be_switched_off(client: Any, server: ScriptedServer, memory: NotingMemory) -> None:
    client.neuromem.enabled = False
    client.chat.completions.create(model="m", messages=ASK)
    assert server.asked[0]["messages"] == ASK
    assert told(client, memory) == []
    client.neuromem.enabled = True


def test_what_the_model_refused_is_not_kept(
    client: Any, server: ScriptedServer, memory: NotingMemory
) -> None:
    server.play(Answer({"error": {"message": "no"}}, status=400, headers=JSON))
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="m", messages=ASK)
    assert told(client, memory) == []


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


# --- everything else --------------------------------------------------------------------------------


def test_everything_else_passes_through(client: Any, server: ScriptedServer) -> None:
    assert client.models.list().data == []
    assert server.paths == ["/models"]
    assert isinstance(client, openai.OpenAI)
    assert isinstance(client.chat.completions, type(plain(server).chat.completions))
    assert repr(client).startswith("<neuromem around <openai.OpenAI")
    assert "chat" in dir(client)
    assert "create" in dir(client.chat.completions)
    client.api_key = "other"
    assert client.api_key == "other"
    with pytest.raises(AttributeError):
        _ = client.no_such_thing
    raw = client.chat.completions.with_raw_response.create(model="m", messages=ASK)
    assert raw.parse().choices[0].message.content == SAID


def test_a_client_with_other_options_remembers(client: Any, server: ScriptedServer) -> None:
    other = client.with_options(timeout=9.0).copy(max_retries=0)
    assert (other.timeout, client.timeout) != (client.timeout, 9.0)
    assert other.neuromem is client.neuromem
    other.chat.completions.create(model="m", messages=ASK)
    assert "Potola" in server.asked[0]["messages"][0]["content"]


def test_after_it_is_closed_its_copies_go_on_without_a_memory(
    server: ScriptedServer, memory: NotingMemory
) -> None:
    inner = plain(server)
    client = neuromem.wrap(inner, memory=memory, user_id="ana")
    client.neuromem.close()
    client.neuromem.close()
    assert client.chat.completions.create(model="m", messages=ASK).choices[0].message.content == SAID
    assert server.asked[0]["messages"] == ASK
    client.close()
    assert inner.is_closed()
    assert memory.search(QUESTION, user_id="ana")  # it is its owner's to close


@pytest.mark.parametrize(
    ("client", "more"),
    [
        (object(), {"url": "http://localhost:1"}),
        ("openai", {}),
        (None, {"url": "http://localhost:1"}),
    ],
)
def test_what_is_no_client_is_refused(client: Any, more: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="client"):
        neuromem.wrap(client, **more)


def test_wrong_arguments_are_refused(server: ScriptedServer, memory: NotingMemory) -> None:
    inner = plain(server)
    for wrong in (
        {},
        {"memory": memory, "url": "http://localhost:1"},
        {"memory": memory, "deadline_s": 0},
        {"memory": memory, "limit": 0},
        {"memory": memory, "queue": -1},
        {"url": "localhost:1"},
    ):
        with pytest.raises(InvalidInput):
            neuromem.wrap(inner, **wrong)
    with neuromem.wrap(inner, memory=memory) as client, pytest.raises(InvalidInput, match="wrapped"):
        neuromem.wrap(client, memory=memory)


def test_many_calls_side_by_side(server: ScriptedServer, memory: NotingMemory) -> None:
    async def use(client: Any) -> int:
        asks = [
            client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": f"My number is {n}."}], user=f"user-{n % 10}"
            )
            for n in range(100)
        ]
        assert len(await asyncio.gather(*asks)) == 100
        await asyncio.to_thread(client.neuromem.flush, 30)
        return int(client.neuromem.stats.ingested)

    assert awaited(server, memory, use) == 100
    assert {(user, messages[0]["content"]) for user, messages in memory.told} == {
        (f"user-{n % 10}", f"My number is {n}.") for n in range(100)
    }
