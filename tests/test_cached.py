"""Deletes reach what was worked out of texts, also where one object keeps it; with that its caches go."""

from __future__ import annotations

import gc

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.assistant.judging import RuleJudge
from neuromem.cached import CACHES, forget_texts
from neuromem.config import ContextConfig
from neuromem.context import ContextBuilder
from neuromem.sdk.block import Blocks

PIN = "My bank PIN is 4711."


def judge_of(assistant: Assistant) -> RuleJudge:
    judge = assistant._responder._judge
    rules = getattr(judge, "_other", judge)
    assert isinstance(rules, RuleJudge)
    return rules


def test_the_judge_of_an_assistant_forgets_deleted_words() -> None:
    with Memory() as memory, Assistant(memory, "ana") as assistant:
        assistant.reply(PIN)
        assert "4711" in assistant.reply("What is my bank PIN?").text
        assert any("4711" in text for text in judge_of(assistant)._known)
        memory.delete([recall.id for recall in memory.all(user_id="ana")])
        assert not judge_of(assistant)._known
        assistant.reply("I live in Porto.")
        assert "Porto" in assistant.reply("Where do I live?").text


def test_builders_of_prompts_and_blocks_forget_texts() -> None:
    builder, blocks = ContextBuilder(), Blocks(ContextConfig())
    builder.build(turn=PIN, history=[{"role": "user", "content": PIN}])
    blocks._count(PIN)
    kept = [builder._cached, builder._planner.gists, blocks._count]
    assert all(cache.cache_info().currsize for cache in kept)  # type: ignore[attr-defined]
    forget_texts()
    assert not any(cache.cache_info().currsize for cache in kept)  # type: ignore[attr-defined]


def test_the_caches_of_an_object_go_with_it() -> None:
    gc.collect()
    before = len(CACHES)
    builder = ContextBuilder()
    assert len(CACHES) > before
    del builder
    gc.collect()
    assert len(CACHES) == before
