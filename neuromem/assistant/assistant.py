"""Assistant: recall, prompt, answer, remember."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from typing import Any, Self

from .. import telling
from ..context import Context, ContextBuilder
from ..context.lines import is_faint
from ..engine import Owner
from ..errors import InvalidInput, NotFound
from ..identity import seconds_of
from ..llm import LLM, LLMError, load_llm
from ..memory import Memory
from ..recall import Recall
from .ahead import Ahead
from .faint import as_strong, faintly, is_faded
from .responder import Answer, Responder
from .retracting import beside, retracted_by
from .talk import Talk
from .turns import Answering, Reply, Turn
from .warming import warm

__all__ = ["SYSTEM", "Answering", "Assistant", "Reply"]

SYSTEM = (
    "You are a voice assistant with a memory. Answer in one or two short sentences, from what you know about "
    "the user below. Say of a memory marked faint that you remember it only faintly. If what is asked is not "
    "there, say that you don't know it; never make something up."
)
RECALLED = 12  # memories looked at for a turn
REHEARSED = 3  # of those that a model was shown, the best count as recalled


class Assistant:
    """Talks with one user.

    >>> assistant = Assistant(Memory(), "ana")
    >>> _ = assistant.reply("My dog's name is Potola")
    >>> "Potola" in assistant.reply("What is my dog called?").text
    True

    Args:
        memory: what it remembers with. user_id: with whom it talks.
        llm: a model, or what `llm.load_llm` takes ("gguf:PATH", "openai:MODEL@URL"); None: answers are
            put together from the recalled facts; where the model fails too, and `Reply.notice` says so.
        system: who it is, for the model.
        name: how the user's words are signed; None: not at all.

    One turn at a time; not safe across threads, but for `prefetch`.
    """

    def __init__(
        self,
        memory: Memory,
        user_id: str = "me",
        llm: str | LLM | None = None,
        *,
        system: str = SYSTEM,
        name: str | None = None,
    ) -> None:
        self.memory, self.user_id, self.system, self.name = memory, user_id, system, name
        self._owner = Owner.of(user_id, None, None, None)
        self.llm = None if llm is None else load_llm(llm)
        config = memory.config.context
        self._builder = ContextBuilder(config, self._counter())
        self._talk = Talk(memory.engine, self._owner.name, config.lookback_turns)
        self._ended = 0  # turns that are remembered
        self._responder = Responder(memory, user_id)
        self._ahead: Ahead[list[Recall]] = Ahead(self._recall, self._remembered)
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="neuromem-remember")
        self._aside.submit(warm)
        self._ending: Future[Any] | None = None  # of the turn before
        left = telling.left_over(memory.engine, self._owner)
        if left is not None:  # the program was killed in the middle of a turn
            self._ending = self._aside.submit(telling.add_all, memory.engine, self._owner, [left])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends its threads, when what was said is remembered; the memory stays open."""
        self._ahead.close()
        self._aside.shutdown(wait=True)
        self._settle()

    @property
    def history(self) -> list[dict[str, str]]:
        """The end of the talk as {role, content}, oldest first, without what was deleted or taken back."""
        self._settle()
        self._talk.refresh()
        return [{"role": turn.role, "content": turn.text} for turn in self._talk.turns]

    def forget(self, memory_id: str) -> None:
        """Forgets a memory for good, as `Memory.delete`; the turns of this talk that tell it go with it.

        Raises:
            InvalidInput: not a UUID. NotFound: no such memory.
        """
        self._settle()
        records = self._talk.records([memory_id])
        self.memory.delete(memory_id, user_id=self.user_id)  # nobody else's that has the same id
        self._talk.drop([memory_id], records, all_like=True)
        self._talk.refresh()
        self._responder.leave()

    def prefetch(self, partial: str) -> None:
        """Begins to recall for words that are not complete yet; safe from any thread.

        If the words turn out to be these, and the turn before was remembered by then, the recall is there.
        """
        if partial.strip():
            self._ahead.begin(partial)

    def wait_ahead(self, seconds: float) -> bool:
        """Waits for what `prefetch` has begun. Returns False when it has not ended in that time."""
        return self._ahead.wait(seconds)

    def reply(self, text: str, *, timestamp: float | datetime | str | None = None) -> Reply:
        """One turn, whole; see `stream`."""
        with closing(self.stream(text, timestamp=timestamp)) as answering:
            for _ in answering:
                pass
            return answering.reply

    def stream(self, text: str, *, timestamp: float | datetime | str | None = None) -> Answering:
        """One turn: the answer as it comes.

        The user's words are in the log, durably, before the first piece is given.

        Args:
            text: what the user says.
            timestamp: when (Unix seconds, datetime or ISO 8601); the memory's clock when None.

        Raises:
            InvalidInput: blank words, or a bad time.
        """
        if not isinstance(text, str) or not text.strip():
            raise InvalidInput("text", "is blank", "give what the user said")
        at = None if timestamp is None else seconds_of(timestamp, "timestamp")
        now = self.memory.engine.now_ms() / 1_000 if at is None else at
        turn = Turn(text.strip(), now, time.perf_counter(), at)
        return Answering(self._pieces(turn), turn)

    # -- one turn -------------------------------------------------------------------------------

    def _pieces(self, turn: Turn) -> Generator[str, None, None]:
        self._settle()
        self._talk.refresh()
        self._hear(turn)
        whole = False
        try:
            self._look(turn)
            for piece in self._answer(turn):
                if not turn.said:
                    spent = (time.perf_counter() - turn.started) * 1_000
                    turn.first_ms = max(0.0, spent - turn.stages.get("model", 0.0))
                turn.said.append(piece)
                yield piece
                if len(turn.said) == 1:  # while the rest of it is made and spoken
                    self._aside.submit(self._remember, turn)
            whole = True
        finally:
            self._ending = turn.ending = self._aside.submit(self._end, turn, interrupted=not whole)

    def _settle(self) -> None:
        """Waits until the turn before is remembered."""
        ending, self._ending = self._ending, None
        if ending is not None:
            ending.result()

    def _hear(self, turn: Turn) -> None:
        """The user's words, durably in the log: all that has to be done before an answer."""
        lap = time.perf_counter()
        message = {"role": "user", "content": turn.text} | ({"name": self.name} if self.name else {})
        call = telling.Call.of(self.memory.engine, [message], None, turn.timestamp, True)
        turn.call = telling.heard(self.memory.engine, self._owner, call)
        (turn.place,) = turn.call.said
        turn.lap("hear", lap)

    def _look(self, turn: Turn) -> None:
        """Recall, and the prompt where a model is to have it."""
        lap = time.perf_counter()
        self._responder.begin(turn.now)
        found, _ = self._ahead.take(turn.text)
        turn.recalled = [recall for recall in found if not recall.retracted]
        turn.lap("recall", lap)
        turn.build = self._prompt(turn)
        if self.llm is not None:
            lap = time.perf_counter()
            turn.build()
            turn.lap("context", lap)

    def _remembered(self) -> int:
        """Another number whenever something was remembered, changed or deleted, by whomever."""
        engine = self.memory.engine
        with engine.owners.use(self._owner.name, settle=False) as open_:
            return hash((self._ended, engine.forgotten, id(open_.bank), open_.bank.edition))

    def _prompt(self, turn: Turn) -> Callable[[], Context]:
        """Builds the turn's prompt when it is first asked for; without a model few ever ask."""
        history, earlier = self._talk.turns, self._talk.earlier
        recalled = tuple(turn.recalled)

        @functools.cache
        def build() -> Context:
            # words fetched from the log for this turn say more than what has faded of the same memory
            fetched = {recall.id for recall in recalled}
            known = self.memory.conscious(self.user_id)
            current = [as_strong(recall) for recall in recalled if recall.superseded_by is None]
            return self._builder.build(
                system=self.system,
                conscious=[one for one in known if not (is_faint(one) and one.id in fetched)],
                recalled=current[:RECALLED],
                history=history,
                turn=turn.text,
                now=turn.now,
                earlier=earlier,
            )

        return build

    def _recall(self, text: str) -> list[Recall]:
        """What may answer: with the words of the log, whatever has faded; `strength` tells how far it has.

        Only what the answer says is rehearsed, when it is said.
        """
        if self.llm is None and self._responder.is_question(text):
            return self._responder.recall(text)
        return self.memory.search(
            self._responder.query(text), self.user_id, limit=RECALLED, fidelity="exact", rehearse=False
        )

    def _remember(self, turn: Turn) -> None:
        """Finds the facts in the words and writes them, once."""
        if turn.call is not None:
            lap = time.perf_counter()
            (turn.written,) = telling.add_all(self.memory.engine, self._owner, [turn.call])
            turn.taken_back = retracted_by(self.memory.engine, self._owner.name, turn.place)
            turn.call = None  # not before: what fails on the side is tried again at the end
            turn.lap("remember", lap)

    def _answer(self, turn: Turn) -> Iterator[str]:
        if self.llm is not None:
            try:
                yield from self._generated(turn, self.llm)
            except LLMError as error:
                turn.notice = str(error)
                if turn.said:
                    return
            else:
                return
        yield from self._extracted(turn)

    def _generated(self, turn: Turn, llm: LLM) -> Iterator[str]:
        """The model's answer."""
        assert turn.build is not None
        context = turn.build()
        turn.used = tuple(turn.recalled[:REHEARSED])
        lap = time.perf_counter()
        pieces = llm.stream(context.messages, max_tokens=max(1, self.memory.config.context.response))
        try:
            for piece in pieces:
                turn.lap("model", lap)
                yield piece
                lap = time.perf_counter()
        finally:
            pieces.close()

    def _extracted(self, turn: Turn) -> Iterator[str]:
        """The answer put together from what was recalled."""
        if self._responder.is_question(turn.text):
            lap = time.perf_counter()
            if self.llm is not None:  # it failed: what was recalled was meant for it
                turn.recalled = self._responder.recall(turn.text)
            answer = self._responder.answer(turn.text, turn.recalled, turn.now)
            turn.used, turn.known = answer.used, answer.known
            turn.lap("answer", lap)
            yield self._honest(answer)
        else:
            self._remember(turn)  # it says what it has understood
            yield self._responder.acknowledge(turn.text, turn.written, turn.now, len(turn.taken_back))

    def _honest(self, answer: Answer) -> str:
        """The answer; where its memory has faded, what is left of that before what the log has of it."""
        faded = next((recall for recall in answer.used if is_faded(recall.strength)), None)
        if faded is None:
            return answer.text
        try:
            left: Recall | None = self.memory.get(faded.id, fidelity="weights")
        except NotFound:  # nothing is left in the weights
            left = None
        return f"{faintly(left)}. I looked it up: {answer.text}"

    def _end(self, turn: Turn, *, interrupted: bool) -> Reply:
        """Makes the turn part of the talk, of the memory and of the log."""
        self._remember(turn)
        text = "".join(turn.said).strip()
        if turn.used:
            with self.memory.engine.owners.use(self._owner.name) as open_:
                self.memory.engine.rehearse(open_, turn.used)
        if text:
            self.memory.add([{"role": "assistant", "content": text}], self.user_id, timestamp=turn.timestamp)
        words = turn.text
        if turn.taken_back:
            self._talk.drop(turn.taken_back, self._talk.records(turn.taken_back))
            words = beside(words)
        if words.strip():
            self._talk.add(words, text, turn.place, [fact.id for fact in turn.written])
        self._ended += 1
        return Reply(
            text, tuple(turn.recalled), turn.first_ms,
            {stage: round(spent, 3) for stage, spent in turn.stages.items()}, turn.used, turn.known,
            tuple(turn.written), turn.notice, interrupted, turn.build,
        )  # fmt: skip

    def _counter(self) -> Any:
        """The model's own count of tokens, when it is at hand; else the builder's estimate."""
        llm = self.llm
        if llm is None or llm.count("count") is None:
            return None

        def count(text: str) -> int:
            tokens = llm.count(text)
            assert tokens is not None
            return tokens

        return count
