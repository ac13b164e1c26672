"""`neuromem bench turns`: what a turn of the assistant costs, and whether turn 5,000 costs what turn 50 did.

The last turns are taken in turn with the first ones of another memory, so that both meet the same machine:
*turn_50* is the median of that memory's turns from 50 to 100, *ratio* how much more the last ones cost.
Each turn's words come as a recognizer gives them: some partial words, the whole of them while the pause is
waited for that ends an utterance, then their end. *first piece* is the time from there to the first piece of
the answer, without a model's own: recall, prompt, durable words, plumbing. *whole* is the turn to its end.
The answer is said by a stand-in for a model, which takes no time; ``--facts``: it is put together from the
memories, as where there is no model. With ``--llm`` a model answers: *first token* is its time to the first
token, beside the same prompts to a model that has just read something else (*cold*).
"""

from __future__ import annotations

import statistics
import tempfile
import time
from array import array
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..assistant import Assistant
from ..config import Config
from ..errors import InvalidInput
from ..llm import LLM, load_llm
from ..llm.base import Message, Pieces, Reply
from ..memory import Memory
from ..owners import Progress
from .common import emit, over_budget, parser, percentiles, progress, share
from .talk import Exchange, generated_talk

__all__ = ["Turns", "main", "measure", "prefix"]

USER = "ana"
WINDOW = 50  # turns at the beginning, and at the end
SLEEP_EVERY = 500  # turns
READY_MS = 2.0  # a recall that was there already takes less
PAUSE_S = 0.6  # the silence that ends an utterance; recall has that long
ASIDE = [{"role": "user", "content": "Something else altogether, which begins with other words."}]


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if a prompt was over its budget."""
    options = parser("turns")
    options.add_argument("--turns", type=int, default=300, help="turns of generated talk; at least 150")
    options.add_argument("--slots", type=int, default=2_048, help="bank.max_slots")
    options.add_argument("--facts", action="store_true", help="answer from the memories, without a model")
    options.add_argument("--llm", metavar="MODEL", help="gguf:PATH: measure what its KV cache keeps, too")
    args = options.parse_args(argv)
    if args.turns < 3 * WINDOW:
        raise InvalidInput("--turns", f"{args.turns} are too few", f"give {3 * WINDOW} or more")
    config = Config.load({"bank": {"max_slots": args.slots}})
    talk = list(generated_talk(args.turns, args.seed))
    with tempfile.TemporaryDirectory() as folder, progress("talking") as step:
        turns = measure(Path(folder), talk, config, None if args.facts else StandIn(), step)
    report = {"bench": "turns", **turns.report(config)}
    if args.llm:
        report["model"] = prefix(load_llm(args.llm), talk[:WINDOW], config)
    emit(report, args.json)
    return int(over_budget(turns.tokens, config) > 0)


class StandIn:
    """Says the same at once: what is left of a turn is the memory's."""

    name, context_tokens = "stand-in", None

    def count(self, text: str) -> int | None:  # noqa: ARG002
        """It does not tell."""
        return None

    def generate(self, messages: Sequence[Message], **_: Any) -> Reply:  # noqa: ARG002
        """The whole."""
        return Reply("I see. Go on.")

    def stream(self, messages: Sequence[Message], **_: Any) -> Pieces:  # noqa: ARG002
        """Two sentences."""
        return (piece for piece in ("I see. ", "Go on."))

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class Turns:
    """What was measured, turn by turn; milliseconds."""

    first: array[float] = field(default_factory=lambda: array("d"))  # by the clock
    first_cpu: array[float] = field(default_factory=lambda: array("d"))  # of all threads
    whole_cpu: array[float] = field(default_factory=lambda: array("d"))
    stages: dict[str, array[float]] = field(default_factory=dict)
    tokens: array[int] = field(default_factory=lambda: array("q"))
    ready: list[bool] = field(default_factory=list)
    slots: int = 0
    young: Turns | None = None  # of the other memory

    def report(self, config: Config) -> dict[str, Any]:
        """The figures as one object."""
        young = self.young or self
        costs = {
            "first_piece": (self.first, young.first), "first_piece_cpu": (self.first_cpu, young.first_cpu),
            "whole_cpu": (self.whole_cpu, young.whole_cpu),
        }  # fmt: skip
        return {
            "turns": len(self.tokens), "slots": self.slots,
            "budget_tokens": config.context.prompt_budget,
            "prompt_tokens_max": max(self.tokens), "prompts_over_budget": over_budget(self.tokens, config),
            "recall_ready": share(self.ready),
            "ms": {name: _cost(*values) for name, values in costs.items()},
            "stages_ms": {name: percentiles(values, 50, 95) for name, values in self.stages.items()},
        }  # fmt: skip


