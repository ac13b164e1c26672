"""The desk holds nothing of who was deleted, and is safe across threads."""

from __future__ import annotations

import threading

from neuromem.server.desk import Desk
from neuromem.server.events import DONE, PENDING, Events


def test_an_owner_is_forgotten_while_others_are_filed() -> None:
    desk = Desk(None)
    desk._filed |= {("run", f"r{number}", f"user:u{number}") for number in range(20_000)}
    stop = threading.Event()

    def file() -> None:
        number = 0
        while not stop.is_set():
            desk.file(f"user:x{number}", [("run", f"x{number}")])
            number += 1

    thread = threading.Thread(target=file)
    thread.start()
    try:
        for number in range(100):
            desk.unfile(f"user:u{number}")
    finally:
        stop.set()
        thread.join()
    known = desk.rows("SELECT owner FROM filed")
    assert {owner for (owner,) in known} <= {owner for _, _, owner in desk._filed}
    assert not any(desk_owner == "user:u7" for _, _, desk_owner in desk._filed)


def test_events_that_are_not_written_yet_go_with_their_owner() -> None:
    desk = Desk(None)
    events = Events(desk, lambda: 1.0)
    for scope in ("user:ana", "user:ben"):
        events.record("ADD", DONE, scope, {"memories": []})
    events.record("ADD", PENDING, "user:ana", {}, job={"do": "add"})
    desk.unfile("user:ana")
    events.flush()
    assert desk.rows("SELECT scope FROM events") == [("user:ben",)]
    assert [event.scope for event in events.known()] == ["user:ben"]


def test_events_that_are_being_written_go_with_their_owner() -> None:
    desk = Desk(None)
    events = Events(desk, lambda: 1.0)
    for number in range(300):
        events.record("ADD", DONE, f"user:u{number}", {"memories": []})
        thread = threading.Thread(target=events.flush)
        thread.start()
        desk.unfile(f"user:u{number}")
        thread.join()
    events.flush()
    assert desk.rows("SELECT scope FROM events") == []


def test_sessions_that_were_noted_once_go_with_their_user() -> None:
    desk = Desk(None)
    for number, user in enumerate(("ana", "ben", "an\0a")):
        desk.put("session", str(number), {"user_id": user, "metadata": {"mail": "x"}}, 1.0)
    desk.unfile("user:ana")
    assert [thing["user_id"] for thing in desk.things("session")] == ["ben", "an\0a"]
