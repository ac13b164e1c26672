"""The current view of what was found: what is asked for as the latest comes first."""

from __future__ import annotations

from collections.abc import Iterator

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
