"""Time: a fact fades rung by rung; sleep makes it physical; hearing it again brings it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import MIDDAY, FakeClock
from strings import FACTS

from neuromem import Memory
from neuromem.encoders import Encoder, load_encoder
from neuromem.errors import NotFound
from neuromem.forgetting import Fidelity, days_until, fidelity_at
from neuromem.recall import Recall

QUIET = {"merged": 0, "refreshed": 0, "left": 0}  # what else a sleep tells of

POTOLA = "My dog's name is Potola"
RUNGS = {  # a strength in the middle of each
    Fidelity.VERBATIM: 0.6,
    Fidelity.GIST: 0.27,
    Fidelity.PARTIAL: 0.15,
    Fidelity.ENTITY: 0.08,
    Fidelity.SUBJECT: 0.04,
    Fidelity.FORGOTTEN: 0.01,
}


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        yield memory


@pytest.fixture(scope="session")
def sentence_encoder() -> Encoder:
    return load_encoder(None)


def tell(memory: Memory, text: str = POTOLA, user_id: str = "ana") -> str:
    (written,) = memory.add(text, user_id=user_id, infer=False)
    return written.id


def fade(memory: Memory, clock: FakeClock, id_: str, strength: float) -> Recall:
    """Moves the clock to where a memory has faded to a strength. Returns what it says then."""
    bank = memory.bank("ana")
    row = bank.rows_of(id_)[0]
    days = float(days_until(strength, float(bank.stability[row]), memory.config.forgetting))
    clock.now = int(bank.rehearsed_ms[row]) / 1_000 + days * 86_400
    return memory.get(id_)


def fade_to(memory: Memory, clock: FakeClock, id_: str, rung: Fidelity) -> Recall:
    recall = fade(memory, clock, id_, RUNGS[rung])
    assert recall.fidelity is rung
    return recall


# --- fading ------------------------------------------------------------------------------------


def test_a_fact_loses_its_words_then_its_details_then_itself(memory: Memory, fake_clock: FakeClock) -> None:
    id_ = tell(memory)
    said = [fade_to(memory, fake_clock, id_, rung).text for rung in RUNGS]
    assert said == [POTOLA, "1|dog name|Potola", "1|dog name|P", "1|dog name", "1", ""]


def test_a_fact_of_middling_importance_is_verbatim_for_a_week_a_gist_for_weeks_and_gone_in_months(
    memory: Memory, fake_clock: FakeClock, tmp_path: Path
) -> None:
    line = {"id": "6d1d5a2e-7f0c-4c8e-9a55-0f6a2f9a3c11", "text": POTOLA, "importance": 0.5, "time": MIDDAY}
    (tmp_path / "one.jsonl").write_text(json.dumps(line), encoding="utf-8")
    memory.import_(tmp_path / "one.jsonl", user_id="ana")
    id_ = line["id"]
    last_day = dict.fromkeys(Fidelity, 0)
    for day in range(400):
        fake_clock.now = MIDDAY + day * 86_400
        recall = memory.get(id_)
        last_day[recall.fidelity] = day
        if recall.fidelity is Fidelity.FORGOTTEN:
            break
    assert 5 <= last_day[Fidelity.VERBATIM] <= 25
    assert 14 <= last_day[Fidelity.GIST] <= 70
    assert 40 <= last_day[Fidelity.FORGOTTEN] <= 365


def test_the_rung_is_never_above_what_the_strength_allows_and_never_rises(
    memory: Memory, fake_clock: FakeClock
) -> None:
    ids = [tell(memory, fact) for fact in FACTS]
    last = dict.fromkeys(ids, Fidelity.VERBATIM)
    for day in (0, 1, 2, 4, 7, 10, 14, 20, 30, 45, 60, 90, 120, 200, 400, 1_000, 3_000):
        fake_clock.now = MIDDAY + day * 86_400
        for recall in memory.all(user_id="ana"):
            assert recall.fidelity.level <= fidelity_at(recall.strength).level
            assert recall.fidelity.level <= last[recall.id].level
            last[recall.id] = recall.fidelity


def test_what_matters_more_lasts_longer(memory: Memory, fake_clock: FakeClock) -> None:
    vital, passing = tell(memory, "I am allergic to peanuts"), tell(memory, "I had soup yesterday")
    fake_clock.advance(days=14)
    assert memory.get(vital).strength > 2 * memory.get(passing).strength


def test_a_fact_that_is_to_be_remembered_for_ever_is(memory: Memory, fake_clock: FakeClock) -> None:
    id_ = tell(memory, "Never forget: the safe is behind the painting")
    fake_clock.advance(days=30_000)
    memory.sleep()
    recall = memory.get(id_)
    assert (recall.fidelity, recall.strength) == ("verbatim", 1.0)
    memory.update(id_, "The safe is behind the mirror")
    fake_clock.advance(days=30_000)
    assert memory.get(id_).text == "The safe is behind the mirror", "it is pinned under its new words too"


def test_with_decay_none_nothing_ever_fades(fake_clock: FakeClock) -> None:
    with Memory(None, {"forgetting": {"decay": "none"}}, "hash", fake_clock) as memory:
        ids = [tell(memory, fact) for fact in FACTS]
        fake_clock.advance(days=30_000)
        assert memory.sleep() == {"owners": 1, "held": len(FACTS), "forgotten": 0} | QUIET
        assert [memory.get(id_).text for id_ in ids] == list(FACTS)
        assert {memory.get(id_).strength for id_ in ids} == {1.0}


# --- sleep -------------------------------------------------------------------------------------


def test_a_memory_that_sleeps_every_night_says_what_one_that_never_sleeps_says(fake_clock: FakeClock) -> None:
    with (
        Memory(encoder="hash", clock=fake_clock) as awake,
        Memory(encoder="hash", clock=fake_clock) as asleep,
    ):
        ids = [[tell(memory, fact) for fact in FACTS] for memory in (awake, asleep)]
        assert ids[0] == ids[1]
        for day in range(1, 60):
            fake_clock.now = MIDDAY + day * 86_400
            asleep.sleep()
            held = set(asleep.bank("ana").ids())
            for id_ in ids[0]:
                expected = awake.get(id_)
                if id_ not in held:
                    assert expected.fidelity is Fidelity.FORGOTTEN
                    continue
                recall = asleep.get(id_)
                assert (recall.text, recall.fidelity, recall.strength) == (
                    expected.text, expected.fidelity, expected.strength,
                )  # fmt: skip


def test_sleep_frees_what_is_forgotten(memory: Memory, fake_clock: FakeClock) -> None:
    forgotten, kept = tell(memory, "I had soup yesterday"), tell(memory, "Never forget the code 4711")
    fade(memory, fake_clock, forgotten, 0.01)
    assert memory.sleep() == {"owners": 1, "held": 1, "forgotten": 1} | QUIET
    assert memory.bank("ana").ids() == [kept]
    with pytest.raises(NotFound, match="is forgotten"):
        memory.get(forgotten)
    assert memory.sleep() == {"owners": 1, "held": 1, "forgotten": 0} | QUIET


def test_sleep_is_for_everybody_or_for_one(memory: Memory, fake_clock: FakeClock) -> None:
    for user in ("ana", "ben", "cem"):
        tell(memory, POTOLA, user)
    fake_clock.advance(days=10_000)
    assert memory.sleep(user_id="ben") == {"owners": 1, "held": 0, "forgotten": 1} | QUIET
    assert memory.sleep() == {"owners": 3, "held": 0, "forgotten": 2} | QUIET


def test_sleep_at_a_time_in_the_future_does_what_will_then_be_due(memory: Memory) -> None:
    tell(memory)
    assert memory.sleep(now=MIDDAY + 10_000 * 86_400)["forgotten"] == 1


def test_sleep_with_a_clock_that_went_backwards_says_no_more_than_is_left(
    memory: Memory, fake_clock: FakeClock
) -> None:
    id_ = tell(memory)
    fade_to(memory, fake_clock, id_, Fidelity.PARTIAL)
    memory.sleep()
    fake_clock.now = MIDDAY
    recall = memory.get(id_)
    assert (recall.text, recall.fidelity) == ("1|dog name|P", "partial")


# --- hearing again, being recalled -------------------------------------------------------------


@pytest.mark.parametrize("rung", [Fidelity.GIST, Fidelity.PARTIAL, Fidelity.SUBJECT])
@pytest.mark.parametrize("slept", [False, True], ids=["awake", "slept"])
def test_hearing_it_again_restores_the_words_and_lengthens_its_life(
    memory: Memory, fake_clock: FakeClock, rung: Fidelity, slept: bool
) -> None:
    id_ = tell(memory)
    fade_to(memory, fake_clock, id_, rung)
    if slept:
        memory.sleep()
    life = float(memory.bank("ana").stability[0])
    (again,) = memory.add(POTOLA, user_id="ana", infer=False)
    assert (again.id, again.event) == (id_, "REINFORCE")
    recall = memory.get(id_)
    assert (recall.text, recall.fidelity, recall.strength) == (POTOLA, "verbatim", 1.0)
    assert float(memory.bank("ana").stability[0]) > 1.5 * life


def test_what_was_forgotten_and_is_heard_again_is_a_memory_once_more(
    memory: Memory, fake_clock: FakeClock
) -> None:
    id_ = tell(memory)
    fade_to(memory, fake_clock, id_, Fidelity.FORGOTTEN)
    memory.sleep()
    (again,) = memory.add(POTOLA, user_id="ana", infer=False)
    assert again.event == "ADD"
    assert memory.get(again.id).text == POTOLA


def test_being_recalled_keeps_a_fact_alive(memory: Memory, fake_clock: FakeClock) -> None:
    recalled, left = tell(memory), tell(memory, "I like to read in the train")
    lives = []
    for _ in range(8):
        fake_clock.advance(days=4)
        memory.search("what is my dog's name?", user_id="ana", limit=1)
        lives.append(float(memory.bank("ana").stability[memory.bank("ana").rows_of(recalled)[0]]))
    assert all(before < after for before, after in pairwise(lives))
    fake_clock.advance(days=10)
    assert memory.get(recalled).fidelity == "verbatim"
    assert memory.get(recalled).strength > memory.get(left).strength


@pytest.mark.parametrize("rung", [Fidelity.GIST, Fidelity.PARTIAL, Fidelity.ENTITY, Fidelity.SUBJECT])
@pytest.mark.parametrize("slept", [False, True], ids=["awake", "slept"])
def test_rehearsing_a_faded_fact_keeps_only_what_it_still_has(
    memory: Memory, fake_clock: FakeClock, rung: Fidelity, slept: bool
) -> None:
    id_ = tell(memory)
    said = fade_to(memory, fake_clock, id_, rung).text
    if slept:
        memory.sleep()
    memory.search("dog name Potola", user_id="ana", fidelity="weights")
    recall = memory.get(id_)
    assert (recall.text, recall.fidelity) == (said, rung)
    assert recall.strength == 1
    fake_clock.advance(days=1)
    memory.search("dog name Potola", user_id="ana", fidelity="weights")
    assert memory.get(id_).text == said, "rehearsing twice loses nothing more"


def test_rehearsal_does_not_depend_on_whether_it_slept(fake_clock: FakeClock) -> None:
    with (
        Memory(encoder="hash", clock=fake_clock) as awake,
        Memory(encoder="hash", clock=fake_clock) as asleep,
    ):
        ids, _ = ([tell(memory, fact) for fact in FACTS] for memory in (awake, asleep))
        for day in (3, 8, 15, 30, 50):
            fake_clock.now = MIDDAY + day * 86_400
            asleep.sleep()
            for memory in (awake, asleep):
                memory.search("my dog my sister my bike", user_id="ana", fidelity="weights", limit=4)
            held = set(asleep.bank("ana").ids())
            for id_ in ids:
                if id_ in held:
                    one, other = awake.get(id_), asleep.get(id_)
                    assert (one.text, one.fidelity) == (other.text, other.fidelity)


# --- fidelity ----------------------------------------------------------------------------------


def test_in_auto_a_good_answer_that_has_faded_gets_its_words_back(
    memory: Memory, fake_clock: FakeClock
) -> None:
    id_ = tell(memory)
    fade_to(memory, fake_clock, id_, Fidelity.ENTITY)
    (recall,) = memory.search("what is my dog's name?", user_id="ana")
    assert (recall.text, recall.fidelity) == (POTOLA, "verbatim")
    assert memory.history(id_)[-2]["event"] == "RESTORE"
    assert memory.get(id_).text == POTOLA, "and they are in the weights again"


def test_in_auto_what_hardly_fits_the_question_is_left_faded(memory: Memory, fake_clock: FakeClock) -> None:
    id_ = tell(memory)
    fade_to(memory, fake_clock, id_, Fidelity.ENTITY)
    for recall in memory.search("quantum chromodynamics on the lattice", user_id="ana"):
        assert recall.fidelity == "entity"
    assert memory.get(id_).fidelity == "entity"


def test_weights_say_what_they_hold_and_no_more(memory: Memory, fake_clock: FakeClock) -> None:
    id_ = tell(memory)
    fade_to(memory, fake_clock, id_, Fidelity.ENTITY)
    (recall,) = memory.search("what is my dog's name?", user_id="ana", fidelity="weights")
    assert (recall.text, recall.fidelity) == ("1|dog name", "entity")


def test_exact_gives_the_words_and_leaves_the_weights_faded(memory: Memory, fake_clock: FakeClock) -> None:
    id_ = tell(memory)
    fade_to(memory, fake_clock, id_, Fidelity.SUBJECT)
    (recall,) = memory.search("dog", user_id="ana", fidelity="exact", rehearse=False)
    assert (recall.text, recall.fidelity) == (POTOLA, "verbatim")
    assert memory.get(id_, fidelity="exact").text == POTOLA
    assert memory.all(user_id="ana", fidelity="exact")[0].text == POTOLA
    assert memory.get(id_).fidelity == "subject"


def test_with_no_budget_the_log_is_not_asked(memory: Memory, fake_clock: FakeClock) -> None:
    id_ = tell(memory)
    fade_to(memory, fake_clock, id_, Fidelity.ENTITY)
    for fidelity in ("auto", "exact"):
        (recall,) = memory.search(
            "my dog's name", user_id="ana", fidelity=fidelity, budget_ms=0, rehearse=False
        )
        assert (recall.text, recall.fidelity) == ("1|dog name", "entity")
    (recall,) = memory.search("my dog's name", user_id="ana", budget_ms=60_000)
    assert recall.text == POTOLA


# --- with the default encoder ------------------------------------------------------------------


@pytest.mark.slow
def test_a_faded_dog_is_found_in_other_words_and_named_again(
    fake_clock: FakeClock, sentence_encoder: Encoder
) -> None:
    with Memory(encoder=sentence_encoder, clock=fake_clock) as memory:
        for fact in FACTS:
            tell(memory, fact)
        id_ = memory.all(user_id="ana")[0].id
        fade_to(memory, fake_clock, id_, Fidelity.ENTITY)
        memory.sleep()
        best = memory.search("what is my dog called?", user_id="ana")[0]
        assert (best.id, best.text) == (id_, POTOLA)
