"""Teaches the shipped transformer not to mind what it is told by a speech recognizer. Seeded, resumable:

    python -m training.train_hearing --data DATA --steps 600

It goes on from a checkpoint, whose unchanged copy is the teacher. A text misheard (two errors in three are
real words that sound alike) shall have the vector that the teacher gives the text as it was said, and be as
near to each fact and each other text as that is; what is not misheard shall stay where it was, so that the
space of the keys is the same. The exported checkpoint is the moving average of the weights; `average.py`
mixes it with the one it began as.
"""

from __future__ import annotations

import argparse
import copy
import random
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from . import state
from .blocks import Pairs, read_blocks
from .contrast import SCALE, distillation, learning_rate, report, split
from .data import real_texts
from .noise import Neighbours, heard_badly
from .train_transformer import Embedder, save, trained

AVERAGE = 0.99  # decay of the moving average of the weights
RATES = (0.0, 0.25)  # word errors beside the one that is sure


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


class Trainer:
    """The texts of each step, and its loss."""

    def __init__(
        self, student: Embedder, teacher: Embedder, pairs: Pairs, real: list[str], args: argparse.Namespace
    ) -> None:
        self.student, self.teacher, self.pairs, self.real, self.args = student, teacher, pairs, real, args
        self.neighbours = Neighbours(real)

    def loss(self, step: int) -> Tensor:
        """Of one step, a pure function of the seed and its number."""
        args = self.args
        rng = random.Random(args.seed * 7_919 + step)
        anchors, facts, _ = map(list, zip(*self.pairs.batch(step, args.batch), strict=True))
        texts = rng.sample(self.real, args.real + args.few)
        asked = [*anchors, *texts[: args.real]]
        heard = [heard_badly(text, rng, rng.uniform(*RATES), self.neighbours) for text in asked]
        plain = [*texts[args.real :], *anchors[: args.few], *facts[: args.few]]
        rows = self.student([*heard, *plain])
        said, kept = rows[: len(heard)], rows[len(heard) :]
        with torch.no_grad():  # memories are not misheard: their keys are the teacher's
            wanted = self.teacher([*asked, *plain, *facts])
        clean, still, keys = torch.split(wanted, [len(asked), len(plain), args.batch])
        told = denoising(said, clean, torch.cat([clean, keys]))
        loss: Tensor = told + float(args.keep) * distillation(kept, still)
        return loss


def parse() -> argparse.Namespace:
    """Command-line arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with train/ and lists/")
    parser.add_argument("--start", type=Path, default=Path("checkpoints/transformer.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("runs/hearing/transformer.safetensors"))
    parser.add_argument("--runs", type=Path, default=Path("runs/hearing"), help="where the state is kept")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=48, help="pairs a step")
    parser.add_argument("--real", type=int, default=32, help="real sentences a step, misheard")
    parser.add_argument(
        "--few", type=int, default=16, help="sentences, questions, facts a step, not misheard"
    )
    parser.add_argument("--learning-rate", type=float, default=4e-5)
    parser.add_argument(
        "--keep", type=float, default=2.0, help="weight of staying put if nothing is misheard"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def main() -> None:
    """Trains, reports, exports."""
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    teacher = trained(args.start, args.device)
    model = copy.deepcopy(teacher.model).float().train(False)  # no dropout: noise enough is in the words
    average = copy.deepcopy(model)
    student = Embedder(model, teacher.tokenizer, args.device)
    averaged = Embedder(average, teacher.tokenizer, args.device)
    blocks, held = split(read_blocks(), args.seed)
    pairs, unseen = Pairs(blocks, args.data, args.seed, noise=False), Pairs(held, args.data, args.seed)
    trainer = Trainer(student, teacher, pairs, real_texts(args.data), args)
    # half of the weights, and of an optimizer's time
    model.get_submodule("embeddings.word_embeddings").requires_grad_(False)
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(
        learning, lr=args.learning_rate, weight_decay=0.01, betas=(0.9, 0.98), fused=True
    )
    step = state.resume(args.runs / "state.pt", model=model, average=average, optimizer=optimizer)
    if not step:
        print(report(teacher, unseen, args.data), flush=True)
    started, first = time.monotonic(), step
    while step < args.steps:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, args.steps, args.learning_rate)
        loss = trainer.loss(step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        step += 1
        with torch.no_grad():
            for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
                slow.lerp_(fast, 1 - min(AVERAGE, step / (step + 10)))
        if step % 20 == 0:
            rate = (step - first) / (time.monotonic() - started)
            left = (args.steps - step) / rate / 60
            line = f"step {step:,}/{args.steps:,} loss {loss.item():.4f} {rate:.2f}/s, {left:.0f} min left"
            print(line, flush=True)
        if step % 100 == 0 or step == args.steps:
            print(report(averaged, unseen, args.data), flush=True)
            save(args, step, model, average, optimizer, teacher.tokenizer)


if __name__ == "__main__":
    main()
