"""Trains the codec. One command, seeded, resumable, with progress:

    python -m training.train_codec --data DATA --steps 60000 --out checkpoints/codec.safetensors

Interrupt it whenever you like; the same command goes on where it stopped. The state is in
``runs/codec/state.pt``; the exported checkpoint is the moving average of the weights.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from neuromem.codec import Codec, CodecConfig, starts_of, to_patches
from neuromem.ladder import FIELDS, UNITS, halve, octaves

from .data import Corpus, Sample, Sampler, load_corpus

AVERAGE = 0.999  # decay of the moving average of the weights
JITTER = 0.15  # grid steps of uniform noise on top of the grid's own rounding, for a margin
BLUR = 0.04  # deviation of Gaussian noise on the codes of a fifth of the texts


def strengths_for(batch: list[Sample], generator: torch.Generator) -> Tensor:
    """[B] a strength at which each text must be read: 1, or down to a little below its rung's end."""
    lowest = torch.tensor([max(FIELDS[sample.field].threshold * 0.9, sample.lowest) for sample in batch])
    strength = lowest * (1 / lowest) ** torch.rand(len(batch), generator=generator)
    fresh = torch.rand(len(batch), generator=generator) < 0.2
    return torch.where(fresh, torch.ones(()), strength)


def on_grid(codes: Tensor, amplitude: Tensor, strength: Tensor) -> Tensor:
    """Codes [P, U] as a bank gives them back: stored as int8, halved, shrunk, rounded."""
    halvings, fraction = octaves(strength)
    stored = torch.round(codes * amplitude[:, None]).to(torch.int8)
    shrunk = torch.round(halve(stored, halvings).float() * fraction[:, None])
    return shrunk / (amplitude * strength)[:, None]


def loss_of(codec: Codec, batch: list[Sample], generator: torch.Generator, device: str) -> Tensor:
    """Cross-entropy per byte of a batch, with shrinkage and rounding in the loop (straight-through)."""
    patches, lengths = to_patches([sample.data for sample in batch])
    fields = torch.tensor([sample.field for sample in batch])
    strength = strengths_for(batch, generator).repeat_interleave(lengths).to(device)
    fields = fields.repeat_interleave(lengths).to(device)
    amplitude = torch.tensor([field.amplitude for field in FIELDS]).to(device)[fields]
    noise = (torch.rand(len(patches), UNITS, generator=generator).to(device) * 2 - 1) * JITTER
    noise = noise / (amplitude * strength)[:, None]
    blurred = (torch.rand(len(batch), generator=generator) < 0.2).repeat_interleave(lengths)
    noise += (torch.randn(len(patches), UNITS, generator=generator) * BLUR * blurred[:, None]).to(device)
    patches = patches.to(device)
    with torch.autocast(device.split(":")[0], torch.bfloat16):
        codes = codec.encoder(patches).float()
        rounding = (on_grid(codes, amplitude, strength) - codes).detach()
        starts = starts_of(lengths.to(device))
        logits = codec.decoder(codes + rounding + noise, amplitude * strength, fields, starts)
    return functional.cross_entropy(logits.float().flatten(0, 1), patches.flatten())


@torch.no_grad()
def exact_rate(codec: Codec, texts: list[str], strength: float, device: str) -> float:
    """Share of texts whose words are exact when read from the grid at `strength`, with no gradient step."""
    data = [text.encode() for text in texts]
    codes, lengths = codec.encode(data)
    amplitude = torch.full((len(codes),), FIELDS[0].amplitude, device=device)
    at = torch.full_like(amplitude, strength)
    fields = torch.zeros(len(codes), dtype=torch.int64, device=device)
    read, _ = codec.read(on_grid(codes, amplitude, at), amplitude * at, fields, lengths)
    return sum(a == b for a, b in zip(read, data, strict=True)) / len(data)


def report(codec: Codec, corpus: Corpus, device: str) -> str:
    """One line of held-out figures."""
    out = []
    for name, texts in (("real", corpus.held_real), ("generated", corpus.held_generated)):
        rates = [exact_rate(codec, texts[:500], strength, device) for strength in (1.0, 0.5, 0.35)]
        out.append(f"{name} " + " ".join(f"{rate:.3f}" for rate in rates))
    return "exact at s = 1, 0.5, 0.35: " + ", ".join(out)


def parse() -> argparse.Namespace:
    """Command-line arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with train/ and lists/")
    parser.add_argument("--out", type=Path, default=Path("checkpoints/codec.safetensors"))
    parser.add_argument("--runs", type=Path, default=Path("runs/codec"), help="where the state is kept")
    parser.add_argument("--steps", type=int, default=60_000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--generated", type=int, default=300_000, help="generated texts in the pool")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def learning_rate(step: int, args: argparse.Namespace) -> float:
    """Warm-up over 500 steps, then a cosine to a hundredth."""
    warm = min(1.0, (step + 1) / 500)
    progress = min(1.0, step / args.steps)
    return float(args.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress))))


def main() -> None:
    """Trains, reports, exports."""
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    corpus = load_corpus(args.data, args.generated, args.seed, args.runs)
    sampler = Sampler(corpus, args.seed)
    codec = Codec(CodecConfig(encoder_width=768)).to(args.device)
    average = Codec(codec.config).to(args.device)
    average.load_state_dict(codec.state_dict())
    optimizer = torch.optim.AdamW(
        codec.parameters(), lr=args.learning_rate, weight_decay=0.01, betas=(0.9, 0.98)
    )
    step = resume(args.runs / "state.pt", codec, average, optimizer)
    started, first = time.monotonic(), step
    while step < args.steps:
        generator = torch.Generator().manual_seed(args.seed * 1_000_003 + step)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, args)
        loss = loss_of(codec, sampler.batch(step, args.batch), generator, args.device)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(codec.parameters(), 1.0)
        optimizer.step()
        step += 1
        with torch.no_grad():
            decay = min(AVERAGE, step / (step + 10))
            for slow, fast in zip(average.parameters(), codec.parameters(), strict=True):
                slow.lerp_(fast, 1 - decay)
        if step % 100 == 0:
            rate = (step - first) / (time.monotonic() - started)
            left = (args.steps - step) / rate / 60
            print(
                f"step {step:,}/{args.steps:,} loss {loss.item():.4f} {rate:.1f}/s, {left:.0f} min left",
                flush=True,
            )
        if step % 2_000 == 0 or step == args.steps:
            print(report(average, corpus, args.device), flush=True)
            save(args, step, codec, average, optimizer)


def resume(path: Path, codec: Codec, average: Codec, optimizer: torch.optim.Optimizer) -> int:
    """Loads the state of an interrupted run, if there is one; returns its step."""
    if not path.is_file():
        return 0
    state: dict[str, Any] = torch.load(path, weights_only=True)
    codec.load_state_dict(state["codec"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    print(f"resumed at step {state['step']:,}")
    return int(state["step"])


def save(
    args: argparse.Namespace, step: int, codec: Codec, average: Codec, optimizer: torch.optim.Optimizer
) -> None:
    """Keeps the state (atomically) and exports the averaged weights."""
    args.runs.mkdir(parents=True, exist_ok=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "step": step,
        "codec": codec.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(state, args.runs / "state.tmp")
    (args.runs / "state.tmp").replace(args.runs / "state.pt")
    notes = {"steps": str(step), "batch": str(args.batch), "seed": str(args.seed), "version": "1"}
    average.save(args.out, notes)


if __name__ == "__main__":
    main()
