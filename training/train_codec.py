"""Trains the codec. One command, seeded, resumable, with progress:

    python -m training.train_codec --data DATA --steps 60000 --out checkpoints/codec.safetensors

Interrupt it whenever you like; the same command goes on from the last state that was kept (every 2,000
steps), as if it had not been interrupted. The state is in ``runs/codec/state.pt``; the exported checkpoint
is the moving average of the weights.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional

from neuromem.codec import Codec, CodecConfig, starts_of, to_patches
from neuromem.ladder import FIELDS, TEXT_BYTES, UNITS, halve, octaves

from . import markup, state
from .data import Corpus, Sample, Sampler, load_corpus
from .steps import averaged, pace, stepped, was_done

AVERAGE = 0.999  # decay of the moving average of the weights
JITTER = 0.15  # grid steps of uniform noise on top of the grid's own rounding, for a margin
BLUR = 0.09  # largest deviation of Gaussian noise on the codes of a fifth of the texts
WHOLE = 0.02  # weight of the chance that a text is not exact, beside the cross-entropy per byte


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
    noise += (
        torch.randn(len(patches), UNITS, generator=generator)
        * blur_for(batch, generator).repeat_interleave(lengths)[:, None]
    ).to(device)
    patches = patches.to(device)
    with torch.autocast(device.split(":")[0], torch.bfloat16):
        codes = codec.encoder(patches).float()
        rounding = (on_grid(codes, amplitude, strength) - codes).detach()
        starts = starts_of(lengths.to(device))
        logits = codec.decoder(codes + rounding + noise, amplitude * strength, fields, starts)
    per_byte = functional.cross_entropy(logits.float().flatten(0, 1), patches.flatten(), reduction="none")
    texts = torch.arange(len(batch)).repeat_interleave(lengths).to(device)
    per_text = torch.zeros(len(batch), device=device).index_add(
        0, texts, per_byte.view(len(patches), -1).sum(1)
    )
    return per_byte.mean() + WHOLE * (1 - torch.exp(-per_text)).mean()


def blur_for(batch: list[Sample], generator: torch.Generator) -> Tensor:
    """[B] deviation of the noise on each text's codes: 0 for most, and for what cannot be guessed."""
    blur = torch.rand(len(batch), generator=generator) * BLUR
    some = torch.rand(len(batch), generator=generator) < 0.2
    guessable = torch.tensor([sample.lowest == 0 for sample in batch])
    return torch.where(some & guessable, blur, torch.zeros(()))


@torch.no_grad()
def exact_rate(codec: Codec, data: list[bytes], strength: float, device: str) -> float:
    """Share of texts whose words are exact when read from the grid at `strength`, with no gradient step."""
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
        data = [text.encode() for text in texts[:500]]
        rates = [exact_rate(codec, data, strength, device) for strength in (1.0, 0.5, 0.35)]
        out.append(f"{name} " + " ".join(f"{rate:.3f}" for rate in rates))
    rng = random.Random(0)
    odd = {
        "markdown": [markup.markdown(rng, corpus.held_real) for _ in range(300)],
        "code": [markup.code(rng) for _ in range(300)],
    }
    for name, texts in odd.items():
        data = [text.encode() for text in texts]
        out.append(f"{name} " + " ".join(f"{exact_rate(codec, data, s, device):.3f}" for s in (1.0, 0.35)))
    full = [rng.randbytes(TEXT_BYTES) for _ in range(200)]
    out.append(f"random bytes {exact_rate(codec, full, 1.0, device):.3f}")
    return "exact at s = 1, 0.5, 0.35: " + ", ".join(out)


def parse() -> argparse.Namespace:
    """Command-line arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with train/ and lists/")
    parser.add_argument("--out", type=Path, default=Path("checkpoints/codec.safetensors"))
    parser.add_argument("--runs", type=Path, default=Path("runs/codec"), help="where the state is kept")
    parser.add_argument("--start", type=Path, help="checkpoint to start from, also with other units a patch")
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
    if args.start:
        start_from(args.start, codec, corpus.real[:2_000])
    average = Codec(codec.config).to(args.device)
    average.load_state_dict(codec.state_dict())
    optimizer = torch.optim.AdamW(
        codec.parameters(), lr=args.learning_rate, weight_decay=0.01, betas=(0.9, 0.98)
    )
    parts: dict[str, Any] = {"codec": codec, "average": average, "optimizer": optimizer}
    step = state.resume(args.runs / "state.pt", seed=args.seed, start=args.start, **parts)
    started, first = time.monotonic(), step
    while step < args.steps:
        generator = torch.Generator().manual_seed(args.seed * 1_000_003 + step)
        loss = loss_of(codec, sampler.batch(step, args.batch), generator, args.device)
        stepped(codec, optimizer, loss, learning_rate(step, args))
        step += 1
        averaged(average, codec, AVERAGE, step)
        if step % 100 == 0:
            rate, left = pace(step, args.steps, first, started)
            print(
                f"step {step:,}/{args.steps:,} loss {loss.item():.4f} {rate:.1f}/s, {left:.0f} min left",
                flush=True,
            )
        if step % 2_000 == 0 or step == args.steps:
            print(report(average, corpus, args.device), flush=True)
            save(args, step, parts)
    if was_done(step, first):
        save(args, step, parts)


@torch.no_grad()
def start_from(path: Path, codec: Codec, texts: list[str]) -> None:
    """Starts from a checkpoint whose patches may have more units: its codes' principal axes are kept.

    With more units than `UNITS`, the encoder's last map is followed by the projection and the
    decoder's first preceded by its transpose, so that training goes on from what was learned.
    """
    with safe_open(path, "pt") as file:
        old = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    units = old["decoder.enter.weight"].shape[1]
    if units != UNITS:
        patches, _ = to_patches([text.encode() for text in texts])
        flat = functional.embedding(patches, old["encoder.embed.weight"]).flatten(1)
        skip = flat @ old["encoder.skip.weight"].T + old["encoder.skip.bias"]
        for layer in ("encoder.mlp.0", "encoder.mlp.2"):
            flat = functional.gelu(flat @ old[f"{layer}.weight"].T + old[f"{layer}.bias"])
        codes = skip + flat @ old["encoder.mlp.4.weight"].T + old["encoder.mlp.4.bias"]
        _, _, axes = torch.linalg.svd(codes.tanh() - codes.tanh().mean(0), full_matrices=False)
        kept = axes[:UNITS]  # [UNITS, units]
        for name in ("encoder.skip", "encoder.mlp.4"):
            old[f"{name}.weight"] = kept @ old[f"{name}.weight"]
            old[f"{name}.bias"] = kept @ old[f"{name}.bias"]
        old["decoder.enter.weight"] = old["decoder.enter.weight"] @ kept.T
    codec.load_state_dict(old)
    print(f"started from {path}, {units} units a patch")


def save(args: argparse.Namespace, step: int, parts: dict[str, Any]) -> None:
    """Keeps the state (atomically) and exports the averaged weights."""
    args.out.parent.mkdir(parents=True, exist_ok=True)
    state.save(args.runs / "state.pt", step, seed=args.seed, start=args.start, **parts)
    notes = {"steps": str(step), "batch": str(args.batch), "seed": str(args.seed), "version": "1"}
    parts["average"].save(args.out, notes)


if __name__ == "__main__":
    state.run(main)
