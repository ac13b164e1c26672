"""What a slot can still say: the rungs of the ladder, for those that need no tensors."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Fidelity"]


class Fidelity(StrEnum):
    """What a slot can still say; equal to its own name, ordered by `level` (not by `<`)."""

    VERBATIM = "verbatim"
    GIST = "gist"
    PARTIAL = "partial"
    ENTITY = "entity"
    SUBJECT = "subject"
    FORGOTTEN = "forgotten"

    @property
    def level(self) -> int:
        """5 for verbatim down to 0 for forgotten."""
        return len(Fidelity) - 1 - list(Fidelity).index(self)
