"""Trains a small language model that answers from memories, and writes it as a GGUF file for llama.cpp:

    python -m training.responder_prompts --out runs/responder/prompts.jsonl
    python -m training.responder_prompts --out runs/responder/held.jsonl --held
    python -m training.train_responder --data DATA
    python -m training.train_responder --export runs/responder --out responder.gguf
    neuromem bench assistant --dialogues FOLDER --llm gguf:responder.gguf

Seeded, resumable, with progress, on a CPU or with CUDA (`--device`). The defaults are for one thread of a CPU
and an hour; `--width 384 --layers 7 --heads 12 --hidden 1024 --vocabulary 6144` is 14.8 M parameters, for a
GPU.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from neuromem.encoders.transformer import TransformerEncoder

from . import state
from .blocks import Pairs, read_blocks
from .crossed import crossed
from .reader_samples import FromBlocks
from .responder_gguf import write_gguf
from .responder_net import LOUD, ResponderNet, Shape, hold_still, pointing
from .responder_prompts import read_prompts
from .responder_samples import Shown, Teaching, from_prompt, packed, texts_of
from .responder_text import MARKS, number_of, vocabulary
from .steps import averaged, pace, stepped
from .talks import FromTalks, read_talks
from .train_reader import looked_up, near_blocks

AVERAGE = 0.99  # decay of the moving average of the weights
MOST = 15_000_000  # parameters
SPELLED = 12_000  # samples that the vocabulary is learned from
EXAM = 300  # held-out prompts that are asked


def parse() -> argparse.Namespace:
    """Command-line arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with train/ and lists/")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/responder"), help="state, prompts.jsonl, held.jsonl"
    )
    parser.add_argument(
        "--dialogues", type=Path, nargs="+", default=[Path(__file__).with_name("dialogues")], help="folders"
    )
    parser.add_argument(
        "--crossed", type=int, default=3, help="questions of others that each dialogue is asked"
    )
    parser.add_argument("--siblings", type=float, default=0.15, help="as of train_reader")
    for name, default in (
        ("vocabulary", 5_120), ("width", 256), ("layers", 4), ("heads", 8), ("hidden", 640),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default, help=f"of the network: {default}")
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--tokens", type=int, default=700, help="about so many a step")
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--export", type=Path, metavar="RUN", help="write the model of a run instead of training"
    )
    parser.add_argument("--out", type=Path, default=Path("responder.gguf"), help="with --export")
    return parser.parse_args()


