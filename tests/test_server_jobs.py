"""What is told later for somebody who is deleted in the meantime leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from neuromem import Memory
from neuromem.courtesy import giving_way
from neuromem.errors import StoreError
from neuromem.server.adding import Adding, Telling
from neuromem.server.app import create_app
from neuromem.server.desk import Desk
from neuromem.server.entries import Ids
from neuromem.server.events import Events
from neuromem.server.filters import parse
from neuromem.server.jobs import Jobs
from neuromem.server.service import Service

TALK = [
    {"role": "user", "content": "I live in Porto."},
    {"role": "user", "content": "I moved to Lisbon last week. My PIN, do you know it?"},
    {"role": "user", "content": "Well, 4711 or so?"},
]


class Server:
    """The parts, without the thread: jobs are done when they are asked for."""

    def __init__(self) -> None:
        self.service = Service(Memory(), Desk(None))
        self.events = Events(self.service.desk, self.service.engine.clock)
        self.jobs = Jobs(self.service, self.events)
        self.adding = Adding(self.service, self.events, self.jobs)

    def later(self, messages: Any, **ids: str) -> str:
        return self.adding.add(Telling(Ids(**ids), messages), later=True)[0].id

    def words(self, owner: str) -> list[str]:
        """All words in the log of somebody."""
        records = self.service.engine.log.events(owner)
        return [str(record.body["text"]) for record in records if "text" in record.body]

    def meanwhile(self, first: Callable[[], object] = int, then: Callable[[], object] = int) -> None:
        """Does the jobs, and something else before and after each."""
        work = self.jobs.work["add"]

        def outer(job: dict[str, Any]) -> dict[str, Any]:
            first()
            done = work(job)
            then()
            return done

        self.jobs.work["add"] = outer
        while self.jobs._some():
            pass
        self.jobs.work["add"] = work


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.service.close()


def test_of_a_user_who_was_deleted_nothing_is_left(server: Server) -> None:
    server.service.add(Ids("ana"), "I live in Porto")
    server.later(TALK, user="ana")
    server.meanwhile(lambda: server.service.forget_owner("user:ana"))
    assert server.words("user:ana") == []
    assert server.service.memory.users() == []


def test_what_they_tell_anew_stays(server: Server) -> None:
    server.service.add(Ids("ana"), "I live in Porto")
    server.later(TALK, user="ana")

    def come_again() -> None:
        server.service.add(Ids("ana"), "I like figs. Are they ripe?")

    server.meanwhile(lambda: server.service.forget_owner("user:ana"), come_again)
    assert sorted(server.words("user:ana")) == ["I like figs.", "I like figs. Are they ripe?"]
    assert [found.text for found in server.service.read(server.service.entries())] == ["I like figs."]


def test_of_a_session_that_was_deleted_the_rest_stays(server: Server) -> None:
    server.service.add(Ids("ana", run="r2"), "I like figs")
    server.later(TALK, user="ana", run="r1")
    gone = parse({"AND": [{"user_id": "ana"}, {"run_id": "r1"}]})
    server.meanwhile(lambda: server.service.delete_where(gone))
    assert server.words("user:ana") == ["I like figs"]


def test_what_was_dropped_after_it_was_read_is_not_begun(server: Server) -> None:
    first, second = (server.later(TALK, user=user) for user in ("ben", "ana"))
    told: list[str] = []
    server.meanwhile(lambda: told.append(""), lambda: server.service.forget_owner("user:ana"))
    assert len(told) == 1
    assert server.events.get(first).status == "SUCCEEDED"
    assert not server.service.desk.rows("SELECT * FROM events WHERE id = ?", second)


def test_one_that_cannot_be_undone_keeps_no_other_waiting(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.later(TALK, user="ana")
    after = server.later("I live in Faro", user="ben")

    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr("neuromem.server.jobs.delete_of", full)
    dropped: list[None] = []

    def drop() -> None:
        if not dropped:
            dropped.append(None)
            server.service.desk.unfile("user:ana")

    server.meanwhile(drop)
    assert dropped
    assert server.events.get(after).status == "SUCCEEDED"


def test_words_of_a_job_are_not_kept_with_its_event(server: Server) -> None:
    event = server.later(TALK, user="ana")
    server.meanwhile()
    assert set(server.events.get(event).body) == {"memories"}


def test_a_job_gives_way_to_searches(server: Server) -> None:
    """As an add that somebody waits for does; nobody waits for this one."""
    asked = list[str]()

    def aside(whose: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        with giving_way(lambda: asked.append(whose)):
            return work()

    server.jobs.aside = aside
    server.later(TALK, user="ana")
    server.meanwhile()
    assert len(asked) > 1
    assert set(asked) == {"user:ana"}


def test_jobs_of_a_server_do() -> None:
    app = create_app(Service(Memory(encoder="hash"), Desk(None)))
    with TestClient(app):
        assert app.state.jobs.aside == app.state.turns.aside
