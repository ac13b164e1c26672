"""`neuromem mcp` as a client starts it: every tool, any words, many at once, how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import ROOT
from mcp_talk import Raw, any_words, ask, command, many_at_once, stdio, talk

from neuromem import Memory

pytestmark = pytest.mark.slow  # a process of its own for each test

MEM0 = {
    "add_memory", "search_memories", "get_memories", "get_memory", "update_memory", "delete_memory",
    "delete_all_memories", "delete_entities", "list_entities", "list_events", "get_event_status",
}  # fmt: skip
READS = {
    "search_memories", "conscious", "get_memories", "get_memory", "list_entities", "list_events",
    "get_event_status",
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def test_every_tool(store: Path) -> None:
    async def use(client: Any) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {*MEM0, "delete_memories", "deep_recall", "conscious"}
        for name, tool in tools.items():
            assert len(tool.description) > 60, name
            assert "  " not in tool.description, name
            assert tool.annotations.read_only_hint is (name in READS), name
            assert tool.annotations.destructive_hint is name.startswith("delete"), name
            assert tool.output_schema["type"] == "object", name
            for field, schema in tool.input_schema["properties"].items():
                assert schema.get("description"), f"{name}.{field}"
        added = await ask(client, "add_memory", text="My dog's name is Potola. How are you?", user_id="ana",
                          metadata={"topic": "pets"})  # fmt: skip
        assert [(fact["memory"], fact["event"]) for fact in added["results"]] == [
            ("My dog's name is Potola.", "ADD")
        ]
        dog = added["results"][0]["id"]
        talk_ = [{"role": "user", "content": "I live in Lisbon"}, {"role": "assistant", "content": "Nice!"}]
        await ask(client, "add_memory", messages=talk_)
        found = await ask(client, "search_memories", query="what is my dog called?", user_id="ana")
        best = found["results"][0]
        assert (best["memory"], best["user_id"], best["metadata"], best["fidelity"]) == (
            "My dog's name is Potola.", "ana", {"topic": "pets"}, "verbatim",
        )  # fmt: skip
        assert 0.1 < best["score"] <= 1
        pets = {"AND": [{"user_id": "*"}, {"metadata": {"topic": "pets"}}]}
        assert len((await ask(client, "get_memories", filters=pets))["results"]) == 1
        assert (await ask(client, "get_memories"))["results"][0]["memory"] == "I live in Lisbon"
        assert (await ask(client, "conscious"))["results"][0]["memory"] == "I live in Lisbon"
        assert (await ask(client, "deep_recall", query="how are you", user_id="ana"))["results"]
        assert (await ask(client, "get_memory", memory_id=dog))["memory"] == "My dog's name is Potola."
        new = await ask(client, "update_memory", memory_id=dog, text="My dog's name is Rex")
        assert (new["memory"], new["metadata"]) == ("My dog's name is Rex", {"topic": "pets"})
        names = {item["id"] for item in (await ask(client, "list_entities"))["results"]}
        assert names == {"ana", "me"}
        events = await ask(client, "list_events", page_size=1)
        assert (events["count"], len(events["results"]), events["next_page"]) == (2, 1, 2)
        event = await ask(client, "get_event_status", event_id=added["event_id"])
        assert (event["status"], event["results"]) == ("SUCCEEDED", [{"id": dog, "event": "ADD"}])
        assert (await ask(client, "delete_memory", memory_id=dog))["deleted"] == 1
        again = await ask(client, "add_memory", text="I like tea. I like cheese.", agent_id="cook")
        ids = [fact["id"] for fact in again["results"]]
        assert (await ask(client, "delete_memories", memory_ids=ids))["deleted"] == 2
        assert (await ask(client, "delete_all_memories", user_id="me"))["deleted"] == 1
        await ask(client, "add_memory", text="I like tea", run_id="r1")
        assert (await ask(client, "delete_entities", run_id="r1"))["deleted"] == 1
        assert (await ask(client, "list_entities"))["count"] == 0
        await any_words(client)
        await many_at_once(client)

    talk(stdio(store), use)


@pytest.mark.parametrize("how", ["eof", "interrupt", "terminate"])
def test_it_ends_cleanly_and_loses_nothing(store: Path, how: str) -> None:
    with Raw(store) as server:
        assert not server.call("add_memory", text="I like tea")["isError"]
        if how == "eof":
            assert server.process.stdin is not None
            server.process.stdin.close()
            server.process.stdin = None
        else:
            server.process.send_signal(signal.SIGINT if how == "interrupt" else signal.SIGTERM)
        status, out, err = server.ended()
    assert (out, err) == ("", "")
    assert status == {"eof": 0, "interrupt": 130, "terminate": 143}[how]
    with Memory(store, encoder="hash") as memory:
        assert [recall.text for recall in memory.all("me")] == ["I like tea"]
        assert memory.verify().ok


def test_half_of_a_surrogate_pair_is_refused_and_whole_ones_are_kept(store: Path) -> None:
    with Raw(store) as server:
        for number, words in (("add-1", "half \ud83d of it"), (7, "\udc36")):
            call = {"name": "add_memory", "arguments": {"text": words, "infer": False}}
            server.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": call})
            answer = server.answer()
            assert (answer["id"], answer["error"]["code"]) == (number, -32602)
            assert "half of a surrogate pair" in answer["error"]["message"]
        added = server.call("add_memory", text="A whole one: 🐶, and the letters \\ud83d", infer=False)
        assert (
            added["structuredContent"]["results"][0]["memory"] == "A whole one: 🐶, and the letters \\ud83d"
        )


def test_a_client_that_goes_before_its_answers_ends_it_without_a_word(store: Path) -> None:
    with Raw(store) as server:
        server.call("add_memory", text="I like tea")
        assert server.process.stdout is not None
        server.process.stdout.close()
        server.send({"jsonrpc": "2.0", "id": 9, "method": "ping"})
        assert server.process.stderr is not None
        assert (server.process.stderr.read(), server.process.wait(timeout=60)) == ("", 0)


def test_a_second_one_on_the_store_says_who_has_it_until_that_ends(store: Path) -> None:
    with Raw(store) as first:
        first.call("add_memory", text="I like tea")
        with Raw(store) as second:
            said = second.call("list_entities")
            assert said["isError"]
            assert f"(pid {first.process.pid}) is writing to it" in said["content"][0]["text"]
            assert "--url" in said["content"][0]["text"]
            first.process.terminate()
            first.process.wait(60)
            assert not second.call("list_entities")["isError"], "it goes on as soon as it can"
            second.process.terminate()
            _, _, err = second.ended()
            assert "is writing to it" in err


def test_memories_stay_whole_unless_the_settings_say_otherwise(store: Path, tmp_path: Path) -> None:
    fading = tmp_path / "fading.toml"
    fading.write_text('[forgetting]\ndecay = "power"\n')
    old = {"text": "The rain was cold", "timestamp": "2020-01-01", "infer": False}
    with Raw(store) as server:
        server.call("add_memory", **old)
        assert len(server.call("get_memories")["structuredContent"]["results"]) == 1
        (record,) = server.call("search_memories", query="rain")["structuredContent"]["results"]
        assert (record["memory"], record["strength"]) == ("The rain was cold", 1.0)
    with Raw(tmp_path / "other", "--config", str(fading)) as server:
        server.call("add_memory", **old)
        (record,) = server.call("get_memories")["structuredContent"]["results"]
        assert record["strength"] < 0.2


def test_over_http_it_is_the_whole_server(store: Path) -> None:
    words = [*command(store, "--http", "--port", "0", "--json", "--user", "zoë")]
    process = subprocess.Popen([sys.executable, *words], cwd=ROOT, text=True, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]

        async def use(client: Any) -> None:
            await ask(client, "add_memory", text="I like tea")
            (record,) = (await ask(client, "search_memories", query="tea"))["results"]
            assert record["user_id"] == "zoë"

        talk(f"{url}/mcp", use)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    with Memory(store, encoder="hash") as memory:
        assert [recall.text for recall in memory.all("zoë")] == ["I like tea"]
