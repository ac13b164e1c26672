"""Makes the mean and the axes by which an encoder's words are compared (`neuromem/senses.py`).

    python -m training.train_senses --data DATA [--encoder transformer|sentence]

From the states of the content words of some 6,000 lines of talk (`DATA/train`): their mean, their 192
strongest axes, and the rotation of these under which signs lose least (iterative quantization, Gong &
Lazebnik 2011).
The same data and encoder give the same file, up to the last bits of another machine's products.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from neuromem.encoders import load_encoder, word_encoder
from neuromem.senses import SENSE_BITS
from neuromem.shipped import checkpoint_path
from neuromem.text import content_words, normalize

from .data import source_text

LINES = {
    "self_dialogue": 1_500, "topical_chat_valid_test": 1_200, "spc_utts": 1_200, "disfl_qa": 700,
    "letta_facts": 600, "convai2_utts_valid": 500, "taskmaster3-4": 500, "tatoeba_eng": 400,
}  # fmt: skip
"""How many lines of each file. Of disfl_qa, which is share-alike, only sums go into what is shipped."""
ROUNDS, MOST = 20, 12_000  # of the iteration; words that it looks at


def lines(data: Path, seed: int = 0) -> list[str]:
    """The lines that are read."""
    rng = random.Random(seed)
    out: list[str] = []
    for name, count in LINES.items():
        text = source_text(data, name)
        found = [line.strip() for line in text.split("\n") if 15 < len(line) < 200]
        out += rng.sample(found, min(count, len(found)))
    return [normalize(line, casefold=False) for line in out]


def states_of(texts: list[str], encoder: str) -> Tensor:
    """[W, H] of all their content words."""
    reader = word_encoder(load_encoder(encoder))
    if reader is None:
        raise SystemExit(f"the encoder {encoder} does not tell words apart")
    spans = [[(begin, end) for _, begin, end in content_words(text)] for text in texts]
    states = reader.encode_words(texts, spans)[1]
    return states[(states != 0).any(dim=1)]


def axes_of(states: Tensor, bits: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Mean [H] and axes [H, bits] of words' states [W, H]."""
    mean = states.mean(dim=0)
    strongest = torch.linalg.svd(states - mean, full_matrices=False)[2][:bits].T
    some = functional.normalize((states - mean) @ strongest, dim=1)[:MOST]
    start = torch.randn(bits, bits, generator=torch.Generator().manual_seed(seed))
    turn = torch.linalg.qr(start)[0]
    for _ in range(ROUNDS):  # signs for the rotation, then the rotation nearest to the signs (Procrustes)
        left, _, right = torch.linalg.svd(some.T @ (some @ turn).sign())
        turn = left @ right
    return mean, strongest @ turn


def main() -> None:
    """Reads, turns, writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--encoder", default="transformer", choices=("transformer", "sentence"))
    args = parser.parse_args()
    states = states_of(lines(args.data), args.encoder)
    mean, axes = axes_of(states, SENSE_BITS)
    path = checkpoint_path(f"{args.encoder}-senses.safetensors")
    save_file({"mean": mean.half(), "axes": axes.half().contiguous()}, path)
    print(f"{len(states)} words, {path} of {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
