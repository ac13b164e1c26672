"""The routes of mem0's open-source server, asked as its users ask them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest
from serving import Serving, serving

from neuromem.server.deps import who_asks
from neuromem.server.principals import Principal


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving() as running:
        yield running


@pytest.fixture
def http(server: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"X-API-Key": "k"}) as client:
        yield client
        client.post("/reset").raise_for_status()


def say(*words: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text} for text in words]


def tell(http: httpx.Client, text: str, **more: Any) -> str:
    body = {"messages": say(text), "infer": False, **more}
    return str(http.post("/memories", json=body).raise_for_status().json()["results"][0]["id"])


class Adapter:
    """Talks to a self-hosted server as Hermes Agent's adapter does."""

    def __init__(self, api_key: str, host: str) -> None:
        headers = {"Content-Type": "application/json", "X-API-Key": api_key}
        transport = httpx.HTTPTransport(retries=2)
        self.client = httpx.Client(
            base_url=host.rstrip("/"), headers=headers, timeout=30.0, transport=transport
        )

    def ask(self, method: str, path: str, **more: Any) -> Any:
        response = self.client.request(method, path, **more)
        response.raise_for_status()
        return response.json() if response.content else {}


def test_the_adapter_of_hermes_agent_works(server: Serving, http: httpx.Client) -> None:
    hermes = Adapter("secret", server.url + "/")
    told = hermes.ask("POST", "/memories", json={
        "messages": [*say("I moved to Porto in May"), {"role": "assistant", "content": "How nice!"}],
        "user_id": "ana", "agent_id": "hermes", "infer": True, "metadata": {"channel": "cli"},
    })  # fmt: skip
    memory_id = told["results"][0]["id"]
    body = {"query": "where do I live?", "top_k": 10, "filters": {"user_id": "ana"}}
    found = hermes.ask("POST", "/search", json=body)["results"]
    assert "Porto" in found[0]["memory"]
    assert (found[0]["agent_id"], found[0]["metadata"]) == ("hermes", {"channel": "cli"})
    assert 0 < found[0]["score"] <= 1
    hermes.ask("PUT", f"/memories/{memory_id}", json={"text": "I moved to Lisbon in May"})
    assert "Lisbon" in hermes.ask("POST", "/search", json=body)["results"][0]["memory"]
    hermes.ask("DELETE", f"/memories/{memory_id}")
    assert hermes.ask("POST", "/search", json=body)["results"] == []
    hermes.client.close()


def test_memories_are_told_listed_changed_and_deleted(http: httpx.Client) -> None:
    id_ = tell(http, "I like tea", user_id="ana", run_id="r1", metadata={"topic": "drinks"})
    tell(http, "I like coffee", user_id="ben")
    assert [r["memory"] for r in http.get("/memories", params={"user_id": "ana"}).json()["results"]] == [
        "I like tea"
    ]
    assert len(http.get("/memories").json()["results"]) == 2
    assert http.get(f"/memories/{id_}").json()["run_id"] == "r1"
    changed = http.put(f"/memories/{id_}", json={"metadata": {"sure": True}, "expiration_date": "2020-01-01"})
    assert changed.json() == {"message": "Memory updated successfully!"}
    record = http.get(f"/memories/{id_}").json()
    assert record["metadata"] == {"topic": "drinks", "sure": True}
    assert date.fromisoformat(record["expiration_date"]).year == 2020
    assert http.get("/memories", params={"user_id": "ana"}).json()["results"] == []
    assert http.get("/memories", params={"user_id": "ana", "show_expired": True}).json()["results"]
    http.put(f"/memories/{id_}", json={"expiration_date": None}).raise_for_status()
    assert len(http.get("/memories", params={"user_id": "ana"}).json()["results"]) == 1
    events = [row["event"] for row in http.get(f"/memories/{id_}/history").json()]
    assert events == ["ADD", "UPDATE", "UPDATE"]
    assert http.delete(f"/memories/{id_}").json() == {"message": "Memory deleted successfully"}
    assert http.delete("/memories", params={"user_id": "ben"}).status_code == 200
    assert http.get("/memories").json() == {"results": []}


