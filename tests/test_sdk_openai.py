"""The client of OpenAI, wrapped: its calls against a real server on loopback, with a real memory."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("openai", reason="the SDK of OpenAI is wrapped here: pip install openai")

import openai
from llm_server import Answer, ScriptedServer
from sdk_llm import (
    ASK,
    CALL,
    EXCHANGE,
    JSON,
    QUESTION,
    SAID,
    NotingMemory,
    awaited,
    chat,
    chat_whole,
    model,
    noting_memory,
    plain,
    primed_memory,
    told,
)

import neuromem
from neuromem.echo import CLOSE, KNOWN, OPEN, RECALLED
from neuromem.errors import InvalidInput


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


@pytest.mark.parametrize("user", [7, "", " ", True, openai.NOT_GIVEN])
def test_who_is_named_badly_gets_nobody_elses_memory(
    user: Any, client: Any, server: ScriptedServer, memory: NotingMemory
) -> None:
    """The default owner is for calls that name nobody: other people would share it."""
    client.chat.completions.create(model="m", messages=ASK, user=user)
    client.neuromem.flush(10)
    owners = {7: ["7"], openai.NOT_GIVEN: ["ana"]}
    assert [owner for owner, _ in memory.told] == owners.get(user, [])
    assert client.neuromem.stats.ownerless == (user not in owners)


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
