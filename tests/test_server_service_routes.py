"""The memory service's routes: sessions, ingest at once and later, recall, conscious memory, sleep."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from serving import Serving, serving

TALK = [
    {"role": "user", "content": "I live in Lisbon. My dog's name is Potola."},
    {"role": "assistant", "content": "Noted!"},
]


@pytest.fixture
def server() -> Iterator[Serving]:
    """One in RAM."""
    with serving(encoder="hash") as server:
        yield server


@pytest.fixture
def client(server: Serving) -> Iterator[httpx.Client]:
    """A client of it."""
    with httpx.Client(base_url=server.url) as client:
        yield client


def post(client: httpx.Client, path: str, status: int = 200, headers: Any = None, **body: Any) -> Any:
    answer = client.post(f"/v1/{path}", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def ended(client: httpx.Client, event_id: str) -> Any:
    """The event once it is over."""
    deadline = time.monotonic() + 30
    while (event := client.get(f"/v1/events/{event_id}").json())["status"] == "PENDING":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return event


def test_told_recalled_superseded(client: httpx.Client) -> None:
    told = post(client, "ingest", user_id="ana", messages=TALK, metadata={"topic": "life"})
    assert told["status"] == "SUCCEEDED"
    assert [item["event"] for item in told["memories"]] == ["ADD", "ADD"]
    best = post(client, "recall", user_id="ana", query="what is my dog's name?")
    assert best["latency_ms"] > 0
    first = best["memories"][0]
    assert first["id"] == told["memories"][1]["id"]
    assert (first["fidelity"], first["strength"], first["metadata"]) == ("verbatim", 1.0, {"topic": "life"})
    assert 0 < first["score"] <= 1
    assert "Potola" in first["gist"]
    new = post(client, "ingest", user_id="ana", messages="I moved to Porto.")["memories"][0]["id"]
    now = post(client, "recall", user_id="ana", query="where do I live?")["memories"]
    ever = post(client, "recall", user_id="ana", query="where do I live?", current_view_only=False)[
        "memories"
    ]
    assert "I live in Lisbon." not in [item["memory"] for item in now]
    assert {item["superseded_by"] for item in ever} == {None, new}


def test_memories_tell_when_they_were_last_heard_and_until_when_they_held(client: httpx.Client) -> None:
    first, again, moved = (f"2026-05-{day}T00:00:00+00:00" for day in ("01", "08", "22"))
    said = (("I live in Lisbon.", first), ("I live in Lisbon.", again), ("I moved to Porto.", moved))
    for words, at in said:
        post(client, "ingest", user_id="ana", messages=words, timestamp=at)
    ever = post(client, "recall", user_id="ana", query="where do I live?", current_view_only=False)
    told = {item["memory"]: item for item in ever["memories"]}
    old, new = told["I live in Lisbon."], told["I moved to Porto."]
    assert (old["created_at"], old["last_refreshed_at"], old["valid_until"]) == (first, again, moved)
    assert (new["last_refreshed_at"], new["valid_until"]) == (moved, None)
    conscious = client.get("/v1/conscious", params={"user_id": "ana"}).json()["memories"][0]
    assert (conscious["last_refreshed_at"], conscious["valid_until"]) == (moved, None)


def test_a_session_begins_with_what_is_essential(server: Serving, client: httpx.Client) -> None:
    assert post(client, "sessions", 201, user_id="ana")["conscious"] == []
    session = post(client, "sessions", 201, user_id="ana", metadata={"device": "phone"})["session_id"]
    post(client, "ingest", user_id="ana", session_id=session, messages="I live in Lisbon.")
    post(client, "ingest", user_id="ana", messages="My dog's name is Potola.")
    begun = post(client, "sessions", 201, user_id="ana")
    assert "I live in Lisbon." in [item["memory"] for item in begun["conscious"]]
    answer = client.get("/v1/conscious", params={"user_id": "ana"}).json()
    assert answer["memories"] == begun["conscious"]
    asked = {"user_id": "ana", "query": "what do you know?", "session_id": session}
    assert [item["memory"] for item in post(client, "recall", **asked)["memories"]] == ["I live in Lisbon."]
    assert client.get("/v1/conscious", params={"user_id": "nobody"}).json() == {"memories": []}
    assert server.service.desk.things("session") == [], "nobody reads them"


def test_what_is_told_later_is_told_once_and_can_be_asked_for(server: Serving, client: httpx.Client) -> None:
    said = {"user_id": "ana", "messages": TALK, "async_mode": True}
    event = post(client, "ingest", 202, **said)
    assert (event["status"], set(event)) == ("PENDING", {"event_id", "status"})
    done = ended(client, event["event_id"])
    assert done["status"] == "SUCCEEDED"
    assert [item["memory"] for item in done["memories"]] == ["I live in Lisbon.", "My dog's name is Potola."]
    rows = server.service.desk.rows("SELECT body FROM events")
    assert rows
    assert not any("Potola" in row[0] for row in rows), "an event holds words"
    assert server.service.desk.rows("SELECT * FROM jobs") == [], "what was told is wiped"


def test_a_job_that_cannot_be_done_fails_and_the_next_goes_on(server: Serving, client: httpx.Client) -> None:
    jobs = server.server.config.app.state.jobs  # type: ignore[union-attr]
    nothing = {"do": "add", "told": {"ids": {"user": "ana"}, "messages": []}}
    bad = jobs.put("INGEST", "user:ana", nothing, {})
    worse = jobs.put("INGEST", "user:ana", {"do": "dance"}, {})
    good = post(client, "ingest", 202, user_id="ana", messages="I like tea", async_mode=True)["event_id"]
    assert ended(client, good)["status"] == "SUCCEEDED"
    assert ended(client, bad)["error"] == "InvalidInput"
    assert ended(client, worse)["status"] == "FAILED"
    assert jobs.counts == {"done": 1, "failed": 2}


def test_a_wrong_request_is_refused_before_it_is_taken_on(server: Serving, client: httpx.Client) -> None:
    for more in ({"messages": " "}, {"messages": []}, {"messages": "x", "timestamp": "soon"}):
        post(client, "ingest", 400, user_id="ana", async_mode=True, **more)
    post(client, "ingest", 422, user_id="ana", messages="x", colour="red")
    post(client, "ingest", 400, messages="x")
    post(client, "recall", 400, user_id="ana", query="x", fidelity="best")
    post(client, "recall", 422, user_id="ana", query="x", limit=0)
    assert server.service.desk.rows("SELECT * FROM jobs") == []


@pytest.mark.parametrize("later", [False, True])
def test_a_request_sent_again_with_its_key_is_told_once(client: httpx.Client, later: bool) -> None:
    said = {"user_id": "ana", "messages": "I like tea", "async_mode": later}
    key = {"Idempotency-Key": "a-1"}
    first = post(client, "ingest", 202 if later else 200, key, **said)
    ended(client, first["event_id"])
    again = post(client, "ingest", 200, key, **said)
    assert again["event_id"] == first["event_id"]
    assert [item["event"] for item in again["memories"]] == ["ADD"]
    assert (
        post(client, "ingest", 200, None, user_id="ana", messages="I like tea")["memories"][0]["event"]
        == "REINFORCE"
    )
    other = client.post("/v1/ingest", json=said | {"messages": "I hate tea"}, headers=key)
    assert (other.status_code, other.json()["field"]) == (400, "Idempotency-Key")


def test_what_waits_for_somebody_who_is_deleted_is_dropped(server: Serving, client: httpx.Client) -> None:
    state = server.server.config.app.state  # type: ignore[union-attr]
    state.jobs.stop(10)
    event = post(client, "ingest", 202, user_id="ana", messages="I like tea", async_mode=True)["event_id"]
    server.service.forget_owner("user:ana")
    assert client.get(f"/v1/events/{event}").status_code == 404
    assert state.jobs.waiting == 0


def test_deep_recall_searches_every_word(client: httpx.Client) -> None:
    post(client, "ingest", user_id="ana", messages=TALK)
    found = post(client, "recall", user_id="ana", query="Potola", deep=True)["memories"]
    assert found[0]["memory"] == "My dog's name is Potola."
    assert post(client, "recall", user_id="nobody", query="Potola", deep=True)["memories"] == []


def test_deep_recall_finds_what_a_session_said_behind_what_others_did(client: httpx.Client) -> None:
    for number in range(6):
        said = f"My dog number {number} is called Rex{number}"
        post(client, "ingest", user_id="ana", session_id="old", messages=said)
    said = "We got a hamster, Nibbles, and the dog likes it"
    post(client, "ingest", user_id="ana", session_id="new", messages=said)
    asked = {"user_id": "ana", "query": "what is my dog called?", "limit": 2, "deep": True}
    found = post(client, "recall", **asked, session_id="new")["memories"]
    assert [item["memory"] for item in found] == [said]
    assert len(post(client, "recall", **asked, session_id="old")["memories"]) == 2


def test_sleep_is_done_for_who_needs_it(client: httpx.Client) -> None:
    for user in ("ana", "ben"):
        post(client, "ingest", user_id=user, messages="I like tea")
    assert post(client, "sleep")["owners"] == 2
    assert post(client, "sleep")["owners"] == 0, "nothing happened since"
    post(client, "ingest", user_id="ben", messages="I like figs")
    assert post(client, "sleep")["owners"] == 1


def test_old_events_are_tidied_away(server: Serving, client: httpx.Client) -> None:
    events = server.server.config.app.state.events  # type: ignore[union-attr]
    event = post(client, "ingest", user_id="ana", messages="I like tea")["event_id"]
    assert events.clean(3_600, 3_600) == 0
    assert events.clean(-1, -1) == 1
    assert client.get(f"/v1/events/{event}").status_code == 404
