"""Answers put together from recalled facts, with no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..engine import Written
from ..facts.keep import is_question
from ..memory import Memory
from ..recall import Recall

__all__ = ["Answer", "Responder"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a question."""

    text: str
    used: tuple[Recall, ...] = ()
    known: bool = False


class Responder:
    """Answers one user from what is recalled."""

    def __init__(self, memory: Memory, user_id: str) -> None:
        self._memory, self._user_id = memory, user_id

    def is_question(self, text: str) -> bool:
        return is_question(text)

    def query(self, text: str) -> str:
        return text

    def answer(self, text: str, recalled: Sequence[Recall], now: float) -> Answer:  # noqa: ARG002
        if not recalled:
            return Answer("I don't know that.")
        best = recalled[0]
        return Answer(f"You told me on {best.created_at:%-d %B}: {best.text}", (best,), True)

    def acknowledge(self, text: str, written: Sequence[Written], now: float) -> str:  # noqa: ARG002
        return "I'll remember that." if written else "All right."
