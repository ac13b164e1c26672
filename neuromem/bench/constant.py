"""`neuromem bench constant`: whether turn 10,000 costs what turn 100 did, in time, memory and tokens.

One user talks on and on to a memory of `--slots` slots on disk. Each turn is searched for, a prompt is built
with the conscious set, what was recalled and the talk so far, and the turn and its answer are added. The
median latency of the last hundred turns is set against that of turns 100 to 200, by the clock and by the
processor's time, on which other programs have less influence. Resident memory is what the
operating system says, pages of the log's file that were read lately among them; they are given apart.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from array import array
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..config import Config
from ..context import ContextBuilder
from ..errors import InvalidInput
from ..memory import Memory
from ..owners import Progress
from .common import emit, over_budget, parser, percentiles, progress
from .talk import Exchange, generated_talk

__all__ = ["Run", "main", "measure"]

USER = "ana"
SYSTEM = "You are a kind assistant. Answer in one or two short sentences."
OPERATIONS = ("search", "conscious", "context", "add")
WINDOW = 100  # turns at the beginning, after as many, and at the end
SETTLED = 2_000  # turn from which on resident memory must not grow; a third of a shorter talk
STATUS = Path("/proc/self/status")
KIB = 1_024


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if a prompt was over its budget."""
    arguments = parser("constant")
    arguments.add_argument("--turns", type=int, default=10_000, help="turns of talk; at least 300")
    arguments.add_argument("--slots", type=int, default=2_048, help="bank.max_slots")
    arguments.add_argument("--encoder", default="transformer", help="as Memory's: transformer, conv, hash, …")
    arguments.add_argument("--sleep-every", type=int, default=500, help="turns; 0: never")
    options = arguments.parse_args(argv)
    if options.turns < 3 * WINDOW:
        raise InvalidInput("--turns", f"{options.turns} are too few", f"give {3 * WINDOW} or more")
    config = Config.load({"bank": {"max_slots": options.slots}})
    talk = generated_talk(options.turns, options.seed)
    with tempfile.TemporaryDirectory() as folder, progress("talking") as step:
        run = measure(Path(folder), talk, options.turns, config, options.encoder, options.sleep_every, step)
    emit({"bench": "constant", "encoder": options.encoder, **run.report(config)}, options.json)
    return int(over_budget(run.tokens, config) > 0)


