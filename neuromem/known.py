"""What is held that a new statement may touch: candidates for repetition and supersession.

Candidates come from the bank (the same slot, the nearest keys, the last statements), their words from the
log, and from what the same call of `add` has said before. Only what is current counts; a memory that was
superseded lends its words to its successor, so that what replaced it can be replaced in turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from torch import Tensor

from .current import LONGEST_CHAIN
from .errors import NotFound
from .facts import Fact, Gist
from .facts.frames import LIGHT, frame_of
from .facts.slots import slot_of, synonyms
from .fold import fingerprint, meaning_of
from .history import WRITING
from .identity import Owner
from .log import EventLog, Record
from .owners import OpenOwner
from .sayings import RECENT, Held, Saying
from .text import stems

__all__ = ["ASSISTANT", "Known", "last_words", "saying_of", "saying_of_record", "told_by"]

NEAR = 12  # nearest slots that are looked at
IN_SLOT = 24  # … and memories of one slot, those told last
HEARD_TURNS, HEARD_EVENTS, HEARD_S = 6, 24, 6 * 3_600.0  # of the talk before: what "she" may refer to
ASSISTANT = "assistant: "  # before what the user did not say
WHOLE_OBJECT = 28  # bytes of a gist's object from which it may have been cut

_DATE = re.compile(r"\s*\[\d{4}[^\]]*\]")


def saying_of(fact: Fact, time: float, owner: str) -> Saying:
    """A fact as it is judged; time in Unix seconds."""
    return Saying(undated(fact.text), fact.gist, time, told_by(fact.speaker, owner))


def told_by(name: str | None, owner: str) -> str:
    """Who told something, as it is compared: "" for the owner, be it under their own name or under none."""
    return "" if name is None or name.casefold() == Owner.parse(owner).id.casefold() else name


def undated(text: str) -> str:
    """A text without the dates that `facts.times.dated` put behind its words: two dates are no two values."""
    return _DATE.sub("", text)


def last_words(log: EventLog, owner: str, time: float, but: Sequence[int] = ()) -> list[tuple[str, float]]:
    """What was said in the hours before a time, oldest first, and when: "assistant: …" where not by the user.

    Args:
        but: places of words that are left out.
    """
    length = log.length(owner)
    out = []
    for sequence in range(max(0, length - HEARD_EVENTS), length):
        try:
            record = log.get(owner, sequence)
        except NotFound:  # everything was deleted meanwhile: nobody is held up for a look at the talk
            return []
        body = record.body
        said = not record.erased and (record.kind == "say" or (record.kind in WRITING and "said" not in body))
        if said and sequence not in but and 0 <= time - record.told <= HEARD_S:
            text = body.get("heard", body["text"])
            words = f"{ASSISTANT}{text}" if body.get("role") == "assistant" else str(text)
            out.append((words, record.told))
    return out[-HEARD_TURNS:]


class Known:
    """The memories of an owner that talk may touch, those of the very call included."""

    def __init__(self, open_: OpenOwner, record: Callable[[OpenOwner, str], Record | None]) -> None:
        self._open, self._record = open_, record
        self._said: dict[str, Saying] = {}  # of this call, in order; the last telling of each
        self._ended: dict[str, tuple[float, str]] = {}  # of this call: id → (since when, by)
        self._read: dict[str, Saying | None] = {}

    # -- keeping up with the call ---------------------------------------------------------------

    def add(self, memory_id: str, said: Saying) -> None:
        """Notes what this call says."""
        self._said.pop(memory_id, None)
        self._said[memory_id] = said

    def end(self, memory_id: str, by: str, time: float) -> None:
        """Notes that a memory is not current from a time on."""
        self._ended[memory_id] = (time, by)

    def forget(self, memory_id: str) -> None:
        """Takes back what `add` noted."""
        self._said.pop(memory_id, None)

    # -- what is known of one memory ------------------------------------------------------------

    def said(self, memory_id: str) -> Saying | None:
        """The last telling of a memory; None when its words are gone."""
        if memory_id in self._said:
            return self._said[memory_id]
        if memory_id not in self._read:
            record = self._record(self._open, memory_id)
            gone = record is None or record.erased
            self._read[memory_id] = None if gone or record is None else saying_of_record(record)
        return self._read[memory_id]

    def end_of(self, memory_id: str) -> tuple[float, str] | None:
        """(since when, by) of a memory that is not current; None for one that is."""
        if memory_id in self._ended:
            return self._ended[memory_id]
        until_ms, by = self._open.bank.ended(memory_id)
        return (until_ms / 1_000, by) if until_ms else None

    def was_current(self, memory_id: str, time: float) -> bool:
        """Whether a memory was current at a time."""
        end = self.end_of(memory_id)
        return end is None or time < end[0]

    def replaced(self, memory_id: str) -> list[str]:
        """What a memory replaced, and what that had replaced before, the newest first."""
        found = [memory_id]
        for last in found:  # which grows meanwhile
            of_call = [id_ for id_, (_, by) in self._ended.items() if by == last]
            found += [
                id_ for id_ in dict.fromkeys((*of_call, *self._open.bank.replaced_by(last)))
                if id_ not in found and self.end_of(id_) is not None
            ]  # fmt: skip
        return found[1:]

    # -- heard before ---------------------------------------------------------------------------

    def repeated(self, fact: Fact, mark: int, time: float, infer: bool) -> str | None:
        """The memory that a fact tells again: the same words, or (infer) the same fact in other words.

        Args:
            mark: fingerprint of the words.
        """
        bank = self._open.bank
        for memory_id in bank.find("words", mark):
            if self.was_current(memory_id, time):
                return memory_id
        gist = fact.gist
        if not infer or not gist.is_triple or not gist.object or len(gist.object.encode()) >= WHOLE_OBJECT:
            return None
        meant = bank.find("meaning", fingerprint(meaning_of(gist.segments())))
        same_call = [id_ for id_, said in self._said.items() if _same_meaning(said.gist, gist)]
        for memory_id in (*meant, *same_call):
            said = self.said(memory_id)
            if said is None or not self.was_current(memory_id, time):
                continue
            if is_repetition(fact, said, self._open.fold.owner):
                return memory_id
        return None

    # -- candidates -----------------------------------------------------------------------------

    def candidates(self, new: Saying, vectors: Sequence[Tensor] = ()) -> list[Held]:
        """Current memories that a statement may replace, told by anybody, at any time.

        Args:
            vectors: [K] unit keys, of the statement and of what it names.
        """
        bank = self._open.bank
        likeness: dict[str, float] = {}
        slot = slot_of(new.gist)
        if slot is not None:
            likeness |= dict.fromkeys(bank.find("slot", fingerprint(slot.key), IN_SLOT), 0.0)
        backs = self._last(new.speaker)
        likeness |= dict.fromkeys(backs, 0.0)
        likeness |= dict.fromkeys(self._alike(new), 0.0)
        for vector in vectors:
            cosines, rows = bank.lookup(vector, NEAR)
            for memory_id, cosine in zip(bank.ids_of(rows), cosines.tolist(), strict=True):
                likeness[memory_id] = max(likeness.get(memory_id, 0.0), cosine)
        return self._held(likeness, backs)

    def _held(self, likeness: dict[str, float], backs: dict[str, int]) -> list[Held]:
        """Current memories, each with the words of those it replaced that were found too."""
        before: dict[str, list[str]] = {}
        best: dict[str, float] = {}
        now: dict[str, str | None] = {}
        for memory_id, cosine in likeness.items():
            current = self._current(memory_id, now)
            if current is None:
                continue
            best[current] = max(best.get(current, 0.0), cosine)
            said = self.said(memory_id)
            if current != memory_id and said is not None:
                before.setdefault(current, []).append(said.text)
        out = []
        for memory_id, cosine in best.items():
            said = self.said(memory_id)
            if said is not None:
                back = backs.get(memory_id, 99)
                out.append(Held(memory_id, said, back, cosine, tuple(before.get(memory_id, ()))))
        return out

    def _current(self, memory_id: str, now: dict[str, str | None]) -> str | None:
        """The memory itself, or what has replaced it and is current; None for nothing.

        Args:
            now: what that is for memories asked for before; those of one chain are looked up once.
        """
        chain: list[str] = []
        last = memory_id
        while last and last not in now and len(chain) < LONGEST_CHAIN:
            chain.append(last)
            end = self.end_of(last)
            if end is None:
                now[last] = last
            else:
                last = end[1]
        current = now.get(last)
        now |= dict.fromkeys(chain, current)
        return current

    def _last(self, speaker: str) -> dict[str, int]:
        """How many statements ago each of the last memories of a speaker was told."""
        bank = self._open.bank
        rows = (bank.used & (bank.part == 0)).nonzero().flatten()
        newest = rows[bank.sequence[rows].topk(min(len(rows), 2 * RECENT)).indices]
        ids = [*reversed(self._said), *(id_ for id_ in bank.ids_of(newest) if id_ not in self._said)]
        own = []
        for memory_id in ids:
            said = self.said(memory_id)
            if said is not None and said.speaker.casefold() == speaker.casefold():
                own.append(memory_id)
            if len(own) == RECENT:
                break
        return {memory_id: back for back, memory_id in enumerate(own)}

    def _alike(self, new: Saying) -> Iterable[str]:
        """Memories of this very call that share a content word."""
        found = new.frame.stems - LIGHT
        return [id_ for id_, said in self._said.items() if found & said.frame.stems]


def saying_of_record(record: Record) -> Saying:
    """The words of a record as they are judged."""
    body = record.body
    first, second, third, rest = body["gist"]
    separator = (second or third)[:1] or "|"
    parts = (first, second.removeprefix(separator), third.removeprefix(separator) + rest)
    gist = Gist(*parts, separator=separator if separator in "| " else "|")
    return Saying(undated(str(body["text"])), gist, record.told, told_by(body.get("name"), record.owner))


def _same_meaning(one: Gist, other: Gist) -> bool:
    return meaning_of(one.segments()) == meaning_of(other.segments())


def is_repetition(fact: Fact, said: Saying, owner: str) -> bool:
    """Whether two tellings with one gist are of one fact.

    A gist leaves words out. Where each telling has content words that the other lacks, these may tell two
    things apart: the thermostat of the rehearsal room, and that of the community centre.
    """
    if told_by(fact.speaker, owner).casefold() != said.speaker.casefold():
        return False
    one, other = frame_of(fact.text), frame_of(said.text)
    slot = slot_of(fact.gist)
    light = LIGHT | frozenset(stems(fact.gist.relation)) | (synonyms(slot.name) if slot else frozenset())
    ours, theirs = one.stems - other.stems - light, other.stems - one.stems - light
    return not (ours and theirs) and one.denies == other.denies and not (one.once and "again" in fact.text)
