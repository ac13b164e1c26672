"""What the two encoders of our own share: a checkpoint, a width, a name, and loading once."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import InvalidInput
from ..shipped import checkpoint_path
from .base import checked_texts, pick_encoder_device
from .int8file import identity_of

__all__ = ["FULL_WIDTH", "OwnEncoder"]

FULL_WIDTH = 384
Model = TypeVar("Model")


class OwnEncoder(ABC, Generic[Model]):
    """A shipped model as an `Encoder`; loaded when first used, safe across threads."""

    kind: ClassVar[str]

    def __init__(self, path: str | Path | None = None, width: int | None = None, device: str = "cpu") -> None:
        """
        Args:
            path: a checkpoint; None takes the shipped one.
            width: entries of a vector to keep (Matryoshka): the first so many, made unit length again;
                None keeps all 384. Trained at 384, 192 and 96.
            device: any torch device; vectors always come back on the CPU.

        Raises:
            InvalidInput: no such kind of device, or a width below 1 or above 384.
        """
        self.path = Path(path) if path else checkpoint_path(f"{self.kind}.safetensors")
        self.device = pick_encoder_device(device)
        self._wanted = width
        self._lock = threading.Lock()
        self._model: Model | None = None
        if width is not None and not 1 <= width <= FULL_WIDTH:
            raise InvalidInput(
                "width", f"{width} is out of range", "give 1 to 384; trained at 384, 192 and 96"
            )

    @cached_property
    def name(self) -> str:
        """Kind, width and hash of the weights."""
        return f"{self.kind}:{self.width}@{identity_of(self.path)}"

    @cached_property
    def width(self) -> int:
        """Entries of a vector."""
        return self._wanted or self._width_of(self.load())

    def load(self) -> Model:
        """Loads the weights, if that has not been done; `encode` does it by itself.

        Raises:
            NotFound, InvalidInput: there is no such checkpoint.
        """
        with self._lock:
            if self._model is None:
                self._model = self._read()
            return self._model

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """[B, width]: see `Encoder.encode`."""
        checked = checked_texts(texts)
        if not checked:
            return torch.zeros(0, self.width)
        return self._narrowed(self._vectors(self.load(), checked))

    def _narrowed(self, rows: Tensor) -> Tensor:
        """The first `width` entries of unit rows, of unit length."""
        if self.width < rows.shape[1]:
            rows = functional.normalize(rows[:, : self.width], dim=1)
        return rows

    @abstractmethod
    def _read(self) -> Model:
        """The model of the checkpoint."""

    @abstractmethod
    def _width_of(self, model: Model) -> int:
        """Entries of the model's vectors."""

    @abstractmethod
    def _vectors(self, model: Model, texts: list[str]) -> Tensor:
        """[B, width of the model] unit rows on the CPU."""
