"""MCP's tools under several names at once, where nobody is named, and where somebody may not look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from mcp import MCPError
from mcp_talk import ADMIN, ask, behind_keys, fault, talk, with_key
from serving import Serving, serving


@pytest.fixture
def server() -> Iterator[Serving]:
    with serving(encoder="hash") as running:
        yield running


@pytest.fixture(scope="module")
def locked() -> Iterator[Serving]:
    with behind_keys() as running:
        yield running


def test_what_is_recalled_is_filed_under_every_name_given(server: Serving) -> None:
    async def use(client: Any) -> None:
        await ask(client, "add_memory", text="I am allergic to peanuts", user_id="ana", run_id="monday")
        await ask(client, "add_memory", text="I am allergic to pollen", user_id="ana", run_id="friday",
                  agent_id="cook")  # fmt: skip
        for tool, more in (("deep_recall", {"query": "what am I allergic to?"}), ("conscious", {})):
            for names, wanted in [
                ({}, {"I am allergic to peanuts", "I am allergic to pollen"}),
                ({"run_id": "monday"}, {"I am allergic to peanuts"}),
                ({"agent_id": "cook"}, {"I am allergic to pollen"}),
                ({"agent_id": "cook", "run_id": "monday"}, set()),
            ]:
                found = (await ask(client, tool, user_id="ana", **names, **more))["results"]
                assert {record["memory"] for record in found} == wanted, (tool, names)

    talk(f"{server.url}/mcp", use)


def test_whoever_names_nobody_is_told_to(locked: Serving) -> None:
    async def use(client: Any) -> None:
        for tool, more in (("search_memories", {"query": "tea"}), ("get_memories", {})):
            assert "user_id: is missing; say whose" in await fault(client, tool, **more), tool
        for filters in ({"metadata": {"topic": "pets"}}, {"NOT": {"user_id": "ana"}}):
            assert "user_id: is missing" in await fault(client, "get_memories", filters=filters), filters
        assert (await ask(client, "get_memories", filters={"user_id": "*"}))["count"] == 0

    talk(with_key(f"{locked.url}/mcp", ADMIN), use)


def test_a_prompt_that_cannot_be_made_says_why(locked: Serving) -> None:
    admin = {"Authorization": f"Token {ADMIN}"}
    key = httpx.post(f"{locked.url}/v1/keys", json={"user_id": "ben"}, headers=admin).json()["api_key"]
    name = "what_do_you_know_about_me"

    async def as_ben(client: Any) -> None:
        with pytest.raises(MCPError, match="this key is of user 'ben'"):
            await client.get_prompt(name, {"user_id": "ana"})
        assert "nothing yet" in (await client.get_prompt(name)).messages[0].content.text

    async def as_admin(client: Any) -> None:
        with pytest.raises(MCPError, match="user_id: is missing"):
            await client.get_prompt(name)

    talk(with_key(f"{locked.url}/mcp", key), as_ben)
    talk(with_key(f"{locked.url}/mcp", ADMIN), as_admin)


def test_a_number_of_results_is_refused_with_the_range_that_holds(server: Serving) -> None:
    async def use(client: Any) -> None:
        for given in ({"limit": 0}, {"limit": 1_001}, {"limit": 20_000}, {"top_k": 0}, {"top_k": 1_001}):
            told = await fault(client, "search_memories", query="tea", **given)
            assert told.endswith("is out of range; give 1 to 1,000"), (given, told)

    talk(f"{server.url}/mcp", use)
