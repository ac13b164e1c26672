"""How much bytes matter, and by that how they travel: the classes of a graded message.

A class has a band of its own (`plan.BANDS`), so a load and a code rate, and a share of parity over its
packets. What does not fit its band goes by a better one, never by a worse one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from ...errors import InvalidInput
from .plan import Band, Mode

__all__ = ["PARITY", "Importance", "bands_of", "levels"]


class Importance(IntEnum):
    """The classes, what matters most first."""

    CONTROL = 0  # without it nothing else can be read: directory, lengths, hashes
    CRITICAL = 1
    RELIABLE = 2
    STANDARD = 3
    HIGH_DENSITY = 4
    ULTRASONIC = 5  # may be lost without regret; its band is in the mode "ultra" only

    @property
    def label(self) -> str:
        """As its band is called."""
        return self.name.lower().replace("_", "-")


STEPS = 8  # of parity for each packet of content: level 4 is a half
MOST_LEVEL = 15
PARITY = {
    Importance.CONTROL: 8,
    Importance.CRITICAL: 4,
    Importance.RELIABLE: 2,
    Importance.STANDARD: 1,
    Importance.HIGH_DENSITY: 0,
    Importance.ULTRASONIC: 0,
}
"""Eighths of a packet of parity for each packet of content."""


def levels(given: Mapping[Importance, int] | None) -> dict[Importance, int]:
    """`PARITY`, with some of it changed. Raises InvalidInput: out of range."""
    out = PARITY | dict(given or {})
    for level in out.values():
        if not isinstance(level, int) or not 0 <= level <= MOST_LEVEL:
            raise InvalidInput("parity", f"{level!r} eighths", f"give whole eighths, 0 to {MOST_LEVEL}")
    return out


def bands_of(importance: Importance, mode: Mode) -> list[int]:
    """Numbers of the mode's bands that the class may use: its own, then better ones, the nearest first."""
    return [at for at in reversed(range(len(mode.bands))) if _rank(mode.bands[at]) <= max(importance, 1)]


def _rank(band: Band) -> int:
    return Importance[band.name.upper().replace("-", "_")]
