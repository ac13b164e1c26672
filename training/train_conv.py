"""Trains the fast encoder: distilled from the transformer. Seeded, resumable, with progress:

    python -m training.train_conv --data DATA --steps 2800

The transformer's vectors of real sentences, single words and question ↔ fact pairs are computed once
and kept (``runs/conv/``). A third of the sentences reach the student in a recognizer's style while the
teacher saw them whole. On pairs the student learns the teacher's vectors and, by contrast, the task itself.
The exported checkpoint is the moving average of the weights.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from neuromem.encoders.conv import ConvConfig, ConvNet, features_of, folded_words, save_conv
from neuromem.encoders.int8file import identity_of

from . import state
from .blocks import Example, Pairs, read_blocks
from .contrast import distillation, info_nce, learning_rate, report, split
from .data import real_texts
from .noise import misheard
from .steps import averaged, pace, stepped, was_done
from .train_transformer import Embedder, trained

AVERAGE = 0.998  # decay of the moving average of the weights
CHUNK = 4_000  # texts whose vectors are computed and kept together


class Pool(NamedTuple):
    """Texts with the teacher's vectors [N, W] float16."""

    sentences: list[str]
    sentence_vectors: np.ndarray[Any, Any]
    examples: list[Example]
    example_vectors: np.ndarray[Any, Any]  # [3 N, W]: anchor, fact and miss of each


