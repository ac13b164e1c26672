"""Sleep: what says the same becomes one memory, what is in use is refreshed, like stands beside like."""

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
from command_line import runner
from conftest import FakeClock
from hypothesis import given
from hypothesis import strategies as st
from test_determinism import exported, same, state_of

from neuromem import Memory
from neuromem.alike import same_fact
from neuromem.clusters import clusters_of, name_of
from neuromem.errors import InvalidInput, NotFound
from neuromem.facts import gist_of
from neuromem.layout import Rows

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
    memory.add("I live in Dallas now!", user_id="ana")  # the same words: heard again
    (twin,) = tell(memory, "I really live in Dallas now.")
    open_event = {"id": home, "by": twin, "reason": "slot"}
    engine = memory.engine
    with engine.owners.use("user:ana") as open_:
        from neuromem.log import Event

        engine.commit(open_, [Event("supersede", fake_clock(), open_event)])
    assert memory.sleep()["merged"] == 1
    assert memory.get(home).superseded_by == old
    memory.delete(old)  # and the twin with it: Porto is as current as it was
    assert memory.get(home).superseded_by is None
    live = state_of(memory)
    memory.rebuild(restore=False)
    assert same(state_of(memory), live)


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
    """A life of three weeks with near-duplicates, recalls and sleeps."""
    for day in range(21):
        clock.advance(days=1)
        pair = TWICE[day % 3]
        tell(memory, pair[day % 2], OTHERS[day % 4], f"Note {day} of the {day % 5} pens")
        memory.search("what do I have?", user_id="ana", limit=2)
        if day % 4 == 3:
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


# What is the same, and what is not


def body(text: str) -> dict[str, Any]:
    return {"text": text, "gist": list(gist_of(text).segments())}


@pytest.mark.parametrize(("one", "other"), TWICE)
def test_it_is_the_same_in_other_clothes(one: str, other: str) -> None:
    assert same_fact(body(one), body(other))


def test_one_gist_is_the_same_in_any_words_and_not_with_a_word_more() -> None:
    named = body("My dog is called Potola")
    assert same_fact(named, body("My dog's name is Potola"))
    for other in ("Pitola", "not Potola", "Potola now", "Potola 2", "Potola or Rex"):
        assert not same_fact(named, body(f"My dog's name is {other}"))


SENTENCES = [
    "I {} {} {} in {}",
    "My sister {} {} {} from {}",
    "Ana said we {} {} {} with {}",
    "the {3} has {2} and I {0} {1} of them",
]
CHOICES = (
    ["have", "do not have", "had", "want", "never had", "will have", "can't have", "hardly have"],
    ["two", "three", "2", "3", "-3", "12", "no", "some", "fewer", "1.5", "15", "$3", "€3", "3%"],
    ["cats", "cat", "dogs", "C", "C++", "C#", "books about Rome", "Rose", "roses"],
    ["Porto", "Oporto", "Ana", "Anna", "May", "Mai", "the Alps", "not the Alps", "Porto?"],
)


@given(st.sampled_from(SENTENCES), st.tuples(*map(st.sampled_from, CHOICES)), st.data())
def test_numbers_names_and_negations_tell_apart(
    form: str, words: tuple[str, str, str, str], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, 3))
    other = list(words)
    other[place] = data.draw(st.sampled_from([word for word in CHOICES[place] if word != words[place]]))
    assert not same_fact(body(form.format(*words)), body(form.format(*other)))
    assert same_fact(
        body(form.format(*words)), body(f"Oh, {form.format(*words).replace(' I ', ' I really ')}")
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I flew from Rome to Paris", "I flew to Rome from Paris"),
        ("Ana loves Ben", "Ben loves Ana"),
        ("I like tea", "I like tea?"),
        ("I work at Acme", "I worked at Acme"),
        ("I eat meat", "I eat meat if I must"),
        ("I just eat fish", "I eat fish"),
        ("I have a boss", "I am a boss"),
        ("I am taller than Ben", "I am smaller than Ben"),
        ("I take vitamin A tablets", "I take vitamin tablets"),
        ("my keys are on the table", "my keys are under the table"),
        ("he likes tea", "she likes tea"),
        ("My sister lives in Rome", "My brother lives in Rome"),
    ],
)
def test_one_word_may_tell_apart(one: str, other: str) -> None:
    assert not same_fact(body(one), body(other))


def test_what_happened_once_happened_again_on_another_day() -> None:
    one, other = body("I went to the opera"), body("I really went to the opera")
    assert same_fact(one, other, apart_s=3_600)
    assert not same_fact(one, other, apart_s=3 * 86_400)
    habit = body("I swim on Mondays"), body("I really swim on Mondays")
    assert same_fact(*habit, apart_s=300 * 86_400)


# Refreshing


def nights(memory: Memory, clock: FakeClock, count: int) -> int:
    """So many days, a sleep at the end of each. Returns how often something was refreshed."""
    refreshed = 0
    for _ in range(count):
        clock.advance(days=1)
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
    row = memory.bank("ana").rows_of(used)
    assert not row or int(memory.bank("ana").recalls[row[0]]) == 1, "being refreshed is not being asked for"
    assert not memory.bank("ana").rows_of(unused)


