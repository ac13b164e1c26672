"""The fold: events of the log, one after the other, make a bank.

The log is the truth and a bank is a view of it: `Fold.apply` is the only code that changes a bank, and
it looks at nothing but the event, the bank, the settings and (for words to be written again) earlier
records of the same log. So a crash anywhere is mended by replaying, and the same log gives the same
bank, bit for bit, on the same device.

Events (`body` of each; times are the events' own):

==========  ====================================================================================
say         text, role, name: words that make no fact; kept for ever, change nothing
add         id, text, gist (4 segments), cues, around, importance, pinned, metadata: a new fact; of an import
            also told_ms (when it was told) and state (numbers for state buffers: how strong it was)
add+        the same, and the next event belongs to the same batch (written together)
hear        id, text, gist, cues, around, again: an old fact heard again; its words are written anew
change      id, text, told_ms, …: as add, an old fact gets new words, and perhaps another time of telling
rehearse    ids: recalled, and strengthened with what they still have
restore     ids: written again from their words in the log
rebuild     (nothing): restore everything that was not deleted, forgotten facts too
supersede   id, by, reason: no longer current from the event's time on; `by` replaced it ("": nothing did);
            of an import also until_ms: from then on
follow      id, by, reason: `by` may be news of it; it stays current, and stands below `by` where both answer
delete      id
merge       id, ids, words: `ids` say the same and become `id`; `words` is the record of the words it keeps
refresh     ids: as rehearse, but at sleep, so that it does not count as a recall
sleep       seen: shrink, forget; memories were compared up to that event
slots       id, rows, codec, keys: a memory's slots from another bank, as they are
==========  ====================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .bank import SlotBank
from .config import Config
from .errors import CapacityExhausted
from .forgetting import MemoryState, Rating, initial_difficulty, initial_stability, rehearse
from .history import WRITING, noting_words
from .layout import DAY_MS, Rows, quantize_keys, seal_of
from .log import EventLog, Record
from .marks import OWN, fingerprint, is_own, name_mark, speaker_mark
from .packing import unpack_rows
from .text import normalize
from .writer import Draft, Writer, WriteReport

__all__ = ["BATCH", "Fold", "fingerprint", "meaning_of"]

BATCH = 256  # facts written together at most

# state of a merged memory, of the states of those that it is made of
MERGED: dict[str, Callable[[Tensor], Tensor]] = dict(
    zip(
        "written_ms heard_ms rehearsed_ms stability difficulty importance recalls".split(),
        (torch.min, torch.max, torch.max, torch.max, torch.min, torch.max, torch.sum),
        strict=True,
    )
)


class Fold:
    """Applies one owner's events to their bank, in order."""

    def __init__(self, owner: str, bank: SlotBank, log: EventLog, writer: Writer, config: Config) -> None:
        self.owner, self.bank, self.log, self.writer, self.config = owner, bank, log, writer, config
        self.applied = 0  # events folded in so far
        # memories that a delete names whose words were in the log still, and the number of that event
        self.unerased: dict[str, int] = {}
        self._waiting: list[Record] = []  # an unfinished batch of add+
        self._merged: dict[str, int] = {}  # memories that took in others, and the number of the last merge
        self._unread: int | None = None  # events before this one were not searched for merges

    def apply(self, records: Iterable[Record]) -> dict[str, WriteReport]:
        """Applies events that follow those applied so far; reports what was written, by memory id."""
        reports: dict[str, WriteReport] = {}
        self._unread = self.applied if self._unread is None else self._unread
        for record in records:
            if not record.erased:
                reports |= self._one(record)
            self.applied = record.seq + 1
        return reports

    def finish(self) -> dict[str, WriteReport]:
        """Writes a batch whose last event is missing (a log cut short by erasure)."""
        waiting, self._waiting = self._waiting, []
        return self._write(waiting) if waiting else {}

    def _one(self, record: Record) -> dict[str, WriteReport]:
        if record.kind in ("add", "add+"):
            self._waiting.append(record)
            return {} if record.kind == "add+" and len(self._waiting) < BATCH else self.finish()
        reports = self.finish()
        body, now_ms = record.body, milliseconds(record.time)
        if record.kind in ("hear", "change"):
            reports |= self._write([record])
        elif record.kind == "rehearse":
            self.rehearse(body["ids"], record.time)
        elif record.kind == "refresh":
            self.rehearse(body["ids"], record.time, recalls=0)
        elif record.kind == "merge":
            self._merged[body["id"]] = record.seq
            reports |= self._merge(body)
        elif record.kind == "restore":
            reports |= self._restore(self._words(body["ids"], record.seq), now_ms, record.seq)
        elif record.kind == "rebuild":
            reports |= self._restore(words_of(self.log, self.owner, record.seq), now_ms, record.seq)
        elif record.kind == "supersede":
            self.bank.supersede(body["id"], body["by"], body.get("until_ms", now_ms))
        elif record.kind == "follow":
            self.bank.supersede(body["id"], body["by"], 0)
        elif record.kind == "delete":
            self._delete(body["id"], record.seq)
        elif record.kind == "sleep":
            for memory_id in self.bank.shrink(now_ms):
                self.bank.free(memory_id)
        elif record.kind == "slots":
            self._adopt(body, now_ms)
        return reports

    # -- writing --------------------------------------------------------------------------------

    def _write(self, records: Sequence[Record]) -> dict[str, WriteReport]:
        """Writes the words of add, hear and change events, as one batch."""
        bodies = [record.body for record in records]
        written = self.writer.write([self._draft(body) for body in bodies], self.bank)
        for record, result in zip(records, written, strict=True):
            now_ms = milliseconds(record.time)
            state = self._state(record, now_ms)
            self._place(record.body["id"], result.rows, state, now_ms)
        return {body["id"]: result.report for body, result in zip(bodies, written, strict=True)}

    def _draft(self, body: dict[str, Any]) -> Draft:
        rows = tuple(self.bank.rows_of(body["id"]))
        cues, around = tuple(body.get("cues", ())), str(body.get("around", ""))
        return Draft(body["text"], tuple(body["gist"]), cues, rows, around)

    def _state(self, record: Record, now_ms: int) -> dict[str, float | int]:
        """State buffers of a fact that is written now; one that is held already goes on learning."""
        body = record.body
        stability = float("inf")
        if not body.get("pinned"):
            stability = float(initial_stability(body["importance"], self.config.forgetting))
        state: dict[str, float | int] = {
            "sequence": record.seq,
            "written_ms": now_ms,
            "heard_ms": now_ms,
            "rehearsed_ms": now_ms,
            "stability": stability,
            "difficulty": float(initial_difficulty(Rating.GOOD)),
            "importance": body["importance"],
            "words": fingerprint(body["known_as"]),
            "seal": seal_of(body["text"]),
            "meaning": fingerprint(meaning_of(body["gist"])),
            "slot": fingerprint(body.get("slot", "")),
            "speaker": speaker_mark(str(body.get("name") or ""), str(body.get("role") or "user")),
            "subject": _subject_of(body),
            "noted": bool(body.get("metadata")),
        } | body.get("state", {})
        rows = self.bank.rows_of(body["id"])
        if rows:
            row = rows[0]
            state["written_ms"] = min(now_ms, int(self.bank.written_ms[row]))
            for name in ("heard_ms", "rehearsed_ms"):  # old talk may be read in late
                state[name] = max(int(state[name]), int(getattr(self.bank, name)[row]))
            state["recalls"] = int(self.bank.recalls[row])
            if record.kind == "hear":
                grown, state["difficulty"] = self._learned(row, now_ms, Rating.EASY)
                state["stability"] = max(grown, stability)
                state["importance"] = max(float(self.bank.importance[row]), body["importance"])
        if "told_ms" in body:  # somebody says when it was told
            state["written_ms"] = body["told_ms"]
        return state

    def _place(self, memory_id: str, rows: Rows, state: dict[str, float | int], now_ms: int) -> None:
        """Stores rows under an id, in place of those it had; what is superseded stays so."""
        until_ms, by = self.bank.ended(memory_id)
        self.bank.free(memory_id)
        try:
            at = self.bank.allocate(len(rows.floor), now_ms)
        except CapacityExhausted:
            return  # it stays in the log, where deep recall finds it
        self.bank.store(memory_id, at, rows, state)
        if until_ms or by:
            self.bank.supersede(memory_id, by, until_ms)

    def _merge(self, body: dict[str, Any]) -> dict[str, WriteReport]:
        """Makes one memory of several, as if it had been heard again when the others were told."""
        memory_id, words = body["id"], self.log.get(self.owner, body["words"])
        held = [row for id_ in (memory_id, *body["ids"]) for row in self.bank.rows_of(id_)[:1]]
        joined = {name: join(getattr(self.bank, name)[held]).item() for name, join in MERGED.items() if held}
        for other in body["ids"]:
            for replaced in self.bank.replaced_by(other):
                self.bank.supersede(replaced, memory_id, self.bank.ended(replaced)[0])
            self.bank.free(other)
        if not held or words.erased:
            return {}
        record = replace(words, body=words.body | {"id": memory_id})
        written = self.writer.write([self._draft(record.body)], self.bank)[0]
        state = self._state(record, milliseconds(words.time)) | joined
        self._place(memory_id, written.rows, state, int(joined["heard_ms"]))
        return {memory_id: written.report}

    def _delete(self, memory_id: str, sequence: int) -> None:
        """Frees a memory as if it had never been told: what it replaced is as current as it was itself."""
        if self.bank.rows_of(memory_id):
            until_ms, by = self.bank.ended(memory_id)
            told = self.bank.told_at(memory_id)
            left = told < 0 or not self.log.get(self.owner, told).erased
        else:
            worded: set[str] = set()
            ends = ends_of(noting_words(self.log.events(self.owner, 0, sequence), worded))
            (until_ms, by), left = ends.get(memory_id, (0, "")), memory_id in worded
        if left:
            self.unerased[memory_id] = sequence
        for replaced in self.bank.replaced_by(memory_id):
            self.bank.supersede(replaced, by, until_ms)
        self.bank.free(memory_id)

    # -- strengthening --------------------------------------------------------------------------

    def _learned(self, row: int, now_ms: int, rating: Rating) -> tuple[float, float]:
        """(stability, difficulty) of one row after a rehearsal now."""
        stability, difficulty = self._learn(torch.tensor([row]), now_ms, rating)
        return float(stability[0]), float(difficulty[0])

    def _learn(self, rows: Tensor, now_ms: int, rating: Rating) -> MemoryState:
        """Stability and difficulty [B] of rows after a rehearsal now."""
        at = rows.to(self.bank.device)
        days = (now_ms - self.bank.rehearsed_ms[at]).clamp(min=0).cpu().double() / DAY_MS
        before = (self.bank.stability[at].cpu().double(), self.bank.difficulty[at].cpu().double())
        return rehearse(before, days, rating, self.config.forgetting)

    def rehearse(self, memory_ids: Sequence[str], time: float, recalls: int = 1) -> None:
        """Strengthens memories, recalled at a time in Unix seconds, with what they still have."""
        now_ms = milliseconds(time)
        rows = torch.tensor([row for memory_id in memory_ids for row in self.bank.rows_of(memory_id)])
        if len(rows):
            stability, difficulty = self._learn(rows, now_ms, Rating.GOOD)
            self.bank.rehearse(rows, stability, difficulty, now_ms)
            if recalls != 1:
                self.bank.recalls[rows.to(self.bank.device)] += recalls - 1

    def _words(self, ids: Sequence[str], until: int) -> dict[str, Record]:
        """As `words_of`, but memories that are held know their records: the log need not be read for them."""
        found: dict[str, Record] = {}
        for memory_id in ids:
            sequence = self.bank.told_at(memory_id)
            record = self.log.get(self.owner, sequence) if sequence >= 0 else None
            if record is None or record.erased:
                return words_of(self.log, self.owner, until, set(ids))
            found[memory_id] = replace(record, body=record.body | {"id": memory_id})
        if len(found) == 1:
            return found
        merged = self._merges()  # last written, last in order: a merge writes, too
        order = {id_: max(record.seq, merged.get(id_, -1)) for id_, record in found.items()}
        return {id_: found[id_] for id_ in sorted(found, key=order.__getitem__)}

    def _merges(self) -> dict[str, int]:
        """Number of the last merge into each memory; the events before a snapshot are searched once."""
        if self._unread:
            earlier = self.log.events(self.owner, 0, self._unread)
            self._merged = {
                record.body["id"]: record.seq for record in earlier if record.kind == "merge"
            } | self._merged
            self._unread = 0
        return self._merged

    def _restore(self, words: dict[str, Record], now_ms: int, sequence: int) -> dict[str, WriteReport]:
        """Writes memories again from their words in the log before a sequence number; reports by id."""
        reports: dict[str, WriteReport] = {}
        records = list(words.values())
        gone = [memory_id for memory_id in words if not self.bank.rows_of(memory_id)]
        ends = ends_of(self.log.events(self.owner, 0, sequence)) if gone else {}
        for start in range(0, len(records), BATCH):
            batch = records[start : start + BATCH]
            written = self.writer.write([self._draft(record.body) for record in batch], self.bank)
            for record, result in zip(batch, written, strict=True):
                state = self._state(record, milliseconds(record.time))
                rows = self.bank.rows_of(record.body["id"])
                if rows:
                    state["stability"], state["difficulty"] = self._learned(rows[0], now_ms, Rating.GOOD)
                    state["heard_ms"] = int(self.bank.heard_ms[rows[0]])
                state["rehearsed_ms"] = now_ms
                self._place(record.body["id"], result.rows, state, now_ms)
                reports[record.body["id"]] = result.report
        for memory_id in gone:
            until_ms, by = ends.get(memory_id, (0, ""))
            self.bank.supersede(memory_id, by, until_ms)
        return reports

    # -- slots of another bank ------------------------------------------------------------------

    def _adopt(self, body: dict[str, Any], now_ms: int) -> None:
        memory_id, (rows, state, by) = body["id"], unpack_rows(body["rows"], self.bank.layout())
        if body["codec"] != self.writer.codec.identity:  # nobody can read them: better none than wrong words
            return
        held = self.bank.rows_of(memory_id)
        # words of an id that is new here are in no record of this log
        state["sequence"] = self.bank.told_at(memory_id)
        state["noted"] = bool(held) and bool(self.bank.noted[held[0]])
        if body["keys"] != self.writer.keys.identity:
            blank = torch.zeros(len(rows.floor), self.bank.key_width, dtype=torch.int8)
            self._place(memory_id, rows._replace(key=blank), state, now_ms)
            if not self.bank.rows_of(memory_id):
                return
            key, senses = self._keys_anew(memory_id, now_ms)
            rows = rows._replace(key=key, senses=senses)
        self._place(memory_id, rows, state, now_ms)
        self.bank.supersede(memory_id, by, int(state["until_ms"]))

    def _keys_anew(self, memory_id: str, now_ms: int) -> tuple[Tensor, Tensor]:
        """Keys [B, K] int8 and senses of what a memory's rows say: theirs were made by another encoder."""
        values, strength = self.bank.readable(self.bank.rows_of(memory_id), now_ms)
        readings = self.writer.codec.read_values(values, strength)
        targets, senses = self.writer.keys.addresses([reading.text or "?" for reading in readings])
        return quantize_keys(targets), senses


