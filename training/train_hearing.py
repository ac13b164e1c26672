"""Teaches the transformer's ear: what a recognizer wrote shall mean what was said. Seeded, resumable:

    python -m training.train_hearing --data DATA

The upper layers of a copy learn; the unchanged transformer is the teacher. A question or sentence heard (in
small letters, with no signs, mostly with errors; two errors in three are real words that sound alike) shall
have the vector that the teacher gives the text as it was said, and be as near to each fact and each other
text as that is. Nothing else is asked of it, for memories and typed questions keep the transformer. Only
upper layers learn, so what the lower ones make of each text is computed once. What is exported is the moving
average of these layers, for `neuromem/encoders/ear.py`.

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

from neuromem.encoders.ear import KIND, save_ear
from neuromem.encoders.int8file import identity_of, read_checkpoint
from neuromem.encoders.transformer import save_transformer

from . import state
from .blocks import Pairs, read_blocks
from .calibrate import peaks_of
from .contrast import SCALE, learning_rate, report, split
from .data import real_texts
from .generate import recognizer_style
from .noise import Neighbours, heard_badly
from .steps import averaged, pace, stepped, was_done
from .train_transformer import MOST_TOKENS, Embedder, trained, without_peaks

AVERAGE = 0.99  # decay of the moving average of the weights
HEARINGS = 2  # of each text
WELL = 0.25  # share of them without an error
RATES = (0.0, 0.2)  # word errors beside the one that is sure
CHUNK = 64  # texts of one forward pass
PEAK_BATCHES = 16  # of questions, to see how large inputs are


class Pool(NamedTuple):
    """What is learned from: of each text heard the states below the layers that learn, [T, H] bfloat16."""

    heard: list[Tensor]
    wanted: Tensor  # [heard, W] the teacher's vectors of these texts as they were said
    keys: Tensor  # [heard, W] the teacher's vectors of the facts they ask for; of sentences their own


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
    """Questions of the pairs and sentences of talk, as they are said and as heard; kept in a file."""
    sizes = f"{args.upper}-{args.texts}-{args.sentences}-{args.seed}"
    file = args.runs / f"pool-{identity_of(args.start)}-{sizes}.pt"
    if file.is_file():
        return Pool(*torch.load(file, weights_only=True))
    rng, neighbours = random.Random(args.seed), Neighbours(real)
    size = len(pairs.blocks)
    examples = [e for number in range(-(-args.texts // size)) for e in pairs.batch(number, size)][
        : args.texts
    ]
    said = [e.anchor for e in examples] + rng.sample(real, args.sentences)
    wanted = layers.taught(layers.states(said, "said"))
    facts = layers.taught(layers.states([e.fact for e in examples], "facts"))
    keys = torch.cat([facts, wanted[len(facts) :]])
    heard = [_heard(text, rng, neighbours) for _ in range(HEARINGS) for text in said]
    pool = Pool(layers.states(heard, "heard"), wanted.repeat(HEARINGS, 1), keys.repeat(HEARINGS, 1))
    state.written(file, lambda draft: torch.save(tuple(pool), draft))
    return pool


def _heard(text: str, rng: random.Random, neighbours: Neighbours) -> str:
    """A text as a recognizer writes it, some without an error."""
    well = rng.random() < WELL
    return recognizer_style(text) or text if well else heard_badly(text, rng, rng.uniform(*RATES), neighbours)


def preferring(heard: Tensor, clean: Tensor, others: Tensor) -> Tensor:
    """How far the preferences of texts heard are from those of the texts as said, among others (KL).

    Hard labels in place of the teacher's preferences drive all texts apart, clean ones too.

    Args:
        heard, clean: [B, W] unit rows, of the same texts. others: [N, W] unit rows of the teacher's.
    """
    wanted = functional.softmax(clean @ others.T * SCALE, dim=1)
    preferred = functional.log_softmax(heard @ others.T * SCALE, dim=1)
    return functional.kl_div(preferred, wanted, reduction="batchmean")


def loss_of(layers: Layers, pool: Pool, step: int, args: argparse.Namespace) -> Tensor:
    """One step's loss, a pure function of the seed and its number."""
    rng = random.Random(args.seed * 7_919 + step)
    rows = rng.sample(range(len(pool.heard)), args.batch)
    among = rng.sample(range(len(pool.heard)), 3 * args.batch)
    heard, clean = layers.vectors([pool.heard[row] for row in rows]), pool.wanted[rows]
    near = (1 - (heard * clean).sum(dim=1)).mean()
    texts, keys = torch.cat([clean, pool.wanted[among]]), pool.keys[[*rows, *among]]
    return 4 * near + preferring(heard, clean, texts) + preferring(heard, clean, keys)


def export(layers: Layers, pairs: Pairs, step: int, args: argparse.Namespace) -> None:
    """Writes the layers that learn, and how large the inputs of their products are (`calibrate.py`)."""
    vocabulary = sorted(layers.embedder.tokenizer.get_vocab().items(), key=lambda item: item[1])
    whole, notes = args.runs / "whole.safetensors", {"steps": str(step), "seed": str(args.seed)}
    weights = layers.embedder.model.state_dict()
    save_transformer(weights, [word for word, _ in vocabulary], whole, notes)
    asked = [recognizer_style(e.anchor) for number in range(PEAK_BATCHES) for e in pairs.batch(number, 32)]
    peaks = dict(peaks_of(whole, [text for text in asked if text]))
    save_ear({**weights, **peaks}, args.upper, args.start, args.out, notes)


def parse() -> argparse.Namespace:
    """Command-line arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with train/ and lists/")
    parser.add_argument("--start", type=Path, default=Path("checkpoints/transformer.safetensors"))
    parser.add_argument("--ear", type=Path, help="what was taught before, to go on from")
    parser.add_argument("--out", type=Path, default=Path("runs/hearing/ear.safetensors"))
    parser.add_argument("--runs", type=Path, default=Path("runs/hearing"), help="where the state is kept")
    parser.add_argument("--steps", type=int, default=2_400)
    parser.add_argument("--upper", type=int, default=4, help="layers that learn, from the top")
    parser.add_argument("--texts", type=int, default=40_000, help="questions of pairs")
    parser.add_argument("--sentences", type=int, default=40_000, help="sentences of talk beside them")
    parser.add_argument("--batch", type=int, default=96, help="texts heard a step")
    parser.add_argument("--learning-rate", type=float, default=1.5e-4)
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
    pool = pool_of(layers, pairs, real_texts(args.data), args)  # by the teacher, as nothing is learned yet
    if args.ear is not None:
        taught = without_peaks(read_checkpoint(args.ear, KIND)[0])
        for model in (student.model, average):
            model.load_state_dict(taught, strict=False)
    optimizer = torch.optim.AdamW(
        layers.upper.parameters(), lr=args.learning_rate, weight_decay=0.01, betas=(0.9, 0.98), fused=True
    )
    parts: dict[str, Any] = {"model": student.model, "average": average, "optimizer": optimizer}
    also = f"--upper {args.upper}" + (f" --ear {args.ear}" if args.ear else "")
    step = state.resume(args.runs / "state.pt", seed=args.seed, start=args.start, also=also, **parts)
    if not step:
        print(report(student, unseen, args.data), flush=True)

    def keep() -> None:
        state.save(args.runs / "state.pt", step, seed=args.seed, start=args.start, also=also, **parts)
        export(slow, pairs, step, args)

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
            keep()
    if was_done(step, first):
        keep()


if __name__ == "__main__":
    state.run(main)
