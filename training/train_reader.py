"""Trains the reader of the assistant. Seeded, resumable, with progress, on one thread:

    python -m training.train_reader --data DATA

First on samples from the hand-written blocks (`reader_samples.py`), then on dialogues too (`talks.py`).
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import pickle
import random
import time
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from neuromem.encoders.int8file import identity_of, read_checkpoint
from neuromem.encoders.transformer import TransformerEncoder, word_pieces
from neuromem.reading import Packed
from neuromem.shipped import checkpoint_path

from . import state
from .blocks import Pairs, read_blocks
from .crossed import crossed
from .reader_net import ReaderNet, Wanted, load_start, save_reader
from .reader_samples import FromBlocks, Sample, packed
from .steps import averaged, pace, stepped
from .talks import FromTalks, Talk, look_up, read_talks, sample_of

AVERAGE = 0.98  # decay of the moving average of the weights
EXAM = 8  # questions of one forward pass
INVENTED = 0.03  # share of the questions that nothing answers to which an answer may be given
MOST = 12  # candidates of a held-out question
# places in the order of nearness, and a cosine, that are no other way of saying it
NEAREST, LIKE = (3, 40), 0.75


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


def looked_up(talks: list[Talk], encoder: TransformerEncoder, path: Path) -> None:
    """Looks up what each question finds; what was looked up before is read from a file."""
    known = pickle.loads(path.read_bytes()) if path.is_file() else {}
    identity = identity_of(encoder.path)
    for talk in talks:
        asked = f"{identity} {talk.turns} {[ask.wordings for ask in talk.asks]}"
        digest = hashlib.sha256(asked.encode()).hexdigest()
        if digest not in known:
            look_up(talk, encoder)
            known[digest] = [ask.found for ask in talk.asks]
        for ask, found in zip(talk.asks, known[digest], strict=True):
            ask.found = found
    state.written(path, lambda draft: draft.write_bytes(pickle.dumps(known)))


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
    parser.add_argument(
        "--crossed", type=int, default=6, help="questions of others that each dialogue is asked, too"
    )
    parser.add_argument(
        "--siblings", type=float, default=0.2,
        help="share of their questions that are asked of a sibling of what was told, where one is known",
    )  # fmt: skip
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--batch", type=int, default=8, help="questions a step")
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--drop", type=float, default=0.1, help="dropout")
    parser.add_argument("--hidden", type=float, default=0.05, help="share of word pieces that are hidden")
    parser.add_argument(
        "--start", type=Path, help="state of a run, or a checkpoint, whose weights this one begins with"
    )
    parser.add_argument("--every", type=int, default=4, help="held-out questions: one of so many is asked")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Trains, reports, exports."""
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    tokenizer = vocabulary()
    unknown = tokenizer.token_to_id("[UNK]")
    assert unknown is not None
    net = ReaderNet(checkpoint_path("transformer.safetensors"), drop=args.drop)
    pairs = Pairs(read_blocks(), args.data, args.seed)
    blocks = FromBlocks(pairs, near_blocks(pairs), args.seed)
    encoder = TransformerEncoder()
    talks, held = read_talks(args.dialogues)
    others = crossed(talks, set(pairs.pools["first"]), args.crossed, args.seed)
    looked_up([*talks, *held, *others], encoder, args.runs / "found.pickle")
    asked = FromTalks([*talks, *others], pairs, args.seed, args.siblings)
    print(f"{len(talks)} dialogues, {len(asked.asks):,} questions; {len(held)} held out", flush=True)
    exam = [sample_of(talk, ask, 0, MOST)[0] for talk in held for ask in talk.asks][:: args.every]

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
    if args.start:
        load_start(net, args.start, "net", strict=False)
    average = copy.deepcopy(net)
    kept: dict[str, Any] = {"net": net, "average": average, "optimizer": optimizer}
    step = state.resume(args.runs / "state.pt", seed=args.seed, start=args.start, **kept)
    started, first = time.monotonic(), step
    seen = []
    net.train()
    while step < args.steps:
        batch, wanted = packed(tokenizer, [sample(step * args.batch + n) for n in range(args.batch)])
        hide(batch.ids, args.hidden, unknown)
        rate = rate_at(step, args.steps, args.learning_rate)
        step += 1
        seen.append(learned(net, average, optimizer, batch, wanted, rate, step))
        if step % 20 == 0:
            speed, left = pace(step, args.steps, first, started)
            mean = torch.tensor(seen[-60:]).mean(dim=0).tolist()
            print(
                f"step {step:,}/{args.steps:,} loss {mean[0]:.3f} right {mean[1]:.3f} {speed:.2f}/s "
                f"tokens {len(batch.ids)}, {left:.0f} min left",
                flush=True,
            )
        if step % 200 == 0 or step == args.steps:
            print(report(judged(average, tokenizer, exam)), flush=True)
            net.train()
        if step % 50 == 0 or step == args.steps:
            state.save(args.runs / "state.pt", step, seed=args.seed, start=args.start, **kept)
    least = least_for(judged(average, tokenizer, exam), INVENTED)
    notes = {"steps": str(step), "batch": str(args.batch), "seed": str(args.seed), "version": "1"}
    save_reader(average, checkpoint_path("transformer.safetensors"), args.out, least, notes)
    print(f"{args.out}: answers from a chance of {least:.3f} on")


