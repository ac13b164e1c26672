"""What stands around a request: ids, sizes, rates, queues, headers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from serving import serving

from neuromem.server.errors import Refused
from neuromem.server.limits import Buckets

DELAY_S = 0.05  # by which work under way may delay what needs no work


def small_pieces() -> Iterator[bytes]:
    yield b'{"user_id": "ana", "messages": "'
    for _ in range(100):
        yield b"x" * 1_000
    yield b'"}'


def test_a_body_may_not_be_larger_than_allowed_whether_or_not_it_says_so() -> None:
    with (
        serving(config={"server": {"max_body_kib": 64}}, encoder="hash") as server,
        httpx.Client(base_url=server.url) as client,
    ):
        said = {"user_id": "ana", "messages": "x" * 70_000}
        whole = client.post("/v1/ingest", json=said)
        chunked = client.post(
            "/v1/ingest", content=small_pieces(), headers={"Content-Type": "application/json"}
        )
        assert (whole.status_code, chunked.status_code) == (413, 413)
        assert "64 KiB" in whole.json()["detail"]
        assert client.post("/v1/ingest", json=said | {"messages": "I like tea"}).status_code == 200


def test_every_answer_has_an_id_and_safe_headers() -> None:
    with serving(encoder="hash") as server, httpx.Client(base_url=server.url) as client:
        for path in ("/health", "/nowhere", "/v1/keys"):
            answer = client.get(path, headers={"X-Request-ID": "abc-1"})
            assert answer.headers["X-Request-ID"] == "abc-1"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Access-Control-Allow-Origin" not in answer.headers
        odd = client.get("/health", headers={"X-Request-ID": "a b\tc" + "x" * 200}).headers["X-Request-ID"]
        assert len(odd) == 32


def test_a_browser_may_call_from_the_origins_of_the_settings() -> None:
    with serving(config={"server": {"cors": "https://app.example"}}, encoder="hash") as server:
        for origin, allowed in (("https://app.example", True), ("https://evil.example", False)):
            asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = httpx.options(f"{server.url}/v1/recall", headers=asks)
            assert ("Access-Control-Allow-Origin" in answer.headers) is allowed
        body = {"user_id": "ana", "query": "x"}
        answer = httpx.post(f"{server.url}/v1/recall", json=body, headers={"Origin": "https://app.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"


def test_a_key_that_asks_too_often_is_told_when_to_come_back() -> None:
    settings = {"server": {"rate_per_s": 2.0, "burst": 5, "admin_key": "boss"}}
    with serving(config=settings, encoder="hash") as server, httpx.Client(base_url=server.url) as client:
        boss = {"Authorization": "Token boss"}
        ana = client.post("/v1/users", json={"user_id": "ana"}, headers=boss).json()["api_key"]
        answers = [client.get("/v1/keys", headers={"X-API-Key": ana}) for _ in range(12)]
        assert {answer.status_code for answer in answers} == {200, 429}
        late = answers[-1]
        assert late.status_code == 429
        assert int(late.headers["Retry-After"]) >= 1
        assert (late.headers["X-RateLimit-Limit"], late.headers["X-RateLimit-Remaining"]) == ("5", "0")
        assert int(late.headers["X-RateLimit-Reset"]) >= time.time() - 1
        assert client.get("/v1/keys", headers=boss).status_code == 200, "each key has a bucket of its own"
        assert client.get("/health").status_code == 200


def test_a_bucket_fills_as_time_goes_by(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("neuromem.server.limits.time.monotonic", lambda: now[0])
    buckets = Buckets(0.5, 2)
    buckets.take("a")
    assert buckets.take("a")["X-RateLimit-Remaining"] == "0"
    with pytest.raises(Refused) as caught:
        buckets.take("a")
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (429, "2")
    buckets.take("b")
    now[0] += 2
    buckets.take("a")


def median_wait(client: httpx.Client) -> float:
    """Seconds until it says that it lives."""
    waits = []
    for path in ("/health", "/ready") * 10:
        began = time.perf_counter()
        assert client.get(path).status_code == 200
        waits.append(time.perf_counter() - began)
    return sorted(waits)[len(waits) // 2]


def test_too_many_at_once_are_sent_away_while_health_answers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow adds hold all threads; the loop stays free."""
    settings = {"server": {"threads": 2, "queue": 2}}
    with serving(config=settings, encoder="hash") as server, httpx.Client(base_url=server.url) as client:
        idle, release = median_wait(client), threading.Event()
        add = server.service.combiner.add

        def slow(*args: object) -> object:
            release.wait(30)
            return add(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(server.service.combiner, "add", slow)
        said = {"user_id": "ana", "messages": "I like tea"}
        statuses: list[int] = []
        senders = [
            threading.Thread(
                target=lambda: statuses.append(
                    httpx.post(f"{server.url}/v1/ingest", json=said, timeout=60).status_code
                )
            )
            for _ in range(6)
        ]
        for sender in senders:
            sender.start()
        deadline = time.monotonic() + 30
        while statuses.count(503) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        waits = median_wait(client)
        assert client.get("/metrics").status_code == 200
        release.set()
        for sender in senders:
            sender.join()
        assert sorted(statuses) == [200, 200, 200, 200, 503, 503]
        assert waits - idle < DELAY_S


def test_metrics_count_by_template_and_name_nobody() -> None:
    with serving(encoder="hash") as server, httpx.Client(base_url=server.url) as client:
        client.post("/v1/ingest", json={"user_id": "quentin", "messages": "I like tea"})
        client.post("/v1/recall", json={"user_id": "quentin", "query": "what do I like?"})
        client.get("/v1/events/quentin")
        client.get("/quentin")
        client.post("/v1/sleep")
        text = client.get("/metrics").text
    for line in (
        'neuromem_requests_total{method="POST",route="/v1/ingest",status="200"} 1.0',
        'neuromem_requests_total{method="GET",route="/v1/events/{event_id}",status="404"} 1.0',
        'neuromem_requests_total{method="GET",route="(none)",status="404"} 1.0',
        'neuromem_stage_seconds_count{stage="encode"} 2.0',  # what is told looks for what it replaces
        "neuromem_owners_open 1.0", "neuromem_memories 1.0", "neuromem_adds_total 1.0",
        'neuromem_memories_by_strength{at_most="1"} 1.0', "neuromem_sleep_seconds_count 1.0",
    ):  # fmt: skip
        assert line in text
    assert "quentin" not in text
    assert "tea" not in text.split()
