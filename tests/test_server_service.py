"""What a server can be asked to do: four names for a memory, filters first, expiry, linked deletes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from conftest import FakeClock

from neuromem import Memory
from neuromem.errors import InvalidInput, NotFound
from neuromem.server.adding import Adding
from neuromem.server.desk import Desk
from neuromem.server.entries import Ids
from neuromem.server.filters import EVERYTHING, parse
from neuromem.server.oss import OpenSource
from neuromem.server.principals import Forbidden, Principal
from neuromem.server.service import Search, Service


@pytest.fixture
def service(fake_clock: FakeClock) -> Iterator[Service]:
    """A server's core, in RAM."""
    made = Service(Memory(config={"forgetting": {"decay": "none"}}, clock=fake_clock), Desk(None))
    yield made
    made.close()


def texts(service: Service, filters: object, **more: object) -> set[str]:
    return {found.text for found in service.read(service.entries(parse(filters), **more))}  # type: ignore[arg-type]


def test_a_memory_is_filed_under_every_name_it_was_told_with(service: Service) -> None:
    service.add(Ids("ana", "cook", "kitchen", "r1"), "I am allergic to peanuts")
    service.add(Ids(agent="cook"), "The oven is slow")
    service.add(Ids("ben"), "I like tea")
    assert texts(service, {"agent_id": "cook"}) == {"I am allergic to peanuts", "The oven is slow"}
    assert texts(service, {"AND": [{"user_id": "ana"}, {"agent_id": "cook"}]}) == {"I am allergic to peanuts"}
    assert texts(service, {"OR": [{"user_id": "ben"}, {"app_id": "kitchen"}]}) == {
        "I am allergic to peanuts",
        "I like tea",
    }
    assert texts(service, {"user_id": "*"}) == {"I am allergic to peanuts", "I like tea"}
    assert texts(service, {"user_id": "*", "NOT": {"user_id": "ana"}}) == {"I like tea"}
    names = {(item["kind"], item["name"]): item["total"] for item in service.filing.entities()}
    assert names == {
        ("user", "ana"): 1, ("agent", "cook"): 2, ("app", "kitchen"): 1, ("run", "r1"): 1, ("user", "ben"): 1,
    }  # fmt: skip


def test_told_again_in_another_run_it_belongs_to_both(service: Service) -> None:
    for run in ("r1", "r2"):
        service.add(Ids("ana", run=run), "I am allergic to peanuts")
    assert (
        texts(service, {"run_id": "r1"}) == texts(service, {"run_id": "r2"}) == {"I am allergic to peanuts"}
    )


def test_filters_come_before_ranking(service: Service) -> None:
    for n in range(30):
        service.add(Ids("ana"), f"The dog number {n} is called Rex{n}", infer=False, metadata={"n": n})
    wanted = parse({"user_id": "ana", "metadata": {"n": 17}})
    assert [f.text for f in service.search(Search("what is the dog called?", wanted, limit=1))] == [
        "The dog number 17 is called Rex17"
    ]


def test_what_has_expired_is_hidden_but_not_gone(service: Service, fake_clock: FakeClock) -> None:
    id_ = service.add(Ids("ana"), "The parking code is 4471", expires="2026-03-02", infer=False)[0].id
    mine = {"user_id": "ana"}
    assert texts(service, mine) == {"The parking code is 4471"}, "the day itself counts"
    fake_clock.advance(days=1)
    assert texts(service, mine) == set()
    assert texts(service, mine, show_expired=True) == {"The parking code is 4471"}
    assert service.get(id_).text == "The parking code is 4471"
    assert service.search(Search("what is the parking code?", parse(mine))) == []
    as_of_yesterday = Search("what is the parking code?", parse(mine), at=fake_clock() - 86_400)
    assert len(service.search(as_of_yesterday)) == 1
    service.update(id_, notes={"expires": None})
    assert texts(service, mine) == {"The parking code is 4471"}


def test_told_again_it_lasts_as_long_as_either_telling_says(service: Service) -> None:
    def told(*ends: str | None) -> str | None:
        user = f"user of {ends}"
        for end in ends:
            (written,) = service.add(Ids(user), "My parking spot is B12", expires=end)
        return service.get(written.id).entry.expires

    early, late = "2026-03-02", "2026-04-01"
    assert told(early, None) is None, "told for good"
    assert told(None, early) is None, "and a day given later does not take that back"
    assert told(early, late) == told(late, early) == late


