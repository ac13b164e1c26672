"""Both paths with one call: `search(fidelity="deep")` looks into the log where the weights are not sure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from command_line import POTOLA

from neuromem import Memory
from neuromem.engine import Owner
from neuromem.errors import InvalidInput
from neuromem.telling import Call, add_all, heard

DAY = 86_400.0
QUESTION = "what is my dog's name?"


@dataclass
class Clock:
    now: float = 1_770_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def faded() -> Iterator[Memory]:
    """A memory that has forgotten the dog."""
    clock = Clock()
    with Memory(encoder="hash", clock=clock) as memory:
        memory.add(POTOLA, user_id="ana", metadata={"topic": "pets"})
        clock.now += 5_000 * DAY
        memory.sleep()
        assert memory.all("ana") == []
        memory.add("I keep bees.", user_id="ana")
        memory.add("My dog's name is Rex.", user_id="ben")
        yield memory


def test_what_was_forgotten_comes_back_by_itself(faded: Memory) -> None:
    assert POTOLA not in [one.text for one in faded.search(QUESTION, "ana")]
    best = faded.search(QUESTION, "ana", fidelity="deep")[0]
    assert (best.text, best.fidelity, best.metadata) == (POTOLA, "verbatim", {"topic": "pets"})
    assert faded.search(QUESTION, "ana", fidelity="weights")[0].text == POTOLA, "written back"


def test_it_obeys_filters_limit_and_owner(faded: Memory) -> None:
    assert faded.search(QUESTION, "ana", fidelity="deep", filters={"topic": "work"}) == []
    assert faded.search(QUESTION, "ana", fidelity="deep", filters=lambda _: False) == []
    found = faded.search(QUESTION, "ana", fidelity="deep", filters={"topic": "pets"})
    assert [one.text for one in found] == [POTOLA]
    assert len(faded.search(QUESTION, "ana", fidelity="deep", limit=1)) == 1
    assert "Rex" not in str(faded.search(QUESTION, "ana", fidelity="deep"))


def test_filters_choose_before_the_best_of_the_log_are_chosen() -> None:
    clock = Clock()
    with Memory(encoder="hash", clock=clock) as memory:
        for number in range(20):
            memory.add(f"Dog number {number} is a poodle.", "ana", infer=False, metadata={"topic": "zoo"})
        [pet] = memory.add("Rex eats carrots.", "ana", infer=False, metadata={"topic": "pets"})
        clock.now += 5_000 * DAY
        memory.sleep()
        for filters in ({"topic": "pets"}, lambda memory_id: memory_id == pet.id):
            found = memory.search("which dog is a poodle?", "ana", limit=3, fidelity="deep", filters=filters)
            assert [one.text for one in found] == ["Rex eats carrots."]
        assert len(memory.all("ana")) == 1, "what the filters leave out is not written back"


def test_no_time_no_slow_path(faded: Memory) -> None:
    found = faded.search(QUESTION, "ana", fidelity="deep", budget_ms=0)
    assert POTOLA not in [one.text for one in found]


def test_a_sure_answer_reads_no_log(faded: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the log was searched")

    monkeypatch.setattr("neuromem.asking.search_log", never)
    assert faded.search("what is my dog's name?", "ben", fidelity="deep")[0].text == "My dog's name is Rex."
    with pytest.raises(AssertionError):
        faded.search(QUESTION, "ana", fidelity="deep")


def test_what_was_replaced_stays_out_of_the_current_view() -> None:
    with Memory(encoder="hash") as memory:
        memory.add("I live in Porto.", user_id="ana")
        memory.add("I moved to Lisbon.", user_id="ana")
        now = [one.text for one in memory.search("which zebra?", "ana", fidelity="deep")]
        ever = memory.search("which zebra?", "ana", fidelity="deep", current_view=False)
    assert "I live in Porto." not in now
    assert {one.text for one in ever} == {"I live in Porto.", "I moved to Lisbon."}


def test_what_was_replaced_and_forgotten_stays_out_of_it_too() -> None:
    clock = Clock()
    with Memory(encoder="hash", clock=clock) as memory:
        for words in ("I live in Porto.", "I moved to Lisbon.", "I keep bees."):
            memory.add(words, user_id="ana")
        clock.now += 5_000 * DAY
        memory.sleep()
        assert memory.all("ana") == []
        then = memory.at(clock.now)  # only looks: it cannot bring back what the bank has forgotten
        for one in (then, memory):
            now = [item.text for item in one.search("Who lives in Porto?", "ana", fidelity="deep")]
            assert "I moved to Lisbon." in now
            assert "I live in Porto." not in now
            before = one.search("Where did I live before?", "ana", fidelity="deep")
            assert "I live in Porto." in [item.text for item in before], "asked about the past"


def test_what_is_so_again_is_in_it() -> None:
    with Memory(encoder="hash") as memory:
        for words in ("I live in Porto.", "I moved to Lisbon.", "I live in Porto."):
            memory.add(words, user_id="ana")
        current = {one.text for one in memory.all("ana") if not one.superseded_by}
        found = {one.text for one in memory.search("which zebra?", "ana", fidelity="deep")}
        assert found == current


def test_words_that_only_were_heard_stand_for_nothing_that_was_replaced() -> None:
    with Memory(encoder="hash") as memory:
        engine, owner = memory.engine, Owner("user", "ana")
        for words in ("I live in Porto.", "I moved to Lisbon."):
            add_all(engine, owner, [heard(engine, owner, Call.of(engine, words, None, None, True))])
        found = [one.text for one in memory.search("which zebra?", "ana", fidelity="deep")]
        assert found == ["I moved to Lisbon."]


def test_only_a_search_has_both_paths(faded: Memory) -> None:
    with pytest.raises(InvalidInput, match="fidelity"):
        faded.all("ana", fidelity="deep")
