"""Measures how large the inputs of the transformer's products are and notes it in the checkpoint:

    python -m training.calibrate --data DATA

Done once after each training. `neuromem/encoders/bert8.py` says what the figures are for.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from neuromem.encoders.bert import Bert, BertConfig
from neuromem.encoders.bert8 import PEAKS
from neuromem.encoders.int8file import read_checkpoint
from neuromem.encoders.transformer import EPS, HEADS, KIND, MOST_TOKENS, word_pieces
from neuromem.linear import Product

from .blocks import Pairs, read_blocks

BATCHES, SIZE = 16, 32  # texts looked at: three times their product


class _Peaks:
    """A product that notes the largest inputs it gets."""

    def __init__(self, product: Product) -> None:
        self.product, self.peaks = product, torch.zeros(())

    def __call__(self, rows: Tensor, gelu: bool) -> Tensor:
        self.peaks = torch.maximum(self.peaks, rows.abs().amax(dim=0))
        return self.product(rows, gelu)


def peaks_of(path: Path, texts: list[str]) -> Iterator[tuple[str, Tensor]]:
    """Names and values [in] of the largest absolute inputs of a checkpoint's products over some texts."""
    weights, config = read_checkpoint(path, KIND)
    vocabulary = bytes(weights.pop("vocabulary").tolist()).decode().split("\n")
    shape = BertConfig(HEADS, EPS, config["layers"], MOST_TOKENS)
    model = Bert(weights, word_pieces(vocabulary), shape, torch.device("cpu"))
    seen = [[_Peaks(layer.qkv), _Peaks(layer.up), _Peaks(layer.down)] for layer in model.layers]
    model.layers = [
        layer._replace(qkv=qkv, up=up, down=down)
        for layer, (qkv, up, down) in zip(model.layers, seen, strict=True)
    ]
    model.encode(texts)
    for index, products in enumerate(seen):
        for name, product in zip(PEAKS, products, strict=True):
            yield f"encoder.layer.{index}.{name}", product.peaks.half()


def main() -> None:
    """Reads texts of the training, measures, writes the checkpoint anew."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder of the training data")
    parser.add_argument("--out", type=Path, default=Path("checkpoints/transformer.safetensors"))
    args = parser.parse_args()
    pairs = Pairs(read_blocks(), args.data, seed=0)
    examples = [example for number in range(BATCHES) for example in pairs.batch(number, SIZE)]
    texts = [text for example in examples for text in (example.anchor, example.fact, example.miss) if text]
    with safe_open(args.out, "pt") as file:
        metadata = file.metadata()
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    stored |= dict(peaks_of(args.out, texts))
    save_file(stored, args.out, metadata=metadata)
    print(f"{args.out}: inputs of {len(texts)} texts measured")


if __name__ == "__main__":
    main()