def main() -> None:
    """Trains and reports, or exports."""
    args = parse()
    torch.set_num_threads(args.threads)
    if args.export:
        net, tokenizer, step = read_run(args.export)
        write_gguf(net, tokenizer, args.out)
        print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB, step {step:,}")
        return
    torch.manual_seed(args.seed)
    teaching = teaching_of(args)
    tokenizer = tokenizer_of(args, teaching)
    shape = Shape(tokenizer.get_vocab_size(), args.width, args.layers, args.heads, args.hidden)
    if shape.parameters > MOST:
        raise SystemExit(f"{shape.parameters:,} parameters are more than {MOST:,}")
    (args.runs / "shape.json").write_text(json.dumps(asdict(shape)), encoding="utf-8")
    net = ResponderNet(shape)
    with torch.no_grad():
        net.tokens.weight[:, 1:] = meanings(tokenizer, args.width - 1)
    pointing(net, torch.tensor([number_of(tokenizer, text) for text in MARKS]))
    exam = [from_prompt(row) for row in read_prompts(args.runs / "held.jsonl")]
    train(args, net.to(args.device), tokenizer, teaching, exam[:: max(1, len(exam) // EXAM)])


def teaching_of(args: argparse.Namespace) -> Teaching:
    """All that is learned from."""
    pairs = Pairs(read_blocks(), args.data, args.seed)
    blocks = FromBlocks(pairs, near_blocks(pairs), args.seed)
    talks, held = read_talks(args.dialogues)
    others = crossed(talks, set(pairs.pools["first"]), args.crossed, args.seed)
    looked_up([*talks, *held, *others], TransformerEncoder(), args.runs / "found.pickle")
    asked = FromTalks([*talks, *others], pairs, args.seed, args.siblings)
    prompts = read_prompts(args.runs / "prompts.jsonl")
    print(f"{len(talks)} dialogues, {len(asked.asks):,} questions, {len(prompts):,} prompts", flush=True)
    return Teaching((blocks.sample, asked.sample), prompts, pairs.chatter, args.seed)


def tokenizer_of(args: argparse.Namespace, teaching: Teaching) -> Tokenizer:
    """The run's vocabulary, made when it begins."""
    path = args.runs / "tokenizer.json"
    if not path.is_file():
        samples = [teaching.sample(number, 1.0) for number in range(SPELLED)]
        args.runs.mkdir(parents=True, exist_ok=True)
        vocabulary(texts_of(samples), args.vocabulary).save(str(path))
    return Tokenizer.from_file(str(path))


def meanings(tokenizer: Tokenizer, width: int) -> Tensor:
    """What the shipped encoder makes of each token [V, W]: from the start, "dog" is near "puppy".

    The vectors' first principal components, so large that the rows are as long as random ones would be, and
    noise, by which pieces of words that mean nothing differ.
    """
    texts = [
        tokenizer.decode([token], skip_special_tokens=False).strip() or "."
        for token in range(tokenizer.get_vocab_size())
    ]
    rows = TransformerEncoder().encode(texts).float()
    rows = rows - rows.mean(0)
    _, _, axes = torch.linalg.svd(rows, full_matrices=False)
    rows = rows @ axes[:width].T
    if rows.shape[1] < width:
        rows = torch.nn.functional.pad(rows, (0, width - rows.shape[1]))
    rows = rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-6)
    out: Tensor = LOUD * (rows * width**0.5 + 0.5 * torch.randn_like(rows))
    return out


def train(
    args: argparse.Namespace, net: ResponderNet, tokenizer: Tokenizer, teaching: Teaching, exam: list[Shown]
) -> None:
    """The run: from its last state on to its end."""
    average = copy.deepcopy(net)
    hold_still(net)
    decayed = [weights for weights in net.layers.parameters() if weights.dim() == 2]
    rest = [weights for weights in net.parameters() if all(weights is not other for other in decayed)]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.learning_rate, betas=(0.9, 0.98))
    counts = torch.nn.Embedding(1, 2)  # samples and tokens so far, kept with the rest
    counts.weight.data.zero_()
    counts.double()
    parts: dict[str, Any] = {"net": net, "average": average, "optimizer": optimizer, "counts": counts}
    step = state.resume(args.runs / "state.pt", seed=args.seed, **parts)
    print(f"{net.shape.parameters:,} parameters", flush=True)
    started, first, noted = time.monotonic(), step, time.monotonic()
    begun = counts.weight[0, 1].item()
    seen: list[Tensor] = []
    while step < args.steps:
        done = step / args.steps
        number, tokens = (int(each) for each in counts.weight[0].tolist())
        batch: list[Shown] = []
        size = 0
        while size < args.tokens:
            batch.append(teaching.sample(number + len(batch), done))
            size += len(batch[-1].prompt) // 4
        ids, sizes, weights, points = packed(tokenizer, batch)
        ids, weights, points = (each.to(args.device) for each in (ids, weights, points))
        with torch.autocast(args.device, torch.bfloat16):
            loss, right = net.loss(ids, sizes, weights, points)
        step += 1
        stepped(net, optimizer, loss, rate_at(step, args.steps, args.learning_rate))
        averaged(average, net, AVERAGE, step)
        counts.weight.data += torch.tensor([len(batch), len(ids)])
        seen.append(torch.stack([loss.detach(), *chosen(right, weights)]).cpu())
        if step % 25 == 0:
            rate, left = pace(step, args.steps, first, started)
            mean = torch.stack(seen[-50:]).nanmean(0).tolist()
            speed = (counts.weight[0, 1].item() - begun) / (time.monotonic() - started)
            print(
                f"step {step:,}/{args.steps:,} loss {mean[0]:.3f} chosen {mean[1]:.3f} copied {mean[2]:.3f} "
                f"tokens {tokens:,} ({speed:,.0f}/s) {rate:.2f}/s {left:.0f} min left",
                flush=True,
            )
        if exam and (step % 250 == 0 or step == args.steps):
            print(judged(average, tokenizer, exam, args.device), flush=True)
        if time.monotonic() - noted > 120 or step == args.steps:
            state.save(args.runs / "state.pt", step, seed=args.seed, **parts)
            noted = time.monotonic()


def chosen(right: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of the tokens that choose, and of the other ones of the answers, that were right."""
    said = weights[weights > 0]
    return right[said > 1].float().mean(), right[said == 1].float().mean()


def rate_at(step: int, steps: int, peak: float) -> float:
    """Warm-up, a plain, and from 0.6 of the steps on a line down to a thirtieth."""
    return peak * min(1.0, step / 50, max(0.033, 2.5 * (1 - step / steps)))


@torch.no_grad()
def judged(net: ResponderNet, tokenizer: Tokenizer, exam: Sequence[Shown], device: str) -> str:
    """Of held-out prompts, in how many the right memory is told, and none where none fits."""
    admitted: list[bool] = []
    answered: list[bool] = []
    for shown in exam:
        ids, sizes, weights, points = packed(tokenizer, [shown])
        with torch.autocast(device, torch.bfloat16):
            _, right = net.loss(ids.to(device), sizes, weights.to(device), points.to(device))
        heavy = right.cpu()[weights[weights > 0] > 1]
        (admitted if shown.right < 0 else answered).append(bool(heavy.all()))
    known, unknown = (sum(each) / max(1, len(each)) for each in (answered, admitted))
    return (
        f"held out: right memory {known:.3f} of {len(answered)}, "
        f"unknown admitted {unknown:.3f} of {len(admitted)}"
    )


def read_run(folder: Path) -> tuple[ResponderNet, Tokenizer, int]:
    """The averaged network of a run, its vocabulary, and its steps."""
    net = ResponderNet(Shape(**json.loads((folder / "shape.json").read_text(encoding="utf-8"))))
    kept = torch.load(folder / "state.pt", weights_only=True, map_location="cpu")
    net.load_state_dict(kept["average"])
    return net, Tokenizer.from_file(str(folder / "tokenizer.json")), int(kept["step"])


if __name__ == "__main__":
    state.run(main)
