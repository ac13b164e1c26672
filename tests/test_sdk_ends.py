"""The end of a memory, of a wrapped client and of the program: the last words are told before it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai", reason="the SDK of OpenAI is wrapped here: pip install openai")

from sdk_llm import POTOLA, NotingMemory, chat, model, noting_memory, plain

import neuromem
from neuromem import Memory

HERE = Path(__file__).parent
SAY = [{"role": "user", "content": POTOLA}]


class SlowToTell(NotingMemory):
    """A real memory that takes its time."""

    def add(self, *args: Any, **more: Any) -> Any:
        time.sleep(0.2)
        return super().add(*args, **more)


@pytest.fixture
def inner() -> Iterator[Any]:
    with model(chat) as server:
        yield plain(server)


def ask(client: Any, times: int = 1) -> None:
    for _ in range(times):
        client.chat.completions.create(model="m", messages=SAY)


def test_a_memory_that_is_closed_is_told_first_what_was_said(inner: Any) -> None:
    with SlowToTell() as memory:
        memory.told = []
        client = neuromem.wrap(inner, memory=memory, user_id="ana")
        ask(client, 3)
    assert client.neuromem.stats.ingested == len(memory.told) == 3
    assert client.neuromem.stats.failed == 0


def test_a_memory_waits_for_no_client_without_end(inner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuromem.sdk.store.MemoryStore.patience_s", 0.2)
    goes_on = threading.Event()
    memory = noting_memory()
    monkeypatch.setattr(memory, "add", lambda *_, **__: goes_on.wait())
    client = neuromem.wrap(inner, memory=memory, user_id="ana")
    ask(client)
    started = time.monotonic()
    memory.close()
    memory.close()
    assert time.monotonic() - started < 10
    goes_on.set()
    client.neuromem.close()


class Slow:
    """Has always more to tell."""

    def tell_rest(self, timeout_s: float) -> None:
        time.sleep(timeout_s)


def test_many_clients_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuromem.engine.PATIENCE_S", 0.5)
    memory, clients = noting_memory(), [Slow() for _ in range(20)]
    for client in clients:
        memory.engine.waits_for(client)
    started = time.monotonic()
    memory.close()
    assert 0.5 <= time.monotonic() - started < 5


def test_who_does_not_want_to_wait_closes_the_memory_all_the_same(tmp_path: Path) -> None:
    class Stopped:
        def tell_rest(self, timeout_s: float) -> None:
            raise KeyboardInterrupt

    memory, client = Memory(tmp_path, encoder="hash"), Stopped()
    memory.engine.waits_for(client)
    with pytest.raises(KeyboardInterrupt):
        memory.close()
    Memory(tmp_path, encoder="hash").close()  # nobody is writing to it


def test_words_that_are_lost_are_told_of(inner: Any, caplog: pytest.LogCaptureFixture) -> None:
    with SlowToTell() as memory:
        memory.told = []
        client = neuromem.wrap(inner, memory=memory, user_id="ana", deadline_s=5.0)
        ask(client, 4)
        client.neuromem.close(0.01)
    assert client.neuromem.stats.dropped >= 2
    assert f"{client.neuromem.stats.dropped} exchanges" in caplog.text


COLD = """
import sys, openai, neuromem
memory = neuromem.Memory(sys.argv[2])
client = neuromem.wrap(openai.OpenAI(base_url=sys.argv[1], api_key="k"), memory=memory, user_id="ana")
client.chat.completions.create(model="m", messages=[{"role": "user", "content": "My dog's name is Potola"}])
"""


@pytest.mark.slow
def test_a_program_that_ends_while_the_networks_load(tmp_path: Path) -> None:
    store = str(tmp_path / "memory")
    with model(chat) as llm:
        command = [sys.executable, "-c", COLD, llm.url, store]
        done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with Memory(store) as memory:
        assert [one.text for one in memory.all("ana")] == [POTOLA]


FORKED = """
import os, threading, time
from neuromem.sdk.workers import Workers
goes_on = threading.Event()
workers = Workers("tests", 1, 10)
workers.submit(goes_on.wait)
time.sleep(0.2)
child = os.fork()
if child == 0:
    started = time.monotonic()
    done = workers.flush(20)
    os._exit(done or time.monotonic() - started > 5)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
goes_on.set()
assert workers.flush(10)
raise SystemExit(code)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_fork_does_not_wait_for_threads_that_it_has_not() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], cwd=HERE.parent, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr


HELD = """
import os, signal, threading
from neuromem.sdk.workers import Workers
held, goes_on = threading.Event(), threading.Event()
workers = Workers("tests", 1, 10)

def hold():
    with workers._changed:  # as a worker does while it takes work
        held.set()
        goes_on.wait()

threading.Thread(target=hold).start()
held.wait()
child = os.fork()
if child == 0:
    signal.alarm(10)
    done = workers.submit(lambda: 7).result(5)
    os._exit(done != 7 or not workers.flush(5))
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
goes_on.set()
raise SystemExit(code != 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_fork_works_whoever_held_the_queue_then() -> None:
    """It hung in the first call, when it came right behind one that had words to tell."""
    done = subprocess.run([sys.executable, "-c", HELD], cwd=HERE.parent, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