def words_of(log: EventLog, owner: str, until: int, wanted: set[str] | None = None) -> dict[str, Record]:
    """The last record before `until` that holds the words of each memory, deleted ones left out.

    Args:
        wanted: only these ids; None: all.
    """
    found: dict[str, Record] = {}
    for record in log.events(owner, 0, until):
        memory_id = record.body.get("id")
        if memory_id is None:
            continue
        if record.kind == "delete":
            found.pop(memory_id, None)
        elif record.kind == "merge":
            told = [found.pop(id_, None) for id_ in (memory_id, *record.body["ids"])]
            for kept in [item for item in told if item and item.seq == record.body["words"]]:
                found[memory_id] = replace(kept, body=kept.body | {"id": memory_id})
        elif record.kind in WRITING:
            found.pop(memory_id, None)  # last written, last in order
            found[memory_id] = record
    return found if wanted is None else {id_: record for id_, record in found.items() if id_ in wanted}


def ends_of(records: Iterable[Record]) -> dict[str, tuple[int, str]]:
    """As `SlotBank.ended`, after some records, of every memory that was replaced or followed."""
    ends: dict[str, tuple[int, str]] = {}
    for record in records:
        if record.kind == "supersede":
            until_ms = record.body.get("until_ms", milliseconds(record.time))
            ends[record.body["id"]] = (until_ms, record.body["by"])
        elif record.kind == "follow":
            ends[record.body["id"]] = (0, record.body["by"])
        elif record.kind == "delete":
            after = ends.pop(record.body["id"], (0, ""))
            for memory_id in [found for found, (_, by) in ends.items() if by == record.body["id"]]:
                ends[memory_id] = after
        elif record.kind == "merge":
            for memory_id, (until_ms, by) in ends.items():
                if by in record.body["ids"]:
                    ends[memory_id] = (until_ms, record.body["id"])
    return ends


def milliseconds(seconds: float) -> int:
    """Unix milliseconds of Unix seconds."""
    return round(seconds * 1_000)


def meaning_of(segments: Sequence[str]) -> str:
    """A gist's four segments as they are compared: case does not count."""
    return normalize("".join(segments))


def _subject_of(body: Mapping[str, Any]) -> int:
    """The mark of a triple's subject; else `OWN` for what the owner says of themselves, 0 for all else."""
    subject, relation = body["gist"][:2]
    if relation.startswith("|") and subject != "1":
        return name_mark(subject)
    said_by_owner = not body.get("name") and body.get("role", "user") == "user"
    return OWN if said_by_owner and is_own(normalize(body["text"])) else 0
