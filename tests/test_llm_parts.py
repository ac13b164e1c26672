"""Contents that a server gives in parts, or in a form that is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("httpx", reason="models on a server need httpx: pip install 'neuromem[llm]'")

from llm_server import HELLO, Answer, ScriptedServer, openai_reply, scripted_server

from neuromem.llm import LLMError, OpenAILLM

PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
    {"type": "text", "text": "Good "},
    {"type": "text", "text": "evening."},
]
WRONG: list[Any] = [7, {"text": "Good"}, ["Good"], [{"type": "text", "text": None}], [{"text": "Good"}]]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


@pytest.fixture
def llm(server: ScriptedServer) -> Iterator[OpenAILLM]:
    made = OpenAILLM("m", server.url, "k")
    yield made
    made.close()


def streamed(content: Any) -> Answer:
    choices = [{"delta": {"content": content}}, {"delta": {}, "finish_reason": "stop"}]
    return Answer(chunks=tuple(f"data: {json.dumps({'choices': [choice]})}\n\n" for choice in choices))


def test_of_parts_the_words_are_the_answer(llm: OpenAILLM, server: ScriptedServer) -> None:
    server.play(Answer(openai_reply(PARTS)))  # type: ignore[arg-type]
    assert llm.generate(HELLO, max_tokens=20).text == "Good evening."
    server.play(streamed(PARTS))
    assert "".join(llm.stream(HELLO, max_tokens=20)) == "Good evening."


@pytest.mark.parametrize("content", WRONG)
def test_what_holds_no_words_does_not_follow_the_protocol(
    content: Any, llm: OpenAILLM, server: ScriptedServer
) -> None:
    server.play(Answer(openai_reply(content)))
    with pytest.raises(LLMError, match="protocol"):
        llm.generate(HELLO, max_tokens=20)
    server.play(streamed(content))
    with pytest.raises(LLMError, match="protocol"):
        list(llm.stream(HELLO, max_tokens=20))
