"""Import beside other owners: an id leads to one owner's memory, and nobody's is reached by another's."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import FakeClock

from neuromem import Memory
from neuromem.cli import main
from neuromem.errors import NotFound

POTOLA = "My dog's name is Potola"
SUFFIXES = (".jsonl", ".safetensors")


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    """Ana has a dog, and has moved."""
    with Memory(encoder="hash", clock=fake_clock) as memory:
        for text in (POTOLA, "I live in Porto.", "I moved to Lisbon."):
            memory.add(text, user_id="ana")
            fake_clock.advance(days=0.1)
        yield memory


def held(memory: Memory, user_id: str) -> dict[str, str]:
    return {recall.text: recall.id for recall in memory.all(user_id=user_id, fidelity="exact")}


def copied(memory: Memory, folder: Path, suffix: str, user_id: str = "ben") -> dict[str, str]:
    """Ana's memory, given to somebody else of the same store."""
    memory.import_(memory.export(folder / f"ana{suffix}", "ana"), user_id)
    return held(memory, user_id)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_an_owner_gives_to_another_gets_ids_of_its_own(
    memory: Memory, tmp_path: Path, suffix: str
) -> None:
    ana, ben = held(memory, "ana"), copied(memory, tmp_path, suffix)
    assert set(ben) == set(ana)
    assert not set(ben.values()) & set(ana.values())
    assert memory.get(ben["I live in Porto."]).superseded_by == ben["I moved to Lisbon."]
    assert memory.get(ana["I live in Porto."]).superseded_by == ana["I moved to Lisbon."]
    memory.rebuild(restore=False)
    assert held(memory, "ben") == ben


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_changing_and_deleting_a_copy_leaves_the_other_owner_alone(
    memory: Memory, tmp_path: Path, suffix: str
) -> None:
    ana, ben = held(memory, "ana"), copied(memory, tmp_path, suffix)
    story = memory.history(ana[POTOLA])
    memory.update(ben[POTOLA], "My dog's name is Rex")
    assert (memory.get(ana[POTOLA]).text, memory.get(ben[POTOLA]).text) == (POTOLA, "My dog's name is Rex")
    memory.delete(ben[POTOLA])
    assert held(memory, "ana") == ana
    assert memory.history(ana[POTOLA]) == story
    with pytest.raises(NotFound):
        memory.get(ben[POTOLA])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_file_once_more_brings_nothing_twice(memory: Memory, tmp_path: Path, suffix: str) -> None:
    assert copied(memory, tmp_path, suffix) == copied(memory, tmp_path, suffix)
    assert len(memory.all(user_id="ben")) == 3


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_id_that_another_owner_has_deleted_is_theirs_still(
    memory: Memory, tmp_path: Path, suffix: str
) -> None:
    path, dog = memory.export(tmp_path / f"ana{suffix}", "ana"), held(memory, "ana")[POTOLA]
    memory.delete(dog)
    memory.import_(path, "ben")
    assert memory.get(held(memory, "ben")[POTOLA]).text == POTOLA
    with pytest.raises(NotFound):
        memory.get(dog)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_id_that_an_import_gave_to_a_third_owner_is_theirs(
    memory: Memory, tmp_path: Path, fake_clock: FakeClock, suffix: str
) -> None:
    path = memory.export(tmp_path / f"ana{suffix}", "ana")
    with Memory(encoder="hash", clock=fake_clock) as other:
        other.import_(path, "ben")
        assert held(other, "ben") == held(memory, "ana"), "nobody there has them: they are kept"
        other.import_(path, "carl")
        assert not set(held(other, "carl").values()) & set(held(other, "ben").values())
        other.delete(held(other, "carl")[POTOLA])
        assert held(other, "ben") == held(memory, "ana")


def test_a_successor_that_did_not_come_along_is_nobody_elses_memory(memory: Memory, tmp_path: Path) -> None:
    path, ana = memory.export(tmp_path / "ana.jsonl", "ana"), held(memory, "ana")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "Porto" in line]
    assert json.loads(lines[0])["superseded_by"] == ana["I moved to Lisbon."]
    path.write_text(lines[0], encoding="utf-8")
    memory.import_(path, "ben")
    (recall,) = memory.all(user_id="ben")
    assert recall.superseded_by not in ana.values()


# --- stores in which two have one id: written before, or each copy came when the other was not there -----


@pytest.fixture
def shared(memory: Memory, tmp_path: Path) -> Path:
    """A store in which ben has ana's memories under her ids, and she has come after him."""
    with Memory(tmp_path / "shared", encoder="hash", clock=memory.engine.clock) as store:
        store.import_(memory.export(tmp_path / "ana.jsonl", "ana"), "ben")
        store.import_(memory.export(tmp_path / "ana.flac", "ana"))
        assert held(store, "ana") == held(store, "ben")
    return tmp_path / "shared"


def test_a_delete_that_names_the_user_is_of_nobody_elses_memory(shared: Path, fake_clock: FakeClock) -> None:
    with Memory(shared, encoder="hash", clock=fake_clock) as store:
        dog = held(store, "ben")[POTOLA]
        store.delete(dog, user_id="ben")
        assert POTOLA not in held(store, "ben")
        assert held(store, "ana")[POTOLA] == dog
        with pytest.raises(NotFound):
            store.delete(dog, user_id="ben")


def test_forget_in_a_chat_is_about_the_one_who_talks(
    shared: Path, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Memory(shared, encoder="hash", clock=fake_clock) as store:
        store.update(held(store, "ana")[POTOLA], "My dog's name is Rex")  # the id leads to ana
    monkeypatch.setattr("sys.stdin", io.StringIO("/forget dog name\ny\n"))
    assert main(["chat", "--path", str(shared), "--encoder", "hash", "--user", "ben"]) == 0
    assert "forgotten" in capsys.readouterr().out
    with Memory(shared, encoder="hash", clock=fake_clock) as store:
        assert POTOLA not in held(store, "ben")
        assert "My dog's name is Rex" in held(store, "ana")