@dataclass(slots=True)
class Run:
    """What was measured, turn by turn."""

    # plain arrays: as Python's numbers, what is written down would be a tenth of the growth that is measured
    ms: dict[str, array[float]] = field(default_factory=lambda: {name: array("d") for name in OPERATIONS})
    cpu_ms: dict[str, array[float]] = field(default_factory=lambda: {name: array("d") for name in OPERATIONS})
    sleep_ms: list[float] = field(default_factory=list)
    tokens: array[int] = field(default_factory=lambda: array("q"))
    resident: dict[int, dict[str, int]] = field(default_factory=dict)  # turn → bytes by kind
    slots: int = 0
    log_bytes: int = 0

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Takes the time of a `with` block, by the clock and of the processor."""
        started, cpu = time.perf_counter(), time.process_time()
        yield
        self.cpu_ms[name].append((time.process_time() - cpu) * 1_000)
        self.ms[name].append((time.perf_counter() - started) * 1_000)

    def report(self, config: Config) -> dict[str, Any]:
        """The figures as one object."""
        turns = len(self.tokens)
        settled = min(SETTLED, turns // 3)
        kinds = self.resident[settled].keys() if self.resident else ()
        memory = {
            kind: {
                "mib_settled": self.resident[settled][kind] / KIB**2,
                "mib_end": self.resident[turns][kind] / KIB**2,
                "growth": self.resident[turns][kind] / max(1, self.resident[settled][kind]) - 1,
            }
            for kind in kinds
        }
        return {
            "turns": turns, "slots": self.slots, "log_mib": self.log_bytes / KIB**2,
            "budget_tokens": config.context.prompt_budget,
            "prompt_tokens_max": max(self.tokens), "prompts_over_budget": over_budget(self.tokens, config),
            "sleep_ms_p50": percentiles(self.sleep_ms, 50)["p50"], "settled_at_turn": settled,
            "latency": {name: self._latency(name) for name in OPERATIONS},
            "prompt_tokens": self._prompts(), "resident": memory,
        }  # fmt: skip

    def _latency(self, name: str) -> dict[str, float]:
        first, last = _windows(self.ms[name])
        cpu_first, cpu_last = _windows(self.cpu_ms[name])
        return {
            "first_ms": first, "last_ms": last, "ratio": last / first,
            "cpu_first_ms": cpu_first, "cpu_last_ms": cpu_last, "cpu_ratio": cpu_last / cpu_first,
            **{f"{point}_ms": value for point, value in percentiles(self.ms[name]).items()},
        }  # fmt: skip

    def _prompts(self) -> dict[str, float]:
        first, last = _windows(self.tokens)
        return {"first": first, "last": last, **percentiles(self.tokens, 50, 99)}


def _windows(values: array[Any]) -> tuple[float, float]:
    """Medians of the second and of the last hundred."""
    return statistics.median(values[WINDOW : 2 * WINDOW]), statistics.median(values[-WINDOW:])


def measure(
    folder: Path,
    talk: Iterator[Exchange],
    turns: int,
    config: Config,
    encoder: str,
    sleep_every: int,
    step: Progress,
) -> Run:
    """Talks to a memory in a folder, and measures each turn.

    Args:
        talk: so many `turns`. sleep_every: turns between two nights; 0: it never sleeps.
    """
    run, now = Run(), [0.0]
    builder = ContextBuilder(config.context)
    history: deque[dict[str, str]] = deque(maxlen=config.context.lookback_turns)
    settled = min(SETTLED, turns // 3)
    with Memory(folder, config, encoder, clock=lambda: now[0]) as memory:
        for turn, exchange in enumerate(talk, 1):
            now[0] = exchange.time
            run.tokens.append(_one_turn(memory, builder, history, 2 * (turn - 1), exchange, run))
            if sleep_every and turn % sleep_every == 0:
                started = time.perf_counter()
                memory.sleep()
                run.sleep_ms.append((time.perf_counter() - started) * 1_000)
            if turn in (settled, turns):
                gc.collect()
                run.resident[turn] = _resident()
            step(turn, turns)
        run.slots = len(memory.bank(USER))
    run.log_bytes = sum(path.stat().st_size for path in (folder / "log").rglob("*") if path.is_file())
    return run


def _one_turn(
    memory: Memory,
    builder: ContextBuilder,
    history: deque[dict[str, str]],
    before: int,
    exchange: Exchange,
    run: Run,
) -> int:
    """Hears a turn, answers, and remembers it; returns the tokens of its prompt."""
    with run.timed("search"):
        recalled = memory.search(exchange.text, user_id=USER)
    with run.timed("conscious"):
        conscious = memory.conscious(USER)
    with run.timed("context"):
        context = builder.build(
            system=SYSTEM, conscious=conscious, recalled=recalled, history=history, turn=exchange.text,
            now=exchange.time, earlier=before - len(history),
        )  # fmt: skip
    said = [
        {"role": "user", "content": exchange.text},
        {"role": "assistant", "content": exchange.reply},
    ]
    with run.timed("add"):
        memory.add(said, user_id=USER)
    history.extend(said)
    return context.tokens


def _resident() -> dict[str, int]:
    """Bytes of this process in RAM: all, those of its own, and those of files mapped into it.

    Only the highest so far where there is no /proc.
    """
    if not STATUS.is_file():
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"peak": peak if sys.platform == "darwin" else peak * KIB}
    names = {"VmRSS": "all", "RssAnon": "own", "RssFile": "files"}
    lines = (line.split() for line in STATUS.read_text(encoding="ascii").splitlines())
    return {names[line[0][:-1]]: int(line[1]) * KIB for line in lines if line and line[0][:-1] in names}
