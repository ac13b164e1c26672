"""What was read from weights a moment ago: the same weights at the same strength say the same."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Generic, TypeVar

import torch
from torch import Tensor

from .ladder import FIELDS, stair

__all__ = ["Lately"]

T = TypeVar("T")
CAPACITY = 32_768  # readings of 0.8 KB: a server says the memories of hundreds of owners in turn
DIGEST_BYTES = 16


class Lately(Generic[T]):
    """The last readings by the weights they were read from (LRU, safe across threads)."""

    def __init__(self, read: Callable[[Tensor, Tensor], list[T]], capacity: int = CAPACITY) -> None:
        """Args:
        read: reads values [B, V] at strengths [B]; a pure function of the weights and the stair of strength.
        """
        self.capacity, self._read = capacity, read
        self._readings: OrderedDict[bytes, T] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, values: Tensor, strength: Tensor) -> list[T]:
        """Readings; only what was not read a moment ago is read."""
        keys = _keys(values, strength)
        said = [self._get(key) for key in keys]
        new = [row for row, reading in enumerate(said) if reading is None]
        if new:
            for row, reading in zip(new, self._read(values[new], strength[new]), strict=True):
                said[row] = reading
                self._put(keys[row], reading)
        return [reading for reading in said if reading is not None]

    def note(self, values: Tensor, strength: Tensor, readings: Sequence[T | None], soon: bool = True) -> None:
        """Takes in what values [B, V] say at strengths [B], as it is known already; None: it is not.

        Args:
            soon: whether it is likely to be asked for; else it takes the place of nothing that was.
        """
        for key, reading in zip(_keys(values, strength), readings, strict=True):
            if reading is not None and (soon or len(self._readings) < self.capacity):
                self._put(key, reading)

    def _get(self, key: bytes) -> T | None:
        with self._lock:
            if key in self._readings:
                self._readings.move_to_end(key)
            return self._readings.get(key)

    def _put(self, key: bytes, reading: T) -> None:
        with self._lock:
            self._readings[key] = reading
            while len(self._readings) > self.capacity:
                self._readings.popitem(last=False)

    def forget(self) -> None:
        """Drops all of it."""
        with self._lock:
            self._readings.clear()


def _keys(values: Tensor, strength: Tensor) -> list[bytes]:
    """What readings are found by: digests, a thirtieth of the weights themselves."""
    stairs = stair(strength, max(field.stairs for field in FIELDS)).double().numpy()
    rows = values.to(torch.int8).cpu().numpy()
    return [
        blake2b(row.tobytes() + step.tobytes(), digest_size=DIGEST_BYTES).digest()
        for row, step in zip(rows, stairs, strict=True)
    ]
