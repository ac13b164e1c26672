"""Language models, all optional: asked to extract facts, and by the assistant to answer.

`load_llm` makes one from a setting. None of them is needed: without a model facts come from the rules, and
answers from what is recalled.
"""

from __future__ import annotations

from typing import Any

from ..errors import InvalidInput
from .anthropic import AnthropicLLM
from .base import LLM, LLMError, Message, Notice, Pieces, Reply, Stream
from .extraction import Extraction, LLMExtractor
from .llamacpp import LlamaCppLLM
from .openai import OpenAILLM

__all__ = [
    "LLM",
    "AnthropicLLM",
    "Extraction",
    "LLMError",
    "LLMExtractor",
    "LlamaCppLLM",
    "Message",
    "Notice",
    "OpenAILLM",
    "Pieces",
    "Reply",
    "Stream",
    "load_llm",
]

SPECS = "openai:MODEL, openai:MODEL@URL, anthropic:MODEL, gguf:PATH, or the path of a .gguf file"


def load_llm(spec: str | LLM, *, api_key: str | None = None, **settings: Any) -> LLM:
    """The model that a setting names; a local one is loaded when it is first used.

    Args:
        spec: "openai:MODEL@URL" (any OpenAI-compatible endpoint; without "@URL" OPENAI_BASE_URL, or OpenAI),
            "anthropic:MODEL" (likewise), "gguf:PATH" or the path of a .gguf file, or a model, given back.
        api_key: None takes OPENAI_API_KEY or ANTHROPIC_API_KEY.
        settings: further arguments of the model's class, such as `context_tokens`.

    Raises:
        InvalidInput: it can be no model, or a key is missing.
        NotFound: no such file.
        MissingDependency: a package that the model needs is not installed.
    """
    if not isinstance(spec, str):
        lacking = {"name", "generate", "stream", "count"} - set(dir(spec))
        if lacking:
            problem = f"{type(spec).__name__} has no {' and no '.join(sorted(lacking))}"
            raise InvalidInput("llm", problem, f"give {SPECS}, or an object that is an LLM")
        return spec
    kind, colon, rest = spec.partition(":")
    if colon and kind in ("openai", "anthropic"):
        model, at, address = rest.rpartition("@http")  # a model's own name may hold an @
        url = f"http{address}" if at else None
        remote = OpenAILLM if kind == "openai" else AnthropicLLM
        return remote(model if at else rest, url, api_key, **settings)
    if (kind == "gguf" and rest) or spec.casefold().endswith(".gguf"):
        return LlamaCppLLM(rest if kind == "gguf" else spec, **settings)
    raise InvalidInput("llm", f"{spec!r} is not known", f"give {SPECS}")
