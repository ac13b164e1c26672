"""Baselines of retrieval on the texts that our own search ranks: BM25, cosine, and their sum."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..deep import bm25
from ..encoders import CachedEncoder

__all__ = ["Baselines"]


class Baselines:
    """Ranks a fixed list of texts.

    `bm25`: as deep recall's (k1 = 1.2, b = 0.75, stems). `cosine`: the encoder's, of whole texts.
    `z-sum`: the two as z-scores over the texts, the words at half weight.
    """

    def __init__(self, texts: Sequence[str], encoder: CachedEncoder) -> None:
        self.texts, self.encoder = list(texts), encoder
        self.vectors = encoder.encode(self.texts)

    def rank(self, question: str) -> dict[str, list[int]]:
        """Places of all texts, best first, by each ranker."""
        words = torch.tensor(bm25(question, self.texts), dtype=torch.float64)
        meaning = (self.vectors @ self.encoder.query(question)).double()
        return {
            "bm25": _order(words),
            "cosine": _order(meaning),
            "z-sum": _order(_standard(meaning) + 0.5 * _standard(words)),
        }


def _order(values: Tensor) -> list[int]:
    order: list[int] = values.sort(descending=True, stable=True).indices.tolist()
    return order


def _standard(values: Tensor) -> Tensor:
    return (values - values.mean()) / values.std(correction=0).clamp(min=1e-9)
