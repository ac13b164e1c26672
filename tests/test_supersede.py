"""What is current: new facts replace old ones, or do not; retraction; the past; replays agree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from conftest import FakeClock

from neuromem import Memory, Recall
from neuromem.facts import gist_of
from neuromem.sayings import Held, Saying
from neuromem.supersede import followed, outdated

FOREVER = {"forgetting": {"decay": "none"}}
DAY_S = 86_400.0
PAIRS = Path(__file__).parent / "data" / "update_pairs.jsonl"


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(config=FOREVER, encoder="hash", clock=fake_clock) as memory:
        yield memory


def tell(memory: Memory, *texts: str, **more: object) -> list[str]:
    """Tells one text after the other, a day apart; ids of the facts."""
    ids = []
    for text in texts:
        ids += [item.id for item in memory.add(text, user_id="ana", **more)]
        clock = memory.engine.clock
        assert isinstance(clock, FakeClock)
        clock.advance(days=1)
    return ids


def current(memory: Memory) -> list[str]:
    return [recall.text for recall in memory.all(user_id="ana") if recall.valid_until is None]


def held(memory: Memory, memory_id: str) -> Recall:
    return memory.get(memory_id)


def state_of(memory: Memory) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in memory.bank("ana").state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether the rows in use are the same, bit for bit."""
    size = int(max(state["used"].nonzero().max() for state in (one, other))) + 1
    return set(one) == set(other) and all(one[name][:size].equal(other[name][:size]) for name in one)


# --- one value at a time -------------------------------------------------------------------------------


def test_a_new_home_replaces_the_old_one_which_is_kept(memory: Memory) -> None:
    first = memory.add("I live in Porto.", user_id="ana")[0]
    assert isinstance(memory.engine.clock, FakeClock)
    moved_at = memory.engine.clock.advance(days=30)
    second = memory.add("I moved to Braga.", user_id="ana")[0]
    assert (first.event, second.event) == ("ADD", "UPDATE")
    assert second.id != first.id
    old, new = held(memory, first.id), held(memory, second.id)
    assert (old.superseded_by, new.superseded_by) == (second.id, None)
    assert old.valid_until == datetime.fromtimestamp(moved_at, UTC)
    assert new.valid_until is None
    assert old.text == "I live in Porto.", "it keeps its words"
    assert old.to_dict()["valid_until"] == old.valid_until.isoformat()
    assert new.to_dict()["last_refreshed_at"] == new.updated_at.isoformat()
    found = [recall.text for recall in memory.search("where do I live in Porto?", user_id="ana")]
    assert found == ["I moved to Braga."], "the old home's words lead to what replaced it"


def test_history_tells_what_replaced_what(memory: Memory) -> None:
    old, new = tell(memory, "I live in Porto.", "I moved to Braga.")
    (end,) = [step for step in memory.history(old) if step["event"] == "SUPERSEDED"]
    (start,) = [step for step in memory.history(new) if step["event"] == "SUPERSEDES"]
    assert (end["superseded_by"], start["superseded"]) == (new, old)
    assert end["reason"] == start["reason"] == "slot"


def test_many_allergies_are_held_side_by_side(memory: Memory) -> None:
    tell(
        memory, "I am allergic to walnuts.", "I am allergic to oysters.", "I speak Welsh.", "I speak Basque."
    )
    assert len(current(memory)) == 4


def test_the_same_again_is_strengthened(memory: Memory) -> None:
    first = memory.add("My dog's name is Potola", user_id="ana")[0]
    assert isinstance(memory.engine.clock, FakeClock)
    memory.engine.clock.advance(days=3)
    again = memory.add("my dog is called Potola", user_id="ana")[0]
    assert (again.id, again.event) == (first.id, "REINFORCE")
    recall = held(memory, first.id)
    assert (recall.updated_at - recall.created_at).days == 3


