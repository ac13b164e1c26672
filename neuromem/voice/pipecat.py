"""A memory in a pipeline of pipecat (https://docs.pipecat.ai): `NeuromemService`, a frame processor.

    memory = NeuromemService(Memory("folder"), user_id="ana")          # or a server's URL, or a Client
    Pipeline([transport.input(), stt, memory.listener, aggregators.user(), memory, llm, tts,
              transport.output(), aggregators.assistant()])

It stands between the user's aggregator and the language model, where pipecat's own memory services stand.
`listener`, behind the recognizer, lets it look up words that are still being spoken; it may be left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput, MissingDependency

try:
    from pipecat.frames.frames import (
        Frame,
        InterimTranscriptionFrame,
        LLMContextAssistantTurnFrame,
        LLMContextFrame,
        LLMContextUserTurnFrame,
        StartFrame,
        TranscriptionFrame,
    )
    from pipecat.processors.aggregators.llm_context import LLMContext, standard_message_text
    from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
except ImportError as error:
    raise MissingDependency("neuromem.voice.pipecat", "pipecat-ai", "pipecat") from error

from ..context.lines import printable
from .beside import Beside, Counts, Found, Transcript, said_in, store_of, with_kept

if TYPE_CHECKING:
    from ..memory import Memory
    from ..sdk import Client

__all__ = ["Listener", "NeuromemService"]

BUDGET_MS = 150.0
CLOSE_S = 5.0  # for what is still to be told when the pipeline ends
ROLES = ("developer", "system", "user")


class NeuromemService(FrameProcessor):  # type: ignore[misc]
    """Recalls for each turn, and remembers what was newly said by the user and by the assistant.

    What is recalled comes as one message before the user's last one; the next turn's replaces it. A memory
    that fails or is late changes nothing: `counts` tells, and what came late is put into the next turn.
    Turns that pipecat answers before they are known to have ended (`EagerUserTurnStrategies`) are looked up
    then, and told once they have.

    Args:
        memory: a `Memory` (it stays yours to close), the URL of the memory service, or a `Client` of it.
        user_id: whose memory it is.
        api_key: for a URL.
        budget_ms: how long a turn waits for the memory, at most; none of the pipeline's other frames wait.
        limit: memories recalled at most.
        role: of the message: "developer", as pipecat's own services; "system" or "user".

    Raises:
        InvalidInput: a bad user, budget, limit or role. MissingDependency: a URL without httpx.
    """

    def __init__(
        self,
        memory: Memory | Client | str,
        user_id: str,
        *,
        api_key: str | None = None,
        budget_ms: float = BUDGET_MS,
        limit: int = 10,
        role: str = "developer",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(user_id, str) or not user_id.strip():
            raise InvalidInput("user_id", "is missing", "say whose memory it is")
        if not budget_ms > 0:
            raise InvalidInput("budget_ms", f"{budget_ms} is no time", "give more than 0")
        if limit < 1:
            raise InvalidInput("limit", f"{limit} is too few", "give 1 or more")
        if role not in ROLES:
            raise InvalidInput("role", f"{role!r} is not known", f"give one of {', '.join(ROLES)}")
        self._beside = Beside(store_of(memory, user_id, limit, api_key))
        self._budget_s, self._role = budget_ms / 1_000, role
        self._transcript = Transcript()
        self._context: LLMContext | None = None
        self._guessed: list[Any] | None = None  # messages of the talk, where only guessed contexts came
        self._message: dict[str, str] | None = None  # ours, in the context
        self._late: Found | None = None
        self._finals: list[str] = []  # of this turn
        self.listener = Listener(self)

    @property
    def counts(self) -> Counts:
        """What happened so far."""
        return self._beside.counts

    def hear(self, text: str, *, final: bool) -> None:
        """Words of a turn that is not complete yet; begins to look them up."""
        self._beside.ahead(" ".join([*self._finals, text]))
        if final:
            self._finals.append(text)

    async def flush(self, timeout_s: float = CLOSE_S) -> bool:
        """Waits until what was said is remembered; False when it is not by then."""
        return await asyncio.to_thread(self._beside.flush, timeout_s)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """pipecat's: every frame goes on, in its direction."""
        await super().process_frame(frame, direction)
        if isinstance(frame, StartFrame):
            self._beside.warm_up()
        elif isinstance(frame, InterimTranscriptionFrame | TranscriptionFrame):
            self.hear(frame.text, final=isinstance(frame, TranscriptionFrame))
        elif isinstance(frame, LLMContextUserTurnFrame):
            self._finals = []
            self._ended("user", frame.text)
        elif isinstance(frame, LLMContextAssistantTurnFrame):
            self._ended("assistant", frame.text)
            self._capture()
        elif isinstance(frame, LLMContextFrame) and direction is FrameDirection.DOWNSTREAM:
            await self._turn(frame)
        await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        """pipecat's: the end of the pipeline. What the assistant said last is told before it."""
        await super().cleanup()
        self._capture()
        await asyncio.to_thread(self._beside.close, CLOSE_S)

    # -- a turn -----------------------------------------------------------------------------------

    async def _turn(self, frame: LLMContextFrame) -> None:
        """Puts in what is known; tells what is new, even when the turn is interrupted meanwhile."""
        if not frame.speculation:  # what is only guessed to have been said is not told
            self._context, self._guessed, self._finals = frame.context, None, []
        elif self._context is None:  # a guess that holds brings no other context
            self._guessed = list(frame.context.get_messages()[:-1])
        try:
            question = self._question(frame.context)
            found = await self._recall(question) if question else None
            self._put_in(frame.context, found, kept=not frame.speculation)
        except Exception as error:
            self._beside.failed("recall", error)
        finally:
            self._capture()

    def _question(self, context: LLMContext) -> str:
        """The user's last words."""
        said = (self._said(message) for message in reversed(context.get_messages()))
        return next((one["content"] for one in said if one is not None and one["role"] == "user"), "")

    async def _recall(self, question: str) -> Found | None:
        """What is known, if the memory says so in time."""
        asked = self._beside.ask(question)
        if asked is None:
            return None
        if not await _came(asked, self._budget_s):
            self.counts.late += 1
            asked.add_done_callback(self._keep)
            return None
        self.counts.in_time += 1
        return asked.result()

    def _keep(self, future: Future[Found]) -> None:
        """A lookup came late."""
        if future.cancelled():
            return
        if (error := future.exception()) is not None:
            self._beside.failed("recall", error)
        else:
            self._late = future.result()

    def _put_in(self, context: LLMContext, found: Found | None, *, kept: bool) -> None:
        """Our message before the user's last one; that of the turn before goes.

        Args:
            kept: the context stays; a guessed one is thrown away, and our message of the turn before is then
                the one to be known again.
        """
        late, self._late = self._late, None
        block, most = found.block if found else None, self._beside.store.context.memories
        if block is not None:
            text = with_kept(block, late.block if late else None, most)
        else:
            text = late.block.whole if late else ""
        self.counts.kept += bool(late)
        messages = [one for one in context.get_messages() if not self._is_ours(one)]
        message = {"role": self._role, "content": text} if text else None
        if kept:
            self._message = message
        if message is not None:
            last = [place for place, one in enumerate(messages) if _role(one) == "user"]
            messages.insert(last[-1] if last else len(messages), message)
            self.counts.injected += 1
            for one in filter(None, (found, late)):
                self._beside.used(one)
        context.set_messages(messages)

    # -- what was said ----------------------------------------------------------------------------

    def _ended(self, role: str, text: str) -> None:
        """A turn that pipecat has written to the context; where that never came here it is kept beside."""
        if self._guessed is not None:
            self._guessed.append({"role": role, "content": text})
            self._capture()

    def _capture(self) -> None:
        """Tells what is new in the context."""
        messages = self._guessed if self._context is None else self._context.get_messages()
        if messages is None:
            return
        said = [self._said(message) for message in messages]
        self._beside.tell(self._transcript.new([one for one in said if one is not None]))

    def _said(self, message: Any) -> dict[str, str] | None:
        if not isinstance(message, Mapping) or self._is_ours(message):
            return None
        return said_in(message, printable(standard_message_text(message)))

    def _is_ours(self, message: Any) -> bool:
        """Whether it is the message that was put in, or a copy of it."""
        return self._message is not None and (message is self._message or message == self._message)


class Listener(FrameProcessor):  # type: ignore[misc]
    """Shows a service the words that the user's aggregator keeps to itself; changes nothing."""

    def __init__(self, service: NeuromemService, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._service = service

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """pipecat's: every frame goes on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InterimTranscriptionFrame | TranscriptionFrame):
            self._service.hear(frame.text, final=isinstance(frame, TranscriptionFrame))
        await self.push_frame(frame, direction)


async def _came(future: Future[Found], seconds: float) -> bool:
    """Waits for another thread's result, so long at most; it is left alone if it is late."""
    loop = asyncio.get_running_loop()
    came = asyncio.Event()

    def wake(_: Future[Found]) -> None:
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(came.set)

    future.add_done_callback(wake)
    try:
        await asyncio.wait_for(came.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _role(message: Any) -> str:
    return str(message.get("role", "")) if isinstance(message, Mapping) else ""
