"""What an encoder is, and a cache in front of one for queries."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from ..errors import InvalidInput
from ..together import Together

__all__ = [
    "CachedEncoder",
    "Encoder",
    "WrappedEncoder",
    "checked_texts",
    "pick_encoder_device",
]

MOST_TOGETHER = 16  # queries encoded in one batch


class Encoder(Protocol):
    """Turns texts into unit vectors whose cosine says how near their meanings are."""

    @property
    def name(self) -> str:
        """Identity, with a hash of the weights: a bank refuses keys of an encoder of another name."""

    @property
    def width(self) -> int:
        """Entries of a vector."""

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Vectors of texts; the same list gives the same bits.

        Returns:
            [B, width] float32 on the CPU, rows of length 1; [0, width] for no text.

        Raises:
            InvalidInput: `texts` is one string, or holds something else than strings.
        """


class WrappedEncoder:
    """An encoder around another one: all is passed on that a subclass does not change."""

    def __init__(self, encoder: Encoder) -> None:
        """
        Args:
            encoder: does the work.
        """
        self.encoder = encoder

    @property
    def name(self) -> str:
        """The encoder's own."""
        return self.encoder.name

    @property
    def width(self) -> int:
        """The encoder's own."""
        return self.encoder.width

    def encode(self, texts: Sequence[str]) -> Tensor:
        """[B, width]: as the encoder's own."""
        return self.encoder.encode(texts)


class CachedEncoder(WrappedEncoder):
    """An encoder that remembers the vectors of the last queries (LRU, safe across threads).

    Only `query` uses the cache, and joins questions of many threads in one pass (`together.py`). `encode`,
    with which memories are written, does neither: a rebuild must give the same bits whatever was asked in
    between, and a vector encoded alone may differ in its last bits from the same one encoded in a batch.
    """

    def __init__(self, encoder: Encoder, capacity: int = 512) -> None:
        """
        Args:
            encoder: does the work.
            capacity: most queries remembered, >= 0.

        Raises:
            InvalidInput: a negative capacity.
        """
        if capacity < 0:
            raise InvalidInput("capacity", f"{capacity} is negative", "give 0 or more queries")
        super().__init__(encoder)
        self.capacity = capacity
        self._vectors: OrderedDict[str, Tensor] = OrderedDict()
        self._lock = threading.Lock()
        self._asked: Together[str, Tensor] = Together(lambda texts: list(self._pass(texts)), MOST_TOGETHER)

    def query(self, text: str) -> Tensor:
        """[width]: the vector of one text, from the cache when it is there (a copy: change it freely)."""
        with self._lock:
            vector = self._vectors.get(text)
            if vector is not None:
                self._vectors.move_to_end(text)
        if vector is None:
            vector = self._asked(text)  # with those of other threads: a batch costs little more than one
            self._keep(text, vector)
        return vector.clone()

    def _pass(self, texts: Sequence[str]) -> Tensor:
        """[B, width]: of one text as `encode` gives it; of several in one pass, if the encoder has that."""
        together = getattr(self.encoder, "encode_together", None)
        if together is None or len(texts) == 1:
            return torch.cat([self.encoder.encode([text]) for text in texts])
        vectors: Tensor = together(texts)
        return vectors

    def _keep(self, text: str, vector: Tensor) -> None:
        with self._lock:
            self._vectors[text] = vector
            self._vectors.move_to_end(text)
            while len(self._vectors) > self.capacity:
                self._vectors.popitem(last=False)


def checked_texts(texts: Sequence[str]) -> list[str]:
    """The texts as a list that can be written as UTF-8: lone surrogates become question marks.

    Raises:
        InvalidInput: `texts` is one string, or holds something else than strings.
    """
    if isinstance(texts, str):
        raise InvalidInput("texts", "is one string", "give a list of strings")
    for text in texts:
        if not isinstance(text, str):
            raise InvalidInput("texts", f"holds {text!r:.40}, no string", "give only strings")
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]


def pick_encoder_device(device: str) -> torch.device:
    """The torch device of that name.

    Raises:
        InvalidInput: no such kind of device.
    """
    try:
        return torch.device(device)
    except RuntimeError as error:
        raise InvalidInput("device", f"{device!r} is not one", "give cpu, cuda or mps") from error
