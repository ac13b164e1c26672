"""Trains the reader of the assistant. Seeded, resumable, with progress, on one thread:

    python -m training.train_reader --data DATA

First on samples from the hand-written blocks (`reader_samples.py`), then on dialogues too (`talks.py`).
"""

from __future__ import annotations

import argparse
import copy
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
from .reader_net import ReaderNet
from .reader_samples import FromBlocks, Sample, packed
from .talks import FromTalks, look_up, read_talks, sample_of

AVERAGE = 0.98  # decay of the moving average of the weights
MOST = 12  # candidates of a held-out question
NEAREST, LIKE = (
    (3, 40),
    0.75,
)  # places in the order of nearness, and a cosine, that are no other way of saying it


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
    parser.add_argument(
        "--dialogues", type=Path, nargs="+", default=[Path(__file__).with_name("dialogues")], help="folders"
    )
    parser.add_argument("--share", type=float, default=0.7, help="of the samples that are from dialogues")
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--batch", type=int, default=8, help="questions a step")
    parser.add_argument("--learning-rate", type=float, default=1.5e-4)
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
    blocks = FromBlocks(pairs, near_blocks(pairs), args.seed)
    encoder = TransformerEncoder()
    talks, held = read_talks(args.dialogues)
    for talk in (*talks, *held):
        look_up(talk, encoder)
    asked = FromTalks(talks, pairs, args.seed)
    print(f"{len(talks)} dialogues, {len(asked.asks):,} questions; {len(held)} held out", flush=True)
    exam = [sample_of(talk, ask, 0, MOST)[0] for talk in held for ask in talk.asks]

    def sample(number: int) -> Sample:
        before = int(number * args.share)
        if int((number + 1) * args.share) > before:
            return asked.sample(before)
        return blocks.sample(number - before)

    optimizer = torch.optim.AdamW(
        [p for p in net.parameters() if p.requires_grad],
        lr=args.learning_rate,
        weight_decay=0.01,
        betas=(0.9, 0.98),
    )
    average = copy.deepcopy(net)
    step = state.resume(args.runs / "state.pt", net=net, average=average, optimizer=optimizer)
    started, first = time.monotonic(), step
    seen = []
    net.train()
    while step < args.steps:
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, args.steps, args.learning_rate)
        batch, wanted = packed(tokenizer, [sample(step * args.batch + n) for n in range(args.batch)])
        with torch.autocast("cpu", torch.bfloat16):
            loss, right = net.loss(batch, wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step += 1
        with torch.no_grad():
            for slow, fast in zip(average.parameters(), net.parameters(), strict=True):
                slow.lerp_(fast, 1 - min(AVERAGE, step / (step + 10)))
        seen.append((loss.item(), right.float().mean().item()))
        if step % 20 == 0:
            rate = (step - first) / (time.monotonic() - started)
            mean = torch.tensor(seen[-60:]).mean(dim=0).tolist()
            print(
                f"step {step:,}/{args.steps:,} loss {mean[0]:.3f} right {mean[1]:.3f} {rate:.2f}/s "
                f"tokens {len(batch.ids)} {batch.joint_rows.shape}",
                flush=True,
            )
        if step % 100 == 0 or step == args.steps:
            print(report(average, tokenizer, exam), flush=True)
            state.save(args.runs / "state.pt", step, net=net, average=average, optimizer=optimizer)


def rate_at(step: int, steps: int, peak: float) -> float:
    """Warm-up, a plain, and from half of the steps on a line down to a fiftieth."""
    return peak * min(1.0, (step + 1) / 60, max(0.02, 2 * (1 - step / steps)))


@torch.no_grad()
def report(net: ReaderNet, tokenizer: Tokenizer, exam: list[Sample]) -> str:
    """Of held-out questions: right with no threshold; and what a threshold gives that lets no unknown pass."""
    net.train(False)
    rows = []
    for at in range(0, len(exam), 8):
        part = exam[at : at + 8]
        batch, wanted = packed(tokenizer, part)
        with torch.autocast("cpu", torch.bfloat16):
            scores, _ = net(batch)
        table = (
            scores.new_full(wanted.right.shape, -1e4)
            .masked_scatter(batch.real, scores)
            .float()
            .softmax(dim=1)
        )
        for sample, chances, right in zip(part, table, wanted.right, strict=True):
            count = len(sample.passages)
            best = int(chances[:count].argmax())
            rows.append((float(chances[best]), float(chances[count]), bool(right[best]), not sample.right))
    known = [row for row in rows if not row[3]]
    unknown = [row for row in rows if row[3]]
    first = sum(row[2] for row in known) / len(known)
    lines = [f"held out: {len(rows)} questions, best passage right {first:.3f} of {len(known)}"]
    for allowed in (0.0, 0.05, 0.1, 0.2):
        bar = sorted((row[0] for row in unknown), reverse=True)[int(allowed * len(unknown))]
        said = sum(row[2] and row[0] > bar for row in known) / len(known)
        wrong = sum(not row[2] and row[0] > bar for row in known) / len(known)
        lines.append(f"bar {bar:.2f} ({allowed:.0%} of the unknown pass): right {said:.3f} wrong {wrong:.3f}")
    return "; ".join(lines)


if __name__ == "__main__":
    main()
