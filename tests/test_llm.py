"""Language models on a server: what is sent, what is understood, and how one is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("httpx", reason="models on a server need httpx: pip install 'neuromem[llm]'")

from llm_server import (
    HELLO,
    KEY,
    Answer,
    ScriptedServer,
    Side,
    anthropic_reply,
    failure,
    openai_reply,
    scripted_server,
    side_of,
)

from neuromem.errors import InvalidInput, MissingDependency, NotFound
from neuromem.llm import AnthropicLLM, LlamaCppLLM, OpenAILLM, load_llm
from neuromem.llm.base import cut_at

SCHEMA = {
    "type": "object",
    "properties": {"said": {"type": "string", "maxLength": 9}},
    "required": ["said"],
    "additionalProperties": False,
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


@pytest.fixture(params=["openai", "anthropic"])
def side(request: pytest.FixtureRequest, server: ScriptedServer) -> Iterator[Side]:
    made = side_of(request.param, server)
    yield made
    made.llm.close()


# --- what is sent and understood --------------------------------------------------------------------


def test_a_whole_answer(side: Side) -> None:
    side.server.play(Answer(side.reply("Good evening.")))
    reply = side.llm.generate(HELLO, max_tokens=20, temperature=0.5, stop=["\n\n"])
    assert (reply.text, reply.finish) == ("Good evening.", "stop")
    assert (reply.prompt_tokens, reply.reply_tokens) == (11, 7)
    asked = side.server.asked[0]
    assert (asked["model"], asked["max_tokens"], asked["temperature"]) == ("tiny", 20, 0.5)


def test_the_wire_format_of_openai(server: ScriptedServer) -> None:
    server.play(Answer(openai_reply("Good evening.")))
    OpenAILLM("tiny", f"{server.url}/v1/", KEY).generate(HELLO, max_tokens=20, stop=["\n\n"], schema=SCHEMA)
    assert server.paths == ["/v1/chat/completions"]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    asked = server.asked[0]
    assert (asked["messages"], asked["stop"], asked["temperature"]) == (HELLO, ["\n\n"], 0.0)
    assert asked["response_format"]["type"] == "json_schema"
    wanted = asked["response_format"]["json_schema"]
    assert wanted["strict"] is True
    assert wanted["schema"]["properties"] == {"said": {"type": "string"}}  # it knows no lengths


def test_the_wire_format_of_anthropic(server: ScriptedServer) -> None:
    server.play(Answer(anthropic_reply("Good evening.")))
    AnthropicLLM("tiny", f"{server.url}/v1", KEY).generate(HELLO, max_tokens=20, stop=["\n\n"], schema=SCHEMA)
    assert server.paths == ["/v1/messages"]
    headers = server.headers[0]
    assert (headers["x-api-key"], headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert "authorization" not in headers
    asked = server.asked[0]
    assert (asked["system"], asked["messages"]) == ("Be brief.", HELLO[1:])
    assert (asked["stop_sequences"], asked["temperature"]) == (["\n\n"], 0.0)
    assert asked["output_config"]["format"]["type"] == "json_schema"


def test_an_answer_bit_by_bit(side: Side) -> None:
    side.server.play(Answer(chunks=side.events("Good ", "even\u2028ing", ".")))
    assert list(side.llm.stream(HELLO, max_tokens=20)) == ["Good ", "even\u2028ing", "."]
    assert side.server.asked[0]["stream"] is True


def test_the_same_connection_serves_the_next_question(side: Side) -> None:
    side.server.play(Answer(side.reply("Good evening.")))
    assert [side.ask() for _ in range(3)] == ["Good evening."] * 3
    assert side.server.connections == 1


def test_an_answer_that_is_cut_off_says_so(side: Side) -> None:
    short = {"openai": "length", "anthropic": "max_tokens"}[side.llm.kind]
    side.server.play(Answer(side.reply("Good eve", short)))
    assert side.llm.generate(HELLO, max_tokens=3).finish == "length"


# --- servers that know less -------------------------------------------------------------------------


def test_a_server_without_schemas_is_asked_in_its_own_way_and_that_is_remembered(
    server: ScriptedServer,
) -> None:
    def fussy(request: dict[str, Any]) -> Answer:
        wanted = request.get("response_format", {}).get("type")
        if wanted in ("json_schema", "json_object"):
            return Answer({"error": {"message": f"unknown response_format {wanted}"}}, status=400)
        return Answer(openai_reply('{"said": "yes"}'))

    server.play(fussy)
    llm = OpenAILLM("tiny", server.url, KEY)
    for _ in range(2):
        assert llm.generate(HELLO, max_tokens=20, schema=SCHEMA).text == '{"said": "yes"}'
    ways = [request.get("response_format", {}).get("type") for request in server.asked]
    assert ways == ["json_schema", "json_object", None, None]


def test_a_claude_without_schemas_answers_through_a_tool(server: ScriptedServer) -> None:
    def older(request: dict[str, Any]) -> Answer:
        if "output_config" in request:
            return Answer({"type": "error", "error": {"message": "output_config: unexpected"}}, status=400)
        block = {"type": "tool_use", "name": "reply", "input": {"said": "yes"}}
        return Answer({"content": [block], "stop_reason": "tool_use", "usage": {}})

    server.play(older)
    reply = AnthropicLLM("tiny", server.url, KEY).generate(HELLO, max_tokens=20, schema=SCHEMA)
    assert json.loads(reply.text) == {"said": "yes"}
    assert server.asked[1]["tool_choice"] == {"type": "tool", "name": "reply"}


def test_a_model_without_temperature_is_asked_without_it(side: Side) -> None:
    def strict(request: dict[str, Any]) -> Answer:
        if "temperature" in request:
            return Answer({"error": {"message": "temperature is not supported"}}, status=400)
        return Answer(side.reply("Good evening."))

    side.server.play(strict)
    assert [side.ask(), side.ask()] == ["Good evening."] * 2
    assert ["temperature" in request for request in side.server.asked] == [True, False, False]


def test_a_reasoning_model_is_given_its_own_name_for_the_limit(server: ScriptedServer) -> None:
    def reasoning(request: dict[str, Any]) -> Answer:
        if "max_tokens" in request:
            problem = {"message": "Use 'max_completion_tokens' instead.", "param": "max_tokens"}
            return Answer({"error": problem}, status=400)
        return Answer(openai_reply("Good evening."))

    server.play(reasoning)
    assert OpenAILLM("tiny", server.url, KEY).generate(HELLO, max_tokens=20).text == "Good evening."
    assert server.asked[-1]["max_completion_tokens"] == 20


def test_what_failed_otherwise_is_not_asked_again(side: Side) -> None:
    side.server.play(Answer({"error": {"message": "no such model"}}, status=404))
    error = failure(side.ask)
    assert (error.reason, error.status, len(side.server.asked)) == ("request", 404, 1)
    assert "no such model" in str(error)


def test_a_server_that_stops_nowhere_is_cut_here(side: Side) -> None:
    side.server.play(
        Answer(side.reply("Good evening. STOP and more")),
        Answer(chunks=side.events("Good evening. ST", "OP and ", "more")),
    )
    assert side.ask(stop=["STOP"]) == "Good evening. "
    assert "".join(side.llm.stream(HELLO, max_tokens=20, stop=["STOP"])) == "Good evening. "


@given(st.lists(st.text("abST", max_size=4)), st.lists(st.text("abST", min_size=1, max_size=3), max_size=2))
def test_cutting_pieces_is_cutting_their_text(pieces: list[str], stop: list[str]) -> None:
    text = "".join(pieces)
    places = [text.find(one) for one in stop if one in text]
    assert "".join(cut_at(iter(pieces), stop)) == text[: min(places, default=len(text))]


# --- naming a model ---------------------------------------------------------------------------------


def test_a_model_is_named_in_one_string(server: ScriptedServer) -> None:
    llm = load_llm(f"openai:org/model@v2@{server.url}/v1", context_tokens=4_096)
    assert isinstance(llm, OpenAILLM)
    assert (llm.model, llm.context_tokens) == ("org/model@v2", 4_096)
    assert llm.name == f"openai:org/model@v2@{server.url.removeprefix('http://')}"
    assert llm.count("hello") is None
    assert isinstance(load_llm(f"anthropic:claude@{server.url}", api_key=KEY), AnthropicLLM)
    assert load_llm(llm) is llm


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ("gpt", "llm"),
        ("openai", "llm"),
        ("openai:", "model"),
        ("openai: @http://127.0.0.1:1", "model"),
        ("openai:x@http://", "base_url"),
        ("openai:x@http://user:secret@127.0.0.1:1/v1", "base_url"),
        ("openai:x@http://127.0.0.1:1/v1?key=secret", "base_url"),
        (object(), "llm"),
    ],
)
def test_what_can_be_no_model_is_told(spec: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_llm(spec, api_key="k")
    assert caught.value.field == field
    assert "secret" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_model(tmp_path: Any) -> None:
    with pytest.raises(NotFound, match=r"nothing\.gguf does not exist"):
        load_llm(str(tmp_path / "nothing.gguf"))
    (tmp_path / "text.gguf").write_text("not a model")
    with pytest.raises(InvalidInput, match="not a GGUF file"):
        LlamaCppLLM(tmp_path / "text.gguf")


@pytest.mark.parametrize(
    ("package", "module", "extra"), [("httpx", "httpx", "sdk"), ("llama-cpp-python", "llama_cpp", "llm")]
)
def test_a_missing_package_is_told_with_the_command(
    package: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    found = __import__("importlib.util").util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == module else found(name))
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    spec = str(tmp_path / "model.gguf") if module == "llama_cpp" else "openai:x@http://127.0.0.1:1"
    with pytest.raises(MissingDependency, match=rf"'{package}'.*pip install 'neuromem\[{extra}\]'"):
        load_llm(spec)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 3.0}, "temperature"),
        ({"timeout_s": 0.0}, "timeout_s"),
        ({"timeout_s": float("nan")}, "timeout_s"),
        ({"stop": "STOP"}, "stop"),
        ({"stop": [""]}, "stop"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_sent(
    side: Side, change: dict[str, Any], field: str
) -> None:
    arguments: dict[str, Any] = {"messages": HELLO, "max_tokens": 5, **change}
    for call in (side.llm.generate, side.llm.stream):
        with pytest.raises(InvalidInput) as caught:
            call(arguments["messages"], **{k: v for k, v in arguments.items() if k != "messages"})
        assert caught.value.field == field
    assert side.server.asked == []


def test_words_that_utf_8_cannot_say_do_not_break_the_call(side: Side) -> None:
    side.server.play(Answer(side.reply("Good evening.")))
    reply = side.llm.generate([{"role": "user", "content": "half \ud83d of a pair"}], max_tokens=5)
    assert reply.text == "Good evening."


def test_answers_that_take_turns_do_not_mix(side: Side) -> None:
    side.server.play(lambda request: Answer(chunks=side.events(*request["messages"][-1]["content"])))
    streams = [side.llm.stream([{"role": "user", "content": word}], max_tokens=5) for word in ("abc", "xyz")]
    together = [piece for pair in zip(*streams, strict=True) for piece in pair]
    assert all(first != second for first, second in pairwise(together))
    assert "".join(together) == "axbycz"
