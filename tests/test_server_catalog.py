"""The entries of an owner: kept in step with the bank, and the same as if they were made anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import FakeClock

from neuromem import Memory
from neuromem.server import entries
from neuromem.server.desk import Desk
from neuromem.server.entries import Ids, catalog_of
from neuromem.server.filters import filed_under
from neuromem.server.service import Search, Service

WHOSE = "user:ana"


@pytest.fixture
def service(fake_clock: FakeClock) -> Iterator[Service]:
    """A server's core, in RAM."""
    memory = Memory(encoder="hash", config={"forgetting": {"decay": "none"}}, clock=fake_clock)
    made = Service(memory, Desk(None))
    yield made
    made.close()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the entries that are made from now on."""
    seen: list[str] = []
    make = entries._entry

    def noted(engine, open_, memory_id, *rest):  # type: ignore[no-untyped-def]
        seen.append(memory_id)
        return make(engine, open_, memory_id, *rest)

    monkeypatch.setattr(entries, "_entry", noted)
    return seen


def told(service: Service, text: str, **more: object) -> str:
    return service.add(Ids("ana"), text, infer=False, **more)[0].id  # type: ignore[arg-type]


def check(service: Service) -> None:
    """The entries are what they are when a bank has none yet, in the same order."""
    now = service.catalog(WHOSE)
    with service.engine.owners.use(WHOSE) as open_:
        open_.bank._kept.clear()
        open_.bank._of_each.clear()
        anew = catalog_of(service.engine, open_, service.categories)
    assert list(now.entries.items()) == list(anew.entries.items())


def test_entries_keep_in_step_with_whatever_happens(service: Service, fake_clock: FakeClock) -> None:
    for step in range(3):  # what follows is seen by entries that were made anew, and by such as followed
        ids = [told(service, f"{step} lamps stand in room {room}") for room in range(8)]
        service.catalog(WHOSE)
        filed = Ids("ana", "cook")
        service.add(filed, f"Pot {step} is made of copper", infer=False, expires="2030-01-01")
        check(service)
        service.update(ids[0], text=f"No lamp {step} is anywhere")
        service.update(ids[1], metadata={"colour": "red"})
        service.catalog(WHOSE)
        service.update(ids[1], metadata={"colour": "blue"}, notes={"categories": ["light"]})
        assert service.catalog(WHOSE).entries[ids[1]].categories == ("light",)
        check(service)
        service.delete([ids[2], ids[3]])
        assert ids[2] not in service.catalog(WHOSE).entries
        told(service, f"Room {step} has a door")  # in a row that was another's
        check(service)
        with service.engine.owners.use(WHOSE) as open_:
            open_.bank.supersede(ids[4], ids[5], 1_000)
        assert service.catalog(WHOSE).entries[ids[4]].replaced_by == ids[5]
        check(service)
        fake_clock.advance(days=1)
        told(service, f"Oh, the {step} lamps stand in room 6")
        service.memory.sleep()
        check(service)
        service.categories.defined = {"light": "lamps", f"more {step}": "doors and pots"}
        check(service)
        service.memory.rebuild("ana")
        check(service)


def test_an_entry_is_made_for_what_changed_alone(service: Service, made: list[str]) -> None:
    ids = [told(service, f"lamp {room} stands in room {room}") for room in range(40)]
    before = service.catalog(WHOSE).entries
    assert made == ids
    made.clear()
    new = told(service, "The green door is locked")
    assert [*service.catalog(WHOSE).entries] == [*ids, new]
    assert made == [new]
    assert [*before] == ids, "who looked at them before sees what was there then"
    wanted = Search("which door is locked?", filed_under("user", "ana"), limit=3)
    assert service.search(wanted)[0].entry.id == new
    made.clear()
    service.update(ids[7], metadata={"colour": "red"})
    service.catalog(WHOSE)
    assert set(made) <= {ids[7], *(found.entry.id for found in service.search(wanted))}


def test_what_is_filed_of_a_memory_goes_with_it_and_not_with_the_next_list(service: Service) -> None:
    ids = [told(service, f"lamp {at} is lit", metadata={"note": f"the {at}th secret"}) for at in range(3)]
    service.catalog(WHOSE)
    service.update(ids[1], metadata={"note": "harmless"})
    service.memory.delete(ids[0])
    with service.engine.owners.use(WHOSE) as open_:
        left = repr(vars(open_.bank))
    assert "the 2th secret" in left
    assert "the 0th secret" not in left
    assert "the 1th secret" not in left
