"""Deletes that find no room, or are killed half-way: what was to go is gone as soon as it can be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import FakeClock

from neuromem import Memory
from neuromem.errors import StoreFull
from neuromem.identity import Owner
from neuromem.telling import Call, add_all, heard

POTOLA = "My dog's name is Potola"
PIN = "My PIN is 4711"


def tell(memory: Memory, text: str) -> str:
    (written,) = memory.add(text, user_id="ana", infer=False)
    return written.id


def texts(memory: Memory) -> list[str]:
    return [recall.text for recall in memory.all(user_id="ana")]


@contextmanager
def no_room(memory: Memory, *, to: str) -> Iterator[None]:
    """While it lasts, the store of the log finds no room to "write" or to "purge"."""

    def full(*_: object) -> None:
        raise StoreFull("no room; make some")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory.engine.log._store, to, full)
        yield


# --- all of an owner ---------------------------------------------------------------------------


def test_a_user_deleted_with_no_room_to_purge_is_gone_all_the_same(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        for text in (POTOLA, "I live in Porto", PIN):
            tell(memory, text)
        memory.search("what is my PIN?", user_id="ana")
        with no_room(memory, to="purge"), pytest.raises(StoreFull):
            memory.delete_all(user_id="ana")
        assert texts(memory) == []
        assert memory.search("what is my PIN?", user_id="ana") == []
        assert not memory.engine.codec._words._readings
        assert memory.add("I work at Acme", user_id="ana")[0].event == "ADD"
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        assert len(texts(memory)) == 1


def test_a_user_that_cannot_be_deleted_is_still_there(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        tell(memory, PIN)
        with no_room(memory, to="write"), pytest.raises(StoreFull):
            memory.delete_all(user_id="ana")
        assert texts(memory) == [PIN]
        assert memory.delete_all(user_id="ana") == 1
        assert memory.users() == []


# --- some memories of an owner -----------------------------------------------------------------


def in_log(memory: Memory, words: str) -> bool:
    """Whether a record of the log says some words."""
    return any(words in str(record.body) for record in memory.engine.log.events("user:ana"))


def interrupted(memory: Memory, memory_id: str) -> None:
    """A delete that is killed between its events and the erasure."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory.engine.log, "erase", killed)
        with pytest.raises(KeyboardInterrupt):
            memory.delete(memory_id)


def crashed(memory: Memory) -> None:
    """Ends a memory as a kill would: nothing is saved."""
    memory.engine.owners._open.clear()
    memory.close()


@pytest.mark.parametrize("told", ["alone", "with others", "merged", "forgotten", "updated"])
@pytest.mark.parametrize("saved", [False, True])
def test_a_delete_that_was_killed_is_finished_at_the_next_opening(
    tmp_path: Path, fake_clock: FakeClock, told: str, saved: bool
) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        tell(memory, POTOLA)
        said = "Hello! My PIN is 4711. I live in Graz. How are you?" if told == "with others" else PIN
        doomed = next(new.id for new in memory.add(said, user_id="ana") if "4711" in new.text)
        if told == "updated":
            memory.update(doomed, "My PIN is 4711 again")
        if told == "merged":
            fake_clock.advance(hours=1)
            tell(memory, f"{PIN}, really")
            memory.sleep()
        if told == "forgotten":
            fake_clock.advance(days=5_000)
            assert memory.sleep()["held"] == 0
    memory = Memory(tmp_path, encoder="hash", clock=fake_clock)
    if saved:
        assert memory.bank("ana") is not None  # from the snapshot, which stays as it is
    else:
        memory.engine.owners.snapshots.remove("user:ana")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory.engine.owners.snapshots, "remove", lambda _: None)
        interrupted(memory, doomed)
    crashed(memory)
    for _ in range(2):
        with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
            held = texts(memory)
            assert POTOLA in held or told == "forgotten"
            assert not any("4711" in text for text in held)
            assert in_log(memory, "Potola")
            assert not in_log(memory, "4711")
            if told == "with others":
                assert in_log(memory, "How are you?")
                assert "I live in Graz." in held
            assert memory.verify().ok
            assert not any("4711" in text for text in memory.engine.keys.encoder._known)


