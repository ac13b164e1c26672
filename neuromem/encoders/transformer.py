"""The accurate encoder of our own: a small BERT trained to find facts by questions in other words.

Its weights are in the package, so nothing is downloaded and no other package is needed. They started
from all-MiniLM-L6-v2 (Apache-2.0); `checkpoints/transformer.md` says what became of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..shipped import checkpoint_path
from .base import Span, checked_texts
from .bert import Bert, BertConfig
from .bert8 import WORDS, Bert8
from .int8file import identity_of_tensors, read_checkpoint, write_checkpoint
from .own import FULL_WIDTH, OwnEncoder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["Parts", "TransformerEncoder", "identity_of_lowest", "lowest_layers", "save_transformer"]

KIND = "transformer"
EAR = "ear.safetensors"
HEADS, EPS, MOST_TOKENS = 12, 1e-12, 256  # as all-MiniLM-L6-v2

Parts = tuple[dict[str, Tensor], "Tokenizer", BertConfig]
"""weights by name, what cuts words, shape"""


class TransformerEncoder(OwnEncoder[Bert | Bert8]):
    """The accurate encoder: a BERT, the mean of its token vectors; in 8-bit integers on a CPU."""

    kind = KIND

    @cached_property
    def ear(self) -> TransformerEncoder | None:
        """This encoder for what a speech recognizer wrote (`ear.py`); None where it was taught nothing.

        A subclass that encodes in a way of its own has none: its vectors may lie elsewhere.
        """
        from .ear import Ear, belongs

        own, ours = type(self), TransformerEncoder
        if own.encode is not ours.encode or own.encode_words is not ours.encode_words:
            return None
        layers = checkpoint_path(EAR)
        return Ear(self, layers) if belongs(layers, self.path) else None

    def _read(self) -> Bert | Bert8:
        on_cpu = self.device.type == "cpu"
        return Bert8(*self._parts()) if on_cpu else Bert(*self._parts(), self.device)

    def _parts(self) -> Parts:
        return _parts(self.path, keep_int8=(WORDS,) if self.device.type == "cpu" else ())

    def _width_of(self, model: Bert | Bert8) -> int:
        return model.width

    def _vectors(self, model: Bert | Bert8, texts: list[str]) -> Tensor:
        return model.encode(texts)

    @property
    def alone(self) -> bool:
        """Whether texts go through one by one: a batch gains nothing, and changes no bit of any vector."""
        return self.device.type == "cpu"

    @property
    def word_senses(self) -> str:
        """See `WordEncoder`: made for states of the usual size."""
        return "transformer-senses.safetensors" if self.load().width == FULL_WIDTH else ""

    @torch.no_grad()
    def encode_words(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[Tensor, Tensor]:
        """[B, width] and [W, 384]: see `WordEncoder.encode_words`."""
        checked = checked_texts(texts)
        if not checked:
            return torch.zeros(0, self.width), torch.zeros(0, FULL_WIDTH)
        vectors, words = self.load().encode_words(checked, spans)
        return self._narrowed(vectors), words


def lowest_layers(path: Path, layers: int) -> Bert:
    """The words and so many layers of a checkpoint, for a network on the CPU that goes on from there."""
    weights, words, shape = _parts(path)
    return Bert(weights, words, shape._replace(layers=layers), torch.device("cpu"), half=True)


def identity_of_lowest(path: Path, layers: int) -> str:
    """Names what `lowest_layers` are made of: what is trained above them leaves it as it is."""
    below = ("vocabulary", "embeddings.", *(f"encoder.layer.{index}." for index in range(layers)))
    return identity_of_tensors(path, lambda name: name.startswith(below) and not name.endswith(".peaks"))


def _parts(path: Path, keep_int8: Collection[str] = ()) -> Parts:
    weights, config = read_checkpoint(path, KIND, keep_int8)
    vocabulary = bytes(weights.pop("vocabulary").tolist()).decode().split("\n")
    return weights, word_pieces(vocabulary), BertConfig(HEADS, EPS, config["layers"], MOST_TOKENS)


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
