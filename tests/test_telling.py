"""What a memory is told besides words: metadata and time afterwards; several calls at once; an app's own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import MIDDAY, FakeClock

from neuromem import Memory
from neuromem.engine import Owner
from neuromem.errors import InvalidInput, NotFound
from neuromem.telling import Call, add_all

ANA = Owner("user", "ana")


def told_together(memory: Memory, *messages: object, infer: bool = True) -> list[list[str]]:
    calls = [
        Call.of(memory.engine, said, {"call": place}, None, infer) for place, said in enumerate(messages)
    ]
    return [[item.event for item in written] for written in add_all(memory.engine, ANA, calls)]


def test_calls_told_together_say_what_they_say_one_by_one() -> None:
    said = [
        "My dog's name is Potola",
        "I live in Lisbon",
        "My dog's name is Potola",
        "I moved to Porto",
        "What time is it?",
    ]
    together, apart = Memory(), Memory()
    events = told_together(together, *([{"role": "user", "content": text}] for text in said))
    for text in said:
        apart.add([{"role": "user", "content": text}], user_id="ana")
    assert events == [["ADD"], ["ADD"], ["REINFORCE"], ["UPDATE"], []]
    texts = [
        {recall.text: recall.superseded_by is None for recall in memory.all("ana")}
        for memory in (together, apart)
    ]
    assert texts[0] == texts[1]


def test_calls_told_together_keep_their_own_metadata() -> None:
    memory = Memory()
    told_together(memory, "I like tea", "I hate coriander", infer=False)
    assert {r.text: r.metadata for r in memory.all("ana")} == {
        "I like tea": {"call": 0},
        "I hate coriander": {"call": 1},
    }


def test_a_rebuild_of_calls_told_together_is_the_same_bank(tmp_path: Path) -> None:
    with Memory(tmp_path) as memory:
        told_together(memory, *(f"Box {place} holds {place * 7} green stones" for place in range(20)))
        before = {name: value.clone() for name, value in memory.bank("ana").state_dict().items()}
        memory.rebuild("ana", restore=False)
        after = memory.bank("ana").state_dict()
        assert all(value.equal(after[name]) for name, value in before.items())


def test_metadata_and_time_can_be_given_afterwards(fake_clock: FakeClock, tmp_path: Path) -> None:
    with Memory(tmp_path, clock=fake_clock) as memory:
        id_ = memory.add("My dog's name is Potola", user_id="ana", metadata={"a": 1})[0].id
        memory.update(id_, metadata={"b": 2})
        assert (memory.get(id_).text, memory.get(id_).metadata) == ("My dog's name is Potola", {"b": 2})
        memory.update(id_, timestamp="2024-05-01T00:00:00+00:00")
        assert memory.get(id_).created_at == datetime(2024, 5, 1, tzinfo=UTC)
        memory.update(id_, "My dog's name is Patola")
        assert memory.get(id_).metadata == {"b": 2}
    with Memory(tmp_path, clock=fake_clock) as memory:
        assert memory.get(id_).created_at == datetime(2024, 5, 1, tzinfo=UTC)
        memory.rebuild("ana")
        assert memory.get(id_).created_at == datetime(2024, 5, 1, tzinfo=UTC)


def test_several_memories_are_deleted_at_once_or_none() -> None:
    memory = Memory()
    ids = [memory.add(f"The code of door {n} is {n}71", user_id="ana")[0].id for n in range(4)]
    other = memory.add("I like tea", user_id="ben")[0].id
    with pytest.raises(NotFound):
        memory.delete([ids[0], "00000000-0000-8000-8000-000000000000"])
    assert len(memory.all("ana")) == 4
    memory.delete([*ids[:3], other])
    assert [recall.id for recall in memory.all("ana")] == ids[3:]
    assert memory.all("ben") == []
    assert memory.verify().ok


def test_an_app_has_a_memory_of_its_own() -> None:
    memory = Memory()
    memory.add("The kettle is broken", app_id="kitchen")
    memory.add("The lamp is broken", run_id="kitchen")
    assert [recall.text for recall in memory.search("what is broken?", app_id="kitchen")] == [
        "The kettle is broken"
    ]
    with pytest.raises(InvalidInput, match="app_id"):
        memory.add("x y", app_id=" ")


def test_a_search_may_be_asked_as_of_another_day_and_through_a_filter(fake_clock: FakeClock) -> None:
    memory = Memory(clock=fake_clock)
    first = memory.add("I went to the dentist", user_id="ana", timestamp=MIDDAY - 40 * 86_400)[0].id
    memory.add("I went to the barber", user_id="ana", timestamp=MIDDAY - 2 * 86_400)
    best = memory.search("where did I go last week?", user_id="ana", now=MIDDAY - 35 * 86_400)[0]
    assert best.id == first
    only = memory.search("where did I go?", user_id="ana", filters=lambda id_: id_ == first)
    assert [recall.id for recall in only] == [first]
    with pytest.raises(InvalidInput, match="now"):
        memory.search("where?", user_id="ana", now="yesterday")
    with pytest.raises(InvalidInput, match="filters"):
        memory.search("where?", user_id="ana", filters="topic=pets")  # type: ignore[arg-type]


def test_a_memory_that_is_corrected_is_still_of_who_said_it() -> None:
    with Memory(config={"forgetting": {"decay": "none"}}, encoder="hash") as memory:
        ids = {}
        for name in ("Ben", "Zoe"):
            talk = [{"role": "user", "name": name, "content": f"{name}'s note"}]
            ids[name] = memory.add(talk, user_id="ana", infer=False)[0].id
        for name in ("Ben", "Zoe"):
            assert memory.update(ids[name], "I like tea").id == ids[name]
        memory.sleep()
        gists = {recall.id: recall.gist for recall in memory.all("ana")}
        assert gists == {ids["Ben"]: "Ben|likes|tea", ids["Zoe"]: "Zoe|likes|tea"}, "two people, two memories"
