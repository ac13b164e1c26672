"""What has faded gets its words back: from the record that the memory knows, and as if all had been read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import FakeClock
from strings import FACTS

from neuromem import Memory
from neuromem.fold import Fold, words_of
from neuromem.log import Event, EventLog

POTOLA = "My dog's name is Potola"


def tell(memory: Memory, text: str) -> str:
    return memory.add(text, user_id="ana", infer=False)[0].id


def fold_of(memory: Memory) -> Fold:
    with memory.engine.owners.use("user:ana") as open_:
        return open_.fold


def told(memory: Memory, clock: FakeClock) -> list[str]:
    """Memories of which some were heard again, changed, merged into others, deleted."""
    ids = [tell(memory, fact) for fact in FACTS[:8]]
    twice = [tell(memory, text) for text in ("I have two cats.", "My brother's car doesn't start.")]
    clock.advance(hours=1)
    for text in (FACTS[2], "Oh, I've got the two cats!", "My brothers car does not really start"):
        tell(memory, text)
    memory.update(ids[0], "I work at Acme")
    memory.delete(ids[5])
    memory.sleep()
    tell(memory, FACTS[1])
    return [*ids[:5], *ids[6:], *twice]


def same_words(fold: Fold, ids: Sequence[str]) -> bool:
    """Whether the records are those, in that order, that reading the whole log gives."""
    until = fold.log.length(fold.owner)
    whole = words_of(fold.log, fold.owner, until, set(ids))
    return list(fold._words(ids, until).items()) == list(whole.items())


@pytest.mark.parametrize("begun", ["with the log", "with a snapshot"])
def test_the_words_of_held_memories_are_those_that_the_whole_log_gives(
    tmp_path: Path, fake_clock: FakeClock, begun: str
) -> None:
    memory = Memory(tmp_path, encoder="hash", clock=fake_clock)
    ids = told(memory, fake_clock)
    if begun == "with a snapshot":
        memory.close()
        memory = Memory(tmp_path, encoder="hash", clock=fake_clock)
        tell(memory, "I like tea")
    fold = fold_of(memory)
    assert any(record.kind == "merge" for record in fold.log.events(fold.owner))
    rng = random.Random(7)
    for count in (1, 2, 3, 5, len(ids)) * 4:
        chosen = rng.sample(ids, count)
        assert all(fold.bank.rows_of(memory_id) for memory_id in chosen)
        assert same_words(fold, chosen)
    assert same_words(fold, [*ids[:2], "00000000-0000-8000-8000-000000000000"])
    memory.close()


def test_words_of_a_faded_memory_are_fetched_without_reading_the_whole_log(
    fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        tell(memory, POTOLA)
        talk = [Event("say", fake_clock.now, {"text": f"hello {n}", "role": "user"}) for n in range(500)]
        memory.engine.log.append_many("user:ana", talk)
        memory.all(user_id="ana")
        fake_clock.advance(days=400)
        read: list[int] = []
        events = EventLog.events

        def counted(log: EventLog, owner: str, start: int = 0, stop: int | None = None):  # type: ignore[no-untyped-def]
            for record in events(log, owner, start, stop):
                read.append(record.seq)
                yield record

        monkeypatch.setattr(EventLog, "events", counted)
        (found,) = memory.search("what is my dog called?", user_id="ana", limit=1)
        assert found.text == POTOLA
        assert len(read) < 10
        monkeypatch.undo()
        kinds = [event.kind for event in memory.engine.log.events("user:ana", 501)]
        assert kinds[0] == "restore"
