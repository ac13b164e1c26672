"""Deleting by name takes what is meant, no more and no less."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from serving import Serving, serving

from neuromem import Memory
from neuromem.server import removal
from neuromem.server.desk import Desk
from neuromem.server.entries import Ids
from neuromem.server.filters import parse
from neuromem.server.service import Service


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


# -- what is told meanwhile --------------------------------------------------------------------

OF_R1 = parse({"AND": [{"user_id": "ana"}, {"run_id": "r1"}]})


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service(Memory(encoder="hash"), Desk(None))
    yield made
    made.close()


def before(inner: Callable[..., Any], wait_s: float, work: Callable[[], object]) -> Callable[..., Any]:
    """A function that has a thread begin some work first, and gives it some time."""

    def outer(*args: Any, **more: Any) -> Any:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(wait_s)
        return inner(*args, **more)

    return outer


def all_of(service: Service, filters: object) -> list[str]:
    return [found.text for found in service.read(service.entries(parse(filters)))]


def until(done: Callable[[], bool]) -> None:
    deadline = threading.Event()
    for _ in range(500):
        if done():
            return
        deadline.wait(0.02)
    raise AssertionError("it did not come to it")


@pytest.mark.parametrize("more", ["", "I like figs"])
def test_what_another_session_tells_between_look_and_deletion_stays(
    service: Service, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    service.add(Ids("ana", run="r1"), "I am testing")
    if more:
        service.add(Ids("ana", run="r3"), more)  # not the whole owner goes
    told: list[object] = []
    late = "I am testing" if more else "I am allergic to peanuts"

    def tell_late() -> None:
        told.append(service.add(Ids("ana", run="r2"), late))

    monkeypatch.setattr("neuromem.server.removal.delete_of", before(removal.delete_of, 0.3, tell_late))
    monkeypatch.setattr(service, "forget_owner", before(service.forget_owner, 0.3, tell_late))
    assert service.delete_where(OF_R1) == 1
    until(lambda: bool(told))
    assert all_of(service, {"run_id": "r2"}) == [late]
    assert all_of(service, {"run_id": "r1"}) == []


def test_names_are_known_of_what_is_told_while_the_owner_is_forgotten(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.add(Ids("ana", run="r1"), "I am testing")
    desk = service.desk
    monkeypatch.setattr(
        desk, "unfile", before(desk.unfile, 10, lambda: service.add(Ids("ana", run="r2"), "I like figs"))
    )
    service.delete_where(OF_R1)
    assert all_of(service, {"run_id": "r2"}) == ["I like figs"]


def test_what_another_session_has_waiting_is_told_though_the_owner_went(
    server: Serving, http: httpx.Client
) -> None:
    jobs = server.server.config.app.state.jobs  # type: ignore[union-attr]
    jobs.stop(10)
    tell(http, "I am testing", user_id="ida", run_id="r1")
    kept = later(http, "My bike is red", user_id="ida", session_id="r2")
    assert deleted(http, "/v1/memories", user_id="ida", run_id="r1") == 1
    jobs._stopping = False
    while jobs._some():
        pass
    assert http.get(f"/v1/events/{kept}").json()["status"] == "SUCCEEDED"
    assert held(http, run_id="r2", user_id="ida") == ["My bike is red"]


def test_two_who_delete_and_change_do_not_wait_for_each_other(service: Service, tmp_path: Path) -> None:
    """After an import an id may bear another owner's tag, who is then looked at first."""
    ids: dict[str, str] = {}
    for user, other in (("ana", "ben"), ("ben", "ana")):
        with Memory(encoder="hash") as elsewhere:
            ids[user] = elsewhere.add("I live in Porto", other)[0].id
            elsewhere.export(tmp_path / "moved.jsonl", other)
        service.memory.import_(tmp_path / "moved.jsonl", user)

    def work(user: str) -> None:
        for number in range(10):
            service.add(Ids(user), "I like figs", metadata={"topic": "food"})
            service.update(ids[user], metadata={"number": number, "topic": "home"})
            service.delete_where(parse({"AND": [{"user_id": user}, {"metadata": {"topic": "food"}}]}))

    threads = [threading.Thread(target=work, args=(user,), daemon=True) for user in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert [service.get(id_).entry.metadata["number"] for id_ in ids.values()] == [9, 9]
