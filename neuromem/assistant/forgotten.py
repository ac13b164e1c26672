"""What was told once and is forgotten: the log has it, the weights hold nothing of it.

Where nothing that is held answers a question, these statements are read too, so that "you haven't told me" is
said of nothing that was told. What was deleted, taken back or replaced stays out, whenever that was.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from ..deep import Found, ranked
from ..engine import Owner
from ..errors import NotFound
from ..facts.changes import change_of
from ..fold import ends_of
from ..history import WRITING
from ..known import saying_of_record, undated
from ..log import EventLog, Record
from ..memory import Memory
from ..recall import Recall
from ..sayings import Held, content, named
from ..text import sentences
from ..within import denial_of
from .candidates import Candidate
from .retracting import retracts

__all__ = ["Forgotten"]

LOOKED_AT = 8  # statements that are judged
MOST = 4_000  # forgotten ones whose words are compared with a question's, those told last
ENCODED = 256  # … and of these, those whose meaning is: whoever asked waits for it, each time nothing answers
WITHIN_S = 0.5  # seconds for that


@dataclass(frozen=True, slots=True)
class _TakenBack:
    """Words that took something back."""

    place: int  # in the log
    phrases: tuple[str, ...]  # what they name
    clause: str  # what they repeat: "forget that I love olives"

    def means(self, record: Record) -> bool:
        """Whether they mean a statement that was told before them."""
        said = saying_of_record(record)
        repeats = bool(content(self.clause)) and content(self.clause) <= content(said.text)
        return record.seq < self.place and (repeats or named(Held("", said), self.phrases) > 0)


class Forgotten:
    """The forgotten statements of one owner. Of the log only what is new is read each time."""

    def __init__(self, memory: Memory, user_id: str) -> None:
        self._memory, self._owner = memory, Owner.of(user_id, None, None, None).name
        self._start()

    def _start(self) -> None:
        self._read, self._chain = 0, b""  # records of the log, and the chain value up to there
        self._told: dict[str, int] = {}  # memory → place of its last wording
        self._changes: list[Record] = []  # what says of memories that they hold no more, or hold again
        self._taken_back: list[_TakenBack] = []

    def candidates(self, question: str) -> list[Candidate]:
        """Forgotten statements that may answer a question, the likeliest first."""
        records, engine = self._gone(), self._memory.engine
        with engine.owners.threads:
            deadline = time.monotonic() + WITHIN_S
            found = ranked(records, question, engine.keys, LOOKED_AT, None, deadline, ENCODED)
        return [
            _candidate(each)
            for each in found
            if not any(said.means(each.record) for said in self._taken_back)
        ]

    def bring_back(self, candidate: Candidate) -> tuple[Recall, ...]:
        """Writes a statement that answered into the weights again; nothing where it was deleted meanwhile."""
        engine = self._memory.engine
        with engine.owners.use(self._owner) as open_:
            record = _record(engine.log, self._owner, candidate.seq)
            if record is None or undated(str(record.body["text"])) != candidate.text:
                return ()
            found = Found(record, str(record.body["text"]), candidate.score)
            return tuple(engine.bring_back(open_, [found]))

    def _gone(self) -> list[Record]:
        """The user's statements that are forgotten, in the order of the log."""
        engine = self._memory.engine
        self._read_on(engine.log)
        with engine.owners.use(self._owner, settle=False) as open_:
            gone = [id_ for id_ in self._told if not open_.bank.rows_of(id_)]
        ends = ends_of(self._changes) if gone else {}
        places = sorted(self._told[id_] for id_ in gone if not ends.get(id_, (0, ""))[0])
        found = (_record(engine.log, self._owner, place) for place in places[-MOST:])
        return [each for each in found if each is not None and each.body.get("role", "user") == "user"]

    def _read_on(self, log: EventLog) -> None:
        """Reads what is new in the log; nobody is held up by it."""
        length = log.length(self._owner)
        if self._read and not self._goes_on(log, length):
            self._start()
        for record in log.events(self._owner, self._read, length):
            self._note(record)
            self._read, self._chain = record.seq + 1, record.chain

    def _goes_on(self, log: EventLog, length: int) -> bool:
        """Whether the log still begins with what was read; everything may have been deleted since."""
        try:
            return self._read <= length and log.get(self._owner, self._read - 1).chain == self._chain
        except NotFound:
            return False

    def _note(self, record: Record) -> None:
        body = record.body
        if record.erased:
            return
        if record.kind in WRITING and "id" in body:
            self._told[str(body["id"])] = record.seq
        elif record.kind in ("supersede", "follow", "merge", "delete"):
            self._changes.append(record)
            for id_ in (
                body["ids"] if record.kind == "merge" else [body["id"]] if record.kind == "delete" else []
            ):
                self._told.pop(str(id_), None)
        if "text" in body and body.get("role", "user") == "user" and retracts(str(body["text"])):
            self._taken_back += _taken_back(record)


def _taken_back(record: Record) -> list[_TakenBack]:
    """What the words of a record take back by its name, or by repeating it."""
    text = str(record.body["text"])
    denial = denial_of(text)
    clause = denial.clause if denial is not None and denial.forget else ""
    changes = [change for change in map(change_of, sentences(text)) if change.bare]
    phrases = tuple(phrase for change in changes for phrase in change.old if content(phrase))
    return [_TakenBack(record.seq, phrases, clause)] if phrases or content(clause) else []


def _record(log: EventLog, owner: str, place: int) -> Record | None:
    """The words at a place of the log; None where they were erased, or everything was deleted."""
    try:
        record = log.get(owner, place)
    except NotFound:
        return None
    return None if record.erased or record.kind not in WRITING else record


def _candidate(found: Found) -> Candidate:
    """A statement as what an answer is chosen from; it stands alone, as its talk is not read."""
    told = datetime.fromtimestamp(found.record.told, tz=UTC)
    return Candidate(undated(found.text), (), told, found.score, "", found.record.seq)
