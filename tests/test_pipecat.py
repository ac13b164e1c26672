"""`NeuromemService` in real pipelines of pipecat, run by its own test utilities.

The pipelines are whole: pipecat's aggregators decide when a turn ends and what the context holds; only the
recognizer (frames that are sent) and the language model (it says fixed words) stand in for paid services.
"""

from __future__ import annotations

import asyncio
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neuromem import Memory
from neuromem.errors import InvalidInput

NEEDS = "needs pipecat: pip install 'neuromem[pipecat]', then pytest tests/test_pipecat.py"
PLAIN_WAIT_FOR = asyncio.wait_for
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # audioop is deprecated; pipecat imports it
    pytest.importorskip("pipecat", reason=NEEDS)
    from pipecat.frames.frames import (
        Frame,
        InterimTranscriptionFrame,
        LLMContextFrame,
        LLMFullResponseEndFrame,
        LLMFullResponseStartFrame,
        LLMTextFrame,
        TranscriptionFrame,
        VADUserStartedSpeakingFrame,
        VADUserStoppedSpeakingFrame,
    )
    from pipecat.pipeline.pipeline import Pipeline
    from pipecat.processors.aggregators.llm_context import LLMContext
    from pipecat.processors.aggregators.llm_response_universal import (
        LLMContextAggregatorPair,
        LLMUserAggregatorParams,
    )
    from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
    from pipecat.tests.utils import SleepFrame, run_test
    from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
    from pipecat.turns.user_turn_strategies import UserTurnStrategies

    from neuromem.voice.pipecat import NeuromemService

# its pipelines leave a socket of asyncio to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")

SYSTEM = {"role": "system", "content": "You are a friendly voice."}
PAUSE_S = 0.1  # after which a turn has ended


@pytest.fixture(autouse=True, scope="module")
def the_rest_keeps_its_wait_for() -> Iterator[None]:
    """pipecat replaces `asyncio.wait_for` in older Pythons; other tests shall have Python's own."""
    yield
    asyncio.wait_for = PLAIN_WAIT_FOR


class Says(FrameProcessor):  # type: ignore[misc]
    """A language model that says the same whatever it is asked, and keeps the prompts that it saw."""

    def __init__(self, words: str = "I see.") -> None:
        super().__init__()
        self.words, self.prompts, self.asked_at = words, [], []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        self.prompts.append([dict(message) for message in frame.context.get_messages()])
        self.asked_at.append(time.perf_counter())
        await self.push_frame(LLMFullResponseStartFrame())
        await self.push_frame(LLMTextFrame(self.words))
        await self.push_frame(LLMFullResponseEndFrame())


def spoken(*said: str, partials: bool = True) -> list[Frame]:
    """What a recognizer sends: for each utterance its beginning, partial words, its end, all its words."""
    frames: list[Frame] = []
    for text in said:
        frames += [VADUserStartedSpeakingFrame(), SleepFrame(sleep=0.02)]
        if partials:
            half = " ".join(text.split()[:3])
            frames += [InterimTranscriptionFrame(half, "me", "0"), SleepFrame(sleep=0.05)]
            frames += [InterimTranscriptionFrame(text, "me", "0"), SleepFrame(sleep=0.15)]
        frames += [TranscriptionFrame(text, "me", "0", finalized=True), VADUserStoppedSpeakingFrame()]
        frames += [SleepFrame(sleep=PAUSE_S + 0.5)]
    return frames


def talk(service: NeuromemService, frames: list[Frame], llm: Says, context: LLMContext | None = None) -> None:
    """Runs a whole pipeline: recognizer, aggregator, memory, model, aggregator."""
    context = context or LLMContext([SYSTEM])
    stop = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=PAUSE_S)
    ends = UserTurnStrategies(stop=[stop])
    pair = LLMContextAggregatorPair(context, user_params=LLMUserAggregatorParams(user_turn_strategies=ends))
    pipeline = Pipeline([service.listener, pair.user(), service, llm, pair.assistant()])
    asyncio.run(run_test(pipeline, frames_to_send=frames, start_timeout=30.0))


def injected(prompt: list[dict[str, Any]]) -> list[str]:
    return [message["content"] for message in prompt if "<neuromem>" in str(message["content"])]


def told(memory: Memory) -> list[tuple[str, str]]:
    """Who said what, by the log: facts and the rest."""
    events = memory.engine.log.events("user:ana")
    return [(str(event.body.get("role", "user")), str(event.body["text"])) for event in events
            if event.kind in ("add", "add+", "say")]  # fmt: skip


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory() as made:
        made.search("warm", "ana")
        yield made


# -- a talk -------------------------------------------------------------------------------------------


def test_what_was_told_is_in_the_prompt_of_the_question(memory: Memory) -> None:
    memory.add("My dog's name is Potola", "ana")
    llm = Says()
    service = NeuromemService(memory, "ana", budget_ms=5_000)
    talk(service, spoken("What is my dog called?"), llm)
    (prompt,) = llm.prompts
    assert [message["role"] for message in prompt] == ["system", "developer", "user"]
    assert "Potola" in prompt[1]["content"]
    assert service.counts.in_time == service.counts.injected == 1


def test_one_message_is_put_in_and_replaced_each_turn(memory: Memory) -> None:
    memory.add("My dog's name is Potola", "ana")
    memory.add("The meeting with the bank is on Friday", "ana")
    llm = Says()
    talk(NeuromemService(memory, "ana", budget_ms=5_000, limit=1),
         spoken("What is my dog called?", "When is the meeting with the bank?"), llm)  # fmt: skip
    first, second = llm.prompts
    assert len(injected(first)) == len(injected(second)) == 1
    assert "Friday" in injected(second)[0]
    assert [message["role"] for message in second] == ["system", "user", "assistant", "developer", "user"]


