"""The official client of mem0, unmodified, against our server: memories."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from mem0_wire import MemoryClient, MemoryNotFoundError, NetworkError, ValidationError, served, texts

ODD = [
    "a b",
    "a/b",
    "//",
    "a%2Fb",
    "100%",
    "ana@example.com",
    "日本",
    "🦊🦊",
    "#?&=",
    "...",
    "é",
    "-1",
    "x" * 200,
]


@pytest.fixture(scope="module")
def client() -> Iterator[MemoryClient]:
    with served() as (made, _):
        yield made


@pytest.fixture
def ana() -> str:
    """A user of this test alone."""
    return f"ana-{uuid.uuid4().hex[:8]}"


def add(client: MemoryClient, said: str, **more: object) -> str:
    """Tells one thing, as it is; its id."""
    (result,) = client.add(said, **{"infer": False, **more})["results"]
    return str(result["id"])


def test_the_constructor_learns_who_it_is(client: MemoryClient) -> None:
    assert client.org_id
    assert client.project_id
    assert client.project.project_id == client.project_id


@pytest.mark.parametrize("shape", ["text", "message", "messages"])
def test_add_takes_text_a_message_or_messages(client: MemoryClient, ana: str, shape: str) -> None:
    message = {"role": "user", "content": "I am allergic to peanuts"}
    given = {"text": message["content"], "message": message, "messages": [message]}[shape]
    answer = client.add(given, user_id=ana)
    assert answer["status"] == "SUCCEEDED"
    assert uuid.UUID(answer["event_id"])
    (result,) = answer["results"]
    assert result["memory"] == result["data"]["memory"] == "I am allergic to peanuts"
    assert result["event"] == "ADD"


def test_facts_are_found_in_talk_and_told_again_they_are_known(client: MemoryClient, ana: str) -> None:
    talk = [
        {"role": "system", "content": "You are a butler. The master is called Quentin."},
        {"role": "user", "content": "Hi! I live in Lisbon. What's the weather like?"},
        {"role": "assistant", "content": "Sunny!"},
    ]
    first = client.add(talk, user_id=ana)
    assert texts(first) == ["I live in Lisbon."]
    again = client.add("I live in Lisbon.", user_id=ana)
    assert [(r["id"], r["event"]) for r in again["results"]] == [(first["results"][0]["id"], "NONE")]
    assert client.get_all(filters={"user_id": ana})["count"] == 1


def test_infer_false_keeps_every_message_but_the_systems(client: MemoryClient, ana: str) -> None:
    talk = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "  Hello there!  "},
        {"role": "assistant", "content": "What can I do for you?"},
    ]
    answer = client.add(talk, user_id=ana, infer=False)
    assert texts(answer) == ["  Hello there!  ", "What can I do for you?"]
    assert [result["event"] for result in answer["results"]] == ["ADD", "ADD"]


def test_a_record_has_all_its_fields(client: MemoryClient, ana: str) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    id_ = add(
        client, "I like tea", user_id=ana, agent_id="cook", app_id="kitchen", run_id="r1",
        metadata={"topic": "drinks", "deep": {"n": [1, None]}}, expiration_date="2199-01-31", immutable=True,
    )  # fmt: skip
    record = client.get(id_)
    assert record["id"] == id_
    assert record["memory"] == "I like tea"
    assert [record[f"{kind}_id"] for kind in ("user", "agent", "app", "run")] == [
        ana,
        "cook",
        "kitchen",
        "r1",
    ]
    assert record["metadata"] == {"topic": "drinks", "deep": {"n": [1, None]}}
    assert record["expiration_date"] == "2199-01-31"
    assert record["immutable"] is True
    assert set(record["categories"]) & {"food", "user_preferences"}
    for key in ("created_at", "updated_at"):
        assert began < datetime.fromisoformat(record[key]) < datetime.now(UTC) + timedelta(seconds=1)
    (listed,) = client.get_all(filters={"user_id": ana})["results"]
    (found,) = client.search("what do I like to drink?", filters={"user_id": ana})["results"]
    assert 0.0 <= found.pop("score") <= 1.0
    assert record == listed == found


def test_search_finds_what_answers_best_first(client: MemoryClient, ana: str) -> None:
    for said in ("My dog is called Potola", "I work as a nurse", "I play the cello"):
        add(client, said, user_id=ana)
    mine = {"user_id": ana}
    answer = client.search("  what is my dog's name?  ", filters=mine)
    assert texts(answer)[0] == "My dog is called Potola"
    scores = [result["score"] for result in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) >= 0.1
    assert len(client.search("what do I do?", filters=mine, top_k=1, threshold=0.0)["results"]) == 1
    assert len(client.search("what do I do?", filters=mine, threshold=0.0)["results"]) == 3
    assert client.search("what is my dog's name?", filters=mine, threshold=1.0)["results"] == []
    (first, *_) = client.search("dog?", filters=mine, fields=["memory"])["results"]
    assert set(first) == {"id", "memory"}
    assert client.search("dog?", filters=mine, rerank=True, keyword_search=True, whatever=[1])["results"]


def test_update_changes_what_is_given_and_keeps_the_rest(client: MemoryClient, ana: str) -> None:
    id_ = add(
        client, "I live in Lisbon", user_id=ana, run_id="r", metadata={"a": 1}, expiration_date="2199-01-01"
    )
    changed = client.update(id_, text="I live in Porto")
    assert (changed["memory"], changed["metadata"], changed["run_id"]) == ("I live in Porto", {"a": 1}, "r")
    changed = client.update(id_, metadata={"b": 2}, timestamp=1_700_000_000)
    assert (changed["memory"], changed["metadata"]) == ("I live in Porto", {"b": 2})
    assert changed["created_at"].startswith("2023-11-14T22:13:20")
    assert client.update(id_, expiration_date="2198-05-06T10:00:00Z")["expiration_date"] == "2198-05-06"
    assert client.update(id_, expiration_date=None)["expiration_date"] is None
    assert texts(client.search("where do I live?", filters={"user_id": ana})) == ["I live in Porto"]


def test_history_tells_what_was_and_what_is(client: MemoryClient, ana: str) -> None:
    id_ = add(client, "I live in Lisbon", user_id=ana)
    client.update(id_, text="I live in Porto")
    rows = client.history(id_)
    assert [row["event"] for row in rows] == ["ADD", "UPDATE"]
    assert [(row["old_memory"], row["new_memory"]) for row in rows] == [
        (None, "I live in Lisbon"), ("I live in Lisbon", "I live in Porto"),
    ]  # fmt: skip
    assert all(row["memory_id"] == id_ and row["user_id"] == ana for row in rows)
    assert rows[0]["input"] == [{"role": "user", "content": "I live in Lisbon"}]
    client.delete(id_)
    rows = client.history(id_)
    assert rows[-1]["event"] == "DELETE"
    assert "Porto" not in str(rows), "deleted is deleted"


def test_delete_and_delete_all(client: MemoryClient, ana: str) -> None:
    ids = [add(client, said, user_id=ana, run_id=run) for said, run in (("I like tea", "a"), ("I ski", "b"))]
    assert "message" in client.delete(ids[0])
    with pytest.raises(MemoryNotFoundError):
        client.get(ids[0])
    other = add(client, "I like tea", user_id=f"{ana}-2")
    assert client.delete_all(user_id=ana, run_id="a")["message"]
    assert texts(client.get_all(filters={"user_id": ana})) == ["I ski"]
    client.delete_all(filters={"user_id": ana})  # arrives as the repr of a dict
    assert client.get_all(filters={"user_id": ana})["count"] == 0
    assert client.get(other)["memory"] == "I like tea"


def test_delete_all_without_a_name_deletes_nothing(client: MemoryClient, ana: str) -> None:
    id_ = add(client, "I like tea", user_id=ana)
    for given in ({}, {"metadata": {"a": 1}}, {"filters": {"categories": ["food"]}}, {"filters": "rm -rf"}):
        with pytest.raises(ValidationError):
            client.delete_all(**given)
    with pytest.raises(ValidationError):
        client.delete_all(user_id=ana, colour="red")  # it would have deleted more than was meant
    with pytest.raises(ValidationError):
        client.delete_all(user_id=ana, run_id="")
    client.delete_all(user_id=ana, metadata={"a": 1})
    assert client.get(id_)["memory"] == "I like tea"


def test_what_is_superseded_is_shown_in_lists_and_goes_with_what_replaced_it(
    client: MemoryClient, ana: str
) -> None:
    client.add("I live in Lisbon", user_id=ana)
    (new,) = client.add("I moved to Porto", user_id=ana)["results"]
    assert new["event"] == "ADD", "mem0 only adds"
    mine = {"user_id": ana}
    old = next(item for item in client.get_all(filters=mine)["results"] if item["id"] != new["id"])
    assert old["replaced_by"] == new["id"]
    assert old["lifecycle_state"] == "superseded"
    assert texts(client.get_all(filters=mine, latest_only=True)) == ["I moved to Porto"]
    assert texts(client.search("where do I live?", filters=mine)) == ["I moved to Porto"]
    assert len(client.search("where do I live?", filters=mine, latest_only=False)["results"]) == 2
    assert client.delete(new["id"], delete_linked=True)["cascade_count"] == 1
    assert client.get_all(filters=mine)["count"] == 0


def test_what_has_expired_is_hidden_from_lists_and_searches_alone(client: MemoryClient, ana: str) -> None:
    day = datetime.now(UTC).date()
    gone = add(client, "The code is 4471", user_id=ana, expiration_date=str(day - timedelta(days=1)))
    today = add(client, "The code is 9000 today", user_id=ana, expiration_date=str(day))
    mine = {"user_id": ana}
    assert [item["id"] for item in client.get_all(filters=mine)["results"]] == [today], (
        "the day itself counts"
    )
    assert {item["id"] for item in client.get_all(filters=mine, show_expired=True)["results"]} == {
        gone,
        today,
    }
    assert [item["id"] for item in client.search("the code?", filters=mine)["results"]] == [today]
    assert len(client.search("the code?", filters=mine, show_expired=True)["results"]) == 2
    assert client.get(gone)["memory"] == "The code is 4471"
    week_ago = str(day - timedelta(days=7))
    assert len(client.search("the code?", filters=mine, reference_date=week_ago)["results"]) == 2
    client.update(gone, expiration_date=None)
    assert client.get_all(filters=mine)["count"] == 2


def test_a_timestamp_is_when_it_was_said(client: MemoryClient, ana: str) -> None:
    id_ = add(client, "I like tea", user_id=ana, timestamp=1_600_000_000)
    assert client.get(id_)["created_at"].startswith("2020-09-13T12:26:40")
    mine = {"user_id": ana}
    for key in ("created_at", "timestamp"):
        assert client.get_all(filters={**mine, key: {"lt": "2021-01-01"}})["count"] == 1
        assert client.get_all(filters={**mine, key: {"gte": "2021-01-01"}})["count"] == 0
    assert client.get_all(filters=mine, start_date="2020-09-13", end_date="2020-09-13")["count"] == 1
    assert client.get_all(filters=mine, start_date="2020-09-14")["count"] == 0


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_only_names(client: MemoryClient, name: str) -> None:
    for kind in ("user_id", "agent_id", "app_id", "run_id"):
        id_ = add(client, f"A thing of the {kind} that is oddly called", **{kind: name})
        assert client.get(id_)[kind] == name
        assert client.get_all(filters={kind: name})["count"] == 1
        assert name in [e["name"] for e in client.users()["results"] if f"{e['type']}_id" == kind]
        assert "message" in client.delete_users(**{kind: name})
        assert client.get_all(filters={kind: name})["count"] == 0
        assert "message" in client.delete_users(**{kind: name}), "gone already is as good"


@pytest.mark.parametrize(
    "said", ["Ich heiße Jürgen Müller", "我住在北京", "🦊 is my spirit animal ❤️", 'a "b" \\ c\n\td']
)
def test_any_words_come_back_as_they_were(client: MemoryClient, ana: str, said: str) -> None:
    id_ = add(client, said, user_id=ana, metadata={"ключ": "значение 🦊"})
    assert client.get(id_)["memory"] == said
    assert client.get_all(filters={"user_id": ana, "metadata": {"ключ": "значение 🦊"}})["count"] == 1


def test_of_several_changes_all_are_made_or_none(client: MemoryClient, ana: str) -> None:
    one, other = add(client, "I own a red bike", user_id=ana), add(client, "I play the cello", user_id=ana)
    for wrong in (
        {"text": " "},
        {"text": "x", "metadata": {"neuromem": {}}},
        {"text": "x", "timestamp": -1e99},
    ):
        with pytest.raises(ValidationError, match=r"memories\[1\]"):
            client.batch_update(
                [{"memory_id": one, "text": "I own a pink bike"}, {"memory_id": other, **wrong}]
            )
        assert client.get(one)["memory"] == "I own a red bike"


def test_mem0s_exceptions_come_for_the_right_reasons(client: MemoryClient, ana: str) -> None:
    unknown = str(uuid.uuid4())
    for id_ in (unknown, "no-uuid", "a/b c%", "🦊"):
        for call in (
            lambda id_=id_: client.get(id_),
            lambda id_=id_: client.update(id_, text="x"),
            lambda id_=id_: client.delete(id_),
            lambda id_=id_: client.history(id_),
            lambda id_=id_: client.feedback(id_, "POSITIVE"),
            lambda id_=id_: client.batch_delete([{"memory_id": id_}]),
            lambda id_=id_: client.batch_update([{"memory_id": id_, "text": "x"}]),
        ):
            with pytest.raises(MemoryNotFoundError):
                call()
    for call in (
        lambda: client.add("I like tea"),
        lambda: client.add("", user_id=ana),
        lambda: client.add([], user_id=ana),
        lambda: client.add([{"role": "user"}], user_id=ana),
        lambda: client.add("x", user_id=ana, metadata="no"),
        lambda: client.add("x", user_id=ana, expiration_date="soon"),
        lambda: client.add("x", user_id=ana, timestamp="soon"),
        lambda: client.add("x", user_id=ana, custom_categories="pets"),
        lambda: client.add("x", user_id="*"),
        lambda: client.get_all(filters={}),
        lambda: client.get_all(filters={"colour": "red"}),
        lambda: client.get_all(filters={"user_id": ana}, page=0),
        lambda: client.search("tea?", filters={"metadata": {"a": 1}}),
        lambda: client.search("tea?", filters={"user_id": ana}, top_k=1_001),
        lambda: client.search("tea?", filters={"user_id": ana}, threshold=2),
        lambda: client.search("tea?", filters={"user_id": ana}, reference_date="soon"),
        lambda: client.batch_delete([]),
    ):
        with pytest.raises(ValidationError) as caught:
            call()
        assert str(caught.value)
        assert caught.value.details
    with pytest.raises(ValueError, match="Top-level entity parameters"):
        client.search("tea?", user_id=ana)
    away = MemoryClient.__new__(MemoryClient)
    away.__dict__ |= client.__dict__ | {"client": type(client.client)(base_url="http://127.0.0.1:9")}
    with pytest.raises(NetworkError):
        away.get(unknown)


def test_an_add_is_durable_and_found_at_once(client: MemoryClient, ana: str) -> None:
    began = time.perf_counter()
    for n in range(5):
        add(client, f"The door number {n} has the code {n * 1111}", user_id=ana)
        assert client.get_all(filters={"user_id": ana})["count"] == n + 1
    assert time.perf_counter() - began < 60
