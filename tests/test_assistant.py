"""The assistant: one turn of talk. Recall, a prompt within its budget, an answer, and remembering first."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.assistant.ahead import Ahead
from neuromem.assistant.warming import warm
from neuromem.errors import InvalidInput
from neuromem.llm import LLMError, Message

DAY = 86_400.0
START = 1_772_000_000.0  # 25 February 2026


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Parrot:
    """A model that says what it is given, piece by piece; or fails after so many pieces."""

    name, context_tokens = "parrot", 4_096

    def __init__(self, pieces: Sequence[str], fails_after: int | None = None) -> None:
        self.pieces, self.fails_after = pieces, fails_after
        self.asked: list[list[dict[str, str]]] = []
        self.closed = False

    def count(self, text: str) -> int | None:
        return None

    def generate(self, messages: Sequence[Message], **settings: Any) -> Any:
        raise NotImplementedError

    def stream(self, messages: Sequence[Message], **settings: Any) -> Iterator[str]:
        self.asked.append([dict(message) for message in messages])
        return self._pieces()

    def _pieces(self) -> Iterator[str]:
        try:
            for place, piece in enumerate(self.pieces):
                if place == self.fails_after:
                    raise LLMError("server", "the parrot is tired")
                yield piece
            if self.fails_after == len(self.pieces):
                raise LLMError("server", "the parrot is tired")
        finally:
            self.closed = True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> Iterator[Memory]:
    with Memory(clock=clock) as memory:
        yield memory


def kinds(memory: Memory) -> list[tuple[str, Mapping[str, Any]]]:
    owner = memory.engine.log.owners()[0]
    return [(event.kind, event.body) for event in memory.engine.log.events(owner)]


def test_it_answers_from_what_it_was_told(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        told = assistant.reply("My parrot's name is Quillon.")
        reply = assistant.reply("What is my parrot called?")
    assert [fact.event for fact in told.written] == ["ADD"]
    assert "Quillon" in reply.text
    assert reply.known
    assert reply.used[0].id == told.written[0].id
    assert reply.latency_ms > 0
    assert {"recall", "answer"} <= set(reply.stages)
    assert "context" not in reply.stages  # nobody asked for a prompt yet
    assert reply.prompt.count("What is my parrot called?") == 1


def test_what_nobody_told_is_not_known(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        reply = assistant.reply("What is my parrot called?")
    assert not reply.known
    assert "don't know" in reply.text
    assert reply.used == ()


def test_the_words_of_two_users_never_meet(memory: Memory) -> None:
    with Assistant(memory, "ana") as ana, Assistant(memory, "ben") as ben:
        ana.reply("My parrot's name is Quillon.")
        assert "Quillon" not in ben.reply("What is my parrot called?").text


def test_what_it_says_itself_becomes_no_memory(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("My parrot's name is Quillon.")
        for _ in range(3):
            assistant.reply("What is my parrot called?")
    assert len(memory.all("ana")) == 1


def test_what_has_faded_is_said_faintly(memory: Memory, clock: Clock) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("My parrot's name is Quillon.")
        clock.now += 100 * DAY
        reply = assistant.reply("What is my parrot called?")
    assert "faintly" in reply.text
    assert "Quillon" in reply.text  # the log was asked
    fresh = reply.text.split("I looked it up", 1)[0]
    assert "Quillon" not in fresh  # … and not passed off as remembered


def test_a_model_is_shown_the_memories_and_keeps_nothing(memory: Memory) -> None:
    parrot = Parrot(["It is ", "Quillon."])
    with Assistant(memory, "ana", parrot, system="Be brief.") as assistant:
        assistant.reply("My parrot's name is Quillon.")
        reply = assistant.reply("What is my parrot called?")
    assert reply.text == "It is Quillon."
    system, *_, last = parrot.asked[-1]
    assert system["content"].startswith("Be brief.")
    assert "What is my parrot called?" in last["content"]
    assert "Quillon" in "".join(message["content"] for message in parrot.asked[-1])
    assert {"recall", "context", "model"} <= set(reply.stages)


@pytest.mark.parametrize("after", [0, 1])
def test_a_model_that_fails_loses_nothing(memory: Memory, after: int) -> None:
    with Assistant(memory, "ana", Parrot(["Well, ", "so"], fails_after=after)) as assistant:
        reply = assistant.reply("My parrot's name is Quillon.")
    assert "tired" in reply.notice
    assert [fact.event for fact in reply.written] == ["ADD"]
    assert reply.text == ("Well," if after else "I'll remember that.")


def test_an_answer_is_stopped_at_once_and_the_words_are_kept(memory: Memory) -> None:
    parrot = Parrot(["One, ", "two, ", "three."])
    with Assistant(memory, "ana", parrot) as assistant:
        answering = assistant.stream("My parrot's name is Quillon.")
        assert next(answering) == "One, "
        said = [body for _, body in kinds(memory)]
        assert any("Quillon" in str(body) for body in said)  # durable before the first piece
        with pytest.raises(InvalidInput, match="not ended"):
            _ = answering.reply
        answering.close()
        assert parrot.closed
        assert answering.reply.interrupted
        assert answering.reply.text == "One,"
        assert assistant.history[-1] == {"role": "assistant", "content": "One,"}


@pytest.mark.parametrize("blank", ["", "  \n"])
def test_blank_words_are_refused(memory: Memory, blank: str) -> None:
    with Assistant(memory, "ana") as assistant, pytest.raises(InvalidInput, match="text"):
        assistant.reply(blank)


def test_a_timestamp_dates_the_turn(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        told = assistant.reply("My parrot's name is Quillon.", timestamp="2026-02-20T10:00:00")
    assert memory.get(told.written[0].id).created_at.isoformat().startswith("2026-02-20")


def test_recall_begun_on_partial_words_is_there_when_they_are_complete(memory: Memory) -> None:
    with Assistant(memory, "ana") as assistant:
        assistant.reply("My parrot's name is Quillon.")
        for partial in ("what is", "what is my parrot", "what is my parrot called"):
            assistant.prefetch(partial)
        assert "Quillon" in assistant.reply("What is my parrot called?").text


def test_only_the_same_words_are_taken_from_ahead() -> None:
    asked: list[str] = []

    def find(text: str) -> str:
        asked.append(text)
        time.sleep(0.01)
        return text

    ahead: Ahead[str] = Ahead(find)
    ahead.begin("where is my")
    assert ahead.take("Where is my?") == ("where is my", True)
    ahead.begin("where is my")
    assert ahead.take("Where is my key?") == ("Where is my key?", False)
    ahead.begin("where is")
    ahead.begin("where is my key")
    ahead.begin("where is my key")  # again: nothing to do
    assert ahead.take("Where is my key?") == ("where is my key", True)
    assert asked.count("where is my key") == 1
    ahead.close()


def test_what_was_looked_up_before_something_was_remembered_is_looked_up_again() -> None:
    remembered = [0]
    ahead = Ahead(lambda text: remembered[0], lambda: remembered[0])
    ahead.begin("where is my key")
    assert ahead.wait(10)
    remembered[0] = 1
    assert ahead.take("Where is my key?") == (1, False)
    ahead.begin("where is my key")
    assert ahead.wait(10)
    remembered[0] = 2
    ahead.begin("where is my key")  # the same words, but not the same memory
    assert ahead.take("Where is my key?") == (2, True)
    ahead.close()


def test_a_recall_begun_before_the_turn_before_was_remembered_is_not_used(memory: Memory) -> None:
    with Assistant(memory, "ana", Parrot(["Nice", "."])) as assistant:
        for pet, name in (("parrot", "Quillon"), ("horse", "Bella"), ("hamster", "Nibbles")):
            said = assistant.stream(f"My {pet}'s name is {name}.")
            next(said)
            assistant.prefetch(f"What is the name of my {pet}?")  # the recognizer is ahead of the answer
            assert assistant.wait_ahead(10)
            list(said)
            reply = assistant.reply(f"What is the name of my {pet}?")
            assert any(name in recall.text for recall in reply.recalled)


@pytest.mark.slow
def test_the_five_hundredth_turn_is_within_the_budget_and_costs_what_the_fiftieth_did(memory: Memory) -> None:
    config = memory.config.context

    def cost(assistant: Assistant, turn: int) -> float:
        started = time.process_time()
        reply = assistant.reply(f"What did I say about errand number {turn}?")
        spent = time.process_time() - started
        assert reply.context is not None
        assert reply.context.tokens <= config.budget - config.response
        return spent

    with Assistant(memory, "ana") as old, Memory() as other, Assistant(other, "bea") as young:
        for turn in range(400):
            cost(old, turn)
        both = [(cost(young, turn), cost(old, 400 + turn)) for turn in range(100)]  # meet the same machine
    early, late = (statistics.median(costs) for costs in zip(*both[50:], strict=True))
    assert late / early < 1.3  # `neuromem bench turns` measures it quietly


def test_getting_ready_reads_both_texts_to_the_end() -> None:
    warm.__wrapped__()  # aside, an error of its would be seen by nobody
