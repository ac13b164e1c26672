"""Trains the reader of the assistant. Seeded, resumable, with progress, on one thread:

    python -m training.train_reader --data DATA

First on samples from the hand-written blocks (`reader_samples.py`), then on dialogues too (`talks.py`).
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from neuromem.encoders.int8file import read_checkpoint
from neuromem.encoders.transformer import TransformerEncoder, word_pieces
from neuromem.shipped import checkpoint_path

from . import state
from .blocks import Pairs, read_blocks
from .contrast import learning_rate
from .reader_net import ReaderNet
from .reader_samples import FromBlocks, packed

NEAREST, LIKE = (3, 40), 0.75  # places in the order of nearness, and a cosine, that are no other way of saying it


def near_blocks(pairs: Pairs) -> list[list[int]]:
    """Of each block the numbers of those that are like it but, most likely, say something else."""
    encoder = TransformerEncoder()
    rng = random.Random(0)
    rows = encoder.encode([pairs.filled(block.facts[0], {}, rng) for block in pairs.blocks])
    cosines = functional.normalize(rows) @ functional.normalize(rows).T
    out = []
    for row in cosines:
        order = row.argsort(descending=True)[slice(*NEAREST)].tolist()
        out.append([number for number in order if row[number] < LIKE])
    return out


def vocabulary() -> Tokenizer:
    """The tokenizer of the shipped transformer."""
    weights, _ = read_checkpoint(checkpoint_path("transformer.safetensors"), "transformer")
    return word_pieces(bytes(weights["vocabulary"].tolist()).decode().split("\n"))


def parse() -> argparse.Namespace:
    """Command-line arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with train/ and lists/")
    parser.add_argument("--out", type=Path, default=Path("checkpoints/reader.safetensors"))
    parser.add_argument("--runs", type=Path, default=Path("runs/reader"), help="where the state is kept")
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--batch", type=int, default=8, help="questions a step")
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Trains, reports, exports."""
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    tokenizer = vocabulary()
    net = ReaderNet(checkpoint_path("transformer.safetensors"))
    pairs = Pairs(read_blocks(), args.data, args.seed)
    samples = FromBlocks(pairs, near_blocks(pairs), args.seed)
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.learning_rate, weight_decay=0.01, betas=(0.9, 0.98))
    step = state.resume(args.runs / "state.pt", net=net, optimizer=optimizer)
    started, first = time.monotonic(), step
    seen = []
    net.train()
    while step < args.steps:
        for group in optimizer.param_groups:
            group["lr"] = args.learning_rate * min(1.0, (step + 1) / 100)
        batch, wanted = packed(tokenizer, [samples.sample(step * args.batch + n) for n in range(args.batch)])
        with torch.autocast("cpu", torch.bfloat16):
            loss, right = net.loss(batch, wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step += 1
        seen.append((loss.item(), right.float().mean().item()))
        if step % 20 == 0:
            rate = (step - first) / (time.monotonic() - started)
            mean = torch.tensor(seen[-60:]).mean(dim=0).tolist()
            print(
                f"step {step:,}/{args.steps:,} loss {mean[0]:.3f} right {mean[1]:.3f} {rate:.2f}/s "
                f"tokens {len(batch.ids)} {batch.joint_rows.shape}", flush=True,
            )
        if step % 200 == 0 or step == args.steps:
            state.save(args.runs / "state.pt", step, net=net, optimizer=optimizer)


if __name__ == "__main__":
    main()