@pytest.mark.parametrize("infer", [True, False])
def test_two_things_with_one_gist_are_two_facts(memory: Memory, infer: bool) -> None:
    texts = [
        "The thermostat of the rehearsal room is behind the stage.",
        "The thermostat of the community centre is behind the stage.",
    ]
    assert gist_of(texts[0]) == gist_of(texts[1]), "else this shows nothing"
    for text in texts:
        assert memory.add(text, user_id="ana", infer=infer)[0].event == "ADD"
    assert current(memory) == texts


def test_what_is_stored_as_it_is_replaces_nothing(memory: Memory) -> None:
    tell(memory, "I live in Porto.", "I live in Braga.", "Forget that.", infer=False)
    assert current(memory) == ["I live in Porto.", "I live in Braga.", "Forget that."]


# --- change in other words -----------------------------------------------------------------------------

CHANGES = [
    ("I drive a minibus.", "Swapped the minibus for a tandem."),
    ("choir practice is mondays at six", "choir practice got moved to fridays at seven"),
    ("I'm seeing a potter named Ludovic.", "Ludovic and I broke up."),
    ("i'm saving up for a sailboat", "forget the sailboat i'm saving for a roof now"),
    ("i'll bring the lanterns", "can't bring the lanterns after all i'll bring the tent"),
    ("The kiln code is 8817.", "Changed the kiln code, it's 2046 now."),
    ("my therapist is doctor okafor", "i switched therapists i see doctor lund now"),
    ("I'm going to learn the oboe.", "I finally learned the oboe!"),
    ("I can't stand beetroot.", "I changed my mind about beetroot, I love it."),
    ("my resting pulse was eighty", "my resting pulse is sixty six now"),
    ("I'm allergic to latex.", "The test came back, and I'm not allergic to latex."),
    ("Bleached the deck.", "Bleached the deck again."),
    ("My laptop is a ThinkPad.", "The ThinkPad died, so I bought a MacBook."),
    ("We had Easter at Nana's this year.", "We had Easter at the lodge this time."),
]
NO_CHANGES = [
    ("I work for the harbour office.", "My flatmate Ottoline landed a job with the ferry line."),
    ("i'm allergic to bees", "my aunt found out she's allergic to wasps"),
    ("I eat rye bread for lunch.", "Went out for dumplings with the team today."),
    ("i take the tram to work", "the tram was cancelled so i took a taxi"),
    ("My canoe is green.", "Ludmila replaced her canoe with a red one."),
    ("my locker code is four four one", "ivo's locker code got changed to nine oh two"),
    ("I live in Tavira.", "If I moved to Faro I'd live by the sea."),
    ("I have a cat named Miso.", "I also have a cat named Tofu."),
    ("my cousin sam is a nurse", "my boss sam got a new car"),
    ("Nick B. owes me ten dollars.", "Nick S. owes me forty dollars."),
    ("The train to Leeds leaves at 9.", "The train to York leaves at 10."),
    ("i swim on mondays", "i swim on thursdays"),
    ("My dentist is Dr. Ames.", "My dentist is on vacation until Monday."),
    ("I own a food truck.", "Thinking about selling the food truck."),
    ("I live in Tavira.", "The neighbours moved it to the garage."),
    ("My phone is a Pixel.", "The Pixel died so I took the tablet along."),
    (
        "we have nine goats right now",
        "the murphys came back from the fair with more so they have thirty goats",
    ),
    ("my pottery class is on tuesdays", "joan and pete next door had their yoga class shifted to thursdays"),
    ("Old Dave has plot nine.", "Young Dave gave his up, and he's on plot thirty now."),
    ("I knit the shawl on a 4 mm needle.", "The pattern calls for a 6 mm, but mine comes out like a net."),
    ("The plumber comes at nine.", "The plumber rang, and it was gone ten before he was in."),
]


def judged(old: str, new: str, gap_s: float = 30 * DAY_S, back: int = 1) -> list[str]:
    """Reasons for which a statement replaces another."""
    before = Held("old", Saying(old, gist_of(old), 0.0), back, 0.4)
    return [end.reason for end in outdated(Saying(new, gist_of(new), gap_s), [before])]


