"""Trains the judge of news: which earlier statement a new one makes out of date. Seeded, resumable:

    python -m training.train_news

The network is the reader's (`reader_net.py`) with a layer less, and begins with its weights: the statement
takes the place of the question, what was said before that of the passages. What it learns from: `changes.py`.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from neuromem.reading import STATEMENT
from neuromem.shipped import checkpoint_path

from . import state
from .changes import Change, FromChanges, changes_of, changes_told, read_blocks, read_cases, sample_of
from .reader_net import ReaderNet, load_reader, load_start, save_reader
from .reader_samples import packed
from .steps import pace
from .talks import read_talks
from .train_reader import hide, learned, rate_at, vocabulary
from .twins import twins

HERE = Path(__file__).parent
CASES = HERE.parent / "tests" / "data" / "updates_fresh.jsonl"
ROUNDS = 23  # of cases; later ones are there to measure with
LAYERS = 5
EXAM = 16  # statements of one forward pass
THRESHOLDS = (0.3, 0.5, 0.7, 0.9)
TWINS = 1_200  # made changes of people and things that are told apart by a name alone
OFTEN = {"blocks": 2, "cases": 2, "talks": 1, "twins": 1}  # times a round that a change of a source comes …
QUIET = 1  # … and a statement of a block that is not marked


def parse() -> argparse.Namespace:
    """Command-line arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--news", type=Path, default=HERE / "news", help="folder of blocks")
    parser.add_argument("--often", nargs="*", default=[], help="names of its folders that come oftener …")
    parser.add_argument("--times", type=int, default=3, help="… this many times as often")
    parser.add_argument("--dialogues", type=Path, default=HERE / "dialogues")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of cases: trained on up to this")
    parser.add_argument("--out", type=Path, default=Path("checkpoints/news.safetensors"))
    parser.add_argument("--runs", type=Path, default=Path("runs/news"), help="where the state is kept")
    parser.add_argument("--steps", type=int, default=4_000)
    parser.add_argument("--batch", type=int, default=12, help="statements a step")
    parser.add_argument("--learning-rate", type=float, default=1.5e-4)
    parser.add_argument("--drop", type=float, default=0.1, help="dropout")
    parser.add_argument("--hidden", type=float, default=0.0, help="share of word pieces that are hidden")
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument(
        "--start", type=Path, help="state of a run, or a checkpoint, whose weights this one begins with"
    )
    parser.add_argument("--every", type=int, default=1, help="held-out statements: one of so many is judged")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def gathered(args: argparse.Namespace) -> tuple[list[Change], list[int], dict[str, list[Change]]]:
    """What is trained on, how often each comes a round, and what is held out, by source."""
    paths = sorted(args.news.rglob("*.txt"))
    blocks, kept = read_blocks(path for path in paths if path.parent.name not in args.often)
    newer, newer_kept = read_blocks(path for path in paths if path.parent.name in args.often)
    talks, others = read_talks([args.dialogues])
    told = {
        "blocks": [change for block in blocks for change in changes_of(block, "blocks")],
        "often": [change for block in newer for change in changes_of(block, "often")],
        "talks": [change for talk in talks for change in changes_told(talk)],
        "cases": read_cases(CASES, range(1, args.rounds + 1)),
        "twins": twins(TWINS, args.seed),
    }
    held = {
        "blocks": [change for block in kept for change in changes_of(block, "blocks")],
        "often": [change for block in newer_kept for change in changes_of(block, "often")],
        "talks": [change for talk in others for change in changes_told(talk)],
        "cases": read_cases(CASES, range(args.rounds + 1, ROUNDS + 1)),
        "twins": twins(TWINS // 8, args.seed + 1),
    }
    for source in told:
        print(f"{source}: {len(told[source]):,} statements, {len(held[source]):,} held out", flush=True)
    changes = [change for source in told for change in told[source]]
    often = OFTEN | {"often": OFTEN["blocks"] * args.times}
    times = [often[source] if change.tag else QUIET for source in told for change in told[source]]
    return changes, times, {source: changes[:: args.every] for source, changes in held.items() if changes}


def main() -> None:
    """Trains, reports, exports."""
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    tokenizer = vocabulary()
    unknown = tokenizer.token_to_id("[UNK]")
    assert unknown is not None
    encoder = checkpoint_path("transformer.safetensors")
    net = ReaderNet(encoder, layers=args.layers, drop=args.drop)
    load_reader(net, checkpoint_path("reader.safetensors"))
    changes, times, held = gathered(args)
    source = FromChanges(changes, times, args.seed)
    optimizer = torch.optim.AdamW(
        [p for p in net.parameters() if p.requires_grad],
        lr=args.learning_rate, weight_decay=0.01, betas=(0.9, 0.98),
    )  # fmt: skip
    if args.start:
        load_start(net, args.start, "average")
    average = copy.deepcopy(net)
    kept: dict[str, Any] = {"net": net, "average": average, "optimizer": optimizer}
    step = state.resume(args.runs / "state.pt", seed=args.seed, start=args.start, **kept)
    started, first, seen = time.monotonic(), step, []
    net.train()
    while step < args.steps:
        samples = [source.sample(step * args.batch + n) for n in range(args.batch)]
        batch, wanted = packed(tokenizer, samples, STATEMENT)
        hide(batch.ids, args.hidden, unknown)
        rate = rate_at(step, args.steps, args.learning_rate)
        step += 1
        seen.append(learned(net, average, optimizer, batch, wanted, rate, step))
        if step % 50 == 0:
            speed, left = pace(step, args.steps, first, started)
            mean = torch.tensor(seen[-100:]).mean(dim=0).tolist()
            print(
                f"step {step:,}/{args.steps:,} loss {mean[0]:.3f} right {mean[1]:.3f} {speed:.2f}/s, "
                f"{left:.0f} min left",
                flush=True,
            )
        if step % 400 == 0 or step == args.steps:
            for name, exam in held.items():
                print(f"{name}: {report(exam, judged(average, tokenizer, exam))}", flush=True)
            net.train()
        if step % 200 == 0 or step == args.steps:
            state.save(args.runs / "state.pt", step, seed=args.seed, start=args.start, **kept)
    notes = {"steps": str(step), "batch": str(args.batch), "seed": str(args.seed), "version": "1"}
    save_reader(average, encoder, args.out, 0.5, notes)
    print(f"{args.out}: written")


def judged(net: ReaderNet, tokenizer: Tokenizer, exam: Sequence[Change]) -> list[list[float]]:
    """Of each statement the chances that it replaces those of its sample."""
    net.train(False)
    out = []
    for at in range(0, len(exam), EXAM):
        samples = [sample_of(change) for change in exam[at : at + EXAM]]
        batch, _ = packed(tokenizer, samples, STATEMENT)
        chances = net.chances(batch)
        out += [row[: len(each.passages)].tolist() for each, row in zip(samples, chances, strict=True)]
    return out


def report(exam: Sequence[Change], rows: Sequence[Sequence[float]]) -> str:
    """By threshold: changes found, changes laid to the wrong statement, changes seen where there is none."""
    parts = []
    changed = sum(bool(change.gone) for change in exam)
    for least in THRESHOLDS:
        hits = wrong = false = 0
        for change, chances in zip(exam, rows, strict=True):
            if sum(chances) >= least:
                gone = sample_of(change).right
                right = max(range(len(chances)), key=chances.__getitem__) in gone
                hits, wrong, false = hits + right, wrong + (bool(gone) and not right), false + (not gone)
        parts.append(
            f"{least}: found {hits / max(1, changed):.3f}, wrong {wrong / max(1, changed):.3f} of {changed}, "
            f"false {false / max(1, len(exam) - changed):.3f} of {len(exam) - changed}"
        )
    by_tag: dict[str, list[bool]] = defaultdict(list)
    for change, chances in zip(exam, rows, strict=True):
        gone, told = sample_of(change).right, sum(chances) >= 0.5
        best = max(range(len(chances)), key=chances.__getitem__)
        by_tag[change.tag].append(told == bool(gone) and (not told or best in gone))
    tags = " ".join(f"{tag or '-'} {sum(right) / len(right):.2f}" for tag, right in sorted(by_tag.items()))
    return "; ".join(parts) + f" | {tags}"


if __name__ == "__main__":
    state.run(main)
