"""Deleting is for good, in every file; what was not deleted is there when the store is opened again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FakeClock
from strings import FACTS

import neuromem
from neuromem import Memory
from neuromem.cached import CACHES
from neuromem.records import record_key

POTOLA = "My dog's name is Potola"


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        yield memory


def tell(memory: Memory, text: str, user_id: str = "ana", **more: Any) -> str:
    (written,) = memory.add(text, user_id=user_id, infer=False, **more)
    return written.id


# --- deleting ----------------------------------------------------------------------------------


def test_what_is_deleted_is_gone_for_every_way_of_asking(memory: Memory) -> None:
    doomed, kept = tell(memory, POTOLA), tell(memory, "I like tea")
    memory.delete(doomed)
    assert [recall.id for recall in memory.all(user_id="ana")] == [kept]
    assert doomed not in {recall.id for recall in memory.search("dog name Potola", user_id="ana")}
    assert all("Potola" not in recall.text for recall in memory.deep("dog name Potola", user_id="ana"))
    with pytest.raises(neuromem.errors.NotFound):
        memory.get(doomed)
    assert all("text" not in step for step in memory.history(doomed))
    memory.rebuild(user_id="ana")
    assert [recall.id for recall in memory.all(user_id="ana")] == [kept]
    assert memory.verify().ok


@pytest.mark.parametrize("whole", [False, True])
def test_deleted_words_are_in_no_cache(whole: bool, fake_clock: FakeClock) -> None:
    with Memory(clock=fake_clock) as memory:
        (written,) = memory.add("My wifi password is marmalade-52-otter.", user_id="ana")
        memory.search("marmalade-52-otter", user_id="ana")
        assert any(cache.cache_info().currsize for cache in CACHES)
        memory.delete_all(user_id="ana") if whole else memory.delete(written.id)
        assert not any(cache.cache_info().currsize for cache in CACHES)
        assert not memory.engine.keys.encoder._known


def test_a_deleted_fact_that_is_told_again_is_a_new_memory(memory: Memory) -> None:
    first = tell(memory, POTOLA)
    memory.delete(first)
    second = tell(memory, POTOLA)
    assert second != first
    assert memory.get(second).text == POTOLA


def test_deleting_a_user_leaves_no_user(memory: Memory) -> None:
    for fact in FACTS:
        tell(memory, fact)
    assert memory.delete_all(user_id="ana") == len(FACTS)
    assert memory.users() == []
    assert memory.all(user_id="ana") == []
    assert memory.delete_all(user_id="ana") == 0
    assert memory.get(tell(memory, POTOLA)).text == POTOLA


SECRETS = ("Zanzibar-4711", "Quetzalcoatl")


def traces(memory: Memory, secrets: tuple[str, ...]) -> list[bytes]:
    """What could betray secrets in a file: themselves, and the compressed records that hold them."""
    found = [secret.encode() for secret in secrets]
    with memory.engine.log._store.read() as txn:
        stored = dict(txn.scan(b"r"))
    for name in memory.engine.log.owners():
        for record in memory.engine.log.events(name):
            if any(secret.lower() in json.dumps(record.body).lower() for secret in secrets):
                found.append(stored[record_key(name.encode(), record.seq)][-40:-8])  # all but its checksum
    return found


def files_with(folder: Path, needles: list[bytes]) -> list[str]:
    """Files whose raw bytes hold a needle."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in paths for needle in needles if needle in path.read_bytes()]


@pytest.mark.parametrize(
    "told", ["alone", "among others", "joined to a fragment", "twice", "updated", "long ago"]
)
def test_deleted_words_are_in_no_file_of_the_store(tmp_path: Path, fake_clock: FakeClock, told: str) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        memory.add("I like tea. My cat is grey.", user_id="ana")
        text = {
            "among others": "Hello! The password of the vault is Zanzibar-4711. I live in Graz. How are you?",
            "joined to a fragment": "My codeword is Zanzibar-4711.\n\n  Quetzalcoatl.  How are you?",
        }.get(told, "The password of the vault is Zanzibar-4711")
        written = memory.add(text, user_id="ana", metadata={"hint": "Quetzalcoatl"})
        ids = [item.id for item in written if any(secret in item.text for secret in SECRETS)]
        assert ids
        if told == "twice":
            memory.add("the password of the vault is zanzibar-4711!! And how are you?", user_id="ana")
        if told == "updated":
            memory.update(ids[0], "The password of the vault is Quetzalcoatl")
        if told == "long ago":
            fake_clock.advance(days=5_000)
            assert memory.sleep()["held"] == 0
        memory.search("password of the vault", user_id="ana")
    memory = Memory(tmp_path, encoder="hash", clock=fake_clock)  # snapshots are written by now
    secrets = traces(memory, (*SECRETS, "Graz"))
    assert files_with(tmp_path, secrets), "the test would find the words"
    ids += [item.id for item in memory.all(user_id="ana") if "Graz" in item.text]
    for id_ in ids:
        memory.delete(id_)
    assert files_with(tmp_path, secrets) == []
    memory.close()
    assert files_with(tmp_path, secrets) == []
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        assert memory.verify().ok
        texts = [recall.text for recall in memory.all(user_id="ana")]
        assert "I like tea." in texts or told == "long ago"
        assert not any(secret in text for text in texts for secret in SECRETS)
        memory.add("I like coffee as well", user_id="ana")


