"""Deleting by name takes what is meant, no more and no less."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from serving import Serving, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving(encoder="hash") as server:
        yield server


@pytest.fixture(scope="module")
def http(server: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def tell(http: httpx.Client, text: str, **ids: str) -> None:
    body = {"messages": [{"role": "user", "content": text}], **ids}
    http.post("/v3/memories/add/", json=body).raise_for_status()


def held(http: httpx.Client, **ids: str) -> list[str]:
    filters = {"AND": [{key: value} for key, value in ids.items()]}
    answer = http.post("/v3/memories/", json={"filters": filters}).raise_for_status().json()
    return sorted(item["memory"] for item in answer["results"])


def deleted(http: httpx.Client, path: str, **params: str) -> int:
    answer: dict[str, Any] = http.delete(path, params=params).raise_for_status().json()
    return int(answer["count"])


def test_a_fact_of_two_sessions_goes_with_the_last(http: httpx.Client) -> None:
    for run in ("r1", "r2"):
        tell(http, "I am allergic to peanuts", user_id="una", run_id=run)
    assert deleted(http, "/v1/memories", user_id="una", run_id="r1") == 1
    assert held(http, user_id="una", run_id="r1") == []
    assert held(http, user_id="una", run_id="r2") == ["I am allergic to peanuts"]
    assert deleted(http, "/v1/memories", user_id="una", run_id="r2") == 1
    assert held(http, user_id="una") == []


def test_a_fact_of_two_agents_stays_with_the_other(http: httpx.Client) -> None:
    for agent in ("a1", "a2"):
        tell(http, "I like plums", user_id="ulf", agent_id=agent)
    tell(http, "I like figs", user_id="ulf", agent_id="a1")
    assert deleted(http, "/v2/entities/agent/a1/") == 2
    assert held(http, user_id="ulf") == ["I like plums"]
    assert held(http, user_id="ulf", agent_id="a2") == ["I like plums"]
    assert deleted(http, "/v1/memories", user_id="ulf") == 1, "of a user all goes, whoever told it"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n/", "\u2028"])
def test_a_name_that_ends_in_a_line_break_is_a_name_of_its_own(http: httpx.Client, end: str) -> None:
    tell(http, "I live in Oslo", user_id="bob")
    tell(http, "I live in Bergen", user_id=f"bob{end}")
    assert deleted(http, f"/v2/entities/user/{quote(f'bob{end}', safe='')}/") == 1
    assert held(http, user_id="bob") == ["I live in Oslo"]
    assert held(http, user_id=f"bob{end}") == []


def later(http: httpx.Client, text: str, **ids: str) -> str:
    body = {"messages": text, "async_mode": True, **ids}
    return str(http.post("/v1/ingest", json=body).raise_for_status().json()["event_id"])


def test_what_waits_to_be_told_goes_with_its_name(server: Serving, http: httpx.Client) -> None:
    jobs = server.server.config.app.state.jobs  # type: ignore[union-attr]
    jobs.stop(10)
    later(http, "My code is 9981", user_id="newbie")
    later(http, "My code is 1234", user_id="una", session_id="r1")
    kept = later(http, "My bike is red", user_id="una", session_id="r2")
    assert deleted(http, "/v1/memories", user_id="newbie") == 0
    assert deleted(http, "/v1/memories", user_id="una", run_id="r1") == 0
    assert jobs.waiting == 1
    jobs._stopping = False
    while jobs._some():
        pass
    assert http.get(f"/v1/events/{kept}").json()["status"] == "SUCCEEDED"
    assert held(http, user_id="newbie") == []
    assert held(http, user_id="una") == ["My bike is red"]


def test_archives_of_somebody_without_a_memory_go_too(http: httpx.Client) -> None:
    said = {"name": "mine", "user_id": "arch", "records": [{"value": "The safe has code 9921"}]}
    assert http.post("/encode", json=said).status_code == 201
    assert http.get("/archive/mine", params={"user_id": "arch"}).status_code == 200
    deleted(http, "/v1/memories", user_id="arch")
    assert http.get("/archive/mine", params={"user_id": "arch"}).status_code == 404
