"""`NeuromemService` where pipecat answers a turn before it is known to have ended."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from neuromem import Memory

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # audioop is deprecated; pipecat imports it
    pytest.importorskip("pipecat", reason="needs pipecat: pip install 'neuromem[pipecat]'")
    from pipecat.frames.frames import (
        EagerEndOfTurnCancelFrame,
        EagerTranscriptionFrame,
        Frame,
        LLMContextFrame,
        LLMFullResponseEndFrame,
        LLMFullResponseStartFrame,
        LLMTextFrame,
        ProposedUserStartedSpeakingFrame,
        ProposedUserStoppedSpeakingFrame,
        TranscriptionFrame,
        UserStoppedSpeakingFrame,
    )
    from pipecat.pipeline.pipeline import Pipeline
    from pipecat.processors.aggregators.llm_context import LLMContext
    from pipecat.processors.aggregators.llm_response_universal import (
        LLMContextAggregatorPair,
        LLMUserAggregatorParams,
    )
    from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
    from pipecat.tests.utils import SleepFrame, run_test
    from pipecat.turns.user_turn_strategies import EagerUserTurnStrategies
    from test_pipecat import SYSTEM, Says, injected, told

    from neuromem.voice.pipecat import NeuromemService

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")

PLAIN_WAIT_FOR = asyncio.wait_for
ANSWER = "I see."


@pytest.fixture(autouse=True, scope="module")
def the_rest_keeps_its_wait_for() -> Iterator[None]:
    """pipecat replaces `asyncio.wait_for` in older Pythons; other tests shall have Python's own."""
    yield
    asyncio.wait_for = PLAIN_WAIT_FOR


class Waits(FrameProcessor):  # type: ignore[misc]
    """A language model whose answer to a guess is held, as pipecat's are, until the turn has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.prompts: list[list[dict[str, Any]]] = []
        self._held = False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
        else:
            self.prompts.append([dict(message) for message in frame.context.get_messages()])
        if isinstance(frame, EagerEndOfTurnCancelFrame):
            self._held = False
        released = self._held and isinstance(frame, UserStoppedSpeakingFrame)
        if released or (isinstance(frame, LLMContextFrame) and not frame.speculation):
            self._held = False
            for one in (LLMFullResponseStartFrame(), LLMTextFrame(ANSWER), LLMFullResponseEndFrame()):
                await self.push_frame(one)
        elif isinstance(frame, LLMContextFrame):
            self._held = True


def eagerly(guess: str, text: str) -> list[Frame]:
    """What a recognizer sends that guesses at the end of a turn."""
    return [
        ProposedUserStartedSpeakingFrame(), SleepFrame(0.1), EagerTranscriptionFrame(guess, "me", "0"),
        SleepFrame(0.5), TranscriptionFrame(text, "me", "0", finalized=True),
        ProposedUserStoppedSpeakingFrame(), SleepFrame(0.8),
    ]  # fmt: skip


def talk(service: NeuromemService, frames: list[Frame]) -> Waits:
    """Runs a whole pipeline with pipecat's eager strategies."""
    llm = Waits()
    params = LLMUserAggregatorParams(user_turn_strategies=EagerUserTurnStrategies())
    pair = LLMContextAggregatorPair(LLMContext([SYSTEM]), user_params=params)
    pipeline = Pipeline([service.listener, pair.user(), service, llm, pair.assistant()])
    asyncio.run(run_test(pipeline, frames_to_send=frames, start_timeout=30.0))
    return llm


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory() as made:
        made.search("warm", "ana")
        yield made


def test_what_was_guessed_rightly_is_remembered_as_it_was_said(memory: Memory) -> None:
    said = ["I live in Lisbon.", "What is my dog called?", "My sister is called Nora."]
    service = NeuromemService(memory, "ana", budget_ms=5_000)
    llm = talk(service, [frame for text in said for frame in eagerly(text.rstrip(".?").lower(), text)])
    assert len(llm.prompts) == len(said)  # no turn was answered twice
    assert told(memory) == [line for text in said for line in (("user", text), ("assistant", ANSWER))]
    assert service.counts.told == 6


def test_what_was_guessed_wrongly_is_not_remembered(memory: Memory) -> None:
    service = NeuromemService(memory, "ana", budget_ms=5_000)
    frames = eagerly("I live in Lisbon.", "I live in Lisbon.")
    frames += eagerly("My sister is called", "My sister is called Nora.")
    talk(service, [*frames, *eagerly("Good night.", "Good night.")])
    said = ["I live in Lisbon.", "My sister is called Nora.", "Good night."]
    assert told(memory) == [line for text in said for line in (("user", text), ("assistant", ANSWER))]


def test_words_of_turns_that_have_ended_are_not_looked_up_again(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = NeuromemService(memory, "ana", budget_ms=5_000)
    asked: list[str] = []
    monkeypatch.setattr(service._beside, "ahead", asked.append)
    said = ["I live in Lisbon.", "What is my dog called?"]
    talk(service, [frame for text in said for frame in eagerly(text, text)])
    assert asked == said


def test_one_message_stays_in_the_context_whatever_was_guessed(memory: Memory) -> None:
    memory.add("My dog's name is Potola", "ana")
    memory.add("The meeting with the bank is on Friday", "ana")
    memory.add("The blue car was repaired in Graz", "ana")
    asked = ["What is my dog called?", "When is the meeting with the bank?", "Where was the car repaired?"]
    context, llm = LLMContext([SYSTEM]), Says()

    class Asks(FrameProcessor):  # type: ignore[misc]
        """Sends a guess at each question, then the question."""

        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            await super().process_frame(frame, direction)
            if not isinstance(frame, LLMContextFrame):
                await self.push_frame(frame, direction)
                return
            for text in asked:
                guess = LLMContext([*context.get_messages(), {"role": "user", "content": text[:-1]}])
                await self.push_frame(LLMContextFrame(guess, speculation=True))
                await asyncio.sleep(0.4)
                context.add_message({"role": "user", "content": text})
                await self.push_frame(LLMContextFrame(context))
                await asyncio.sleep(0.4)

    service = NeuromemService(memory, "ana", budget_ms=5_000, limit=1)
    frames = [LLMContextFrame(context), SleepFrame(4.0)]
    asyncio.run(run_test(Pipeline([Asks(), service, llm]), frames_to_send=frames, start_timeout=30.0))
    assert [len(injected(prompt)) for prompt in llm.prompts] == [1] * 6
    assert "Graz" in injected(llm.prompts[-1])[0]
