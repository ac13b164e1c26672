"""Models on a server, whatever its protocol: what the OpenAI and Anthropic clients have in common.

Servers differ in what they take: one knows no JSON schema, the next no temperature. A server that refuses a
request for such a thing is asked again without it, and what it then takes is remembered.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .base import DEFAULT_TIMEOUT_S, LLMError, Message, Reply, Request, Stream, Switch, cut_at, request_of
from .http import Endpoint

__all__ = ["RemoteLLM", "without"]

UNFIT = (400, 422, 500, 501)  # statuses that servers give for a parameter they do not know


class RemoteLLM:
    """A model behind an HTTP API; `openai.py` and `anthropic.py` say how each is spoken to."""

    kind = ""  # of the protocol
    path = ""  # of the call, after the base URL
    options: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()
    """What may have to be asked for in another way: its name, the ways from the best to the last, and the
    words by which an error speaks of it."""

    def __init__(self, model: str, endpoint: Endpoint, context_tokens: int | None = None) -> None:
        """Args: context_tokens: of prompt and answer together, where known."""
        self.model = model
        self.context_tokens = context_tokens
        self._endpoint = endpoint
        self._ways = {name: ways[0] for name, ways, _ in self.options}

    @property
    def name(self) -> str:
        """Protocol, model and host."""
        return f"{self.kind}:{self.model}@{self._endpoint.host}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        schema: Mapping[str, Any] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Reply:
        """The whole answer; see `LLM.generate`."""
        request = request_of(messages, max_tokens, temperature, stop, schema, timeout_s)
        said = b"".join(self._chunks(request, False, Switch()))
        try:
            answer = json.loads(said)
            if not isinstance(answer, dict):
                raise TypeError(type(answer).__name__)
            reply = self._reply(answer)
            _need_words(reply.text)
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
            raise LLMError("invalid", f"{self.name}: the answer does not follow the protocol") from error
        text = "".join(cut_at(iter([reply.text]), request.stop))  # not every server stops by itself
        if not text.strip():
            raise LLMError("empty", f"{self.name}: the answer is empty")
        return replace(reply, text=text)

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        schema: Mapping[str, Any] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Stream:
        """The answer as it comes; see `LLM.stream`."""
        request = request_of(messages, max_tokens, temperature, stop, schema, timeout_s)
        return Stream(lambda switch: cut_at(self._pieces(request, switch), request.stop))

    def count(self, text: str) -> int | None:  # noqa: ARG002 - the protocol's
        """None: only the server could tell, and asking it would cost more than it tells."""
        return None

    def close(self) -> None:
        """Closes idle connections."""
        self._endpoint.close()

    # -- calls ------------------------------------------------------------------------------------

    def _pieces(self, request: Request, switch: Switch) -> Iterator[str]:
        host, ended = self._endpoint.host, False
        for event in _events(self._chunks(request, True, switch), host):
            if "error" in event:
                raise LLMError("server", f"{self.name}: {self._endpoint.clean(_message(event['error']))}")
            try:
                piece, last = self._piece(event)
                _need_words(piece)
            except (LookupError, TypeError, AttributeError) as error:
                raise LLMError("invalid", f"{self.name}: an event does not follow the protocol") from error
            if piece:
                yield piece
            ended = ended or last
        if not ended:
            raise LLMError("connection", f"{self.name}: the answer broke off")

    def _chunks(self, request: Request, streaming: bool, switch: Switch) -> Iterator[bytes]:
        """The answer's bytes, in whatever way the server can be asked for it."""
        until = time.monotonic() + request.timeout_s
        ways = dict(self._ways)
        while True:
            begun = False
            try:
                body = self._body(request, streaming, ways)
                for chunk in self._endpoint.chunks(self.path, body, until, switch):
                    if not begun:
                        begun, self._ways = True, ways
                    yield chunk
                return
            except LLMError as error:
                lower = None if begun else self._lowered(error, request, ways)
                if lower is None:
                    raise
                ways = lower

    def _lowered(self, error: LLMError, request: Request, ways: dict[str, str]) -> dict[str, str] | None:
        """The next way of asking for what the server refused; None when it is not about that."""
        if error.status not in UNFIT:
            return None
        said = str(error).casefold()
        for name, order, words in self.options:
            rest = order[order.index(ways[name]) + 1 :]
            if rest and self._asks(name, request) and any(word in said for word in words):
                return ways | {name: rest[0]}
        return None

    def _asks(self, name: str, request: Request) -> bool:
        """Whether a request asks for what an option is about."""
        return {"schema": request.schema is not None, "stop": bool(request.stop)}.get(name, True)

    # -- the protocol -----------------------------------------------------------------------------

    def _body(self, request: Request, streaming: bool, ways: Mapping[str, str]) -> dict[str, Any]:
        raise NotImplementedError

    def _reply(self, answer: Mapping[str, Any]) -> Reply:
        raise NotImplementedError

    def _piece(self, event: Mapping[str, Any]) -> tuple[str, bool]:
        """Words of an event, and whether it is the last one."""
        raise NotImplementedError


def _need_words(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"words of type {type(text).__name__}")


def _message(error: object) -> str:
    said = error.get("message") if isinstance(error, dict) else error
    return said if isinstance(said, str) else json.dumps(error)


def without(value: Any, keys: Sequence[str]) -> Any:
    """A JSON schema without some of its keywords, at any depth."""
    if isinstance(value, Mapping):
        return {key: without(inner, keys) for key, inner in value.items() if key not in keys}
    return [without(inner, keys) for inner in value] if isinstance(value, list) else value


def _events(chunks: Iterator[bytes], host: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of a stream of server-sent events; "[DONE]" becomes {"done": True}."""
    for line in _lines(chunks):
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            yield {"done": True}
            continue
        try:
            event = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise LLMError("invalid", f"{host}: an event of the stream is not JSON") from error
        if isinstance(event, dict):
            yield event


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines at line feeds alone: text may hold the other signs that Python would split at."""
    held = b""
    for chunk in chunks:
        *whole, held = (held + chunk).split(b"\n")
        yield from whole
    if held:
        yield held
