"""Sleep: what says the same becomes one memory, what is in use is refreshed, in what time there is."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import torch
from conftest import FakeClock
from test_determinism import exported, same, state_of

from neuromem import Memory
from neuromem.errors import InvalidInput, NotFound
from neuromem.layout import Rows
from neuromem.log import Event

COPIED = "stability difficulty importance sequence written_ms heard_ms rehearsed_ms seal".split()
ROOT = Path(__file__).resolve().parents[1]
TWICE = [
    ("I have two cats.", "Oh, I've got the two cats!"),
    ("My brother's car doesn't start.", "My brothers car does not really start"),
    ("I'm allergic to peanuts", "well, I am actually allergic to peanuts."),
]
OTHERS = [
    "I have three cats.",
    "My sister's car doesn't start.",
    "I live in Porto.",
    "I'm not allergic to rye",
]


@pytest.fixture
def memory(fake_clock: FakeClock) -> Memory:
    return Memory(encoder="hash", clock=fake_clock)


def tell(memory: Memory, *texts: str, user: str = "ana", **options: Any) -> list[str]:
    """Tells texts as they are, each by itself. Returns ids."""
    return [memory.add(text, user_id=user, infer=False, **options)[0].id for text in texts]


def texts_of(memory: Memory, user: str = "ana") -> set[str]:
    return {recall.text for recall in memory.all(user_id=user)}


# Merging


def test_what_says_the_same_becomes_the_older_memory_with_the_fuller_wording(memory: Memory) -> None:
    older = tell(memory, *(one for one, _ in TWICE))
    tell(memory, *OTHERS)
    newer = tell(memory, *(other for _, other in TWICE))
    done = memory.sleep()
    assert (done["merged"], done["forgotten"], done["left"]) == (3, 0, 0)
    assert texts_of(memory) == {*OTHERS, *(max(pair, key=len) for pair in TWICE)}
    assert [memory.get(id_).text for id_ in older] == [max(pair, key=len) for pair in TWICE]
    for old, new in zip(older, newer, strict=True):
        assert not memory.bank("ana").rows_of(new)
        with pytest.raises(NotFound, match=f"merged into {old}"):
            memory.get(new)
    assert memory.sleep()["merged"] == 0


def test_the_survivor_is_as_strong_as_if_it_had_been_heard_again(
    memory: Memory, fake_clock: FakeClock
) -> None:
    (old,) = tell(memory, "I have two cats.")
    fake_clock.advance(days=1)
    memory.search("two cats", user_id="ana", limit=1)
    stable = float(memory.bank("ana").stability[0])
    fake_clock.advance(days=20)
    faded = memory.get(old).strength
    (new,) = tell(memory, "I've got the two cats!")
    memory.search("the two cats", user_id="ana", limit=1)
    bank = memory.bank("ana")
    recalls = int(bank.recalls[bank.used].sum())
    fake_clock.advance(hours=8)
    fresh = memory.get(new).strength
    memory.sleep()
    (row,) = memory.bank("ana").rows_of(old)
    assert memory.get(old).strength >= fresh > faded
    assert int(memory.bank("ana").recalls[row]) == recalls
    assert float(memory.bank("ana").stability[row]) >= stable
    assert memory.get(old).created_at < memory.get(old).updated_at


def test_two_people_two_owners_two_days_and_other_metadata_are_not_merged(
    memory: Memory, fake_clock: FakeClock
) -> None:
    for name in ("Ana", "Ben"):
        memory.add([{"role": "user", "name": name, "content": "I have a cat"}], user_id="ana", infer=False)
    tell(memory, "I really have a cat", user="ben")
    tell(memory, "I went to the opera")
    tell(memory, "I swim on Mondays", metadata={"from": "chat"})
    fake_clock.advance(days=3)
    tell(memory, "I actually went to the opera", "I really swim on Mondays")
    assert memory.sleep()["merged"] == 0


def test_a_superseded_memory_is_never_merged_with_a_current_one(
    memory: Memory, fake_clock: FakeClock
) -> None:
    memory.add("I live in Porto.", user_id="ana")
    fake_clock.advance(days=2)
    memory.add("I moved to Dallas.", user_id="ana")
    fake_clock.advance(days=2)
    tell(memory, "I really live in Porto.")
    before = texts_of(memory)
    assert memory.sleep()["merged"] == 0
    assert texts_of(memory) == before


def test_what_a_merged_memory_replaced_is_replaced_by_the_survivor(
    memory: Memory, fake_clock: FakeClock
) -> None:
    (old,) = tell(memory, "I live in Dallas now.")
    (home,) = tell(memory, "I live in Porto.")
    (twin,) = tell(memory, "I really live in Dallas now.")
    with memory.engine.owners.use("user:ana") as open_:
        replaced = Event("supersede", fake_clock(), {"id": home, "by": twin, "reason": "slot"})
        memory.engine.commit(open_, [replaced])
    assert memory.sleep()["merged"] == 1
    assert memory.get(home).superseded_by == old
    memory.delete(old)  # and the twin with it: Porto is as current as it was
    assert memory.get(home).superseded_by is None
    memory.rebuild(restore=False)
    assert memory.get(home).superseded_by is None


def test_history_tells_of_it_and_the_words_are_in_the_log(memory: Memory) -> None:
    old, new = tell(memory, "I have two cats.", "I really have the two cats.")
    memory.sleep()
    assert [line["event"] for line in memory.history(old)] == ["ADD", "MERGES"]
    assert memory.history(old)[1]["merged"] == [new]
    assert [line["event"] for line in memory.history(new)] == ["ADD", "MERGED"]
    assert memory.history(new)[1]["merged_into"] == old
    said = {record.body.get("text") for record in memory.engine.log.events("user:ana")}
    assert {"I have two cats.", "I really have the two cats."} <= said
    assert [found.id for found in memory.deep("two cats", user_id="ana")] == [old]


@pytest.mark.parametrize("restore", [True, False])
def test_a_rebuild_does_not_bring_the_twin_back(memory: Memory, fake_clock: FakeClock, restore: bool) -> None:
    old, _ = tell(memory, "I have two cats.", "I really have the two cats.")
    memory.sleep()
    memory.sleep(fake_clock() + 4_000 * 86_400)  # all is forgotten
    assert texts_of(memory) == set()
    memory.rebuild(restore=restore)
    assert {recall.id: recall.text for recall in memory.all(user_id="ana")} == (
        {old: "I really have the two cats."} if restore else {}
    )


def test_deleting_the_survivor_erases_both_tellings(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        old, new = tell(memory, "My code word is xylograph", "My code word is really xylograph")
        memory.sleep()
        with pytest.raises(NotFound, match=old):
            memory.delete(new)
        memory.delete(old)
        assert texts_of(memory) == set()
        assert not any("text" in record.body for record in memory.engine.log.events("user:ana"))
        live = state_of(memory)["used"].sum()
    shutil.rmtree(tmp_path / "banks")
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        assert state_of(memory)["used"].sum() == live == 0
        assert memory.verify().ok


def test_before_the_sleep_there_were_two(memory: Memory, fake_clock: FakeClock) -> None:
    _, new = tell(memory, "I have two cats.", "I really have the two cats.")
    before = fake_clock()
    fake_clock.advance(days=1)
    memory.sleep()
    assert memory.at(before).get(new).text == "I really have the two cats."


def live(memory: Memory, clock: FakeClock) -> None:
    """Three weeks with near-duplicates, recalls and sleeps, then half a year in which nothing is said."""
    tell(memory, "My favourite colour is green.")
    for day in range(21):
        clock.advance(days=1)
        pair = TWICE[day % 3]
        tell(memory, pair[day % 2], OTHERS[day % 4], f"Note {day} of the {day % 5} pens")
        memory.search("what do I have?", user_id="ana", limit=2)
        if day % 4 == 3:
            memory.sleep()
    memory.search("which colour do I like?", user_id="ana", limit=1)
    for _ in range(40):
        clock.advance(days=5)
        memory.sleep()


def test_a_life_with_sleeps_replays_to_the_same_bits(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path / "one", encoder="hash", clock=fake_clock) as memory:
        live(memory, fake_clock)
        alive = state_of(memory)
        kinds = [record.kind for record in memory.engine.log.events("user:ana")]
        assert {"merge", "refresh", "sleep"} <= set(kinds)
        memory.rebuild()
        first = exported(memory, tmp_path / "1.safetensors")
        memory.rebuild(restore=False)
        assert exported(memory, tmp_path / "2.safetensors") == first
    clock = FakeClock()
    with Memory(tmp_path / "two", encoder="hash", clock=clock) as memory:
        live(memory, clock)
        assert same(state_of(memory), alive), "the same life once more"
    shutil.rmtree(tmp_path / "two" / "banks")
    with Memory(tmp_path / "two", encoder="hash", clock=clock) as memory:
        assert same(state_of(memory), alive), "from the log alone"


# Refreshing


def nights(memory: Memory, clock: FakeClock, count: int, days: int = 1) -> int:
    """So many sleeps, some days apart. Returns how often something was refreshed."""
    refreshed = 0
    for _ in range(count):
        clock.advance(days=days)
        refreshed += memory.sleep()["refreshed"]
    return refreshed


def test_an_essential_in_use_is_refreshed_once_and_one_that_nobody_needs_fades(
    memory: Memory, fake_clock: FakeClock
) -> None:
    used, unused = tell(memory, "My favourite colour is green.", "My favourite meal is soup.")
    assert {recall.id for recall in memory.conscious(user_id="ana")} == {used, unused}
    fake_clock.advance(days=1)
    memory.search("which colour do I like?", user_id="ana", limit=1)
    assert nights(memory, fake_clock, 400) == 1
    kinds = [line["event"] for line in memory.history(used)]
    assert kinds == ["ADD", "RECALL", "REFRESH"]
    assert [line["event"] for line in memory.history(unused)] == ["ADD"]
    assert not memory.bank("ana").rows_of(unused)


def test_a_refresh_keeps_what_is_in_use_for_longer(fake_clock: FakeClock) -> None:
    verbatim = []
    for days in (7.0, 0.0):
        clock = FakeClock()
        memory = Memory(encoder="hash", clock=clock, config={"sleep": {"refresh_days": days}})
        (used,) = tell(memory, "My favourite colour is green.")
        clock.advance(days=1)
        memory.search("which colour do I like?", user_id="ana", limit=1)
        verbatim.append(0)
        for _ in range(100):
            nights(memory, clock, 1, days=4)
            held = {recall.id: recall.fidelity for recall in memory.all(user_id="ana", fidelity="weights")}
            verbatim[-1] += held.get(used) == "verbatim"
    assert verbatim[0] > verbatim[1]


def test_merging_can_be_turned_off(fake_clock: FakeClock) -> None:
    memory = Memory(encoder="hash", clock=fake_clock, config={"sleep": {"merge": False}})
    tell(memory, "I have two cats.", "I really have two cats.")
    assert memory.sleep()["merged"] == 0


# Stopping


def many_twins(memory: Memory, count: int) -> None:
    memory.add(
        [{"role": "user", "content": f"I have pen {n}"} for n in range(count)]
        + [{"role": "user", "content": f"I really have pen {n}"} for n in range(count)],
        user_id="ana", infer=False,
    )  # fmt: skip


def test_without_time_it_goes_on_at_the_next_sleep_until_all_is_done(memory: Memory) -> None:
    many_twins(memory, 6)
    merged: list[int] = []
    while not merged or merged[-1]:
        done = memory.sleep(budget_s=0)
        merged.append(done["merged"])
        assert len(merged) < 9
    assert merged == [1, 1, 1, 1, 1, 1, 0]
    assert done["left"] == 0
    assert len(memory.all(user_id="ana")) == 6


def test_without_time_every_owner_has_their_turn(memory: Memory, fake_clock: FakeClock) -> None:
    for user in ("ana", "ben", "cleo"):
        tell(memory, "I have a cat", "I really have a cat", user=user)
    for left in (2, 2, 2):
        done = memory.sleep(budget_s=0)
        assert (done["owners"], done["merged"], done["left"]) == (1, 1, left)
        fake_clock.advance(seconds=1)


def test_it_compares_only_what_is_new(memory: Memory) -> None:
    many_twins(memory, 4)
    steps: list[tuple[int, int]] = []
    memory.sleep(progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    tell(memory, "I live in Porto.", "I have the pen 2")
    steps.clear()
    assert memory.sleep(progress=lambda done, total: steps.append((done, total)))["merged"] == 1
    assert steps == [(1, 1)]


@pytest.mark.parametrize("budget", [-1.0, float("nan"), float("inf"), "soon", True])
def test_a_budget_that_is_no_time_is_refused(memory: Memory, budget: Any) -> None:
    with pytest.raises(InvalidInput, match="budget_s"):
        memory.sleep(budget_s=budget)


def test_ctrl_c_leaves_whole_events_and_the_next_sleep_goes_on(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        many_twins(memory, 50)

        def stop(done: int, total: int) -> None:
            if done == 40:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            memory.sleep(progress=stop)
        assert 50 < len(memory.all(user_id="ana")) < 100
        halfway = state_of(memory)
        memory.rebuild(restore=False)
        assert same(state_of(memory), halfway)
        memory.sleep()
        assert len(memory.all(user_id="ana")) == 50


SLEEPER = """
import os, sys
from neuromem import Memory

