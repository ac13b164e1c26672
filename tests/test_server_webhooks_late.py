"""What waits for a receiver: its words go when they are deleted, and a server that stops still says it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import hook_receiver
import httpx
import pytest
from serving import serving

from neuromem.server.desk import Desk
from neuromem.server.service import Change
from neuromem.server.webhooks import Webhooks

TOLD = [Change("ADD", "1", "user:ana", "I like tea"), Change("ADD", "2", "user:ana", "I like jam")]
GONE = [Change("DELETE", "1", "user:ana")]


@pytest.fixture
def webhooks() -> Iterator[Webhooks]:
    made = Webhooks(Desk(None), lambda: 0.0, lambda _id: (), pauses_s=(0.3, 0.01))
    yield made
    made.close()


def details(arrived: hook_receiver.Arrived) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(arrived.body)["event_details"]
    return found


def test_words_that_are_deleted_while_they_wait_are_not_sent(webhooks: Webhooks) -> None:
    answers = threading.Event()
    with hook_receiver.receiver(slow=answers) as (url, came):
        webhooks.create("default", url, "n", ["memory_add", "memory_delete"])
        webhooks.notice([Change("ADD", "0", "user:ana", "I like cake"), *TOLD])
        came.get(timeout=10)  # the others wait behind it
        webhooks.notice(GONE)
        answers.set()
        said = [details(came.get(timeout=10)) for _ in range(3)]
    assert [(item["id"], item["event"], item["data"]["memory"]) for item in said] == [
        ("1", "ADD", ""), ("2", "ADD", "I like jam"), ("1", "DELETE", ""),
    ]  # fmt: skip


def test_words_that_are_deleted_are_not_tried_again(webhooks: Webhooks) -> None:
    with hook_receiver.receiver(status=500) as (url, came):
        webhooks.create("default", url, "n", ["memory_add"])
        webhooks.notice(TOLD[:1])
        assert details(came.get(timeout=10))["data"] == {"memory": "I like tea"}
        webhooks.notice(GONE)
        assert details(came.get(timeout=10))["data"] == {"memory": ""}


def test_nothing_is_kept_of_what_was_sent(webhooks: Webhooks) -> None:
    with hook_receiver.receiver() as (url, came):
        webhooks.create("default", url, "n", ["memory_add"])
        webhooks.notice(TOLD)
        for _ in TOLD:
            came.get(timeout=10)
        deadline = time.monotonic() + 10
        while webhooks._unsent and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not webhooks._unsent


def test_what_waits_when_it_is_closed_is_sent_once(webhooks: Webhooks) -> None:
    answers = threading.Event()
    with hook_receiver.receiver(slow=answers) as (url, came):
        webhooks.create("default", url, "n", ["memory_add"])
        for _ in range(5):
            webhooks.notice(TOLD)
        came.get(timeout=10)
        threading.Timer(0.2, answers.set).start()
        webhooks.close(10.0)
        assert came.qsize() == 9
        assert webhooks.counts == {"sent": 10}


def test_who_does_not_answer_does_not_hold_up_the_end(webhooks: Webhooks) -> None:
    with hook_receiver.receiver(slow=threading.Event()) as (url, came):
        webhooks.create("default", url, "n", ["memory_add"])
        webhooks.notice(TOLD)
        came.get(timeout=10)
        began = time.monotonic()
        webhooks.close(0.2)
        assert time.monotonic() - began < 2


def test_an_idle_thread_ends_at_once(webhooks: Webhooks) -> None:
    with hook_receiver.receiver() as (url, came):
        webhooks.create("default", url, "n", ["memory_add"])
        webhooks.notice(TOLD[:1])
        came.get(timeout=10)
        time.sleep(0.1)
        began = time.monotonic()
        webhooks.close(10.0)
        assert time.monotonic() - began < 2


def test_a_server_that_is_stopped_says_what_was_changed_and_counts_it() -> None:
    answers = threading.Event()
    with hook_receiver.receiver(slow=answers) as (url, came):
        with serving(encoder="hash") as server:
            hook = {"url": url, "event_types": ["memory_add"]}
            httpx.post(f"{server.url}/api/v1/webhooks/projects/default", json=hook).raise_for_status()
            told = [
                {"role": "user", "content": f"I own {thing}"} for thing in ("a kayak", "a drum", "two hats")
            ]
            body = {"user_id": "ana", "messages": told, "infer": False}
            httpx.post(f"{server.url}/v3/memories/add", json=body).raise_for_status()
            came.get(timeout=10)
            answers.set()
            assert "neuromem_webhooks_total" in httpx.get(f"{server.url}/metrics").text
        assert came.qsize() == 2


def test_what_was_taken_on_for_later_is_told_when_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with hook_receiver.receiver() as (url, came), serving(encoder="hash") as server:
        hook = {"url": url, "event_types": ["ingest_job_completed", "ingest_job_failed"]}
        httpx.post(f"{server.url}/api/v1/webhooks/projects/default", json=hook).raise_for_status()

        def tell(words: str) -> str:
            body = {"user_id": "ana", "messages": words, "async_mode": True}
            event: str = httpx.post(f"{server.url}/v1/ingest", json=body).json()["event_id"]
            return event

        done = tell("I own a kayak")
        assert details(came.get(timeout=20)) == {
            "event": "INGEST_JOB_COMPLETED", "event_id": done, "status": "SUCCEEDED",
        }  # fmt: skip

        def fails(*_: Any, **__: Any) -> Any:
            raise ValueError("odd")

        monkeypatch.setattr(server.service, "add", fails)
        failed = tell("I own a drum")
        assert details(came.get(timeout=20)) == {
            "event": "INGEST_JOB_FAILED", "event_id": failed, "status": "FAILED",
        }  # fmt: skip
