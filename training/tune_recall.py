"""Fits the weights of the evidence (`neuromem/evidence.py`) on development sets; never on what is measured.

    python -m training.tune_recall --data DATA [--encoder transformer] [--only pairs]

Conversations of LoCoMo (dev) are told turn by turn, the dev pairs as one person's facts. A softmax over all
memories of a bank should choose the evidence of each question: each positive above all negatives. How sure
it may be is fitted for each kind of set by itself: facts told one by one are found more surely than turns
of talk, and ranks do not depend on it. Each conversation is measured with weights fitted without it.
Prints recall and the mean weights.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neuromem import Memory
from neuromem.bench.common import read_jsonl
from neuromem.bench.conversations import TurnOfTalk, read_questions, read_turns_of, tell, without_names
from neuromem.config import Config, ForgettingConfig
from neuromem.evidence import KINDS, gather, speakers_of
from neuromem.question import take_apart

CONFIG = Config(forgetting=ForgettingConfig(decay="none"))
PLACES = (1, 5, 10, 20)
CANDIDATES = Config().recall.candidates  # passages looked at, as a search does
LEAST = {"words": 0.06, "words before": 0.15, "own": 0.1}
"""In units of meaning, and not fitted: senses say the same better, but not every encoder has any."""
PAIRS = 2  # so much do the pairs count beside one conversation
TITLES = {"talk": "LoCoMo", "one": "LoCoMo, one person", "beam": "BEAM"}
Asked = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], int]
"""evidence [M, F], which memories answer [M], how many answers there are"""


def asked(memory: Memory, questions: Sequence[tuple[str, set[str], int]]) -> list[Asked]:
    """Questions, each with the ids of the memories that answer it: the evidence for what is promising."""
    out = []
    with memory.engine.owners.use(memory.engine.log.owners()[0], settle=False) as open_:
        bank, now_ms = open_.bank, memory.engine.now_ms()
        for text, right, count in questions:
            question = take_apart(text, memory.engine.keys, speakers_of(bank), now_ms)
            found = gather(bank, question, CANDIDATES)
            ids = bank.ids_of(torch.from_numpy(found.rows))
            out.append((found.kinds, np.array([memory_id in right for memory_id in ids]), count))
    return out


def conversation(
    turns: list[TurnOfTalk], questions: Sequence[Any], folder: Path, encoder: str | None, one: bool
) -> list[Asked]:
    """The questions of a conversation; `one`: as if one person spoke, without names.

    Args:
        folder: where the memory is kept; told already if it is there.
    """
    if one:
        said, questions = without_names({questions[0].conversation: turns}, questions)
        turns = said[questions[0].conversation]
    places = folder / "turns.json"
    with Memory(folder, config=CONFIG, encoder=encoder, clock=lambda: turns[-1].time + 60) as memory:
        if not places.is_file():
            places.write_text(json.dumps(tell(memory, "c", turns, False)))
        ids_of: dict[str, set[str]] = {}
        for memory_id, told in json.loads(places.read_text()).items():
            for turn in told:
                ids_of.setdefault(turn, set()).add(memory_id)
        rows = []
        for question in questions:
            right = {memory_id for turn in question.evidence for memory_id in ids_of.get(turn, ())}
            if right:
                rows.append((question.text, right, len(question.evidence)))
        return asked(memory, rows)


def pairs(file: Path, key: str, folder: Path, encoder: str | None) -> list[Asked]:
    """Facts and questions of one person in one pool."""
    rows = read_jsonl(file)
    with Memory(folder, config=CONFIG, encoder=encoder, clock=lambda: 1.7e9) as memory:
        messages = [{"role": "user", "content": row["fact"]} for row in rows]
        written = memory.add(messages, user_id="pool", infer=False)
        questions = [(row[key], {item.id}, 1) for row, item in zip(rows, written, strict=True)]
        return asked(memory, questions)


def fit(sets: list[tuple[str, list[Asked]]], free: list[int], penalty: float = 1e-3) -> np.ndarray[Any, Any]:
    """Weights [F] that make the right memories most likely; only the columns `free` are used.

    Args:
        sets: each with its kind. Scores of a kind are multiplied by a number of its own before the softmax.
    """
    kinds_of = list(dict.fromkeys(kind for kind, _ in sets))
    cases = [
        (kinds_of.index(kind), torch.from_numpy(kinds[:, free]), torch.from_numpy(right))
        for kind, group in sets
        for kinds, right, _ in group
        if right.any()
    ]
    scale = torch.cat([kinds for _, kinds, _ in cases]).std(dim=0).clamp(min=1e-6)
    weights = torch.zeros(len(free), requires_grad=True)
    sureness = torch.zeros(len(kinds_of), requires_grad=True)  # logarithms; the first stays 0
    optimizer = torch.optim.LBFGS([weights, sureness], max_iter=80, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        total = torch.zeros(())
        sharp = torch.cat([torch.ones(1), sureness[1:].exp()])
        for kind, kinds, right in cases:
            scores = (kinds / scale) @ weights * sharp[kind]
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
    args = _arguments()
    told = _told(args)
    absent = {*args.without.split(","), *LEAST}
    left = [place for place, kind in enumerate(KINDS) if kind not in absent]
    talks = {name: key for key in told for kind, name in [key] if kind in ("talk", "beam")}
    names = {kind: [name for name, key in talks.items() if key[0] == kind] for kind in ("talk", "beam")}
    folds = max(map(len, names.values())) if not names["talk"] else len(names["talk"])
    rows: dict[str, list[tuple[int, np.ndarray[Any, Any]]]] = {}
    weights = []
    for fold in range(folds):
        held = {name for group in names.values() for name in group[fold::folds]}
        asked_for = [key for key in told if key == ("pairs", "question")]
        keys = [key for name, key in talks.items() if name not in held] + PAIRS * asked_for
        weights.append(fit([(key[0], told[key]) for key in keys], left))
        for kind, share in LEAST.items():
            weights[-1][KINDS.index(kind)] = share * weights[-1][KINDS.index("meaning")]
        for (kind, name), group in told.items():
            if name in held or kind == "pairs":
                mark = f"pairs, {name}" if kind == "pairs" else TITLES[kind]
                rows.setdefault(mark, []).append((len(group), recall(group, weights[-1])))
    for mark, found in rows.items():
        counts = np.array([count for count, _ in found])[:, None]
        mean = (np.stack([row for _, row in found]) * counts).sum(axis=0) / counts.sum()
        print(f"{mark:20} recall@{PLACES}", mean.round(1), *(row[2].round(1) for _, row in found))
    mean = np.mean(weights, axis=0)
    for kind, value in zip(KINDS, mean / mean[0], strict=True):
        print(f"    {kind!r}: {value:.3f},")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--encoder")
    parser.add_argument("--without", default="", help="kinds to leave out, with commas between")
    parser.add_argument("--told", type=Path, default=Path("runs/tune_recall"), help="where memories are kept")
    parser.add_argument("--only", default="locomo,beam,pairs", help="sets to use")
    return parser.parse_args()


def _told(args: argparse.Namespace) -> dict[tuple[str, str], list[Asked]]:
    """By kind and name: each conversation, also as if one person spoke, and the pairs."""
    told = {}
    folder = args.told / str(args.encoder or "default")
    for kind, source in (("talk", "locomo"), ("beam", "beam")):
        if source not in args.only:
            continue
        files = args.data / source / "dev"
        corpus, every = read_turns_of(files / "corpus.jsonl"), read_questions(files / "questions.jsonl")
        for name, turns in corpus.items():
            mine = [q for q in every if q.conversation == name and not q.adversarial]
            told[kind, name] = conversation(turns, mine, folder / name, args.encoder, False)
            if kind == "talk":
                told["one", name] = conversation(turns, mine, folder / f"{name} one", args.encoder, True)
            print(f"{name}: {len(turns)} turns, {len(mine)} questions", flush=True)
    for key in ("question", "asr_question") if "pairs" in args.only else ():
        told["pairs", key] = pairs(args.data / "dev" / "retrieval.jsonl", key, folder / "pairs", args.encoder)
    return told


if __name__ == "__main__":
    main()
