"""What was told once and is forgotten: the log has it, the weights hold nothing of it.

Where nothing that is held answers a question, these statements are read too, so that "you haven't told me" is
said of nothing that was told. What was deleted, taken back or replaced before it was forgotten stays out.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from ..deep import Found, ranked
from ..engine import Owner
from ..history import WRITING
from ..known import undated
from ..log import Record
from ..memory import Memory
from ..recall import Recall
from .candidates import Candidate

__all__ = ["Forgotten"]

LOOKED_AT = 8  # statements that are judged
MOST = 4_000  # forgotten ones that are compared with a question, those told last
WITHIN_S = 2.0  # seconds for comparing them


class Forgotten:
    """The forgotten statements of one owner. Of the log only what is new is read each time."""

    def __init__(self, memory: Memory, user_id: str) -> None:
        self._memory, self._owner = memory, Owner.of(user_id, None, None, None).name
        self._start()

    def _start(self) -> None:
        self._read = 0  # records of the log
        self._told: dict[str, int] = {}  # memory → place of its last wording
        self._ended: set[str] = set()  # memories that were replaced, taken back or merged into others

    def candidates(self, question: str) -> list[Candidate]:
        """Forgotten statements that may answer a question, the likeliest first."""
        records = self._gone()
        with self._memory.engine.owners.threads:
            deadline = time.monotonic() + WITHIN_S
            found = ranked(records, question, self._memory.engine.keys, LOOKED_AT, deadline=deadline)
        return [_candidate(each) for each in found]

    def bring_back(self, candidate: Candidate) -> tuple[Recall, ...]:
        """Writes a statement that answered into the weights again."""
        engine = self._memory.engine
        with engine.owners.use(self._owner) as open_:
            record = engine.log.get(self._owner, candidate.seq)
            found = Found(record, str(record.body["text"]), candidate.score)
            return tuple(engine.bring_back(open_, [found]))

    def _gone(self) -> list[Record]:
        """The records of what is forgotten."""
        engine = self._memory.engine
        with engine.owners.use(self._owner, settle=False) as open_:
            length = engine.log.length(self._owner)
            if length < self._read:  # everything was deleted
                self._start()
            for record in engine.log.events(self._owner, self._read, length):
                self._note(record)
            self._read = length
            held = (id_ for id_ in self._told if id_ not in self._ended)
            places = [self._told[id_] for id_ in held if not open_.bank.rows_of(id_)]
            records = [engine.log.get(self._owner, place) for place in sorted(places)[-MOST:]]
        return [record for record in records if not record.erased]

    def _note(self, record: Record) -> None:
        body = record.body
        if record.erased:
            return
        if record.kind in WRITING and "id" in body:
            self._told[str(body["id"])] = record.seq
        elif record.kind == "supersede":
            self._ended.add(str(body["id"]))
        elif record.kind == "merge":
            self._ended.update(map(str, body["ids"]))
        elif record.kind == "delete":
            self._told.pop(str(body["id"]), None)


def _candidate(found: Found) -> Candidate:
    """A statement as what an answer is chosen from; it stands alone, as its talk is not read."""
    told = datetime.fromtimestamp(found.record.time, tz=UTC)
    return Candidate(undated(found.text), (), told, found.score, "", found.record.seq)
