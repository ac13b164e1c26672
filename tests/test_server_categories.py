"""Categories come from the keys in the bank: at no cost worth naming, and mostly right."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from neuromem import Memory
from neuromem.errors import InvalidInput
from neuromem.server.categories import DEFAULT, definitions
from neuromem.server.desk import Desk
from neuromem.server.entries import Ids
from neuromem.server.filters import parse
from neuromem.server.service import Service

PLAIN = {
    "My daughter Emma is five": "family",
    "I am allergic to peanuts": "health",
    "We flew to Japan last spring": "travel",
    "I listen to jazz while working": "music",
    "I bought red sneakers": "fashion",
    "I collect stamps": "hobbies",
    "My phone number is 555-0199": "personal_details",
    "I work as a data engineer at Acme": "professional_details",
    "The quick brown fox jumps": "misc",
}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    made = Service(Memory(config={"forgetting": {"decay": "none"}}), Desk(None))
    for said in PLAIN:
        made.add(Ids("ana"), said, infer=False)
    yield made
    made.close()


def test_plain_facts_are_sorted_as_anybody_would(service: Service) -> None:
    found = {
        item.text: item.entry.categories for item in service.read(service.entries(parse({"user_id": "ana"})))
    }
    assert {said: names[0] for said, names in found.items()} == PLAIN
    assert all(1 <= len(names) <= 2 and set(names) <= set(DEFAULT) for names in found.values())


def test_they_cost_a_memory_less_than_two_milliseconds(service: Service) -> None:
    with service.engine.owners.use("user:ana") as open_:
        ids = open_.bank.ids()
        service.categories.of(open_.bank, ids)  # the descriptions are encoded once
        times = []
        for _ in range(20):
            started = time.perf_counter()
            service.categories.of(open_.bank, ids)
            times.append((time.perf_counter() - started) / len(ids))
    assert sorted(times)[10] < 0.002


@pytest.mark.parametrize("given", [None, []])
def test_no_definitions_are_none(given: object) -> None:
    assert definitions(given) is None


def test_definitions_come_as_objects_or_names() -> None:
    assert definitions([{"a": "x", "b": "y"}, "c"]) == {"a": "x", "b": "y", "c": ""}
    for wrong in ("a", {"a": "b"}, [7], [{"a": 7}], [""], [{"a": "x" * 3_000}], [str(n) for n in range(101)]):
        with pytest.raises(InvalidInput, match="custom_categories"):
            definitions(wrong)
