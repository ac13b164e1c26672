"""What a prompt says of memories and of older turns: one line each, honest about what has faded."""

from __future__ import annotations

from ..facts import SPEAKER, extract
from ..forgetting import Fidelity
from ..recall import Recall

__all__ = ["MOST_READ", "gist_lines", "is_faint", "memory_line", "one_line", "printable"]

MOST_READ = 2_000  # characters of an older turn that are searched for facts
USER = "the user"
GONE = "…"  # stands for what a faded memory no longer knows


def printable(text: str) -> str:
    """The text as UTF-8 can encode it: halves of surrogate pairs are joined, or shown as U+FFFD."""
    if not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def one_line(text: str) -> str:
    """The text on one line: a memory must not look like another part of the prompt."""
    return " ".join(printable(text).split())


def is_faint(recall: Recall) -> bool:
    """Whether a memory has lost words."""
    return recall.fidelity is not Fidelity.VERBATIM


def memory_line(recall: Recall, exact: bool = True) -> str:
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


def _said(recall: Recall) -> str:
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
