"""What changes a memory by word: telling, correcting, deleting. Each is events, appended, then folded in.

Calls of `add` for one owner that wait for each other can be told together (`add_all`): their facts go
through one write loop and one commit, and each call gets the answer it would have had alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .engine import Engine, Owner, Written
from .errors import InvalidInput, NotFound, ReadOnly
from .facts import Fact, Turn, extract, gist_of, read_turns
from .facts.turns import check_words
from .fold import milliseconds
from .hearing import NOTHING, Hearing, Told, say_event
from .history import WRITING, redact
from .identity import canonical_id, seconds_of
from .known import ASSISTANT, HEARD_TURNS, last_words
from .log import Event
from .owners import OpenOwner, Progress
from .tell import check_metadata, check_room, fact_body, in_third_person
from .writer import WriteReport

__all__ = [
    "CHUNK", "Call", "add_all", "change", "change_of", "delete", "delete_of", "delete_owner", "heard",
    "left_over",
]  # fmt: skip

LOOKED_BACK = 4  # events: a search may have been noted meanwhile
CHUNK = 256  # turns of talk turned into events, appended and folded at a time


@dataclass(frozen=True, slots=True)
class Call:
    """One call of `add`, its arguments checked."""

    turns: list[Turn]
    times: list[float]  # Unix seconds, one for each turn
    metadata: dict[str, Any]
    infer: bool
    said: tuple[int, ...] = ()  # places in the log of words that are there already, one for each turn

    @classmethod
    def of(
        cls,
        engine: Engine,
        messages: Any,
        metadata: Mapping[str, Any] | None,
        timestamp: float | datetime | str | None,
        infer: bool,
    ) -> Call:
        """As `Memory.add`. Raises InvalidInput."""
        turns = read_turns(messages)
        default = seconds_of(engine.clock() if timestamp is None else timestamp)
        times = [default if turn.timestamp is None else seconds_of(turn.timestamp) for turn in turns]
        return cls(turns, times, check_metadata(metadata), infer)


def heard(engine: Engine, owner: Owner, call: Call) -> Call:
    """Takes the bare words of a call into the log; durable when it returns, and not yet understood.

    For who must not wait until facts are found and written. `add_all` of the call that is returned does that;
    should it never come to it, the words are in the log like all words that hold no fact.
    """
    engine.now_ms()
    with engine.owners.use(owner.name) as open_:
        first = engine.log.length(owner.name)
        events = [say_event(turn, time) for turn, time in zip(call.turns, call.times, strict=True)]
        engine.commit(open_, events)
    return replace(call, said=tuple(range(first, first + len(events))))


def left_over(engine: Engine, owner: Owner) -> Call | None:
    """The words that an owner's log ends with, if they were only `heard`: nobody came to understand them."""
    length = engine.log.length(owner.name)
    for sequence in range(length - 1, max(-1, length - 1 - LOOKED_BACK), -1):
        record = engine.log.get(owner.name, sequence)
        if record.kind == "say" and not record.erased and record.body.get("role") == "user":
            turn = Turn("user", str(record.body["text"]), record.body.get("name"))
            return Call([turn], [record.time], {}, True, (sequence,))
        if record.kind != "rehearse":
            return None
    return None


def add_all(
    engine: Engine, owner: Owner, calls: Sequence[Call], progress: Progress | None = None
) -> list[list[Written]]:
    """Tells several calls of one owner, in order; durable when it returns.

    Args:
        progress: called with (turns told, turns in all).

    Returns:
        What each call wrote.
    """
    engine.now_ms()
    if engine.readonly:
        raise ReadOnly("this memory was opened for reading; open it for writing to add to it")
    total, done = sum(len(call.turns) for call in calls), 0
    written: list[list[Written]] = []
    for together in _by_chunks(calls):
        written += _tell(engine, owner, together)
        if len(together) == 1 and len(together[0].turns) > CHUNK:
            written[-1] += _rest(engine, owner, together[0], done, total, progress)
        done += sum(len(call.turns) for call in together)
        if progress is not None:
            progress(done, total)
    return written


def _by_chunks(calls: Sequence[Call]) -> list[list[Call]]:
    """Calls in runs of at most `CHUNK` turns; a longer call stands alone."""
    runs: list[list[Call]] = []
    size = CHUNK + 1
    for call in calls:
        size += len(call.turns)
        if size > CHUNK:
            runs.append([])
            size = len(call.turns)
        runs[-1].append(call)
    return runs


