"""Tries settings of the keys, one at a time around the defaults, through the real pipeline:

    python -m training.tune_keys --data DATA [--encoder transformer] [--conversations 2]

Measured for each: hit@1 / hit@5 of the dev pairs and of blocks held out from the encoders' training (with
their near misses in the same bank), the dev pairs as heard by a recognizer, recall@1 among near-identical
facts, and recall@10 of LoCoMo's dev half. Every text is encoded once. The defaults in `neuromem/config.py`
are what is best on the whole; `LOG.md` has the table.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from neuromem.bench.ablation import TableEncoder, recall_among
from neuromem.bench.conversations import measure_conversations, read_questions, read_turns_of
from neuromem.bench.generated import near_identical
from neuromem.bench.pairs import measure_pairs
from neuromem.bench.recall import scores
from neuromem.config import Config, ForgettingConfig, WriteConfig
from neuromem.encoders import load_encoder
from neuromem.memory import Memory

from .blocks import Pairs, read_blocks
from .contrast import split

TRIED: dict[str, dict[str, tuple[float, ...]]] = {
    "recall": {"lexical_weight": (0.0, 0.05, 0.1, 0.2, 0.3)},
    "bank": {"lexical_buckets": (512,)},
    "write": {
        "key_steps": (0, 24),
        "key_margin": (0.05, 0.1, 0.25),
        "key_anchor": (0.8, 0.95),
        "neighbours": (8, 32),
    },
}


def settings() -> Iterator[tuple[str, Config]]:
    """Names and configurations, the defaults first; values without steps, for ranks do not need them."""
    base = Config(write=WriteConfig(max_steps=0), forgetting=ForgettingConfig(decay="none"))
    yield "defaults", base
    for part, table in TRIED.items():
        for name, values in table.items():
            for value in values:
                changed = replace(getattr(base, part), **{name: value})
                yield f"{name}={value:g}", replace(base, **{part: changed})


def held_out_pairs(data: Path, seed: int) -> tuple[list[dict[str, str]], list[str]]:
    """Pairs of the blocks that no encoder was trained on, and their near misses."""
    _, held = split(read_blocks(), seed)
    pairs, rng = Pairs(held, data, seed), random.Random(seed)
    rows, misses = [], []
    for block in held:
        values: dict[str, str] = {}
        fact, question, miss = (
            pairs.filled(rng.choice(lines), values, rng)
            for lines in (block.facts, block.questions, block.misses)
        )
        rows.append({"fact": fact, "question": question})
        misses.append(miss)
    return rows, misses


def held_out_hits(
    rows: list[dict[str, str]], misses: list[str], config: Config, encoder: TableEncoder
) -> tuple[float, float]:
    """hit@1 and hit@5 among the facts and all near misses."""
    with Memory(config=config, encoder=encoder) as memory:
        texts = [row["fact"] for row in rows] + misses
        written = memory.add([{"role": "user", "content": text} for text in texts], user_id="u", infer=False)
        places = {item.id: place for place, item in enumerate(written)}
        found = [
            [places[hit.id] for hit in memory.search(row["question"], user_id="u", limit=5, rehearse=False)]
            for row in rows
        ]
    first = sum(place in order[:1] for place, order in enumerate(found)) / len(rows)
    return first, sum(place in order for place, order in enumerate(found)) / len(rows)


def conversations(data: Path, config: Config, encoder: TableEncoder, count: int) -> float:
    """recall@10 of the first conversations of LoCoMo's dev half."""
    folder = data / "locomo" / "dev"
    turns = read_turns_of(str(folder / "corpus.jsonl"), count)
    questions = read_questions(str(folder / "questions.jsonl"))
    found = measure_conversations(turns, questions, config, encoder, False, False, 20, None)
    asked = [
        scores(ranking, question.evidence)["recall@10"]
        for question, ranking in zip(found.questions, found.ours, strict=True)
        if not question.adversarial
    ]
    return sum(asked) / max(1, len(asked))


def main() -> None:
    """Prints a row for each setting."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--encoder")
    parser.add_argument("--conversations", type=int, default=2, help="of LoCoMo's dev half; 0: none")
    parser.add_argument("--near", type=int, default=1_500, help="near-identical facts")
    parser.add_argument("--only", default="", help="settings whose name holds this")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    encoder = TableEncoder(load_encoder(args.encoder))
    lines = (args.data / "dev" / "retrieval.jsonl").read_text(encoding="utf-8").split("\n")
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines if line]
    held, misses = held_out_pairs(args.data, args.seed)
    near = near_identical(args.near, args.seed)
    print(f"{'setting':22} dev@1 dev@5 heard@5 held@1 held@5 near@1 locomo@10", flush=True)
    for name, config in settings():
        if args.only not in name and name != "defaults":
            continue
        pairs = measure_pairs(rows, config, encoder)["pairs"]["neuromem"]
        figures = [pairs["question hit@1"], pairs["question hit@5"], pairs["asr_question hit@5"]]
        figures += held_out_hits(held, misses, config, encoder)
        figures.append(recall_among(near, config, encoder)["recall@1"])
        if args.conversations:
            figures.append(conversations(args.data, config, encoder, args.conversations))
        print(f"{name:22} " + " ".join(f"{figure:.3f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