def test_a_deleted_users_words_are_in_no_file_of_the_store(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        memory.add("The password is Zanzibar-4711. Quetzalcoatl! How?", user_id="quetzalcoatl")
        memory.add("I like tea", user_id="ben")
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        secrets = traces(memory, SECRETS)
        assert files_with(tmp_path, secrets)
        memory.delete_all(user_id="quetzalcoatl")
        assert files_with(tmp_path, secrets) == []
        assert memory.users() == ["ben"]
    assert files_with(tmp_path, secrets) == []
    assert len(list((tmp_path / "banks").iterdir())) == 1


def test_the_weights_of_a_deleted_memory_are_in_no_file_either(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        doomed = tell(memory, POTOLA)
        tell(memory, "I like tea")
        bank = memory.bank("ana")
        row = bank.rows_of(doomed)[0]
        weights = bank.value[row].numpy().tobytes()[:60]
        memory.close()
    (snapshot,) = (tmp_path / "banks").iterdir()
    assert weights in snapshot.read_bytes()
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        memory.delete(doomed)
        assert weights not in snapshot.read_bytes()


# --- opening again -----------------------------------------------------------------------------


def test_what_was_told_is_there_after_closing_and_opening(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        ids = [tell(memory, fact, metadata={"n": n}) for n, fact in enumerate(FACTS)]
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        for n, (id_, fact) in enumerate(zip(ids, FACTS, strict=True)):
            recall = memory.get(id_)
            assert (recall.text, recall.metadata) == (fact, {"n": n})


def test_closing_is_for_good_and_may_be_repeated(tmp_path: Path) -> None:
    memory = Memory(tmp_path, encoder="hash")
    id_ = tell(memory, POTOLA)
    memory.close()
    memory.close()
    for call in (
        lambda: memory.add(POTOLA, user_id="ana"), lambda: memory.search("dog", user_id="ana"),
        lambda: memory.get(id_), lambda: memory.all(user_id="ana"), lambda: memory.history(id_),
        lambda: memory.delete(id_), lambda: memory.update(id_, "x"), lambda: memory.delete_all(user_id="ana"),
        lambda: memory.sleep(), lambda: memory.rebuild(), lambda: memory.verify(), lambda: memory.users(),
        lambda: memory.deep("dog", user_id="ana"), lambda: memory.conscious(user_id="ana"),
        lambda: memory.bank("ana"), lambda: memory.export(tmp_path / "x.jsonl"), lambda: memory.at(1).users(),
    ):  # fmt: skip
        with pytest.raises(neuromem.errors.Closed):
            call()


def test_a_memory_in_ram_touches_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Memory(encoder="hash") as memory:
        tell(memory, POTOLA)
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_that_cannot_be_written_loses_nothing(tmp_path: Path, fake_clock: FakeClock) -> None:
    (tmp_path / "banks").write_text("no folder")
    memory = Memory(tmp_path, encoder="hash", clock=fake_clock, config={"log": {"snapshot_events": 1}})
    ids = [tell(memory, fact) for fact in FACTS]
    with pytest.raises(neuromem.errors.StoreError, match=r"cannot be written .*; nothing is lost"):
        memory.close()
    (tmp_path / "banks").unlink()
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        assert [memory.get(id_).text for id_ in ids] == list(FACTS)


def test_what_an_assistant_said_of_a_memory_goes_with_it() -> None:
    with Memory() as memory:
        [told] = memory.add([{"role": "user", "content": "My dog's name is Potola."}], "ana")
        for answer in (
            "You told me that your dog's name is Potola. Shall I call her?",
            "Potola.",
            "It is Monday.",
        ):
            memory.add([{"role": "assistant", "content": answer}], "ana")
        memory.delete(told.id)
        [owner] = memory.engine.log.owners()
        said = [str(event.body.get("text", "")) for event in memory.engine.log.events(owner)]
    assert not any("Potola" in text for text in said)
    assert "Shall I call her?" in said  # what it said beside that stays
    assert "It is Monday." in said
