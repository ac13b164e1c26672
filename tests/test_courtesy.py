"""An add that is under way pauses between its steps while others search: briefly, and never for its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import anyio
import pytest

from neuromem import Memory
from neuromem.config import ServerConfig
from neuromem.courtesy import give_way, giving_way
from neuromem.server.limits import Gate
from neuromem.server.turns import PAUSE_S, Turns


def order_of(searching: str, telling: str, searched_s: float) -> list[str]:
    """What ends first: an add that asks once between its steps, or a search that began before it.

    Args:
        searched_s: seconds after which the search ends by itself; it ends as soon as the add is done.
    """
    config, told, begun, ended = ServerConfig(threads=2), threading.Event(), threading.Event(), list[str]()
    turns = Turns(config, Gate(config))

    def search() -> None:
        begun.set()
        told.wait(searched_s)
        ended.append("search")

    def add() -> None:
        give_way()
        ended.append("add")
        told.set()

    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(turns.run, "search", searching, search))
            await anyio.to_thread.run_sync(begun.wait)
            tasks.start_soon(partial(turns.run, "add", telling, add))

    anyio.run(run)
    return ended


def test_an_add_waits_until_others_have_their_answers() -> None:
    assert order_of("user:ana", "user:ben", PAUSE_S / 2) == ["search", "add"]


@pytest.mark.parametrize("searching", ["user:ben", "*"])
def test_an_add_does_not_wait_for_who_waits_for_it(searching: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search of the same owner, or of all of them, needs the very bank that is written to."""
    monkeypatch.setattr("neuromem.server.turns.PAUSE_S", 60.0)
    assert order_of(searching, "user:ben", 30.0) == ["add", "search"]


@pytest.mark.parametrize(
    ("searching", "telling", "may_meet"),
    [
        ("agent:bot", "user:ana", True),
        ("run:talk", "user:ana", True),
        ("run:talk", "app:notes", True),
        ("user:ben", "agent:bot", False),
        ("agent:other", "agent:bot", False),
        ("app:notes", "app:others", False),
    ],
)
def test_an_add_does_not_wait_for_a_search_that_finds_its_owner_by_another_name(
    searching: str, telling: str, may_meet: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A memory of a user that was told under an agent's name, too, lies in the user's bank."""
    monkeypatch.setattr("neuromem.server.turns.PAUSE_S", 60.0)
    first = "add" if may_meet else "search"
    assert order_of(searching, telling, 2.0)[0] == first


def test_an_add_does_not_wait_for_ever() -> None:
    assert order_of("user:ana", "user:ben", 60.0) == ["add", "search"]


def test_writing_gives_way_and_writes_the_same() -> None:
    """Whoever waits in between, the slots have the same bits."""
    asked = list[None]()

    def written(wait: Callable[[], None]) -> list[bytes]:
        with Memory(encoder="hash", clock=lambda: 1_700_000_000.0) as memory:
            with giving_way(wait):
                memory.add("My sister Runa lives in Bergen", user_id="ana")
            with memory.engine.owners.use("user:ana") as open_:
                bank = open_.bank
                return [bank.key.numpy().tobytes(), bank.value.numpy().tobytes()]

    plain = written(lambda: None)
    assert written(lambda: asked.append(None)) == plain
    assert len(asked) >= 2


def test_who_gave_way_does_not_afterwards() -> None:
    asked = list[None]()
    with giving_way(lambda: asked.append(None)):
        give_way()
    give_way()
    assert len(asked) == 1