@torch.no_grad()
def vectors_of(
    texts: list[str], teacher: Embedder, mark: str, folder: Path, name: str
) -> np.ndarray[Any, Any]:
    """[N, W] float16: the teacher's vectors of texts, computed in chunks that are kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = hashlib.sha256("\n".join([mark, *texts]).encode()).hexdigest()[:12]
    parts, started = [], time.monotonic()
    for start in range(0, len(texts), CHUNK):
        file = folder / f"{name}-{mark}-{start}.npy"
        if not file.is_file():
            rows = teacher(texts[start : start + CHUNK])
            np.save(file.with_suffix(".tmp.npy"), rows.cpu().half().numpy())
            file.with_suffix(".tmp.npy").replace(file)
            rate = (start + CHUNK) / (time.monotonic() - started)
            print(f"{name}: {start + CHUNK:,}/{len(texts):,}, {rate:.0f}/s", flush=True)
        parts.append(np.load(file))
    return np.concatenate(parts)


def load_pool(args: argparse.Namespace, real: list[str], pairs: Pairs, teacher: Embedder) -> Pool:
    """Sentences, the words they are made of, and pairs, with the teacher's vectors."""
    rng = random.Random(args.seed)
    counts = Counter(word for text in real for word in folded_words(text))
    words = [word for word, count in counts.most_common(args.words) if len(word) > 2 and count > 2]
    sentences = rng.sample(real, min(args.sentences, len(real))) + words
    rounds = -(-args.pairs // len(pairs.blocks))
    examples = [example for number in range(rounds) for example in pairs.batch(number, len(pairs.blocks))]
    texts = [text for example in examples for text in example]
    folder, mark = args.runs / "vectors", identity_of(args.teacher)
    return Pool(
        sentences,
        vectors_of(sentences, teacher, mark, folder, "sentences"),
        examples,
        vectors_of(texts, teacher, mark, folder, "pairs"),
    )


def loss_of(net: ConvNet, pool: Pool, step: int, args: argparse.Namespace) -> Tensor:
    """One step's loss: distillation on everything, contrast on pairs."""
    rng = random.Random(args.seed * 7_919 + step)
    rows = [rng.randrange(len(pool.sentences)) for _ in range(args.batch)]
    chosen = rng.sample(range(len(pool.examples)), args.batch // 2)
    heard = [pool.sentences[row] for row in rows]
    heard = [misheard(text, rng) if rng.random() < 0.33 else text for text in heard]
    columns = [list(column) for column in zip(*(pool.examples[place] for place in chosen), strict=True)]
    places = np.array(chosen)[None] * 3 + np.arange(3)[:, None]
    wanted = np.concatenate([pool.sentence_vectors[rows], pool.example_vectors[places.reshape(-1)]])
    teacher = torch.from_numpy(wanted).float().to(args.device)
    features = features_of([*heard, *columns[0], *columns[1], *columns[2]], net.config).to(args.device)
    with torch.autocast(args.device.split(":")[0], torch.bfloat16):
        said = net(features).float()
    half = args.batch // 2
    anchors, facts, misses = said[args.batch :].split(half)
    kept, found = distillation(said, teacher), info_nce(anchors, facts, misses)
    return 4 * kept + float(args.contrast) * found


def parse() -> argparse.Namespace:
    """Command-line arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with train/ and lists/")
    parser.add_argument("--teacher", type=Path, default=Path("checkpoints/transformer.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("checkpoints/conv.safetensors"))
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/conv"), help="where state and vectors are kept"
    )
    parser.add_argument("--steps", type=int, default=2_800)
    parser.add_argument("--batch", type=int, default=320, help="sentences a step, and half as many pairs")
    parser.add_argument("--sentences", type=int, default=160_000, help="real sentences in the pool")
    parser.add_argument("--words", type=int, default=20_000, help="single words in the pool")
    parser.add_argument("--pairs", type=int, default=25_000, help="filled question ↔ fact pairs in the pool")
    parser.add_argument("--contrast", type=float, default=0.6, help="weight of the contrast on pairs")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def fresh(args: argparse.Namespace) -> ConvNet:
    """A network with random weights."""
    torch.manual_seed(args.seed)
    net = ConvNet(ConvConfig())
    torch.nn.init.normal_(net.table, std=0.1)
    return net.to(args.device)


def main() -> None:
    """Trains, reports, exports."""
    args = parse()
    torch.set_num_threads(args.threads)
    net, average = fresh(args), fresh(args)
    blocks, held = split(read_blocks(), args.seed)
    pairs, unseen = Pairs(blocks, args.data, args.seed), Pairs(held, args.data, args.seed)
    teacher = trained(args.teacher, args.device)
    pool = load_pool(args, real_texts(args.data), pairs, teacher)
    print(f"{len(pool.sentences):,} sentences and words, {len(pool.examples):,} pairs", flush=True)

    def embed(texts: Sequence[str]) -> Tensor:
        rows: Tensor = average(features_of(texts, average.config).to(args.device))
        return rows.cpu()

    print("teacher", report(teacher, unseen, args.data), flush=True)
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=args.learning_rate, weight_decay=0.01, betas=(0.9, 0.98), fused=True
    )
    step = state.resume(args.runs / "state.pt", seed=args.seed, net=net, average=average, optimizer=optimizer)
    started, first = time.monotonic(), step
    while step < args.steps:
        loss = loss_of(net, pool, step, args)
        stepped(net, optimizer, loss, learning_rate(step, args.steps, args.learning_rate))
        step += 1
        averaged(average, net, AVERAGE, step)
        if step % 50 == 0:
            rate, left = pace(step, args.steps, first, started)
            print(
                f"step {step:,}/{args.steps:,} loss {loss.item():.4f} {rate:.2f}/s, {left:.0f} min left",
                flush=True,
            )
        if step % 500 == 0 or step == args.steps:
            print(report(embed, unseen, args.data), flush=True)
            save(args, step, net, average, optimizer)
    if was_done(step, first):
        save(args, step, net, average, optimizer)


def save(
    args: argparse.Namespace, step: int, net: ConvNet, average: ConvNet, optimizer: torch.optim.Optimizer
) -> None:
    """Keeps the state (atomically) and exports the averaged weights."""
    state.save(args.runs / "state.pt", step, seed=args.seed, net=net, average=average, optimizer=optimizer)
    notes = {"steps": str(step), "batch": str(args.batch), "seed": str(args.seed), "version": "1"}
    save_conv(average, average.state_dict(), args.out, notes)


if __name__ == "__main__":
    state.run(main)
