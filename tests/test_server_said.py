"""Filters that look at words read memories together, and only when words are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from neuromem import Memory
from neuromem.server import said
from neuromem.server.desk import Desk
from neuromem.server.entries import Ids
from neuromem.server.filters import parse
from neuromem.server.service import Search, Service

ANA = {"user_id": "ana"}


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service(Memory(encoder="hash", config={"forgetting": {"decay": "none"}}), Desk(None))
    told = [
        {"role": "user", "content": f"Entry {number} is about topic {number % 5}"} for number in range(40)
    ]
    made.add(Ids(user="ana"), told, infer=False)
    made.add(Ids(user="ana"), "Entry 99 is about topic 3", infer=False, metadata={"alone": True})
    yield made
    made.close()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many memories were read, at each time."""
    counts: list[int] = []
    look = said.look

    def counting(engine: Any, open_: Any, ids: Any, fidelity: str) -> Any:
        counts.append(len(ids))
        return look(engine, open_, ids, fidelity)

    monkeypatch.setattr(said, "look", counting)
    return counts


def test_a_list_by_words_reads_many_at_once(service: Service, looks: list[int]) -> None:
    found = service.entries(parse(ANA | {"keywords": {"contains": "topic 3"}}))
    assert len(found) == 9
    assert looks == [1] * said.ALONE + [28, 5]


def test_a_search_by_words_reads_many_at_once(service: Service, looks: list[int]) -> None:
    wanted = Search("entry", parse(ANA | {"keywords": {"icontains": "TOPIC 3"}}), limit=50)
    assert {item.text.rpartition(" ")[2] for item in service.search(wanted)} == {"3"}
    assert sum(looks) <= 41, "none is read twice"
    assert len(looks) <= said.ALONE + 5


def test_where_few_are_asked_for_most_are_not_read(service: Service, looks: list[int]) -> None:
    """Of 50,000 all would take seconds, with their owner held."""
    told = [{"role": "user", "content": f"Thing {number} is about topic 3"} for number in range(160)]
    service.add(Ids(user="ana"), told, infer=False)
    wanted = Search("Thing 7 is about topic 3", parse(ANA | {"keywords": {"contains": "topic 3"}}), limit=10)
    assert len(service.search(wanted)) == 10
    assert sum(looks) <= said.AHEAD * (wanted.limit + said.ALONE)


def test_an_owner_is_not_held_for_long(
    service: Service, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(said, "AT_ONCE", 10)
    assert len(service.entries(parse(ANA | {"keywords": {"contains": "topic 3"}}))) == 9
    assert max(looks) == 10
    assert sum(looks) == 41


def test_where_another_condition_leaves_one_only_that_is_read(service: Service, looks: list[int]) -> None:
    narrow = parse(ANA | {"metadata": {"alone": True}, "keywords": {"contains": "topic"}})
    assert len(service.entries(narrow)) == 1
    assert looks == [1]


def test_without_words_nothing_is_read(service: Service, looks: list[int]) -> None:
    assert len(service.entries(parse(ANA))) == 41
    assert looks == []
