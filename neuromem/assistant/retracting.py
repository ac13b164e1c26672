"""What was taken back: "Forget my PIN", "scratch that". The assistant does not tell it again.

The words stay in the log, where deep recall finds them; here it is found out what of them no answer and no
prompt may say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..bank import SlotBank
from ..engine import Engine
from ..facts.changes import change_of
from ..log import Record
from ..text import sentences
from ..within import denial_of

__all__ = ["beside", "is_end", "retracted", "retracted_by", "retracts"]


_HINT = re.compile(  # most turns hold no such word, and are done with; "Drop the kids at five" is none
    r"\b(?:forget|scratch|never ?mind|disregard|strike|erase|delete|unremember|remember|remembering|"
    r"take back|(?:ignore|drop|discard|cancel|scrap) (?:that|this|it|what)|"
    r"true|wrong|right|lie|false|incorrect|mistake|case|outdated)\b",
    re.IGNORECASE,
)


def retracts(text: str) -> bool:
    """Whether words take something back, whatever they say beside that.

    >>> retracts("Please forget my PIN."), retracts("I forget my PIN all the time.")
    (True, False)
    """
    if not _HINT.search(text):
        return False
    return denial_of(text) is not None or any(change_of(each).bare for each in sentences(text))


def beside(text: str) -> str:
    """What a turn says beside what it takes back.

    >>> beside("Forget that I love olives. I keep bees.")
    'I keep bees.'
    """
    denial = denial_of(text)
    rest = text if denial is None else denial.rest
    return " ".join(each for each in sentences(rest) if not change_of(each).bare)


def retracted(bank: SlotBank, memory_ids: Iterable[str]) -> set[str]:
    """Of memories, those that have ended with nothing after them; call it under the owner's lock."""
    return {id_ for id_, (until_ms, by) in bank.ends(list(memory_ids)).items() if until_ms and not by}


def is_end(record: Record) -> bool:
    """Whether a record of the log says that a memory was taken back."""
    return record.kind == "supersede" and not record.erased and not record.body["by"]


def retracted_by(engine: Engine, owner: str, place: int) -> list[str]:
    """The memories that the words at a place in an owner's log took back; what came after is read.

    Args:
        place: of words that were understood just now.
    """
    records = list(engine.log.events(owner, place))
    if not records:  # everything was deleted meanwhile
        return []
    said, *after = records
    return [str(record.body["id"]) for record in after if is_end(record) and record.time == said.time]
