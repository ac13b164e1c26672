"""Whether an utterance is worth keeping, learned: how far a small network goes beyond the rules. A trial:

    python -m training.train_keep [--dev ../shared/data/dev/keep.jsonl]

Learns from `keep/` on the shipped encoder's vectors of the utterance and of the turn before it, the cues of
`neuromem.facts.keep` and their score; prints precision and recall of the rules, of the network alone and of
both together, on utterances held out. Nothing is shipped of it yet (see LOG.md, 2026-11-30).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from neuromem.bench.common import read_jsonl
from neuromem.encoders import load_encoder
from neuromem.facts.keep import cues_of, score, should_keep

HELD_OUT = 6  # lines with numbers that this divides are kept for validation
WIDTH, DROP, EPOCHS, BATCH, RATE, DECAY = 64, 0.4, 15, 64, 2e-3, 0.1
SEEDS = 3  # networks whose logits are averaged
OWN, BEFORE, RULES = 10.0, 5.0, 0.7  # scale of both vectors, and of the rules' score beside a logit
MOST_SCORE = 3.0
LEAST = (0.0, 0.5, 1.0, 1.5, 2.0)  # logits from which an utterance is kept


@dataclass(frozen=True, slots=True)
class Utterance:
    """What a user said, and whether it is to be kept."""

    text: str
    context: tuple[str, ...]  # the turns before it, oldest first
    keep: bool


def read_labelled(path: Path) -> list[Utterance]:
    """The utterances of a JSONL file, or of all those below a folder, in the order of their names."""
    paths = sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]
    rows = [row for each in paths for row in read_jsonl(each)]
    return [Utterance(row["text"], tuple(row["context"]), bool(row["keep"])) for row in rows]


def split(told: Sequence[Utterance]) -> tuple[list[Utterance], list[Utterance]]:
    """Utterances to learn from, and those held out."""
    held = [each for number, each in enumerate(told, 1) if number % HELD_OUT == 0]
    return [each for number, each in enumerate(told, 1) if number % HELD_OUT], held


def bounded(utterance: Utterance) -> float:
    """The rules' score, within bounds."""
    return max(-MOST_SCORE, min(MOST_SCORE, score(utterance.text, utterance.context)))


class Features:
    """[B, F] of utterances: vectors, cues, score, length."""

    def __init__(self, told: Sequence[Utterance]) -> None:
        """Args: told: whose cues are known."""
        self._encoder = load_encoder(None)
        self._cues = sorted({cue for each in told for cue in cues_of(each.text, each.context)})

    def __call__(self, told: Sequence[Utterance]) -> Tensor:
        before = [each.context[-1].partition(":")[2] if each.context else "nothing" for each in told]
        own, around = self._encoder.encode([each.text for each in told]), self._encoder.encode(before)
        rows = []
        for each in told:
            found = cues_of(each.text, each.context)
            length = min(12, len(each.text.split())) / 12
            rows.append([*(float(cue in found) for cue in self._cues), bounded(each) / 1.5, length])
        return torch.cat([OWN * own, BEFORE * around, torch.tensor(rows)], dim=1)


def fitted(features: Tensor, wanted: Tensor, seed: int) -> nn.Module:
    """A network for whether to keep."""
    torch.manual_seed(seed)
    first, last = nn.Linear(features.shape[1], WIDTH), nn.Linear(WIDTH, 1)
    net = nn.Sequential(nn.Dropout(DROP / 2), first, nn.GELU(), nn.Dropout(DROP), last)
    optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    for _ in range(EPOCHS):
        order = torch.randperm(len(features))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            logits = net(features[rows]).squeeze(1)
            loss = functional.binary_cross_entropy_with_logits(logits, wanted[rows])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return net.train(False)


def graded(told: Sequence[Utterance], keeps: Callable[[int], bool]) -> str:
    """Precision and recall of what is kept, by place."""
    kept = [keeps(place) for place in range(len(told))]
    right = sum(each.keep for each, keep in zip(told, kept, strict=True) if keep)
    return f"{right / max(1, sum(kept)):.3f} / {right / max(1, sum(each.keep for each in told)):.3f}"


def report(name: str, told: Sequence[Utterance], logits: Sequence[float]) -> None:
    """Prints precision / recall of rules, network, and both."""
    rules = [should_keep(each.text, each.context) for each in told]
    print(f"{name}: {len(told)} utterances, rules {graded(told, rules.__getitem__)}")
    for least in LEAST:
        alone = graded(told, lambda place, least=least: logits[place] > least)  # type: ignore[misc]
        union = graded(told, lambda place, least=least: rules[place] or logits[place] > least)  # type: ignore[misc]
        both = graded(
            told,
            lambda place, least=least: logits[place] + RULES * bounded(told[place]) > least,  # type: ignore[misc]
        )
        print(f"  from {least}: alone {alone}, or the rules {union}, with their score {both}")


def main() -> None:
    """Fits and reports."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labelled", type=Path, default=Path(__file__).parent / "keep")
    parser.add_argument("--dev", type=Path, help="utterances to measure with, never learned from")
    args = parser.parse_args()
    torch.set_num_threads(1)
    measured = read_labelled(args.dev) if args.dev else []
    known = {each.text.casefold() for each in measured}
    told = [each for each in read_labelled(args.labelled) if each.text.casefold() not in known]
    train, held = split(told)
    features = Features(train)
    wanted = torch.tensor([float(each.keep) for each in train])
    learned = features(train)
    nets = [fitted(learned, wanted, seed) for seed in range(SEEDS)]
    for name, some in (("held out", held), ("dev", measured)):
        if some:
            found = features(some)
            with torch.no_grad():
                logits = torch.stack([net(found).squeeze(1) for net in nets]).mean(dim=0)
            report(name, some, logits.tolist())


if __name__ == "__main__":
    main()
