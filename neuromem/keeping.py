"""Whether what a user said is worth keeping, as a small network reads it, where the rules are not sure.

The rules of `facts/keep.py` look at words and forms; "it drinks from the gas cylinder" has none that they
know. The keeper is the assistant's reader (`reading.py`) with fewer layers and other weights: the turn before
in the place of the question, what was said in that of a passage (`training/train_keep.py`,
`checkpoints/keep.md`). What is kept is logged, so a replay reads nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from .reading import STATEMENT, Passage, Reader, stands_on
from .shipped import checkpoint_path

__all__ = ["SURE", "Keeper", "keeper_for", "weighed"]

CHECKPOINT = "keep.safetensors"
ASSISTANT = "assistant:"  # how its turns begin
SURE = 3.0  # a score of the rules this far from 0 stands
MOST = 3.0  # nats that the network may say, either way
RULES = 0.5  # of the rules' score beside the network's
DOUBT = 0.5  # nats for keeping what neither is sure of: what is lost cannot be asked for …
KEPT = 2.0  # … and for what the rules would keep


class Keeper:
    """An `Opinion` on what to keep; loaded when first asked, safe across threads."""

    def __init__(self, path: str | Path | None = None) -> None:
        """Args: path: a checkpoint; None takes the shipped one. It belongs to the shipped transformer."""
        self._reader = Reader(path or checkpoint_path(CHECKPOINT), STATEMENT)

    def __call__(self, said: str, before: Sequence[str], by_rules: float) -> float:
        """A score, above 0 for what is to be kept.

        Args: as `facts.keep.Opinion`.
        """
        return by_rules if abs(by_rules) >= SURE else weighed(self.read(said, before), by_rules)

    def read(self, said: str, before: Sequence[str]) -> float:
        """The network's own, in nats: the logarithm of the odds that it is to be kept."""
        [chance] = self._reader.chances(*asked_of(said, before))
        return math.log(max(chance, 1e-9) / max(1 - chance, 1e-9))


def weighed(nats: float, by_rules: float) -> float:
    """A score from what the network reads and what the rules say."""
    return max(-MOST, min(MOST, nats)) + RULES * by_rules + (KEPT if by_rules > 0 else DOUBT)


def asked_of(said: str, before: Sequence[str]) -> tuple[str, list[Passage]]:
    """What the network is given: an assistant's turn just before as the question, and what was said.

    What the user said before that goes with it, as what was said before.
    """
    earlier, last = ["", "", *before][-2:]
    if last.startswith(ASSISTANT):
        return last, [Passage(said, earlier)]
    return "", [Passage(said, last)]


@lru_cache(maxsize=8)
def keeper_for(encoder: str) -> Keeper | None:
    """The shipped keeper, for memories whose encoder has the name given; None where the rules stand alone."""
    return Keeper() if stands_on(encoder, checkpoint_path(CHECKPOINT)) else None
