"""Teaches the shipped transformer not to mind what it is told by a speech recognizer. Seeded, resumable:

    python -m training.train_hearing --data DATA --steps 900

It goes on from a checkpoint, whose unchanged copy is the teacher. A text misheard (two errors in three are
real words that sound alike) shall have the vector that the teacher gives the text as it was said, and be as
near to each fact and each other text as that is; what is not misheard shall stay where it was, so that the
space of the keys is the same. Only the uppermost layers learn, so what the lower ones make of each text is
computed once. The exported checkpoint is the moving average of the weights; `average.py` mixes it with the
one it began as.

Axes: B texts, T tokens, H hidden size, W entries of a vector.
"""

from __future__ import annotations

import argparse
import copy
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from . import state
from .blocks import Pairs, read_blocks
from .contrast import SCALE, distillation, learning_rate, report, split
from .data import real_texts
from .noise import Neighbours, heard_badly
from .steps import averaged, pace, stepped
from .train_transformer import MOST_TOKENS, Embedder, save, trained

AVERAGE = 0.99  # decay of the moving average of the weights
RATES = (0.0, 0.25)  # word errors beside the one that is sure
CHUNK = 64  # texts of one forward pass


class Pool(NamedTuple):
    """What is learned from: of each text the states below the layers that learn, [T, H] bfloat16."""

    heard: list[Tensor]
    wanted: Tensor  # [heard, W] the teacher's vectors of these texts as they were said
    plain: list[Tensor]
    still: Tensor  # [plain, W] the teacher's vectors
    others: (
        Tensor  # [.., W] the teacher's vectors of facts and sentences, to be as near to as the text said is
    )