def learned(
    net: ReaderNet,
    average: ReaderNet,
    optimizer: torch.optim.Optimizer,
    batch: Packed,
    wanted: Wanted,
    rate: float,
    step: int,
) -> tuple[float, float]:
    """One step of a network and of the moving average of its weights: (loss, share that was right before).

    Args:
        rate: of learning. step: its number, from 1.
    """
    with torch.autocast("cpu", torch.bfloat16):
        loss, right = net.loss(batch, wanted)
    stepped(net, optimizer, loss, rate)
    averaged(average, net, AVERAGE, step)
    return loss.item(), right.float().mean().item()


def hide(ids: Tensor, share: float, unknown: int) -> None:
    """Puts "unknown" in the place of a share of the word pieces [N], so that no single word decides."""
    ids[torch.rand(len(ids)) < share] = unknown


def rate_at(step: int, steps: int, peak: float) -> float:
    """Warm-up, a plain, and from half of the steps on a line down to a fiftieth."""
    return peak * min(1.0, (step + 1) / 60, max(0.02, 2 * (1 - step / steps)))


def judged(net: ReaderNet, tokenizer: Tokenizer, exam: list[Sample]) -> list[tuple[float, bool, bool]]:
    """Of each question: the best passage's chance, whether it is right, and whether any passage is."""
    net.train(False)
    rows = []
    for at in range(0, len(exam), EXAM):
        part = exam[at : at + EXAM]
        batch, wanted = packed(tokenizer, part)
        for sample, chances, right in zip(part, net.chances(batch), wanted.right, strict=True):
            best = int(chances[: len(sample.passages)].argmax())
            rows.append((float(chances[best]), bool(right[best]), bool(sample.right)))
    return rows


def least_for(rows: list[tuple[float, bool, bool]], allowed: float) -> float:
    """The chance that at most this share of the questions that nothing answers goes beyond."""
    unknown = sorted((chance for chance, _, known in rows if not known), reverse=True)
    return unknown[min(len(unknown) - 1, int(allowed * len(unknown)))]


def report(rows: list[tuple[float, bool, bool]]) -> str:
    """Of held-out questions: the best passage right; and what thresholds leave of that."""
    known = [(chance, right) for chance, right, answered in rows if answered]
    first = sum(right for _, right in known) / len(known)
    lines = [f"held out: best passage right {first:.3f} of {len(known)}"]
    for allowed in (0.0, 0.05, 0.1, 0.2):
        bar = least_for(rows, allowed)
        said = sum(right and chance > bar for chance, right in known) / len(known)
        wrong = sum(not right and chance > bar for chance, right in known) / len(known)
        lines.append(f"unknown passing {allowed:.0%} (bar {bar:.2f}): right {said:.3f} wrong {wrong:.3f}")
    return "; ".join(lines)


if __name__ == "__main__":
    state.run(main)