@pytest.mark.parametrize(("old", "new"), CHANGES, ids=[new for _, new in CHANGES])
def test_change_is_heard_in_many_words(old: str, new: str) -> None:
    assert judged(old, new)


@pytest.mark.parametrize(("old", "new"), NO_CHANGES, ids=[new for _, new in NO_CHANGES])
def test_what_only_looks_like_change_replaces_nothing(old: str, new: str) -> None:
    assert judged(old, new) == []


def test_a_correction_means_what_was_just_said() -> None:
    assert judged("the rehearsal is at three", "sorry i meant four", gap_s=60, back=0) == ["corrected"]
    assert judged("the rehearsal is at three", "sorry i meant four", gap_s=60, back=3) == []
    assert judged("the rehearsal is at three", "sorry i meant four", gap_s=90 * DAY_S, back=0) == []


def test_it_that_gets_a_new_value_is_what_was_just_spoken_of() -> None:
    assert judged("my dose is twenty milligrams", "the doctor doubled it to forty", back=0) == ["moved"]
    assert judged("my dose is twenty milligrams", "the doctor doubled it to forty", back=2) == []
    assert judged("my dose is twenty milligrams", "they moved it to the garage", back=0) == []


def test_what_may_be_news_goes_before_what_it_may_be_news_of(fake_clock: FakeClock) -> None:
    old, new = "We get our milk delivered on Wednesdays.", "The milk gets delivered on Saturdays."
    before = Held("old", Saying(old, gist_of(old), 0.0), 1, 0.4)
    saying = Saying(new, gist_of(new), DAY_S)
    assert outdated(saying, [before]) == []
    assert [end.id for end in followed(saying, [before])] == ["old"]
    with Memory(config=FOREVER, encoder="hash", clock=fake_clock) as memory:
        tell(memory, old, new)
        assert len(current(memory)) == 2, "both stay current"
        found = memory.search("when is our milk delivered?", user_id="ana")
        assert [recall.text[:4] for recall in found] == ["The ", "We g"]
        assert all(recall.superseded_by is None for recall in found)


def test_what_ends_and_what_comes_instead_are_one_fact(memory: Memory) -> None:
    first, second = tell(memory, "I drive a minibus.", "Sold the minibus. I drive a tandem now.")
    assert held(memory, first).superseded_by == second
    assert held(memory, second).text == "Sold the minibus. I drive a tandem now."


def test_a_correction_without_a_statement_of_its_own_is_still_heard(memory: Memory) -> None:
    message = {"role": "user", "content": "I'm bringing the lanterns to the picnic."}
    memory.add([message], user_id="ana")
    memory.add(
        [message | {"content": "nope i'm not bringing the lanterns i signed up for drinks"}], user_id="ana"
    )
    assert current(memory) == ["nope i'm not bringing the lanterns i signed up for drinks"]
    (found,) = memory.search("what am I bringing to the picnic?", user_id="ana")
    assert "drinks" in found.text, "found by the words of what it replaced"


def test_a_habit_goes_before_its_exception(memory: Memory) -> None:
    tell(memory, "I do my laundry on Sundays.", "Had to do my laundry on a Wednesday.")
    assert len(current(memory)) == 2
    now = memory.search("which day do I do laundry, Sunday or on a Wednesday?", user_id="ana")
    then = memory.search("when did I have to do my laundry on a Wednesday?", user_id="ana")
    assert ("Sundays" in now[0].text, "Wednesday" in then[0].text) == (True, True)


# --- retraction ----------------------------------------------------------------------------------------


def test_forget_that_takes_back_the_last_statement(memory: Memory) -> None:
    tell(memory, "I keep bees.", "I bought a jet ski.")
    assert memory.add("Forget that.", user_id="ana") == []
    assert current(memory) == ["I keep bees."]
    old = next(recall for recall in memory.all(user_id="ana") if recall.valid_until)
    assert (old.text, old.superseded_by) == ("I bought a jet ski.", None), (
        "nothing replaced it, and it is kept"
    )
    assert [recall.text for recall in memory.search("do I own a jet ski?", user_id="ana")] == ["I keep bees."]


