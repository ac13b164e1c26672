"""What a `Service` is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..identity import Owner
from ..recall import Recall
from .entries import Entry
from .filters import EVERYTHING, Filter

__all__ = ["Change", "Found", "Search", "owner_arguments", "public_score"]


@dataclass(frozen=True, slots=True)
class Found:
    """A memory as it is shown: what it says, and what is known about it."""

    entry: Entry
    text: str
    recall: Recall
    score: float | None = None  # 0 to 1; only of a search


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a memory, for those who watch."""

    kind: str  # "ADD", "UPDATE" or "DELETE"
    id: str
    owner: str
    text: str = ""  # "" of what was deleted: it is gone


@dataclass(slots=True)
class Search:
    """What is looked for, in mem0's terms."""

    query: str
    filter: Filter = field(default_factory=lambda: EVERYTHING)
    limit: int = 10
    threshold: float = 0.0  # on the public score
    show_expired: bool = False
    latest_only: bool | None = None  # None: what is current, unless the question is about the past
    at: float | None = None  # Unix seconds; as if it were then
    decay: bool = False
    fidelity: str = "auto"
    explain: bool = False
    rehearse: bool = True  # what is recalled is strengthened, and known when it comes back in a prompt


def public_score(score: float) -> float:
    """A score as mem0's users expect it: what has nothing in common with a question lies at 0.1, not at 0.

    Their default threshold is 0.1, below nearly every cosine; our scores begin at 0.
    """
    return min(1.0, max(0.0, 0.1 + 0.9 * score))


def owner_arguments(owner: str) -> dict[str, str]:
    """An owner of the log as the argument that names them: {"user_id": "ana"}."""
    parsed = Owner.parse(owner)
    return {f"{parsed.kind}_id": parsed.id}
