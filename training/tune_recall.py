"""Fits the weights of the evidence (`neuromem/evidence.py`) on development sets; never on what is measured.

    python -m training.tune_recall --data DATA [--encoder transformer] [--pairs 1.0]

Conversations of LoCoMo (dev) are told turn by turn, the dev pairs as one person's facts. A softmax over all
memories of a bank should choose the evidence of each question (one positive against all negatives at a
time); each conversation is measured with weights fitted without it. Prints recall and the mean weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neuromem import Memory
from neuromem.bench.common import read_jsonl
from neuromem.bench.conversations import TurnOfTalk, read_questions, read_turns_of, tell, without_names
from neuromem.config import Config, ForgettingConfig, WriteConfig
from neuromem.evidence import KINDS, gather, speakers_of
from neuromem.question import take_apart

CONFIG = Config(write=WriteConfig(max_steps=0), forgetting=ForgettingConfig(decay="none"))
PLACES = (1, 5, 10, 20)
Asked = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], int]
"""evidence [M, F], which memories answer [M], how many answers there are"""


def asked(memory: Memory, questions: Sequence[tuple[str, set[str], int]]) -> list[Asked]:
    """Questions, each with the ids of the memories that answer it, as evidence for every memory."""
    out = []
    with memory.engine.owners.use(memory.engine.log.owners()[0], settle=False) as open_:
        bank, now_ms = open_.bank, memory.engine.now_ms()
        for text, right, count in questions:
            question = take_apart(text, memory.engine.keys, speakers_of(bank), now_ms)
            found = gather(bank, question, len(bank))
            ids = bank.ids_of(torch.from_numpy(found.rows))
            out.append((found.kinds, np.array([memory_id in right for memory_id in ids]), count))
    return out


def conversation(
    turns: list[TurnOfTalk], questions: Sequence[Any], encoder: str | None, one: bool
) -> list[Asked]:
    """The questions of a conversation; `one`: as if one person spoke, without names."""
    if one:
        said, questions = without_names({questions[0].conversation: turns}, questions)
        turns = said[questions[0].conversation]
    with Memory(config=CONFIG, encoder=encoder, clock=lambda: turns[-1].time + 60) as memory:
        turns_of = tell(memory, "c", turns, False)
        ids_of: dict[str, set[str]] = {}
        for memory_id, told in turns_of.items():
            for turn in told:
                ids_of.setdefault(turn, set()).add(memory_id)
        rows = []
        for question in questions:
            right = {memory_id for turn in question.evidence for memory_id in ids_of.get(turn, ())}
            if right:
                rows.append((question.text, right, len(question.evidence)))
        return asked(memory, rows)


def pairs(file: Path, key: str, encoder: str | None) -> list[Asked]:
    """Facts and questions of one person in one pool."""
    rows = read_jsonl(file)
    with Memory(config=CONFIG, encoder=encoder, clock=lambda: 1.7e9) as memory:
        messages = [{"role": "user", "content": row["fact"]} for row in rows]
        written = memory.add(messages, user_id="pool", infer=False)
        questions = [(row[key], {item.id}, 1) for row, item in zip(rows, written, strict=True)]
        return asked(memory, questions)


def fit(sets: list[list[Asked]], free: list[int], penalty: float = 1e-3) -> np.ndarray[Any, Any]:
    """Weights [F] that make the right memories most likely; only the columns `free` are used."""
    cases = [
        (torch.from_numpy(kinds[:, free]), torch.from_numpy(right))
        for group in sets
        for kinds, right, _ in group
    ]
    scale = torch.cat([kinds for kinds, _ in cases]).std(dim=0).clamp(min=1e-6)
    weights = torch.zeros(len(free), requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        total = torch.zeros(())
        for kinds, right in cases:
            scores = (kinds / scale) @ weights
            wrong = scores[~right].logsumexp(dim=0)
            total = total + (torch.logaddexp(scores[right], wrong) - scores[right]).mean()
        out: torch.Tensor = total / len(cases) + penalty * (weights**2).sum()
        out.backward()  # type: ignore[no-untyped-call]
        return out

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    full = np.zeros(len(KINDS), dtype=np.float32)
    full[free] = (weights.detach() / scale).numpy()
    return full


def recall(group: list[Asked], weights: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Mean recall at `PLACES`, in percent."""
    out = []
    for kinds, right, count in group:
        order = right[np.argsort(-(kinds @ weights), kind="stable")]
        out.append([order[:place].sum() / count for place in PLACES])
    mean: np.ndarray[Any, Any] = 100 * np.mean(out, axis=0)
    return mean


def main() -> None:
    """Tells, asks, fits, prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--encoder")
    parser.add_argument("--pairs", type=float, default=1.0, help="share of the dev pairs in the fit")
    parser.add_argument("--without", default="", help="kinds to leave out, with commas between")
    parser.add_argument("--cache", type=Path, default=Path("runs/tune_recall.pt"))
    args = parser.parse_args()
    told = _told(args)
    left = [place for place, kind in enumerate(KINDS) if kind not in args.without.split(",")]
    talks = {name: group for (mode, name), group in told.items() if mode == "talk"}
    rows, weights = [], []
    for held in talks:
        sets = [group for name, group in talks.items() if name != held]
        some = told["pairs", "question"][: round(args.pairs * len(told["pairs", "question"]))]
        weights.append(fit([*sets, some], left))
        rows.append(
            [recall(told[key], weights[-1]) for key in told if key == ("talk", held) or key == ("one", held)]
        )
        spoken = [recall(told["pairs", key], weights[-1]) for key in ("question", "asr_question")]
        print(
            held,
            *(row.round(1) for row in rows[-1]),
            "pairs",
            *(row.round(1)[:2] for row in spoken),
            flush=True,
        )
    counts = np.array([len(group) for group in talks.values()])[:, None]
    for place, mode in enumerate(("with names", "one person")):
        mean = (np.stack([row[place] for row in rows]) * counts).sum(axis=0) / counts.sum()
        print(f"{mode:12} recall@{PLACES}", mean.round(1))
    mean = np.mean(weights, axis=0)
    for kind, value in zip(KINDS, mean / mean[0], strict=True):
        print(f"    {kind!r}: {value:.3f},")


def _told(args: argparse.Namespace) -> dict[tuple[str, str], list[Asked]]:
    mark = f"{args.encoder}"
    if args.cache.is_file():
        kept = torch.load(args.cache, weights_only=False)
        if kept["mark"] == mark:
            told: dict[tuple[str, str], list[Asked]] = kept["told"]
            return told
    told = {}
    corpus = read_turns_of(args.data / "locomo" / "dev" / "corpus.jsonl")
    questions = [
        q for q in read_questions(args.data / "locomo" / "dev" / "questions.jsonl") if not q.adversarial
    ]
    for name, turns in corpus.items():
        mine = [question for question in questions if question.conversation == name]
        told["talk", name] = conversation(turns, mine, args.encoder, False)
        told["one", name] = conversation(turns, mine, args.encoder, True)
        print(f"{name}: {len(turns)} turns, {len(mine)} questions", flush=True)
    for key in ("question", "asr_question"):
        told["pairs", key] = pairs(args.data / "dev" / "retrieval.jsonl", key, args.encoder)
    args.cache.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"mark": mark, "told": told}, args.cache)
    return told


if __name__ == "__main__":
    main()
