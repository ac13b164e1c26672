"""Baselines of retrieval on the texts that our own search ranks: BM25, cosine, and both of them together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

from ..encoders import CachedEncoder
from ..text import stems

__all__ = ["BM25", "Baselines"]

K1, B = 1.2, 0.75
RRF = 60  # of reciprocal ranks, 1 / (60 + rank): so the first places of a list are not all that counts


class BM25:
    """Okapi BM25 over a list of texts, with document frequencies of that list (Robertson & Zaragoza 2009)."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.bags = [Counter(stems(text)) for text in texts]
        frequency = Counter(stem for bag in self.bags for stem in bag)
        count = len(texts)
        self.idf = {stem: math.log(1 + (count - n + 0.5) / (n + 0.5)) for stem, n in frequency.items()}
        self.mean = sum(bag.total() for bag in self.bags) / max(1, count) or 1.0

    def scores(self, question: str) -> list[float]:
        """Score of every text, in order."""
        wanted = [(stem, self.idf[stem]) for stem in dict.fromkeys(stems(question)) if stem in self.idf]
        return [self._score(bag, wanted) for bag in self.bags]

    def _score(self, bag: Counter[str], wanted: Sequence[tuple[str, float]]) -> float:
        norm = K1 * (1 - B + B * bag.total() / self.mean)
        return sum(idf * bag[stem] * (K1 + 1) / (bag[stem] + norm) for stem, idf in wanted if stem in bag)


class Baselines:
    """Ranks a fixed list of texts.

    `bm25`: stems, k1 = 1.2, b = 0.75. `cosine`: the encoder's, of whole texts.
    `z-sum`: the two as z-scores over the texts, the words at half weight.
    `rrf`: the two by their ranks alone, fused as reciprocals (Cormack, Clarke & Büttcher 2009); without a
    word of the question a text is in no list of words.
    """

    def __init__(self, texts: Sequence[str], encoder: CachedEncoder) -> None:
        self.encoder = encoder
        self.words = BM25(texts)
        self.vectors = encoder.encode(list(texts))

    def rank(self, question: str) -> dict[str, list[int]]:
        """Places of all texts, best first, by each ranker."""
        words = torch.tensor(self.words.scores(question), dtype=torch.float64)
        meaning = (self.vectors @ self.encoder.query(question)).double()
        return {
            "bm25": _order(words),
            "cosine": _order(meaning),
            "z-sum": _order(_standard(meaning) + 0.5 * _standard(words)),
            "rrf": _order(_reciprocal(meaning) + _reciprocal(words) * (words > 0)),
        }


def _order(values: Tensor) -> list[int]:
    order: list[int] = values.sort(descending=True, stable=True).indices.tolist()
    return order


def _standard(values: Tensor) -> Tensor:
    return (values - values.mean()) / values.std(correction=0).clamp(min=1e-9)


def _reciprocal(values: Tensor) -> Tensor:
    """1 / (60 + rank), the best of rank 1; equal values in their order."""
    ranks = torch.empty(len(values), dtype=torch.float64)
    ranks[_order(values)] = torch.arange(1, len(values) + 1, dtype=torch.float64)
    return 1 / (RRF + ranks)
