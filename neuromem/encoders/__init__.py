"""Encoders: words → a unit vector, the meaning part of a key.

`sentence` runs any sentence-transformers model that is on this machine; `hash` needs no model and
knows spelling only. Anything with `name`, `width` and `encode` (see `Encoder`) can take their place.
"""

from __future__ import annotations

from ..errors import InvalidInput
from .base import CachedEncoder, Encoder, WrappedEncoder
from .lexical import HashEncoder, LexicalSketch, join_keys
from .sentence import SentenceEncoder

__all__ = [
    "CachedEncoder",
    "Encoder",
    "HashEncoder",
    "LexicalSketch",
    "SentenceEncoder",
    "WrappedEncoder",
    "join_keys",
    "load_encoder",
]


def load_encoder(spec: str | Encoder | None = None) -> Encoder:
    """The encoder that a setting names.

    Args:
        spec: None or "sentence" (all-MiniLM-L6-v2 from its package), "sentence:NAME_OR_FOLDER", "hash",
            or an encoder, which is given back.

    Raises:
        InvalidInput: no such encoder.
        NotFound: the model is not on this machine.
        MissingDependency: a package that the encoder needs is not installed.
    """
    if spec is None:
        return SentenceEncoder()
    if not isinstance(spec, str):
        lacking = {"name", "width", "encode"} - set(dir(spec))  # hasattr would compute the name
        if lacking:
            problem = f"{type(spec).__name__} has no {' and no '.join(sorted(lacking))}"
            raise InvalidInput("encoder", problem, "give a name, or an object that is an Encoder")
        return spec
    kind, _, model = spec.partition(":")
    if kind == "sentence":
        return SentenceEncoder(model or None)
    if spec == "hash":
        return HashEncoder()
    raise InvalidInput(
        "encoder", f"{spec!r} is not known", "choose sentence, sentence:NAME_OR_FOLDER or hash"
    )
