"""What a prompt says of memories and of older turns: one line each, honest about what has faded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from ..facts import SPEAKER, extract
from ..fidelity import Fidelity
from ..tokens import Count, cut_middle

__all__ = [
    "MOST_READ",
    "Told",
    "gist_lines",
    "is_faint",
    "lines_within",
    "memory_line",
    "one_line",
    "printable",
    "says_something",
]

MOST_READ = 2_000  # characters of an older turn that are searched for facts
USER = "the user"
GONE = "…"  # stands for what a faded memory no longer knows


_HALF = re.compile("[\ud800-\udfff]")


class Told(Protocol):
    """What a line needs of a memory: a `Recall` has it, and a record from the memory service."""

    @property
    def id(self) -> str:
        """Names the memory."""

    @property
    def text(self) -> str:
        """The words that are left of it."""

    @property
    def strength(self) -> float:
        """0 to 1."""

    @property
    def fidelity(self) -> Fidelity:
        """How much its words still say."""

    @property
    def created_at(self) -> datetime:
        """When it was told."""

    @property
    def updated_at(self) -> datetime:
        """When it was last heard again."""

    @property
    def superseded_by(self) -> str | None:
        """What holds instead of it."""


ToldT = TypeVar("ToldT", bound=Told)


def printable(text: str) -> str:
    """The text as UTF-8 can encode it: halves of surrogate pairs are joined, or shown as U+FFFD."""
    if text.isascii() or _HALF.search(text) is None:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def one_line(text: str) -> str:
    """The text on one line: a memory must not look like another part of the prompt."""
    return " ".join(printable(text).split())


def is_faint(recall: Told) -> bool:
    """Whether a memory has lost words."""
    return recall.fidelity is not Fidelity.VERBATIM


def memory_line(recall: Told, exact: bool = True) -> str:
    """A memory with the day on which it was told, and how faint it is if words are lost.

    ``- 2026-03-04: My dog's name is Potola``, ``- 2026-03-04, faint (entity, 9%): the user · dog name · …``

    Args:
        exact: with the strength of a faint memory in percent; it changes from turn to turn, so what should
            stay the same does without.
    """
    notes = [f"{recall.created_at:%Y-%m-%d}"]
    if recall.updated_at.date() != recall.created_at.date():
        notes.append(f"again {recall.updated_at:%Y-%m-%d}")
    if recall.superseded_by is not None:
        notes.append("no longer so")
    if is_faint(recall):
        notes.append(f"faint ({recall.fidelity}{f', {recall.strength:.0%}' if exact else ''})")
    return f"- {', '.join(notes)}: {_said(recall)}"


def lines_within(
    heading: str, recalls: Sequence[ToldT], share: int, count: Count, *, exact: bool
) -> tuple[list[tuple[ToldT, str]], int]:
    """The memories that fit into a share of tokens under a heading, with their lines, and their tokens.

    One takes half of the share at most; what says the same is there once.
    """
    taken: dict[str, ToldT] = {}
    tokens = count(f"\n\n{heading}")
    for recall in recalls:
        line = memory_line(recall, exact)
        cost = count(f"\n{line}")
        if cost > share // 2:
            line = cut_middle(line, share // 2, count)
            cost = count(f"\n{line}")
        if line and line not in taken and tokens + cost <= share:
            taken[line] = recall
            tokens += cost
    return [(recall, line) for line, recall in taken.items()], tokens if taken else 0


def says_something(recall: Told) -> bool:
    """Whether anything of a memory is left to be said."""
    return recall.fidelity is not Fidelity.FORGOTTEN and bool(recall.text.strip())


def _said(recall: Told) -> str:
    """The words, or the gist with its gaps shown."""
    if not is_faint(recall) or "|" not in recall.text:
        return one_line(recall.text)
    parts = [part for part in recall.text.split("|") if part.strip()]
    if recall.fidelity is Fidelity.PARTIAL:
        parts[-1] += GONE
    elif recall.fidelity is not Fidelity.GIST:
        parts.append(GONE)
    return _triple(parts)


def _triple(parts: list[str]) -> str:
    return one_line(" · ".join([USER if parts[0] == SPEAKER else parts[0], *parts[1:]]))


def gist_lines(text: str) -> tuple[str, ...]:
    """What an older turn of the user comes down to: a line for each fact in it; none for small talk.

    Args:
        text: the words; of very long ones only the beginning is read.
    """
    said = text[:MOST_READ]
    facts = extract([{"role": "user", "content": said}]) if said.strip() else []
    return tuple(
        f"- {_triple(list(fact.gist.rungs()[3].split('|'))) if fact.gist.is_triple else one_line(fact.text)}"
        for fact in facts
    )