def _rest(
    engine: Engine, owner: Owner, call: Call, done: int, total: int, progress: Progress | None
) -> list[Written]:
    """What comes after the first `CHUNK` turns of a long call."""
    written: list[Written] = []
    for start in range(CHUNK, len(call.turns), CHUNK):
        if progress is not None:
            progress(done + start, total)
        written += _tell(engine, owner, [call], start)[0]
    return written


def _tell(engine: Engine, owner: Owner, calls: Sequence[Call], start: int = 0) -> list[list[Written]]:
    """Tells at most `CHUNK` turns: those from `start` on of one call, or several short calls."""
    chunk = slice(start, start + CHUNK)
    times = [time for call in calls for time in call.times]
    if not times:  # calls of tools, pictures: nothing was said
        return [[] for _ in calls]
    earlier: list[tuple[str, float]] = []
    if start:
        earlier = _as_heard(calls[0], slice(max(0, start - HEARD_TURNS), start))
    elif any(call.infer for call in calls):
        earlier = last_words(engine.log, owner.name, times[0], but=calls[0].said)
    read, before = [], []
    for call in calls:  # before the owner is taken: nobody waits for a model
        before.append(
            next((said for said in reversed(earlier) if not said[0].startswith(ASSISTANT)), NOTHING)
        )
        only = range(len(call.turns))[chunk]
        words = [said for said, _ in earlier] if call.infer and not start else []
        facts = engine.reader.read(call.turns, call.infer, only, call.times, words)
        read.append([[fact for fact in facts if fact.turn == turn] for turn in only])
        earlier = [*earlier, *_as_heard(call, slice(None))]
    # rehearsals that wait come before these events, and into the log with them: one commit for both
    with engine.owners.use(owner.name, settle=False) as open_:
        hearing = Hearing(open_, engine.owners.next_place(open_), engine.record)
        told = []
        for call, spoken, lead in zip(calls, read, before, strict=True):
            first = len(hearing.told)
            said = call.said[chunk] or (None,) * len(spoken)
            hearing.hear(call.turns[chunk], call.times[chunk], spoken, call.metadata, call.infer, said, lead)
            told.append(hearing.told[first:])
        events = hearing.in_batches()
        check_room(open_.bank, [event.body for event in events if event.kind in WRITING])
        reports = engine.commit(open_, events) if events else {}
    return [[_written(item, reports.get(item.id)) for item in items] for items in told]


def _as_heard(call: Call, chosen: slice) -> list[tuple[str, float]]:
    """Turns of a call as `last_words` has them."""
    return [
        (f"{ASSISTANT}{turn.text}" if turn.role == "assistant" else turn.text, time)
        for turn, time in zip(call.turns[chosen], call.times[chosen], strict=True)
    ]


def _written(told: Told, report: WriteReport | None) -> Written:
    exact = report is not None and report.exact
    return Written(told.id, told.text, str(told.gist), told.event, exact, report)


def change(
    engine: Engine,
    memory_id: str,
    text: str | None,
    metadata: Mapping[str, Any] | None,
    timestamp: float | datetime | str | None,
) -> Written:
    """As `Memory.update`."""
    memory_id = canonical_id(memory_id)
    _check_change(text, metadata, timestamp)  # `change_of` does, too: but no owner is opened for nothing
    with engine.use_owner_of(memory_id) as open_:
        return change_of(engine, open_, memory_id, text, metadata, timestamp)


def change_of(
    engine: Engine,
    open_: OpenOwner,
    memory_id: str,
    text: str | None,
    metadata: Mapping[str, Any] | None,
    timestamp: float | datetime | str | None,
) -> Written:
    """The same of a memory whose owner is held: no other is looked at. Its id is in canonical form."""
    _check_change(text, metadata, timestamp)
    told = {} if timestamp is None else {"told_ms": milliseconds(seconds_of(timestamp))}
    words = text if text is not None else _present_words(engine, open_, memory_id)
    fact = _as_said(engine, open_, memory_id, extract(read_turns(words), infer=False)[0])
    notes = engine.metadata(open_, memory_id) if metadata is None else check_metadata(metadata)
    body = fact_body(fact, notes) | {"id": memory_id} | told
    if open_.bank.stability[open_.bank.rows_of(memory_id)].isinf().any():
        body["pinned"] = True
    check_room(open_.bank, [body])
    reports = engine.commit(open_, [Event("change", engine.clock(), body)])
    return _written(Told(memory_id, words, gist_of(words), "UPDATE"), reports.get(memory_id))


