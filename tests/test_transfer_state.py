"""Import of `.jsonl`: a memory arrives as strong as it was, and what was known before stays so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import MIDDAY, FakeClock

from neuromem import Memory, Recall
from neuromem.errors import InvalidInput

DOG, SHOES, SHOES_NOW = "My dog's name is Potola.", "My shoe size is 43.", "My shoe size is 44."
STATE = "written_ms heard_ms rehearsed_ms stability difficulty importance recalls until_ms".split()
BARE = "id text gist cues known_as importance pinned role name metadata slot time until superseded_by".split()


@pytest.fixture
def other(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        yield memory


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    """A year of a dog that was often asked for, and of a shoe size that changed yesterday."""
    with Memory(encoder="hash", clock=fake_clock) as memory:
        for text in (DOG, SHOES, "I live in Porto."):
            memory.add(text, user_id="ana")
        for _ in range(12):
            fake_clock.advance(days=30)
            memory.search("what is my dog called?", user_id="ana", limit=1)
            memory.search("where do I live?", user_id="ana", limit=1)
        memory.add("I moved to Lisbon.", user_id="ana")
        memory.update(one(memory, SHOES).id, SHOES_NOW)
        fake_clock.advance(days=1)
        yield memory


def one(memory: Memory, text: str) -> Recall:
    return next(recall for recall in memory.all(user_id="ana", fidelity="exact") if recall.text == text)


def states(memory: Memory) -> dict[str, list[float]]:
    bank = memory.bank("ana")
    return {id_: [getattr(bank, name)[bank.rows_of(id_)[0]].item() for name in STATE] for id_ in bank.ids()}


def rewritten(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """The file, every line changed."""
    lines = [change(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def as_before(line: dict[str, Any]) -> dict[str, Any]:
    """A line as it was written before lines said how strong a memory is."""
    return {key: value for key, value in line.items() if key in BARE}


def log_of(memory: Memory) -> int:
    return memory.engine.log.length("user:ana")


def test_a_memory_arrives_as_strong_as_it_was(memory: Memory, other: Memory, tmp_path: Path) -> None:
    other.import_(memory.export(tmp_path / "ana.jsonl"), "ana")
    assert states(other) == states(memory)
    for recall in memory.all(user_id="ana"):
        came = other.get(recall.id)
        assert (came.strength, came.created_at, came.updated_at, came.valid_until, came.superseded_by) == (
            recall.strength, recall.created_at, recall.updated_at, recall.valid_until, recall.superseded_by,
        )  # fmt: skip
    assert one(other, SHOES_NOW).text == other.get(one(other, SHOES_NOW).id, fidelity="weights").text
    other.rebuild(restore=False)
    assert states(other) == states(memory)


def test_the_words_alone_are_as_strong_as_the_weights_alone(
    memory: Memory, fake_clock: FakeClock, tmp_path: Path
) -> None:
    found = []
    for name in ("a.jsonl", "a.safetensors"):
        with Memory(encoder="hash", clock=fake_clock) as new:
            new.import_(memory.export(tmp_path / name), "ana")
            found.append(states(new))
    assert found[0] == found[1]


def test_ones_own_backup_changes_nothing(memory: Memory, tmp_path: Path, fake_clock: FakeClock) -> None:
    path = memory.export(tmp_path / "ana.jsonl")
    before, length = states(memory), log_of(memory)
    assert memory.import_(path) == 4
    assert (states(memory), log_of(memory)) == (before, length)
    rewritten(path, as_before)
    memory.import_(path)
    assert (states(memory), log_of(memory)) == (before, length), "nor does one that was written before"
    assert [r.text for r in memory.at(MIDDAY + 86_400).all("ana") if "shoe" in r.text] == [SHOES]


def test_an_old_backup_brings_its_words_back_now_and_the_past_stays(
    memory: Memory, tmp_path: Path, fake_clock: FakeClock
) -> None:
    path = memory.export(tmp_path / "ana.jsonl")
    id_, yesterday = one(memory, SHOES_NOW).id, fake_clock.now
    fake_clock.advance(days=1)
    memory.update(id_, "My shoe size is 45.")
    fake_clock.advance(days=1)
    today = fake_clock.now
    fake_clock.advance(days=1)
    strength = memory.get(id_).strength
    length = log_of(memory)
    memory.import_(path)
    assert log_of(memory) == length + 1
    assert memory.get(id_, fidelity="exact").text == SHOES_NOW
    assert memory.get(id_).strength >= strength
    assert memory.at(yesterday).get(id_, fidelity="exact").text == SHOES_NOW
    assert memory.at(today).get(id_, fidelity="exact").text == "My shoe size is 45."


def test_what_is_not_current_arrives_so_and_stays_so_when_it_is_brought_back(
    memory: Memory, other: Memory, tmp_path: Path, fake_clock: FakeClock
) -> None:
    old = one(memory, "I live in Porto.")
    assert old.valid_until is not None
    other.import_(memory.export(tmp_path / "ana.jsonl"), "ana")
    for _ in range(2):
        came = other.get(old.id)
        assert (came.valid_until, came.superseded_by) == (old.valid_until, old.superseded_by)
        fake_clock.advance(days=20_000)
        other.sleep()
        assert old.id not in other.bank("ana").ids()
        other.rebuild()


def test_what_came_and_was_forgotten_is_found_with_the_time_of_its_telling(
    memory: Memory, other: Memory, tmp_path: Path, fake_clock: FakeClock
) -> None:
    other.import_(memory.export(tmp_path / "ana.jsonl"), "ana")
    fake_clock.advance(days=20_000)
    other.sleep()
    found = other.at(fake_clock.now).deep("what is my dog called?", user_id="ana", limit=1)[0]
    assert (found.text, found.created_at.timestamp()) == (DOG, MIDDAY)


def test_lines_of_before_are_as_strong_as_if_they_had_been_heard_when_they_were_told(
    memory: Memory, other: Memory, tmp_path: Path
) -> None:
    other.import_(rewritten(memory.export(tmp_path / "ana.jsonl"), as_before), "ana")
    came = one(other, DOG)
    assert came.created_at == came.updated_at == one(memory, DOG).created_at
    assert came.strength < one(memory, DOG).strength


def test_a_line_says_what_the_bank_holds_and_not_the_last_telling(other: Memory, tmp_path: Path) -> None:
    first = other.add("Remember this: my locker code is 4711", user_id="ana")[0].id
    again = other.add("my locker code is 4711", user_id="ana")[0].id
    assert first == again
    line = json.loads(other.export(tmp_path / "ana.jsonl").read_text(encoding="utf-8"))
    assert line["importance"] == 0.9
    pinned = tmp_path / "pinned.jsonl"
    other.import_(rewritten(tmp_path / "ana.jsonl", lambda line: line | {"pinned": True, "text": DOG}), "ana")
    other.update(first, metadata={"k": 1})
    line = json.loads(other.export(pinned).read_text(encoding="utf-8"))
    assert (line["pinned"], "stability" in line) == (True, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("heard_ms", -1), ("heard_ms", "noon"), ("heard_ms", 1.5), ("rehearsed_ms", 10**15),
        ("rehearsed_ms", True), ("recalls", -1), ("recalls", 2**31), ("recalls", []), ("recalls", 10**80),
        ("stability", 0), ("stability", float("inf")), ("stability", float("nan")), ("stability", "long"),
        ("difficulty", 0), ("difficulty", 11), ("difficulty", {}),
    ],
)  # fmt: skip
def test_a_strength_that_is_none_is_refused_by_name(
    memory: Memory, other: Memory, tmp_path: Path, field: str, value: Any
) -> None:
    path = rewritten(memory.export(tmp_path / "ana.jsonl"), lambda line: line | {field: value})
    with pytest.raises(InvalidInput, match=f"line 1: {field}"):
        other.import_(path, "ana")
    assert other.users() == []


def test_what_was_imported_was_not_said_just_now(tmp_path: Path, fake_clock: FakeClock) -> None:
    """Pronouns are of what was said lately; an import of today may tell of a year ago."""
    line = {"id": "0b5c1c1e-0000-4000-8000-000000000001", "text": "My sister Hana lives in Oslo."}
    path = tmp_path / "old.jsonl"
    path.write_text(json.dumps(line | {"time": fake_clock() - 400 * 86_400}) + "\n", encoding="utf-8")
    with Memory(clock=fake_clock) as memory:
        memory.import_(path, "ana")
        (written,) = memory.add("She likes figs.", user_id="ana")
        assert written.text == "She likes figs."
