"""The loop: hear, recall while the user still speaks, answer sentence by sentence, stop when interrupted.

The thread of `run` reads frames and never waits for an answer (but for files that are read faster than
they sound); each answer has a thread of its own. What the user said is in the loop's log as soon as it is
heard, and in the memory's before the first piece of the answer.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, TextIO

from ..errors import InvalidInput, NeuromemError
from .audio import FRAME, RATE, AudioSink, AudioSource, Samples
from .detect import EchoGuard, Endpointer
from .recognize import Recognizer
from .speak import Speaker, sentences
from .usage import Meter

__all__ = ["Loop", "Talks", "Turn"]

PARTIAL_FRAMES = 8  # a look at the partial words every quarter of a second
READY_MS = 2.0  # a recall that was there already takes less
PLAYED_S = 600.0


class Answer(Protocol):
    """An answer bit by bit; see `neuromem.assistant.Answering`."""

    def __iter__(self) -> Iterator[str]: ...
    def __next__(self) -> str: ...
    def close(self) -> None:
        """Ends it at once."""

    @property
    def reply(self) -> Any:
        """The whole, when it has ended."""


class Talks(Protocol):
    """Who answers; see `neuromem.assistant.Assistant`."""

    def prefetch(self, partial: str) -> None:
        """Begins to recall."""

    def stream(self, text: str) -> Answer:
        """Answers."""


@dataclass(slots=True)
class Turn:
    """One utterance and its answer. Times are milliseconds."""

    number: int
    heard: str = ""
    said: str = ""
    stages: dict[str, float] = field(default_factory=dict)
    recall_ready: bool = False  # recall had ended before the end of speech was known
    interrupted: bool = False
    error: str = ""
    cpu_s: float = 0.0
    joules: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


class Loop:
    """Talks by voice until its source ends.

    Args:
        assistant, source, endpointer, recognizer, speaker, sink: the stages; each can be another.
        guard: against our own echo. log: JSON lines go there, one for what was heard, one when the
            answer begins (the words are in the memory then), one for each turn.
        on_turn: called with each turn when it has ended.
    """

    def __init__(
        self,
        assistant: Talks,
        source: AudioSource,
        endpointer: Endpointer,
        recognizer: Recognizer,
        speaker: Speaker,
        sink: AudioSink,
        *,
        guard: EchoGuard | None = None,
        log: TextIO | None = None,
        on_turn: Callable[[Turn], None] | None = None,
    ) -> None:
        self.assistant, self.source, self.endpointer = assistant, source, endpointer
        self.recognizer, self.speaker, self.sink = recognizer, speaker, sink
        self.guard = guard or EchoGuard()
        self.turns: list[Turn] = []
        self._log, self._on_turn = log, on_turn
        self._writing = threading.Lock()
        self._answering: _Answering | None = None
        self._partial, self._frames = "", 0

    def run(self) -> list[Turn]:
        """Listens to the end of the source, lets the last answer end; returns all turns."""
        meter = Meter()
        try:
            for frame in self.source.frames():
                allowed = self.guard.allows(frame, self.sink.playing, self.sink.level)
                edge = self.endpointer.push(frame, allowed=allowed)
                if edge.began:
                    if not edge.goes_on:  # a fan that never falls silent would let no answer be heard
                        self._interrupt()
                    meter = Meter()
                    self._begin(edge.began)
                elif self.endpointer.speaking or edge.ended:
                    self._hear(frame, look=edge.paused or self._frames % PARTIAL_FRAMES == 0)
                if edge.ended:
                    self._end(meter)
            if self.endpointer.speaking:  # the source ended in the middle of it
                self.endpointer.speaking = False
                self._end(meter)
            self._finish()
        finally:
            self._interrupt()
            self.source.close()
        return self.turns

    # -- hearing ----------------------------------------------------------------------------------

    def _begin(self, frames: tuple[Samples, ...]) -> None:
        self.recognizer.begin()
        self._partial, self._frames = "", 0
        for frame in frames:
            self._hear(frame, look=False)

    def _hear(self, frame: Samples, *, look: bool) -> None:
        self._frames += 1
        self.recognizer.feed(frame)
        if look and (words := self.recognizer.partial()) and words != self._partial:
            self._partial = words
            self.assistant.prefetch(words)

    def _end(self, meter: Meter) -> None:
        """The user has spoken: the words, and an answer begun."""
        ended = time.perf_counter()
        try:
            words, error = self.recognizer.finish().strip(), ""
        except NeuromemError as failure:  # said in the turn; the next utterance may be heard again
            words, error = "", str(failure)
        if not words and not error:
            return
        turn = Turn(len(self.turns) + 1, words, error=error)
        turn.stages["speech"] = round(self._frames * FRAME * 1_000 / RATE, 1)
        turn.stages["recognize"] = _since(ended)
        self._write({"event": "heard", "turn": turn.number, "at": time.time(), "heard": words})
        self.turns.append(turn)
        if error:
            self.done(turn)
            return
        self._finish_answer()
        self._answering = _Answering(self, turn, ended, meter)
        self._answering.start()
        if not self.source.paced:
            self._finish()

    # -- answering --------------------------------------------------------------------------------

    def _interrupt(self) -> None:
        """The user speaks: we are silent."""
        answering = self._answering
        if answering is None or not (answering.alive or self.sink.playing):
            return
        answering.stopped.set()
        self.sink.stop()
        if answering.lock.acquire(timeout=1.0):  # a sentence may have been queued at this very moment
            self.sink.stop()
            answering.lock.release()
        answering.turn.interrupted = True

    def _finish_answer(self) -> None:
        """Waits for the thread of an answer; one that was interrupted ends between two pieces."""
        if self._answering is not None:
            self._answering.join()

    def _finish(self) -> None:
        """Lets the answer end, and its sound."""
        self._finish_answer()
        self.sink.wait(PLAYED_S)
        self._answering = None

    def _write(self, line: Mapping[str, Any], *, sync: bool = True) -> None:
        if self._log is None:
            return
        with self._writing:
            self._log.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._log.flush()
            if not sync:
                return
            try:
                os.fsync(self._log.fileno())
            except OSError:  # a pipe or a terminal
                return

    def begun(self, turn: Turn) -> None:
        """Notes that an answer has its first piece: what the user said is in the memory."""
        self._write({"event": "answering", "turn": turn.number}, sync=False)

    def done(self, turn: Turn) -> None:
        """Books a turn that has ended."""
        self._write({"event": "turn", **turn.to_dict()})
        if self._on_turn is not None:
            self._on_turn(turn)


class _Answering:
    """One answer, in its own thread."""

    def __init__(self, loop: Loop, turn: Turn, ended: float, meter: Meter) -> None:
        self._loop, self.turn, self._ended, self._meter = loop, turn, ended, meter
        self.stopped = threading.Event()
        self.lock = threading.Lock()  # held while sound is queued
        self._thread = threading.Thread(target=self._run, name="neuromem-answer", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it is still answering."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def join(self) -> None:
        """Waits for its end."""
        self._thread.join()

    def _run(self) -> None:
        turn = self.turn
        try:
            self._speak(self._loop.assistant.stream(turn.heard))
        except (NeuromemError, OSError) as error:  # such as a full disk: said in the turn; it listens on
            turn.error = str(error)
        turn.stages["total"] = _since(self._ended)
        turn.cpu_s, turn.joules = self._meter.spent()
        self._loop.done(turn)

    def _speak(self, answer: Answer) -> None:
        turn, spoken = self.turn, []
        try:
            for sentence in sentences(self._until_stopped(answer)):
                if self.stopped.is_set():
                    break
                turn.stages.setdefault("first_sentence", _since(self._ended))
                spoken.append(sentence)
                self._sound(sentence)
        finally:
            answer.close()
            turn.said = " ".join(spoken)
        try:
            stages = dict(answer.reply.stages)
        except InvalidInput:  # stopped before its first piece
            stages = {}
        turn.stages |= stages
        turn.recall_ready = stages.get("recall", READY_MS) < READY_MS

    def _sound(self, sentence: str) -> None:
        began = time.perf_counter()
        for samples in self._loop.speaker.speak(sentence):
            with self.lock:
                if self.stopped.is_set():
                    return
                self._loop.sink.play(samples)
            if "first_audio" not in self.turn.stages:
                self.turn.stages["speak"] = _since(began)  # the speaker's own time
                self.turn.stages["first_audio"] = _since(self._ended)

    def _until_stopped(self, answer: Answer) -> Iterator[str]:
        for piece in answer:
            if "first_piece" not in self.turn.stages:
                self.turn.stages["first_piece"] = _since(self._ended)
                self._loop.begun(self.turn)
            if self.stopped.is_set():
                return
            yield piece


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1_000, 3)
