"""Fits the weights of `neuromem.assistant.judging` on written talks.

    python -m training.tune_responder --talks FOLDER… --held-out FOLDER… --kept runs/kept --out weights.json

Each question's candidates are what the assistant recalls for it; the statements that hold an expected term
and no forbidden one are right, and for a question that nothing answers "none" is. Maximises the log of the
chance of what is right (softmax), with a small L2 penalty; then reports both sets.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neuromem import Memory
from neuromem.assistant.candidates import Candidate, candidates
from neuromem.assistant.counting import KINDS_OF_EVIDENCE
from neuromem.assistant.following import Before, Follow, follow
from neuromem.assistant.judging import RuleJudge
from neuromem.assistant.statements import statements_of
from neuromem.bench.talk import Exchange, read_dialogues, says

L2 = 5e-3
STEPS = 150
NONE = "none"
PLAIN, WEIGHT = 120, 1.5  # pairs used, and how much each counts
START = 1_780_000_000.0


@dataclass
class Question:
    """A question with the evidence on its statements."""

    kind: str
    text: str
    evidence: np.ndarray[Any, Any]  # [Q, F]
    right: np.ndarray[Any, Any]  # [Q] bool
    statements: list[str]
    weight: float = 1.0


def main(argv: Sequence[str] | None = None) -> int:
    """Fits, reports, writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--talks", nargs="+", required=True)
    parser.add_argument("--held-out", nargs="*", default=[])
    parser.add_argument("--pairs", type=Path, help="plain facts and questions: JSONL of fact, question")
    parser.add_argument("--kept", type=Path, required=True, help="folder for what was recalled")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    train, held = questions(args.talks, args.kept), questions(args.held_out, args.kept)
    if args.pairs:
        train += of_pairs(args.pairs, PLAIN, args.kept)
    weights = fit(train)
    report("talks", train, weights)
    if held:
        report("held out", held, weights)
    if args.out:
        args.out.write_text(json.dumps({k: round(v, 3) for k, v in weights.items()}, indent=1))
    return 0


def questions(folders: Sequence[str], kept: Path) -> list[Question]:
    """The questions of all scripts, each with the evidence that the assistant would have for it.

    Args:
        kept: folder for what was recalled for the questions of each script; read where it is there, since
            telling a script takes far longer than weighing its statements.
    """
    out: list[Question] = []
    with Memory() as memory:
        judge = RuleJudge(memory.engine.keys)
        for _, asked, found, exchange in asked_of(folders, kept):
            pairs, evidence = judge.evidence(asked, found)
            right = np.array([is_right(each.said, exchange) for _, each in pairs], dtype=bool)
            statements = [each.text for _, each in pairs]
            out.append(Question(exchange.kind, asked.text, evidence, right, statements))
    return out


def asked_of(
    folders: Sequence[str | Path], kept: Path
) -> Iterator[tuple[str, Follow, list[Candidate], Exchange]]:
    """Of all scripts: user, question, turns that may answer it, exchange. `kept`: as `questions`."""
    kept.mkdir(parents=True, exist_ok=True)
    for folder in folders:
        for user, script in read_dialogues(folder).items():
            path = kept / f"{Path(folder).name} {user}.pickle"
            if not path.is_file():
                path.write_bytes(pickle.dumps(_asked(user, script)))
                print(f"{folder} {user}", file=sys.stderr)
            for asked, found, exchange in pickle.loads(path.read_bytes()):
                yield user, asked, found, exchange


def _asked(user: str, script: Sequence[Exchange]) -> list[tuple[Follow, list[Candidate], Exchange]]:
    """The questions of a script with the turns that may answer them."""
    now, out = 0.0, []
    before: Before | None = None
    with Memory(clock=lambda: now) as memory:
        for exchange in script:
            now = exchange.time
            if not exchange.kind:
                memory.add([{"role": "user", "content": exchange.text, "name": user}], user, timestamp=now)
                continue
            asked = follow(exchange.text, before)
            found = [_plain(each) for each in candidates(memory, user, asked.query)]
            out.append((asked, found, exchange))
            told = [(each.seq, part.text) for each in found for part in statements_of(each)
                    if is_right(part.said, exchange)]  # fmt: skip
            seq, answer = told[0] if told else (-1, "")  # as if it had been answered well
            before = Before(asked.text, answer, seq, now)
    return out


