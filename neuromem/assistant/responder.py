"""Answers put together from recalled facts, with no model.

A recalled memory is weighed by its score, by whether it holds the kind of thing that is asked for, and by the
names of the question that it lacks; the best is said if it weighs enough, else nothing is known. The weights
were chosen on dialogues for development.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter

from ..engine import Written
from ..memory import Memory
from ..recall import Recall
from .asked import asks_memory, fits, is_follow_up, missing_names
from .phrasing import told

__all__ = ["UNKNOWN", "Answer", "Responder"]

UNKNOWN = "I don't know that. You haven't told me."
KIND, NAME = 0.2, 0.3  # a memory with the kind of thing that is asked for; each name that it lacks
ENOUGH = 0.4  # weight from which on a memory is an answer
FOLLOWED = 240  # characters of the question before that a follow-up is asked with


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a question."""

    text: str
    used: tuple[Recall, ...] = ()
    known: bool = False


class Responder:
    """Answers one user from what is recalled; it knows the question before, for those that lean on it."""

    def __init__(self, memory: Memory, user_id: str) -> None:
        self._memory, self._user_id = memory, user_id
        self._before = ""  # the last question

    def is_question(self, text: str) -> bool:
        """Whether something is asked that a memory of the user may answer."""
        return asks_memory(text)

    def query(self, text: str) -> str:
        """The words to recall with: those of the question before as well, if this one leans on it."""
        if self._before and asks_memory(text) and is_follow_up(text):
            return f"{self._before} {text}"
        return text

    def answer(self, text: str, recalled: Sequence[Recall], now: float) -> Answer:
        """The memory that answers, in a sentence; or that nothing is known.

        Args:
            text: the question as it was asked. recalled: what was found for it, with its words.
            now: Unix seconds.
        """
        whole, self._before = self.query(text), text[-FOLLOWED:]
        weighed = [(_weight(text, whole, recall), recall) for recall in recalled]
        weight, best = max(weighed, key=itemgetter(0), default=(0.0, None))
        if best is None or weight < ENOUGH:
            return Answer(UNKNOWN)
        moment = datetime.fromtimestamp(now, tz=UTC)
        return Answer(told(best.text, best.created_at, moment), (best,), True)

    def acknowledge(self, text: str, written: Sequence[Written], now: float) -> str:
        """What is said to words that ask nothing of the memory. `now`: Unix seconds."""
        del text, now
        events = {fact.event for fact in written}
        if "ADD" in events or "UPDATE" in events:
            return "I'll remember that."
        return "Yes, you told me." if events else "All right."


def _weight(text: str, whole: str, recall: Recall) -> float:
    held = f"{recall.text} {recall.gist.replace('|', ' ')}"
    return recall.score + KIND * fits(text, recall.text) - NAME * missing_names(whole, held)
