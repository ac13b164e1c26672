"""MCP over HTTP at /mcp of a server, behind its keys; and through it, from stdio: `neuromem mcp --url`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from command_line import Run, runner
from mcp import MCPError
from mcp_talk import ADMIN, any_words, ask, behind_keys, fault, many_at_once, stdio, talk, with_key
from serving import Serving, serving

from neuromem.server.mcp.bridge import Bridge


@pytest.fixture
def server() -> Iterator[Serving]:
    with serving(encoder="hash") as running:
        yield running


@pytest.fixture(scope="module")
def locked() -> Iterator[Serving]:
    with behind_keys() as running:
        yield running


def test_pages_go_through_everything_once(server: Serving) -> None:
    async def use(client: Any) -> None:
        for n in range(7):
            await ask(client, "add_memory", text=f"The code of door {n} is {n}{n}{n}", infer=False)
        seen, page = [], 1
        while page:
            answer = await ask(client, "get_memories", page=page, page_size=3)
            seen += [record["memory"] for record in answer["results"]]
            page = answer["next_page"]
        assert seen == [f"The code of door {n} is {n}{n}{n}" for n in reversed(range(7))]

    talk(f"{server.url}/mcp", use)


def test_errors_say_what_to_do(server: Serving) -> None:
    async def use(client: Any) -> None:
        for tool, arguments, part in [
            ("add_memory", {}, "blank"),
            ("add_memory", {"text": "I like tea", "timestamp": "soon"}, "'soon' is not a time"),
            ("search_memories", {"query": " "}, "blank"),
            ("search_memories", {}, "query"),
            ("search_memories", {"query": "x", "filters": {"colour": "red"}}, "filters.colour: is not a key"),
            ("search_memories", {"query": "x", "limit": 0}, "0 is out of range"),
            ("get_memory", {"memory_id": "7"}, "no memory '7'"),
            ("get_memory", {"memory_id": "6a1e9c9a-0000-8000-8000-000000000000"}, "no memory"),
            ("delete_all_memories", {}, "say whose memories are meant"),
            ("delete_all_memories", {"user_id": None}, "say whose memories are meant"),
            ("delete_all_memories", {"user_id": "*"}, "everybody"),
            ("delete_entities", {"user_id": "ana", "agent_id": "cook"}, "one entity at a time"),
            ("delete_memories", {"memory_ids": []}, "is empty"),
            ("get_event_status", {"event_id": "x"}, "no such event"),
            ("no_such_tool", {}, "Unknown tool"),
        ]:
            assert part in await fault(client, tool, **arguments), (tool, arguments)
        assert (await ask(client, "list_entities"))["count"] == 0, "nothing of it was kept"

    talk(f"{server.url}/mcp", use)


def test_names_are_not_read_as_json(server: Serving) -> None:
    names = ["Ænna 🐕", "a/b c", "null", "true", "[1]", '{"x": 1}', "名前"]

    async def use(client: Any) -> None:
        for name in names:
            await ask(client, "add_memory", text="I like tea", user_id=name)
            (record,) = (await ask(client, "search_memories", query="tea", user_id=name))["results"]
            assert record["user_id"] == name

    talk(f"{server.url}/mcp", use)


@pytest.mark.parametrize("mode", ["auto", "legacy"])  # without a handshake, and with one as clients of 2025
def test_words_of_every_kind_and_many_at_once(server: Serving, mode: str) -> None:
    async def use(client: Any) -> None:
        await any_words(client)
        await many_at_once(client)

    talk(f"{server.url}/mcp", use, mode=mode)


def test_the_default_user_resources_and_prompt(server: Serving) -> None:
    async def use(client: Any) -> None:
        await ask(client, "add_memory", text="I am allergic to peanuts")
        (record,) = (await ask(client, "get_memories"))["results"]
        assert record["user_id"] == "zoë"
        templates = (await client.list_resource_templates()).resource_templates
        assert [template.uri_template for template in templates] == ["memory://{user}/conscious"]
        read = await client.read_resource("memory://zo%C3%AB/conscious")
        assert read.contents[0].text == "- I am allergic to peanuts"
        (prompt,) = (await client.list_prompts()).prompts
        told = await client.get_prompt(prompt.name, {"user_id": "zoë"})
        assert "allergic to peanuts" in told.messages[0].content.text
        assert "allergic to peanuts" in (await client.get_prompt(prompt.name)).messages[0].content.text

    talk(f"{server.url}/mcp?user=zo%C3%AB", use)


def test_an_open_server_means_me_where_nothing_is_said(server: Serving) -> None:
    async def use(client: Any) -> None:
        await ask(client, "add_memory", text="I like tea")

    talk(f"{server.url}/mcp", use)
    assert [item["name"] for item in server.service.filing.entities()] == ["me"]


def test_openmemory_clients_find_their_address_and_their_tools(server: Serving) -> None:
    async def use(client: Any) -> None:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert names >= {
            "add_memories", "search_memory", "list_memories", "delete_memories", "delete_all_memories",
        }  # fmt: skip
        assert not names & {"add_memory", "search_memories", "get_memories"}, "one name for each"
        await ask(client, "add_memories", text="I like tea")
        (record,) = (await ask(client, "search_memory", query="tea"))["results"]
        assert record["user_id"] == "ana b/c"
        assert len((await ask(client, "list_memories"))["results"]) == 1
        assert (await ask(client, "delete_memories", memory_ids=[record["id"]]))["deleted"] == 1
        assert "say whose" in await fault(client, "delete_all_memories")

    talk(f"{server.url}/mcp/claude/http/ana%20b%2Fc", use)


def test_it_says_nothing_unasked_and_keeps_no_session(server: Serving) -> None:
    for method in ("GET", "DELETE"):
        answer = httpx.request(method, f"{server.url}/mcp", headers={"accept": "text/event-stream"})
        assert answer.status_code == 405
    answer = httpx.post(f"{server.url}/mcp", json={"jsonrpc": "2.0"})
    assert answer.status_code >= 400
    assert httpx.post(f"{server.url}/mcp", json={}, headers={"host": "evil.example"}).status_code == 403


def test_a_key_is_needed_and_a_user_sees_nothing_of_others(locked: Serving) -> None:
    answer = httpx.post(f"{locked.url}/mcp", json={})
    assert (answer.status_code, "a key is needed" in answer.json()["detail"]) == (401, True)
    admin = {"Authorization": f"Token {ADMIN}"}
    made = httpx.post(f"{locked.url}/v1/keys", json={"user_id": "ben"}, headers=admin).json()

    async def as_admin(client: Any) -> str:
        assert "say whose memory" in await fault(client, "add_memory", text="I like tea")
        added = await ask(client, "add_memory", text="My safe's code is 9921", user_id="ana")
        return str(added["results"][0]["id"])

    hers = talk(with_key(f"{locked.url}/mcp", ADMIN), as_admin)

    async def as_ben(client: Any) -> None:
        await ask(client, "add_memory", text="I live in Rome")
        assert (await ask(client, "get_memories"))["results"][0]["user_id"] == "ben"
        for tool, arguments in [
            ("add_memory", {"text": "I am Ben"}), ("search_memories", {"query": "code"}),
            ("get_memories", {}), ("conscious", {}), ("deep_recall", {"query": "code"}),
            ("delete_all_memories", {}),
        ]:  # fmt: skip
            assert "this key is of user 'ben'" in await fault(client, tool, user_id="ana", **arguments), tool
        with pytest.raises(MCPError, match="this key is of user 'ben'"):
            await client.read_resource("memory://ana/conscious")
        for tool in ("get_memory", "update_memory", "delete_memory"):
            more = {"text": "x"} if tool == "update_memory" else {}
            assert "no memory" in await fault(client, tool, memory_id=hers, **more)
        everybody = {"user_id": "*"}
        assert len((await ask(client, "get_memories", filters=everybody))["results"]) == 1
        assert [item["id"] for item in (await ask(client, "list_entities"))["results"]] == ["ben"]
        assert (await ask(client, "list_events"))["count"] == 1

    talk(with_key(f"{locked.url}/mcp", made["api_key"]), as_ben)
    assert len(locked.service.entries()) == 2


# -- through a server ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_from_stdio_through_a_server_that_runs(locked: Serving, tmp_path: Path) -> None:
    async def use(client: Any) -> None:
        assert len((await client.list_tools()).tools) == 14
        assert len((await client.list_resource_templates()).resource_templates) == 1
        assert (await client.list_resources()).resources == []
        await ask(client, "add_memory", text="I am allergic to peanuts 🥜")
        (record,) = (await ask(client, "search_memories", query="what am I allergic to?"))["results"]
        assert (record["memory"], record["user_id"]) == ("I am allergic to peanuts 🥜", "zoë")
        assert "peanuts" in (await client.read_resource("memory://zo%C3%AB/conscious")).contents[0].text
        (prompt,) = (await client.list_prompts()).prompts
        assert "peanuts" in (await client.get_prompt(prompt.name)).messages[0].content.text
        assert "filters.x: is not a key" in await fault(
            client, "search_memories", query="x", filters={"x": 1}
        )
        with pytest.raises(MCPError, match="Unknown resource"):
            await client.read_resource("memory://x/y/z")
        assert "Unknown tool" in await fault(client, "no_such_tool")

    talk(stdio(tmp_path, "--url", locked.url, "--api-key", ADMIN, "--user", "zoë"), use)
    assert not (tmp_path / "log").exists(), "it opens no store"


@pytest.mark.parametrize(
    ("key", "part"),
    [(None, r"refuses \(401\): a key is needed"), ("wrong", r"refuses \(401\): this key is not known")],
)
def test_a_server_that_refuses_is_quoted(locked: Serving, key: str | None, part: str) -> None:
    async def use(bridge: Bridge) -> None:
        async with bridge.http:
            await bridge.ask(lambda client: client.list_tools())

    with pytest.raises(MCPError, match=part):
        asyncio.run(use(Bridge(locked.url, key)))


def test_no_server_there_is_said_with_what_to_do() -> None:
    async def use(bridge: Bridge) -> None:
        async with bridge.http:
            await bridge.ask(lambda client: client.list_tools())

    with pytest.raises(MCPError, match=r"no server answers at http://127.0.0.1:9/mcp .*neuromem serve"):
        asyncio.run(use(Bridge("http://127.0.0.1:9/", None, "ana")))


@pytest.fixture
def neuromem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(tmp_path, capsys)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--url", "localhost:8888"], "is not a URL"),
        (["--url", "http://127.0.0.1:1", "--http"], "does not go with --url"),
        (["--config", "/nowhere.toml"], "cannot be read"),
        (["--path", __file__], "is a file"),
    ],
)
def test_wrong_usage_ends_with_status_2(words: list[str], part: str, neuromem: Run) -> None:
    done = neuromem("mcp", *words)
    assert (done.status, done.out) == (2, "")
    assert part in done.err


def test_tools_wait_in_the_lanes_of_the_routes(server: Serving) -> None:
    """Under the name of whoever is meant, as if a route had been asked."""
    lanes, order = server.server.config.app.state.turns.lanes, list[str]()  # type: ignore[union-attr]
    ran = {name: lane.run for name, lane in lanes.items()}

    async def noted(lane: str, whose: str, *work: Any) -> Any:
        order.append(f"{lane} {whose} {work[1] if lane == 'search' else ''}".strip())
        return await ran[lane](whose, *work)

    for name, lane in lanes.items():
        lane.run = partial(noted, name)

    async def use(client: Any) -> None:
        await ask(client, "add_memory", text="I like tea", user_id="ana")
        found = await ask(client, "search_memories", query="what do I like?", user_id="ana")
        assert [record["memory"] for record in found["results"]] == ["I like tea"]
        await ask(client, "search_memories", query="tea", filters={"user_id": "ben"})
        await ask(client, "search_memories", query="tea")
        await ask(client, "conscious", user_id="ana")

    talk(f"{server.url}/mcp", use)
    assert order == [
        "add user:ana", "search user:ana what do I like?", "search user:ben tea", "search user:me tea",
    ]  # fmt: skip


def test_a_full_queue_is_said_in_words(server: Serving) -> None:
    turns = server.server.config.app.state.turns  # type: ignore[union-attr]
    turns.gate.most = 0
    turns.lanes["search"].share = lambda _most: 0

    async def use(client: Any) -> None:
        assert "too many requests are waiting" in await fault(client, "search_memories", query="tea")

    talk(f"{server.url}/mcp", use)
