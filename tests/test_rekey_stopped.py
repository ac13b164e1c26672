"""A change of encoder that is stopped, by Ctrl-C or kill -9, goes on at the next opening; nothing is lost."""

from __future__ import annotations

import multiprocessing
import random
import re
import shutil
import signal
import time
from collections.abc import Iterator
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from command_line import finished, started
from conftest import FakeClock
from rekeying import MANY, NEW, OFTEN, OLD, Interrupting, Watched, opened, rekey, same, state_of, told_store

from neuromem import Memory
from neuromem.encoders import HashEncoder

LOCKERS = 240  # of a store whose change is stopped after about twenty


@pytest.mark.parametrize(("after", "kept"), [(3, 0), (9, 9), (21, 17), (40, 35), (MANY, 53)])
def test_stopped_with_ctrl_c_it_goes_on_at_the_next_opening(
    tmp_path: Path, fake_clock: FakeClock, after: int, kept: int
) -> None:
    # kept every eight events, but never in the middle of a batch: here events 7 to 9, 25 to 27, …
    whole = told_store(tmp_path / "store", fake_clock)
    memory = opened(tmp_path / "store", NEW, fake_clock, Interrupting(after), config=OFTEN)
    with pytest.raises(KeyboardInterrupt):
        memory.bank("ana")
    memory.close()
    with opened(tmp_path / "store", NEW, fake_clock, watched := Watched(), config=OFTEN) as memory:
        assert same(state_of(memory), whole)
    assert watched.steps == [(done, MANY) for done in range(kept, MANY + 1)]
    assert watched.lines[0].endswith(f"going on after {kept} of {MANY} events" if kept else "from the log")
    assert len(list((tmp_path / "store" / "banks").iterdir())) == 1, "what was set aside is gone"


def test_stopped_with_ctrl_c_the_same_memory_can_be_used_on(tmp_path: Path, fake_clock: FakeClock) -> None:
    whole = told_store(tmp_path / "store", fake_clock)
    watched = Interrupting(40)
    with opened(tmp_path / "store", NEW, fake_clock, watched, config=OFTEN) as memory:
        with pytest.raises(KeyboardInterrupt):
            memory.bank("ana")
        assert same(state_of(memory), whole)
    assert watched.steps.count((1, MANY)) == 1, "it did not begin again"


