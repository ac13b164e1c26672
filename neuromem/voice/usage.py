"""What a turn costs: seconds of CPU, and joules where the processor counts them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Meter", "joules"]

RAPL = Path("/sys/class/powercap")


def joules() -> float | None:
    """What Intel's and AMD's counters (RAPL) tell of all packages; None where none can be read."""
    total, found = 0.0, False
    for place in sorted(RAPL.glob("intel-rapl:?")):
        try:
            total += int((place / "energy_uj").read_text()) / 1e6
            found = True
        except (OSError, ValueError):  # readable by root alone on most machines
            continue
    return total if found else None


@dataclass(slots=True)
class Meter:
    """Counts from when it is made."""

    cpu: float = 0.0
    energy: float | None = None

    def __post_init__(self) -> None:
        self.cpu, self.energy = _cpu(), joules()

    def spent(self) -> tuple[float, float | None]:
        """Seconds of CPU, children that have ended included, and joules of the whole machine."""
        now = joules()
        known = now is not None and self.energy is not None and now >= self.energy  # else it wrapped around
        return _cpu() - self.cpu, (now or 0.0) - (self.energy or 0.0) if known else None


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