def test_what_is_newly_said_is_remembered_once_and_nothing_that_was_put_in(memory: Memory) -> None:
    memory.add("My dog's name is Potola", "ana")
    said = ["I live in Lisbon.", "What is my dog called?", "My sister is called Nora.", "Good night."]
    service = NeuromemService(memory, "ana", budget_ms=5_000)
    talk(service, spoken(*said), Says("That is good to know."))
    assert told(memory)[1:] == [
        line for text in said for line in (("user", text), ("assistant", "That is good to know."))
    ]
    assert service.counts.told == 8
    assert "Lisbon" in memory.search("Where do I live?", "ana")[0].text


def test_a_context_that_is_sent_again_is_not_told_again(memory: Memory) -> None:
    service = NeuromemService(memory, "ana", budget_ms=5_000)
    context = LLMContext([SYSTEM, {"role": "user", "content": "I live in Lisbon."}])
    again = LLMContext([dict(message) for message in context.get_messages()])
    frames: list[Frame] = [LLMContextFrame(context), SleepFrame(0.5), LLMContextFrame(again), SleepFrame(0.5)]
    asyncio.run(run_test(service, frames_to_send=frames, start_timeout=30.0))
    assert told(memory) == [("user", "I live in Lisbon.")]


def test_the_lookup_begins_while_the_user_speaks(memory: Memory) -> None:
    memory.add("My dog's name is Potola", "ana")
    service = NeuromemService(memory, "ana", budget_ms=5_000)
    talk(service, spoken("What is my dog called?", "And where does it sleep?"), Says())
    assert (service.counts.turns, service.counts.ahead) == (2, 2)
    alone = NeuromemService(memory, "ana", budget_ms=5_000)
    talk(alone, spoken("What is my dog called?", partials=False), Says())
    assert alone.counts.in_time == 1


# -- a memory that is slow or broken ------------------------------------------------------------------


class Slow:
    """A memory whose search takes its time; everything else is a real one's."""

    def __init__(self, memory: Memory) -> None:
        self.memory, self.held = memory, threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.memory, name)

    def search(self, query: str, *args: Any, **kwargs: Any) -> Any:
        if "dog" in query:
            self.held.wait(5.0)
        return self.memory.search(query, *args, **kwargs)


def test_what_comes_late_is_left_out_counted_and_put_into_the_next_turn(memory: Memory) -> None:
    memory.add("My dog's name is Potola", "ana")
    slow = Slow(memory)

    class Then(Says):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            await super().process_frame(frame, direction)
            if isinstance(frame, LLMContextFrame):
                slow.held.set()  # the memory answers when the model has been asked

    llm = Then()
    service = NeuromemService(slow, "ana", budget_ms=300)  # type: ignore[arg-type]
    frames = spoken("What is my dog called?", partials=False)
    talk(service, [*frames, *spoken("Well, tell me a joke then.", partials=False)], llm)
    assert injected(llm.prompts[0]) == []
    assert "Potola" in injected(llm.prompts[1])[0]
    assert (service.counts.late, service.counts.kept) == (1, 1)


def test_other_frames_do_not_wait_for_the_memory(memory: Memory) -> None:
    slow = Slow(memory)
    service = NeuromemService(slow, "ana", budget_ms=2_000)  # type: ignore[arg-type]
    seen: dict[str, float] = {}

    class Sees(FrameProcessor):  # type: ignore[misc]
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            await super().process_frame(frame, direction)
            seen.setdefault(type(frame).__name__, time.perf_counter())
            await self.push_frame(frame, direction)

    context = LLMContext([{"role": "user", "content": "What is my dog called?"}])
    frames: list[Frame] = [LLMContextFrame(context), SleepFrame(0.3), VADUserStartedSpeakingFrame()]
    asyncio.run(run_test(Pipeline([service, Sees()]), frames_to_send=frames, start_timeout=30.0))
    assert seen["VADUserStartedSpeakingFrame"] < seen["LLMContextFrame"]
    slow.held.set()


def test_a_memory_that_fails_changes_nothing(memory: Memory) -> None:
    class Broken(Slow):
        def search(self, *args: Any, **kwargs: Any) -> Any:
            raise OSError("no disk")

        def add(self, *args: Any, **kwargs: Any) -> Any:
            raise OSError("no disk")

    llm = Says()
    service = NeuromemService(Broken(memory), "ana")  # type: ignore[arg-type]
    talk(service, spoken("What is my dog called?"), llm)
    assert [message["role"] for message in llm.prompts[0]] == ["system", "user"]
    assert service.counts.failed >= 2
    assert service.counts.told == 0


def test_a_server_remembers_for_a_pipeline_by_its_url(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="needs the server: pip install 'neuromem[server]'")
    from serving import serving

    with serving() as running:
        running.service.memory.add("My dog's name is Potola", "ana")
        llm = Says()
        service = NeuromemService(running.url, "ana", budget_ms=5_000)
        talk(service, spoken("What is my dog called?", "I live in Lisbon."), llm)
        assert "Potola" in injected(llm.prompts[0])[0]
        assert "Lisbon" in running.service.memory.search("Where do I live?", "ana")[0].text
    assert service.counts.told == 4
    llm = Says()  # the server is gone
    service = NeuromemService(running.url, "ana", budget_ms=150)
    talk(service, spoken("What is my dog called?"), llm)
    assert injected(llm.prompts[0]) == []


def test_a_wrong_argument_is_told(memory: Memory) -> None:
    for wrong in ({"user_id": " "}, {"budget_ms": 0}, {"limit": 0}, {"role": "boss"}):
        with pytest.raises(InvalidInput, match=next(iter(wrong))):
            NeuromemService(memory, **{"user_id": "ana", **wrong})  # type: ignore[arg-type]
