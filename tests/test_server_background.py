"""What a server does by itself goes on, whatever goes wrong with one owner or in one round."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import neuromem.server.background as background
from neuromem import Memory
from neuromem.errors import StoreCorrupt
from neuromem.server.background import Background
from neuromem.server.desk import Desk
from neuromem.server.events import Events
from neuromem.server.keys import Keys
from neuromem.server.service import Service

USERS = ("ana", "ben", "cleo")


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Background]:
    monkeypatch.setattr(background, "TICK_S", 0.01)
    service = Service(Memory(encoder="hash"), Desk(None))
    for user in USERS:
        service.memory.add("My dog's name is Potola", user)
    settings = replace(service.memory.config.server, sleep_every_s=0.02)
    made = Background(service, Events(service.desk, service.engine.clock), Keys(service.desk), settings)
    yield made
    made.stop(20)
    service.close()


def asleep(work: Background) -> list[str]:
    log = work.service.engine.log
    return [user for user in USERS if log.get(f"user:{user}", log.length(f"user:{user}") - 1).kind == "sleep"]


@pytest.mark.parametrize("error", [StoreCorrupt("record 0 of 'user:ana' is damaged"), KeyError("a bug")])
def test_one_who_cannot_sleep_keeps_nobody_awake(
    work: Background,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    piece = work._piece

    def damaged(name: str, now: float) -> dict[str, int]:
        if name == "user:ana":
            raise error
        return piece(name, now)

    monkeypatch.setattr(work, "_piece", damaged)
    done = work.sleep()
    assert (done["owners"], done["failed"]) == (2, 1)
    assert asleep(work) == ["ben", "cleo"]
    assert ["could not be put to sleep" in message for message in caplog.messages] == [True]
    assert "ana" not in " ".join(caplog.messages)


def test_a_round_that_goes_wrong_is_not_the_last(work: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    log = work.service.engine.log
    owners, calls = log.owners, iter(range(1_000_000))

    def once_wrong() -> list[str]:
        if next(calls) == 0:
            raise KeyError("any bug, once")
        return owners()

    def no_models(*_: Any, **__: Any) -> None:
        raise RuntimeError("no memory for the models")

    monkeypatch.setattr(log, "owners", once_wrong)
    monkeypatch.setattr(background, "warm", no_models)
    work.start()
    deadline = time.monotonic() + 20
    while len(asleep(work)) < len(USERS) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert asleep(work) == list(USERS)


def test_what_is_tidied_and_what_sleeps_do_not_wait_for_each_other(
    work: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise StoreCorrupt("the desk is damaged")

    monkeypatch.setattr(work, "tidy", full)
    work.start()
    deadline = time.monotonic() + 20
    while len(asleep(work)) < len(USERS) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert asleep(work) == list(USERS)