def test_what_is_not_there_is_null_or_404(http: httpx.Client) -> None:
    for unknown in ("0b5a5a5e-0000-4000-8000-000000000000", "mem_123"):
        got = http.get(f"/memories/{unknown}")
        assert (got.status_code, got.text) == (200, "null")
        assert http.get(f"/memories/{unknown}/history").json() == []
        assert http.delete(f"/memories/{unknown}").status_code == 404
        assert http.put(f"/memories/{unknown}", json={"text": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/memories", {"messages": [{"role": "user", "content": "x"}]}, 400),
        ("POST", "/memories", {"user_id": "ana"}, 422),
        ("POST", "/memories", {"messages": 7, "user_id": "ana"}, 400),
        ("POST", "/memories", {"messages": "x", "user_id": "ana", "expiration_date": "soon"}, 400),
        ("POST", "/search", {"query": "x"}, 400),
        ("POST", "/search", {"query": " ", "user_id": "ana"}, 400),
        ("POST", "/search", {"query": "x", "user_id": "ana", "threshold": 3}, 400),
        ("POST", "/search", {"query": "x", "filters": {"OR": []}}, 400),
        ("PUT", "/memories/0b5a5a5e-0000-4000-8000-000000000000", {}, 400),
        ("DELETE", "/memories", None, 400),
        ("GET", "/memories?top_k=1001", None, 422),
        ("DELETE", "/entities/planet/mars", None, 422),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(
    http: httpx.Client, method: str, path: str, body: Any, status: int
) -> None:
    answer = http.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_search_takes_names_as_it_always_did_and_metadata_with_operators(http: httpx.Client) -> None:
    for n in range(4):
        tell(http, f"The code of door {n} is {n}{n}{n}{n}", user_id="ana", metadata={"floor": n})
    ask = {"query": "what is the code of the door?", "user_id": "ana", "explain": True}
    found = http.post("/search", json={**ask, "filters": {"floor": {"gte": 2}}, "top_k": 5}).json()["results"]
    assert {r["metadata"]["floor"] for r in found} == {2, 3}
    assert all("score_details" in r for r in found)
    wrapped = {"AND": [{"user_id": "ana"}, {"floor": {"nin": [0, 1, 2]}}]}
    (only,) = http.post("/search", json={"query": "the code?", "filters": wrapped}).json()["results"]
    assert only["metadata"] == {"floor": 3}


def test_entities_are_listed_and_deleted_by_name_not_by_pattern(http: httpx.Client) -> None:
    tell(http, "I like tea", user_id="ana", agent_id="a/b")
    tell(http, "The oven is slow", agent_id="a/b")
    listed = {(e["type"], e["id"]): e["total_memories"] for e in http.get("/entities").json()}
    assert listed == {("user", "ana"): 1, ("agent", "a/b"): 2}
    assert http.delete("/entities/user/*").json() == {"message": "Entity deleted"}
    assert http.delete("/memories", params={"user_id": "*"}).status_code == 200
    assert len(http.get("/memories").json()["results"]) == 2
    http.delete("/entities/agent/a%2Fb").raise_for_status()
    assert http.get("/entities").json() == []


def test_settings_are_answered_without_their_secrets(http: httpx.Client) -> None:
    sent = {"llm": {"provider": "openai", "config": {"api_key": "sk-1", "model": "gpt"}}}
    answer = http.post("/configure", json=sent).json()
    assert answer == {"message": "Configuration set successfully", "ignored": ["llm"]}
    shown = http.get("/configure")
    assert shown.json()["ignored"]["llm"]["config"] == {"api_key": "[redacted]", "model": "gpt"}
    assert "sk-1" not in shown.text
    assert http.get("/configure/providers").json()["embedder"] == ["neuromem"]
    made = http.post("/generate-instructions", json={"use_case": "a cooking helper"}).json()
    assert "cooking helper" in made["custom_instructions"]
    assert made["test_message"]


def test_there_are_no_accounts_and_it_says_so(http: httpx.Client) -> None:
    assert http.get("/auth/setup-status").json() == {"needsSetup": False}
    assert http.get("/auth/me").json()["role"] == "admin"
    login = http.post("/auth/login", json={"email": "a@b.c", "password": "x"})
    assert login.status_code == 501
    assert "X-API-Key" in login.json()["detail"]
    assert http.get("/requests").json() == []


def test_a_user_sees_changes_and_deletes_nothing_of_others(http: httpx.Client, server: Serving) -> None:
    hers = tell(http, "My safe's code is 9921", user_id="ana", agent_id="cook")
    shared = tell(http, "The oven is slow", agent_id="cook")
    app: Any = server.server.config.app
    app.dependency_overrides[who_asks] = lambda: Principal("key of ben", "ben", False)
    try:
        mine = tell(http, "I like tea", agent_id="cook")
        assert http.get(f"/memories/{mine}").json()["user_id"] == "ben"
        for foreign in (hers, shared):
            assert http.get(f"/memories/{foreign}").json() is None
            assert http.get(f"/memories/{foreign}/history").json() == []
            assert http.put(f"/memories/{foreign}", json={"text": "x"}).status_code == 404
            assert http.delete(f"/memories/{foreign}").status_code == 404
        for params in ({}, {"agent_id": "cook"}, {"user_id": "ana"}):
            listed = http.get("/memories", params=params).json()["results"]
            assert {r["id"] for r in listed} <= {mine}
            found = http.post("/search", json={"query": "the safe's code?", "filters": params}).json()
            assert {r["id"] for r in found["results"]} <= {mine}
        told = http.post("/memories", json={"messages": say("I am Ben"), "user_id": "ana"})
        assert told.status_code == 403
        assert {e["id"] for e in http.get("/entities").json()} == {"ben", "cook"}
        for kind, name in (("user", "ana"), ("agent", "cook")):
            http.delete(f"/entities/{kind}/{name}").raise_for_status()
        assert http.delete("/memories", params={"user_id": "ana"}).status_code == 200
        assert http.post("/reset").status_code == 403
        assert http.post("/configure", json={}).status_code == 403
        assert http.get("/requests").status_code == 403
    finally:
        app.dependency_overrides.clear()
    assert {r["id"] for r in http.get("/memories").json()["results"]} == {hers, shared}
