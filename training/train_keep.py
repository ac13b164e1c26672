"""Trains the keeper: whether what a user said is worth keeping. Seeded, resumable from run to run:

    python -m training.train_keep [--measure DATA/dev/keep.jsonl …]

The network is the reader's (`reader_net.py`) with two layers less, and begins with its weights: the turn
before takes the place of the question, what was said that of a passage, "none" means that it is not kept. It
learns from `keep/`, and from what questions of `dialogues/` are answered by, which is worth keeping however
it leans on what was said before; the weights of some runs from different seeds are averaged. Prints precision
and recall of the rules, of the network alone and of both as `neuromem/keeping.py` weighs them, on utterances
held out.
"""

from __future__ import annotations

import argparse
import copy
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from neuromem.bench.common import read_jsonl
from neuromem.bench.talk import says
from neuromem.facts.keep import score, should_keep
from neuromem.keeping import SURE, asked_of, weighed
from neuromem.reading import STATEMENT
from neuromem.shipped import checkpoint_path
from neuromem.text import sentences

from . import state
from .generate import recognizer_style
from .noise import misheard
from .reader_net import ReaderNet, load_reader, save_reader
from .reader_samples import Sample, packed
from .rounds import Rounds
from .talks import Talk, read_talks, rewritten
from .train_reader import hide, learned, rate_at, vocabulary

HERE = Path(__file__).parent
HELD_OUT = 6  # lines with numbers that this divides are kept for validation
LAYERS = 4
EXAM = 32  # utterances of one forward pass
NOTED = "assistant: I'll remember that."  # what it says to a statement
IN_TALK = 2_500  # utterances of dialogues that are learned from
HIDDEN = 0.05  # share of word pieces that are not seen
LEAST = (-0.5, 0.0, 0.5)  # scores from which an utterance is kept, in reports


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


def told_in(talks: Sequence[Talk], most: int) -> list[Utterance]:
    """Sentences with what a question is answered by, each behind what was said before it: all to be kept."""
    rng, found = random.Random(0), {}
    for talk in talks:
        for ask in talk.asks:
            for turn in ask.evidence[-1:]:
                for piece in sentences(talk.turns[turn][1]):
                    if any(says(piece, term) for term in ask.expected):
                        found[piece] = Utterance(piece, _before(talk, turn, rng), True)
    return rng.sample(list(found.values()), min(most, len(found)))


def _before(talk: Talk, turn: int, rng: random.Random) -> tuple[str, ...]:
    """What was said before a turn: two turns of the user, or one and what the assistant says to it."""
    last = [f"user: {text}" for _, text in talk.turns[max(0, turn - 2) : turn]]
    return (*last[-1:], NOTED) if last and rng.random() < 0.5 else tuple(last)


def sample_of(utterance: Utterance) -> Sample:
    """An utterance as it is asked of the network."""
    last, passages = asked_of(utterance.text, utterance.context)
    return Sample(last, passages, frozenset({0} if utterance.keep else ()))


class FromUtterances:
    """Endless samples: each utterance once a round, some as a recognizer writes them, or misheard.

    Half of what was said without anything before it comes behind something else, so that nothing follows
    from that alone.
    """

    def __init__(self, told: Sequence[Utterance], seed: int) -> None:
        """Args: told: to learn from."""
        self._told = told
        self._others = [each.context for each in told if each.context[-1:] == (NOTED,) or _talks(each)]
        self._rounds = Rounds(len(told), seed)

    def sample(self, number: int) -> Sample:
        """Sample `number`, a pure function of the seed and the number."""
        place, rng = self._rounds.at(number)
        told = self._told[place]
        if not told.context and self._others and rng.random() < 0.5:
            told = replace(told, context=rng.choice(self._others))
        sample, chance = sample_of(told), rng.random()
        if chance < 0.3:
            return rewritten(sample, recognizer_style)
        if chance < 0.38:
            return rewritten(sample, lambda text: misheard(text, rng, 0.06))
        return sample


def _talks(utterance: Utterance) -> bool:
    """Whether only the user spoke before it."""
    return bool(utterance.context) and all(turn.startswith("user:") for turn in utterance.context)


def trained(told: Sequence[Utterance], seed: int, args: argparse.Namespace) -> dict[str, Tensor]:
    """The moving average of the weights of a run; of a finished one as it was kept."""
    torch.manual_seed(seed)
    kept = args.runs / f"seed{seed}" / "state.pt"
    net = ReaderNet(checkpoint_path("transformer.safetensors"), layers=args.layers, drop=args.drop)
    load_reader(net, checkpoint_path("reader.safetensors"))
    average, tokenizer = copy.deepcopy(net), vocabulary()
    unknown = int(tokenizer.token_to_id("[UNK]") or 0)
    optimizer = torch.optim.AdamW(
        [p for p in net.parameters() if p.requires_grad],
        lr=args.learning_rate, weight_decay=0.05, betas=(0.9, 0.98),
    )  # fmt: skip
    step = state.resume(kept, seed=seed, net=net, average=average, optimizer=optimizer)
    source = FromUtterances(told, seed)
    started, first, seen = time.monotonic(), step, []
    net.train()
    while step < args.steps:
        samples = [source.sample(step * args.batch + n) for n in range(args.batch)]
        batch, wanted = packed(tokenizer, samples, STATEMENT)
        hide(batch.ids, HIDDEN, unknown)
        rate = rate_at(step, args.steps, args.learning_rate)
        step += 1
        seen.append(learned(net, average, optimizer, batch, wanted, rate, step))
        if step % 100 == 0:
            speed = (step - first) / (time.monotonic() - started)
            loss, right = torch.tensor(seen[-100:]).mean(dim=0).tolist()
            print(
                f"seed {seed}: step {step:,}/{args.steps:,} loss {loss:.3f} right {right:.3f} {speed:.1f}/s "
                f"{(args.steps - step) / speed:.0f} s to go",
                flush=True,
            )
    state.save(kept, step, seed=seed, net=net, average=average, optimizer=optimizer)
    return average.state_dict()


