"""Language models on loopback, for their own SDKs: whole answers and streamed ones, in each wire format."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from llm_server import Answer, ScriptedServer, scripted_server

import neuromem
from neuromem import Memory

JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}
ANSWER = ("I will ", "remember ", "that.")
SAID = "".join(ANSWER)
POTOLA = "My dog's name is Potola"
QUESTION = "What is the name of my dog?"

Asked = dict[str, Any]
CALL = {"type": "function", "function": {"name": "weather", "arguments": '{"city": "Porto"}'}, "id": "call_1"}


class NotingMemory(Memory):
    """A real memory that also notes what it is told."""

    told: list[tuple[str | None, list[dict[str, Any]]]]

    def add(self, messages: Any, user_id: str | None = None, **more: Any) -> Any:
        self.__dict__.setdefault("told", []).append((user_id, messages))
        return super().add(messages, user_id, **more)


def noting_memory(**config: Any) -> NotingMemory:
    memory = NotingMemory(config=config or None)
    memory.told = []
    return memory


@contextmanager
def primed_memory() -> Iterator[NotingMemory]:
    """A memory that knows of Potola, its networks loaded: a deadline is for recall."""
    with noting_memory() as memory:
        memory.add(POTOLA, user_id="ana")
        memory.search(QUESTION, user_id="ana")
        memory.told.clear()
        yield memory


@contextmanager
def model(answer: Callable[[Asked], Answer]) -> Iterator[ScriptedServer]:
    """A server that answers each request as a function says."""
    with scripted_server() as server:
        server.play(answer)
        yield server


def events(kinds: list[dict[str, Any]], *, named: bool, done: bool = False) -> tuple[str, ...]:
    """Server-sent events, with their names or without."""
    lines = [
        (f"event: {kind['type']}\n" if named else "") + f"data: {json.dumps(kind, ensure_ascii=False)}\n\n"
        for kind in kinds
    ]
    return (*lines, "data: [DONE]\n\n") if done else tuple(lines)


# --- chat completions -------------------------------------------------------------------------------


def chat_whole(text: str | None = SAID, **message: Any) -> dict[str, Any]:
    told = {"role": "assistant", "content": text, **message}
    choice = {"index": 0, "message": told, "finish_reason": "tool_calls" if message else "stop"}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_772_452_800, "model": "m",
        "choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }  # fmt: skip


def chat_pieces(*pieces: str) -> tuple[str, ...]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_772_452_800, "model": "m",
            "choices": [choice],
        }  # fmt: skip

    said = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": piece}) for piece in pieces)]
    return events([*said, chunk({}, "stop")], named=False, done=True)


def chat(asked: Asked) -> Answer:
    if asked.get("stream"):
        return Answer(headers=SSE, chunks=chat_pieces(*ANSWER))
    return Answer(chat_whole(), headers=JSON)


# --- responses --------------------------------------------------------------------------------------


def response_whole(text: str | None = SAID, status: str = "completed") -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    return {
        "id": "resp_1", "object": "response", "created_at": 1_772_452_800, "model": "m", "status": status,
        "output": [message] if text is not None else [], "parallel_tool_calls": True, "tools": [],
        "tool_choice": "auto", "error": None, "instructions": None, "metadata": {},
    }  # fmt: skip


def response_pieces(*pieces: str) -> tuple[str, ...]:
    part = {"type": "output_text", "text": "", "annotations": []}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    kinds: list[dict[str, Any]] = [
        {"type": "response.created", "response": response_whole(None, "in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **place, "part": part},
        *(
            {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
            for piece in pieces
        ),
        {"type": "response.output_text.done", **place, "text": "".join(pieces), "logprobs": []},
        {"type": "response.completed", "response": response_whole("".join(pieces))},
    ]
    return events([{**kind, "sequence_number": n} for n, kind in enumerate(kinds)], named=True)


def response(asked: Asked) -> Answer:
    if asked.get("stream"):
        return Answer(headers=SSE, chunks=response_pieces(*ANSWER))
    return Answer(response_whole(), headers=JSON)


# --- messages ---------------------------------------------------------------------------------------


def message_whole(*content: Mapping[str, Any], stop: str = "end_turn") -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": stop,
        "stop_sequence": None, "content": list(content) or [{"type": "text", "text": SAID}],
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip


def message_pieces(*pieces: str) -> tuple[str, ...]:
    begun = {**message_whole(), "content": [], "stop_reason": None}
    kinds: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in pieces
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    return events(kinds, named=True)


def message(asked: Asked) -> Answer:
    if asked.get("stream"):
        return Answer(headers=SSE, chunks=message_pieces(*ANSWER))
    return Answer(message_whole(), headers=JSON)


# --- OpenAI's client ---------------------------------------------------------------------------------

ASK = [{"role": "user", "content": QUESTION}]
EXCHANGE = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": SAID}]


def plain(server: ScriptedServer) -> Any:
    import openai

    return openai.OpenAI(base_url=server.url, api_key="k", max_retries=0)


def awaited(server: ScriptedServer, memory: NotingMemory, use: Callable[[Any], Awaitable[Any]]) -> Any:
    """What a use of the wrapped async client gives."""

    import openai

    async def used() -> Any:
        inner = openai.AsyncOpenAI(base_url=server.url, api_key="k", max_retries=0)
        async with neuromem.wrap(inner, memory=memory, user_id="ana", deadline_s=2.0) as client:
            return await use(client)

    return asyncio.run(used())


def told(client: Any, memory: NotingMemory) -> list[dict[str, Any]]:
    """What the memory was told after the calls, by one user."""
    assert client.neuromem.flush(10)
    return [message for _, messages in memory.told for message in messages]
