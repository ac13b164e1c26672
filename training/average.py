"""Averages the weights of runs of the transformer that began at the same weights, and exports them:

    python -m training.average --runs runs/transformer runs/transformer3

Model soups (Wortsman et al., arXiv 2203.05482): the mean of fine-tunings of one model often beats each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from tokenizers import Tokenizer

from neuromem.encoders.transformer import save_transformer

from .train_transformer import minilm


def main() -> None:
    """Loads, averages, exports."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="folders with a state.pt each")
    parser.add_argument("--out", type=Path, default=Path("checkpoints/transformer.safetensors"))
    args = parser.parse_args()
    states = [torch.load(folder / "state.pt", weights_only=True) for folder in args.runs]
    weights = [state["average"] for state in states]
    mean = {
        name: torch.stack([each[name] for each in weights]).mean(dim=0)
        if first.is_floating_point()
        else first
        for name, first in weights[0].items()
    }
    tokenizer = Tokenizer.from_file(str(minilm() / "tokenizer.json"))
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    steps = " and ".join(str(state["step"]) for state in states) + ", averaged"
    notes = {"steps": steps, "batch": "64", "seed": "0", "version": "2"}
    save_transformer(mean, [word for word, _ in vocabulary], args.out, notes)
    print(f"{args.out}: mean of {len(states)} runs ({steps})")


if __name__ == "__main__":
    main()
