"""Any endpoint that speaks OpenAI's chat completions: OpenAI, llama.cpp, vLLM, Ollama, LM Studio, ..."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from .base import LLMError, Reply, Request
from .http import Endpoint
from .remote import RemoteLLM, without

__all__ = ["OpenAILLM"]

OPENAI_URL = "https://api.openai.com/v1"
_LENGTHS = ("minLength", "maxLength")  # OpenAI's strict schemas know no lengths of strings


class OpenAILLM(RemoteLLM):
    """A model behind an OpenAI-compatible endpoint."""

    kind = "openai"
    path = "/chat/completions"
    options = (
        (
            "schema",
            ("json_schema", "json_object", "none"),
            ("response_format", "json_schema", "json_object", "schema", "grammar"),
        ),
        ("tokens", ("max_tokens", "max_completion_tokens"), ("max_tokens", "max_completion_tokens")),
        ("temperature", ("given", "none"), ("temperature",)),
        ("stop", ("given", "ours"), ("'stop'", '"stop"', "stop,", "stop is")),
    )

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        api_key: str | None = None,
        context_tokens: int | None = None,
    ) -> None:
        """
        Args:
            base_url: the endpoint up to "/v1"; None takes OPENAI_BASE_URL, or OpenAI itself.
            api_key: None takes OPENAI_API_KEY; an endpoint of one's own may need none.
            context_tokens: of prompt and answer together, where known.

        Raises:
            InvalidInput: no model, not a URL, or no key for OpenAI.
            MissingDependency: httpx is not installed.
        """
        if not model.strip():
            raise InvalidInput("model", "is blank", "name one, such as openai:gpt-4.1-mini")
        url = base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL
        key = api_key or os.environ.get("OPENAI_API_KEY", "")
        if not key and url.startswith(OPENAI_URL):
            raise InvalidInput("api_key", "is missing", "give api_key, or set OPENAI_API_KEY")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        super().__init__(model, Endpoint(url, headers, (key,)), context_tokens)

    def _body(self, request: Request, streaming: bool, ways: Mapping[str, str]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(request.messages),
            ways["tokens"]: request.max_tokens,
        }
        if ways["temperature"] == "given":
            body["temperature"] = request.temperature
        if request.stop and ways["stop"] == "given":
            body["stop"] = list(request.stop)
        if streaming:
            body["stream"] = True
        if request.schema is not None and ways["schema"] != "none":
            body["response_format"] = _format(request.schema, ways["schema"])
        return body

    def _reply(self, answer: Mapping[str, Any]) -> Reply:
        choice = answer["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        if message.get("refusal") or finish == "content_filter":
            raise LLMError("refused", f"{self.name}: the model declines")
        usage = answer.get("usage") or {}
        counts = usage.get("prompt_tokens"), usage.get("completion_tokens")
        return Reply(_words(message.get("content")), "length" if finish == "length" else "stop", *counts)

    def _piece(self, event: Mapping[str, Any]) -> tuple[str, bool]:
        if event.get("done"):
            return "", True
        if not event["choices"]:  # the count of tokens, at the end
            return "", False
        choice = event["choices"][0]
        if choice.get("finish_reason") == "content_filter":
            raise LLMError("refused", f"{self.name}: the model declines")
        return _words(choice.get("delta", {}).get("content")), choice.get("finish_reason") is not None


def _words(content: Any) -> Any:
    """The words of a content, which some servers give in parts, what was thought aloud among them."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part["type"] == "text")
    return content or ""


def _format(schema: Mapping[str, Any], way: str) -> dict[str, Any]:
    if way == "json_object":  # llama.cpp and its Python server read the schema beside it
        return {"type": "json_object", "schema": dict(schema)}
    plain = without(schema, _LENGTHS)
    return {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": plain}}