def test_forget_what_i_said_takes_back_what_is_named(memory: Memory) -> None:
    tell(memory, "I bought a jet ski.", "I keep bees.", "Forget what I said about the jet ski.")
    assert current(memory) == ["I keep bees."]


def test_that_is_wrong_it_is_replaces(memory: Memory) -> None:
    old, new = tell(memory, "The rehearsal is on Monday.", "That's wrong, it's on Tuesday.")
    assert held(memory, old).superseded_by == new


def test_scratch_that_goes_with_the_next_sentence(memory: Memory) -> None:
    old, new = tell(memory, "The rehearsal is on Monday.", "Scratch that. The rehearsal is on Tuesday.")
    assert held(memory, old).superseded_by == new
    assert held(memory, new).text == "The rehearsal is on Tuesday."


def test_scratch_that_in_one_breath_replaces(memory: Memory) -> None:
    old, new = tell(memory, "the boiler is set to two bar", "no scratch that the boiler is set to one bar")
    assert held(memory, old).superseded_by == new


def test_forget_that_takes_back_the_statement_it_repeats(memory: Memory) -> None:
    tell(memory, "my dog is called rex", "I love olives.", "forget that i hate tea")
    tell(memory, "forget that my dog is called rex")
    assert current(memory) == ["I love olives."], "what is to be forgotten is no fact itself"


def test_nobody_else_takes_back_what_somebody_said(memory: Memory) -> None:
    memory.add([{"role": "user", "name": "Ana", "content": "I bought a jet ski."}], user_id="ana")
    memory.add([{"role": "assistant", "content": "Forget that. It is wrong."}], user_id="ana")
    memory.add([{"role": "user", "name": "Ben", "content": "Forget the jet ski."}], user_id="ana")
    memory.add("Forget the jet ski.", user_id="ben")
    assert current(memory) == ["I bought a jet ski."]


def test_two_speakers_have_a_home_each(memory: Memory) -> None:
    for name, town in (("Ana", "Porto"), ("Ben", "Braga")):
        memory.add([{"role": "user", "name": name, "content": f"I live in {town}."}], user_id="ana")
    assert len(current(memory)) == 2


# --- time ----------------------------------------------------------------------------------------------


def test_old_talk_that_comes_late_does_not_replace_the_newer(memory: Memory) -> None:
    new = memory.add("I moved to Braga.", user_id="ana", timestamp="2026-02-01")[0]
    late = memory.add("I live in Porto.", user_id="ana", timestamp="2025-01-01")[0]
    assert current(memory) == ["I moved to Braga."]
    recall = held(memory, late.id)
    assert (recall.superseded_by, recall.valid_until) == (new.id, datetime(2026, 2, 1, tzinfo=UTC))


def test_questions_about_the_past_reach_it(memory: Memory) -> None:
    tell(memory, "I live in Porto.", "I moved to Braga.")
    asked = {
        "where did I live before?": ["I live in Porto.", "I moved to Braga."],
        "where do I live?": ["I moved to Braga."],
    }
    for question, texts in asked.items():
        assert [recall.text for recall in memory.search(question, user_id="ana")] == texts, question
    everything = memory.search("where do I live?", user_id="ana", current_view=False)
    assert {recall.text for recall in everything} == {"I live in Porto.", "I moved to Braga."}


def test_a_question_with_a_date_gets_what_was_so_then(fake_clock: FakeClock) -> None:
    with Memory(config=FOREVER, encoder="hash", clock=fake_clock) as memory:
        for month, pulse in ((1, "eighty"), (2, "seventy")):
            text = f"my resting pulse is {pulse} now"
            memory.add(text, user_id="ana", timestamp=datetime(2026, month, 10, tzinfo=UTC))
        (now,) = memory.search("what is my resting pulse?", user_id="ana")
        then = memory.search("what was my resting pulse in january?", user_id="ana")
        assert ("seventy" in now.text, "eighty" in then[0].text) == (True, True)


