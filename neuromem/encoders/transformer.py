"""The accurate encoder of our own: a small BERT trained to find facts by questions in other words.

Its weights are in the package, so nothing is downloaded and no other package is needed. They started
from all-MiniLM-L6-v2 (Apache-2.0); `checkpoints/transformer.md` says what became of them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..errors import InvalidInput
from .base import checked_texts, checkpoint_path, pick_encoder_device
from .bert import Bert, BertConfig
from .int8file import identity_of, read_checkpoint, write_checkpoint

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["TransformerEncoder", "save_transformer"]

KIND = "transformer"
HEADS, EPS, MOST_TOKENS = 12, 1e-12, 256  # as all-MiniLM-L6-v2


class TransformerEncoder:
    """The shipped transformer as an `Encoder`; loaded when first used, safe across threads."""

    def __init__(self, path: str | Path | None = None, width: int | None = None, device: str = "cpu") -> None:
        """
        Args:
            path: a checkpoint; None takes the shipped one.
            width: entries of a vector to keep (Matryoshka): the first so many, made unit length again;
                None keeps all 384. Trained at 384, 192 and 96.
            device: any torch device; vectors always come back on the CPU.

        Raises:
            NotFound: no such file.
            InvalidInput: no such kind of device, or a width below 1 or above the model's.
        """
        self.path = Path(path) if path else checkpoint_path("transformer.safetensors")
        self.device = pick_encoder_device(device)
        self._wanted = width
        self._lock = threading.Lock()
        self._model: Bert | None = None
        if width is not None and not 1 <= width <= 384:
            raise InvalidInput(
                "width", f"{width} is out of range", "give 1 to 384; trained at 384, 192 and 96"
            )

    @cached_property
    def name(self) -> str:
        """Kind, width and hash of the weights."""
        return f"{KIND}:{self.width}@{identity_of(self.path)}"

    @cached_property
    def width(self) -> int:
        """Entries of a vector."""
        return self._wanted or self.load().width

    def load(self) -> Bert:
        """Loads the weights, if that has not been done; `encode` does it by itself.

        Raises:
            NotFound, InvalidInput: there is no such checkpoint.
        """
        with self._lock:
            if self._model is None:
                weights, config = read_checkpoint(self.path, KIND)
                vocabulary = bytes(weights.pop("vocabulary").tolist()).decode().split("\n")
                shape = BertConfig(HEADS, EPS, config["layers"], MOST_TOKENS)
                self._model = Bert(weights, word_pieces(vocabulary), shape, self.device)
            return self._model

    def encode(self, texts: Sequence[str]) -> Tensor:
        """[B, width]: see `Encoder.encode`."""
        checked = checked_texts(texts)
        if not checked:
            return torch.zeros(0, self.width)
        rows = self.load().encode(checked)
        return (
            rows
            if rows.shape[1] == self.width
            else torch.nn.functional.normalize(rows[:, : self.width], dim=1)
        )


def word_pieces(vocabulary: Sequence[str]) -> Tokenizer:
    """BERT's uncased tokenizer over a vocabulary."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    ids = {word: index for index, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, ends)
    return tokenizer


def save_transformer(
    weights: Mapping[str, Tensor], vocabulary: Sequence[str], path: str | Path, notes: Mapping[str, str]
) -> None:
    """Writes a checkpoint from a state dict of Hugging Face's `BertModel` and the words of its vocabulary."""
    layers = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))
    kept = {
        name: value for name, value in weights.items() if value.is_floating_point() and "pooler" not in name
    }
    words = torch.frombuffer(bytearray("\n".join(vocabulary).encode()), dtype=torch.uint8)
    write_checkpoint(kept | {"vocabulary": words}, path, {"kind": KIND, "layers": layers}, notes)