def test_an_interrupted_change_leaves_the_old_encoders_snapshot_in_use(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    told_store(tmp_path / "store", fake_clock)
    memory = opened(tmp_path / "store", NEW, fake_clock, Interrupting(40), config=OFTEN)
    with pytest.raises(KeyboardInterrupt):
        memory.bank("ana")
    memory.close()
    with opened(tmp_path / "store", OLD, fake_clock, watched := Watched()) as memory:
        assert len(memory.all(user_id="ana")) == MANY
    assert (watched.lines, watched.steps) == ([], [])


@pytest.mark.parametrize("damage", ["junk", "of a third encoder", "of another log"])
def test_what_was_set_aside_is_used_only_if_it_fits(
    tmp_path: Path, fake_clock: FakeClock, damage: str
) -> None:
    whole = told_store(tmp_path / "store", fake_clock)
    memory = opened(tmp_path / "store", NEW, fake_clock, Interrupting(40), config=OFTEN)
    with pytest.raises(KeyboardInterrupt):
        memory.bank("ana")
    memory.close()
    (aside,) = (tmp_path / "store" / "banks").glob("*.anew")
    if damage == "junk":
        aside.write_bytes(aside.read_bytes()[:-1])
    elif damage == "of another log":
        told_store(tmp_path / "other" / "store", fake_clock)
        (strange,) = (tmp_path / "other" / "whole" / "banks").iterdir()
        shutil.copy(strange, aside)
    encoder = HashEncoder(64) if damage == "of a third encoder" else NEW
    with opened(tmp_path / "store", encoder, fake_clock, watched := Watched(), config=OFTEN) as memory:
        assert same(state_of(memory), whole, but=["key"])
        assert encoder is not NEW or state_of(memory)["key"].equal(whole["key"])
    assert watched.steps[0] == (0, MANY)


def test_what_was_set_aside_does_not_outlive_a_deletion(tmp_path: Path, fake_clock: FakeClock) -> None:
    told_store(tmp_path / "store", fake_clock)
    memory = opened(tmp_path / "store", NEW, fake_clock, Interrupting(40), config=OFTEN)
    with pytest.raises(KeyboardInterrupt):
        memory.bank("ana")
    memory.close()
    (aside,) = (tmp_path / "store" / "banks").glob("*.anew")
    aside.with_name(aside.name + ".partial").write_bytes(aside.read_bytes())  # killed in the middle of a save
    with opened(tmp_path / "store", OLD, fake_clock) as memory:
        memory.delete(memory.all(user_id="ana")[0].id)
        assert [path.suffix for path in (tmp_path / "store" / "banks").iterdir()] == [".safetensors"]


# --- kill -9 ----------------------------------------------------------------------------------


def rekey_until_killed(store: Path, clock: FakeClock, steps: int, seconds: float) -> list[int | str]:
    """Kills a process that keys a store anew, so long after it told so many steps. Returns all it told."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["neuromem.memory"])  # the heavy imports are made once
    hear, tell = context.Pipe(duplex=False)
    with hear:
        child = context.Process(target=rekey, args=(str(store), clock.now, tell), daemon=True)
        child.start()
        tell.close()  # the child's alone now: it ends with it
        told = list(islice(heard(hear), steps))
        time.sleep(seconds)
        child.kill()
        told += heard(hear)
        child.join()
    return told


def heard(hear: Connection) -> Iterator[int | str]:
    """What a child tells until it has ended."""
    while True:
        try:
            yield hear.recv()
        except EOFError:
            return


@pytest.mark.slow
def test_killed_again_and_again_it_gets_to_the_end_and_nothing_is_lost(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    whole = told_store(tmp_path / "store", fake_clock)
    rng, begun = random.Random(5), []
    for _ in range(12):
        said = rekey_until_killed(tmp_path / "store", fake_clock, rng.randrange(8, 24), rng.uniform(0, 0.05))
        if not said or said[-1] == "done":
            break
        begun.append(said[0])
    assert len(begun) >= 3, "it was killed in the middle"
    assert begun[0] == 0
    assert begun == sorted(begun)
    assert begun[-1] > 16, "each went on from what the one before had reached"
    with opened(tmp_path / "store", NEW, fake_clock, watched := Watched(), config=OFTEN) as memory:
        assert same(state_of(memory), whole)
        assert memory.verify().ok
    assert watched.steps == [] or watched.steps[-1] == (MANY, MANY)


def test_a_stopped_rebuild_under_another_encoder_is_made_up_for(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    told_store(tmp_path / "store", fake_clock)
    interrupting = Interrupting(40)
    with (
        opened(tmp_path / "store", NEW, fake_clock, config=OFTEN) as memory,
        pytest.raises(KeyboardInterrupt),
    ):
        memory.rebuild(progress=interrupting.progress)
    with opened(tmp_path / "store", NEW, fake_clock, watched := Watched(), config=OFTEN) as memory:
        resumed = state_of(memory)
        memory.rebuild(restore=False)
        assert same(state_of(memory), resumed)
    assert watched.steps[0][0] >= 28
    assert watched.steps[-1] == (MANY + 1, MANY + 1), "the rebuild was in the log already"


@pytest.mark.slow
def test_a_command_stopped_with_ctrl_c_says_so_and_the_next_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEUROMEM_LOG__SNAPSHOT_EVENTS", "20")
    with Memory(tmp_path, encoder=NEW) as memory:
        lines = [
            {"role": "user", "content": f"My locker number {n} is {n * 7919 % 10_007}"}
            for n in range(LOCKERS)
        ]
        for start in range(0, LOCKERS, 4):
            memory.add(lines[start : start + 4], user_id="me", infer=False)
    process = started("sleep", "--path", str(tmp_path), "--encoder", "hash")
    while process.poll() is None and not list((tmp_path / "banks").glob("*.anew")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "nothing acknowledged was lost. Run the same command again to go on." in err
    done = finished("sleep", "--path", str(tmp_path), "--encoder", "hash", "--json")
    assert done.json["held"] == LOCKERS
    assert re.search(rf"me: the encoder changed .* going on after \d+ of {LOCKERS} events", done.err)
    assert [path.suffix for path in (tmp_path / "banks").iterdir()] == [".safetensors"]