def test_a_past_state_knows_only_what_was_superseded_by_then(memory: Memory, fake_clock: FakeClock) -> None:
    start = fake_clock.now
    tell(memory, "I live in Porto.", "I moved to Braga.")
    then = memory.at(start + DAY_S / 2)
    assert [(recall.text, recall.valid_until) for recall in then.all(user_id="ana")] == [
        ("I live in Porto.", None)
    ]


# --- the log and the bank ------------------------------------------------------------------------------


def test_replaying_gives_the_same_bank_bit_for_bit(tmp_path: Path, fake_clock: FakeClock) -> None:
    store = tmp_path / "store"
    with Memory(store, FOREVER, "hash", fake_clock) as memory:
        for pair in CHANGES:
            tell(memory, *pair)
        live = state_of(memory)
        assert int((live["until_ms"] > 0).sum()) >= 8, "most were replaced"
        shutil.copytree(store / "log", tmp_path / "other" / "log")
    with Memory(tmp_path / "other", FOREVER, "hash", fake_clock) as copy:
        assert same(state_of(copy), live)
        copy.rebuild(user_id="ana", restore=False)
        assert same(state_of(copy), live)
        copy.rebuild(user_id="ana")
        assert state_of(copy)["until_ms"].equal(live["until_ms"])


def test_what_was_forgotten_comes_back_superseded(fake_clock: FakeClock) -> None:
    config = {"bank": {"max_slots": 2, "block_slots": 2}}
    with Memory(config=config, encoder="hash", clock=fake_clock) as memory:
        old, new = tell(memory, "I live in Porto.", "I moved to Braga.")
        tell(memory, "I keep bees.")
        assert memory.all(user_id="ana")[0].id == new, "the superseded gave way first"
        memory.delete(memory.all(user_id="ana")[1].id)
        memory.rebuild(user_id="ana")
        assert held(memory, old).superseded_by == new


def test_deleting_what_replaced_makes_the_old_current_again(memory: Memory) -> None:
    first, second, third = tell(memory, "I live in Porto.", "I moved to Braga.", "I moved to Faro.")
    memory.delete(second)
    assert held(memory, first).superseded_by == third, "as if Braga had never been told"
    memory.delete(third)
    assert (held(memory, first).superseded_by, held(memory, first).valid_until) == (None, None)
    before = state_of(memory)
    memory.rebuild(user_id="ana", restore=False)
    assert same(state_of(memory), before)


@pytest.mark.parametrize("suffix", [".jsonl", ".safetensors"])
def test_export_and_import_keep_what_is_current(memory: Memory, tmp_path: Path, suffix: str) -> None:
    old, new = tell(memory, "I live in Porto.", "I moved to Braga.")
    path = memory.export(tmp_path / f"ana{suffix}", user_id="ana")
    with Memory(config=FOREVER, encoder="hash", clock=memory.engine.clock) as other:
        other.import_(path, user_id="ana")
        assert held(other, old).superseded_by == new
        assert held(other, old).valid_until == held(memory, old).valid_until
        assert current(other) == ["I moved to Braga."]


def test_of_hundreds_of_pairs_most_are_judged_right_and_none_is_replaced_in_error() -> None:
    rows = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    found = {True: 0, False: 0}
    for row in rows:
        gap_s, back = (1_800.0, 0) if row["at_once"] else (30 * DAY_S, 1)
        found[row["replaces"]] += bool(judged(row["old"], row["new"], gap_s, back))
    changes = sum(row["replaces"] for row in rows)
    assert found[False] == 0, f"of {len(rows) - changes} that only look like change"
    assert found[True] / changes >= 0.85


def test_things_told_apart_by_a_number_are_two(memory: Memory) -> None:
    told = [memory.add(text, user_id="ana")[0] for text in ("box 1 is Grandma's", "box 2 is Grandma's")]
    assert [item.event for item in told] == ["ADD", "ADD"]
    assert all(recall.superseded_by is None for recall in memory.all(user_id="ana"))
