"""The wire itself: paths however they are spelt, types that are wrong, requests that name themselves."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from mem0_wire import served, texts
from serving import Serving

from neuromem.server.paths import one_path


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with served() as (_, running):
        yield running


@pytest.fixture
def http(server: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Authorization": "Token x"}, timeout=60) as client:
        yield client


def add(http: httpx.Client, said: str, **more: object) -> str:
    body = {"messages": [{"role": "user", "content": said}], "infer": False, **more}
    return str(http.post("/v3/memories/add/", json=body).raise_for_status().json()["results"][0]["id"])


@pytest.mark.parametrize("path", ["/v1/ping", "/v1/ping/", "//v1/ping/", "/v1//ping///", "/%761/ping"])
def test_a_path_is_found_however_it_is_spelt(http: httpx.Client, path: str) -> None:
    answer = http.get(httpx.URL(str(http.base_url).rstrip("/") + path))
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["org_id"]
    assert answer.json()["project_id"]


def test_segments_are_decoded_one_by_one() -> None:
    assert one_path(b"/v2/entities/user/a%2F%2Fb%2F/") == "/v2/entities/user/a//b/"
    assert one_path(b"//v1//ping/") == "/v1/ping"
    assert one_path(b"/") == "/"
    assert one_path(b"/a%252Fb/%ff/%F0%9F%A6%8A") == "/a%2Fb/\N{REPLACEMENT CHARACTER}/🦊"


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=4))
def test_any_segments_come_through(segments: list[str]) -> None:
    raw = "//".join(quote(text, safe="") for text in segments).encode()
    assert one_path(b"/" + raw + b"/") == "/" + "/".join(segments)


ROUTES = [
    ("POST", "/v3/memories/add/", {"messages": "x", "user_id": "ana"}),
    ("POST", "/v3/memories/", {"filters": {"user_id": "ana"}}),
    ("POST", "/v3/memories/search/", {"query": "x", "filters": {"user_id": "ana"}}),
    ("POST", "/v1/memories/", {"messages": "x", "user_id": "ana"}),
    ("POST", "/v1/memories/search/", {"query": "x", "user_id": "ana"}),
    ("POST", "/v2/memories/", {"filters": {"user_id": "ana"}}),
    ("POST", "/v2/memories/search/", {"query": "x", "filters": {"user_id": "ana"}}),
    ("PUT", "/v1/batch/", {"memories": [{"memory_id": "x", "text": "y"}]}),
    ("DELETE", "/v1/batch/", {"memories": [{"memory_id": "x"}]}),
    ("POST", "/v1/feedback/", {"memory_id": "x", "feedback": "POSITIVE"}),
    ("POST", "/v1/exports/", {"schema": "{}", "filters": {"user_id": "ana"}}),
    ("POST", "/v1/exports/get/", {"filters": {"user_id": "ana"}}),
    ("POST", "/v1/summary/", {"filters": {"user_id": "ana"}}),
    ("POST", "/v2/profiles/jobs/", {"operation": "trigger", "entity_type": "user", "entity_id": "ana"}),
    ("POST", "/v2/profiles/settings/", {"enabled": True}),
    ("PATCH", "/api/v1/orgs/organizations/neuromem/projects/default/", {"decay": False}),
    ("POST", "/api/v1/webhooks/projects/default/", {"url": "http://x", "event_types": ["memory_add"]}),
    ("PUT", "/v1/memories/5b2b5ed4-5f3c-4b1a-9f6c-2d1d1b6b8a10/", {"text": "x"}),
]
WRONG = (7, "x" * 40, True, ["x"], {"x": "y"}, 1e308, "\ud800", [], {}, -1)


@pytest.mark.parametrize(
    ("method", "path", "body"), ROUTES, ids=lambda value: str(value) if isinstance(value, str) else ""
)
def test_whatever_is_wrong_is_said_in_json_and_never_an_error_of_the_server(
    http: httpx.Client, method: str, path: str, body: dict[str, object]
) -> None:
    for content in (b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 500):
        answer = http.request(method, path, content=content, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, (content, answer.text)
        assert answer.json()["detail"]
        assert answer.json()["error"]
    for field in body:
        for value in WRONG:
            sent = json.dumps({**body, field: value}).encode()
            answer = http.request(method, path, content=sent, headers={"Content-Type": "application/json"})
            assert answer.status_code < 500, (field, value, answer.text)
            if answer.status_code >= 400:
                assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v3/memories/add/", {"messages": "x", "user_id": ["ana"]}, "user_id"),
        ("/v3/memories/add/", {"messages": "x", "user_id": True}, "user_id"),
        ("/v3/memories/add/", {"messages": 7, "user_id": "a"}, "messages"),
        ("/v3/memories/add/", {"messages": ["x", {"content": 7}], "user_id": "a"}, "messages[1].content"),
        ("/v3/memories/add/", {"messages": [{"role": "boss"}], "user_id": "a"}, "messages[0].role"),
        ("/v3/memories/add/", {"messages": "x", "user_id": "a", "infer": "no"}, "infer"),
        ("/v3/memories/add/", {"messages": "x", "user_id": "a", "metadata": [1]}, "metadata"),
        ("/v3/memories/add/", {"messages": "x", "user_id": "a", "run_id": " "}, "run_id"),
        ("/v3/memories/add/", {"messages": "x", "user_id": "a" * 300}, "user_id"),
        ("/v3/memories/add/", {"messages": "x", "user_id": "a", "agent_id": "\ud800"}, "agent_id"),
        ("/v3/memories/add/", {"messages": "x"}, "user_id"),
        ("/v3/memories/search/", {"filters": {"user_id": "a"}}, "query"),
        ("/v3/memories/search/", {"query": "  ", "filters": {"user_id": "a"}}, "query"),
        ("/v3/memories/search/", {"query": "x", "filters": {"user_id": "a"}, "top_k": "10"}, "top_k"),
        ("/v3/memories/search/", {"query": "x", "filters": {"user_id": "a"}, "top_k": 0}, "top_k"),
        ("/v3/memories/search/", {"query": "x", "filters": {"user_id": "a"}, "threshold": -1}, "threshold"),
        ("/v3/memories/search/", {"query": "x", "filters": {"user_id": "a"}, "fields": [7]}, "fields"),
        ("/v3/memories/search/", {"query": "x", "filters": {"user_id": {"like": "a"}}}, "filters.user_id"),
        ("/v3/memories/search/", {"query": "x", "filters": []}, "filters"),
        ("/v3/memories/", {"filters": {"user_id": "a"}, "page_size": 0}, "page_size"),
        ("/v3/memories/", {"filters": {"user_id": "a"}, "show_expired": 1}, "show_expired"),
    ],
)  # fmt: skip
def test_the_field_that_is_wrong_is_named(
    http: httpx.Client, path: str, body: dict[str, object], field: str
) -> None:
    sent = json.dumps(body).encode()
    answer = http.post(path, content=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert field in answer.json()["detail"]


def test_a_request_that_names_itself_is_carried_out_once(http: httpx.Client, server: Serving) -> None:
    ana = f"ana-{uuid.uuid4().hex[:8]}"
    body = {"messages": [{"role": "user", "content": "Box 1 is full"}], "user_id": ana, "infer": False}
    answers = [http.post("/v3/memories/add/", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(3)]
    assert len({answer.text for answer in answers}) == 1
    length = server.service.engine.log.length(f"user:{ana}")
    other = http.post("/v3/memories/add/", json=body, headers={"Idempotency-Key": "k2"}).json()
    assert other["event_id"] != answers[0].json()["event_id"]
    assert server.service.engine.log.length(f"user:{ana}") == length + 1, "told again, and known"


def test_an_add_that_asks_for_it_is_queued_and_can_be_polled(http: httpx.Client) -> None:
    body = {"messages": [{"role": "user", "content": "I like tea"}], "user_id": f"ana-{uuid.uuid4().hex[:8]}"}
    answer = http.post("/v3/memories/add/", json={**body, "async_mode": "queue"}).json()
    assert (answer["status"], answer["results"]) == ("PENDING", [])
    deadline = time.monotonic() + 30
    while True:
        event = http.get(f"/v1/event/{answer['event_id']}/").json()
        if event["status"] != "PENDING" or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    assert (event["status"], texts(event)) == ("SUCCEEDED", ["I like tea"])
    refused = http.post("/v3/memories/add/", json={**body, "messages": [7], "async_mode": "queue"})
    assert refused.status_code == 400


@pytest.mark.parametrize(
    "filters", ["{{'user_id': '{0}'}}", '{{"user_id": "{0}"}}', "{{'AND': [{{'user_id': '{0}'}}]}}"]
)
def test_filters_in_a_query_are_read_and_never_run(http: httpx.Client, filters: str) -> None:
    ana = f"ana-{uuid.uuid4().hex[:8]}"
    id_ = add(http, "I like tea", user_id=ana)
    for evil in (
        "__import__('os').remove('x')",
        "{'user_id': open('/etc/passwd')}",
        "{" * 5_000,
        "[1]",
        "",
        "nan",
    ):
        assert http.delete("/v1/memories/", params={"filters": evil}).status_code == 400
    assert http.get(f"/v1/memories/{id_}/").status_code == 200
    assert http.delete("/v1/memories/", params={"filters": filters.format(ana)}).status_code == 200
    assert http.get(f"/v1/memories/{id_}/").status_code == 404


def test_v1_and_v2_take_names_beside_filters_and_give_lists(http: httpx.Client) -> None:
    ana = f"ana-{uuid.uuid4().hex[:8]}"
    body = {"messages": [{"role": "user", "content": "I like tea"}], "user_id": ana, "run_id": "r"}
    old = http.post("/v1/memories/", json={**body, "output_format": "v1.0"}).json()
    assert texts(old) == ["I like tea"]
    newer = http.post("/v1/memories/", json={**body, "output_format": "v1.1", "async_mode": True}).json()
    assert newer["results"][0]["event"] == "NONE"
    mine = {"user_id": ana}
    assert texts(http.get("/v1/memories/", params={**mine, "org_id": "o", "project_id": "p"}).json()) == [
        "I like tea"
    ]
    paged = http.get("/v1/memories/", params={**mine, "page": 1, "page_size": 5}).json()
    assert (paged["count"], texts(paged)) == (1, ["I like tea"])
    assert texts(http.get("/v1/memories/", params={**mine, "run_id": "other"}).json()) == []
    assert http.get("/v1/memories/").status_code == 400
    for version in ("v1", "v2"):
        found = http.post(f"/{version}/memories/search/", json={"query": "tea?", **mine, "limit": 1}).json()
        assert texts(found) == ["I like tea"]
        both = {"query": "tea?", "filters": {"OR": [mine, {"run_id": "q"}]}, "output_format": "v1.1"}
        assert texts(http.post(f"/{version}/memories/search/", json=both).json()["results"]) == ["I like tea"]
    assert texts(http.post("/v2/memories/", json={"filters": {"AND": [mine]}}).json()) == ["I like tea"]
    assert texts(http.post("/v2/memories/?page=1&page_size=1", json=mine).json()) == ["I like tea"]
    assert http.get(f"/v1/entities/user/{ana}/").json()["total_memories"] == 1
    assert http.delete(f"/v1/entities/user/{ana}").json()["count"] == 1


ODDITIES = (
    "\x00",
    "a\x00b",
    "\x85x",
    "\ufeff",
    "\u200b",
    " y ",
    "- x",
    "\ufffd",
    "{}",
    "\u202ex",
)


def check_stored_or_refused(server: Serving, said: str, name: str, metadata: dict[str, str]) -> None:
    message = {"role": "user", "content": said}
    body = {"messages": [message], "user_id": name, "infer": False, "metadata": metadata}
    answer = httpx.post(f"{server.url}/v3/memories/add/", json=body, timeout=60)
    if said.strip() and name.strip() and name != "*" and len(name.encode()) <= 256:
        (result,) = answer.raise_for_status().json()["results"]
        got = httpx.get(f"{server.url}/v1/memories/{result['id']}/", timeout=60).json()
        assert (got["memory"], got["user_id"], got["metadata"]) == (said, name, metadata)
    else:
        assert answer.status_code == 400


@pytest.mark.slow
@settings(max_examples=30, phases=[Phase.generate])
@given(st.text(st.characters(codec="utf-8"), max_size=40), st.text(st.characters(codec="utf-8"), max_size=30))
def test_any_words_and_names_are_stored_or_refused(server: Serving, said: str, name: str) -> None:
    if "neuromem" not in said:  # our mark is taken out
        check_stored_or_refused(server, said, f"{name}{uuid.uuid4()}" if name.strip() else name, {said: name})


@pytest.mark.parametrize("odd", ODDITIES)
def test_odd_words_and_names_are_stored_as_they_are(server: Serving, odd: str) -> None:
    check_stored_or_refused(server, odd, odd, {odd: odd})
    check_stored_or_refused(server, f"{odd} or not {odd}", f"{odd}!", {odd: odd})


def test_the_servers_own_notes_cannot_be_written_from_outside(http: httpx.Client) -> None:
    spoof = {"neuromem": {"expires": "2000-01-01", "agent": ["cook"]}}
    body = {"messages": [{"role": "user", "content": "x y z"}], "user_id": "spoof", "metadata": spoof}
    assert http.post("/v3/memories/add/", json=body).status_code == 400
    id_ = add(http, "I like tea", user_id="spoof")
    assert http.put(f"/v1/memories/{id_}/", json={"metadata": spoof}).status_code == 400
