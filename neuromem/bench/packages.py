"""Markdown and source code that nobody trained on: the descriptions and modules of the installed packages."""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from itertools import islice
from pathlib import Path

from ..ladder import TEXT_BYTES
from ..text import split_to_fit

__all__ = ["package_texts"]

FILES, BYTES = 12, 40_000  # modules of a package; bytes of each that are looked at


def package_texts(count: int, seed: int) -> dict[str, list[str]]:
    """Pieces as a memory cuts them, `count` of "markdown" and of "code"; fewer where there are no more.

    Which they are depends on the packages of the environment, and on the seed.
    """
    rng = random.Random(seed)
    every = sorted(distributions(), key=lambda package: package.metadata["Name"].lower())
    rng.shuffle(every)
    told = {"markdown": map(_description, every), "code": map(_modules, every)}
    return {
        name: list(islice((piece for text in texts for piece in _some(text, rng)), count))
        for name, texts in told.items()
    }


def _some(text: str, rng: random.Random) -> Iterator[str]:
    """A tenth of the pieces of a text, at most twenty."""
    pieces = split_to_fit(text, TEXT_BYTES)
    yield from rng.sample(pieces, min(20, len(pieces) // 10))


def _description(package: Distribution) -> str:
    _, _, description = (package.read_text("METADATA") or "").partition("\n\n")
    return description


def _modules(package: Distribution) -> str:
    modules = (file for file in package.files or () if file.suffix == ".py" and "test" not in str(file))
    read = (Path(str(file.locate())).read_bytes()[:BYTES] for file in islice(modules, FILES))
    return b"".join(read).decode(errors="ignore")
