"""Clients of the service where answers get lost, threads close them, and callers give what cannot be sent."""

from __future__ import annotations

import math
import pickle
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from losing import Line, losing
from serving import Serving, serving

from neuromem import Client
from neuromem.errors import Closed, InvalidInput, MissingDependency, NeuromemError
from neuromem.sdk import ServiceError

BOSS = {"Authorization": "Token boss"}


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving(config={"server": {"admin_key": "boss"}}, encoder="hash") as made:
        yield made


@pytest.fixture
def line(server: Serving) -> Iterator[Line]:
    with losing(server.url) as made:
        yield made


@pytest.fixture
def client(line: Line) -> Iterator[Client]:
    with Client(line.url, "boss", "ana") as made:
        yield made


# --- answers that get lost ---------------------------------------------------------------------------


def test_a_memory_is_forgotten_also_when_the_answer_is_lost(client: Client, line: Line) -> None:
    (told,) = client.ingest("My tortoise is called Speedy")["memories"]
    line.lose = 1
    client.forget(told["id"])
    assert told["id"] not in [one.id for one in client.recall("tortoise")]
    with pytest.raises(ServiceError) as caught:
        client.forget(told["id"])
    assert caught.value.status == 404, "no answer of this one was lost"


def test_a_user_is_made_with_a_key_that_is_good_also_when_the_answer_is_lost(
    client: Client, line: Line, server: Serving
) -> None:
    line.lose = 2
    made = client.create_user("eve")
    with Client(server.url, made["api_key"]) as hers:
        assert hers.ingest("I keep bees", "eve")["status"] == "SUCCEEDED"
    keys = httpx.get(f"{server.url}/v1/keys?user_id=eve", headers=BOSS).json()["keys"]
    assert [key["id"] for key in keys if key["revoked_at"] is None] == [made["key_id"]]


def test_a_key_in_use_is_replaced_by_nobody(server: Serving) -> None:
    named = BOSS | {"Idempotency-Key": "once"}
    first = httpx.post(f"{server.url}/v1/users", json={"user_id": "fay"}, headers=named)
    key = {"X-API-Key": first.json()["api_key"]}
    assert httpx.get(f"{server.url}/v1/ping", headers=key).status_code == 200
    again = httpx.post(f"{server.url}/v1/users", json={"user_id": "fay"}, headers=named)
    assert (first.status_code, again.status_code) == (201, 409)
    assert httpx.get(f"{server.url}/v1/ping", headers=key).status_code == 200


def test_another_request_makes_no_second_user_of_a_name(server: Serving) -> None:
    for name, status in (("one", 201), ("two", 409)):
        named = BOSS | {"Idempotency-Key": name}
        answer = httpx.post(f"{server.url}/v1/users", json={"user_id": "gus"}, headers=named)
        assert answer.status_code == status


# --- what cannot be sent -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda client: client.ingest("x", metadata={"a": math.nan}), r"metadata\.a"),
        (lambda client: client.ingest("x", metadata={"a": [date(2026, 1, 1)]}), r"metadata\.a\[0\]"),
        (lambda client: client.ingest("x", metadata={"a": {1}}), r"metadata\.a"),
        (lambda client: client.ingest("x", metadata={("a",): 1}), r"metadata"),
        (lambda client: client.ingest("x", timestamp=math.inf), r"timestamp"),
        (lambda client: client.ingest("x", timestamp=date(2026, 1, 1)), r"timestamp"),
        (lambda client: client.ingest(b"x"), r"messages"),
        (lambda client: client.ingest([{"role": "user", "content": b"x"}]), r"messages\[0\]\.content"),
        (lambda client: client.ingest("x", 7), r"user_id"),
        (lambda client: client.ingest("x", idempotency_key="a\nb"), r"idempotency_key"),
        (lambda client: client.ingest("x", idempotency_key=" "), r"idempotency_key"),
        (lambda client: client.create_user(None), r"user_id"),
        (lambda client: client.forget(None), r"id"),
        (lambda client: client.forget(" "), r"id"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(client: Client, call: Any, field: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        call(client)


def test_what_holds_itself_is_refused(client: Client) -> None:
    endless: dict[str, Any] = {}
    endless["a"] = endless
    with pytest.raises(InvalidInput, match=r"^metadata\.a\..*deep"):
        client.ingest("x", metadata=endless)


def test_a_time_with_a_zone_is_sent(client: Client) -> None:
    assert client.ingest("My boat is a Hobie", timestamp=datetime(2025, 5, 1, tzinfo=UTC))["memories"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"url": "http://127.0.0.1:99999"}, "url"),
        ({"timeout_s": None}, "timeout_s"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": math.nan}, "timeout_s"),
        ({"timeout_s": "3"}, "timeout_s"),
    ],
)
def test_a_client_that_could_never_ask_is_refused(more: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        Client(**{"url": "http://localhost:1", **more})


# --- closing, and errors that travel -----------------------------------------------------------------


def test_who_is_closed_by_another_thread_is_told_so(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answers = threading.Event(), threading.Event()
    search = server.service.search

    def slow(*args: Any, **more: Any) -> Any:
        asked.set()
        answers.wait(20)
        return search(*args, **more)

    monkeypatch.setattr(server.service, "search", slow)
    client = Client(server.url, "boss", "ana")
    raised: list[BaseException] = []

    def recall() -> None:
        try:
            client.recall("tortoise")
        except BaseException as error:
            raised.append(error)

    caller = threading.Thread(target=recall)
    caller.start()
    assert asked.wait(20)
    client.close()
    caller.join(20)
    answers.set()
    assert [type(error) for error in raised] == [Closed]


@pytest.mark.parametrize(
    "error",
    [
        ServiceError("refused", "HTTP 503", 503, 2.0),
        InvalidInput("limit", "is 0", "give at least 1"),
        MissingDependency("the server", "fastapi", "server"),
        Closed("closed"),
    ],
)
def test_errors_cross_processes(error: NeuromemError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))
