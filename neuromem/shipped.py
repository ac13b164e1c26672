"""What comes with the package: where its weights lie, and which encoder is used when none is named.

No other module of the package is needed to know this, so the command line's help can say it at once.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["DEFAULT_ENCODER", "ENCODERS", "checkpoint_path"]

DEFAULT_ENCODER = "transformer"
"""The encoder of ``Memory(encoder=None)``."""

ENCODERS = (
    "transformer, conv (either with a width, as in transformer:192, or a checkpoint, as in "
    "transformer:FILE.safetensors), sentence, sentence:NAME_OR_FOLDER or hash"
)
"""What an encoder may be called, for help and errors."""


def checkpoint_path(name: str) -> Path:
    """Where shipped weights are: in the installed package, else in the repository.

    Args:
        name: of the file, such as "codec.safetensors". It need not exist.
    """
    package = Path(__file__).parent / "checkpoints" / name
    return package if package.is_file() else Path(__file__).parents[1] / "checkpoints" / name