def _check_change(
    text: str | None, metadata: Mapping[str, Any] | None, timestamp: float | datetime | str | None
) -> None:
    if text is None and metadata is None and timestamp is None:
        raise InvalidInput("text", "is missing", "give new words, metadata or a timestamp")
    if text is not None and not isinstance(text, str):
        raise InvalidInput("text", f"is of type {type(text).__name__}", "give the new words as a string")
    if text is not None:
        check_words(text, "text")
    if timestamp is not None:
        seconds_of(timestamp)


def _as_said(engine: Engine, open_: OpenOwner, memory_id: str, fact: Fact) -> Fact:
    """New words of a memory, as of whoever said the old ones: they are still theirs, and nobody else's."""
    record = engine.record(open_, memory_id)
    speaker = None if record is None else record.body.get("name")
    return in_third_person(replace(fact, speaker=speaker), open_.fold.owner) if speaker else fact


def _present_words(engine: Engine, open_: OpenOwner, memory_id: str) -> str:
    """The words of a memory of which only something else changes.

    Raises:
        NotFound: its slots came without words, and the log has none.
    """
    words = engine.words(open_, memory_id)
    if words is None:
        raise NotFound(f"the words of {memory_id} are not in the log; give its text with the change")
    return words


def delete(engine: Engine, memory_ids: Sequence[str], owner: Owner | None = None) -> None:
    """As `Memory.delete`: the events, then the words leave log and snapshot for good.

    Nothing is deleted when one of the memories cannot be found. What is killed, or finds no room, between the
    two is done when the owner is opened next, or their next snapshot is written.

    Args:
        owner: whose memories they are; None: of whoever has them.
    """
    engine.now_ms()
    wanted = list(dict.fromkeys(canonical_id(memory_id) for memory_id in memory_ids))
    by_owner: dict[str, list[str]] = {}
    for memory_id in wanted:
        by_owner.setdefault(_holder(engine, memory_id, owner), []).append(memory_id)
    for name, ids in by_owner.items():
        delete_of(engine, name, ids)


def delete_of(engine: Engine, owner: str, memory_ids: Sequence[str], words: Sequence[int] = ()) -> None:
    """The same of one owner, who is known to have them: no other is looked at. Ids in canonical form.

    Args:
        words: numbers of records of words that go as well, whatever else was said in the same breath.
    """
    with engine.owners.use(owner) as open_:
        engine.owners.snapshots.finish_deletes(open_.fold)  # else what is kept of a breath holds their words
        doomed, kept = redact(list(engine.log.events(owner)), memory_ids)
        kept = [event for event in kept if event.body["origin"] not in words]
        gone = [Event("delete", engine.clock(), {"id": memory_id}) for memory_id in memory_ids]
        if gone or kept:
            engine.commit(open_, [*gone, *kept])
        engine.owners.snapshots.remove(owner)
        try:
            engine.log.erase(owner, {*doomed, *words})
        finally:
            engine.forget_readings()
        for memory_id in memory_ids:
            open_.fold.unerased.pop(memory_id, None)
        open_.saved = -1
        engine.owners.snapshot(open_)


def _holder(engine: Engine, memory_id: str, only: Owner | None) -> str:
    """The owner whose log tells of a memory: it may be forgotten.

    Args:
        only: nobody else is asked; None: whoever may have it.

    Raises:
        NotFound: it was deleted, merged into another, or never written.
    """
    for owner in engine.holders.of(memory_id, None if only is None else [only.name]):
        with engine.owners.use(owner) as open_:
            if open_.bank.rows_of(memory_id):
                return owner
            engine.check_not_merged(owner, memory_id)
            if redact(list(engine.log.events(owner)), [memory_id])[0]:
                return owner
    raise NotFound(f"no memory {memory_id}; it was deleted, or never written here")


def delete_owner(engine: Engine, owner: Owner) -> int:
    """As `Memory.delete_all`."""
    if engine.readonly:
        raise ReadOnly("this memory was opened for reading; open it for writing to delete from it")
    with engine.owners.use(owner.name) as open_:
        held = len(open_.bank.ids())
        engine.owners.snapshots.remove(owner.name)  # first: were we killed now, the log still has it all
        try:
            engine.log.drop_owner(owner.name)
        finally:  # with no room for the purge, too: what the log has no more, the open bank must not say
            engine.forget_readings()
            engine.owners.drop(owner.name)  # not before: who waits for the owner would open what is leaving
    return held
