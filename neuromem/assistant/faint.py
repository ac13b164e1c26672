"""Honesty about what has faded: what the weights still say of it, in plain words."""

from __future__ import annotations

from dataclasses import replace

from ..context.lines import Told
from ..facts import SPEAKER
from ..fidelity import Fidelity
from ..forgetting import THRESHOLDS, fidelity_at
from ..recall import Recall

__all__ = ["as_strong", "faintly", "is_faded"]

FORGOTTEN = "I had forgotten that"


def is_faded(strength: float) -> bool:
    """Whether weights of this strength (0 to 1) have lost a part of the fact, not only its wording."""
    return strength < THRESHOLDS[Fidelity.GIST]


def faintly(left: Told | None) -> str:
    """What is left of a memory, as a sentence without its full stop.

    Args:
        left: as the weights say it; None, or forgotten: nothing is.

    >>> # 1|dog name|P  →  "I faintly remember your dog name, it begins with P"
    """
    if left is None or left.fidelity is Fidelity.FORGOTTEN or not left.text.strip():
        return FORGOTTEN
    parts = [part.strip() for part in left.text.split("|")]
    if len(parts) == 1 and parts[0] != SPEAKER:
        return f"I faintly remember something: {parts[0]}"
    whose = "your" if parts[0] == SPEAKER else f"{parts[0]}'s"
    if len(parts) == 1:
        return "I faintly remember something about you"
    if len(parts) == 2:
        return f"I faintly remember something about {whose} {parts[1]}"
    if left.fidelity is Fidelity.PARTIAL:
        return f"I faintly remember {whose} {parts[1]}, it begins with {parts[2]}"
    return f"I faintly remember {whose} {parts[1]}: {parts[2]}"


def as_strong(recall: Recall) -> Recall:
    """A memory with words from the log, marked as faint as its weights are."""
    return replace(recall, fidelity=fidelity_at(recall.strength)) if is_faded(recall.strength) else recall
