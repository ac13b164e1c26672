"""The conscious set: what matters most, as it is now, the same for the same bank, and at once."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
import torch
from conftest import FakeClock

from neuromem import Memory
from neuromem.bench.generated import personal_facts
from neuromem.bench.speed import clustered, fill
from neuromem.conscious import essentials

ESSENTIAL = ["My name is Ana.", "I am allergic to peanuts.", "I live in Porto.", "I work as a nurse."]
LASTING = ["I like tea.", "My favourite colour is green."]
PASSING = ["I had soup for lunch.", "The bus was late this morning.", "I bought a purple umbrella."]


@pytest.fixture
def memory(fake_clock: FakeClock) -> Memory:
    return Memory(encoder="hash", clock=fake_clock, config={"context": {"essentials": 12}})


def tell(memory: Memory, *facts: str, user: str = "ana") -> None:
    memory.add([{"role": "user", "content": fact} for fact in facts], user_id=user, infer=False)


def said(memory: Memory, user: str = "ana") -> list[str]:
    return [recall.text for recall in memory.conscious(user_id=user)]


def test_it_holds_who_somebody_is_and_what_they_like_but_nothing_passing(memory: Memory) -> None:
    tell(memory, *PASSING, *LASTING, *ESSENTIAL)
    assert set(said(memory)) == {*ESSENTIAL, *LASTING}
    assert set(said(memory)[:4]) == set(ESSENTIAL)


def test_what_is_often_recalled_joins_it_at_the_next_sleep(memory: Memory, fake_clock: FakeClock) -> None:
    tell(memory, *PASSING)
    assert said(memory) == []
    for _ in range(10):
        fake_clock.advance(hours=1)
        memory.search("what umbrella did I buy?", user_id="ana", limit=1)
    memory.sleep()
    assert said(memory) == ["I bought a purple umbrella."]


def test_it_is_never_more_than_the_setting_and_keeps_places_for_preferences(memory: Memory) -> None:
    tell(memory, *LASTING)
    tell(
        memory, *(f"I am allergic to {food}." for food in "rye egg milk fish soy nuts kiwi plum oats".split())
    )
    tell(memory, *(f"My sister {name} is a nurse." for name in "Ada Bea Cleo Dora Edda Fee".split()))
    found = said(memory)
    assert len(found) == 12
    assert set(LASTING) < set(found)


def test_what_is_told_is_there_at_once_and_what_is_deleted_or_replaced_is_gone(memory: Memory) -> None:
    tell(memory, "I live in Porto.")
    assert said(memory) == ["I live in Porto."]
    [written] = memory.add("My name is Ana.", user_id="ana")
    assert set(said(memory)) == {"My name is Ana.", "I live in Porto."}
    memory.add("I moved to Dallas.", user_id="ana")
    assert "I live in Porto." not in said(memory)
    memory.delete(written.id)
    assert "My name is Ana." not in said(memory)


def test_what_has_faded_away_is_not_in_it(memory: Memory, fake_clock: FakeClock) -> None:
    tell(memory, *LASTING)
    assert said(memory)
    fake_clock.advance(days=4_000)
    assert said(memory) == []


def test_each_owner_has_their_own(memory: Memory) -> None:
    tell(memory, "My name is Ana.")
    tell(memory, "My name is Ben.", user="ben")
    assert said(memory) == ["My name is Ana."]
    assert said(memory, "ben") == ["My name is Ben."]
    memory.delete_all(user_id="ana")
    assert said(memory) == []
    assert said(memory, "ben") == ["My name is Ben."]


def test_it_only_looks_and_is_the_same_when_asked_again_or_opened_again(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        tell(memory, *PASSING, *LASTING, *ESSENTIAL)
        first = memory.conscious(user_id="ana")
        assert memory.conscious(user_id="ana") == first
        assert [recall.strength for recall in memory.all(user_id="ana")] == [1.0] * 9
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        assert memory.conscious(user_id="ana") == first


def test_it_takes_less_than_a_millisecond_with_10_000_slots(memory: Memory) -> None:
    facts = personal_facts(200)
    tell(memory, *(fact.text for fact in facts))
    bank = memory.bank("ana")
    fill(bank, clustered(10_000 - len(bank), bank.key_width, 0), memory.engine.now_ms())
    bank.meaning[200:] = torch.arange(200, bank.capacity)  # gists of their own
    assert len(bank) == 10_000
    taken = []
    for place, fact in enumerate(facts[:60]):
        if place % 10 == 0:
            memory.search(fact.question, user_id="ana")
        started = time.perf_counter()
        assert len(memory.conscious(user_id="ana")) == 12
        taken.append(time.perf_counter() - started)
    assert sorted(taken)[30] < 1e-3


def test_after_a_write_only_the_rows_that_changed_are_looked_at_again(memory: Memory) -> None:
    tell(memory, *ESSENTIAL)
    bank = memory.bank("ana")
    _, mark = bank.edited(-1)
    (written,) = memory.add("My favourite meal is soup.", user_id="ana")
    rows, mark = bank.edited(mark)
    assert rows is not None
    assert set(rows) == set(bank.rows_of(written.id))
    assert bank.edited(mark) == ([], mark)
    bank.reindex()
    assert bank.edited(mark)[0] is None, "every row may be another"


def test_kept_in_step_it_is_the_same_as_chosen_from_the_whole_bank(
    memory: Memory, fake_clock: FakeClock
) -> None:
    facts, rng = personal_facts(90, seed=5), random.Random(5)
    ids: list[str] = []
    for place in range(0, 90, 3):
        written = memory.add(
            [{"role": "user", "content": fact.text} for fact in facts[place : place + 3]], user_id="ana"
        )
        ids += [item.id for item in written if item.event == "ADD"]
        fake_clock.advance(hours=rng.choice((0, 1, 30, 300)))
        for _ in range(rng.randrange(3)):
            memory.search(rng.choice(facts).question, user_id="ana")
        if place % 9 == 0 and len(ids) > 4:
            memory.delete(ids.pop(rng.randrange(len(ids))))
        if place % 30 == 0:
            memory.sleep()
        fake_clock.advance(hours=0.1)  # what was recalled counts from now on
        now_ms = round(1_000 * fake_clock())
        whole = [hit.id for hit in essentials(memory.bank("ana"), 12, now_ms)]
        assert [recall.id for recall in memory.conscious(user_id="ana")] == whole
    assert len(whole) == 12


def test_being_refreshed_at_sleep_is_not_being_asked_for(memory: Memory, fake_clock: FakeClock) -> None:
    tell(memory, "My favourite colour is green.")
    fake_clock.advance(days=1)
    memory.search("which colour do I like?", user_id="ana", limit=1)
    for _ in range(400):
        fake_clock.advance(days=1)
        if memory.sleep()["refreshed"]:
            break
    bank = memory.bank("ana")
    assert bank.recalls[bank.used].tolist() == [1]
