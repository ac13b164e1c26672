"""A server on loopback that plays scripted answers in the wire formats of OpenAI and Anthropic."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from neuromem.llm import AnthropicLLM, LLMError, OpenAILLM
from neuromem.llm.remote import RemoteLLM

KEY = "sk-a-very-secret-key-0123456789"
LOVES = {
    "statement": "Potola loves it in Porto.",
    "subject": "Potola",
    "relation": "loves",
    "object": "Porto",
    "quote": "She loves it there",
}
"""A fact as a model proposes it."""
HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]


@dataclass(frozen=True)
class Answer:
    """One scripted answer: a body sent whole, or chunks one by one."""

    body: Any = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0  # before the status line
    chunks: tuple[str, ...] = ()
    between_s: float = 0.0
    breaks_off: bool = False  # the line is cut before the end
    then_s: float = 0.0  # silence after the chunks


class ScriptedServer:
    """Plays answers in order, the last one again and again; keeps what was asked."""

    def __init__(self) -> None:
        self.script: list[Answer | Callable[[dict[str, Any]], Answer]] = []
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.gone = threading.Event()  # the client hung up while chunks were sent
        self.connections = 0
        self.url = ""

    def play(self, *script: Answer | Callable[[dict[str, Any]], Answer]) -> None:
        self.script[:] = script

    def next_answer(self, request: dict[str, Any]) -> Answer:
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return step if isinstance(step, Answer) else step(request)


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # the body would wait 40 ms for the head to be acknowledged

        def setup(self) -> None:
            server.connections += 1
            super().setup()

        def do_GET(self) -> None:
            server.paths.append(self.path)
            self.send(Answer({"object": "list", "data": []}, headers={"content-type": "application/json"}))

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            server.asked.append(request)
            server.paths.append(self.path)
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            answer = server.next_answer(request)
            time.sleep(answer.after_s)
            try:
                self.send(answer)
            except OSError:
                server.gone.set()
                self.close_connection = True

        def send(self, answer: Answer) -> None:
            if answer.breaks_off and not answer.chunks:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.chunks:
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                self.send_chunks(answer)
                return
            body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            coded = body.encode()
            self.send_header("content-length", str(len(coded)))
            self.end_headers()
            self.wfile.write(coded)

        def send_chunks(self, answer: Answer) -> None:
            for chunk in answer.chunks:
                coded = chunk.encode()
                self.wfile.write(f"{len(coded):x}\r\n".encode() + coded + b"\r\n")
                self.wfile.flush()
                time.sleep(answer.between_s)
            time.sleep(answer.then_s)
            if answer.breaks_off:
                self.close_connection = True
                return
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_: Any) -> None:
            """A client that hangs up is what the tests are about."""

    with Quiet(("127.0.0.1", 0), Handler) as httpd:
        server.url = f"http://127.0.0.1:{httpd.server_address[1]}"
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            httpd.shutdown()
            thread.join()


# --- the two wire formats ---------------------------------------------------------------------------


def openai_reply(text: str | None, finish: str = "stop", **message: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, **message},
                "finish_reason": finish,
            }
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }


def anthropic_reply(text: str, stop_reason: str = "end_turn") -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": text}],
        "stop_reason": stop_reason,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    }


def openai_events(*pieces: str, finish: str | None = "stop") -> tuple[str, ...]:
    def event(delta: dict[str, str], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return f"data: {json.dumps({'choices': [choice]}, ensure_ascii=False)}\n\n"

    said = [event({"role": "assistant"}), *(event({"content": piece}) for piece in pieces)]
    return (*said, event({}, finish), "data: [DONE]\n\n") if finish else tuple(said)


def anthropic_events(*pieces: str, finish: str | None = "end_turn") -> tuple[str, ...]:
    def event(kind: str, **more: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **more}, ensure_ascii=False)}\n\n"

    said = [
        event("message_start", message={"role": "assistant", "content": []}),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *(
            event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
            for piece in pieces
        ),
    ]
    if finish is None:
        return tuple(said)
    return (*said, event("message_delta", delta={"stop_reason": finish}), event("message_stop"))


# --- a client and its server ------------------------------------------------------------------------


@dataclass
class Side:
    """One wire format: a client, the server it asks, and how that answers."""

    llm: RemoteLLM
    server: ScriptedServer
    reply: Callable[..., dict[str, Any]]
    events: Callable[..., tuple[str, ...]]

    def ask(self, **settings: Any) -> str:
        return self.llm.generate(HELLO, **{"max_tokens": 20, "timeout_s": 20.0, **settings}).text


def side_of(kind: str, server: ScriptedServer) -> Side:
    if kind == "openai":
        return Side(OpenAILLM("tiny", f"{server.url}/v1", KEY), server, openai_reply, openai_events)
    return Side(AnthropicLLM("tiny", server.url, KEY), server, anthropic_reply, anthropic_events)


def failure(call: Callable[[], object]) -> LLMError:
    with pytest.raises(LLMError) as caught:
        call()
    return caught.value
