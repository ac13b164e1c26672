"""The bank is a function of the log: replayed, rebuilt or told again, it is the same bit for bit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from conftest import FakeClock
from strings import FACTS, NASTY

from neuromem import Memory
from neuromem.encoders import Encoder, load_encoder

LIFE = 40  # days of the life that `live` leads


@pytest.fixture(scope="session")
def sentence_encoder() -> Encoder:
    return load_encoder(None)


def live(memory: Memory, clock: FakeClock) -> list[str]:
    """A life with every kind of event but deletion. Returns ids."""
    written = memory.add(
        [{"role": "user", "content": f"{fact}. And how are you?", "name": "Ana"} for fact in FACTS],
        user_id="ana",
    )
    ids = [item.id for item in written]
    for text in list(NASTY.values())[14:18]:
        memory.add(text, user_id="ana", infer=False, metadata={"nasty": True})
    for day in range(0, LIFE, 4):
        clock.advance(days=4)
        memory.search("what is my dog's name?", user_id="ana")
        memory.search("my bike and my tea", user_id="ana", limit=2)
        if day % 12 == 0:
            memory.sleep()
            memory.add("my dogs name is potola", user_id="ana")
        if day == 20:
            memory.update(ids[4], "My daughter Lea was born on 5 May 2019")
            memory.deep("cello", user_id="ana")
    memory.add("A long story about apples and pens. " * 12, user_id="ana", infer=False)
    return ids


def state_of(memory: Memory, user_id: str = "ana") -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in memory.bank(user_id).state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether the rows in use are the same, bit for bit, in the same places."""
    size = int(max(state["used"].nonzero().max() for state in (one, other))) + 1
    return set(one) == set(other) and all(one[name][:size].equal(other[name][:size]) for name in one)


def exported(memory: Memory, path: Path) -> bytes:
    return memory.export(path, user_id="ana").read_bytes()


@pytest.mark.parametrize("encoder", ["hash", pytest.param("sentence", marks=pytest.mark.slow)])
def test_a_bank_is_the_same_from_its_snapshot_and_from_a_replay_of_the_log(
    tmp_path: Path, fake_clock: FakeClock, encoder: str, request: pytest.FixtureRequest
) -> None:
    used = request.getfixturevalue("sentence_encoder") if encoder == "sentence" else encoder
    with Memory(tmp_path, encoder=used, clock=fake_clock) as memory:
        live(memory, fake_clock)
        alive = state_of(memory)
    with Memory(tmp_path, encoder=used, clock=fake_clock) as memory:
        assert same(state_of(memory), alive), "from the snapshot"
    shutil.rmtree(tmp_path / "banks")
    with Memory(tmp_path, encoder=used, clock=fake_clock) as memory:
        assert same(state_of(memory), alive), "from the log alone"


