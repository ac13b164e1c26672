"""The official client of mem0 with keys: what is another's stays another's, by every method."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from mem0_wire import AuthenticationError, MemoryClient, MemoryNotFoundError, texts
from serving import serving

SECRET = "My safe has the code 9921"


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, MemoryClient]]:
    with serving(config={"server": {"admin_key": "the-admin"}}) as server, ExitStack() as opened:

        def client(key: str) -> MemoryClient:
            http = opened.enter_context(httpx.Client(timeout=60))
            return MemoryClient(api_key=key, host=server.url, client=http)

        admin = {"Authorization": "Token the-admin"}
        made = {"admin": client("the-admin")}
        for user in ("ana", "ben"):
            answer = httpx.post(f"{server.url}/v1/users", json={"user_id": user}, headers=admin)
            made[user] = client(answer.json()["api_key"])
        with pytest.raises(ValueError, match="Error: "):
            client("wrong")
        yield made


def test_nothing_of_ana_reaches_ben(clients: dict[str, MemoryClient]) -> None:
    ana, ben, admin = (clients[name] for name in ("ana", "ben", "admin"))
    added = ana.add(SECRET, user_id="ana", agent_id="butler", run_id="r1")
    id_ = added["results"][0]["id"]
    ana.feedback(id_, "POSITIVE")
    export = ana.create_memory_export("{}", filters={"user_id": "ana"})
    ben.add("I like tea", agent_id="butler")  # his own name is put in
    everybody = {"OR": [{"user_id": "*"}, {"agent_id": "*"}, {"run_id": "*"}]}
    for filters in ({"user_id": "ana"}, {"agent_id": "butler"}, everybody, {}):
        assert SECRET not in texts(ben.get_all(filters=filters))
        assert SECRET not in texts(ben.search("what is the code?", filters=filters, threshold=0.0))
    assert texts(ben.get_all(filters={"agent_id": "butler"})) == ["I like tea"]
    for call in (
        lambda: ben.get(id_),
        lambda: ben.update(id_, text="x"),
        lambda: ben.delete(id_),
        lambda: ben.history(id_),
        lambda: ben.feedback(id_, "NEGATIVE"),
        lambda: ben.batch_update([{"memory_id": id_, "text": "x"}]),
        lambda: ben.batch_delete([{"memory_id": id_}]),
        lambda: ben.get_memory_export(memory_export_id=export["id"]),
        lambda: ben.get_profile("ana"),
        lambda: ben.generate_profile("ana"),
    ):
        with pytest.raises(MemoryNotFoundError):
            call()
    for call in (
        lambda: ben.add("x y z", user_id="ana"),
        lambda: ben.project.update(custom_instructions="x"),
        lambda: ben.project.delete(),
        lambda: ben.project.get_members(),
        lambda: ben.create_webhook("http://127.0.0.1:9/", "x", "default", ["memory_add"]),
        lambda: ben.get_webhooks("default"),
        lambda: ben.update_profile_settings(enabled=False),
    ):
        with pytest.raises(AuthenticationError):
            call()
    assert {(item["type"], item["name"]) for item in ben.users()["results"]} == {
        ("user", "ben"),
        ("agent", "butler"),
    }
    assert ben.client.get(f"/v1/event/{added['event_id']}/").status_code == 404
    assert SECRET not in ben.client.get("/v1/events/").text
    assert SECRET not in str(ben.get_summary({"user_id": "ana"}))
    whole = ben.create_memory_export("{}", filters=everybody)
    assert texts(ben.get_memory_export(memory_export_id=whole["id"])["memories"]) == ["I like tea"]
    assert ben.sample_profiles()["entity_ids"] == ["ben"]
    ben.delete_users(agent_id="butler")
    ben.delete_all(user_id="*")
    ben.delete_all(user_id="ana")
    assert texts(admin.get_all(filters={"user_id": "*"})) == [SECRET]
    assert ben.add("I like tea")["results"]
    ben.reset()
    assert texts(admin.get_all(filters={"user_id": "*"})) == [SECRET]
