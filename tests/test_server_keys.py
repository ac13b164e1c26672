"""Who may do what: keys, whom they belong to, and that nobody reads another's memories by any request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import pytest
from fastapi.routing import APIRoute
from serving import Serving, serving

from neuromem.server.deps import admin_asks, who_asks
from neuromem.server.desk import Desk
from neuromem.server.errors import Refused
from neuromem.server.keys import Keys
from neuromem.server.principals import Principal

ADMIN = {"Authorization": "Token the-admin"}
SECRET = "Zanzibar-9921"
OPEN_ROUTES = {  # answered whoever asks; none of them says anything of a memory
    "/health", "/ready", "/metrics", "/openapi.json", "/docs", "/docs/oauth2-redirect",
}  # fmt: skip


@dataclass(frozen=True)
class House:
    """A server with an admin, Ana (who has a secret) and Ben."""

    serving: Serving
    client: httpx.Client
    keys: dict[str, str]
    secret_id: str


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """The server."""
    with (
        serving(config={"server": {"admin_key": "the-admin"}}, encoder="hash") as server,
        httpx.Client(base_url=server.url) as client,
    ):
        keys = {}
        for user in ("ana", "ben"):
            answer = client.post("/v1/users", json={"user_id": user}, headers=ADMIN)
            assert answer.status_code == 201
            keys[user] = answer.json()["api_key"]
        said = {"messages": f"My safe's code is {SECRET}", "session_id": "s1"}
        told = client.post("/v1/ingest", json=said, headers=token(keys["ana"]))
        yield House(server, client, keys, told.json()["memories"][0]["id"])


def token(key: str) -> dict[str, str]:
    return {"Authorization": f"Token {key}"}


def routes(house: House) -> list[APIRoute]:
    app = house.serving.server.config.app
    return [route for route in all_routes(app.routes) if isinstance(route, APIRoute)]  # type: ignore[union-attr]


def all_routes(found: object) -> Iterator[object]:
    """Routes, and those of routers that were taken in as a whole."""
    for route in found:  # type: ignore[attr-defined]
        router = getattr(route, "original_router", None)
        if router is not None:
            yield from all_routes(router.routes)
        else:
            yield route


def asks_who(dependant: object) -> bool:
    inner = dependant.dependencies  # type: ignore[attr-defined]
    return dependant.call in (who_asks, admin_asks) or any(asks_who(each) for each in inner)  # type: ignore[attr-defined]


def test_every_route_asks_who_it_is(house: House) -> None:
    found = routes(house)
    assert {"/health", "/v1/recall", "/v1/users"} <= {route.path for route in found}
    free = {route.path for route in found if not asks_who(route.dependant)}
    assert free <= OPEN_ROUTES, "these answer without a key: declare a parameter `who: Who`"


def test_without_a_key_every_route_is_401(house: House) -> None:
    for route in routes(house):
        if route.path in OPEN_ROUTES:
            continue
        for method in route.methods:
            answer = house.client.request(method, route.path.replace("{", "").replace("}", ""), json={})
            assert answer.status_code in (401, 422), (method, route.path, answer.status_code)
            assert answer.status_code == 422 or "WWW-Authenticate" in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Token {}"}, {"Authorization": "Bearer {}"}, {"authorization": "token  {}"},
        {"X-API-Key": "{}"}, {"X-API-Key": "{}", "Authorization": "Bearer {}"},
    ],
)  # fmt: skip
def test_a_key_is_taken_in_three_ways(house: House, headers: dict[str, str]) -> None:
    sent = {name: value.format(house.keys["ana"]) for name, value in headers.items()}
    assert house.client.get("/v1/conscious", headers=sent).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        [], [("Authorization", "")], [("Authorization", "Token")], [("Authorization", "Token nope")],
        [("Authorization", "{}")], [("Authorization", "Basic {}")], [("Authorization", "Token {}x")],
        [("Authorization", "Token {ben}"), ("Authorization", "Token {}")],
        [("Authorization", "Token {ben}"), ("X-API-Key", "{}")],
        [("X-API-Key", "nope")], [("X-Forwarded-User", "ana"), ("X-Forwarded-For", "127.0.0.1")],
        [("Cookie", "api_key={}")],
    ],
)  # fmt: skip
def test_anything_else_is_401(house: House, headers: list[tuple[str, str]]) -> None:
    keys = house.keys
    sent = [(name, value.replace("{ben}", keys["ben"]).replace("{}", keys["ana"])) for name, value in headers]
    answer = house.client.get("/v1/conscious", headers=sent)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_keys_are_listed_but_never_shown_again_and_can_be_revoked(house: House) -> None:
    client = house.client
    made = client.post("/v1/users", json={"user_id": "cem"}, headers=ADMIN).json()
    assert client.post("/v1/users", json={"user_id": "cem"}, headers=ADMIN).status_code == 409
    more = client.post("/v1/users", json={"user_id": "cem", "new_key": True}, headers=ADMIN).json()
    listed = client.get("/v1/keys", headers=token(more["api_key"])).json()["keys"]
    assert [key["id"] for key in listed] == [made["key_id"], more["key_id"]]
    assert made["api_key"] not in client.get("/v1/keys", headers=ADMIN).text
    desk = house.serving.service.desk
    assert not any(
        made["api_key"].encode() in bytes(str(row), "utf-8") for row in desk.rows("SELECT * FROM keys")
    )
    ben = token(house.keys["ben"])
    assert client.delete(f"/v1/keys/{made['key_id']}", headers=ben).status_code == 404
    assert client.delete(f"/v1/keys/{made['key_id']}", headers=token(more["api_key"])).status_code == 200
    assert client.get("/v1/keys", headers=token(made["api_key"])).status_code == 401
    assert client.get("/v1/keys", headers=token(more["api_key"])).status_code == 200


def test_the_last_admin_key_stays_while_others_reach_the_server() -> None:
    desk, admin = Desk(None), Principal("admin")
    keys = Keys(desk, reached=True)
    first, second = (keys.make(None, 0.0)["id"] for _ in range(2))
    keys.revoke(first, admin, 1.0)
    with pytest.raises(Refused, match="last admin key"):
        keys.revoke(second, admin, 2.0)
    assert not keys.open
    alone = Keys(desk)  # this machine alone reaches it: then it may be opened again
    alone.revoke(second, admin, 3.0)
    assert alone.open


def test_a_user_may_not_do_what_is_an_admins(house: House) -> None:
    ben, client = token(house.keys["ben"]), house.client
    assert client.post("/v1/users", json={"user_id": "eve"}, headers=ben).status_code == 403
    assert client.post("/v1/keys", json={"admin": True}, headers=ben).status_code == 403
    assert client.post("/v1/sleep", headers=ben).status_code == 403
    assert {key["user_id"] for key in client.get("/v1/keys?user_id=ana", headers=ben).json()["keys"]} == {
        "ben"
    }


NAMES = [
    "ana",
    "*",
    "%",
    "ANA",
    " ana",
    "ana\0",
    "user:ana",
    "../ana",
    "ana' OR '1'='1",
    ["ana"],
    {"eq": "ana"},
    0,
]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_another_users_words_never_come_out(house: House, name: object) -> None:
    """Whatever Ben asks, and in whatever field he puts Ana's name."""
    ben, client = token(house.keys["ben"]), house.client
    bodies = [
        {"user_id": name, "query": "what is the safe's code?"},
        {"user_id": name, "query": "what is the safe's code?", "deep": True, "fidelity": "exact"},
        {"query": "what is the safe's code?", "session_id": name},
        {"query": "what is the safe's code?", "filters": {"OR": [{"user_id": name}, {"user_id": "*"}]}},
        {"user_id": "ben", "query": "what is the safe's code?", "agent_id": name, "run_id": "s1"},
    ]
    for path in ("/v1/recall", "/v1/ingest", "/v1/sessions"):
        for body in bodies:
            body = body if path == "/v1/recall" else body | {"messages": "hello"}
            answer = client.post(path, json=body, headers=ben)
            assert answer.status_code < 500
            assert SECRET not in answer.text
    for query in ("user_id={}", "user_id=ben&user_id={}", "user_id[]={}", "user%5Fid={}"):
        answer = client.get("/v1/conscious?" + query.format(quote(str(name))), headers=ben)
        assert answer.status_code < 500
        assert SECRET not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/conscious/../conscious?user_id=ana", "/v1/%63onscious?user_id=ana", "//v1/conscious?user_id=ana",
        "/v1//conscious?user_id=ana", "/v1/events/%2e%2e/conscious?user_id=ana", "/V1/CONSCIOUS?user_id=ana",
        "/v1/conscious;user_id=ana", "/v1/conscious%00?user_id=ana", "/v1/conscious/?user_id=ana",
    ],
)  # fmt: skip
def test_no_trick_of_a_path_leads_to_another_user(house: House, path: str) -> None:
    tricks = {
        "X-Forwarded-User": "ana", "X-Forwarded-For": "127.0.0.1", "X-Original-URL": "/v1/conscious",
        "X-User-Id": "ana", "Mem0-User-ID": "ana", "X-HTTP-Method-Override": "DELETE",
    }  # fmt: skip
    answer = house.client.get(path, headers=token(house.keys["ben"]) | tricks)
    assert answer.status_code in (307, 403, 404, 405)
    assert SECRET not in answer.text


