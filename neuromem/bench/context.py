"""`neuromem bench context`: what prompts hold, how long they are, how much of the last one they begin with.

``--dialogues FOLDER``: scripts of weeks of one user's side with questions (`talk.py`); without it, talk of
our own making. Each turn is searched for, a prompt is built, and the turn is added, as an assistant does.
A question's answer is *present* when an expected term stands in the prompt before the question; with the
talk so far in it, and in a new session, where only the memory can know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ..config import Config
from ..context import Context, ContextBuilder
from ..encoders import Encoder, load_encoder
from ..memory import Memory
from ..owners import Progress
from ..tokens import byte_bound
from .common import emit, over_budget, parser, percentiles, progress, share, stopwatch
from .constant import SYSTEM
from .talk import Exchange, generated_talk, read_dialogues, says

__all__ = ["Prompts", "main", "measure"]


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if a prompt was over its budget."""
    arguments = parser("context")
    arguments.add_argument("--dialogues", help="folder of scripts; generated talk when left out")
    arguments.add_argument("--turns", type=int, default=400, help="turns of generated talk")
    arguments.add_argument("--encoder", default="transformer", help="as Memory's: transformer, conv, hash, …")
    arguments.add_argument("--config", help="TOML file of settings")
    options = arguments.parse_args(argv)
    config = Config.load(file=options.config)
    if options.dialogues:
        scripts = read_dialogues(options.dialogues)
    else:
        scripts = {"ana": list(generated_talk(options.turns, options.seed))}
    with progress("talking") as step:
        prompts = measure(scripts, config, load_encoder(options.encoder), step)
    emit({"bench": "context", "encoder": options.encoder, **prompts.report(config)}, options.json)
    return int(over_budget(prompts.tokens, config) > 0)


@dataclass(slots=True)
class Prompts:
    """Prompts of a talk, and what of the answers was in them."""

    tokens: list[int] = field(default_factory=list)
    parts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    build_ms: list[float] = field(default_factory=list)
    search_ms: list[float] = field(default_factory=list)
    shared: list[float] = field(default_factory=list)  # share of a prompt that the one before began with
    bytes: list[int] = field(default_factory=list)
    present: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))  # kind → in this talk
    remembered: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))  # … in a new session

    def add(self, context: Context, ms: float) -> None:
        """Counts a prompt."""
        self.tokens.append(context.tokens)
        self.bytes.append(byte_bound(context.text))
        self.build_ms.append(ms)
        for name, tokens in context.parts.items():
            self.parts[name].append(tokens)

    def report(self, config: Config) -> dict[str, Any]:
        """The figures as one object."""
        parts = {"all": self.tokens, **self.parts}
        return {
            "prompts": len(self.tokens),
            "budget_tokens": config.context.prompt_budget,
            "prompts_over_budget": over_budget(self.tokens, config),
            "bytes_per_token": sum(self.bytes) / max(1, sum(self.tokens)),
            "shared_prefix_mean": sum(self.shared) / max(1, len(self.shared)),
            "shared_prefix_over_half": share(part > 0.5 for part in self.shared),
            **{f"build_ms_{point}": ms for point, ms in percentiles(self.build_ms).items()},
            **{f"search_ms_{point}": ms for point, ms in percentiles(self.search_ms).items()},
            "tokens": {name: percentiles(tokens, 50, 100) for name, tokens in parts.items()},
            "answers": self._answers(),
        }

    def _answers(self) -> dict[str, dict[str, float]]:
        """Share of the questions whose answer was in the prompt, by kind."""
        kinds = {"all": list(self.present), **{kind: [kind] for kind in self.present}}
        return {
            name: {
                "questions": sum(len(self.present[kind]) for kind in chosen),
                "in_this_talk": share(flag for kind in chosen for flag in self.present[kind]),
                "in_a_new_session": share(flag for kind in chosen for flag in self.remembered[kind]),
            }
            for name, chosen in kinds.items()
        }


def measure(
    scripts: Mapping[str, Sequence[Exchange]], config: Config, encoder: Encoder, step: Progress
) -> Prompts:
    """Plays talks, each to a memory of its own owner."""
    prompts = Prompts()
    done, total = 0, sum(map(len, scripts.values()))
    for user, exchanges in scripts.items():
        now = [exchanges[0].time]
        with Memory(config=config, encoder=encoder, clock=_clock(now)) as memory:
            texts = []
            history: list[dict[str, str]] = []
            builder = ContextBuilder(config.context)
            for exchange in exchanges:
                now[0] = exchange.time
                texts.append(_one_turn(memory, builder, user, history, exchange, prompts))
                done += 1
                step(done, total)
        prompts.shared += [_shared(*pair) for pair in pairwise(texts)]
    return prompts


def _clock(now: list[float]) -> Callable[[], float]:
    return lambda: now[0]


def _one_turn(
    memory: Memory,
    builder: ContextBuilder,
    user: str,
    history: list[dict[str, str]],
    exchange: Exchange,
    prompts: Prompts,
) -> str:
    """Builds the prompt of a turn, remembers the turn, and returns the prompt's text."""
    with stopwatch() as searching:
        recalled = memory.search(exchange.text, user_id=user)
    known: dict[str, Any] = {
        "system": SYSTEM, "conscious": memory.conscious(user), "recalled": recalled,
        "turn": exchange.text, "now": exchange.time,
    }  # fmt: skip
    with stopwatch() as building:
        context = builder.build(history=history, **known)
    prompts.add(context, building.ms)
    prompts.search_ms.append(searching.ms)
    if exchange.expected:
        prompts.present[exchange.kind].append(_present(context, exchange))
        prompts.remembered[exchange.kind].append(_present(builder.build(**known), exchange))
    said = [
        {"role": "user", "content": exchange.text},
        {"role": "assistant", "content": exchange.reply},
    ]
    memory.add(said, user_id=user)
    history += said
    return context.text


def _present(context: Context, exchange: Exchange) -> bool:
    """Whether the answer stands in the prompt, the question itself aside."""
    before, _, _ = context.text.rpartition(exchange.text)
    return any(says(before, term) for term in exchange.expected)


def _shared(first: str, second: str) -> float:
    """Share of the second prompt with which the first begins, too: a model need not read it again."""
    pairs = enumerate(zip(first, second, strict=False))
    alike = next((place for place, (a, b) in pairs if a != b), min(len(first), len(second)))
    return alike / max(1, len(second))