def test_a_refresh_keeps_what_is_in_use_for_longer(fake_clock: FakeClock) -> None:
    verbatim = []
    for days in (7.0, 0.0):
        clock = FakeClock()
        memory = Memory(encoder="hash", clock=clock, config={"sleep": {"refresh_days": days}})
        (used,) = tell(memory, "My favourite colour is green.")
        clock.advance(days=1)
        memory.search("which colour do I like?", user_id="ana", limit=1)
        held = [
            nights(memory, clock, 1) and False or memory.get(used).fidelity == "verbatim" for _ in range(90)
        ]
        verbatim.append(sum(held))
    assert verbatim[0] > verbatim[1]


def test_merging_and_refreshing_can_be_turned_off(fake_clock: FakeClock) -> None:
    config = {"sleep": {"merge": False, "refresh_days": 0}}
    memory = Memory(encoder="hash", clock=fake_clock, config=config)
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
    merged = []
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


def test_it_compares_only_what_is_new(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
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
    config, pens = {"forgetting": {"decay": "none"}}, 120
    with Memory(tmp_path, config, "hash") as memory:
        many_twins(memory, pens)
    rng, halves = random.Random(5), 0
    for _ in range(4):
        command = [sys.executable, "-c", SLEEPER, str(tmp_path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=os.environ) as sleeper:
            assert sleeper.stdout is not None
            for _ in range(rng.randrange(30, 70)):
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


# Clusters


GROUPS = {
    "tea": ["I drink green tea", "I drink black tea", "My tea is green and black", "black tea for me"],
    "bike": ["My bike is a red Bianchi bike", "the red bike of mine is a Bianchi", "I ride a red bike"],
}
LONER = "The dentist found two cavities"


def test_like_stands_beside_like(memory: Memory) -> None:
    ids = {text: tell(memory, text)[0] for group in zip(*GROUPS.values(), strict=False) for text in group}
    ids |= {LONER: tell(memory, LONER)[0]}
    found = clusters_of(memory.bank("ana"), memory.engine.keys.strangers)
    texts = {id_: text for text, id_ in ids.items()}
    named = {
        name_of([texts[id_] for id_ in cluster], []): {texts[id_] for id_ in cluster} for cluster in found
    }
    assert set(named) == set(GROUPS)
    for name, members in named.items():
        assert members <= set(GROUPS[name])
    assert clusters_of(memory.bank("ana"), memory.engine.keys.strangers) is found, (
        "kept until the bank changes"
    )


def test_clusters_are_the_same_for_the_same_bank_and_without_what_is_over(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        tell(memory, *(text for group in GROUPS.values() for text in group))
        memory.sleep()
        first = clusters_of(memory.bank("ana"), memory.engine.keys.strangers)
        assert len(first) == 2
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        assert clusters_of(memory.bank("ana"), memory.engine.keys.strangers) == first
        memory.bank("ana").supersede(first[0][0], "", 1)
        memory.bank("ana").changes += 1
        again = clusters_of(memory.bank("ana"), memory.engine.keys.strangers)
        assert first[0][0] not in {id_ for cluster in again for id_ in cluster}


def test_a_cluster_is_named_by_its_slot_else_by_its_commonest_word() -> None:
    assert name_of(["I live in Porto", "home is Rome"], ["1|home|Porto", "1|home|Rome"]) == "home"
    assert name_of(["my red bikes", "the bike"], ["1 red bikes", "x"]) in ("bike", "bikes")
    assert name_of([], []) == ""


def test_the_command_shows_clusters_and_what_a_sleep_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    neuromem = runner(tmp_path, capsys)
    for text in [*GROUPS["tea"], LONER, "I really drink green tea"]:
        assert neuromem("add", "--raw", text).status == 0
    assert neuromem("sleep", "--json").json == {
        "owners": 1, "held": 5, "forgotten": 0, "merged": 1, "refreshed": 0, "left": 0,
    }  # fmt: skip
    assert "0 merged" in neuromem("sleep", "--budget", "5").out
    shown = neuromem("show", "--clusters", "--json").json
    assert [cluster["name"] for cluster in shown["clusters"]] == ["tea"]
    assert [memory["text"] for memory in shown["alone"]] == [LONER]
    told = neuromem("show", "--clusters").out
    assert "tea (" in told
    assert "alone (1)" in told
    assert neuromem("show", "--clusters", "00000000").status == 2
    assert neuromem("sleep", "--budget", "-1").status == 2


# Size


@pytest.mark.slow
def test_10_000_slots_sleep_in_less_than_2_seconds(memory: Memory) -> None:
    sources = 400
    many_twins(memory, sources // 2)
    bank, generator = memory.bank("ana"), torch.Generator().manual_seed(0)
    for number in range(10_000 - sources):  # writing 10,000 takes minutes
        source = number % sources
        state = {
            name: getattr(bank, name)[source].item()
            for name in "stability difficulty sequence importance written_ms heard_ms rehearsed_ms seal".split()
        }
        rows = Rows(*(getattr(bank, name)[[source]] for name in Rows._fields))
        marks = torch.randint(-30_000, 30_000, (1, 24), generator=generator).to(torch.int16)
        key = torch.randint(-40, 40, rows.key.shape, generator=generator).to(torch.int8)
        rows = rows._replace(marks=marks, key=key)
        bank.store(str(UUID(int=number + 1)), bank.allocate(1, 0), rows, state | {"meaning": number})
    assert len(bank) == 10_000
    started = time.perf_counter()
    memory.sleep(budget_s=0)
    assert time.perf_counter() - started < 2.0
    started = time.perf_counter()
    assert memory.sleep()["left"] == 0
    assert time.perf_counter() - started < 10.0, "200 of them are merged, which writes their words anew"
    started = time.perf_counter()
    assert memory.sleep()["merged"] == 0
    assert time.perf_counter() - started < 2.0
