"""The transformer's ear: questions that a speech recognizer wrote, in the same space as all else.

A recognizer writes small letters and no signs, and one word in ten is another than was said. The lower layers
are the transformer's; the upper ones were taught to give such a question the vector of what was said
(`training/train_hearing.py`). Memories are never encoded by it, so no key depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from .int8file import config_of, identity_of, read_checkpoint, write_checkpoint
from .transformer import Parts, TransformerEncoder

__all__ = ["KIND", "Ear", "belongs", "save_ear"]

KIND = "ear"
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.")


class Ear(TransformerEncoder):
    """A transformer with the upper layers that were taught to hear."""

    def __init__(self, encoder: TransformerEncoder, layers: Path) -> None:
        """
        Args:
            encoder: whose words, lower layers, width and device these are. layers: file of those taught.
        """
        super().__init__(encoder.path, encoder.width, str(encoder.device))
        self.layers = layers

    @property
    def ear(self) -> None:
        """It has no other."""
        return None

    def _parts(self) -> Parts:
        weights, words, shape = super()._parts()
        upper, _ = read_checkpoint(self.layers, KIND)
        return weights | upper, words, shape


def belongs(layers: Path, encoder: Path) -> bool:
    """Whether a file holds layers that were taught for this checkpoint of the transformer.

    Raises:
        InvalidInput: the file is there and no such checkpoint.
    """
    return layers.is_file() and config_of(layers, KIND)["encoder"] == identity_of(encoder)


def save_ear(
    weights: Mapping[str, Tensor], upper: int, encoder: Path, path: Path, notes: Mapping[str, str]
) -> None:
    """Writes the uppermost layers of a transformer that was taught to hear.

    Args:
        weights: its state dict, with the peaks of its products where they were measured.
        upper: how many layers, from the top. encoder: the checkpoint to which the others belong.
    """
    layer_of = {name: int(found[1]) for name in weights if (found := _LAYER.match(name))}
    first = 1 + max(layer_of.values()) - upper
    kept = {name: weights[name] for name, layer in layer_of.items() if layer >= first}
    write_checkpoint(kept, path, {"kind": KIND, "encoder": identity_of(encoder), "layers": upper}, notes)