@torch.no_grad()
def read(net: ReaderNet, tokenizer: Tokenizer, told: Sequence[Utterance]) -> list[float]:
    """What a network says of each utterance, in nats."""
    net.train(False)
    out: list[float] = []
    for at in range(0, len(told), EXAM):
        batch, _ = packed(tokenizer, [sample_of(each) for each in told[at : at + EXAM]], STATEMENT)
        with torch.autocast("cpu", torch.bfloat16):
            scores, _ = net(batch)
        pairs = scores.float().view(-1, 2)
        out += (pairs[:, 0] - pairs[:, 1]).tolist()
    return out


def graded(told: Sequence[Utterance], keeps: Callable[[int], bool]) -> str:
    """Precision and recall of what is kept, by place."""
    kept = [keeps(place) for place in range(len(told))]
    right = sum(each.keep for each, keep in zip(told, kept, strict=True) if keep)
    return f"{right / max(1, sum(kept)):.3f} / {right / max(1, sum(each.keep for each in told)):.3f}"


def report(name: str, told: Sequence[Utterance], nats: Sequence[float]) -> None:
    """Prints precision / recall of rules, network, and both."""
    rules = [score(each.text, each.context) for each in told]
    print(f"{name}: {len(told)} utterances, {sum(each.keep for each in told)} to be kept")
    print(f"  rules {graded(told, lambda at: should_keep(told[at].text, told[at].context))}")
    asked = sum(abs(each) < SURE for each in rules) / len(told)
    print(f"  asked about {asked:.2f} of them; from a score of … on: alone; with the rules; where asked")
    for least in LEAST:
        alone = graded(told, lambda at, least=least: nats[at] > least)  # type: ignore[misc]
        both = [weighed(own, by_rules) for own, by_rules in zip(nats, rules, strict=True)]
        blend = graded(told, lambda at, least=least, both=both: both[at] > least)  # type: ignore[misc]
        chosen = [mixed if abs(own) < SURE else own for mixed, own in zip(both, rules, strict=True)]
        gated = graded(told, lambda at, least=least, chosen=chosen: chosen[at] > least)  # type: ignore[misc]
        print(f"  {least:+.1f}: {alone}; {blend}; {gated}")


def parse() -> argparse.Namespace:
    """Command-line arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labelled", type=Path, default=HERE / "keep", help="folder of utterances")
    parser.add_argument("--dialogues", type=Path, default=HERE / "dialogues")
    parser.add_argument("--measure", type=Path, nargs="*", default=[], help="utterances never learned from")
    parser.add_argument("--out", type=Path, default=Path("checkpoints/keep.safetensors"))
    parser.add_argument("--runs", type=Path, default=Path("runs/keep"), help="where the states are kept")
    parser.add_argument("--steps", type=int, default=1_800, help="of each run")
    parser.add_argument("--batch", type=int, default=16, help="utterances a step")
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--drop", type=float, default=0.2, help="dropout")
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--seeds", type=int, default=2, help="runs whose weights are averaged")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Trains, reports, exports."""
    args = parse()
    torch.set_num_threads(args.threads)
    measured = {str(path): read_labelled(path) for path in args.measure}
    known = {each.text.casefold() for told in measured.values() for each in told}
    told = [each for each in read_labelled(args.labelled) if each.text.casefold() not in known]
    train, held = split(told)
    talks, others = read_talks([args.dialogues])
    train += told_in(talks, IN_TALK)
    measured["in dialogues held out"] = told_in(others, IN_TALK)
    runs = [trained(train, seed, args) for seed in range(args.seeds)]
    encoder = checkpoint_path("transformer.safetensors")
    net = ReaderNet(encoder, layers=args.layers)
    net.load_state_dict({name: torch.stack([run[name] for run in runs]).mean(dim=0) for name in runs[0]})
    tokenizer = vocabulary()
    for name, some in {"held out": held, **measured}.items():
        report(name, some, read(net, tokenizer, some))
    notes = {"steps": f"{args.steps} x {args.seeds}", "batch": str(args.batch), "version": "1"}
    save_reader(net, encoder, args.out, 0.5, notes)
    print(f"{args.out}: written")


if __name__ == "__main__":
    state.run(main)
