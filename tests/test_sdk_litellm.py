"""litellm, wrapped: a module whose functions remember."""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from llm_server import ScriptedServer
from sdk_llm import QUESTION, SAID, NotingMemory, chat, model, primed_memory

import neuromem

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # its own


@pytest.fixture(scope="module")
def litellm() -> Iterator[Any]:
    """The module; it takes seconds to load, and keeps clients and event loops that it never closes."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it asks the internet else
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("litellm", reason="litellm is wrapped here: pip install litellm")
        yield module
        asyncio.run(module.close_litellm_async_clients())
        module.in_memory_llm_clients_cache.flush_cache()
        gc.collect()


ASK = [{"role": "user", "content": QUESTION}]
EXCHANGE = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": SAID}]


@pytest.fixture
def memory() -> Iterator[NotingMemory]:
    with primed_memory() as memory:
        yield memory


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with model(chat) as server:
        yield server


@pytest.fixture
def llm(litellm: Any, memory: NotingMemory) -> Iterator[Any]:
    with neuromem.wrap(litellm, memory=memory, deadline_s=2.0) as llm:
        yield llm


def test_a_call(llm: Any, server: ScriptedServer, memory: NotingMemory) -> None:
    reply = llm.completion("openai/m", ASK, api_base=server.url, api_key="k", user="ana")
    assert reply.choices[0].message.content == SAID
    assert "Potola" in server.asked[0]["messages"][0]["content"]
    assert llm.neuromem.flush(10)
    assert memory.told == [("ana", EXCHANGE)]


def test_a_stream(llm: Any, server: ScriptedServer, memory: NotingMemory) -> None:
    stream = llm.completion(
        model="openai/m", messages=ASK, api_base=server.url, api_key="k", user="ana", stream=True
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == SAID
    assert llm.neuromem.flush(10)
    assert memory.told == [("ana", EXCHANGE)]


def test_awaited(llm: Any, server: ScriptedServer, memory: NotingMemory) -> None:
    async def use() -> None:
        where = {"api_base": server.url, "api_key": "k", "user": "ana"}
        reply = await llm.acompletion("openai/m", messages=ASK, **where)
        assert reply.choices[0].message.content == SAID
        stream = await llm.acompletion(model="openai/m", messages=ASK, stream=True, **where)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == SAID

    asyncio.run(use())
    assert "Potola" in server.asked[1]["messages"][0]["content"]
    assert llm.neuromem.flush(10)
    assert memory.told == [("ana", EXCHANGE)] * 2


def test_everything_else_is_litellms(llm: Any, litellm: Any) -> None:
    assert llm.token_counter is litellm.token_counter
    assert llm.exceptions is litellm.exceptions
