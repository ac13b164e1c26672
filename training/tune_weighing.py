"""Fits how the reader and the counted evidence are weighed, and how sure an answer has to be.

    python -m training.tune_weighing --talks FOLDER… --kept runs/kept [--reader FILE] [--report FOLDER…]

On dialogues that the reader was not trained on (every sixth). Maximises the log of the chance of what is
right; then says, for several tiers (`neuromem.assistant.responder.Tiers`), how many answers are right, in
the assistant's own words. *forbidden*: of the questions that nothing answers, those answered with
something wrong.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from neuromem import Memory
from neuromem.assistant.candidates import Candidate
from neuromem.assistant.judging import RuleJudge, Verdict
from neuromem.assistant.responder import Tiers, phrased
from neuromem.assistant.statements import focused
from neuromem.assistant.weighing import Evidence, Weights, evidence_of, weighed
from neuromem.bench.talk import Exchange, says
from neuromem.reading import Reader

from .tune_responder import asked_of, is_right

STEPS, L2 = 200, 1e-3
ENOUGH, PERHAPS, CLOSE = (0.8, 0.85, 0.9, 0.95), (0.2, 0.3, 0.4, 0.5), (0.35, 0.6, 2.0)


@dataclass
class Judged:
    """A question, and what speaks for each statement and for "none"."""

    question: str
    exchange: Exchange
    found: list[Candidate]
    verdicts: list[Verdict]
    told: list[Evidence]
    none: Evidence

    def rows(self) -> tuple[Tensor, Tensor]:
        """[Q + 1, 5] evidence: counted, read, here, is "none", slot; [Q + 1] bool: what is right."""
        rows = [(each.counted, each.read, each.here, 0.0, float(each.slot)) for each in self.told]
        rows.append((self.none.counted, self.none.read, 0.0, 1.0, 0.0))
        said = [focused(each.statement.text, self.question) for each in self.verdicts]
        unknown = self.exchange.kind == "unknown"
        right = [not unknown and is_right(words, self.exchange) for words in said]
        return torch.tensor(rows, dtype=torch.float64), torch.tensor([*right, unknown])


def judged(folders: Sequence[Path], kept: Path, reader: Reader) -> list[Judged]:
    """The questions of all scripts. What was recalled is kept: telling a script takes long."""
    out: list[Judged] = []
    with Memory() as memory:
        rules = RuleJudge(memory.engine.keys)
        for _, question, found, exchange in asked_of(folders, kept):
            verdicts = rules.judge(question, found)
            told, none = evidence_of(reader, question, found, verdicts)
            out.append(Judged(question.text, exchange, list(found), verdicts, told, none))
            if len(out) % 100 == 0:
                print(f"{len(out)} questions read", file=sys.stderr)
    return out


def fit(asked: Sequence[Judged], start: Weights) -> Weights:
    """The weights under which what is right is likeliest; that of the slot stays."""
    pairs = [rows for rows in (each.rows() for each in asked) if rows[1].any()]
    first = torch.tensor([start.counted, start.reading, start.here, start.none], dtype=torch.float64)
    moved = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([moved], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = L2 * moved.square().sum()
        for table, right in pairs:
            chance = (table[:, :4] @ (first + moved) + start.slot * table[:, 4]).log_softmax(dim=0)
            value = value - chance[right].logsumexp(dim=0) / len(pairs)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    counted, reading, here, none = (round(float(each), 3) for each in first + moved.detach())
    return Weights(counted, reading, here, none, start.slot)


def graded(each: Judged, verdicts: Sequence[Verdict], tiers: Tiers) -> tuple[bool, bool]:
    """Whether the assistant's answer is right, and whether it says something forbidden."""
    said = phrased(each.question, verdicts, each.found, each.exchange.time, tiers)
    forbidden = any(says(said.text, term) for term in each.exchange.forbidden)
    if each.exchange.kind == "unknown":
        return not said.known and not forbidden, forbidden
    return is_right(said.text, each.exchange), forbidden


def report(name: str, asked: Sequence[Judged], weights: Weights, grid: Sequence[Tiers]) -> None:
    """Shares of right answers by kind, for each choice of tiers."""
    print(f"== {name}: {len(asked)} questions, {weights}")
    every = [(each, weighed(each.verdicts, each.told, each.none, weights)) for each in asked]
    for tiers in grid:
        kinds: dict[str, list[bool]] = defaultdict(list)
        invented = []
        for each, verdicts in every:
            right, forbidden = graded(each, verdicts, tiers)
            kinds[each.exchange.kind].append(right)
            if each.exchange.kind == "unknown":
                invented.append(forbidden)
        right_ones = [value for values in kinds.values() for value in values]
        told = {kind: round(sum(values) / len(values), 3) for kind, values in sorted(kinds.items())}
        wrong = sum(invented) / max(1, len(invented))
        print(
            f"{tiers.enough:.2f} {tiers.perhaps:.2f} {tiers.close:.2f} all "
            f"{sum(right_ones) / len(right_ones):.3f} {told} forbidden {wrong:.3f}",
            flush=True,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Fits and reports."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--talks", type=Path, nargs="+", required=True)
    parser.add_argument("--report", type=Path, nargs="*", default=[])
    parser.add_argument("--kept", type=Path, required=True, help="folder for what was recalled")
    parser.add_argument("--reader", type=Path, help="a checkpoint; none: the shipped one")
    parser.add_argument("--cache", type=Path, help="file for what was judged: read where it is there")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    reader = Reader(args.reader)
    if args.cache and args.cache.is_file():
        asked, others = pickle.loads(args.cache.read_bytes())
    else:
        asked = judged(args.talks, args.kept, reader)
        others = {folder.name: judged([folder], args.kept, reader) for folder in args.report}
        if args.cache:
            args.cache.write_bytes(pickle.dumps((asked, others)))
    weights = fit(asked, Weights())
    grid = [Tiers(*tiers) for tiers in product(ENOUGH, PERHAPS, CLOSE)]
    report("as shipped", asked, Weights(), [Tiers()])
    report("fitted", asked, weights, grid)
    for folder, some in others.items():
        report(f"as shipped, {folder}", some, Weights(), [Tiers()])
        report(f"fitted, {folder}", some, weights, grid)
    return 0


if __name__ == "__main__":
    sys.exit(main())
