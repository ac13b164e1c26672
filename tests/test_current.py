"""The current view of what was found: what is asked for as the latest comes first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from conftest import FakeClock

from neuromem import Memory
from neuromem.current import view_of
from neuromem.recall import Hit

DAY_S = 86_400.0


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(config={"forgetting": {"decay": "none"}}, encoder="hash", clock=fake_clock) as memory:
        yield memory


def test_the_latest_of_what_somebody_said_is_no_question_and_nobody_elses_remark(memory: Memory) -> None:
    told = [
        ("Ana", "My painting of the lake is done"),
        ("Ana", "My painting of the mill is done"),
        ("Ben", "Your painting of the mill is lovely"),
        ("Ana", "Should my next painting be of the mill again?"),
    ]
    ids = []
    for place, (name, text) in enumerate(told):
        said = {"role": "user", "name": name, "content": text, "timestamp": 1e9 + DAY_S * place}
        ids += [item.id for item in memory.add([said], user_id="ana", infer=False)]
    hits = [Hit(memory_id, 0.9 - place / 100, 0.9, 1.0) for place, memory_id in enumerate(ids)]
    now_ms = memory.engine.now_ms()
    with memory.engine.owners.use(memory.engine.log.owners()[0]) as open_:
        latest = view_of("What is Ana's latest painting of?", now_ms).seen(open_.bank, hits, now_ms)
        any_one = view_of("What is Ana's painting of?", now_ms).seen(open_.bank, hits, now_ms)
    assert [hit.id for hit in latest] == [ids[1], ids[0], *ids[2:]]
    assert [hit.id for hit in any_one] == ids


COURSES = {
    "studio": [
        ("2019-03-01", "My studio is in a mill in Leeds."),
        ("2020-05-01", "My studio is in a church in York."),
        ("2022-08-01", "My studio is in a barn at Hull."),
    ],
    "lease": [
        ("2020-01-01", "We rent the flat by the harbour."),
        ("2020-01-02", "The rent of the flat is 500."),
        ("2021-02-01", "The harbour froze over."),
        ("2021-06-01", "The rent of the flat is 650."),
    ],
}


def _first_of(memory: Memory, course: str, question: str, linked: bool = True, limit: int = 5) -> str:
    """What comes first when a course was told, every statement of it replaced by the next of its kind."""
    ids: dict[str, str] = {}
    for day, text in COURSES[course]:
        said = {"role": "user", "content": text, "timestamp": _at(day)}
        ids[text] = memory.add([said], user_id="ana", infer=False)[0].id
    now = _at("2024-02-01")
    with memory.engine.owners.use(memory.engine.log.owners()[0]) as open_:
        texts = [text for _, text in COURSES[course] if course in text or "rent of" in text]
        for old, new in pairwise(texts if linked else []):
            day = next(day for day, text in COURSES[course] if text == new)
            open_.bank.supersede(ids[old], ids[new], round(_at(day) * 1_000))
        hits = [Hit(id_, 0.6 - place / 100, 0.6, 1.0) for place, id_ in enumerate(reversed(ids.values()))]
        seen = view_of(question, round(now * 1_000)).seen(open_.bank, hits, round(now * 1_000))
    return next(text for text, id_ in ids.items() if id_ == seen[0].id)


def _at(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("where was my studio at first", "Leeds"),
        ("Where was my studio before Hull?", "York"),
        ("Where was my studio before York?", "Leeds"),
        ("where was my studio between leeds and hull", "York"),
        ("Where was my studio in summer 2021?", "York"),
        ("Where was my studio in 2019?", "Leeds"),
        ("where was my studio until 2020", "Leeds"),
        ("Where is my studio?", "Hull"),
    ],
)
def test_the_point_of_a_course_that_is_asked_for_comes_first(
    memory: Memory, question: str, place: str, linked: bool
) -> None:
    assert place in _first_of(memory, "studio", question, linked)


def test_what_was_so_while_something_else_was(memory: Memory) -> None:
    assert "500" in _first_of(memory, "lease", "How much was the rent when the harbour froze?")
    assert "650" in _first_of(memory, "lease", "How much is the rent?")
