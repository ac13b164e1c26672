"""The official asynchronous client of mem0, unmodified, against our server: every method."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import pytest
from mem0_wire import AsyncMemoryClient, MemoryNotFoundError, ValidationError, served, texts


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served() as (_, server):
        yield server.url


async def memories(client: AsyncMemoryClient, ana: str) -> None:
    answer = await client.add("I live in Lisbon", user_id=ana, agent_id="a/b", metadata={"a": 1})
    id_ = answer["results"][0]["id"]
    assert (await client.get(id_))["memory"] == "I live in Lisbon"
    mine = {"user_id": ana}
    assert texts(await client.get_all(filters=mine)) == ["I live in Lisbon"]
    assert texts(await client.get_all(filters=mine, page=1, page_size=1)) == ["I live in Lisbon"]
    assert texts(await client.search("where do I live?", filters=mine)) == ["I live in Lisbon"]
    assert (await client.update(id_, text="I live in Porto"))["memory"] == "I live in Porto"
    assert [row["event"] for row in await client.history(id_)] == ["ADD", "UPDATE"]
    await client.batch_update([{"memory_id": id_, "text": "I live in Rome"}])
    assert (await client.feedback(id_, "POSITIVE"))["feedback"] == "POSITIVE"
    assert {"user", "agent"} <= {item["type"] for item in (await client.users())["results"]}
    export = await client.create_memory_export("{}", filters=mine)
    assert texts((await client.get_memory_export(memory_export_id=export["id"]))["memories"]) == [
        "I live in Rome"
    ]
    assert "Rome" in (await client.get_summary(mine))["summary"]
    await client.batch_delete([{"memory_id": id_}])
    with pytest.raises(MemoryNotFoundError):
        await client.get(id_)
    (other,) = (await client.add("I like tea", user_id=ana))["results"]
    await client.delete(other["id"], delete_linked=True)
    with pytest.raises(ValidationError):
        await client.delete_all()
    await client.delete_all(user_id=ana)
    assert (await client.get_all(filters=mine))["count"] == 0
    await client.delete_users(agent_id="a/b")


async def around(client: AsyncMemoryClient, ana: str) -> None:
    await client.add("My dog is called Potola", user_id=ana)
    assert (await client.get_profile_settings())["enabled"] is True
    await client.update_profile_settings(custom_instructions="be brief")
    job = await client.generate_profile(ana)
    assert (await client.get_profile_job(job["status_url"]))["job"]["status"] == "succeeded"
    assert "Potola" in str(await client.get_profile(ana))
    assert (await client.sample_profiles(limit=1))["sampled"] == 1
    await client.project.update(custom_instructions="be kind")
    assert (await client.project.get())["custom_instructions"] == "be kind"
    assert (await client.get_project(fields=["custom_instructions"]))["custom_instructions"] == "be kind"
    await client.update_project(custom_instructions="be brief")
    assert (await client.project.create("another"))["project_id"]
    await client.project.add_member("b@example.com", role="OWNER")
    await client.project.update_member("b@example.com", "READER")
    assert len((await client.project.get_members())["members"]) == 1
    await client.project.remove_member("b@example.com")
    hook = await client.create_webhook("http://127.0.0.1:9/x", "hook", client.project_id, ["memory_add"])
    await client.update_webhook(hook["webhook_id"], name="other")
    assert (await client.get_webhooks(client.project_id))[0]["name"] == "other"
    await client.delete_webhook(hook["webhook_id"])
    await client.project.delete()
    assert "successful" in (await client.reset())["message"]


@pytest.mark.parametrize("what", [memories, around])
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_method_of_the_asynchronous_client(url: str, what: object, slash: str) -> None:
    async def use() -> None:
        async with AsyncMemoryClient(api_key="a key", host=url + slash) as client:
            await what(client, f"ana-{uuid.uuid4().hex[:8]}")  # type: ignore[operator]

    asyncio.run(use())


def test_many_at_once(url: str) -> None:
    async def use() -> None:
        async with AsyncMemoryClient(api_key="a key", host=url) as client:
            said = [f"Locker {n} holds parcel {n}" for n in range(12)]
            await asyncio.gather(*(client.add(text, user_id=f"u{n % 3}") for n, text in enumerate(said)))
            everybody = {"OR": [{"user_id": f"u{n}"} for n in range(3)]}
            assert sorted(texts(await client.get_all(filters=everybody))) == sorted(said)

    asyncio.run(use())
