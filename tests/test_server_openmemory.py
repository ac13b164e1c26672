"""The routes of OpenMemory: apps, putting away, access log, related memories, backups."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from serving import Serving, serving

from neuromem.server.deps import who_asks
from neuromem.server.principals import Principal

MEMORIES = "/api/v1/memories/"


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving() as running:
        yield running


@pytest.fixture
def http(server: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        yield client
        client.post("/reset").raise_for_status()


@pytest.fixture
def as_ben(server: Serving, http: httpx.Client) -> Iterator[httpx.Client]:
    """Who asks is a user, Ben; what is in the store before is told by `http`."""
    app: Any = server.server.config.app
    for user in ("ana", "ben"):
        tell(http, f"The safe of {user} has code {len(user)}921", user, app="vault")
    app.dependency_overrides[who_asks] = lambda: Principal("key of ben", "ben", False)
    yield http
    app.dependency_overrides.clear()


def tell(http: httpx.Client, text: str, user: str = "ana", **more: Any) -> str:
    body = {"user_id": user, "text": text, "infer": False, **more}
    return str(http.post(MEMORIES, json=body).raise_for_status().json()["id"])


def listed(http: httpx.Client, user: str = "ana", **more: Any) -> list[str]:
    answer = http.get(MEMORIES, params={"user_id": user, **more}).raise_for_status().json()
    return [item["content"] for item in answer["items"]]


def test_memories_come_in_pages_and_in_the_order_that_is_wanted(http: httpx.Client) -> None:
    for text, app in (("I like tea", "cursor"), ("I own a dog", "claude"), ("A cat lives here", "claude")):
        tell(http, text, app=app, metadata={"n": 1})
    page = http.get(MEMORIES, params={"user_id": "ana", "page": 2, "size": 2}).json()
    assert {key: page[key] for key in ("total", "page", "size", "pages")} == {
        "total": 3, "page": 2, "size": 2, "pages": 2,
    }  # fmt: skip
    assert len(page["items"]) == 1
    item = page["items"][0]
    assert (item["state"], item["metadata_"], type(item["created_at"])) == ("active", {"n": 1}, int)
    assert listed(http, sort_column="memory") == ["A cat lives here", "I like tea", "I own a dog"]
    assert listed(http, search_query="DOG") == ["I own a dog"]
    apps = {app["name"]: app["id"] for app in http.get("/api/v1/apps/").json()["apps"]}
    assert listed(http, app_id=apps["cursor"]) == ["I like tea"]
    wanted = {
        "user_id": "ana", "app_ids": [apps["claude"]], "sort_column": "created_at", "sort_direction": "asc",
    }  # fmt: skip
    filtered = http.post(MEMORIES + "filter", json=wanted).json()
    assert [found["content"] for found in filtered["items"]] == ["I own a dog", "A cat lives here"]
    assert listed(http, "nobody") == []
    assert http.post(MEMORIES + "filter", json={**wanted, "sort_column": "x"}).status_code == 400


def test_a_memory_is_read_changed_and_deleted(http: httpx.Client) -> None:
    id_ = tell(http, "I like tea")
    assert http.get(MEMORIES + id_).json()["text"] == "I like tea"
    changed = http.put(MEMORIES + id_, json={"memory_content": "I like coffee", "user_id": "ana"})
    assert changed.json()["content"] == "I like coffee"
    for other in ("ben", "nobody"):
        wrong = {"memory_ids": [id_], "user_id": other}
        assert http.request("DELETE", MEMORIES, json=wrong).status_code == 404
    gone = http.request("DELETE", MEMORIES, json={"memory_ids": [id_], "user_id": "ana"})
    assert gone.json() == {"message": "Successfully deleted 1 memories"}
    assert http.get(MEMORIES + id_).status_code == 404
    assert http.post(MEMORIES, json={"user_id": "ana", "text": "How are you?"}).json() is None


def test_what_is_put_away_is_neither_listed_nor_recalled_by_anybody(http: httpx.Client) -> None:
    tea, dog = tell(http, "I like tea"), tell(http, "I own a dog", app="cursor")

    def recalled() -> int:
        ask = {"query": "what do I like?", "filters": {"user_id": "ana"}}
        return len(http.post("/search", json=ask).json()["results"])

    assert recalled() == 2
    archived = http.post(MEMORIES + "actions/archive", json=[tea], params={"user_id": "ana"})
    assert archived.json() == {"message": "Successfully archived 1 memories"}
    assert (listed(http), recalled()) == (["I own a dog"], 1)
    assert len(http.get("/memories", params={"user_id": "ana"}).json()["results"]) == 1
    shown = http.post(MEMORIES + "filter", json={"user_id": "ana", "show_archived": True}).json()["items"]
    assert {item["content"]: item["state"] for item in shown} == {
        "I like tea": "archived", "I own a dog": "active",
    }  # fmt: skip
    assert http.get(MEMORIES + tea).json()["state"] == "archived"
    pause = {"user_id": "ana", "app_id": "cursor", "all_for_app": True}
    assert http.post(MEMORIES + "actions/pause", json=pause).status_code == 200
    assert recalled() == 0
    back = {"user_id": "ana", "global_pause": True, "state": "active"}
    assert http.post(MEMORIES + "actions/pause", json=back).status_code == 200
    assert (recalled(), http.get(MEMORIES + dog).json()["state"]) == (2, "active")
    http.post(MEMORIES + "actions/archive", json=[tea], params={"user_id": "ana"}).raise_for_status()
    assert (tell(http, "I like tea"), recalled()) == (tea, 2), "told again, it is wanted again"
    for wrong in ({"user_id": "ana"}, {"user_id": "ana", "memory_ids": [tea], "state": "lost"}):
        assert http.post(MEMORIES + "actions/pause", json=wrong).status_code == 400


def test_the_access_log_says_when_a_memory_was_recalled_and_not_what_was_asked(http: httpx.Client) -> None:
    id_ = tell(http, "My dog's name is Potola", app="cursor")
    assert http.get(f"{MEMORIES}{id_}/access-log").json()["total"] == 0
    for _ in range(2):
        ask = {"query": "what is my dog called, by the way?", "filters": {"user_id": "ana"}}
        http.post("/search", json=ask).raise_for_status()
    answer = http.get(f"{MEMORIES}{id_}/access-log", params={"page_size": 1})
    log = answer.json()
    assert (log["total"], log["page_size"], len(log["logs"])) == (2, 1, 1)
    assert log["logs"][0]["memory_id"] == id_
    assert "by the way" not in answer.text
    app = http.get("/api/v1/apps/cursor").json()
    assert (app["total_memories_created"], app["total_memories_accessed"]) == (1, 1)
    assert app["last_accessed"]
    (accessed,) = http.get("/api/v1/apps/cursor/accessed").json()["memories"]
    assert (accessed["memory"]["id"], accessed["access_count"]) == (id_, 2)


def test_related_memories_are_found_and_only_looked_at(http: httpx.Client) -> None:
    dog = tell(http, "My dog Potola is afraid of thunder")
    vet = tell(http, "The vet of my dog is in Rua Augusta")
    related = http.get(f"{MEMORIES}{dog}/related", params={"user_id": "ana"}).json()
    assert [item["id"] for item in related["items"]] == [vet]
    assert related["size"] == 5
    assert http.get(f"{MEMORIES}{vet}/access-log").json()["total"] == 0


def test_a_paused_app_tells_nothing(http: httpx.Client) -> None:
    tell(http, "I like tea", app="cursor")
    app = http.get("/api/v1/apps/", params={"name": "curs"}).json()["apps"][0]
    assert http.put(f"/api/v1/apps/{app['id']}", params={"is_active": False}).json()["status"] == "success"
    refused = http.post(MEMORIES, json={"user_id": "ana", "text": "I like coffee", "app": "cursor"})
    assert refused.status_code == 403
    assert "paused" in refused.json()["detail"]
    stats = http.get("/api/v1/stats/", params={"user_id": "ana"}).json()
    assert (stats["total_memories"], stats["total_apps"]) == (1, 1)
    assert stats["apps"][0]["is_active"] is False
    http.put(f"/api/v1/apps/{app['id']}", params={"is_active": True}).raise_for_status()
    assert tell(http, "I like coffee", app="cursor")
    told = http.get(f"/api/v1/apps/{app['id']}/memories").json()
    assert [item["content"] for item in told["memories"]] == ["I like coffee", "I like tea"]
    assert http.get("/api/v1/apps/nothing").status_code == 404


def test_a_backup_is_written_and_read_into_another_user(http: httpx.Client) -> None:
    tea = tell(http, "I like tea ☕", app="cursor", metadata={"n": 1})
    tell(http, "I own a dog", app="claude")
    http.post(MEMORIES + "actions/archive", json={"memory_ids": [tea], "user_id": "ana"}).raise_for_status()
    backup = http.post("/api/v1/backup/export", json={"user_id": "ana"}).raise_for_status().content
    with zipfile.ZipFile(io.BytesIO(backup)) as file:
        lines = gzip.decompress(file.read("memories.jsonl.gz")).decode().splitlines()
        whole = json.loads(file.read("memories.json"))
    assert {json.loads(line)["app"] for line in lines} == {"cursor", "claude"}
    assert {row["content"]: row["state"] for row in whole["memories"]} == {
        "I like tea ☕": "archived", "I own a dog": "active",
    }  # fmt: skip
    for _ in range(2):  # a second time changes nothing
        read = http.post(
            "/api/v1/backup/import", data={"user_id": "zoe"}, files={"file": ("b.zip", backup)}
        ).raise_for_status().json()  # fmt: skip
        assert len(read["ids"]) == 2
        assert listed(http, "zoe") == ["I own a dog"]
        copied = http.get(MEMORIES + read["ids"][tea]).json()
        assert (copied["state"], copied["app_name"], copied["metadata_"]) == ("archived", "cursor", {"n": 1})
        assert copied["created_at"] == http.get(MEMORIES + tea).json()["created_at"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nonsense", b"no zip at all"])
def test_what_is_no_backup_is_refused(http: httpx.Client, content: bytes) -> None:
    sent = http.post("/api/v1/backup/import", data={"user_id": "ana"}, files={"file": ("b.zip", content)})
    assert sent.status_code == 400
    assert "backup" in sent.json()["detail"]


def test_settings_are_noted_without_secrets(http: httpx.Client) -> None:
    llm = {"provider": "openai", "config": {"model": "gpt", "api_key": "sk-1"}}
    assert http.put("/api/v1/config/mem0/llm", json=llm).json()["config"]["api_key"] == "[redacted]"
    http.patch("/api/v1/config/", json={"openmemory": {"custom_instructions": "food"}}).raise_for_status()
    shown = http.get("/api/v1/config/").json()
    assert shown["mem0"]["llm"]["config"]["model"] == "gpt"
    assert http.get("/api/v1/config/openmemory").json() == {"custom_instructions": "food"}
    assert http.post("/api/v1/config/reset").json()["mem0"]["llm"] is None


def test_a_user_sees_nothing_of_others(as_ben: httpx.Client) -> None:
    (mine,) = as_ben.get(MEMORIES, params={"user_id": "ben"}).json()["items"]
    for path in (MEMORIES, "/api/v1/stats/", MEMORIES + "categories"):
        assert as_ben.get(path, params={"user_id": "ana"}).status_code == 403
    assert as_ben.post(MEMORIES, json={"user_id": "ana", "text": "I am Ben"}).status_code == 403
    assert as_ben.post("/api/v1/backup/export", json={"user_id": "ana"}).status_code == 403
    (app,) = as_ben.get("/api/v1/apps/").json()["apps"]
    assert app["total_memories_created"] == 1
    told = as_ben.get("/api/v1/apps/vault/memories").json()["memories"]
    assert [item["id"] for item in told] == [mine["id"]]
    for change in (
        as_ben.put("/api/v1/apps/vault", params={"is_active": False}),
        as_ben.put("/api/v1/config/", json={}),
    ):
        assert change.status_code == 403


def test_a_user_reaches_no_memory_of_others_by_its_id(http: httpx.Client, server: Serving) -> None:
    hers = tell(http, "My safe's code is 9921")
    app: Any = server.server.config.app
    app.dependency_overrides[who_asks] = lambda: Principal("key of ben", "ben", False)
    try:
        assert http.get(MEMORIES + hers).status_code == 404
        assert http.get(f"{MEMORIES}{hers}/access-log").status_code == 404
        assert http.get(f"{MEMORIES}{hers}/related", params={"user_id": "ben"}).status_code == 404
        for user, status in (("ben", 404), ("ana", 403)):
            chosen = {"memory_ids": [hers], "user_id": user}
            assert http.request("DELETE", MEMORIES, json=chosen).status_code == status
            assert http.post(MEMORIES + "actions/archive", json=chosen).status_code == status
            words = {"memory_content": "x", "user_id": user}
            assert http.put(MEMORIES + hers, json=words).status_code == status
    finally:
        app.dependency_overrides.clear()
    assert listed(http) == ["My safe's code is 9921"]
