"""Clients of the memory service, and a wrapped client that remembers there; the service is a real one."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("httpx", reason="clients of the service need httpx: pip install 'neuromem[sdk]'")
pytest.importorskip("fastapi", reason="the service is made with fastapi")
pytest.importorskip("uvicorn", reason="the service runs in uvicorn")
pytest.importorskip("openai", reason="the SDK of OpenAI is wrapped here: pip install openai")

import openai
from fastapi.responses import HTMLResponse, JSONResponse
from sdk_llm import POTOLA, QUESTION, SAID, chat, model
from sdk_service import ANSWERS, KEY, Service, pretender, service

import neuromem
from neuromem import AsyncClient, Client, Memory
from neuromem.errors import Closed, InvalidInput, MissingDependency
from neuromem.sdk import ServiceError
from neuromem.sdk.wire import Remembered, pause_before


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with Memory() as memory, service(memory) as running:
        yield running


@pytest.fixture
def serving(running: Service) -> Iterator[Service]:
    running.asked.clear()
    running.refuse.clear()
    yield running
    for user in running.memory.users():
        running.memory.delete_all(user)


@pytest.fixture
def client(serving: Service) -> Iterator[Client]:
    with Client(serving.url, KEY, user_id="ana") as client:
        yield client


def test_what_is_told_is_recalled(client: Client) -> None:
    told = client.ingest(POTOLA)
    assert told["status"] == "SUCCEEDED"
    (best,) = client.recall(QUESTION)
    assert (best.id, best.text, best.fidelity) == (told["memories"][0]["id"], POTOLA, "verbatim")
    assert best.gist == "1|dog name|Potola"
    assert best.created_at.tzinfo is not None
    assert [one.text for one in client.conscious()] == [POTOLA]
    assert [one.text for one in client.deep("Potola")] == [POTOLA]
    client.forget(best.id)
    assert client.recall(QUESTION) == []


def test_users_sessions_and_health(client: Client) -> None:
    assert client.create_user("ben") == {"user_id": "ben", "api_key": "nm-new"}
    session = client.create_session()
    assert (session["user_id"], session["conscious"]) == ("ana", [])
    assert client.health() == {"status": "ok"}


def test_all_that_can_be_said_of_a_telling(client: Client, serving: Service) -> None:
    when = datetime(2026, 3, 2, tzinfo=UTC)
    client.ingest(
        [{"role": "user", "content": "日本 🐕"}],
        "ben/é",
        "s1",
        {"topic": "pets"},
        timestamp=when,
        infer=False,
    )
    body = serving.asked[-1][2]
    assert body == {
        "user_id": "ben/é", "messages": [{"role": "user", "content": "日本 🐕"}], "infer": False,
        "session_id": "s1", "metadata": {"topic": "pets"}, "timestamp": "2026-03-02T00:00:00+00:00",
    }  # fmt: skip
    (found,) = client.conscious("ben/é") or client.recall("日本", "ben/é")
    assert found.metadata == {"topic": "pets"}
    assert found.created_at == when


def test_awaited(serving: Service) -> None:
    async def use() -> None:
        async with AsyncClient(serving.url, KEY, "ana") as client:
            await client.ingest(POTOLA)
            found = await asyncio.gather(*(client.recall(QUESTION) for _ in range(20)))
            assert {one.text for hits in found for one in hits} == {POTOLA}
            assert [one.text for one in await client.conscious()] == [POTOLA]

    asyncio.run(use())


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_it_asks_again_when_the_service_is_busy(client: Client, serving: Service, status: int) -> None:
    serving.refuse += [JSONResponse({"detail": "busy"}, status, {"retry-after": "0"})] * 2
    client.ingest(POTOLA)
    assert len(serving.asked) == 3
    assert len(client.recall(QUESTION)) == 1


def test_what_was_written_before_the_line_broke_is_not_written_twice(
    client: Client, serving: Service
) -> None:
    serving.refuse.append(None)
    client.ingest("I like tea.")
    keys = {key for _, path, _, key in serving.asked if path == "/v1/ingest"}
    assert len(serving.asked) == 2
    assert len(keys) == 1
    client.ingest("I like tea.")
    assert len({key for _, path, _, key in serving.asked if path == "/v1/ingest"}) == 2


def test_what_was_forgotten_before_a_proxy_gave_up_is_forgotten(client: Client, serving: Service) -> None:
    told = client.ingest(POTOLA)["memories"][0]["id"]
    serving.refuse += [None, JSONResponse({"detail": "no memory of that id"}, 404)]
    client.forget(told)
    assert serving.memory.all("ana") == []


def test_a_pause_that_is_too_long_is_not_waited_for(serving: Service) -> None:
    serving.refuse.append(JSONResponse({"detail": "later"}, 429, {"retry-after": "30"}))
    started = time.monotonic()
    with Client(serving.url, KEY, "ana") as client, pytest.raises(ServiceError) as raised:
        client.recall(QUESTION)
    assert time.monotonic() - started < 5
    assert (raised.value.status, raised.value.retry_after_s) == (429, 30.0)


def test_pauses_grow_and_are_capped() -> None:
    pauses = [pause_before(attempt, None) for attempt in range(1, 20)]
    assert all(0.1 <= pause <= 5.0 for pause in pauses)
    assert pause_before(1, 3.0) > 3.0


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500])
def test_what_will_not_pass_is_not_asked_again(client: Client, serving: Service, status: int) -> None:
    serving.refuse.append(JSONResponse({"detail": "so it is"}, status))
    with pytest.raises(ServiceError, match=f"HTTP {status}: so it is"):
        client.recall(QUESTION)
    assert len(serving.asked) == 1


def test_a_wrong_key_is_refused_and_not_shown(serving: Service) -> None:
    with Client(serving.url, "nm-other", "ana") as client, pytest.raises(ServiceError) as raised:
        client.recall(QUESTION)
    assert raised.value.status == 401
    assert "nm-other" not in f"{raised.value} {client!r}"


def test_a_key_with_a_line_break_at_its_end_is_that_key(serving: Service) -> None:
    with Client(serving.url, f"{KEY}\n", "ana") as client:
        assert client.recall(QUESTION) == []


@pytest.mark.parametrize("key", ["nm\nx: y", "clé", "\x00"])
def test_a_key_that_is_none_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(InvalidInput, match="api_key") as raised:
        Client("http://localhost:1", key)
    assert key not in str(raised.value)


@pytest.mark.parametrize("kind", sorted(ANSWERS))
def test_garbage_gives_one_clear_error(kind: str) -> None:
    with pretender(kind) as url, Client(url, user_id="ana", timeout_s=0.5) as client:
        with pytest.raises(ServiceError) as raised:
            client.recall(QUESTION)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", ["hangs", "drips headers", "drips a body"])
def test_the_time_limit_is_of_the_whole_call(kind: str) -> None:
    started = time.monotonic()
    with (
        pretender(kind) as url,
        Client(url, user_id="ana", timeout_s=0.3) as client,
        pytest.raises(ServiceError, match=r"no answer in 0\.3 s") as raised,
    ):
        client.recall(QUESTION)
    assert raised.value.reason == "timeout"
    assert time.monotonic() - started < 3


def test_nobody_there() -> None:
    with (
        pretender("refuses") as url,
        Client(url, user_id="ana", timeout_s=2) as client,
        pytest.raises(ServiceError, match="does the service run"),
    ):
        client.health()


@pytest.mark.parametrize("url", ["", "localhost:1", "ftp://x", "http://", "http://u:p@x", "http://x?y=1", 7])
def test_a_url_that_is_none(url: Any) -> None:
    with pytest.raises(InvalidInput, match="url"):
        Client(url)


def test_without_an_owner(serving: Service) -> None:
    with Client(serving.url, KEY) as client, pytest.raises(InvalidInput, match="user_id"):
        client.recall(QUESTION)


def test_after_it_is_closed(serving: Service) -> None:
    client = Client(serving.url, KEY, "ana")
    client.recall(QUESTION)
    client.close()
    client.close()
    with pytest.raises(Closed):
        client.recall(QUESTION)


@pytest.mark.parametrize("turns_of_the_loop", range(12))
def test_one_closed_while_it_connects_leaves_no_socket(
    monkeypatch: pytest.MonkeyPatch, turns_of_the_loop: int
) -> None:
    left: list[str] = []
    gc.collect()
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: left.append(str(raised.exc_value)))

    async def use(url: str) -> None:
        client = AsyncClient(url, timeout_s=2.0)
        call = asyncio.create_task(client.recall(QUESTION, "ana"))
        for _ in range(turns_of_the_loop):
            await asyncio.sleep(0)
        await client.close()
        with pytest.raises((ServiceError, Closed)):
            await call

    with pretender("null") as url:
        asyncio.run(use(url))
    gc.collect()
    assert not left


def test_without_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuromem.sdk.sendable.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"pip install 'neuromem\[sdk\]'"):
        Client("http://localhost:1")


# --- a wrapped client that remembers there ----------------------------------------------------------


def test_a_wrapped_client_remembers_at_the_service(serving: Service) -> None:
    with model(chat) as llm:
        inner = openai.OpenAI(base_url=llm.url, api_key="k", max_retries=0)
        where = {"url": serving.url, "api_key": KEY, "user_id": "ana", "deadline_s": 5.0}
        with neuromem.wrap(inner, **where) as client:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": POTOLA}])
            assert client.neuromem.flush(20)
            serving.refuse.clear()
            talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
            assert client.chat.completions.create(model="m", messages=talk).choices[0].message.content == SAID
            assert client.neuromem.flush(20)
            assert client.neuromem.stats.as_dict() | {"calls": 2, "ingested": 2, "failed": 0} == (
                client.neuromem.stats.as_dict()
            )
        system, asked = llm.asked[1]["messages"]
    assert "Potola" in system["content"]
    assert asked["content"].endswith(QUESTION)
    told = [(body, key) for _, path, body, key in serving.asked if path == "/v1/ingest"]
    assert [body["messages"][0]["content"] for body, _ in told] == [POTOLA, QUESTION]
    assert len({key for _, key in told}) == 2


def test_a_memory_tells_until_when_it_held() -> None:
    told = {"id": "1", "memory": "I live in Porto.", "created_at": "2026-05-01T00:00:00+00:00"}
    ended = told | {"valid_until": "2026-06-01T00:00:00+00:00"}
    assert Remembered.of(told).valid_until is None
    assert Remembered.of(ended).valid_until == datetime(2026, 6, 1, tzinfo=UTC)


def test_the_same_block_is_made_of_a_memory_and_of_the_service(serving: Service) -> None:
    serving.memory.add(
        [{"role": "user", "content": f"{POTOLA}. I live in Porto. I like tea."}], user_id="ana"
    )
    serving.memory.search(QUESTION, user_id="ana")
    with model(chat) as llm:
        inner = openai.OpenAI(base_url=llm.url, api_key="k", max_retries=0)
        talk = [{"role": "user", "content": QUESTION}]
        for where in ({"memory": serving.memory}, {"url": serving.url, "api_key": KEY}):
            client = neuromem.wrap(inner, **where, user_id="ana", deadline_s=5.0)
            client.chat.completions.create(model="m", messages=talk)
            client.neuromem.close()
        assert llm.asked[0] == llm.asked[1]
        assert "Potola" in llm.asked[0]["messages"][0]["content"]
        inner.close()


def test_a_telling_is_tried_again_while_the_service_is_busy(serving: Service) -> None:
    with model(chat) as llm:
        inner = openai.OpenAI(base_url=llm.url, api_key="k", max_retries=0)
        client = neuromem.wrap(inner, url=serving.url, api_key=KEY, user_id="ana", deadline_s=5.0)
        client.neuromem.stats.add("calls")
        serving.refuse += [JSONResponse({}, 503), HTMLResponse("busy", 503), JSONResponse({}, 503), None]
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": POTOLA}])
        assert client.neuromem.flush(20)
        client.close()
    assert POTOLA in [one.text for one in serving.memory.all("ana")]


HALF = "half \ud83d of one"


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda client: client.ingest(HALF), r"messages"),
        (lambda client: client.ingest([{"role": "user", "content": HALF}]), r"messages\[0\]\.content"),
        (lambda client: client.ingest("x", metadata={"a": ["b", HALF]}), r"metadata\.a\[1\]"),
        (lambda client: client.ingest("x", metadata={HALF: 1}), r"metadata"),
        (lambda client: client.ingest("x", idempotency_key="é"), r"idempotency_key"),
        (lambda client: client.ingest("x", idempotency_key=HALF), r"idempotency_key"),
        (lambda client: client.recall(HALF), r"query"),
        (lambda client: client.recall("x", HALF), r"user_id"),
        (lambda client: client.conscious(HALF), r"user_id"),
        (lambda client: client.create_user(HALF), r"user_id"),
        (lambda client: client.forget(HALF), r"id"),
    ],
)
def test_words_that_cannot_be_sent_are_refused_by_name(client: Client, call: Any, field: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        call(client)
    assert client.health() == {"status": "ok"}
