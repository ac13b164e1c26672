"""Every door takes talk that is sent again for what it is, and leaves alone what is not to be changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp_talk import ask, stdio, talk
from mem0_wire import MemoryClient, served
from serving import serving

from neuromem.compat import Memory

PORTO = {"role": "user", "content": "I live in Porto"}
NICE = {"role": "assistant", "content": "How nice, a city of bridges!"}
DOG = {"role": "user", "content": "My dog is called Potola"}


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with serving() as running, httpx.Client(base_url=running.url, timeout=60) as client:
        yield client


def post(http: httpx.Client, path: str, **body: Any) -> Any:
    return http.post(path, json=body).raise_for_status().json()


@pytest.mark.parametrize("infer", [True, False])
def test_the_self_hosted_routes_tell_a_growing_context_once(http: httpx.Client, infer: bool) -> None:
    user = f"ana-{infer}"

    def tell(*messages: dict[str, str]) -> list[dict[str, Any]]:
        answer = post(http, "/memories", messages=list(messages), user_id=user, infer=infer)
        return list(answer["results"])

    def held() -> list[str]:
        answer = http.get("/memories", params={"user_id": user}).raise_for_status().json()
        return sorted(item["memory"] for item in answer["results"])

    first = tell(PORTO, NICE)
    assert [item["event"] for item in first] == ["ADD"] * len(first)
    before = held()
    again = tell(PORTO, NICE)
    assert {(item["id"], item["memory"], item["event"]) for item in again} == {
        (item["id"], item["memory"], "NONE") for item in first
    }
    assert held() == before
    (new,) = tell(PORTO, NICE, DOG)
    assert (new["memory"], new["event"]) == ("My dog is called Potola", "ADD")
    assert held() == sorted([*before, "My dog is called Potola"])


def test_what_was_deleted_is_told_again_by_sending_it_again(http: httpx.Client) -> None:
    told = post(http, "/memories", messages=[PORTO, NICE], user_id="ben")["results"]
    http.delete(f"/memories/{told[0]['id']}").raise_for_status()
    (again,) = post(http, "/memories", messages=[PORTO, NICE], user_id="ben")["results"]
    assert (again["memory"], again["event"]) == ("I live in Porto", "ADD")


def test_the_self_hosted_routes_do_not_store_what_they_recalled(http: httpx.Client) -> None:
    post(http, "/memories", messages=[DOG], user_id="cleo")
    found = post(http, "/search", query="what is my dog called?", user_id="cleo")["results"][0]["memory"]
    injected = f"User Memories:\n- {found}"
    told = [{"role": "system", "content": injected}, {"role": "user", "content": injected}, PORTO]
    answer = post(http, "/memories", messages=told, user_id="cleo", infer=False)
    assert [item["memory"] for item in answer["results"]] == ["I live in Porto"]


def test_the_class_of_mem0_tells_a_growing_context_once() -> None:
    with Memory.from_config({"history_db_path": ":memory:"}) as memory:
        told = memory.add([PORTO, NICE], user_id="ana")["results"]
        again = memory.add([PORTO, NICE], user_id="ana")["results"]
        assert [(item["id"], item["event"]) for item in again] == [(item["id"], "NONE") for item in told]
        (new,) = memory.add([PORTO, NICE, DOG], user_id="ana")["results"]
        assert new["memory"] == "My dog is called Potola"
        assert len(memory.get_all(filters={"user_id": "ana"})["results"]) == 2


def test_openmemory_does_not_store_what_it_recalled(http: httpx.Client) -> None:
    def tell(text: str) -> Any:
        return post(http, "/api/v1/memories/", user_id="dora", text=text, infer=False)

    assert tell("The safe has code 9921")["content"] == "The safe has code 9921"
    post(http, "/v1/recall", user_id="dora", query="what is the code of the safe?")
    assert tell("User Memories:\n- The safe has code 9921") is None


def test_tools_tell_a_growing_context_once(tmp_path: Path) -> None:
    async def use(client: Any) -> None:
        first = await ask(client, "add_memory", messages=[PORTO, NICE], user_id="ana")
        again = await ask(client, "add_memory", messages=[PORTO, NICE], user_id="ana")
        assert [fact["event"] for fact in first["results"]] == ["ADD"]
        assert again["results"] == [{**first["results"][0], "event": "NONE"}]
        more = await ask(client, "add_memory", messages=[PORTO, NICE, DOG], user_id="ana")
        assert [fact["memory"] for fact in more["results"]] == ["My dog is called Potola"]
        assert (await ask(client, "get_memories", user_id="ana"))["count"] == 2

    talk(stdio(tmp_path / "store"), use)


# -- what is not to be changed ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def client() -> Iterator[MemoryClient]:
    with served() as (made, _):
        yield made


def records(client: MemoryClient, user: str) -> dict[str, dict[str, Any]]:
    found = client.get_all(filters={"user_id": user}, latest_only=True)["results"]
    return {item["memory"]: item for item in found}


@pytest.mark.parametrize("immutable", [True, False])
def test_an_immutable_memory_stays_current_beside_what_would_replace_it(
    client: MemoryClient, immutable: bool
) -> None:
    user = f"eve-{immutable}"
    client.add([PORTO], user_id=user, immutable=immutable)
    client.add([{"role": "user", "content": "I moved to Dallas"}], user_id=user)
    held = records(client, user)
    assert set(held) == {"I moved to Dallas"} | ({"I live in Porto"} if immutable else set())
    if immutable:
        assert held["I live in Porto"]["immutable"] is True
        best = client.search("where do I live?", filters={"user_id": user})["results"][0]
        assert best["memory"] == "I moved to Dallas"  # the news comes first


@pytest.mark.parametrize("immutable", [True, False])
def test_an_immutable_memory_is_not_taken_back_in_passing(client: MemoryClient, immutable: bool) -> None:
    user = f"finn-{immutable}"
    client.add([PORTO], user_id=user, immutable=immutable)
    client.add([{"role": "user", "content": "Forget that."}], user_id=user)
    assert set(records(client, user)) == ({"I live in Porto"} if immutable else set())


@pytest.mark.parametrize("immutable", [True, False])
def test_an_immutable_memory_keeps_its_words_when_it_is_heard_again(
    client: MemoryClient, immutable: bool
) -> None:
    user, fuller = f"gil-{immutable}", "Oh well, I live in Porto, as you know"
    client.add("I live in Porto.", user_id=user, immutable=immutable)
    client.add([{"role": "user", "content": fuller}], user_id=user)
    words = list(records(client, user))
    assert ("I live in Porto." in words) >= immutable
    assert len(words) == 1
    for id_ in [item["id"] for item in records(client, user).values()]:
        assert client.update(id_, text="I live in Faro")["memory"] == "I live in Faro"  # by name it is meant
        client.delete(id_)
    assert records(client, user) == {}