def test_nothing_tells_another_users_event_or_memory_from_none(house: House) -> None:
    said = {"messages": "I keep bees"}
    event = house.client.post("/v1/ingest", json=said, headers=token(house.keys["ana"])).json()["event_id"]
    for ours in (event, "00000000-0000-0000-0000-000000000000"):
        answer = house.client.get(f"/v1/events/{ours}", headers=token(house.keys["ben"]))
        assert answer.status_code == 404
    assert house.client.get(f"/v1/events/{event}", headers=token(house.keys["ana"])).status_code == 200


def test_the_same_idempotency_key_of_two_users_is_two_keys(house: House) -> None:
    answers = []
    for user in ("ana", "ben"):
        said = {"messages": "I own a kayak"}
        headers = token(house.keys[user]) | {"Idempotency-Key": "one"}
        answers.append(house.client.post("/v1/ingest", json=said, headers=headers).json())
    assert answers[0]["event_id"] != answers[1]["event_id"]
    assert answers[0]["memories"][0]["id"] != answers[1]["memories"][0]["id"]


def test_no_user_writes_the_servers_own_notes(house: House) -> None:
    said = {"messages": "I am Ana", "metadata": {"neuromem": {"user": ["ana"], "agent": ["x"]}}}
    answer = house.client.post("/v1/ingest", json=said, headers=token(house.keys["ben"]))
    assert (answer.status_code, answer.json()["field"]) == (400, "metadata.neuromem")


# -- a house without keys ----------------------------------------------------------------------------------


def test_without_any_key_this_machine_may_do_everything_but_no_web_page() -> None:
    with serving(encoder="hash") as server, httpx.Client(base_url=server.url) as client:
        assert client.get("/v1/keys", headers=token("whatever")).status_code == 200
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            assert client.get("/v1/keys", headers=headers).status_code == 403
            assert client.get("/health", headers=headers).status_code == 200
        assert client.get("/v1/keys", headers={"Origin": "http://localhost:3000"}).status_code == 200
        user = client.post("/v1/users", json={"user_id": "ana"}).json()["api_key"]
        assert client.post("/v1/sleep", headers=token(user)).status_code == 403
        assert client.get("/v1/keys", headers=token("whatever")).status_code == 401, "not a key of anybody"
        admin = client.post("/v1/keys", json={"admin": True}).json()["api_key"]
        assert client.get("/v1/keys").status_code == 401, "an admin's key closes the house"
        assert client.get("/v1/keys", headers=token(admin)).status_code == 200
