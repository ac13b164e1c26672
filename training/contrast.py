"""What the two encoders' trainings share: losses, the learning rate, how well pairs are found."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from .blocks import Block, Pairs

WIDTHS = ((384, 1.0), (192, 0.3), (96, 0.15))
"""Matryoshka (Kusupati et al., arXiv 2205.13147): the first entries of a vector are a vector too."""
SCALE = 20.0  # of cosines before the softmax
TWIN = 0.9  # facts of two blocks as near as this are not held against each other

Embed = Callable[[Sequence[str]], Tensor]
"""texts → [B, W] unit rows"""


def learning_rate(step: int, steps: int, peak: float, warm_up: int = 100) -> float:
    """Warm-up, then a cosine to a fiftieth."""
    warm = min(1.0, (step + 1) / warm_up)
    return peak * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps))))


def info_nce(anchors: Tensor, facts: Tensor, misses: Tensor) -> Tensor:
    """Each anchor should prefer its fact to all others of the batch and to all misses; each fact its anchor.

    In-batch negatives with one hard negative each (van den Oord et al., arXiv 1807.03748; Henderson et al.,
    arXiv 1705.00652), at every Matryoshka width. Facts that say the same are no negatives.

    Args:
        anchors, facts, misses: [B, W] rows of any length.
    """
    total = torch.zeros((), device=anchors.device)
    labels = torch.arange(len(anchors), device=anchors.device)
    with torch.no_grad():
        unit = functional.normalize(facts, dim=1)
        twins = (unit @ unit.T > TWIN) & ~torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    for width, weight in WIDTHS:
        a, f, m = (functional.normalize(rows[:, :width], dim=1) for rows in (anchors, facts, misses))
        to_facts = (a @ f.T * SCALE).masked_fill(twins, -1e4)
        forward = functional.cross_entropy(torch.cat([to_facts, a @ m.T * SCALE], dim=1), labels)
        backward = functional.cross_entropy(to_facts.T, labels)
        total = total + weight * (forward + 0.3 * backward)
    return total / sum(weight for _, weight in WIDTHS)


def distillation(student: Tensor, teacher: Tensor) -> Tensor:
    """Like the teacher's vectors in place, and like each other as the teacher's are, at every width.

    Args:
        student, teacher: [B, W] unit rows. The second term is relational (Park et al., arXiv 1904.05068).
    """
    wanted = teacher @ teacher.T
    apart = ~torch.eye(len(teacher), dtype=torch.bool, device=teacher.device)
    total = (1 - (student * teacher).sum(dim=1)).mean()
    for width, weight in WIDTHS:
        rows = functional.normalize(student[:, :width], dim=1)
        total = total + weight * 10 * functional.mse_loss((rows @ rows.T)[apart], wanted[apart])
    return total


def split(blocks: list[Block], seed: int, held: float = 0.08) -> tuple[list[Block], list[Block]]:
    """Blocks to train on, and blocks held out."""
    shuffled = blocks[:]
    random.Random(seed).shuffle(shuffled)
    count = int(len(shuffled) * held)
    return shuffled[count:], shuffled[:count]


def hits(questions: Tensor, facts: Tensor) -> tuple[float, float]:
    """hit@1 and hit@5 of questions [B, W] among facts [B, W], the right fact in the same row."""
    ranks = (questions @ facts.T).argsort(dim=1, descending=True)
    found = ranks == torch.arange(len(facts))[:, None]
    return float(found[:, :1].any(dim=1).float().mean()), float(found[:, :5].any(dim=1).float().mean())


@torch.no_grad()
def report(embed: Embed, held: Pairs, data: Path) -> str:
    """hit@1 / hit@5 of the dense vectors alone: blocks held out, the dev pairs, and these spoken."""
    rng = random.Random(1)
    examples = [held.example(block, rng) for block in held.blocks]
    lines = [
        "held-out blocks {:.3f} {:.3f}".format(
            *hits(embed([e.anchor for e in examples]), embed([e.fact for e in examples]))
        )
    ]
    file = data / "dev" / "retrieval.jsonl"
    if file.is_file():
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
        facts = embed([row["fact"] for row in rows])
        for name, key in (("dev", "question"), ("spoken", "asr_question")):
            lines.append("{} {:.3f} {:.3f}".format(name, *hits(embed([row[key] for row in rows]), facts)))
    return "hit@1 hit@5: " + ", ".join(lines)