def _cost(values: array[float], young: array[float]) -> dict[str, float]:
    """Percentiles, and medians of the last 50 turns and of the young memory's from 50 to 100."""
    first = statistics.median(young[WINDOW : 2 * WINDOW])
    last = statistics.median(values[-WINDOW:])
    return {**percentiles(values, 50, 95), "turn_50": first, "turn_last": last, "ratio": last / first}


def measure(
    folder: Path, talk: Iterable[Exchange], config: Config, llm: LLM | None, step: Progress | None = None
) -> Turns:
    """Talks, and measures each turn.

    Args:
        talk: what is said, in order. llm: what answers; None: the memories.
    """
    talk = list(talk)
    with (
        _Talker(folder / "old", config, llm) as old,
        _Talker(folder / "young", config, llm) as young,
    ):
        for number, exchange in enumerate(talk, 1):
            if number > len(talk) - 2 * WINDOW:
                young.hear(talk[len(young.run.tokens)])
            old.hear(exchange)
            if number % SLEEP_EVERY == 0:
                old.memory.sleep()
            if step is not None:
                step(number, len(talk))
        old.run.slots = len(old.memory.bank(USER))
    old.run.young = young.run
    return old.run


class _Talker:
    """An assistant with a memory of its own, and what its turns cost."""

    def __init__(self, folder: Path, config: Config, llm: LLM | None) -> None:
        self.run, self._now = Turns(), 0.0
        self.memory = Memory(folder, config, clock=lambda: self._now)
        self._assistant = Assistant(self.memory, USER, llm)
        self.memory.search("warm up", USER)

    def __enter__(self) -> _Talker:
        return self

    def __exit__(self, *_: object) -> None:
        self._assistant.close()
        self.memory.close()

    def hear(self, exchange: Exchange) -> None:
        """One turn."""
        self._now = exchange.time
        _one(self._assistant, exchange.text, self.run)


def _one(assistant: Assistant, text: str, run: Turns) -> None:
    """A turn: heard bit by bit, answered to its end."""
    began = time.process_time()
    words = text.split()
    for end in range(3, len(words), 3):
        assistant.prefetch(" ".join(words[:end]))
    assistant.prefetch(text)
    assistant.wait_ahead(PAUSE_S)
    started, cpu = time.perf_counter(), time.process_time()
    with closing(assistant.stream(text)) as answer:
        next(answer)
        run.first.append((time.perf_counter() - started) * 1_000)
        run.first_cpu.append((time.process_time() - cpu) * 1_000)
        for _ in answer:
            pass
        reply = answer.reply
    run.whole_cpu.append((time.process_time() - began) * 1_000)
    run.tokens.append(reply.context.tokens if reply.context else 0)
    run.ready.append(reply.stages.get("recall", 0.0) < READY_MS)
    for name, spent in reply.stages.items():
        run.stages.setdefault(name, array("d")).append(spent)


def prefix(llm: LLM, talk: Sequence[Exchange], config: Config) -> dict[str, Any]:
    """Milliseconds to a model's first token over a talk, and for the same prompts with nothing kept."""
    now, prompts, answers = [0.0], [], 8
    with Memory(config=config, clock=lambda: now[0]) as memory, Assistant(memory, USER, llm) as assistant:
        for exchange in talk:
            now[0] = exchange.time
            with closing(assistant.stream(exchange.text)) as answer:
                for _, piece in zip(range(answers), answer, strict=False):
                    assert piece
            context = answer.reply.context
            assert context is not None
            prompts.append(context.messages)
    _first_token(llm, ASIDE)
    kept = [_first_token(llm, prompt) for prompt in prompts]
    cold = []
    for prompt in prompts:
        _first_token(llm, ASIDE)
        cold.append(_first_token(llm, prompt))
    return {
        "turns": len(prompts), "first_token_ms": percentiles(kept[1:], 50, 95),
        "first_token_cold_ms": percentiles(cold[1:], 50, 95),
        "share_of_cold": statistics.median(kept[1:]) / statistics.median(cold[1:]),
    }  # fmt: skip


def _first_token(llm: LLM, messages: Sequence[dict[str, str]]) -> float:
    started = time.perf_counter()
    pieces = llm.stream(messages, max_tokens=1)
    try:
        next(iter(pieces), "")
    finally:
        pieces.close()
    return (time.perf_counter() - started) * 1_000