def of_pairs(path: Path, most: int, kept: Path) -> list[Question]:
    """Plain facts and plain questions for them, {fact, question} a line; all facts are one user's.

    In talk the words of a question often introduce what the next statement tells; here they tell it.
    """
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()][:most]
    kept.mkdir(parents=True, exist_ok=True)
    store = kept / f"{path.stem} {len(rows)}.pickle"
    if not store.is_file():
        with Memory(clock=lambda: START) as memory:
            for number, row in enumerate(rows):
                turn = {"role": "user", "content": row["fact"]}
                memory.add([turn], "user", timestamp=START - (len(rows) - number) * 86_400.0)
            asked = [(follow(row["question"], None), row["fact"]) for row in rows]
            found = [
                (each, [_plain(one) for one in candidates(memory, "user", each.query)], fact)
                for each, fact in asked
            ]
        store.write_bytes(pickle.dumps(found))
    out = []
    with Memory() as memory:
        judge = RuleJudge(memory.engine.keys)
        for each, found_, fact in pickle.loads(store.read_bytes()):
            pairs, evidence = judge.evidence(each, found_)
            evidence[:, KINDS_OF_EVIDENCE.index("newness")] = 0  # in a pool of facts it tells nothing
            right = np.array([candidate.text == fact for candidate, _ in pairs], dtype=bool)
            out.append(Question("plain", each.text, evidence, right, [one.text for _, one in pairs], WEIGHT))
    return out


def _plain(candidate: Candidate) -> Candidate:
    """A candidate that can be kept in a file: its memories with their gists, without what reads them."""
    memories = (replace(each, say_gist=partial(str, each.gist)) for each in candidate.memories)
    return replace(candidate, memories=tuple(memories))


def is_right(said: str, exchange: Exchange) -> bool:
    holds = any(says(said, term) for term in exchange.expected)
    return holds and not any(says(said, term) for term in exchange.forbidden)


def fit(asked: Sequence[Question]) -> dict[str, float]:
    """The weights under which what is right is likeliest."""
    told = [each for each in asked if each.right.any() or each.kind == "unknown"]
    evidence = torch.tensor(np.concatenate([each.evidence for each in told]), dtype=torch.float64)
    owner = torch.tensor(np.repeat(np.arange(len(told)), [len(each.evidence) for each in told]))
    right = torch.tensor(np.concatenate([each.right for each in told]))
    unknown = torch.tensor([each.kind == "unknown" for each in told])
    counts = torch.tensor([each.weight for each in told], dtype=torch.float64)
    weights = torch.zeros(evidence.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    spread = evidence.std(dim=0).clamp_min(0.05)
    optimizer = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        logits = (evidence / spread) @ weights[:-1]
        none = weights[-1].expand(len(told))
        peak = torch.full((len(told),), -1e9, dtype=torch.float64).scatter_reduce(
            0, owner, logits.detach(), "amax"
        )
        peak = torch.maximum(peak, none.detach())
        total = torch.zeros(len(told), dtype=torch.float64).index_add(0, owner, (logits - peak[owner]).exp())
        good = torch.zeros(len(told), dtype=torch.float64).index_add(
            0, owner, (logits - peak[owner]).exp() * right
        )
        rest = (none - peak).exp()
        chance = torch.where(unknown, rest, good) / (total + rest)
        value = (
            -(chance.clamp_min(1e-12).log() * counts).sum() / counts.sum() + L2 * weights[:-1].square().sum()
        )
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    plain = weights.detach()[:-1] / spread
    return dict(zip(KINDS_OF_EVIDENCE, plain.tolist(), strict=True)) | {NONE: float(weights.detach()[-1])}


def chances(question: Question, weights: dict[str, float]) -> np.ndarray[Any, Any]:
    """[Q] of each statement; the rest to 1 is none's."""
    row = np.array([weights[kind] for kind in KINDS_OF_EVIDENCE])
    logits = np.append(question.evidence @ row, weights[NONE])
    each = np.exp(logits - logits.max())
    out: np.ndarray[Any, Any] = (each / each.sum())[:-1]
    return out


def report(name: str, asked: Sequence[Question], weights: dict[str, float]) -> None:
    """Shares by kind, for several least chances of an answer."""
    print(f"== {name}: {len(asked)}")
    for least in (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        good: dict[str, list[bool]] = defaultdict(list)
        for each in asked:
            chance = chances(each, weights)
            best = int(np.argmax(chance)) if len(chance) else -1
            says_it = best >= 0 and chance[best] >= least * (chance[best] + 1 - chance.sum())
            good[each.kind].append(
                not says_it if each.kind == "unknown" else says_it and bool(each.right[best])
            )
        every = [value for values in good.values() for value in values]
        shares = Counter({kind: round(sum(v) / len(v), 3) for kind, v in good.items()})
        print(least, round(sum(every) / len(every), 3), dict(sorted(shares.items())))


if __name__ == "__main__":
    sys.exit(main())