memory = Memory(sys.argv[1], {"forgetting": {"decay": "none"}}, "hash")
os.write(1, b"open\\n")
memory.sleep(progress=lambda done, total: os.write(1, b".\\n"))
"""


def test_kill_9_in_the_middle_of_a_sleep_loses_nothing(tmp_path: Path) -> None:
    config, pens = {"forgetting": {"decay": "none"}}, 70
    with Memory(tmp_path, config, "hash") as memory:
        many_twins(memory, pens)
    rng, halves = random.Random(5), 0
    for _ in range(3):
        command = [sys.executable, "-c", SLEEPER, str(tmp_path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=os.environ) as sleeper:
            assert sleeper.stdout is not None
            for _ in range(rng.randrange(34, 64)):
                sleeper.stdout.readline()
            sleeper.send_signal(signal.SIGKILL)
        with Memory(tmp_path, config, "hash") as memory:
            assert memory.verify().ok
            held = [
                recall.text.removeprefix("I really have").split()[-1] for recall in memory.all(user_id="ana")
            ]
            assert set(held) == {str(number) for number in range(pens)}
            halves += pens < len(held) < 2 * pens
    assert halves, "no sleep was stopped half-way"
    with Memory(tmp_path, config, "hash") as memory:
        memory.sleep()
        assert len(memory.all(user_id="ana")) == pens


# Size


@pytest.mark.slow
def test_10_000_slots_sleep_in_less_than_2_seconds_of_cpu(memory: Memory) -> None:
    sources = 400
    many_twins(memory, sources // 2)
    bank, generator = memory.bank("ana"), torch.Generator().manual_seed(0)
    for number in range(10_000 - sources):  # writing 10,000 takes minutes
        source = number % sources
        state = {name: getattr(bank, name)[source].item() for name in COPIED}
        rows = Rows(*(getattr(bank, name)[[source]] for name in Rows._fields))
        marks = torch.randint(-30_000, 30_000, (1, 24), generator=generator).to(torch.int16)
        key = torch.randint(-40, 40, rows.key.shape, generator=generator).to(torch.int8)
        rows = rows._replace(marks=marks, key=key)
        bank.store(str(UUID(int=number + 1)), bank.allocate(1, 0), rows, state | {"meaning": number})
    assert len(bank) == 10_000
    started = time.process_time()
    memory.sleep(budget_s=0)
    assert time.process_time() - started < 2.0
    started = time.process_time()
    assert memory.sleep()["left"] == 0
    assert time.process_time() - started < 10.0, "200 of them are merged, which writes their words anew"
    started = time.process_time()
    assert memory.sleep()["merged"] == 0
    assert time.process_time() - started < 2.0
