"""Rebuilding from the log, and looking at the past."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from conftest import MIDDAY, FakeClock
from strings import FACTS

from neuromem import Memory
from neuromem.errors import ReadOnly
from neuromem.forgetting import Fidelity

POTOLA = "My dog's name is Potola"


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        yield memory


def tell(memory: Memory, text: str = POTOLA) -> str:
    (written,) = memory.add(text, user_id="ana", infer=False)
    return written.id


# --- rebuild -----------------------------------------------------------------------------------


def test_rebuild_brings_back_every_word_forgotten_facts_included(
    memory: Memory, fake_clock: FakeClock
) -> None:
    ids = [tell(memory, fact) for fact in FACTS]
    memory.delete(ids[3])
    fake_clock.advance(days=5_000)
    memory.sleep()
    assert memory.all(user_id="ana") == []
    seen: list[tuple[int, int]] = []
    assert memory.rebuild(user_id="ana", progress=lambda done, total: seen.append((done, total))) == {
        "owners": 1, "held": len(FACTS) - 1,
    }  # fmt: skip
    assert {recall.text for recall in memory.all(user_id="ana")} == set(FACTS) - {FACTS[3]}
    assert {recall.fidelity for recall in memory.all(user_id="ana")} == {Fidelity.VERBATIM}
    assert [recall.id for recall in memory.search("dog name", user_id="ana", limit=1)] == [ids[0]]
    assert seen[-1][0] == seen[-1][1]


def test_rebuild_without_restoring_gives_the_bank_as_it_was_bit_for_bit(
    memory: Memory, fake_clock: FakeClock
) -> None:
    for fact in FACTS:
        tell(memory, fact)
    fake_clock.advance(days=9)
    memory.sleep()
    memory.search("my dog and my bike", user_id="ana")
    fake_clock.advance(days=9)
    tell(memory, POTOLA)
    before = {name: tensor.clone() for name, tensor in memory.bank("ana").state_dict().items()}
    memory.rebuild(restore=False)
    after = memory.bank("ana").state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_rebuilding_twice_changes_nothing_more(memory: Memory, fake_clock: FakeClock) -> None:
    tell(memory)
    fake_clock.advance(days=100)
    memory.rebuild()
    length = memory.engine.log.length("user:ana")
    once = {name: tensor.clone() for name, tensor in memory.bank("ana").state_dict().items()}
    fake_clock.advance(days=1)
    memory.rebuild()
    assert memory.engine.log.length("user:ana") == length
    assert all(torch.equal(tensor, once[name]) for name, tensor in memory.bank("ana").state_dict().items())


# --- the past ----------------------------------------------------------------------------------


def test_the_past_is_as_it_was(memory: Memory, fake_clock: FakeClock) -> None:
    first = tell(memory)
    fake_clock.advance(days=10)
    second = tell(memory, "I like tea")
    fake_clock.advance(days=10)
    memory.update(second, "I like coffee")
    fake_clock.advance(days=10)
    memory.rebuild()

    def texts(day: float) -> set[str]:
        return {recall.text for recall in memory.at(MIDDAY + day * 86_400).all(user_id="ana")}

    assert texts(-1) == set()
    assert texts(0) == {POTOLA}
    assert texts(10) == {POTOLA, "I like tea"} or texts(10) == {"1|dog name|Potola", "I like tea"}
    assert "I like coffee" in texts(20)
    assert texts(30) == {POTOLA, "I like coffee"}
    assert memory.at(MIDDAY).get(first).strength == 1
    assert memory.at("2026-03-02T12:00:00+00:00").get(first).text == POTOLA


def test_the_past_knows_nothing_of_what_came_after(memory: Memory, fake_clock: FakeClock) -> None:
    id_ = tell(memory)
    fake_clock.advance(days=2)
    tell(memory, "My cat's name is Zorro")
    memory.update(id_, "My dog's name is Bello")
    past = memory.at(MIDDAY + 86_400)
    assert [recall.text for recall in past.search("name of my cat Zorro", user_id="ana")] == [POTOLA]
    assert [recall.text for recall in past.deep("name of my cat Zorro", user_id="ana")] == [POTOLA]
    assert [step["event"] for step in past.history(id_)] == ["ADD"]
    assert past.get(id_, fidelity="exact").text == POTOLA


def test_the_past_can_be_looked_at_and_not_changed(memory: Memory, fake_clock: FakeClock) -> None:
    id_ = tell(memory)
    fake_clock.advance(days=30)
    past = memory.at(MIDDAY + 25 * 86_400)
    before = {name: tensor.clone() for name, tensor in memory.bank("ana").state_dict().items()}
    length = memory.engine.log.length("user:ana")
    past.search("dog name", user_id="ana")
    past.deep("dog name", user_id="ana")
    for change in (
        lambda: past.add("I like tea", user_id="ana"), lambda: past.update(id_, "x"),
        lambda: past.delete(id_), lambda: past.delete_all(user_id="ana"),
        lambda: past.sleep(), lambda: past.rebuild(),
    ):  # fmt: skip
        with pytest.raises(ReadOnly, match="opened for reading"):
            change()
    past.close()
    assert memory.engine.log.length("user:ana") == length
    assert all(torch.equal(tensor, before[name]) for name, tensor in memory.bank("ana").state_dict().items())
    assert memory.get(id_)


def test_what_is_deleted_is_gone_from_the_past_too(memory: Memory, fake_clock: FakeClock) -> None:
    id_ = tell(memory)
    tell(memory, "I like tea")
    fake_clock.advance(days=2)
    memory.delete(id_)
    assert [recall.text for recall in memory.at(MIDDAY).all(user_id="ana")] == ["I like tea"]
