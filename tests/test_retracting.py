"""What was taken back or deleted is told no more: in no answer and no prompt, now and in later talks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.assistant.candidates import candidates
from neuromem.assistant.responder import NOTHING_TO_TAKE_BACK, TAKEN_BACK, UNKNOWN
from neuromem.assistant.retracting import beside, retracts
from neuromem.errors import NotFound
from neuromem.llm import Message


class Echo:
    """A model that says what its prompt holds of a PIN, and keeps the prompt."""

    name, context_tokens = "echo", 4_096

    def __init__(self) -> None:
        self.asked = ""

    def count(self, text: str) -> int | None:
        return None

    def generate(self, messages: list[Message], **settings: Any) -> Any:
        raise NotImplementedError

    def stream(self, messages: list[Message], **settings: Any) -> Iterator[str]:
        self.asked = "\n".join(str(message["content"]) for message in messages)
        yield "Your PIN is 9371." if "9371" in self.asked else "I see."


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory() as memory:
        yield memory


def words_in_log(memory: Memory) -> str:
    (owner,) = memory.engine.log.owners()
    return "\n".join(str(record.body) for record in memory.engine.log.events(owner))


TOLD = [
    ("My PIN is 9371.", "Forget my PIN.", "What is my PIN?", "9371"),
    ("My PIN is 9371.", "Forget what I said about my PIN.", "What is my PIN?", "9371"),
    ("The garage code is 4471.", "Forget that the garage code is 4471.", "What's the garage code?", "4471"),
    ("I bought a jet ski.", "Scratch that.", "What did I buy?", "jet ski"),
    (
        "I have a crush on Laura.",
        "Forget that I have a crush on Laura.",
        "Who do I have a crush on?",
        "Laura",
    ),
]


@pytest.mark.parametrize(("told", "taken_back", "asked", "value"), TOLD)
def test_what_was_taken_back_is_told_no_more(
    memory: Memory, told: str, taken_back: str, asked: str, value: str
) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply(told)
        assert value in assistant.reply(asked).text
        assert assistant.reply(taken_back).text == TAKEN_BACK
        assert value not in str(assistant.history)
        reply = assistant.reply(asked)
        assert reply.text == UNKNOWN
        assert value not in reply.prompt
        assert value not in str([recall.text for recall in reply.recalled])
    with Assistant(memory, "ana") as later:
        assert later.reply(asked).text == UNKNOWN


@pytest.mark.parametrize(
    ("told", "taken_back", "asked", "values"),
    [
        (["My PIN is 4471.", "No, 4472."], "Forget my PIN.", "What is my PIN?", ["4471", "4472"]),
        (
            ["My PIN is 4471.", "No, 4472.", "No, 4473."],
            "Forget my PIN.",
            "What is my PIN?",
            ["4471", "4472", "4473"],
        ),
        (
            ["My password is apple.", "I changed my password to pear.", "My password is plum now."],
            "Forget my password.",
            "What's my password?",
            ["apple", "pear", "plum"],
        ),
        (
            ["My weight is 80 kg.", "My weight is 78 kg now."],
            "Delete what I said about my weight.",
            "What's my weight?",
            ["80", "78"],
        ),
    ],
)
def test_with_what_is_taken_back_by_its_name_goes_what_it_had_replaced(
    memory: Memory, told: list[str], taken_back: str, asked: str, values: list[str]
) -> None:
    with Assistant(memory, "ana") as assistant:
        for said in told:
            assistant.reply(said)
        assert assistant.reply(taken_back).text == TAKEN_BACK
        reply = assistant.reply(asked)
        assert not any(value in f"{reply.text} {reply.prompt} {assistant.history}" for value in values)
        assert not reply.known
    memory.rebuild("ana")
    assert all(recall.retracted for recall in memory.all("ana"))


@pytest.mark.parametrize(
    ("told", "taken_back", "asked", "value"),
    [
        (["I live in Porto with Ana.", "I moved to Lisbon."], "Forget Lisbon.", "Where do I live?", "Porto"),
        (
            ["I work at Siemens as an engineer.", "I quit and started at Bosch."],
            "Forget Bosch.",
            "Where do I work?",
            "Siemens",
        ),
        (["My locker code is 777.", "No, 888."], "Forget 888.", "What is my locker code?", "777"),
        (
            ["My dentist is Dr Weber.", "My new dentist is Dr Blum."],
            "Forget Dr Blum.",
            "Who is my dentist?",
            "Weber",
        ),
    ],
)
def test_what_is_taken_back_by_its_value_leaves_what_it_had_replaced(
    memory: Memory, told: list[str], taken_back: str, asked: str, value: str
) -> None:
    with Assistant(memory, "ana") as assistant:
        for said in told:
            assistant.reply(said)
        assert assistant.reply(taken_back).text == TAKEN_BACK
        assert value in assistant.reply(asked).text


def test_what_was_so_before_stays_where_only_the_news_is_taken_back(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        for said in ("I live in Rome.", "I moved to Milan.", "Forget that I moved to Milan."):
            assistant.reply(said)
        assert "Rome" in assistant.reply("Where do I live?").text


def test_the_turn_beside_a_question_brings_nothing_back(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        for said in ("My dog is called Potola.", "My PIN is 9371.", "Forget that my PIN is 9371."):
            assistant.reply(said)
        found = candidates(memory, "ana", "What is my dog called?")
    assert [candidate.text for candidate in found] == ["My dog is called Potola."]


def test_what_was_told_in_the_same_turn_stays(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("My PIN is 9371 and my dog is called Potola.")
        assistant.reply("Forget my PIN.")
        assert "Potola" in assistant.reply("What is my dog called?").text
        assert assistant.reply("What is my PIN?").text == UNKNOWN


def test_what_is_told_beside_a_retraction_stays(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("I love olives.")
        told = assistant.reply("Forget that I love olives. My parrot is called Quillon.")
        assert told.text == f"{TAKEN_BACK} I'll remember the rest."
        assert "Quillon" in assistant.reply("What is my parrot called?").text


def test_what_is_told_anew_is_known_again(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        for said in ("My PIN is 9371.", "Forget my PIN.", "My PIN is 1188."):
            assistant.reply(said)
        assert "1188" in assistant.reply("What is my PIN?").text


def test_what_was_replaced_is_still_told_of_how_it_was(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("I live in Porto.")
        assistant.reply("I moved to Rome.")
        assert "Porto" in assistant.reply("Where did I live before I moved to Rome?").text


def test_where_nothing_fits_nothing_is_taken_back(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("I keep bees.")
        assert assistant.reply("Forget my PIN.").text == NOTHING_TO_TAKE_BACK
        assert assistant.reply("Good night.").text == "All right."


def test_a_model_is_not_shown_what_was_taken_back(memory: Memory) -> None:
    echo = Echo()
    with Assistant(memory, "ana", echo) as assistant:
        assistant.reply("My PIN is 9371.")
        assert assistant.reply("What is my PIN?").text == "Your PIN is 9371."
        assistant.reply("Forget my PIN.")
        for asked in ("What is my PIN?", "What was my PIN?"):
            assistant.reply(asked)
            assert "9371" not in echo.asked


def test_a_retraction_by_others_is_noticed(memory: Memory) -> None:
    echo = Echo()
    with Assistant(memory, "ana", echo) as assistant:
        assistant.reply("My PIN is 9371.")
        memory.add("Forget my PIN.", "ana")
        assistant.reply("What is my PIN?")
        assert "9371" not in echo.asked


@pytest.mark.parametrize("by", ["assistant", "delete", "delete_all"])
def test_deleted_words_go_to_no_model_and_do_not_come_back(memory: Memory, by: str) -> None:
    echo = Echo()
    with Assistant(memory, "ana", echo) as assistant:
        (fact,) = assistant.reply("My PIN is 9371.").written
        assert assistant.reply("What is my PIN?").text == "Your PIN is 9371."
        assistant.reply("Good morning!")
        if by == "assistant":
            assistant.forget(fact.id)
        elif by == "delete":
            memory.delete(fact.id)
        else:
            memory.delete_all("ana")
        assert "9371" not in str(assistant.history)
        assert assistant.reply("What is my PIN?").text == "I see."
        assert "9371" not in echo.asked
    assert "9371" not in words_in_log(memory)


def test_a_question_with_deleted_words_leaves_the_talk(memory: Memory) -> None:
    (fact,) = memory.add("My PIN is 9371.", "ana")
    with Assistant(memory, "ana") as assistant:
        assistant.reply("Is my PIN 9371?")
        assistant.reply("I keep bees.")
        assistant.forget(fact.id)
        assert [turn["content"] for turn in assistant.history if turn["role"] == "user"] == ["I keep bees."]


def test_what_is_not_there_cannot_be_forgotten(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        (fact,) = assistant.reply("My PIN is 9371.").written
        assistant.forget(fact.id)
        with pytest.raises(NotFound, match=fact.id):
            assistant.forget(fact.id)


def test_a_fact_that_was_taken_back_says_so(memory: Memory) -> None:
    memory.add("My PIN is 9371.", "ana")
    memory.add("I keep bees.", "ana")
    memory.add("Forget my PIN.", "ana")
    assert [recall.retracted for recall in memory.all("ana")] == [True, False]


@pytest.mark.parametrize(
    ("said", "rest"),
    [
        ("Please forget my PIN.", ""),
        ("Forget that I love olives. I keep bees.", "I keep bees."),
        ("Never mind. Where is my key?", "Where is my key?"),
    ],
)
def test_a_retraction_and_what_is_said_beside_it(said: str, rest: str) -> None:
    assert retracts(said)
    assert beside(said) == rest


@pytest.mark.parametrize(
    "said", ["I forgot my PIN.", "Don't forget my birthday.", "Drop the kids at five.", "I keep bees."]
)
def test_what_takes_nothing_back(said: str) -> None:
    assert not retracts(said)


def test_everything_may_be_deleted_in_the_midst_of_an_answer() -> None:
    with Memory() as memory, Assistant(memory, "ana") as assistant:
        assistant.reply("My dog is called Potola.")
        answer = assistant.stream("What is my dog called?")
        next(answer)
        memory.delete_all("ana")
        assert list(answer) == []
        assert "Potola" in answer.reply.text
        assert not assistant.reply("What is my dog called?").known


def test_a_word_of_regret_replaces_nothing(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("I bench 85 kilos.")
        assert assistant.reply("ok sorry").written == ()
        assert assistant.reply("How much do I bench?").text.endswith("you bench 85 kilos.")
    assert [recall.superseded_by for recall in memory.all("ana")] == [None]
