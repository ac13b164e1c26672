"""The official client of mem0 against our server: filters, pages, categories."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from mem0_wire import MemoryClient, ValidationError, served, texts

PLANTED = (
    # words, names, metadata, categories of the call
    ("I am allergic to peanuts", {"user_id": "ana", "agent_id": "cook"}, {"topic": "health", "n": 1}),
    ("The oven is slow", {"agent_id": "cook"}, {"topic": "kitchen"}),
    ("I like Tea", {"user_id": "ben", "run_id": "r1"}, {"topic": "drinks", "n": 2, "tags": ["a", "b"]}),
    ("I like coffee", {"user_id": "ana", "app_id": "cafe", "run_id": "r1"}, {"topic": "drinks", "n": None}),
)


@pytest.fixture(scope="module")
def client() -> Iterator[MemoryClient]:
    with served() as (made, _):
        for day, (said, names, metadata) in enumerate(PLANTED):
            time = 1_767_225_600 + day * 86_400 + 3_600  # one in the night of each day from 2026-01-01
            made.add(said, infer=False, metadata=metadata, timestamp=time, **names)
        yield made


EVERY = {said.split()[-1].lower() for said, _, _ in PLANTED}


@pytest.mark.parametrize(
    ("filters", "last_words"),
    [
        ({"user_id": "ana"}, {"peanuts", "coffee"}),
        ({"userId": "ana"}, {"peanuts", "coffee"}),
        ({"user_id": {"eq": "ana"}}, {"peanuts", "coffee"}),
        ({"user_id": {"in": ["ana", "ben", "nobody"]}}, {"peanuts", "tea", "coffee"}),
        ({"user_id": "*"}, {"peanuts", "tea", "coffee"}),
        ({"user_id": "*", "NOT": {"user_id": "ana"}}, {"tea"}),
        ({"AND": [{"user_id": "*"}, {"user_id": {"ne": "ana"}}]}, {"tea"}),
        ({"AND": [{"user_id": "ana"}, {"agent_id": "cook"}]}, {"peanuts"}),
        ({"user_id": "ana", "agent_id": "cook"}, {"peanuts"}),
        ({"OR": [{"user_id": "ana"}, {"agent_id": "cook"}]}, {"peanuts", "slow", "coffee"}),
        ({"OR": [{"user_id": "ben"}, {"AND": [{"run_id": "r1"}, {"NOT": [{"app_id": "cafe"}]}]}]}, {"tea"}),
        ({"AND": [{"agent_id": "*"}], "OR": [{"user_id": "ana"}, {"user_id": "ben"}]}, {"peanuts"}),
        ({"run_id": "r1", "NOT": {"OR": [{"user_id": "ben"}, {"user_id": "cyd"}]}}, {"coffee"}),
        ({"run_id": "*", "metadata": {"topic": "drinks"}}, {"tea", "coffee"}),
        ({"run_id": "*", "metadata": {"topic": "drinks", "n": 2}}, {"tea"}),
        ({"run_id": "*", "metadata": {"n": None}}, {"coffee"}),
        ({"run_id": "*", "metadata": {"tags": {"contains": "b"}}}, {"tea"}),
        ({"run_id": "*", "metadata": {"topic": {"ne": "drinks"}}}, set()),
        ({"run_id": "*", "created_at": {"gte": "2026-01-04"}}, {"coffee"}),
        ({"run_id": "*", "created_at": "2026-01-03"}, {"tea"}),
        ({"user_id": "*", "created_at": {"gt": "2026-01-01", "lt": "2026-01-04T00:00:00Z"}}, {"tea"}),
        ({"user_id": "*", "timestamp": {"lte": 1_767_225_600 + 3_600}}, {"peanuts"}),
        ({"run_id": "*", "text": {"contains": "Tea"}}, {"tea"}),
        ({"run_id": "*", "text": {"contains": "tea"}}, set()),
        ({"run_id": "*", "keywords": {"icontains": "tea"}}, {"tea"}),
        ({"run_id": "*", "expiration_date": None}, {"tea", "coffee"}),
        ({"user_id": "ana", "categories": {"in": ["health", "sports"]}}, {"peanuts"}),
        ({"user_id": "ana", "categories": {"contains": "HEALTH"}}, {"peanuts"}),
        ({"user_id": "nobody"}, set()),
        ({"user_id": "a*"}, set()),
    ],
)
def test_filters_mean_the_same_in_lists_and_searches(
    client: MemoryClient, filters: dict[str, object], last_words: set[str]
) -> None:
    listed = {said.split()[-1].lower() for said in texts(client.get_all(filters=filters))}
    assert listed == last_words
    found = client.search("what do I like?", filters=filters, threshold=0.0, latest_only=False)
    assert {said.split()[-1].lower() for said in texts(found)} == last_words


def test_memory_ids_categories_metadata_and_keywords_narrow_a_call(client: MemoryClient) -> None:
    everyone = {"OR": [{"user_id": "*"}, {"agent_id": "*"}]}
    found = client.get_all(filters=everyone)["results"]
    ids = [item["id"] for item in found]
    assert len(ids) == len(PLANTED)
    assert client.get_all(filters={**everyone, "memory_ids": ids[:2]})["count"] == 2
    assert client.get_all(filters={**everyone, "memory_ids": {"in": ids[:1]}})["count"] == 1
    assert texts(client.get_all(filters=everyone, categories=["health"])) == ["I am allergic to peanuts"]
    assert texts(client.get_all(filters=everyone, keywords="OVEN")) == ["The oven is slow"]
    search = {"filters": everyone, "threshold": 0.0}
    assert texts(client.search("what?", metadata={"topic": "kitchen"}, **search)) == ["The oven is slow"]
    assert texts(client.search("what?", categories=["health"], **search)) == ["I am allergic to peanuts"]


@pytest.mark.parametrize("key", ["colour", "userID", "session_id", "and"])
def test_an_unknown_key_is_answered_with_those_that_are_known(client: MemoryClient, key: str) -> None:
    for filters in ({"user_id": "ana", key: "x"}, {"AND": [{"user_id": "ana"}, {"NOT": {key: ["x"]}}]}):
        for call in (client.get_all, lambda filters: client.search("x", filters=filters)):
            with pytest.raises(ValidationError) as caught:
                call(filters=filters)
            assert key in str(caught.value)
            assert "memory_ids" in str(caught.value)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"NOT": {"user_id": "ana"}},
        {"user_id": {"ne": "ana"}},
        {"metadata": {"n": 1}},
        {"OR": [{"text": "a"}]},
    ],
)
def test_nobodys_memories_cannot_be_asked_for(client: MemoryClient, filters: dict[str, object]) -> None:
    for call in (client.get_all, lambda filters: client.search("x", filters=filters)):
        with pytest.raises(ValidationError, match="names nobody"):
            call(filters=filters)


def test_names_beside_the_filters_are_refused_by_v3(client: MemoryClient) -> None:
    for path in ("/v3/memories/", "/v3/memories/search/"):
        body = {"query": "tea?", "user_id": "ana", "filters": {"user_id": "ana"}}
        answer = client.client.post(path, json=body)
        assert answer.status_code == 400
        assert "user_id" in answer.json()["detail"]


def test_pages_are_counted_from_one_and_lead_to_each_other(client: MemoryClient) -> None:
    everybody = {"OR": [{"user_id": "*"}, {"agent_id": "*"}]}
    first = client.get_all(filters=everybody, page=1, page_size=3)
    assert (first["count"], len(first["results"]), first["previous"]) == (4, 3, None)
    assert first["next"].startswith(str(client.client.base_url))
    second = httpx.post(first["next"], json={"filters": everybody}, headers=client.client.headers).json()
    assert (second["count"], len(second["results"]), second["next"]) == (4, 1, None)
    back = httpx.post(second["previous"], json={"filters": everybody}, headers=client.client.headers).json()
    assert back["results"] == first["results"]
    assert texts(client.get_all(filters=everybody)) == [said for said, _, _ in reversed(PLANTED)]
    beyond = client.get_all(filters=everybody, page=9, page_size=3)
    assert beyond["results"] == []
    assert beyond["next"] is None
    assert "page=2" in beyond["previous"]
    in_both = client.client.post(
        "/v3/memories/?page=2", json={"filters": everybody, "page": 1, "page_size": 3}
    )
    assert in_both.json()["results"] == second["results"], "the query counts before the body"


@pytest.mark.slow
def test_250_memories_come_in_pages_each_once() -> None:
    with served() as (client, _):
        said = [f"Locker {n} holds parcel {n * 7}" for n in range(250)]
        for start in (0, 125):
            messages = [{"role": "user", "content": text} for text in said[start : start + 125]]
            client.add(messages, user_id="ana", infer=False)
        seen: list[str] = []
        page = client.get_all(filters={"user_id": "ana"})
        assert (page["count"], len(page["results"])) == (250, 100), "a page is 100, if nothing else is said"
        number = 1
        while True:
            seen += texts(page)
            if page["next"] is None:
                break
            number += 1
            page = client.get_all(filters={"user_id": "ana"}, page=number, page_size=100)
        assert number == 3
        assert sorted(seen) == sorted(said)


def test_the_categories_of_a_call_and_of_the_project() -> None:
    with served() as (client, _):
        pets = [{"pets": "animals at home, dogs, cats"}, {"money": "salary, savings, prices"}]
        mine = {"user_id": "ana"}
        for said in ("My dog is called Potola", "I earn 3000 euros a month"):
            client.add(said, user_id="ana", custom_categories=pets, infer=False)
        client.add("My cat is called Minka", user_id="ana", infer=False)
        shown = {item["memory"]: item["categories"] for item in client.get_all(filters=mine)["results"]}
        assert shown["My dog is called Potola"] == ["pets"]
        assert shown["I earn 3000 euros a month"] == ["money"]
        assert not set(shown["My cat is called Minka"]) & {"pets", "money"}
        client.project.update(custom_categories=[{"animals": "dogs, cats and other pets"}])
        shown = {item["memory"]: item["categories"] for item in client.get_all(filters=mine)["results"]}
        assert shown["My cat is called Minka"] == ["animals"]
        assert shown["My dog is called Potola"] == ["pets"], "what a call brought along stays"
        assert texts(client.get_all(filters={**mine, "categories": ["animals"]})) == [
            "My cat is called Minka"
        ]
        dog = next(item for item in client.get_all(filters=mine)["results"] if "dog" in item["memory"])
        assert client.update(dog["id"], text="My savings are in gold")["categories"] == ["money"]
