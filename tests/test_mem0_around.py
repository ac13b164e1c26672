"""The official client of mem0 against our server: what is around the memories."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import uuid
from collections.abc import Iterator

import pytest
from hook_receiver import receiver
from mem0_wire import MemoryClient, MemoryNotFoundError, ValidationError, served, texts
from serving import Serving


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[MemoryClient, Serving]]:
    with served() as made:
        yield made


@pytest.fixture
def client(both: tuple[MemoryClient, Serving]) -> MemoryClient:
    return both[0]


@pytest.fixture
def ana() -> str:
    """A user of this test alone."""
    return f"ana-{uuid.uuid4().hex[:8]}"


def add(client: MemoryClient, said: str, **names: str) -> str:
    return str(client.add(said, infer=False, **names)["results"][0]["id"])


# -- entities, batches, events, feedback -------------------------------------------------------


def test_users_are_counted_and_reset_forgets_them_all() -> None:
    with served() as (client, _):
        with pytest.raises(ValueError, match="No entities to delete"):
            client.delete_users()
        add(client, "I like tea", user_id="ana", agent_id="cook", run_id="r")
        add(client, "I like coffee", user_id="ana")
        add(client, "The oven is slow", agent_id="cook", app_id="kitchen")
        answer = client.users()
        counted = {(item["type"], item["name"]): item["total_memories"] for item in answer["results"]}
        assert counted == {("user", "ana"): 2, ("agent", "cook"): 2, ("run", "r"): 1, ("app", "kitchen"): 1}
        assert answer["count"] == 4
        assert answer["total_users"] == 1
        assert answer["next"] is None
        assert all(item["created_at"] and item["updated_at"] and item["id"] for item in answer["results"])
        one = client.client.get("/v1/entities/?page=2&page_size=3").json()
        assert (len(one["results"]), one["count"], one["next"]) == (1, 4, None)
        assert client.client.get("/v1/entities/user/ana/").json()["total_memories"] == 2
        assert client.client.delete("/v2/entities/user/*/").json()["count"] == 0, "a name, not everybody"
        assert client.client.delete("/v2/entities/planet/x/").status_code == 400
        assert "successful" in client.reset()["message"]
        assert client.users()["results"] == []


def test_batches_change_all_or_nothing(client: MemoryClient, ana: str) -> None:
    ids = [add(client, f"Box {n} is full", user_id=ana) for n in range(3)]
    message = client.batch_update([{"memory_id": ids[0], "text": "Box 0 is empty"},
                                   {"memory_id": ids[1], "metadata": {"a": 1}}])["message"]  # fmt: skip
    assert "2" in message
    assert client.get(ids[0])["memory"] == "Box 0 is empty"
    assert client.get(ids[1])["metadata"] == {"a": 1}
    with pytest.raises(MemoryNotFoundError):
        client.batch_update(
            [{"memory_id": ids[0], "text": "x"}, {"memory_id": str(uuid.uuid4()), "text": "x"}]
        )
    with pytest.raises(MemoryNotFoundError):
        client.batch_delete([{"memory_id": ids[0]}, {"memory_id": str(uuid.uuid4())}])
    with pytest.raises(ValidationError):
        client.batch_update([{"memory_id": ids[0]}])
    assert client.get(ids[0])["memory"] == "Box 0 is empty"
    assert "3" in client.batch_delete([{"memory_id": id_} for id_ in ids])["message"]
    assert client.get_all(filters={"user_id": ana})["count"] == 0


def test_an_event_can_be_looked_up_and_holds_no_words_of_its_own(
    both: tuple[MemoryClient, Serving], ana: str
) -> None:
    client, server = both
    answer = client.add("I like tea", user_id=ana)
    event = client.client.get(f"/v1/event/{answer['event_id']}/").json()
    assert (event["status"], event["event_type"]) == ("SUCCEEDED", "ADD")
    assert event["results"] == answer["results"]
    assert event["completed_at"]
    assert event["latency"] >= 0
    listed = client.client.get("/v1/events/?page_size=1&event_type=add").json()
    assert listed["results"] == [event]
    assert listed["count"] >= 1
    assert client.client.get(f"/v1/event/{uuid.uuid4()}/").status_code == 404
    client.delete(answer["results"][0]["id"])
    event = client.client.get(f"/v1/event/{answer['event_id']}/").json()
    assert event["results"][0]["memory"] is None
    for (table,) in server.service.desk.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
        assert "tea" not in str(server.service.desk.rows(f"SELECT * FROM {table}"))


def test_feedback_is_kept_with_the_memory_and_goes_with_it(
    both: tuple[MemoryClient, Serving], ana: str
) -> None:
    client, server = both
    id_ = add(client, "I like tea", user_id=ana)
    answer = client.feedback(id_, feedback="negative", feedback_reason="it was coffee")
    assert answer == {"id": id_, "feedback": "NEGATIVE", "feedback_reason": "it was coffee"}
    assert server.service.desk.get("feedback", id_)
    assert client.feedback(id_)["feedback"] is None
    client.feedback(id_, feedback="POSITIVE")
    assert (
        client.client.post("/v1/feedback/", json={"memory_id": id_, "feedback": "SO_SO"}).status_code == 422
    )
    client.delete_all(user_id=ana)
    assert server.service.desk.get("feedback", id_) is None


# -- exports, summaries, profiles --------------------------------------------------------------


def test_exports_give_everything_and_fill_a_schema(client: MemoryClient, ana: str) -> None:
    for said in ("My name is Ana Silva", "My dog is called Potola", "I earn 3000 euros a month"):
        add(client, said, user_id=ana)
    schema = json.dumps({"type": "object", "properties": {
        "dog": {"type": "string", "description": "what is the dog called?"},
        "salary": {"type": "integer", "description": "how much do I earn a month?"},
        "work": {"type": "object", "properties": {"car": {"type": "string", "description": "which car?"}}},
    }})  # fmt: skip
    asked = {"filters": {"AND": [{"user_id": ana}]}}
    with pytest.raises(MemoryNotFoundError):
        client.get_memory_export(**asked)
    export = client.create_memory_export(schema, **asked)
    assert export["id"]
    assert export["message"]
    for how in ({"memory_export_id": export["id"]}, asked):
        answer = client.get_memory_export(**how)
        assert (answer["dog"], answer["salary"]) == ("My dog is called Potola", 3000)
        assert len(answer["memories"]) == 3
    with pytest.raises(MemoryNotFoundError):
        client.get_memory_export(memory_export_id=str(uuid.uuid4()))
    with pytest.raises(ValidationError):
        client.create_memory_export(schema, filters={"colour": "red"})
    assert client.client.post("/v1/exports/", json={"schema": {}, "user_id": ana}).status_code == 201
    old = client.client.get("/v1/exports/", params={"user_id": ana})
    assert len(old.json()["memories"]) == 3


def test_a_summary_is_in_the_words_of_the_memories(client: MemoryClient, ana: str) -> None:
    add(client, "My name is Ana", user_id=ana)
    add(client, "I like tea.", user_id=ana)
    assert client.get_summary({"user_id": ana})["summary"] == "My name is Ana. I like tea."
    with pytest.raises(ValidationError):
        client.get_summary()


def test_profiles_follow_the_settings(client: MemoryClient, ana: str) -> None:
    add(client, "My dog is called Potola", user_id=ana)
    with pytest.raises(MemoryNotFoundError):
        client.get_profile("nobody at all")
    with pytest.raises(ValidationError):
        client.update_profile_settings(schema={"properties": {"dog": {"type": "string"}}})
    assert client.client.post("/v2/profiles/settings/", json={"colour": 1}).status_code == 400
    schema = {
        "type": "object",
        "properties": {"Dog-Name": {"type": "string", "description": "name of the dog"}},
    }
    settings = client.update_profile_settings(enabled=True, schema=schema, custom_instructions="be kind")
    assert settings == client.get_profile_settings()
    assert settings["enabled"]
    assert settings["entities"]["user"] == {
        "schema": schema,
        "custom_instructions": "be kind",
    }
    started = client.generate_profile(ana, idempotency_key="once")
    assert started["status"] == "succeeded"
    assert not started["replayed"]
    again = client.generate_profile(ana, idempotency_key="once")
    assert again["job_id"] == started["job_id"]
    assert again["replayed"]
    for id_ in (started["job_id"], started["status_url"]):
        job = client.get_profile_job(id_)["job"]
        assert (job["status"], job["total"], job["succeeded"], job["failed"]) == ("succeeded", 1, 1, 0)
    profile = client.get_profile(ana)
    assert profile["profile"] == {"Dog-Name": "My dog is called Potola"}
    assert (profile["status"], profile["entity_id"], profile["generation_count"]) == ("succeeded", ana, 1)
    sampled = client.sample_profiles(limit=2)
    assert 1 <= sampled["sampled"] == len(sampled["entity_ids"]) <= 2
    with pytest.raises(ValidationError):
        client.sample_profiles(limit=11)
    client.update_profile_settings(schema=None)
    assert "My dog is called Potola" in str(client.get_profile(ana)["profile"])
    client.update_profile_settings(enabled=False)
    assert client.get_profile(ana)["status"] == "not_enabled"
    with pytest.raises(ValidationError):
        client.generate_profile(ana)


# -- the project -------------------------------------------------------------------------------


def test_the_project_keeps_what_is_set(client: MemoryClient) -> None:
    project = client.project.get()
    assert project["custom_instructions"] is None
    assert project["decay"] is False
    categories = [{"pets": "animals at home"}]
    answer = client.project.update(
        custom_instructions="be brief", custom_categories=categories, multilingual=True, decay=True
    )
    assert "message" in answer
    assert client.project.get(fields=["custom_instructions", "custom_categories"]) == {
        "custom_instructions": "be brief", "custom_categories": categories,
    }  # fmt: skip
    project = client.get_project(fields=["decay", "multilingual"])
    assert project == {"decay": True, "multilingual": True}
    client.update_project(custom_instructions="be kind", memory_depth="deep")
    assert client.project.get()["custom_instructions"] == "be kind"
    with pytest.raises(ValidationError):
        client.project.update(custom_categories=["", {"a": 1}])
    created = client.project.create("another", description="of ours")
    path = f"/api/v1/orgs/organizations/{client.org_id}/projects/{created['project_id']}/"
    assert client.client.get(path).json()["name"] == "another"
    assert client.client.delete(path).status_code == 200
    assert client.client.get(path).status_code == 404
    assert "message" in client.project.delete()
    assert client.project.get()["custom_instructions"] is None


def test_no_memory_goes_with_a_project(client: MemoryClient, ana: str) -> None:
    id_ = add(client, "I like tea", user_id=ana)
    client.project.delete()
    assert client.get(id_)["memory"] == "I like tea"


def test_members_come_change_and_go(client: MemoryClient) -> None:
    assert client.project.get_members() == {"members": []}
    client.project.add_member("b@example.com")
    client.project.update_member("b@example.com", "OWNER")
    (member,) = client.project.get_members()["members"]
    assert (member["email"], member["role"]) == ("b@example.com", "OWNER")
    client.project.remove_member("b@example.com")
    with pytest.raises(MemoryNotFoundError):
        client.project.remove_member("b@example.com")
    with pytest.raises(MemoryNotFoundError):
        client.project.update_member("c@example.com", "OWNER")


def test_decay_of_the_project_weighs_scores(client: MemoryClient, ana: str) -> None:
    add(client, "My dog is called Potola", user_id=ana)
    question = {"query": "what is my dog called?", "filters": {"user_id": ana}}
    before = client.search(**question)["results"][0]["score"]
    client.project.update(decay=True)
    weighed = client.search(**question)["results"][0]["score"]
    client.project.update(decay=False)
    assert weighed != before
    assert 0 <= weighed <= 1


# -- webhooks ----------------------------------------------------------------------------------


def test_webhooks_tell_of_changes_and_are_signed(client: MemoryClient, ana: str) -> None:
    project = client.project_id
    with receiver() as (url, came):
        types = ["memory_add", "memory_update", "memory_delete", "memory_categorize"]
        hook = client.create_webhook(url=url, name="hook", project_id=project, event_types=types)
        secret = bytes.fromhex(hook.pop("secret"))
        assert client.get_webhooks(project) == [hook]
        assert (hook["url"], hook["event_types"], hook["is_active"]) == (url, types, True)
        id_ = add(client, "I like tea", user_id=ana)
        client.update(id_, text="I like coffee")
        client.delete(id_)
        seen = []
        for _ in range(4):
            body, headers, _ = came.get(timeout=20)
            stamp = headers["X-Neuromem-Timestamp"].encode()
            signed = hmac.new(secret, stamp + b"." + body, hashlib.sha256).hexdigest()
            assert headers["X-Neuromem-Signature"] == f"sha256={signed}"
            seen.append(json.loads(body)["event_details"])
        assert [details["event"] for details in seen] == ["ADD", "CATEGORIZE", "UPDATE", "DELETE"]
        assert seen[0] == {"id": id_, "data": {"memory": "I like tea"}, "event": "ADD"}
        assert seen[1]["memory_id"] == id_
        assert seen[1]["categories"]
        assert seen[2]["data"]["memory"] == "I like coffee"
        assert seen[3] == {"id": id_, "data": {"memory": ""}, "event": "DELETE"}
        answer = client.update_webhook(hook["webhook_id"], name="other", event_types=["memory_delete"])
        assert answer["message"]
        assert client.get_webhooks(project)[0]["name"] == "other"
        client.delete(add(client, "I like cocoa", user_id=ana))
        assert json.loads(came.get(timeout=20)[0])["event_details"]["event"] == "DELETE"
        assert "message" in client.delete_webhook(hook["webhook_id"])
        assert client.get_webhooks(project) == []
        with pytest.raises(MemoryNotFoundError):
            client.delete_webhook(hook["webhook_id"])
        assert came.empty()
    for wrong in ({"url": "ftp://x"}, {"url": "nonsense"}, {"event_types": ["x"]}, {"event_types": []}):
        good = {"url": url, "name": "n", "project_id": project, "event_types": ["memory_add"]}
        with pytest.raises(ValidationError):
            client.create_webhook(**{**good, **wrong})


def test_a_slow_or_dead_receiver_keeps_nobody_waiting(client: MemoryClient, ana: str) -> None:
    with receiver(slow=threading.Event()) as (slow, stuck), receiver() as (url, came):
        hooks = [
            client.create_webhook(
                url=to, name="hook", project_id=client.project_id, event_types=["memory_add"]
            )
            for to in (slow, "http://127.0.0.1:9/", url)
        ]
        for n in range(3):
            add(client, f"Box {n} is full", user_id=ana)
        got = [json.loads(came.get(timeout=20)[0])["event_details"]["data"]["memory"] for _ in range(3)]
        assert got == ["Box 0 is full", "Box 1 is full", "Box 2 is full"], "in order, beside the slow one"
        assert stuck.qsize() == 1
        for hook in hooks:
            client.delete_webhook(hook["webhook_id"])


def test_a_delivery_is_tried_again(both: tuple[MemoryClient, Serving]) -> None:
    from neuromem.server.service import Change
    from neuromem.server.webhooks import Webhooks

    webhooks = Webhooks(both[1].service.desk, lambda: 0.0, lambda _id: (), pauses_s=(0.01, 0.01))
    with receiver(status=500) as (url, came):
        hook = webhooks.create("default", url, "hook", ["memory_add"])
        webhooks.notice([Change("ADD", "1", "user:ana", "I like tea")])
        assert len({came.get(timeout=10)[0] for _ in range(3)}) == 1
        webhooks.remove(hook["webhook_id"])
    webhooks.close()


def test_keywords_of_other_versions_are_left_alone(client: MemoryClient, ana: str) -> None:
    """Whatever else is told to an add, the words come back."""
    answer = client.add(
        "I like tea", user_id=ana, includes="drinks", excludes="food", output_format="v1.1", version="v2",
        async_mode=True, org_id="o", project_id="p", enable_graph=True, custom_instructions="x",
        structured_data_schema={"a": "b"}, agent_custom_instructions="y", filter_memories=True, source="TEST",
    )  # fmt: skip
    assert answer["status"] == "SUCCEEDED"
    assert texts(answer) == ["I like tea"]