def test_told_again_it_is_put_away_no_longer(service: Service) -> None:
    (written,) = service.add(Ids("ana", run="r1"), "I like tea", extra={"state": "archived"})
    assert texts(service, {"user_id": "ana"}) == set()
    service.add(Ids("ana"), "I like tea")
    assert texts(service, {"user_id": "ana"}) == {"I like tea"}
    assert service.get(written.id).entry.ids["run"] == ("r1",)


def test_a_change_of_metadata_keeps_the_rest(service: Service) -> None:
    id_ = service.add(Ids("ana", run="r1"), "I like tea", metadata={"a": 1}, categories=("food",))[0].id
    found = service.update(id_, metadata={"b": 2})
    assert (found.text, found.entry.metadata, found.entry.categories) == ("I like tea", {"b": 2}, ("food",))
    found = service.update(id_, text="I like coffee")
    assert (found.text, found.entry.metadata, found.entry.ids["run"]) == ("I like coffee", {"b": 2}, ("r1",))


def test_what_was_superseded_can_go_with_what_replaced_it(service: Service) -> None:
    service.add(Ids("ana"), "I live in Lisbon")
    new = service.add(Ids("ana"), "I moved to Porto")[0].id
    where = parse({"user_id": "ana"})
    both = service.search(Search("where do I live?", where, latest_only=False))
    assert len(both) == 2
    assert len(service.search(Search("where do I live?", where))) == 1
    assert [entry.replaced_by for entry in service.entries(where)].count(new) == 1
    assert service.delete([new], linked=True) == 2
    assert service.entries(where) == []


def test_a_user_sees_and_changes_nothing_of_another(service: Service) -> None:
    hers = service.add(Ids("ana"), "My safe's code is 9921")[0].id
    service.add(Ids("ben"), "I like tea")
    ben = Principal("key of ben", user="ben", admin=False)
    assert {entry.owner for entry in service.entries(EVERYTHING, who=ben)} == {"user:ben"}
    assert service.search(Search("what is the code?", parse({"user_id": "ana"})), who=ben) == []
    for call in (
        lambda: service.get(hers, who=ben),
        lambda: service.update(hers, text="x", who=ben),
        lambda: service.delete([hers], who=ben),
        lambda: service.history(hers, who=ben),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(Forbidden):
        service.add(Ids("ana"), "I am Ben", who=ben)
    assert service.add(Ids(), "I live in Rome", who=ben)[0].event == "ADD"
    assert [item["name"] for item in service.filing.entities(ben)] == ["ben"]


@pytest.mark.parametrize(
    ("filters", "place"),
    [
        ({"colour": "red"}, "filters.colour"),
        ({"AND": {"user_id": "ana"}}, "filters.AND"),
        ({"OR": []}, "filters.OR"),
        ({"OR": [{"user_id": {"like": "a"}}]}, "filters.OR[0].user_id"),
        ({"created_at": {"gte": "soon"}}, "filters.created_at"),
        ({"created_at": {"eq": "2026-01-01"}}, "filters.created_at"),
        ({"metadata": {"n": {"gt": 1}}}, "filters.metadata.n"),
        ({"text": {"contains": 7}}, "filters.text.contains"),
        ({"user_id": {"in": "ana"}}, "filters.user_id.in"),
        ({"user_id": ["a", {"b": 1}]}, "filters.user_id"),
        ([], "filters"),
        ("user_id=ana", "filters"),
    ],
)
def test_a_filter_that_is_none_is_refused_by_place(filters: object, place: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(filters)
    assert caught.value.field == place


def at_once(count: int, work: Callable[[int], object]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_of_changes_at_once_none_is_lost(service: Service) -> None:
    memory_id = service.add(Ids("ana"), "My dog's name is Potola", metadata={"topic": "pets"})[0].id
    oss = OpenSource(service, Adding.alone(service))
    at_once(6, lambda number: oss.update(memory_id, metadata={f"k{number}": number}))
    at_once(6, lambda number: service.update(memory_id, notes={f"n{number}": number}))
    entry = service.get(memory_id).entry
    assert entry.metadata == {"topic": "pets"} | {f"k{number}": number for number in range(6)}
    assert entry.extra == {f"n{number}": number for number in range(6)}
