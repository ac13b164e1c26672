"""Answers with no model: what is chosen of what was told, how it is said, and when nothing is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.assistant.asked import asks_memory, has_kind, is_elliptic, is_follow_up, kind_of
from neuromem.assistant.candidates import MOST, Candidate, candidates
from neuromem.assistant.following import Before, Follow, follow
from neuromem.assistant.judging import Verdict
from neuromem.assistant.phrasing import day_said, told, turned, with_dates
from neuromem.assistant.responder import UNKNOWN, UNSURE, Answer, Responder
from neuromem.assistant.statements import focused, statements_of
from neuromem.bench.common import read_jsonl
from neuromem.bench.talk import read_dialogues, says
from neuromem.errors import InvalidInput

MAY = datetime(2026, 5, 3, tzinfo=UTC)
JUNE = datetime(2026, 6, 9, tzinfo=UTC)


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory() as memory:
        yield memory


# -- how it is said ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "turned_round"),
    [
        ("My dog's name is Potola", "your dog's name is Potola"),
        ("I am at my desk", "you are at your desk"),
        ("I was late and my boss was angry", "you were late and your boss was angry"),
        ("we're moving to our new flat", "you're moving to your new flat"),
        ("She gave me mine", "She gave you yours"),
        ("Ana told you", "Ana told me"),
        ("I thought you were right", "you thought I was right"),
        ("the number you need is my year of birth", "the number I need is your year of birth"),
    ],
)
def test_the_persons_change(said: str, turned_round: str) -> None:
    assert turned(said) == turned_round


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("My dog's name is Potola.", "You told me on 3 May that your dog's name is Potola."),
        ("Oh, and by the way she's sold it, lol", "You told me on 3 May that she's sold it."),
        ("Six kilos exactly", "You told me on 3 May: six kilos exactly."),
        ("it is on the twenty fifth of june", "You told me on 3 May that it is on the 25th of June."),
        ("No more nights", "You told me on 3 May: no more nights."),
        (
            "He travels there tomorrow for a week",
            "You told me on 3 May that he travels there on 4 May for a week.",
        ),
        ("Ida can't eat nuts, so remind me not to bake.", "You told me on 3 May that Ida can't eat nuts."),
        ("Remember this: the door's code is 4471.", "You told me on 3 May that the door's code is 4471."),
        ("Please remember that I keep bees.", "You told me on 3 May that you keep bees."),
        ("Don't forget my birthday is on June 12.", "You told me on 3 May that your birthday is on June 12."),
        ("Just so you know, my PIN is 9371", "You told me on 3 May that your PIN is 9371."),
        ("Remember the milk.", "You told me on 3 May: Remember the milk."),
    ],
)
def test_a_memory_is_said_with_its_day(said: str, answer: str) -> None:
    assert told(said, MAY, JUNE) == answer


def test_names_heard_without_capitals_are_said_with_those_that_are_known() -> None:
    answer = told("potola ate a slipper", MAY, JUNE, capitals={"potola": "Potola"})
    assert answer == "You told me on 3 May that Potola ate a slipper."


def test_days_that_move_become_dates_and_habits_stay() -> None:
    assert with_dates("Lars fell on Friday", MAY, JUNE) == "Lars fell on Friday 1 May"
    assert with_dates("choir is on Friday", MAY, JUNE) == "choir is on Friday"
    assert with_dates("I leave tomorrow morning", MAY, JUNE) == "I leave on 4 May in the morning"
    assert with_dates("My last night shift is the 29th", MAY, JUNE) == "My last night shift is the 29th"


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ((2026, 5, 3), "today"),
        ((2026, 5, 4), "yesterday"),
        ((2026, 5, 9), "on 3 May"),
        ((2027, 1, 1), "on 3 May 2026"),
    ],
)
def test_days_are_said_as_one_says_them(now: tuple[int, int, int], said: str) -> None:
    assert day_said(MAY, datetime(*now, tzinfo=UTC)) == said


def test_only_the_part_that_answers_is_said() -> None:
    said = "Mia can't make lunch so the practice is on Tuesdays"
    assert focused(said, "When is the practice?") == "the practice is on Tuesdays"
    assert focused(said, "Why is the practice on Tuesdays?") == said
    changed = "it's once a month now instead of every week"
    assert focused(changed, "How often is it?") == "it's once a month now"
    assert focused(changed, "How often was it before?") == changed


# -- what is asked ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Where do I live?", "what is my cat called", "Who is Quill's brother?", "Tell me the name of my vet",
        "from when is it ours", "Give me its number plate.",
    ],
)  # fmt: skip
def test_questions_for_the_memory(text: str) -> None:
    assert asks_memory(text)


@pytest.mark.parametrize(
    "text",
    [
        "What's the weather like?", "I live in Porto.", "Good morning!", "play some jazz", "Tell me a joke",
        "Remind me to call Ana", "She drives a bus in Cork, did I say? Tough as nails.",
    ],
)  # fmt: skip
def test_words_that_ask_nothing_of_it(text: str) -> None:
    assert not asks_memory(text)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How much is the rent?", "price"), ("How often does she train?", "often"), ("How old is Bo?", "age"),
        ("When does it start?", "when"), ("Who was it?", "who"), ("Where is the key?", "where"),
        ("Why did he leave?", "why"), ("What does Bo do for a living?", "job"), ("Is it green?", "yes"),
    ],
)  # fmt: skip
def test_the_kind_of_a_question(question: str, kind: str) -> None:
    assert kind_of(question) == kind


def test_the_kind_of_answer_is_looked_for() -> None:
    assert has_kind("when", "It leaves on Tuesday.") == 1
    assert has_kind("when", "It is green.") == -1
    assert has_kind("yes", "It is green.") == 0
    assert has_kind("who", "Quill did it", frozenset({"quill"})) == -1


# -- follow-ups -------------------------------------------------------------------------------------


def test_what_leans_on_the_question_before() -> None:
    assert is_follow_up("And at night?")
    assert not is_follow_up("Where does Quill work?")
    assert is_elliptic("for how long")
    assert not is_elliptic("and she has a new job in the harbour now")


@pytest.mark.parametrize(
    ("before", "answer", "question", "resolved"),
    [
        ("Who is the father?", "The father is Emil, from Sofia.", "What does he do?", "What does Emil do?"),
        ("Which food can't my aunt have?", "Runa eats no nuts", "Where is she now?", "Where is my aunt now?"),
        ("When does Ana arrive?", "Ana comes on Friday", "What's her job?", "What's Ana's job?"),
        ("Where is my hat?", "it is in the car", "Is my aunt the one who sold her boat?",
         "Is my aunt the one who sold her boat?"),
    ],
)  # fmt: skip
def test_he_and_she_mean_who_was_asked_for(before: str, answer: str, question: str, resolved: str) -> None:
    assert follow(question, Before(before, answer, 1, 0.0)).text == resolved


def test_a_follow_up_is_recalled_with_the_question_before() -> None:
    asked = follow("How much did I pay for it?", Before("Where's my summer house?", "", -1, 0.0))
    assert asked.query == "Where's my summer house? How much did I pay for it?"
    assert (
        follow("Where does Quill work?", Before("Who is Bo?", "", -1, 0.0)).query == "Where does Quill work?"
    )


# -- candidates -------------------------------------------------------------------------------------


def test_words_that_gave_no_memory_are_candidates_beside_those_that_did(memory: Memory) -> None:
    for words in ("The girl's wedding at the gardens was chaos.", "They owe us 18,000 rand, they say."):
        memory.add([{"role": "user", "content": words}], "ana")
        memory.add([{"role": "assistant", "content": "All right."}], "ana")
    found = candidates(memory, "ana", "Who owes us money for the wedding at the gardens?")
    assert {each.text for each in found} == {
        "The girl's wedding at the gardens was chaos.", "They owe us 18,000 rand, they say."
    }  # fmt: skip
    assert all("All right" not in each.text for each in found)
    assert found[-1].before or found[0].before


def test_there_are_never_more_candidates_than_asked_for(memory: Memory) -> None:
    for number in range(30):
        memory.add(f"My friend number {number} lives in house {number}.", "ana")
    assert len(candidates(memory, "ana", "Where does my friend live?")) == MOST


def test_what_was_superseded_is_a_candidate_and_known_as_such(memory: Memory) -> None:
    memory.add("I live in Porto.", "ana")
    memory.add("I live in Turin now.", "ana")
    found = {each.text: each for each in candidates(memory, "ana", "Where do I live?")}
    assert not found["I live in Porto."].current
    assert found["I live in Turin now."].current


def test_a_turn_is_taken_apart_and_its_pronouns_resolved() -> None:
    turn = Candidate(
        "He suspects a cataract. Do you know it?",
        ("I have an appointment with Doctor Sevim about my eyes.",),
        MAY,
        1,
        "",
        0,
    )
    (statement,) = statements_of(turn)
    assert statement.said == "He suspects a cataract."
    assert statement.text.endswith("Sevim suspects a cataract.")


# -- the whole --------------------------------------------------------------------------------------


def test_a_talk(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        for words in ("My brother Quill works at the aquarium.", "I'm allergic to sesame.", "Good morning!"):
            assistant.reply(words)
        assert "aquarium" in assistant.reply("Where does Quill work?").text
        assert "you're allergic to sesame" in assistant.reply("What am I allergic to?").text
        unknown = assistant.reply("What is my landlord called?")
    assert not unknown.known
    assert "don't know" in unknown.text


def test_dialogues_are_read_from_plain_text(tmp_path: Path) -> None:
    script = (
        "# Ana | 2025-12-20\n"
        "1 12-20 09:00 My dog is called Potola.\n"
        "2 01-03 09:00 She turned two.\n"
        "?\n"
        "12-21 10:00 known | What's my dog's name? // What do I call my dog? | Potola; dog | Luna | 1\n"
        "01-04 10:00 unknown | Who is my vet? | | Potola | 1\n"
    )
    (tmp_path / "ana.txt").write_text(script, encoding="utf-8")
    [(user, exchanges)] = read_dialogues(tmp_path).items()
    assert user == "Ana"
    assert [each.kind for each in exchanges] == ["", "known", "", "unknown"]
    assert [datetime.fromtimestamp(each.time, UTC).year for each in exchanges] == [2025, 2025, 2026, 2026]
    assert exchanges[1].expected == ("Potola", "dog")
    assert exchanges[3].forbidden == ("Potola",)
    (tmp_path / "bad.txt").write_text("# Bo | 2025-12-20\nwhat is this\n", encoding="utf-8")
    with pytest.raises(InvalidInput):
        read_dialogues(tmp_path)


@pytest.mark.slow
def test_of_forty_plain_facts_nineteen_in_twenty_are_found_again(data_dir: Path) -> None:
    pairs = read_jsonl(data_dir / "dev" / "spoken.jsonl")
    with Memory() as memory, Assistant(memory, "ana") as assistant:
        for pair in pairs:
            assistant.reply(pair["fact"])
        answers = [assistant.reply(pair["question"]).text for pair in pairs]
    wrong = [
        (pair["question"], answer)
        for pair, answer in zip(pairs, answers, strict=True)
        if not any(says(answer, term) for term in pair["expect_any"])
    ]
    assert len(wrong) <= len(pairs) * 0.05, wrong


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("My dog is called Lucky.", "What is my dog's name?"),
        ("my dog is called lucky", "what is my dogs name"),
        ("I live in Porto.", "Where do I live?"),
        ("My sister's name is Runa.", "What is my sister called?"),
    ],
)
def test_the_one_fact_of_a_new_memory_is_found(told: str, asked: str) -> None:
    with Memory() as memory, Assistant(memory, "ana") as assistant:
        assistant.reply(told)
        assert assistant.reply(asked).known
        assert not assistant.reply("What is my cat called?").known


# -- how sure it is ---------------------------------------------------------------------------------


class Sure:
    """A judge that is as sure of the statements as it is told to be, in the order of their telling."""

    def __init__(self, *chances: float) -> None:
        self.chances = chances

    def judge(self, question: Follow, found: Sequence[Candidate]) -> list[Verdict]:
        pairs = [(each, part) for each in sorted(found, key=lambda c: c.seq) for part in statements_of(each)]
        verdicts = [Verdict(chance, *pair) for chance, pair in zip(self.chances, pairs, strict=False)]
        return sorted(verdicts, key=lambda verdict: -verdict.chance)


def answered(memory: Memory, *chances: float) -> Answer:
    memory.add("My boat is called Selkie.", "ana", timestamp=MAY.timestamp())
    memory.add("The old boat was called Kittiwake.", "ana", timestamp=MAY.timestamp() + 7_200)
    responder = Responder(memory, "ana", Sure(*chances))
    asked = "What is my boat called?"
    return responder.answer(asked, responder.recall(asked), JUNE.timestamp())


def test_what_is_sure_is_said_alone(memory: Memory) -> None:
    answer = answered(memory, 0.9, 0.05)
    assert answer.text == "You told me on 3 May that your boat is called Selkie."
    assert answer.known
    assert answer.used


def test_two_statements_about_as_likely_are_both_said(memory: Memory) -> None:
    answer = answered(memory, 0.5, 0.45)
    first, second = answer.text.split(". ")
    assert first == "You told me on 3 May that your boat is called Selkie"
    assert second == "You also told me on 3 May that the old boat was called Kittiwake."


def test_what_may_be_it_is_offered_after_saying_that_it_is_not_known(memory: Memory) -> None:
    answer = answered(memory, 0.4, 0.01)
    assert answer.text == f"{UNSURE} You told me on 3 May that your boat is called Selkie."
    assert not answer.known
    assert not answer.used  # a guess rehearses nothing


def test_what_hardly_fits_is_not_said(memory: Memory) -> None:
    assert answered(memory, 0.1, 0.01) == Answer(UNKNOWN)


def test_what_was_so_before_is_not_said_beside_a_change(memory: Memory) -> None:
    memory.add("I work in Porto.", "ana", timestamp=MAY.timestamp())
    memory.add("I work in Braga now.", "ana", timestamp=MAY.timestamp() + 7_200)
    responder = Responder(memory, "ana", Sure(0.45, 0.5))
    asked = "Where do I work?"
    answer = responder.answer(asked, responder.recall(asked), JUNE.timestamp())
    assert answer.text == "You told me on 3 May that you work in Braga now."


def test_what_was_told_twice_is_said_once(memory: Memory) -> None:
    for day in range(2):
        memory.add("My dog is called Potola.", "ana", timestamp=MAY.timestamp() + day * 7_200, infer=False)
    responder = Responder(memory, "ana", Sure(0.5, 0.45))
    asked = "What is my dog called?"
    answer = responder.answer(asked, responder.recall(asked), JUNE.timestamp())
    assert answer.text == "You told me on 3 May that your dog is called Potola."
