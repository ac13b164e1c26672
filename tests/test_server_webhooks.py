"""Webhooks that were set up oddly, or whose project is gone: what is meant is sent, and no thread dies."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import hook_receiver
import pytest
from hook_receiver import Arrived

from neuromem import Memory
from neuromem.errors import InvalidInput
from neuromem.server.desk import Desk
from neuromem.server.events import Events
from neuromem.server.jobs import Jobs
from neuromem.server.platform import Platform
from neuromem.server.service import Change, Service
from neuromem.server.webhooks import Webhooks

TOLD = [Change("ADD", "1", "user:ana", "I like tea")]


Receiver = tuple[int, queue.Queue[Arrived]]
"""Its port, and what comes in."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with hook_receiver.receiver() as (url, came):
        yield urlsplit(url).port or 0, came


def asked_at(arrived: Arrived) -> str:
    """Host and path that a delivery was sent to."""
    return f"{arrived.headers['Host']}{arrived.path}"


@pytest.fixture
def webhooks() -> Iterator[Webhooks]:
    made = Webhooks(Desk(None), lambda: 0.0, lambda _id: (), pauses_s=(0.01,))
    yield made
    made.close()


def test_a_path_in_any_letters_is_sent_to(webhooks: Webhooks, receiver: Receiver) -> None:
    port, came = receiver
    hook = webhooks.create("default", f"http://127.0.0.1:{port}/höok%20a?q=é&b=%C3", "n", ["memory_add"])
    webhooks.notice(TOLD)
    assert asked_at(came.get(timeout=10)) == f"127.0.0.1:{port}/h%C3%B6ok%20a?q=%C3%A9&b=%C3"
    assert hook["url"].endswith("/höok%20a?q=é&b=%C3"), "shown as it was given"


def test_a_host_in_any_letters_is_asked_for_by_its_ascii_name(
    webhooks: Webhooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, came = receiver
    asked: list[object] = []

    def connect(address: tuple[str, int], *more: Any, **most: Any) -> Any:
        asked.append(address[0])
        return real(("127.0.0.1", port), *more, **most)

    from socket import create_connection as real

    monkeypatch.setattr("socket.create_connection", connect)
    webhooks.create("default", "http://bücher.example/", "n", ["memory_add"])
    webhooks.notice(TOLD)
    assert asked_at(came.get(timeout=10)) == "xn--bcher-kva.example/"
    assert asked == ["xn--bcher-kva.example"]


@pytest.mark.parametrize("url", ["http://a\ud800b/", "http://a/\ud800", "http://ü..b/", "http://[::1/", 7])
def test_an_address_that_cannot_be_sent_to_is_refused(webhooks: Webhooks, url: Any) -> None:
    with pytest.raises(InvalidInput, match="url"):
        webhooks.create("default", url, "n", ["memory_add"])


def test_a_delivery_that_goes_wrong_in_any_way_stops_none_after_it(
    webhooks: Webhooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, came = receiver
    post, tries = webhooks._post, iter(range(100))

    def odd(*args: Any) -> int:
        if next(tries) == 0:
            raise KeyError("anything")
        return post(*args)

    monkeypatch.setattr(webhooks, "_post", odd)
    webhooks.create("default", f"http://127.0.0.1:{port}/", "n", ["memory_add"])
    for _ in range(3):
        webhooks.notice(TOLD)
    assert [asked_at(came.get(timeout=10)) for _ in range(2)] == [f"127.0.0.1:{port}/"] * 2
    deadline = time.monotonic() + 10
    while sum(webhooks.counts.values()) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert webhooks.counts == {"failed": 1, "sent": 2}


def test_without_a_thread_to_send_it_nothing_waits(
    webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_self: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    webhooks.create("default", "http://127.0.0.1:9/", "n", ["memory_add"])
    webhooks.notice(TOLD)
    assert webhooks.counts == {"dropped": 1}
    assert webhooks._queues == {}


def test_webhooks_of_a_project_that_was_removed_hear_of_nothing(
    receiver: Receiver,
) -> None:
    port, came = receiver
    service = Service(Memory(encoder="hash"), Desk(None))
    events = Events(service.desk, service.engine.clock)
    platform = Platform(service, events, Jobs(service, events))
    other = platform.projects.create("other", None)
    for project in ("default", other):
        platform.webhooks.create(project, f"http://127.0.0.1:{port}/{project}", "n", ["memory_add"])
    platform.projects.remove("default")
    assert platform.webhooks.all("default") == []
    service.tell(TOLD)
    assert asked_at(came.get(timeout=10)).endswith(other)
    assert came.empty()
    platform.close()
    service.close()
