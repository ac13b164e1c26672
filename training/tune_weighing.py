"""Fits how the reader and the counted evidence are weighed (`neuromem.assistant.weighing`).

    python -m training.tune_weighing --talks FOLDER… --kept runs/kept [--reader FILE] [--report FOLDER…]

On dialogues that the reader was not trained on (every sixth). Maximises the log of the chance of what is
right; then reports, for several least surenesses of an answer, each judge alone and both.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neuromem import Memory
from neuromem.assistant.judging import RuleJudge
from neuromem.assistant.reading import Reader
from neuromem.assistant.statements import focused
from neuromem.assistant.weighing import evidence_of
from neuromem.bench.talk import says

from .tune_responder import asked_of, is_right

STEPS, L2 = 200, 1e-3
START = {"both": (0.5, 1.0, 2.0, 0.0), "rules": (1.0, 0.0, 0.0, 0.0), "reader": (0.0, 1.0, 2.0, 0.0)}


@dataclass
class Judged:
    """A question: of each statement and of "none" what speaks for it; and what is right."""

    script: str
    kind: str
    text: str
    evidence: np.ndarray[Any, Any]  # [Q + 1, 4] counted, read, here, is "none"
    right: np.ndarray[Any, Any]  # [Q + 1] bool
    forbidden: np.ndarray[Any, Any]  # [Q] bool
    said: list[str]


def judged(folders: Sequence[Path], kept: Path, reader: Reader) -> list[Judged]:
    """The questions of all scripts. What was recalled is kept: telling a script takes long."""
    out: list[Judged] = []
    with Memory() as memory:
        rules = RuleJudge(memory.engine.keys)
        for user, question, found, exchange in asked_of(folders, kept):
            verdicts = rules.judge(question, found)
            told, none = evidence_of(reader, question, found, verdicts)
            rows = [(each.counted, each.read, each.here, 0.0) for each in told]
            rows.append((none.counted, none.read, 0.0, 1.0))
            said = [focused(each.statement.text, question.text) for each in verdicts]
            right = [is_right(words, exchange) for words in said]
            bad = [any(says(words, term) for term in exchange.forbidden) for words in said]
            right.append(exchange.kind == "unknown")
            out.append(
                Judged(user, exchange.kind, question.query, np.array(rows), np.array(right),
                       np.array(bad, dtype=bool), said)
            )  # fmt: skip
    return out


def fit(asked: Sequence[Judged], start: Sequence[float], free: Sequence[float]) -> np.ndarray[Any, Any]:
    """[4] weights under which what is right is likeliest.

    Args:
        free: 1 where a weight may move, 0 where it stays as it starts.
    """
    told = [each for each in asked if each.right.any()]
    tables = [torch.tensor(each.evidence) for each in told]
    rights = [torch.tensor(each.right) for each in told]
    first, mask = torch.tensor(start, dtype=torch.float64), torch.tensor(free, dtype=torch.float64)
    moved = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([moved], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        weights = first + mask * moved
        value = L2 * moved.square().sum()
        for table, right in zip(tables, rights, strict=True):
            chance = (table @ weights).log_softmax(dim=0)
            value = value - chance[right].logsumexp(dim=0) / len(tables)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return (first + mask * moved.detach()).numpy()


def outcome(asked: Judged, weights: np.ndarray[Any, Any], least: float) -> tuple[bool, bool]:
    """Whether it is right, and whether something is said."""
    logits = asked.evidence @ weights
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    best = int(np.argmax(chances[:-1])) if len(chances) > 1 else -1
    said = best >= 0 and bool(chances[best] / (chances[best] + chances[-1]) >= least)  # its sureness
    return (not said if asked.kind == "unknown" else said and bool(asked.right[best])), said


def report(name: str, asked: Sequence[Judged], weights: np.ndarray[Any, Any]) -> None:
    """Shares of right ones by kind, for several least surenesses."""
    print(f"== {name}: {len(asked)} questions, weights {[round(float(each), 3) for each in weights]}")
    for least in (0.0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8):
        kinds: dict[str, list[bool]] = defaultdict(list)
        for each in asked:
            kinds[each.kind].append(outcome(each, weights, least)[0])
        every = [value for values in kinds.values() for value in values]
        told = {kind: round(sum(values) / len(values), 3) for kind, values in sorted(kinds.items())}
        print(f"{least:.2f} all {sum(every) / len(every):.3f} {told}")


def main(argv: Sequence[str] | None = None) -> int:
    """Fits and reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--talks", type=Path, nargs="+", required=True)
    parser.add_argument("--report", type=Path, nargs="*", default=[])
    parser.add_argument("--kept", type=Path, required=True, help="folder for what was recalled")
    parser.add_argument("--reader", type=Path, help="a checkpoint; none: the shipped one")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    reader = Reader(args.reader)
    asked = judged(args.talks, args.kept, reader)
    others = {folder.name: judged([folder], args.kept, reader) for folder in args.report}
    moves = {"both": (1, 1, 1, 1), "rules": (0, 0, 0, 1), "reader": (0, 1, 1, 1)}
    for name, start in START.items():
        weights = fit(asked, start, moves[name])
        report(f"{name}, fitted", asked, weights)
        for folder, some in others.items():
            report(f"{name}, {folder}", some, weights)
    return 0


if __name__ == "__main__":
    sys.exit(main())
