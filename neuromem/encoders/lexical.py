"""Hashed words: the lexical part of a key, and an encoder that needs no model.

Feature hashing with signs (Weinberger et al., 2009, "Feature Hashing for Large Scale Multitask
Learning"): the inner product of two sketches estimates that of the full bags of words without bias.
All hashes are BLAKE2b: the same bits in every process and on every machine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from ..cached import of_texts
from ..errors import InvalidInput
from ..text import idf, stems
from .base import checked_texts

__all__ = ["HashEncoder", "LexicalSketch", "join_keys"]

NGRAM_SHARE = 1.0  # weight of a stem's character n-grams beside the stem itself


class LexicalSketch:
    """A bag of stems, weighted by IDF, in a few signed buckets."""

    def __init__(self, buckets: int = 256) -> None:
        """
        Args:
            buckets: width L of a sketch, >= 0.

        Raises:
            InvalidInput: a negative width.
        """
        if buckets < 0:
            raise InvalidInput("buckets", f"{buckets} is negative", "give 0 or more")
        self.buckets = buckets

    def sketch(self, texts: Sequence[str]) -> Tensor:
        """Sketches of texts: (1 + ln tf) · idf of each stem, added with a sign to two buckets.

        Returns:
            [B, buckets] float32, rows of length 1, or all zero for a text without a content word.

        Raises:
            InvalidInput: `texts` is not a list of strings.
        """
        return _add_up(checked_texts(texts), self.buckets, self._features)

    def _features(self, text: str) -> list[tuple[int, float]]:
        return [
            (bucket, sign * (1 + math.log(count)) * idf(stem))
            for stem, count in Counter(stems(text)).items()
            for bucket, sign in _two_buckets(stem, self.buckets)
        ]


class HashEncoder:
    """An encoder of spelling alone, for tests and tiny devices: no model, some 50 µs a sentence.

    Stems and their character n-grams, hashed. It finds shared and misspelt words; it knows nothing of
    meaning: "dog" and "puppy" are strangers to it.
    """

    def __init__(self, width: int = 384) -> None:
        """
        Args:
            width: entries of a vector, >= 1.

        Raises:
            InvalidInput: a width below 1.
        """
        if width < 1:
            raise InvalidInput("width", f"{width} is too small", "give 1 or more, better 256 or more")
        self.width = width

    @property
    def name(self) -> str:
        """Identity, with a hash of the weights where there are any."""
        return f"hash:v1-{self.width}"

    def encode(self, texts: Sequence[str]) -> Tensor:
        """[B, width]: see `Encoder.encode`. All texts without a word or sign share one vector."""
        vectors = _add_up(checked_texts(texts), self.width, self._features)
        vectors[~vectors.any(dim=1), _bucket("", self.width)[0]] = 1
        return vectors

    def _features(self, text: str) -> list[tuple[int, float]]:
        # Nothing but stop words ("who are you?"): they must do.
        counts = Counter(stems(text) or text.casefold().split())
        return [
            (bucket, value * (1 + math.log(count)) * idf(stem))
            for stem, count in counts.items()
            for bucket, value in _spelling(stem, self.width)
        ]


def join_keys(dense: Tensor, sketch: Tensor, lexical_weight: float) -> Tensor:
    """Keys whose cosine is a hybrid: (1 - λ) · cosine of meaning + λ · cosine of words.

    Args:
        dense: [B, W] vectors of an encoder.
        sketch: [B, L] lexical sketches; where a row is zero, the dense part is the whole key.
        lexical_weight: λ in [0, 1], the lexical share of the squared length.

    Returns:
        [B, W + L] float32, rows of length 1.

    Raises:
        InvalidInput: shapes that do not fit, or λ outside [0, 1].
    """
    if dense.ndim != 2 or sketch.ndim != 2 or len(dense) != len(sketch):
        problem = f"has shape {list(sketch.shape)} beside dense {list(dense.shape)}"
        raise InvalidInput("sketch", problem, "give [B, W] and [B, L] with the same B")
    if not 0 <= lexical_weight <= 1:
        raise InvalidInput("lexical_weight", f"{lexical_weight!r} is out of range", "give 0 to 1")
    share = torch.where(sketch.any(dim=1, keepdim=True), lexical_weight, 0.0)
    parts = (1 - share).sqrt() * _unit(dense), share.sqrt() * _unit(sketch)
    return torch.cat(parts, dim=1).to(torch.float32)


def _unit(rows: Tensor) -> Tensor:
    return torch.nn.functional.normalize(rows.to(torch.float32), dim=1)


def _add_up(texts: list[str], width: int, features: Callable[[str], Sequence[tuple[int, float]]]) -> Tensor:
    """[B, width] unit rows from (bucket, value) features; a row without any stays zero."""
    if not texts or not width:
        return torch.zeros(len(texts), width)
    placed = [
        (row * width + bucket, value) for row, text in enumerate(texts) for bucket, value in features(text)
    ]
    cells = np.array([cell for cell, _ in placed], dtype=np.int64)
    values = np.array([value for _, value in placed], dtype=np.float64)
    sums = np.zeros((len(texts), width))
    np.add.at(sums.reshape(-1), cells, values)  # adds in the order given: the same bits each time
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    unit = np.divide(sums, length, out=np.zeros_like(sums), where=length > 0)
    return torch.from_numpy(unit.astype(np.float32))


def _digest(feature: str) -> tuple[int, int]:
    """Two independent 64-bit numbers of a feature."""
    digest = blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


@of_texts(8_192)
def _two_buckets(stem: str, buckets: int) -> tuple[tuple[int, int], ...]:
    """Two different buckets (one, if there is only one) and a sign for each."""
    first, second = _digest(stem)
    one = (first >> 1) % buckets
    if buckets == 1:
        return ((one, 1 - 2 * (first & 1)),)
    other = (one + 1 + (second >> 1) % (buckets - 1)) % buckets
    return (one, 1 - 2 * (first & 1)), (other, 1 - 2 * (second & 1))


def _bucket(feature: str, width: int) -> tuple[int, int]:
    number, _ = _digest(feature)
    return (number >> 1) % width, 1 - 2 * (number & 1)


@of_texts(8_192)
def _spelling(stem: str, width: int) -> tuple[tuple[int, float], ...]:
    """Buckets and values of a stem and of its n-grams of 3 and 4 characters, edges marked."""
    edged = f"<{stem}>"
    ngrams = [edged[i : i + n] for n in (3, 4) for i in range(len(edged) - n + 1)]
    weights = [(f"={stem}", 1.0)] + [(ngram, NGRAM_SHARE / math.sqrt(len(ngrams))) for ngram in ngrams]
    placed = [(_bucket(feature, width), weight) for feature, weight in weights]
    return tuple((bucket, sign * weight) for (bucket, sign), weight in placed)
