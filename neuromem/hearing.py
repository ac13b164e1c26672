"""From facts to events: what a call of `add` appends to the log.

Facts become ``add`` events, written together in batches; what was heard before becomes ``hear``; words
that no fact holds become ``say``, so that every raw word is in the log, once (what stood around a fact is in
its record again). A fact that replaces what is
held is followed by ``supersede`` events (`supersede.py` decides); so is a retraction, which is no fact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from .facts import Fact, Gist, Turn, extract
from .facts.changes import Denied, change_of
from .facts.clause import KIN_WORDS
from .facts.whose import without_lead
from .facts.wording import is_lasting, leans_back
from .fold import fingerprint
from .habits import excepted
from .identity import memory_id
from .known import Known, saying_of, told_by
from .log import Event, Record
from .owners import OpenOwner
from .sayings import LAST_S, Held, Saying, content, denied_by, is_older_value, same_side
from .supersede import FOLLOWS, End, followed, outdated, retracted
from .tell import fact_body, in_batches, in_third_person, is_immutable, joined_metadata
from .text import sentences, stems
from .verdict import READ, news_judge_for, weighed
from .within import JOINED_BYTES, cues_of, denial_of, is_covered, joined_turn, led_by, only_cue

__all__ = ["NOTHING", "Hearing", "Told", "say_event"]

NOTHING = ("", 0.0)  # said before
_SCRATCH = re.compile(
    r"\b(?:scratch|strike|disregard|erase|delete|unremember|forget (?:that|this))\b", re.IGNORECASE
)  # said of what was told, and of nothing else
SHORT = 7  # words of a statement that is told with what has just been given up, whatever it is about
PERSONAL = frozenset(stems(" ".join(KIN_WORDS)))  # … but a relative's news is their own


@dataclass(frozen=True, slots=True)
class Told:
    """A fact on its way: the id it has or gets, and what its event does."""

    id: str
    text: str
    gist: Gist
    event: str  # "ADD", "UPDATE" or "REINFORCE"


class Hearing:
    """Turns talk into events for one owner; nothing is appended yet."""

    def __init__(
        self,
        open_: OpenOwner,
        first_seq: int,
        record: Callable[[OpenOwner, str], Record | None],
    ) -> None:
        """
        Args:
            open_: whose bank tells what is known. first_seq: number of the first event in the log.
            record: gives the log's record of a memory that is held.
        """
        self.owner, self.first_seq = open_.fold.owner, first_seq
        self.metadata: Mapping[str, Any] = {}
        self.infer, self._before, self._begun = True, NOTHING, 0
        self.events: list[Event] = []
        self.told: list[Told] = []
        self._keys, self._record, self._open = open_.fold.writer.keys, record, open_
        self._known = Known(open_, record)
        self._judge = news_judge_for(self._keys.encoder.name)
        self._tail: tuple[Fact | None, list[End]] = (None, [])  # the last fact of the turn, what it ended
        self._vectors_of: dict[str, Sequence[Tensor]] = {}  # of the turn, by the words
        self._between = False  # people talk with each other, not with an assistant

    def hear(
        self,
        turns: Sequence[Turn],
        times: Sequence[float],
        spoken: Sequence[Sequence[Fact]],
        metadata: Mapping[str, Any],
        infer: bool,
        said: Sequence[int | None],
        before: tuple[str, float] = NOTHING,
    ) -> None:
        """Makes the events of one call's turns; they go behind those that were made before.

        Args:
            times: when each turn was said, Unix seconds. spoken: the facts of each turn.
            infer: facts may replace each other; False only stores.
            said: place in the log of each turn's words that are there already.
            before: what the user said last, before all of them, and when.
        """
        self.metadata, self.infer, self._before = metadata, infer, before
        self._between = len({turn.speaker for turn in turns if turn.role == "user" and turn.speaker}) > 1
        for turn, time, facts, place in zip(turns, times, spoken, said, strict=True):
            self._turn(turn, time, [in_third_person(fact, self.owner) for fact in facts], place)
            self._before = (turn.text, time) if turn.role == "user" else self._before

    def in_batches(self) -> list[Event]:
        """All events made so far, facts that follow each other marked to be written together."""
        return in_batches(self.events)

    def _turn(self, turn: Turn, time: float, facts: Sequence[Fact], said_seq: int | None) -> None:
        if self.infer:
            facts = [fact for fact in facts if not only_cue(fact.said)]
        denial, denied = self._denial(turn)
        self._begun = len(self.events)
        if said_seq is None and (denied or not is_covered(turn.text, facts)):
            said_seq = self._next()
            self.events.append(say_event(turn, time))
        self._tail, self._vectors_of = (None, []), {}
        if denied:
            self._deny(denial, denied, time, said_seq)
            turn = replace(turn, text=denial.rest)
            facts = [fact for fact in facts if fact.said in denial.rest]
        own = [(fact, True) for fact in facts]
        if self.infer and not self._between:
            own += self._left_over(turn, facts)
        own.sort(key=lambda item: turn.text.find(item[0].said))
        whole = self._whole(turn, [fact for fact, _ in own], time)
        own = own if whole is None else [(whole, True)]
        cues = cues_of(turn.text, [fact for fact, _ in own]) if self.infer else [""] * len(own)
        for place, (fact, sure) in enumerate(own):
            follows = place + 1 < len(own) and cues[place + 1] == fact.said
            if not follows:  # else it is heard with what comes after it
                said = replace(saying_of(fact, time, self.owner), cue=cues[place])
                led = "" if said.cue else led_by(turn.text, fact.said, self._lead(time))
                self._fact(fact, replace(said, led=led), said_seq, sure)

    def _denial(self, turn: Turn) -> tuple[Denied, list[Fact]]:
        """What the user takes back, if the turn begins with that, and the facts in it; none in any other."""
        hears = self.infer and not self._between and turn.role == "user"
        found = denial_of(turn.text) if hears else None
        return (found, extract([replace(turn, text=found.clause)])) if found else (Denied(), [])

    def _deny(self, denial: Denied, facts: Sequence[Fact], time: float, said_seq: int | None) -> None:
        """Takes back the memory that says so; where there is none, what is said is so instead.

        "Forget that I love olives", of which nobody spoke, is nothing. "Forget that my dog is called Rex" may
        be two sentences, where another name is known.
        """
        for place, fact in enumerate(facts):
            fact, self._tail = in_third_person(fact, self.owner), (None, [])
            said = replace(saying_of(fact, time, self.owner), cue="" if place else "scratch that:")
            held = _earlier(said, self._candidates(said))
            gone = None if denial.anew else denied_by(said, held, by_words=not denial.forget)
            rival = any(
                slots_meet(said, item.said) and said.frame.whose == item.said.frame.whose for item in held
            )
            if gone is None and (rival or not denial.forget):
                self._fact(fact, said, said_seq, not denial.forget)
            elif gone is not None and not self._is_immutable(gone.id):
                self._end(End(gone.id, "retracted"), "", time)
        self._tail = (None, [])

    def _whole(self, turn: Turn, facts: Sequence[Fact], time: float) -> Fact | None:
        """What a turn says of one change in several statements, where none of them alone replaces anything.

        "The garage reassigned everybody; I'm in D3 now.": the one says that it changed, the other to what.
        """
        if not self.infer or self._between or turn.role != "user" or not change_of(turn.text):
            return None
        whole = joined_turn(turn.text, facts)
        if whole is None or any(self._ended_by(saying_of(fact, time, self.owner)) for fact in facts):
            return None
        said = saying_of(whole, time, self.owner)
        held = _earlier(said, self._candidates(said))
        return whole if outdated(said, held) or followed(said, held) else None

    def _ended_by(self, said: Saying) -> list[End]:
        return outdated(said, _earlier(said, self._candidates(said)))

    def _next(self) -> int:
        return self.first_seq + len(self.events)

    def _left_over(self, turn: Turn, facts: Sequence[Fact]) -> list[tuple[Fact, bool]]:
        """What a user said of change that was not kept as a fact: "nope, I signed up for drinks".

        With each, whether it is a fact without the "nope"; else it counts only if it replaces something.
        """
        if turn.role != "user":
            return []
        out = []
        for piece in sentences(turn.text):
            if any(piece in fact.said for fact in facts):  # joined with its neighbours, it has been told
                continue
            for fact in facts:
                piece = piece.replace(fact.said, " ").strip(" ,;")
            change = change_of(piece)
            if stems(piece) and not piece.endswith("?") and change and (change.bare or not only_cue(piece)):
                bare = replace(turn, text=without_lead(piece) or piece)
                sure = bare.text != piece and bool(extract([bare]))
                (fact,) = extract([replace(turn, text=piece)], infer=False)
                out.append((in_third_person(fact, self.owner), sure))
        return out

    def _lead(self, time: float) -> str:
        """What the user said last, if that was just before."""
        text, told = self._before
        return text if 0 <= time - told <= LAST_S else ""

    # -- one fact -------------------------------------------------------------------------------

    def _fact(self, fact: Fact, said: Saying, said_seq: int | None, sure: bool) -> None:
        """A fact's events. One that is not sure is only heard if it replaces something."""
        time = said.time
        if self.infer and said.change.bare and not self._between:
            for end in retracted(said, _earlier(said, self._candidates(said))):
                meant = not self._is_by_the_way(said) or self._just_said(end.id, time)
                if meant and not self._is_immutable(end.id):
                    self._end(end, "", time)
                    self._end_older(end.id, said, time)
            self._tail = (None, [])
            return
        body = fact_body(fact, self.metadata, said_seq)
        mark = fingerprint(body["known_as"])
        again = self._known.repeated(fact, mark, time, self.infer)
        if again is not None:
            self._again(again, body, fact, time)
            self._tail = (None, [])
            return
        held = self._candidates(said) if self.infer else []
        ends, loose, late = self._outdated(said, held)
        ends = [End(end.id, FOLLOWS) if self._stands(end) else end for end in ends]
        fact, passed_on = self._joined(fact, said)
        if not (sure or ends or passed_on):
            return
        body = fact_body(fact, self.metadata, said_seq)
        id_ = body["id"] = memory_id(self.owner, self._next(), time, fact.text)
        self.events.append(Event("add", time, body))
        self._known.add(id_, saying_of(fact, time, self.owner))
        for end in (*passed_on, *ends):
            self._end(end, id_, time)
        if not (ends or passed_on or late):
            self._loosely(said, held, loose, id_)
        self._tail = (fact, [*passed_on, *ends])
        if late is not None and not self._is_immutable(id_):
            self._end(End(id_, "late"), late.id, late.said.time)
        replaces = any(end.reason != FOLLOWS for end in (*passed_on, *ends))
        self.told.append(Told(id_, fact.text, fact.gist, "UPDATE" if replaces else "ADD"))

    def _again(self, id_: str, body: dict[str, Any], fact: Fact, time: float) -> None:
        """A fact heard again keeps the fuller of its wordings and its metadata; all is in the log anyway."""
        held = self._body_of(id_)
        if len(held.get("text", "")) > len(body["text"]) or is_immutable(held.get("metadata", {})):
            body |= {"text": held["text"], "heard": fact.said}
        metadata = joined_metadata(held.get("metadata", {}), body.pop("metadata", {}))
        body |= {"metadata": metadata} if metadata else {}
        body["id"] = id_
        self.events.append(Event("hear", time, body))
        self._known.add(id_, Saying(body["text"], fact.gist, time, told_by(fact.speaker, self.owner)))
        self.told.append(Told(id_, fact.text, fact.gist, "REINFORCE"))

    def _stands(self, end: End) -> bool:
        """Whether a memory stays current all the same; what is pinned does where only the judge ends it."""
        pinned = end.reason == READ and bool(self._body_of(end.id).get("pinned"))
        return pinned or self._is_immutable(end.id)

    @staticmethod
    def _is_by_the_way(said: Saying) -> bool:
        """Whether a retraction names nothing, and may be of a question or an answer ("Never mind.")."""
        return not any(map(content, said.change.old)) and not _SCRATCH.search(said.text)

    def _just_said(self, id_: str, time: float) -> bool:
        """Whether a memory is of this turn, or of what the user said last: such words mean nothing older."""
        if any(event.body.get("id") == id_ for event in self.events[self._begun :]):
            return True
        body = self._body_of(id_)
        return str(body.get("heard") or body["text"]) in self._lead(time)

    def _is_immutable(self, id_: str) -> bool:
        return is_immutable(self._body_of(id_).get("metadata", {}))

    def _body_of(self, id_: str) -> Mapping[str, Any]:
        """The body that was told last of a memory."""
        for event in reversed(self.events):
            if event.body.get("id") == id_ and "text" in event.body:
                return event.body
        record = self._record(self._open, id_)
        return {} if record is None or record.erased else record.body

    # -- what it ends ---------------------------------------------------------------------------

    def _outdated(self, said: Saying, held: Sequence[Held]) -> tuple[list[End], list[End], Held | None]:
        """What a statement replaces, what it may be news of, and what is newer and replaces it.

        In talk between people, only what one slot with one value at a time says: "No worries!" corrects
        nothing there, and "now I want to help others" is no news of the last wish.
        """
        ends, late = _ends(said, held)
        if self._between:
            by_slot = [end for end in ends if end.reason == "slot"]
            return by_slot, [], late if late is not None and slots_meet(said, late.said) else None
        earlier = _earlier(said, held)
        loose = followed(said, earlier)
        if self._judge is not None and earlier:
            found = {end.id for end in (*ends, *loose)}
            ends, loose = weighed(said, earlier, ends, loose, self._judge.chances(said, earlier, found))
        return ends, loose, late

    def _loosely(self, said: Saying, held: Sequence[Held], loose: Sequence[End], id_: str) -> None:
        """Links a new fact with what it may be news of, or with the habit to which it is an exception."""
        habit = None if self._between else excepted(said, _earlier(said, held))
        if habit is not None:
            self._end(End(id_, FOLLOWS), habit, said.time)
        for end in loose if habit is None else ():
            self._end(end, id_, said.time)

    def _candidates(self, said: Saying) -> list[Held]:
        return self._known.candidates(said, self._vectors(said))

    def _vectors(self, said: Saying) -> Sequence[Tensor]:
        """Keys of the statement and of what it names; none where nothing reads and no word hints at it."""
        change, slot, frame = said.change, said.slot, said.frame
        if said.text in self._vectors_of:
            return self._vectors_of[said.text]
        hints = bool(change) or frame.once or bool(frame.values) or frame.states or is_lasting(said.text)
        if self._judge is None and not hints and not (slot and slot.single):
            return ()
        named = " ".join((*change.old, *change.topic))
        found = [self._keys.near(text) for text in (said.text, named) if text]
        self._vectors_of[said.text] = found
        return found

    def _end(self, end: End, by: str, time: float, until_ms: int | None = None) -> None:
        body: dict[str, Any] = {"id": end.id, "by": by, "reason": end.reason}
        if until_ms is not None:  # it had ended before
            body["until_ms"] = until_ms
        self.events.append(Event("follow" if end.reason == FOLLOWS else "supersede", time, body))
        if end.reason != FOLLOWS:
            self._known.end(end.id, by, time if until_ms is None else until_ms / 1_000)

    def _end_older(self, id_: str, said: Saying, time: float) -> None:
        """Takes back what a memory had replaced of the same matter: no older PIN is told instead."""
        gone, phrases = self._known.said(id_), [phrase for phrase in said.change.old if content(phrase)]
        for older in self._known.replaced(id_) if gone and phrases else ():
            was, since = self._known.said(older), self._known.end_of(older)
            if was and gone and is_older_value(was, gone, phrases) and not self._is_immutable(older):
                until_ms = round((since or (time, ""))[0] * 1_000)
                self._end(End(older, "retracted"), "", time, until_ms)

    def _joined(self, fact: Fact, said: Saying) -> tuple[Fact, list[End]]:
        """A fact with the one before it, if that has ended something and this one says what is so instead.

        "Sold the desktop. I do everything on a tablet now.": both together replace the desktop. Taken apart,
        the question for the computer would find the sale. Returns also what the one before has ended.
        """
        before, ends = self._tail
        if before is None or not ends:
            return fact, []
        old = [known for end in ends for known in [self._known.said(end.id)] if known is not None]
        now = said.change.has("now", "turns") or said.frame.whose.kind == "self" or leans_back(said.text)
        now = now or (len(said.text.split()) <= SHORT and not said.frame.whose.names & PERSONAL)
        if said.change.has("adds") or (not now and not any(same_side(said, known) for known in old)):
            return fact, []
        while self.events[-1].kind in ("supersede", "follow"):
            self.events.pop()
        comma = "," if before.text[-1].isalnum() and before.text != before.text.lower() else ""
        text, heard = f"{before.text}{comma} {fact.text}", f"{before.said}{comma} {fact.said}"
        if len(text.encode()) > JOINED_BYTES:
            return fact, ends
        gone = self.told.pop()
        self.events.pop()
        self._known.forget(gone.id)
        gist = fact.gist if now and fact.gist.is_triple else before.gist
        weight = max(fact.importance, before.importance)
        return replace(fact, text=text, said=heard, gist=gist, importance=weight), ends


def say_event(turn: Turn, time: float) -> Event:
    """The words of a turn, as they were said."""
    return Event("say", time, {"text": turn.text, "role": turn.role, "name": turn.speaker})


def slots_meet(one: Saying, other: Saying) -> bool:
    """Whether both fill one slot that has one value at a time."""
    return (
        one.slot is not None and one.slot.single and other.slot is not None and one.slot.key == other.slot.key
    )


def _earlier(said: Saying, held: Sequence[Held]) -> list[Held]:
    """Of candidates those that were told no later than a statement."""
    return [item for item in held if item.said.time <= said.time]


def _ends(said: Saying, held: Sequence[Held]) -> tuple[list[End], Held | None]:
    """What a statement replaces, and what is newer than the statement and replaces it."""
    itself = Held("", said)
    late = next((item for item in held if item.said.time > said.time and outdated(item.said, [itself])), None)
    return outdated(said, _earlier(said, held)), late
