"""HTTP as odd clients speak it: HEAD, bodies that are no JSON or do not say what they are."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import httpx
import pytest
from serving import Serving, serving

BODY = json.dumps({"user_id": "ana", "query": "what do I drink?"}).encode()
ZIPPED = gzip.compress(BODY, mtime=0)
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving(encoder="hash") as made:
        yield made


@pytest.mark.parametrize(
    "path", ["/health", "/ready", "/metrics", "/docs", "/v1/ping/", "/v1/memories/?user_id=a"]
)
def test_head_is_answered_as_get_is(server: Serving, path: str) -> None:
    with httpx.Client(base_url=server.url) as client:
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Type"] == get.headers["Content-Type"]
        assert int(head.headers["Content-Length"]) > 0
        assert client.get("/health").json()["status"] == "ok", "the connection is still good"


def test_head_is_counted_as_what_it_was(server: Serving) -> None:
    httpx.head(f"{server.url}/health")
    text = httpx.get(f"{server.url}/metrics").text
    assert 'neuromem_requests_total{method="HEAD",route="/health",status="200"}' in text


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/v1/recall", 405), ("/archive/none?user_id=a", 404)]
)
def test_head_of_what_cannot_be_got(server: Serving, path: str, status: int) -> None:
    answer = httpx.head(f"{server.url}{path}")
    assert (answer.status_code, answer.content) == (status, b"")


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (b'{"user_id": ', JSON, 422, "body: no JSON at character 12: Expecting value"),
        (BODY, {}, 422, "body: send it with the header Content-Type: application/json"),
        (BODY, {"Content-Type": "text/plain"}, 422, "Content-Type: application/json, not 'text/plain'"),
        (b"[]", JSON, 422, "body: Input should be a valid dictionary"),
        (b"", JSON, 422, "body: Field required"),
        (b'{"query": "caf\xe9"}', JSON, 400, "body: is no JSON in UTF-8"),
        (b"[" * 100_000, JSON, 400, "nested too deep"),
        (ZIPPED, JSON | {"Content-Encoding": "gzip"}, 415, "compressed bodies are not read"),
        (BODY, JSON | {"Content-Encoding": "identity"}, 200, ""),
    ],
)
def test_a_body_that_cannot_be_read_is_told_why(
    server: Serving, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    answer = httpx.post(f"{server.url}/v1/recall", content=body, headers=headers)
    assert answer.status_code == status
    if status != 200:
        assert said in answer.json()["detail"]
        assert {fault["field"] for fault in answer.json().get("errors", ())} <= {"body"}


def test_half_of_a_surrogate_pair_comes_back_from_the_open_source_routes(server: Serving) -> None:
    asked = {"use_case": "half \ud83d of one"}
    answer = httpx.post(f"{server.url}/generate-instructions", content=json.dumps(asked), headers=JSON)
    assert answer.status_code == 200
    assert "half" in json.loads(answer.content)["custom_instructions"]
