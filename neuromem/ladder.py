"""The value of a slot: which units say what, and what is left of them at a given strength.

A value is 30 patches of 16 int8 units. Twenty *verbatim* patches hold the words themselves, eight
bytes each; ten *gist* patches hold the compressed form in four fields. What makes the value
*ordered* is amplitude: the fragile fields are stored low, the robust ones high, so that each is only
a few grid steps high at the strength where its rung of the ladder ends::

    field      patches   bytes   lives while s >=   grid steps at s = 1   … at its end
    verbatim   20        160     0.35                36                  12.6
    rest        4         32     0.20                44                   8.8
    initial     1          8     0.126               64                   8.1
    relation    3         24     0.063              100                   6.3
    subject     2         16     0.0315             127                   4.0

As strength falls the weights shrink and the grid rounds their detail away; a field that is no longer
high enough to be read without error is in the dead zone and is zero. So the details go first, then
the attributes, then the fact, and nothing half-right is shown on the way.

Shrinkage is physical in whole halvings, one after the other, because rounding after each of many
small steps would not compose (3 · 0.9 rounds to 3, for ever). What is left of a strength after its
halvings, a fraction in (0.5, 1], is applied when the slot is read. So a bank that slept every night
and a bank that never slept say the same words at the same time.

A fraction is rounded up to a *stair*: four to an octave for the words, one (the halving itself) for
the gist, whose thresholds lie just above a halving, so that its last stair is twice as high as its
end. So a field has few states in all its life, and writing proves each of them (`write.py`):
between two proven strengths there is none at which a letter could tip over unseen.

Axes: B slots, V units of a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .forgetting import THRESHOLDS, Fidelity

Array = np.ndarray[Any, Any]

__all__ = [
    "FIELDS",
    "GIST_FIELDS",
    "PATCH_BYTES",
    "TEXT_BYTES",
    "UNITS",
    "VALUE_UNITS",
    "VERBATIM",
    "Field",
    "alive",
    "dead_zone",
    "halve",
    "in_use",
    "octaves",
    "stages",
    "stair",
    "worn",
]

PATCH_BYTES = 8
UNITS = 16  # units of one patch
QUIET = 0.25  # of the highest patch of a field; written codes stay above 0.45
MAX_HALVINGS = 8  # int8 has nothing left after these


@dataclass(frozen=True, slots=True)
class Field:
    """A run of patches that lives and dies together."""

    index: int  # told to the decoder: words and gists have different habits
    name: str
    rung: Fidelity  # the rung that ends with it
    patches: int
    first: int  # its first patch in the value
    threshold: float  # strength below which it is gone
    amplitude: float  # grid steps at strength 1
    stairs: int  # to an octave of strength: the states in which it is read

    @property
    def capacity_bytes(self) -> int:
        """Bytes that it holds."""
        return self.patches * PATCH_BYTES

    @property
    def units(self) -> slice:
        """Its columns in a value."""
        return slice(self.first * UNITS, (self.first + self.patches) * UNITS)


def _layout() -> tuple[Field, ...]:
    rows = (
        ("verbatim", Fidelity.VERBATIM, 20, 36.0, 4),
        ("rest", Fidelity.GIST, 4, 44.0, 1),
        ("initial", Fidelity.PARTIAL, 1, 64.0, 1),
        ("relation", Fidelity.ENTITY, 3, 100.0, 1),
        ("subject", Fidelity.SUBJECT, 2, 127.0, 1),
    )
    fields, first = [], 0
    for index, (name, rung, patches, amplitude, stairs) in enumerate(rows):
        fields.append(Field(index, name, rung, patches, first, THRESHOLDS[rung], amplitude, stairs))
        first += patches
    return tuple(fields)


FIELDS = _layout()
VERBATIM = FIELDS[0]
GIST_FIELDS = FIELDS[:0:-1]
"""Subject, relation, initial, rest: the order in which a gist is said."""
TEXT_BYTES = VERBATIM.capacity_bytes
VALUE_UNITS = sum(field.patches for field in FIELDS) * UNITS
_THRESHOLDS = torch.tensor([field.threshold for field in FIELDS], dtype=torch.float64)  # [fields]
_FIELD_OF_UNIT = torch.tensor([field.index for field in FIELDS]).repeat_interleave(
    torch.tensor([field.patches * UNITS for field in FIELDS])
)  # [V]


def octaves(strength: Tensor) -> tuple[Tensor, Tensor]:
    """Strengths [B] as (halvings [B] int64, fraction [B] in (0.5, 1]): s = fraction · 2^-halvings."""
    mantissa, exponent = torch.frexp(strength.float().cpu())  # on the CPU: not every device has frexp
    whole = (mantissa == 0.5).to(torch.int32)  # an exact power of two keeps fraction 1
    return (whole - exponent).long().to(strength.device), (mantissa * (1 + whole)).to(strength.device)


def stair(strength: Tensor, stairs: Tensor | int) -> Tensor:
    """The stair at which fields are read at strengths [B]: the next one up, of `stairs` to an octave. [B]"""
    exact = strength.float().cpu()
    step = torch.ceil(torch.log2(exact.double()) * stairs)
    lower = torch.exp2((step - 1) / stairs).float()  # is its own stair, although its logarithm was rounded
    found = torch.where(exact <= lower, lower, torch.exp2(step / stairs).float())
    return found.to(strength.device)


def halve(weights: Tensor, times: Tensor) -> Tensor:
    """Halves each row [B, V] int8 `times` [B] times, rounding to the grid after each (half to even)."""
    out = weights.float()
    for step in range(min(int(times.max()) if len(times) else 0, MAX_HALVINGS)):
        out = torch.where((times > step)[:, None], torch.round(out / 2), out)
    return out.to(torch.int8)


def dead_zone(values: Tensor, strength: Tensor, floor: Tensor) -> Tensor:
    """Zeroes, in values [B, V], the fields that cannot be read any more at strengths [B].

    `floor` [B] is the lowest strength at which each slot's words were verified at writing: above
    the field's own threshold for the few texts that are hard to write.
    """
    device = values.device
    limits = _THRESHOLDS.to(device, floor.dtype).repeat(len(floor), 1)
    limits[:, VERBATIM.index] = floor.clamp(min=VERBATIM.threshold)
    living = (strength[:, None] >= limits)[:, _FIELD_OF_UNIT.to(device)]
    return torch.where(living, values, torch.zeros((), dtype=values.dtype, device=device))


def stages(strength: Array, lost: Array, floor: Array) -> Array:
    """[B] equal for strengths at which the same weights are `worn` to the same, and so say the same.

    Args:
        strength: [B] float64 present strengths. lost: [B] halvings' worth of detail that is gone for good.
        floor: [B] float32 as in `dead_zone`.
    """
    left = np.minimum(strength, 2.0**-lost).clip(min=2.0**-MAX_HALVINGS).astype(np.float32)
    limits = np.repeat(_THRESHOLDS.numpy().astype(np.float32)[None], len(left), axis=0)
    limits[:, VERBATIM.index] = floor.clip(min=np.float32(VERBATIM.threshold))
    living = (left[:, None] >= limits).sum(axis=1)
    stairs = _stairs(torch.device("cpu"))[0].numpy()
    found: Array = np.searchsorted(stairs, left) * 2 * len(FIELDS) + living
    return found


def worn(values: Tensor, halvings: Tensor, strength: Tensor, floor: Tensor) -> Tensor:
    """What the grid holds at the present strength.

    Args:
        values: [B, V] int8, already halved `halvings` [B] times.
        strength: [B] present strength; floor: [B] as in `dead_zone`.

    Returns:
        [B, V] float32, whole grid steps.
    """
    stairs, turns, fractions = _stairs(strength.device)
    step = turns - torch.bucketize(strength, stairs)  # stairs down from strength 1
    if not bool((step | halvings).any() | (strength < floor).any()):
        return values.float()  # as it was written: what was heard lately
    left = halve(values, step // VERBATIM.stairs - halvings).float()
    # of the other fields one stair to an octave is the octave itself: no fraction is left
    left[:, VERBATIM.units] *= fractions[step % VERBATIM.stairs][:, None]
    return dead_zone(left.round_(), strength, floor)


@cache
def _stairs(device: torch.device) -> tuple[Tensor, int, Tensor]:
    """The stairs of the words (float32, rising to 1), how many lie below 1, those of an octave, falling."""
    octave = stair(torch.exp2(-torch.arange(VERBATIM.stairs) / VERBATIM.stairs), VERBATIM.stairs)
    every = (octave * 2.0 ** -torch.arange(MAX_HALVINGS + 2.0)[:, None]).flatten()
    return every.flip(0).contiguous().to(device), len(every) - 1, octave.to(device)


def in_use(patches: Tensor) -> Tensor:
    """[..., P] True for patches [..., P, U] that hold a code: noise on empty ones is far lower than any."""
    height = patches.float().square().mean(dim=-1).sqrt()
    return height > QUIET * height.amax(dim=-1, keepdim=True)


def alive(values: Tensor) -> Tensor:
    """[B, fields] True where a field of values [B, V] still holds anything."""
    return torch.stack([(values[:, field.units] != 0).any(dim=1) for field in FIELDS], dim=1)
