"""Encoders: words → a unit vector, the meaning part of a key.

`transformer` (accurate) and `conv` (fast) are our own and come with the package; `sentence` runs any
sentence-transformers model that is on this machine; `hash` needs no model and knows spelling only.
Anything with `name`, `width` and `encode` (see `Encoder`) can take their place.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import InvalidInput, NotFound
from ..shipped import DEFAULT_ENCODER as DEFAULT
from ..shipped import ENCODERS, checkpoint_path
from .base import CachedEncoder, Encoder, WordEncoder, WrappedEncoder, ear_of, takes_alone, word_encoder
from .lexical import HashEncoder, LexicalSketch, join_keys
from .sentence import SentenceEncoder

__all__ = [
    "DEFAULT",
    "CachedEncoder",
    "Encoder",
    "HashEncoder",
    "LexicalSketch",
    "SentenceEncoder",
    "WordEncoder",
    "WrappedEncoder",
    "check_encoder",
    "ear_of",
    "join_keys",
    "load_encoder",
    "takes_alone",
    "word_encoder",
]

OWN = ("transformer", "conv")  # a checkpoint each
WIDTH = re.compile(r"[0-9]{1,6}", re.ASCII)


def load_encoder(spec: str | Encoder | None = None) -> Encoder:
    """The encoder that a setting names; its weights are loaded when it is first used.

    Args:
        spec: "transformer" or "conv" (with ":192" behind it the first 192 numbers of its vectors alone,
            with ":FILE.safetensors" another checkpoint); "sentence" (all-MiniLM-L6-v2 from its package);
            "sentence:NAME_OR_FOLDER"; "hash"; None for `DEFAULT`; or an encoder, which is given back.

    Raises:
        InvalidInput: no such encoder, or a width that it cannot have.
        NotFound: the model or checkpoint is not on this machine.
        MissingDependency: a package that the encoder needs is not installed.
    """
    check_encoder(spec)
    if spec is not None and not isinstance(spec, str):
        return spec
    kind, _, rest = (DEFAULT if spec is None else spec).partition(":")
    if kind in OWN:
        return _own(kind, rest)
    return SentenceEncoder(rest or None) if kind == "sentence" else HashEncoder()


def check_encoder(spec: str | Encoder | None) -> None:
    """Checks what a setting names, without looking for it.

    Raises:
        InvalidInput: it can be no encoder.
    """
    if spec is None:
        return
    if not isinstance(spec, str):
        lacking = {"name", "width", "encode"} - set(dir(spec))  # hasattr would compute the name
        if lacking:
            problem = f"{type(spec).__name__} has no {' and no '.join(sorted(lacking))}"
            raise InvalidInput("encoder", problem, "give a name, or an object that is an Encoder")
        return
    kind, colon, rest = spec.partition(":")
    if spec == "hash" or kind == "sentence" or spec in OWN:
        return
    if kind not in OWN or not colon:
        raise InvalidInput("encoder", f"{spec!r} is not known", f"choose {ENCODERS}")
    if not WIDTH.fullmatch(rest) and not rest.endswith(".safetensors"):
        problem = f"{spec!r} names neither a width nor a checkpoint"
        raise InvalidInput("encoder", problem, f"give for example {kind}:192 or {kind}:FILE.safetensors")


def _own(kind: str, rest: str) -> Encoder:
    """One of our own encoders, whole, of a width, or of another checkpoint."""
    width = int(rest) if WIDTH.fullmatch(rest) else None
    given = bool(rest) and width is None
    path = Path(rest).expanduser() if given else checkpoint_path(f"{kind}.safetensors")
    if not path.is_file():
        remedy = "give an existing file" if given else "reinstall neuromem, or choose another encoder"
        raise NotFound(f"the {kind} encoder's checkpoint {path} does not exist; {remedy}")
    if kind == "conv":
        from .conv import ConvEncoder

        return ConvEncoder(path, width)
    from .transformer import TransformerEncoder

    return TransformerEncoder(path, width)
