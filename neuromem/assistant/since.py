"""What has been said since of the memory that an answer rests on: it was put right, or something came of it.

A question finds what was told in its own words ("my PIN is 4471"); what replaced that often has none of them
("no, 4472"). So what the memory itself knows of its successor is said too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..asking import look
from ..current import LONGEST_CHAIN
from ..engine import Owner
from ..facts import extract
from ..facts.slots import slot_of
from ..facts.values import to_digits
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
_NO_VALUE = re.compile(  # "not anymore", "no longer", "wrong hotel"
    r"\b(?:not|never|none|nothing|neither|nor|wrong|^no)\b|n['’]t\b",
    re.IGNORECASE,
)
_LIMITS = re.compile(r"^\W*but\b", re.IGNORECASE)  # "but only on Mondays" leaves the old value as it is
_LEAD = re.compile(
    r"(?:on|in|at|to|for|with|by|from|of|about|since|until|only|my|our|his|her|their|your) ", re.IGNORECASE
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
        engine = self._memory.engine
        with engine.owners.use(self._owner, settle=False) as open_:
            held = [memory_id] if open_.bank.rows_of(memory_id) else []  # else it has been forgotten since
            return next(iter(look(engine, open_, held, "exact")), None)


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
        value = None if states(bare(statement)) else _put_right(statement, held, since)
        return None if value is None else News(held, value, True)
    value = corrected(statement, newer.text)
    if value is not None:
        return News(newer, value, True)
    if only_cue(newer.text) or _OF_OLD.search(bare(newer.text)) or is_of_old(newer.text):
        return None
    slots = _slots(statement)  # of what answers: a memory may hold more than that
    return News(newer, newer.text, bool(slots) and slots <= _slots(newer.text))


def _put_right(correction: str, held: Recall, since: Since) -> str | None:
    """What a correction such as "no, 4472" says, of which "no, 4473" may be another; None for nothing."""
    older = held
    for _ in range(LONGEST_CHAIN):
        found = since.older(older)
        if found is None or states(bare(found.text)):
            return None if found is None else corrected(found.text, correction)
        older = found
    return None


def corrected(statement: str, news: str) -> str | None:
    """A statement with the value that a correction puts in the place of its own; None where there is none.

    The value has to be of the kind of the old one: nobody lives "in no longer" or is called "dead".

    >>> corrected("My PIN is 4471.", "no, 4472")
    'My PIN is 4472.'
    """
    value = _MEANT.sub("", bare(news)).strip(" .,;:!?")
    old = next((fact.gist.object for fact in extract([{"role": "user", "content": statement}])), "")
    found = re.findall(rf"(?<!\w){re.escape(old)}(?!\w)", statement, re.IGNORECASE) if old else []
    if len(found) != 1 or not value or states(value) or only_cue(value):
        return None
    if _NO_VALUE.search(value) or _LIMITS.match(news):
        return None
    before, old, after = statement.partition(found[0])
    lead = _LEAD.match(value)
    if lead and before.casefold().endswith(f" {lead[0].casefold()}"):  # "no, it's at 8" of what is at 7
        value, lead = value[lead.end() :], None
    same = _kind(value) == _kind(old) and (lead is None or old.casefold().startswith(lead[0].casefold()))
    if not same or not len(words(old)) <= len(words(value)) <= VALUE_WORDS:
        return None
    return f"{before}{value}{after}"


def _kind(value: str) -> str:
    """What a value is, as far as its writing tells."""
    if any(letter.isdigit() for letter in to_digits(value)):
        return "number"
    return "name" if value != value.lower() else "words"


def _slots(text: str) -> set[str]:
    """Keys of the slots that the facts of a text fill."""
    slots = (slot_of(fact.gist) for fact in extract([{"role": "user", "content": text}]))
    return {slot.key for slot in slots if slot is not None}