class Layers:
    """A BERT cut in two: what the lower part makes of texts, and the upper part, which may learn."""

    def __init__(self, embedder: Embedder, upper: int) -> None:
        model: Any = embedder.model
        self.embedder, self.cut = embedder, len(model.encoder.layer) - upper
        self.upper: nn.ModuleList = model.encoder.layer[self.cut :]
        self.lower = copy.copy(model)
        self.lower._modules = dict(model._modules)
        self.lower.encoder = copy.copy(model.encoder)
        self.lower.encoder._modules = {"layer": model.encoder.layer[: self.cut]}

    @torch.no_grad()
    def states(self, texts: Sequence[str], name: str) -> list[Tensor]:
        """[T, H] bfloat16 of each text, after the lower layers."""
        ids = [self.embedder.tokenizer.encode(text).ids[:MOST_TOKENS] for text in texts]
        out: list[Tensor] = [torch.empty(0)] * len(ids)
        order, started = sorted(range(len(ids)), key=lambda row: len(ids[row])), time.monotonic()
        for at in range(0, len(ids), CHUNK):
            rows = order[at : at + CHUNK]
            longest = len(ids[rows[-1]])
            tokens = torch.tensor([ids[row] + [0] * (longest - len(ids[row])) for row in rows])
            mask = torch.tensor([[1] * len(ids[row]) + [0] * (longest - len(ids[row])) for row in rows])
            with torch.autocast("cpu", torch.bfloat16):
                states = self.lower(input_ids=tokens, attention_mask=mask).last_hidden_state.bfloat16()
            for row, own in zip(rows, states, strict=True):
                out[row] = own[: len(ids[row])].clone()
        print(f"{name}: {len(ids):,} texts, {time.monotonic() - started:.0f} s", flush=True)
        return out

    def vectors(self, states: Sequence[Tensor]) -> Tensor:
        """[B, W] unit rows of texts, from their states."""
        mask = nn.utils.rnn.pad_sequence([torch.ones(len(own)) for own in states], batch_first=True)
        h = nn.utils.rnn.pad_sequence(list(states), batch_first=True).float()
        hidden = (1 - mask)[:, None, None, :] * torch.finfo(torch.bfloat16).min
        with torch.autocast("cpu", torch.bfloat16):
            for layer in self.upper:
                h = layer(h, hidden.to(torch.bfloat16))
        pooled = (h.float() * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return functional.normalize(pooled, dim=1)

    @torch.no_grad()
    def taught(self, states: Sequence[Tensor]) -> Tensor:
        """[B, W]: `vectors` of many texts, as they are at the beginning."""
        order = sorted(range(len(states)), key=lambda row: len(states[row]))
        out = torch.empty(len(states), states[0].shape[1])
        for at in range(0, len(order), CHUNK):
            rows = order[at : at + CHUNK]
            out[rows] = self.vectors([states[row] for row in rows])
        return out


def pool_of(layers: Layers, pairs: Pairs, real: list[str], args: argparse.Namespace) -> Pool:
    """Questions of the pairs and sentences of talk, misheard and as they were said; kept in a file."""
    file = args.runs / f"pool-{args.upper}-{args.texts}-{args.sentences}-{args.seed}.pt"
    if file.is_file():
        return Pool(*torch.load(file, weights_only=True))
    rng, neighbours = random.Random(args.seed), Neighbours(real)
    size = len(pairs.blocks)
    examples = [e for number in range(-(-args.texts // size)) for e in pairs.batch(number, size)][
        : args.texts
    ]
    said = [e.anchor for e in examples] + rng.sample(real, args.sentences)
    heard = [heard_badly(text, rng, rng.uniform(*RATES), neighbours) for text in said]
    facts = [e.fact for e in examples[: args.texts // 2]]
    clean = layers.states(said, "said")
    told = layers.states(facts, "facts")
    wanted, keys = layers.taught(clean), layers.taught(told)
    few, talk = args.texts // 4, args.sentences // 2
    kept = [*clean[:few], *clean[-talk:], *told[:few]]
    still = torch.cat([wanted[:few], wanted[-talk:], keys[:few]])
    others = torch.cat([keys, wanted[-args.sentences :]])
    pool = Pool(layers.states(heard, "heard"), wanted, kept, still, others)
    state.written(file, lambda draft: torch.save(tuple(pool), draft))
    return pool


def denoising(heard: Tensor, clean: Tensor, others: Tensor) -> Tensor:
    """A misheard text where the teacher has the text itself, and preferring what that prefers, as much.

    Hard labels in place of the teacher's preferences drive all texts apart, clean ones too.

    Args:
        heard, clean: [B, W] unit rows, of the same texts. others: [N, W] unit rows of the teacher's.
    """
    near = (1 - (heard * clean).sum(dim=1)).mean()
    wanted = functional.softmax(clean @ others.T * SCALE, dim=1)
    preferred = functional.log_softmax(heard @ others.T * SCALE, dim=1)
    return 4 * near + functional.kl_div(preferred, wanted, reduction="batchmean")


def loss_of(layers: Layers, pool: Pool, step: int, args: argparse.Namespace) -> Tensor:
    """One step's loss, a pure function of the seed and its number."""
    rng = random.Random(args.seed * 7_919 + step)
    rows = rng.sample(range(len(pool.heard)), args.batch)
    quiet = rng.sample(range(len(pool.plain)), args.batch // 3)
    said = layers.vectors([pool.heard[row] for row in rows] + [pool.plain[row] for row in quiet])
    clean, among = pool.wanted[rows], rng.sample(range(len(pool.others)), 3 * args.batch)
    told = denoising(said[: args.batch], clean, torch.cat([clean, pool.others[among]]))
    return told + float(args.keep) * distillation(said[args.batch :], pool.still[quiet])


def parse() -> argparse.Namespace:
    """Command-line arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with train/ and lists/")
    parser.add_argument("--start", type=Path, default=Path("checkpoints/transformer.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("runs/hearing/transformer.safetensors"))
    parser.add_argument("--runs", type=Path, default=Path("runs/hearing"), help="where the state is kept")
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--upper", type=int, default=2, help="layers that learn, from the top")
    parser.add_argument("--texts", type=int, default=12_000, help="questions of pairs")
    parser.add_argument("--sentences", type=int, default=6_000, help="sentences of talk beside them")
    parser.add_argument("--batch", type=int, default=96, help="misheard texts a step; a third as many plain")
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument(
        "--keep", type=float, default=2.0, help="weight of staying put if nothing is misheard"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Trains, reports, exports."""
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    student = trained(args.start, "cpu")  # no dropout: noise enough is in the words
    average = copy.deepcopy(student.model)
    layers, slow = (
        Layers(student, args.upper),
        Layers(Embedder(average, student.tokenizer, "cpu"), args.upper),
    )
    blocks, held = split(read_blocks(), args.seed)
    pairs, unseen = Pairs(blocks, args.data, args.seed, noise=False), Pairs(held, args.data, args.seed)
    pool = pool_of(layers, pairs, real_texts(args.data), args)
    optimizer = torch.optim.AdamW(
        layers.upper.parameters(), lr=args.learning_rate, weight_decay=0.01, betas=(0.9, 0.98), fused=True
    )
    parts: dict[str, Any] = {"model": student.model, "average": average, "optimizer": optimizer}
    step = state.resume(args.runs / "state.pt", seed=args.seed, start=args.start, **parts)
    if not step:
        print(report(student, unseen, args.data), flush=True)
    started, first = time.monotonic(), step
    while step < args.steps:
        loss = loss_of(layers, pool, step, args)
        stepped(layers.upper, optimizer, loss, learning_rate(step, args.steps, args.learning_rate))
        step += 1
        averaged(slow.upper, layers.upper, AVERAGE, step)
        if step % 20 == 0:
            rate, left = pace(step, args.steps, first, started)
            print(
                f"step {step:,}/{args.steps:,} loss {loss.item():.4f} {rate:.2f}/s, {left:.0f} min left",
                flush=True,
            )
        if step % 150 == 0 or step == args.steps:
            print(report(slow.embedder, unseen, args.data), flush=True)
            save(args, step, student.model, average, optimizer, student.tokenizer)
    if step == first:  # it had ended, or was killed before it was exported
        print("all steps are done; --steps asks for more")
        save(args, step, student.model, average, optimizer, student.tokenizer)


if __name__ == "__main__":
    state.run(main)