def test_what_was_told_again_since_a_killed_delete_stays(tmp_path: Path, fake_clock: FakeClock) -> None:
    export = tmp_path / "ana.jsonl"
    with Memory(tmp_path / "store", encoder="hash", clock=fake_clock) as memory:
        doomed = tell(memory, PIN)
        memory.export(export, user_id="ana")
        interrupted(memory, doomed)
        memory.import_(export, user_id="ana")
        assert texts(memory) == [PIN]
        crashed(memory)
    with Memory(tmp_path / "store", encoder="hash", clock=fake_clock) as memory:
        assert texts(memory) == [PIN]


def test_no_snapshot_is_written_before_a_delete_is_finished(tmp_path: Path, fake_clock: FakeClock) -> None:
    memory = Memory(tmp_path, encoder="hash", clock=fake_clock)
    tell(memory, POTOLA)
    interrupted(memory, tell(memory, PIN))
    with no_room(memory, to="write"), pytest.raises(StoreFull):
        memory.engine.owners.save_all()
    assert list((tmp_path / "banks").glob("*")) == []
    assert in_log(memory, "4711")
    memory.close()
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        assert not in_log(memory, "4711")
        assert texts(memory) == [POTOLA]


def test_a_reader_erases_nothing(tmp_path: Path, fake_clock: FakeClock) -> None:
    memory = Memory(tmp_path, encoder="hash", clock=fake_clock)
    interrupted(memory, tell(memory, PIN))
    crashed(memory)
    with Memory(tmp_path, encoder="hash", clock=fake_clock, readonly=True) as memory:
        assert texts(memory) == []
        assert in_log(memory, "4711")


@pytest.mark.parametrize("where", ["erase", "purge"])
def test_deleted_words_are_in_no_cache_though_there_was_no_room(
    tmp_path: Path, fake_clock: FakeClock, where: str
) -> None:
    def full(*_: object) -> None:
        raise StoreFull("no room; make some")

    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        doomed = tell(memory, PIN)
        memory.conscious(user_id="ana")
        memory.search("what is my PIN?", user_id="ana")
        log = memory.engine.log
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(log if where == "erase" else log._store, where, full)
            with pytest.raises(StoreFull):
                memory.delete(doomed)
        assert not memory.engine.codec._words._readings
        assert not any("4711" in str(known) for known in memory._conscious._known.values())
        assert texts(memory) == []
        assert in_log(memory, "4711") == (where == "erase")
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        assert not in_log(memory, "4711")


def test_opening_with_nothing_to_finish_reads_no_more_than_it_did(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        tell(memory, POTOLA)
        memory.delete(tell(memory, PIN))
        tell(memory, "I like tea")
        memory.engine.owners.snapshots.remove("user:ana")
        crashed(memory)
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory, pytest.MonkeyPatch.context() as patch:
        patch.setattr("neuromem.snapshots.redact", lambda *_: pytest.fail("nothing was left"))
        assert len(texts(memory)) == 2
        memory.rebuild(user_id="ana", restore=False)


@contextmanager
def no_room_to_erase(memory: Memory) -> Iterator[None]:
    def full(*_: object) -> None:
        raise StoreFull("no room; make some")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory.engine.log, "erase", full)
        yield


def test_what_is_kept_of_a_breath_does_not_bring_back_what_was_to_go(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    """The words of a turn lie in the log as they were said: deleting the next fact of it keeps the rest."""
    with Memory(tmp_path, clock=fake_clock) as memory:
        engine, ana = memory.engine, Owner.of("ana", None, None)
        said = "My locker code is 4711 at the gym. My dog is called Potola. I live in Oslo."
        (written,) = add_all(engine, ana, [heard(engine, ana, Call.of(engine, said, None, None, True))])
        with no_room_to_erase(memory), pytest.raises(StoreFull):
            memory.delete(written[0].id)
        memory.delete(written[1].id)
        assert not in_log(memory, "4711")
        assert not in_log(memory, "Potola")
        assert in_log(memory, "I live in Oslo.")


def test_an_export_as_sound_carries_nothing_that_was_deleted(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path / "a", encoder="hash", clock=fake_clock) as memory:
        doomed = tell(memory, PIN)
        tell(memory, POTOLA)
        with no_room_to_erase(memory), pytest.raises(StoreFull):
            memory.delete(doomed)
        memory.export(tmp_path / "ana.flac", user_id="ana")
    with Memory(tmp_path / "b", encoder="hash", clock=fake_clock) as other:
        other.import_(tmp_path / "ana.flac")
        assert texts(other) == [POTOLA]
        assert not in_log(other, "4711")
