"""An id leads to its owner: one that nobody has is looked for in no bank, an imported one is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from neuromem import Memory
from neuromem.errors import NotFound


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(tmp_path / "store", encoder="hash") as made:
        yield made


@pytest.fixture
def imported(memory: Memory, tmp_path: Path) -> str:
    """The id of a memory of Ben's that was Ana's in another store."""
    with Memory(encoder="hash") as other:
        (told,) = other.add("My dog is Potola", user_id="ana")
        other.export(tmp_path / "ana.safetensors", user_id="ana")
    for name in ("cleo", "dan"):
        memory.add("I like tea", user_id=name)
    memory.import_(tmp_path / "ana.safetensors", user_id="ben")
    return told.id


def opened_by(memory: Memory, monkeypatch: pytest.MonkeyPatch, call: Any) -> list[str]:
    """Owners whose banks a call that finds nothing looks at."""
    opened: list[str] = []
    use = memory.engine.owners.use

    def noting(name: str, *args: Any, **more: Any) -> Any:
        opened.append(name)
        return use(name, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(memory.engine.owners, "use", noting)
        with pytest.raises(NotFound):
            call()
    return opened


def test_for_an_id_that_nobody_has_no_bank_is_opened(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [memory.add("I like tea", user_id=f"user {number}")[0].id for number in range(5)]
    assert opened_by(memory, monkeypatch, lambda: memory.get(str(uuid4()))) == []
    assert opened_by(memory, monkeypatch, lambda: memory.delete(str(uuid4()))) == []
    memory.delete(ids[2])
    assert opened_by(memory, monkeypatch, lambda: memory.get(ids[2])) == ["user:user 2"]
    assert memory.history(ids[2])[-1]["event"] == "DELETE"


def test_an_imported_memory_is_found_under_its_own_id(memory: Memory, imported: str, tmp_path: Path) -> None:
    assert memory.get(imported.upper()).text == "My dog is Potola"
    assert [one.id for one in memory.all(user_id="ben")] == [imported]
    memory.close()
    with Memory(tmp_path / "store", encoder="hash") as again:
        assert again.get(imported).text == "My dog is Potola"
        again.update(imported, "My dog is Patola")
        again.delete(imported)
        with pytest.raises(NotFound):
            again.get(imported)
        assert again.history(imported)[-1]["event"] == "DELETE"


def test_it_is_found_again_where_its_owner_was_deleted_and_told_anew(
    memory: Memory, imported: str, tmp_path: Path
) -> None:
    assert memory.get(imported).text == "My dog is Potola"
    memory.delete_all(user_id="ben")
    for number in range(3):
        memory.add(f"I own {number} boats", user_id="ben")
    with pytest.raises(NotFound):
        memory.get(imported)
    memory.delete_all(user_id="ben")
    memory.import_(tmp_path / "ana.safetensors", user_id="ben")
    memory.add("I like jam", user_id="ben")
    assert memory.get(imported).text == "My dog is Potola"


def test_an_owner_who_is_deleted_meanwhile_is_nobody(
    memory: Memory, imported: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ana, of whom all was known, goes between two looks at her log; the memory is Ben's all the same."""
    memory.add("I like tea", user_id="ada")
    assert memory.get(imported).text == "My dog is Potola"
    log = memory.engine.log
    length = log.length

    def last_look(name: str) -> int:
        found = length(name)
        if name == "user:ada":
            monkeypatch.setattr(log, "length", length)
            memory.delete_all(user_id="ada")
        return found

    monkeypatch.setattr(log, "length", last_look)
    assert memory.get(imported).text == "My dog is Potola"


def test_who_deletes_their_own_reads_the_log_of_nobody_else(
    memory: Memory, imported: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, read = memory.engine.log.events, set()

    def noting(owner: str, *args: Any) -> Any:
        read.add(owner)
        return events(owner, *args)

    monkeypatch.setattr(memory.engine.log, "events", noting)
    with pytest.raises(NotFound):
        memory.delete(imported, user_id="dan")
    assert read <= {"user:dan"}
    memory.delete(imported, user_id="ben")
    assert read <= {"user:dan", "user:ben"}
