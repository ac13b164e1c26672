"""Senses: what each content word of a slot means where it stands, in the signs of 192 numbers.

A key is one vector for all a slot says. Word against word a question also finds the one word that it means:
"instrument" the cello, "sister" the one who is a nurse (late interaction: Khattab & Zaharia 2020,
arXiv 2004.12832). The encoder's state of a word is centred, turned onto its 192 strongest axes, and turned
among these so that as little as possible is lost when only signs are kept (Gong & Lazebnik 2011, iterative
quantization): 24 bytes a word. The question keeps its numbers, so that the cosine of both is off by little.

The mean and the axes come with the package (`training/train_senses.py` makes them). An encoder that does
not tell words apart, or has no such file, has no senses: theirs are zero, and count neither way.

Axes: B texts, W words at hand, P owners of words, S words of a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from .encoders import Encoder, word_encoder
from .encoders.int8file import identity_of
from .linear import matmul
from .shipped import checkpoint_path

__all__ = ["SENSES", "SENSE_BITS", "SENSE_BYTES", "Senses", "nearest_words", "packed", "senses_of"]

SENSES = 16  # words of a slot; more of them find nothing more
SENSE_BITS = 192
SENSE_BYTES = SENSE_BITS // 8

Array = np.ndarray[Any, Any]

_SIGNS = (2 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.int8) - 1).view(
    np.int64
)
"""[256, 1] the signs of a byte, as eight int8 side by side"""


class Senses:
    """How the words of one encoder are compared."""

    def __init__(self, mean: Tensor, axes: Tensor, identity: str) -> None:
        """
        Args:
            mean: [H] of words' states. axes: [H, SENSE_BITS] orthogonal columns. identity: of both.
        """
        self.mean, self.axes, self.identity = mean, axes, identity

    def of(self, states: Tensor) -> Tensor:
        """[W, SENSE_BITS] unit rows of words' states [W, H]; zero for a word that was not read."""
        read = (states != 0).any(dim=1, keepdim=True)
        return functional.normalize(((states - self.mean) * read) @ self.axes, dim=1)

    def codes(self, states: Tensor) -> Tensor:
        """[W, SENSE_BYTES] uint8: the signs; all zero for a word that was not read."""
        numbers = self.of(states)
        bits = np.packbits((numbers > 0).numpy(), axis=1)
        return torch.from_numpy(bits).view(len(states), SENSE_BYTES)


def senses_of(encoder: Encoder) -> Senses | None:
    """How the words of an encoder are compared; None for one that has no senses."""
    tells_words = word_encoder(encoder)
    return None if tells_words is None or not tells_words.word_senses else _shipped(tells_words.word_senses)


@lru_cache(maxsize=8)
def _shipped(name: str) -> Senses | None:
    path = checkpoint_path(name)
    if not path.is_file():
        return None
    held = load_file(path)
    return Senses(held["mean"].float(), held["axes"].float(), identity_of(path))


def packed(codes: Sequence[Tensor]) -> Tensor:
    """[B, SENSES · SENSE_BYTES] uint8: the codes [.., SENSE_BYTES] of each text's words; zeros to fill."""
    out = torch.zeros(len(codes), SENSES, SENSE_BYTES, dtype=torch.uint8)
    for row, words in enumerate(codes):
        out[row, : min(SENSES, len(words))] = words[:SENSES]
    return out.view(len(codes), -1)


def nearest_words(slots: Array, owner: Array, count: int, asked: Array) -> Array:
    """How near the nearest word of each owner is to each word of a question: [P, S] cosines, 0 for none.

    Args:
        slots: [.., SENSES · SENSE_BYTES] uint8 of slots, as `packed`.
        owner: [..] whose slot each is, rising, 0 to P - 1. count: P.
        asked: [S, SENSE_BITS] float32 unit rows.
    """
    words = slots.reshape(-1, SENSE_BYTES)
    told = np.flatnonzero(words.view(np.int64).any(axis=1))
    near = np.zeros((count, len(asked)), dtype=np.float32)
    if not len(told) or not len(asked):
        return near
    signs = _SIGNS[words[told]].view(np.int8).reshape(len(told), SENSE_BITS)
    cosines = matmul(signs.astype(np.float32), asked.T / np.float32(SENSE_BITS**0.5))
    whose = owner[told // SENSES]
    first = np.flatnonzero(np.diff(whose, prepend=-1))
    near[whose[first]] = np.maximum.reduceat(cosines, first, axis=0)
    return near
