"""What an answer is chosen from: the turns of talk in which the answer may have been given.

Recall finds memories; each leads back to the words it was taken from, in the log, and to those said just
before and after in the same sitting, which often complete it ("He suspects a cataract"). Only the log's
records around what was found are read, so that the cost does not grow with the memory.

What was taken back is in no candidate: neither the turn that told it nor the one that took it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..bank import SlotBank
from ..engine import Owner
from ..history import WRITING, without
from ..memory import Memory
from ..recall import Recall
from ..records import Record
from ..text import sentences
from .asked import asks
from .retracting import beside, is_end, retracted, retracts

__all__ = ["MOST", "Candidate", "around", "candidates", "recalled"]

MOST = 16  # candidates for a question
FOUND = 24  # memories recalled for one
REACH = 14  # records of the log looked at on each side of a memory
SITTING_S = 3_600.0  # seconds of silence that end a sitting
EARLIER = 4  # turns before one, by which it is understood
BESIDE = 0.6  # share of a turn's score that the turns beside it have


@dataclass(frozen=True, slots=True)
class Candidate:
    """One turn of the user's, with what is needed to understand it."""

    text: str  # the words of the turn, as they were said
    earlier: tuple[str, ...]  # the user's turns before it in its sitting, oldest first; at most `EARLIER`
    created_at: datetime  # when it was said, UTC
    score: float  # of its best memory; less where only a neighbour was recalled
    id: str  # of its best memory; "" where it gave none
    seq: int  # place in the log; the later was said later
    memories: tuple[Recall, ...] = ()  # those of its memories that were recalled, best first

    @property
    def gist(self) -> str:
        """Of its best memory, `subject|relation|object`, decoded when asked for; "" where it gave none."""
        return self.memories[0].gist if self.memories else ""

    @property
    def before(self) -> str:
        """The user's turn just before it; "" if it is the first of its sitting."""
        return self.earlier[-1] if self.earlier else ""

    @property
    def current(self) -> bool:
        """Whether nothing that was recalled of it has been superseded."""
        return all(recall.superseded_by is None for recall in self.memories)


@dataclass(frozen=True, slots=True)
class _Part:
    """One memory of a turn."""

    text: str
    id: str
    said: int  # place in the log of the whole words of its turn; -1 where they are no record of their own


@dataclass(slots=True)
class _Turn:
    """A turn as the log has it."""

    seq: int
    time: float
    said: str = ""  # its whole words, where they are a record of their own
    parts: list[_Part] = field(default_factory=list)  # its memories

    @property
    def text(self) -> str:
        """Its words."""
        return self.said or " ".join(part.text for part in self.parts)

    @property
    def tells(self) -> bool:
        """Whether it does more than ask."""
        return not all(asks(sentence) for sentence in sentences(self.text))

    def add(self, record: Record) -> None:
        """Takes in a record of the turn."""
        if record.kind not in WRITING:
            self.said = str(record.body["text"])
            return
        words = str(record.body.get("heard") or record.body["text"])
        self.parts.append(_Part(words, str(record.body.get("id", "")), record.body.get("said", -1)))


def candidates(memory: Memory, user_id: str, query: str) -> list[Candidate]:
    """The turns that may hold the answer to a question, the most likely first; at most `MOST`.

    Args:
        query: the question, its pronouns resolved.
    """
    return around(memory, user_id, recalled(memory, user_id, query))


def recalled(memory: Memory, user_id: str, query: str) -> list[Recall]:
    """Memories that may lead to the answer, replaced ones too but none taken back; nothing is rehearsed."""
    found = memory.search(query, user_id, limit=FOUND, fidelity="exact", rehearse=False, current_view=False)
    return [recall for recall in found if not recall.retracted]


def around(memory: Memory, user_id: str, found: Sequence[Recall]) -> list[Candidate]:
    """The turns that memories were taken from, and those beside them, the most likely first."""
    owner = Owner.of(user_id, None, None, None).name
    log = memory.engine.log
    with memory.engine.owners.use(owner, settle=False) as open_:
        places = {open_.bank.told_at(recall.id) for recall in found}
        spans = _spans(sorted(place for place in places if place >= 0), log.length(owner))
        read = [list(log.events(owner, *span)) for span in spans]
        gone = _gone(open_.bank, [record for records in read for record in records])
    found = [recall for recall in found if recall.id not in gone]
    return _ranked(found, [_told(records, gone) for records in read])