def test_a_snapshot_in_the_middle_and_a_replay_of_the_rest_give_the_same_bank(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    settings = {"log": {"snapshot_events": 7}}
    with Memory(tmp_path, encoder="hash", clock=fake_clock, config=settings) as memory:
        live(memory, fake_clock)
        alive = state_of(memory)
        copy = tmp_path.with_name(tmp_path.name + " copy")
        shutil.copytree(tmp_path, copy, ignore=shutil.ignore_patterns("lock", "*-lock"))
    assert list((copy / "banks").iterdir())
    with Memory(copy, encoder="hash", clock=fake_clock, config=settings) as memory:
        assert same(state_of(memory), alive)


@pytest.mark.parametrize("damage", ["junk", "truncated", "another owner's", "of other settings"])
def test_a_snapshot_that_does_not_fit_is_left_aside(
    tmp_path: Path, fake_clock: FakeClock, damage: str
) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        live(memory, fake_clock)
        memory.add("I like tea", user_id="ben")
        alive, path = state_of(memory), memory.engine.owners.snapshots.path("user:ana")
        other = memory.engine.owners.snapshots.path("user:ben")
    assert path is not None
    assert other is not None
    if damage == "junk":
        path.write_bytes(b"junk")
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "another owner's":
        shutil.copy(other, path)
    config = {"write": {"seed": 1}} if damage == "of other settings" else None
    with Memory(tmp_path, encoder="hash", clock=fake_clock, config=config) as memory:
        if config is None:
            assert same(state_of(memory), alive)
        assert {r.text for r in memory.all(user_id="ben")} == {"I like tea"}
        assert memory.get(memory.all(user_id="ana")[0].id)


def test_two_rebuilds_give_byte_identical_files(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path / "store", encoder="hash", clock=fake_clock) as memory:
        ids = live(memory, fake_clock)
        memory.delete(ids[2])
        memory.rebuild()
        first = exported(memory, tmp_path / "1.safetensors")
        fake_clock.advance(days=3)
        memory.rebuild()
        assert exported(memory, tmp_path / "2.safetensors") == first
        memory.rebuild(restore=False)
        assert exported(memory, tmp_path / "3.safetensors") == first


def test_the_same_life_in_two_stores_gives_the_same_ids_and_the_same_bank(tmp_path: Path) -> None:
    states, ids = [], []
    for name in ("one", "two"):
        clock = FakeClock()
        with Memory(tmp_path / name, encoder="hash", clock=clock) as memory:
            ids.append(live(memory, clock))
            states.append(state_of(memory))
    assert ids[0] == ids[1]
    assert same(*states)


def test_neighbours_asked_in_between_and_threads_of_torch_do_not_matter(fake_clock: FakeClock) -> None:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        live(memory, fake_clock)
        plain = state_of(memory)
    torch.manual_seed(99)
    clock = FakeClock()
    with Memory(encoder="hash", clock=clock) as memory:
        for number in range(5):
            memory.add(f"Somebody else says {number}", user_id="ben", infer=False)
        live(memory, clock)
        memory.search("something else altogether", user_id="ana", rehearse=False)
        assert same(state_of(memory), plain)


def test_after_a_deletion_a_replay_says_the_same_words_under_the_same_ids(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        ids = live(memory, fake_clock)
        memory.delete(ids[0])
        memory.delete(ids[7])
        alive = {r.id: (r.text, r.fidelity, r.strength, r.created_at) for r in memory.all(user_id="ana")}
    shutil.rmtree(tmp_path / "banks")
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        assert {
            r.id: (r.text, r.fidelity, r.strength, r.created_at) for r in memory.all(user_id="ana")
        } == alive
        assert memory.verify().ok


def test_further_writes_leave_the_first_rows_as_they_were_bit_for_bit(fake_clock: FakeClock) -> None:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        memory.add([{"role": "user", "content": f"{fact}!"} for fact in FACTS], user_id="ana", infer=False)
        before, size = state_of(memory), len(memory.bank("ana"))
        for number in range(120):
            memory.add(f"Note {number}: {FACTS[number % 10]} as well", user_id="ana", infer=False)
        after = state_of(memory)
        assert all(after[name][:size].equal(before[name][:size]) for name in before)


def test_an_interrupted_write_is_made_up_for(fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        memory.add("I like tea", user_id="ana")
        writer = memory.engine.writer

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(writer, "write", interrupted)
            with pytest.raises(KeyboardInterrupt):
                memory.add([{"role": "user", "content": fact} for fact in FACTS], user_id="ana", infer=False)
        assert {r.text for r in memory.all(user_id="ana")} == {"I like tea", *FACTS}, "the log had it all"


def test_a_snapshot_never_holds_a_rehearsal_that_the_log_lacks(tmp_path: Path, fake_clock: FakeClock) -> None:
    config = {"log": {"snapshot_events": 2}}  # one falls due while a rehearsal waits
    memory = Memory(tmp_path / "store", config, "hash", clock=fake_clock)
    fact = memory.add("My dog's name is Potola", user_id="ana")[0]
    fake_clock.advance(days=40)  # faded below its gist: the search restores it, then rehearses it
    assert memory.search("dog's name Potola", user_id="ana")[0].fidelity == "verbatim"
    memory.get(fact.id)  # whatever waited is in the log now
    shutil.copytree(tmp_path / "store", tmp_path / "copy")  # as a crash would leave it
    live = memory.bank("ana").state_dict()
    memory.close()
    with Memory(tmp_path / "copy", config, "hash", clock=fake_clock) as again:
        reopened = again.bank("ana").state_dict()
        row = int(reopened["used"].nonzero()[0])
        assert int(reopened["recalls"][row]) == int(live["recalls"][row]) == 1
        assert torch.equal(reopened["stability"][row], live["stability"][row])
