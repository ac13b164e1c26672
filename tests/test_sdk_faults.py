"""What goes wrong in one call through a wrapped client stays with that call, and is said plainly."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("openai", reason="the SDK of OpenAI is wrapped here: pip install openai")

import openai
from llm_server import ScriptedServer
from sdk_llm import ASK, NotingMemory, chat, model, plain, primed_memory

import neuromem
from neuromem.sdk.sidecar import Sidecar
from neuromem.sdk.wire import ServiceError

NO_NAME = "x" * 300  # longer than the name of an owner may be


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with model(chat) as server:
        yield server


# --- one owner beside others ------------------------------------------------------------------------


def test_an_owner_that_cannot_be_costs_nobody_else_the_memory(server: ScriptedServer) -> None:
    with primed_memory() as memory:
        client = neuromem.wrap(plain(server), memory=memory, deadline_s=5.0)
        for _ in range(10):
            client.chat.completions.create(model="m", messages=ASK, user=NO_NAME)
        client.chat.completions.create(model="m", messages=ASK, user="ana")
        client.neuromem.flush(10)
        assert "Potola" in server.asked[-1]["messages"][0]["content"]
        assert (client.neuromem.stats.failed, client.neuromem.stats.skipped) == (20, 0)


@pytest.mark.parametrize(("status", "skips"), [(403, False), (422, False), (401, True), (500, True)])
def test_a_service_that_says_no_to_one_call_is_asked_for_the_next(status: int, skips: bool) -> None:
    class Refusing:
        patience_s = 0.0

        def recall(self, *_: str) -> Any:
            raise ServiceError("refused", "no", status)

        def close(self) -> None: ...

    sidecar = Sidecar(Refusing(), None, 1.0, 10)  # type: ignore[arg-type]
    for _ in range(10):
        assert sidecar.recall("?", "ana") is None
    assert (sidecar.stats.skipped > 0) == skips


# --- a recall that comes too late -------------------------------------------------------------------


class Late(NotingMemory):
    """A memory that fails after the deadline."""

    def search(self, *_: Any, **__: Any) -> Any:
        time.sleep(1.0)
        raise RuntimeError("late")


@pytest.mark.parametrize("stays_s", [0.0, 1.3], ids=["the loop is closed by then", "the loop goes on"])
def test_an_error_after_the_deadline_leaves_no_traceback(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture, stays_s: float
) -> None:
    async def use() -> None:
        inner = openai.AsyncOpenAI(base_url=server.url, api_key="k", max_retries=0)
        client = neuromem.wrap(inner, memory=memory, user_id="ana", deadline_s=0.02)
        await client.chat.completions.create(model="m", messages=ASK)
        await inner.close()
        await asyncio.sleep(stays_s)
        assert client.neuromem.stats.timed_out == 1

    with Late() as memory, caplog.at_level(logging.ERROR):
        memory.told = []
        asyncio.run(use())
        time.sleep(1.3)
        gc.collect()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_late_recall_is_said_in_words(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    with Late() as memory, caplog.at_level(logging.WARNING, "neuromem.sdk"):
        memory.told = []
        client = neuromem.wrap(plain(server), memory=memory, user_id="ana", deadline_s=0.02)
        client.chat.completions.create(model="m", messages=ASK)
        client.neuromem.close()
    assert "recall: TimeoutError: no answer in time" in caplog.text
