"""What has been said since of the memory that an answer rests on: it was put right, or something came of it.

A question finds what was told in its own words ("my PIN is 4471"); what replaced that often has none of them
("no, 4472"). So what the memory itself knows of its successor is said too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..current import LONGEST_CHAIN
from ..engine import Owner
from ..errors import NotFound
from ..facts import extract
from ..facts.slots import slot_of
from ..facts.wording import is_of_old
from ..memory import Memory
from ..recall import Recall
from ..text import words
from ..within import only_cue
from .phrasing import bare, states

__all__ = ["News", "Since", "corrected", "news_of"]

_MEANT = re.compile(
    r"^(?:(?:i (?:meant|mean|should have said)|make (?:it|that)|(?:now )?(?:it|that)(?:'s| is| was)|rather|"
    r"it should be|now|but)\b[,:]? ?)+",
    re.IGNORECASE,
)
_OF_OLD = re.compile(
    r"^(?:the|my|our|his|her|their) (?:old|previous|former|first)\b|\bused to (?!it\b|the\b|my\b|being\b)",
    re.IGNORECASE,
)
VALUE_WORDS = 5  # of a value that is put in another's place


class Since:
    """What replaced the memories of one owner, as the bank has it; words come from the log."""

    def __init__(self, memory: Memory, user_id: str) -> None:
        self._memory, self._owner = memory, Owner.of(user_id, None, None, None).name

    def newer(self, recall: Recall) -> Recall | None:
        """What holds in place of a memory now; None for one that is current, or that was taken back."""
        last = recall
        for _ in range(LONGEST_CHAIN):
            found = None if last.superseded_by is None else self._get(last.superseded_by)
            if found is None:
                break
            last = found
        return None if last is recall or last.retracted else last

    def older(self, recall: Recall) -> Recall | None:
        """What a memory replaced, of several what was told last; None where it replaced nothing."""
        with self._memory.engine.owners.use(self._owner, settle=False) as open_:
            ids = open_.bank.replaced_by(recall.id)
        found = [older for older in map(self._get, ids) if older is not None and not older.retracted]
        return max(found, key=lambda each: (each.created_at, each.id), default=None)

    def _get(self, memory_id: str) -> Recall | None:
        try:
            return self._memory.get(memory_id, fidelity="exact")
        except NotFound:  # it has been forgotten since
            return None


@dataclass(frozen=True, slots=True)
class News:
    """What was said since of a statement."""

    recall: Recall  # the memory of it
    text: str  # as it is told
    instead: bool  # whether it says all that is asked for; else the statement is told too


def news_of(statement: str, held: Recall, since: Since) -> News | None:
    """What was said since of a statement that a memory holds; None for nothing."""
    newer = since.newer(held)
    if newer is None:
        older = None if states(bare(statement)) else since.older(held)  # "no, 4472" says not of what
        value = None if older is None else corrected(older.text, statement)
        return None if value is None else News(held, value, True)
    value = corrected(statement, newer.text)
    if value is not None:
        return News(newer, value, True)
    if only_cue(newer.text) or _OF_OLD.search(bare(newer.text)) or is_of_old(newer.text):
        return None
    slots = _slots(statement)  # of what answers: a memory may hold more than that
    return News(newer, newer.text, bool(slots) and slots <= _slots(newer.text))


def corrected(statement: str, news: str) -> str | None:
    """A statement with the value that a correction puts in the place of its own; None where there is none.

    >>> corrected("My PIN is 4471.", "no, 4472")
    'My PIN is 4472.'
    """
    value = _MEANT.sub("", bare(news)).strip(" .,;:!?")
    old = next((fact.gist.object for fact in extract([{"role": "user", "content": statement}])), "")
    if not value or not old or not len(words(old)) <= len(words(value)) <= VALUE_WORDS:
        return None
    if states(value) or only_cue(value):
        return None
    found = re.search(rf"(?<!\w){re.escape(old)}(?!\w)", statement, re.IGNORECASE)
    return f"{statement[: found.start()]}{value}{statement[found.end() :]}" if found else None


def _slots(text: str) -> set[str]:
    """Keys of the slots that the facts of a text fill."""
    slots = (slot_of(fact.gist) for fact in extract([{"role": "user", "content": text}]))
    return {slot.key for slot in slots if slot is not None}