def _gone(bank: SlotBank, records: Sequence[Record]) -> set[str]:
    """The memories of records that were taken back, those too that the bank does not hold any more."""
    ends = {str(record.body["id"]) for record in records if is_end(record)}
    told = {str(record.body["id"]) for record in records if record.kind in WRITING and "id" in record.body}
    return retracted(bank, told) | {id_ for id_ in ends if not bank.rows_of(id_)}


def _spans(places: Sequence[int], length: int) -> list[tuple[int, int]]:
    """Ranges of the log around places, those that meet made one."""
    spans: list[tuple[int, int]] = []
    for place in places:
        start, stop = max(0, place - REACH), min(length, place + REACH)
        if spans and start <= spans[-1][1]:
            start = spans.pop()[0]
        spans.append((start, stop))
    return spans


def _told(records: Sequence[Record], gone: Set[str]) -> list[_Turn]:
    """The user's turns that tell something, in order, without what was taken back."""
    turns, ends = list(_turns(records)), {record.time for record in records if is_end(record)}
    lost = [part for turn in turns for part in turn.parts if part.id in gone]
    for turn in turns:
        own = [part for part in lost if part in turn.parts or part.said == turn.seq]
        for words in [part.text for part in own] if turn.said else ():
            turn.said = without(turn.said, words)
        turn.parts = [part for part in turn.parts if part.id not in gone]
        if turn.said and (retracts(turn.said) or (turn.time in ends and beside(turn.said) != turn.said)):
            turn.said = "" if turn.parts else beside(turn.said)
    return [turn for turn in turns if turn.tells]


def _turns(records: Iterable[Record]) -> Iterator[_Turn]:
    """The user's turns among records, in order."""
    turn: _Turn | None = None
    for record in records:
        body = record.body
        own = not record.erased and "text" in body and body.get("role", "user") == "user"
        if own and turn is not None and _goes_on(turn, record):
            turn.add(record)
            continue
        if turn is not None:
            yield turn
        turn = _Turn(record.seq, record.time) if own else None
        if turn is not None:
            turn.add(record)
    if turn is not None:
        yield turn


def _goes_on(turn: _Turn, record: Record) -> bool:
    """Whether a record is of the same turn as the ones before it."""
    said = record.body.get("said", turn.seq)
    return record.kind in WRITING and record.time == turn.time and said == turn.seq


def _ranked(found: Sequence[Recall], sittings: Sequence[Sequence[_Turn]]) -> list[Candidate]:
    """Turns by what was recalled of them, or of the turns beside them."""
    place = {recall.id: place for place, recall in enumerate(found)}
    out: list[Candidate] = []
    for turns in sittings:
        held = [
            sorted((found[place[part.id]] for part in turn.parts if part.id in place), key=_score)
            for turn in turns
        ]
        own = [max((recall.score for recall in recalls), default=0.0) for recalls in held]
        for here, turn in enumerate(turns):
            beside = [
                own[there] for there in (here - 1, here + 1)
                if 0 <= there < len(turns) and abs(turns[there].time - turn.time) < SITTING_S
            ]  # fmt: skip
            score = max(own[here], BESIDE * max(beside, default=0.0))
            if score <= 0:
                continue
            best = held[here][0] if held[here] else None
            said = datetime.fromtimestamp(turn.time, tz=UTC)
            id_ = best.id if best else ""
            earlier = tuple(_earlier(turns, here))
            out.append(Candidate(turn.text, earlier, said, score, id_, turn.seq, tuple(held[here])))
    return sorted(out, key=lambda each: (-each.score, -each.seq))[:MOST]


def _earlier(turns: Sequence[_Turn], here: int) -> list[str]:
    """The words of the turns before one, as far as its sitting goes back, oldest first."""
    first = here
    while first > max(0, here - EARLIER) and turns[first].time - turns[first - 1].time < SITTING_S:
        first -= 1
    return [turn.text for turn in turns[first:here]]


def _score(recall: Recall) -> float:
    return -recall.score
