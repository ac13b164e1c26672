"""The judge of news: what a statement makes out of date is read; the rules stand where they are sure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import FakeClock

from neuromem import Memory
from neuromem.encoders import load_encoder
from neuromem.facts import gist_of
from neuromem.sayings import Held, Saying
from neuromem.supersede import FOLLOWS, End
from neuromem.verdict import READ, NewsJudge, news_judge_for, tells_of_another, weighed
from training.changes import changes_of, read_blocks, sample_of
from training.twins import twins

FOREVER = {"forgetting": {"decay": "none"}}
DAY_S = 86_400.0
STUDIO = "I rent a studio above a laundromat in Tacoma."
BUNGALOW = "We got the keys to a bungalow in Olympia on Friday, so that's home from here on."
BLOCK = """
1 | We rent a studio above a laundromat in Tacoma.
2 | My sister Dalia lives in Tacoma too.
3>1 move | We got the keys to a bungalow in Olympia on Friday, so that's home from here on.
4~2 other | Dalia is thinking of moving as well.
5>3 move | The bungalow is sold; we live on a barge.
"""


def said(text: str, day: float = 0.0) -> Saying:
    return Saying(text, gist_of(text), day * DAY_S)


def told(*texts: str) -> list[Held]:
    """Held statements, a week apart, the last one said last."""
    back = len(texts) - 1
    return [Held(text, said(text, 7 * place), back - place, 0.2) for place, text in enumerate(texts)]


def chance_of(new: str, *texts: str) -> dict[str, float]:
    return NewsJudge().chances(said(new, 100), told(*texts))


# --- what is read ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (STUDIO, BUNGALOW),
        ("Priya and I are engaged.", "Priya gave the ring back on Sunday."),
        ("i'm on chapter three of the book", "finished chapter nine last night"),
    ],
)  # fmt: skip
def test_what_a_statement_makes_out_of_date_is_found_without_a_word_of_change(old: str, new: str) -> None:
    chances = chance_of(new, "My sister plays the harp.", old, "The dryers hum all night.")
    assert max(chances, key=chances.__getitem__) == old
    assert chances[old] > 0.5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("I have a dog called Bo.", "My neighbour adopted a cat."),
        ("I drink my coffee black.", "The kitchen smells of paint."),
    ],
)
def test_what_is_of_something_else_replaces_nothing(old: str, new: str) -> None:
    assert sum(chance_of(new, old, "My sister plays the harp.").values()) < 0.3


def test_a_statement_is_read_alone_so_the_same_talk_gives_the_same_verdict() -> None:
    once, again = (chance_of(BUNGALOW, STUDIO, "The dryers hum all night.") for _ in range(2))
    assert once == again


def test_somebody_else_s_statements_are_not_read() -> None:
    theirs = Held("theirs", Saying(STUDIO, gist_of(STUDIO), 0.0, "ben"), 0, 0.5)
    assert "theirs" not in NewsJudge().chances(said(BUNGALOW, 9), [theirs, *told("The dryers hum.")])


def test_what_was_told_last_is_read_where_it_may_be_meant() -> None:
    """By a pronoun, few words, a word of its own, or likeness; else a statement names its matter."""
    lately = [replace(held, likeness=0.1) for held in told("My tortoise hides under the shed.")]
    for new in ("She digs there.", "Under it now.", "The shed is gone."):
        assert NewsJudge().chances(said(new, 9), lately)
    assert not NewsJudge().chances(said("My cousin teaches maths in Leeds.", 9), lately)
    assert NewsJudge().chances(said("My cousin teaches maths in Leeds.", 9), told("My tortoise hides."))


def test_what_a_rule_has_found_is_read_whatever_it_is_about() -> None:
    lately = [replace(held, likeness=0.1) for held in told("My tortoise hides under the shed.")]
    new = said("My cousin teaches maths in Leeds.", 9)
    assert NewsJudge().chances(new, lately, found={lately[0].id})
    assert NewsJudge().chances(replace(new, cue="Scratch that."), lately)


def test_a_rule_about_what_was_told_last_is_overruled_by_reading(fake_clock: FakeClock) -> None:
    with Memory(clock=fake_clock) as memory:
        memory.add("passed the crane thing ninety four percent", user_id="ana")
        fake_clock.now += 300
        locker = "my locker at work is number two one seven and the combo is nanas house number backwards"
        memory.add(locker, user_id="ana")
        assert all(recall.valid_until is None for recall in memory.all(user_id="ana"))


def led(lead: str, text: str) -> Saying:
    return replace(said(text, 100), led=f"{lead} {text}")


def test_what_leads_into_a_statement_is_read_with_it_and_not_as_a_memory() -> None:
    lead, old = "Caleb rang me this morning.", "My nephew Caleb is a student at Durham."
    chances = NewsJudge().chances(led(lead, "He's transferred to St Andrews."), told(old, lead))
    assert (chances[old] > 0.5, chances[lead]) == (True, 0.0)


@pytest.mark.parametrize(
    ("lead", "text"),
    [
        ("My son goes to Hillside.", "His teacher there is Mr Lowe."),
        ("I take the 8am train to work.", "It's usually packed, so I stand."),
        ("My sister works at Tesco.", "She starts at six and goes there by bus."),
    ],
)
def test_a_detail_of_what_it_leans_on_makes_nothing_out_of_date(lead: str, text: str) -> None:
    assert NewsJudge().chances(led(lead, text), told(lead))[lead] < 0.3


def test_the_lead_itself_may_be_what_is_out_of_date() -> None:
    lead = "My rent is 900 a month."
    assert NewsJudge().chances(led(lead, "It's gone up to 950."), told(lead))[lead] > 0.7


def test_an_encoder_that_shares_no_layers_with_the_judge_goes_without(tmp_path: Path) -> None:
    assert news_judge_for(load_encoder("hash").name) is None
    assert news_judge_for(load_encoder("conv").name) is None
    assert news_judge_for(load_encoder("transformer:192").name) is not None


# --- rules and judge together ------------------------------------------------------------------------------


def test_what_is_read_clearly_replaces_and_what_is_read_in_doubt_only_follows() -> None:
    new, held = said(BUNGALOW, 100), told(STUDIO, "The dryers hum all night.")
    assert weighed(new, held, [], [], {STUDIO: 0.95}) == ([End(STUDIO, READ)], [])
    assert weighed(new, held, [], [], {STUDIO: 0.5}) == ([], [End(STUDIO, FOLLOWS)])
    assert weighed(new, held, [], [], {STUDIO: 0.1}) == ([], [])


def test_a_rule_that_may_err_is_overruled_and_one_that_is_sure_is_not() -> None:
    new, held = said(BUNGALOW, 100), told(STUDIO)
    sure, doubtful = End(STUDIO, "slot"), End(STUDIO, "alike")
    assert weighed(new, held, [sure], [], {STUDIO: 0.0})[0] == [sure]
    assert weighed(new, held, [doubtful], [], {STUDIO: 0.0})[0] == []
    assert weighed(new, held, [doubtful], [], {})[0] == [doubtful]  # it was not read


def test_another_person_s_news_and_an_exception_end_nothing_whatever_is_read() -> None:
    mine = told("My laptop's password hint is blue.")
    theirs = said("My neighbour changed his password hint to green.", 100)
    assert weighed(theirs, mine, [], [], {mine[0].id: 0.99}) == ([], [])
    habit = told("I always have lunch at Joe's.")
    once = said("We had lunch at the hotel this time.", 100)
    assert weighed(once, habit, [], [], {habit[0].id: 0.99}) == ([], [])


def test_what_only_reads_like_an_exception_replaces_a_habit_if_that_is_read_for_certain() -> None:
    habit = told("our hotel in Porto is on Rua do Almada")
    news = said("I had the wrong street our hotel in Porto is on Rua das Flores", 100)
    assert weighed(news, habit, [], [], {habit[0].id: 0.95})[0] == [End(habit[0].id, READ)]
    assert weighed(news, habit, [], [], {habit[0].id: 0.8})[0] == []


def test_what_corrects_says_so_or_is_read_as_a_change() -> None:
    held = told("Karen does my hair on Market Street")
    corrected = End(held[0].id, "corrected")
    only_led, mended = said("Karen texted me", 100), said("I was wrong about Karen", 100)
    assert weighed(only_led, held, [corrected], [], {held[0].id: 0.0})[0] == []
    assert weighed(only_led, held, [corrected], [], {held[0].id: 0.4})[0] == [corrected]
    assert weighed(mended, held, [corrected], [], {held[0].id: 0.0})[0] == [corrected]


def test_a_change_read_of_a_namesake_is_of_who_is_meant() -> None:
    held = told("Young Dave has plot ten.", "Old Dave has plot nine.")
    new = said("Old Dave took plot thirty.", 100)
    ends, _ = weighed(new, held, [], [], {held[0].id: 0.7, held[1].id: 0.28})
    assert ends == [End(held[1].id, READ)]
    assert weighed(new, held[:1], [], [], {held[0].id: 0.9}) == ([], [])  # and nobody's where it is none's


def test_one_kind_of_thing_said_of_two_who_have_names_replaces_nothing_whatever_is_read() -> None:
    held = told("Xubipre's phone number is 0412 993311", "Dalia works at the bakery")
    other = said("Todaezer's phone number is 0665 660062", 100)
    assert weighed(other, held, [], [], {held[0].id: 0.95}) == ([], [])
    assert tells_of_another(said("Ines works at the post office"), held[1].said)
    assert not tells_of_another(said("Xubipre's phone number is 0665 660062"), held[0].said)
    assert not tells_of_another(said("Sorry, I meant Todaezer's phone number is 0412 993311"), held[0].said)
    assert not tells_of_another(said("My phone number is 0665 660062"), held[0].said)


# --- in a memory -------------------------------------------------------------------------------------------


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(config=FOREVER, clock=fake_clock) as memory:
        yield memory


def test_what_was_read_is_logged_and_what_is_current_comes_first(
    memory: Memory, fake_clock: FakeClock
) -> None:
    (old,) = memory.add("Our standup is at 9:30.", user_id="ana")
    fake_clock.advance(days=90)
    memory.add(
        "With Bangalore on the team we meet at half eight, so they can have dinner in peace.", user_id="ana"
    )
    assert any(event.get("reason") == READ for event in memory.history(old.id))
    assert "half eight" in memory.search("When is our standup?", user_id="ana")[0].text


# --- what it learns from -----------------------------------------------------------------------------------


def test_a_block_tells_what_was_current_and_what_goes(tmp_path: Path) -> None:
    path = tmp_path / "01.txt"
    path.write_text(BLOCK.strip() + "\n", encoding="utf-8")
    (block,), held_out = read_blocks([path])
    assert held_out == []
    changes = changes_of(block)
    assert [change.tag for change in changes] == ["", "move", "other", "move"]
    move, last = changes[1], changes[3]
    assert sample_of(move).right == {0}
    assert [passage.text for passage in last.held][:1] == ["My sister Dalia lives in Tacoma too."]
    (gone,) = sample_of(last).right
    assert last.held[gone].before == STUDIO.replace("I rent", "We rent")  # known by what it replaced, too


def test_what_leads_into_a_change_is_read_with_it_and_changes_nothing_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "01.txt"
    path.write_text(
        "1 | Caleb is at Durham.\n2>1 pronoun | Caleb rang. || He's at St Andrews.\n", encoding="utf-8"
    )
    ((block,), _) = read_blocks([path])
    alone, led = changes_of(block)
    assert (alone.new, alone.gone) == ("Caleb rang.", frozenset())
    assert (led.new, led.gone) == ("Caleb rang. He's at St Andrews.", {0})


def test_a_block_that_is_not_of_the_format_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "01.txt"
    path.write_text("1 | We rent.\n2>2 move | We bought.\n", encoding="utf-8")
    with pytest.raises(ValueError, match="replaces what comes after it"):
        read_blocks([path])


def test_made_twins_are_replaced_only_where_they_are_of_one_name() -> None:
    changes = twins(300, 7)
    assert 0.2 < sum(bool(change.gone) for change in changes) / len(changes) < 0.5
    assert changes == twins(300, 7)
    assert changes != twins(300, 8)
    assert all(len(change.gone) <= 1 < 1 + len(change.held) for change in changes)
    for change in changes:
        names = set(re.findall(r"[A-Z]\w+", change.new)) - {"The", "They", "Table"}
        assert all(names & set(re.findall(r"[A-Z]\w+", change.held[place].text)) for place in change.gone)
