"""Whose memory it is, and the metadata that comes along."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from conftest import FakeClock

from neuromem import Memory
from neuromem.errors import NotFound
from neuromem.owners import OpenOwner, Owners

POTOLA = "My dog's name is Potola"


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        yield memory


def tell(memory: Memory, text: str, user_id: str = "ana", **more: Any) -> str:
    """Adds one fact as it is; returns its id."""
    (written,) = memory.add(text, user_id=user_id, infer=False, **more)
    return written.id


# --- owners ------------------------------------------------------------------------------------


def test_the_words_of_two_users_never_mix(memory: Memory) -> None:
    ana, ben = tell(memory, POTOLA, "ana"), tell(memory, POTOLA, "ben")
    tell(memory, "The code of the garage is 4711", "ben")
    assert ana != ben
    assert [recall.id for recall in memory.search("garage code 4711", user_id="ana")] == [ana]
    assert {recall.id for recall in memory.all(user_id="ana")} == {ana}
    memory.delete_all(user_id="ben")
    assert memory.get(ana).text == POTOLA


def test_a_user_an_agent_and_a_run_of_one_name_are_three_owners(memory: Memory) -> None:
    memory.add(POTOLA, user_id="x")
    memory.add("I like tea", agent_id="x")
    memory.add("The build is green", run_id="x")
    assert [recall.text for recall in memory.all(user_id="x")] == [POTOLA]
    assert [recall.text for recall in memory.all(agent_id="x")] == ["I like tea"]
    assert [recall.text for recall in memory.all(run_id="x")] == ["The build is green"]
    assert memory.users() == ["x"]


def test_the_user_goes_before_the_agent_and_the_agent_before_the_run(memory: Memory) -> None:
    memory.add(POTOLA, user_id="u", agent_id="a", run_id="r")
    memory.add("I like tea", agent_id="a", run_id="r")
    assert len(memory.all(user_id="u")) == len(memory.all(agent_id="a")) == 1
    assert memory.all(run_id="r") == []


@pytest.mark.parametrize("name", ["a:b", "user:ana", "../../x", "ana\n", "🐕", "x" * 256, "Ana", "'; --"])
def test_any_name_will_do(memory: Memory, name: str) -> None:
    tell(memory, POTOLA, name)
    tell(memory, "Something else", "ana")
    assert [recall.text for recall in memory.all(user_id=name)] == [POTOLA]
    assert name in memory.users()


TWO_SLOTS = {"bank": {"max_slots": 2, "when_full": "refuse"}}


def test_every_owner_has_a_budget_of_their_own(fake_clock: FakeClock) -> None:
    with Memory(encoder="hash", clock=fake_clock, config=TWO_SLOTS) as memory:
        for user in ("ana", "ben", "cem"):
            memory.add("I like tea", user_id=user)
            memory.add("I like coffee", user_id=user)
        assert [len(memory.bank(user)) for user in memory.users()] == [2, 2, 2]


# --- metadata ----------------------------------------------------------------------------------

METADATA = {
    "topic": "pets",
    "n": 3,
    "x": 0.5,
    "flag": True,
    "none": None,
    "list": [1, "a"],
    "nested": {"ü": "🐕"},
}


def test_metadata_comes_back_as_it_was_given_everywhere(memory: Memory) -> None:
    id_ = tell(memory, POTOLA, metadata=METADATA)
    assert memory.get(id_).metadata == METADATA
    assert memory.all(user_id="ana")[0].metadata == METADATA
    assert memory.search("dog", user_id="ana")[0].metadata == METADATA
    assert memory.deep("dog", user_id="ana")[0].metadata == METADATA
    assert memory.history(id_)[0]["metadata"] == METADATA


def test_metadata_survives_an_update_and_being_heard_again(memory: Memory) -> None:
    id_ = tell(memory, POTOLA, metadata={"topic": "pets"})
    memory.update(id_, "My dog's name is Bello")
    assert memory.get(id_).metadata == {"topic": "pets"}
    tell(memory, "My dog's name is Bello")
    assert memory.get(id_).metadata == {"topic": "pets"}
    tell(memory, "My dog's name is Bello", metadata={"source": "vet"})
    assert memory.get(id_).metadata == {"topic": "pets", "source": "vet"}


def test_filters_pick_by_metadata(memory: Memory) -> None:
    for number in range(60):
        tell(memory, f"Fact number {number} about apples", metadata={"even": number % 2 == 0, "n": number})
    found = memory.search("fact about apples", user_id="ana", limit=40, filters={"even": True})
    assert len(found) == 30
    assert all(recall.metadata["even"] for recall in found)
    (last,) = memory.search("fact about apples", user_id="ana", filters={"n": 59})
    assert last.text == "Fact number 59 about apples"
    assert memory.search("apples", user_id="ana", filters={"colour": "red"}) == []


# --- ids that others bear, or nobody -----------------------------------------------------------


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the owners that were read from their snapshots or logs."""
    names: list[str] = []
    load = Owners._load

    def counted(owners: Owners, name: str) -> OpenOwner:
        names.append(name)
        return load(owners, name)

    monkeypatch.setattr(Owners, "_load", counted)
    return names


def test_an_id_that_nobody_has_opens_no_bank(fake_clock: FakeClock, loads: list[str]) -> None:
    with Memory(config={"bank": {"open_banks": 2}}, encoder="hash", clock=fake_clock) as memory:
        written = [memory.add("I live in Porto", user_id=f"user{number}")[0] for number in range(12)]
        loads.clear()
        nobodys = str(UUID(int=7))
        for look in (memory.get, memory.delete, memory.history, lambda id_: memory.update(id_, "x")):
            with pytest.raises(NotFound):
                look(nobodys)
        assert loads == []
        assert memory.get(written[3].id).text == "I live in Porto"
        assert loads == ["user:user3"]


def test_an_id_that_was_brought_along_is_found_among_all_owners(memory: Memory, tmp_path: Path) -> None:
    """Also when its first owner is there again, and when the one who has it was deleted in between."""
    (written,) = memory.add("I live in Porto", user_id="ana")
    file = memory.export(tmp_path / "ana.jsonl", user_id="ana")
    memory.delete_all(user_id="ana")
    for _ in range(2):
        memory.add("I play chess", user_id="ben")
        with pytest.raises(NotFound):
            memory.get(written.id)
        memory.import_(file, user_id="ben")
        assert memory.get(written.id).text == "I live in Porto"
        assert memory.history(written.id)
        memory.delete_all(user_id="ben")
        memory.add("I have a cat", user_id="ana")
    memory.add("I play chess", user_id="ben")
    memory.import_(file, user_id="ben")
    memory.delete(written.id)
    assert [recall.text for recall in memory.all(user_id="ben")] == ["I play chess"]
