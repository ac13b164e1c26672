"""Many gists in one vector: holographic reduced representations (Plate 1995), for research.

A slot holds one memory; a `Hologram` holds all that are put into it, one over the other, in as many numbers
as one has. Each part of a gist (subject, relation, object) has a random vector of its own, three are bound
into one by circular convolution, and bound ones are added up. What two parts were told with is asked by
undoing their binding, and read off by the likeness of what is left with the vectors of known parts.

>>> hologram = Hologram.of(["1|dog name|Potola", "1|home|Porto", "Rosa|job|nurse"])
>>> hologram.ask(subject="1", relation="dog name")[0].part
'Potola'
>>> hologram.ask(relation="job", object="nurse")[0].part
'Rosa'

It is lossy by nature: what was not asked for is noise, of a deviation of the square root of n / width beside
the 1 of what was told, for n gists. `neuromem bench holographic` measures how many can be told apart. Banks,
recall and sleep do not use it. The vectors' spectra have magnitude 1 (Plate's unitary vectors), so that
undoing a binding is exact; a name, a role and a seed always give the same vector.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from hashlib import shake_256
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from .errors import InvalidInput
from .facts.gist import parse_gist

__all__ = ["ROLES", "Found", "Hologram", "bind", "symbol", "unbind"]

ROLES = ("subject", "relation", "object")
WIDEST = 1 << 20


class Found(NamedTuple):
    """A part that may be the answer."""

    part: str
    score: float  # about 1 for what was told, about 0 for what was not


def symbol(name: str, role: str, width: int, seed: int = 0) -> Tensor:
    """The vector of a part of a gist, [width] float32 of length 1, with a spectrum of magnitude 1.

    Args:
        name: case does not matter. role: one of `ROLES`; a name has another vector in each.
    """
    key = f"{seed}\0{role}\0{name.casefold()}".encode()
    drawn = np.frombuffer(shake_256(key).digest(4 * (width // 2 + 1)), dtype="<u4")
    angles = drawn.astype(np.float64) * (2 * math.pi / 2**32)
    spectrum = np.exp(1j * angles)
    spectrum[0] = math.copysign(1, spectrum[0].real)  # those of no frequency and of half the rate are real
    if width % 2 == 0:
        spectrum[-1] = math.copysign(1, spectrum[-1].real)
    return torch.from_numpy(np.fft.irfft(spectrum, width).astype(np.float32))


def bind(one: Tensor, other: Tensor) -> Tensor:
    """Circular convolution of vectors [..., W]: like neither of them."""
    bound: Tensor = torch.fft.irfft(torch.fft.rfft(one) * torch.fft.rfft(other), n=one.shape[-1])
    return bound


def unbind(bound: Tensor, one: Tensor) -> Tensor:
    """What was bound with `one`, vectors [..., W] (circular correlation); exact where `one` is a `symbol`."""
    other: Tensor = torch.fft.irfft(torch.fft.rfft(bound) * torch.fft.rfft(one).conj(), n=bound.shape[-1])
    return other


class Hologram:
    """One vector that holds many gists, and beside it a list of their parts to know the answers by.

    What is deleted from a memory stays in one that was made of it before.

    Args:
        width: W, its numbers; even, 16 to 2^20.
        seed: of the vectors of all parts.

    Raises:
        InvalidInput: the width is none.
    """

    def __init__(self, width: int = 4_096, seed: int = 0) -> None:
        if not (isinstance(width, int) and 16 <= width <= WIDEST and width % 2 == 0):
            raise InvalidInput("width", f"{width!r} is none", f"give an even number from 16 to {WIDEST}")
        self.width, self.seed = width, seed
        self.trace = torch.zeros(width)  # all that is held
        self._parts: dict[str, dict[str, str]] = {role: {} for role in ROLES}  # folded → as it was written

    @classmethod
    def of(cls, gists: Iterable[str], width: int = 4_096, seed: int = 0) -> Self:
        """One that holds these gists, such as ``recall.gist for recall in memory.all("ana")``.

        Those that are no whole triple are left out.
        """
        hologram = cls(width, seed)
        for gist in gists:
            hologram.add(gist)
        return hologram

    def add(self, gist: str) -> bool:
        """Lays a gist over the others; False, and nothing happens, where it is no whole triple."""
        return self._lay(gist, 1.0)

    def remove(self, gist: str) -> bool:
        """Takes a gist out that was added; False where it is no whole triple."""
        return self._lay(gist, -1.0)

    def _lay(self, gist: str, weight: float) -> bool:
        if "|" not in gist:
            return False
        parsed = parse_gist(gist)
        parts = (parsed.subject, parsed.relation, parsed.object)
        if not all(parts):
            return False
        subject, relation, value = (self._vector(role, part) for role, part in zip(ROLES, parts, strict=True))
        self.trace += weight * bind(bind(subject, relation), value)
        for role, part in zip(ROLES, parts, strict=True):
            self._parts[role].setdefault(part.casefold(), part)
        return True

    def ask(
        self, subject: str | None = None, relation: str | None = None, object: str | None = None, *,
        among: Sequence[str] | None = None, limit: int = 5,
    ) -> list[Found]:  # fmt: skip
        """What was told with two parts of a gist, the likeliest first.

        Args:
            subject, relation, object: two of them; the third is asked for.
            among: what it may be; None: every part that was ever told in its place.
            limit: most answers.

        Raises:
            InvalidInput: not exactly two are given, or the limit is below 1.
        """
        given = {role: part for role, part in zip(ROLES, (subject, relation, object), strict=True) if part}
        if len(given) != 2:
            raise InvalidInput("parts", f"{len(given)} are given", "give two of subject, relation and object")
        if limit < 1:
            raise InvalidInput("limit", f"{limit} is too low", "give 1 or more")
        (wanted,) = (role for role in ROLES if role not in given)
        left = self.trace
        for role, part in given.items():
            left = unbind(left, self._vector(role, part))
        parts = list(self._parts[wanted].values() if among is None else among)
        found = [Found(part, float(left @ self._vector(wanted, part))) for part in parts]
        return sorted(found, key=lambda one: (-one.score, one.part))[:limit]

    def _vector(self, role: str, part: str) -> Tensor:
        return symbol(part, role, self.width, self.seed)
