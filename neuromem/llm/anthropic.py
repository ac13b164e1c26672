"""Anthropic's messages API."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from .base import LLMError, Reply, Request
from .http import Endpoint
from .remote import RemoteLLM, without

__all__ = ["AnthropicLLM"]

ANTHROPIC_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"
TOOL = "reply"  # through which a model without JSON schemas is made to answer in JSON
_LIMITS = ("minLength", "maxLength", "minItems", "maxItems")  # its strict schemas know none of these


class AnthropicLLM(RemoteLLM):
    """A model behind Anthropic's messages API."""

    kind = "anthropic"
    path = "/v1/messages"
    options = (
        ("schema", ("format", "tool", "none"), ("output_config", "format", "schema", "tool")),
        ("temperature", ("given", "none"), ("temperature",)),
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
            base_url: without "/v1"; None takes ANTHROPIC_BASE_URL, or Anthropic itself.
            api_key: None takes ANTHROPIC_API_KEY.
            context_tokens: of prompt and answer together, where known.

        Raises:
            InvalidInput: no model, not a URL, or no key for Anthropic.
            MissingDependency: httpx is not installed.
        """
        if not model.strip():
            raise InvalidInput("model", "is blank", "name one, such as anthropic:claude-haiku-4-5")
        url = base_url or os.environ.get("ANTHROPIC_BASE_URL") or ANTHROPIC_URL
        key = api_key or os.environ.get("ANTHROPIC_API_KEY", "")
        if not key and url.startswith(ANTHROPIC_URL):
            raise InvalidInput("api_key", "is missing", "give api_key, or set ANTHROPIC_API_KEY")
        headers = {"anthropic-version": VERSION} | ({"x-api-key": key} if key else {})
        super().__init__(
            model, Endpoint(url.rstrip("/").removesuffix("/v1"), headers, (key,)), context_tokens
        )

    def _body(self, request: Request, streaming: bool, ways: Mapping[str, str]) -> dict[str, Any]:
        system = "\n\n".join(one["content"] for one in request.messages if one["role"] == "system")
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [one for one in request.messages if one["role"] != "system"],
            "max_tokens": request.max_tokens,
        }
        optional = {"system": system, "stop_sequences": list(request.stop), "stream": streaming}
        body |= {key: value for key, value in optional.items() if value}
        if ways["temperature"] == "given":
            body["temperature"] = request.temperature
        return body | _format(request.schema, ways["schema"])

    def _reply(self, answer: Mapping[str, Any]) -> Reply:
        if answer.get("stop_reason") == "refusal":
            raise LLMError("refused", f"{self.name}: the model declines")
        text = "".join(_text(block) for block in answer["content"])
        usage = answer.get("usage") or {}
        finish = "length" if answer.get("stop_reason") == "max_tokens" else "stop"
        return Reply(text, finish, usage.get("input_tokens"), usage.get("output_tokens"))

    def _piece(self, event: Mapping[str, Any]) -> tuple[str, bool]:
        delta = event.get("delta") or {}
        if delta.get("stop_reason") == "refusal":
            raise LLMError("refused", f"{self.name}: the model declines")
        piece = delta.get("text") or delta.get("partial_json") or ""
        return piece, event.get("type") == "message_stop"


def _format(schema: Mapping[str, Any] | None, way: str) -> dict[str, Any]:
    if schema is None or way == "none":
        return {}
    if way == "format":
        return {"output_config": {"format": {"type": "json_schema", "schema": without(schema, _LIMITS)}}}
    tool = {"name": TOOL, "description": "Takes your answer.", "input_schema": dict(schema)}
    return {"tools": [tool], "tool_choice": {"type": "tool", "name": TOOL}}


def _text(block: Mapping[str, Any]) -> str:
    if block["type"] == "tool_use":
        return json.dumps(block["input"], ensure_ascii=False)
    return str(block["text"]) if block["type"] == "text" else ""
