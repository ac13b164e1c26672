"""Answers put together from what the user said, with no model that writes.

What was recalled leads to the turns in which the answer may have been given; a judge chooses the statement
that answers, or none; that statement is said, with its day.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from ..engine import Written
from ..memory import Memory
from ..recall import Recall
from .asked import asks_memory, asks_of_assistant, capitals_in, has_kind, is_elliptic, kind_of, read_question
from .candidates import Candidate, around, recalled
from .faint import FORGOTTEN
from .following import MOST, WITHIN_S, Before, Follow, follow
from .forgotten import Forgotten
from .judging import Judge, Verdict, sureness
from .newest import Ends, ends_for, holding
from .phrasing import continued, states, told
from .retracting import beside, retracts
from .since import News, Since, news_of
from .statements import focused, statements_of
from .weighing import judge_for

__all__ = ["UNKNOWN", "UNSURE", "Answer", "Responder", "Tiers", "phrased", "sentence"]

UNKNOWN = "I don't know that. You haven't told me."
OF_MYSELF = "I am a memory: I can tell you what you have told me."
TAKEN_BACK = "I've taken that back."
NOTHING_TO_TAKE_BACK = "I found nothing of that to take back."
UNSURE = "I don't know that for certain."  # before what may answer
FRAGMENT_WORDS = 6  # of a fragment that is said with what it belongs to
_USED_TO = re.compile(r"\bused to (?!it\b|the\b|my\b|being\b)", re.IGNORECASE)
_OF_TIME = ("when", "hour", "length")  # kinds of question


@dataclass(frozen=True, slots=True)
class Tiers:
    """From which sureness on how much is said; chosen by `training/tune_weighing.py`."""

    enough: float = 0.9  # a statement is said as the answer …
    perhaps: float = 0.4  # … and as what may be it
    close: float = 0.6  # share of the best statement's chance from which on the next is said too


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a question."""

    text: str
    used: tuple[Recall, ...] = ()
    known: bool = False


class Responder:
    """Answers one user from what is recalled; it knows the question before, for those that lean on it."""

    def __init__(self, memory: Memory, user_id: str, judge: Judge | None = None) -> None:
        """Args: judge: who tells which statement answers; None: the best at hand."""
        self._memory, self._user_id = memory, user_id
        self._judge: Judge = judge_for(memory) if judge is None else judge
        self._ends = ends_for(memory) if judge is None else None
        self._since, self._forgotten = Since(memory, user_id), Forgotten(memory, user_id)
        self._before: Before | None = None  # the question before

    def is_question(self, text: str) -> bool:
        """Whether something is asked that a memory of the user may answer."""
        asked_before = self._before is not None and self._before.asks
        text = beside(text) if retracts(text) else text  # "Forget what I said about my PIN" asks nothing
        return bool(text) and (asks_memory(text) or (asked_before and is_elliptic(text)))

    def begin(self, now: float) -> None:
        """A turn begins: what was asked long ago is not leaned on any more. `now`: Unix seconds."""
        if self._before is not None and not 0 <= now - self._before.time <= WITHIN_S:
            self._before = None

    def query(self, text: str) -> str:
        """The words to recall with: those of the question before as well, if this one leans on it."""
        return follow(text, self._before).query if self.is_question(text) else text

    def recall(self, text: str) -> list[Recall]:
        """Memories that may lead to the answer, superseded ones too; nothing is rehearsed."""
        return recalled(self._memory, self._user_id, self.query(text))

    def answer(self, text: str, recalled: Sequence[Recall], now: float) -> Answer:
        """The statement that answers, in a sentence; or that nothing is known.

        Args:
            text: the question as it was asked. recalled: what `recall` found for it.
            now: Unix seconds.
        """
        asked = follow(text, self._before)
        found = around(self._memory, self._user_id, recalled)
        with self._memory.engine.owners.threads:
            verdicts = self._judge.judge(asked, found) if found else []
            said = phrased(asked.text, verdicts, found, now, ends=self._ends, since=self._since)
        if not said.known and asks_of_assistant(asked.text):
            return Answer(OF_MYSELF)
        if said.best is None:
            return self._from_log(asked, now)
        self._before = _remembered(asked.text, said.best, now)
        return Answer(said.text, said.used, True) if said.known else Answer(said.text)

    def _from_log(self, asked: Follow, now: float) -> Answer:
        """The answer from what the weights hold no more; or that nothing is known."""
        found = self._forgotten.candidates(asked.query)
        with self._memory.engine.owners.threads:
            verdicts = self._judge.judge(asked, found) if found else []
            said = phrased(asked.text, verdicts, found, now, ends=self._ends)
        self._before = _remembered(asked.text, said.best, now)
        if said.best is None or not said.known:
            return Answer(said.text)
        used = self._forgotten.bring_back(said.best.candidate)
        return Answer(f"{FORGOTTEN}. I looked it up: {said.text}", used, True)

    def leave(self) -> None:
        """What was asked is not leaned on any more: its words were deleted."""
        self._before = None

    def acknowledge(self, text: str, written: Sequence[Written], now: float, taken_back: int = 0) -> str:
        """What is said to words that ask nothing of the memory.

        Args:
            written: what they told. now: Unix seconds. taken_back: how many memories they took back.
        """
        self._before = Before(text[-MOST:], "", -1, now, asks=False)  # "How old is she?" may be asked of it
        events = {fact.event for fact in written}
        if taken_back:
            return f"{TAKEN_BACK} I'll remember the rest." if events else TAKEN_BACK
        if "ADD" in events or "UPDATE" in events:
            return "I'll remember that."
        if not events and retracts(text):
            return NOTHING_TO_TAKE_BACK
        return "Yes, you told me." if events else "All right."


_CHANGED = re.compile(
    r"\b(?:now|no longer|any ?more|instead|these days|nowadays|from now on|changed?|moved|switched|swapped|"
    r"new|actually|after all|no wait|turns out|not .* but|stopped|gave up|quit|cancelled|postponed|"
    r"put (?:off|back)|sold)\b",
    re.IGNORECASE,
)


class Phrased(NamedTuple):
    """An answer in words."""

    text: str
    best: Verdict | None = None  # the statement it rests on
    known: bool = False  # whether it is said as known
    used: tuple[Recall, ...] = ()  # the memories that it tells


def phrased(
    question: str,
    verdicts: Sequence[Verdict],
    found: Sequence[Candidate],
    now: float,
    tiers: Tiers | None = None,
    ends: Ends | None = None,
    since: Since | None = None,
) -> Phrased:
    """The answer in words.

    Args:
        verdicts: likeliest first. found: all candidates. now: Unix seconds.
        ends: tells whether a turn makes one before it out of date; None: nobody can.
        since: tells what replaced a memory; None: nobody can.
    """
    tiers, past = tiers or Tiers(), read_question(question).past
    if not past:  # "I used to get 35" is no answer to what is so
        verdicts = [each for each in verdicts if not _USED_TO.search(each.statement.said)]
    sure = sureness(verdicts)
    if not verdicts or sure < tiers.perhaps:
        return Phrased(UNKNOWN)
    holds = holding(verdicts, ends) if ends is not None and not past else None
    said = [holds] if holds is not None else _worth_saying(verdicts, tiers.close)
    news = [None if past else _news(each, since) for each in said]
    both = zip(said, news, strict=True)
    text = _joined(
        [text for each, new in both for text in _up_to_date(question, each, new, said, found, now)]
    )
    known, first = sure >= tiers.enough, news[0]
    used = _used(said[0]) if first is None or not first.instead else (first.recall,)
    return Phrased(text if known else f"{UNSURE} {text}", said[0], known, used)


def _up_to_date(
    question: str,
    each: Verdict,
    news: News | None,
    said: Sequence[Verdict],
    found: Sequence[Candidate],
    now: float,
) -> list[str]:
    """A statement in a sentence, with what replaced its memory behind it or in its place."""
    if news is None or any(news.recall.id in _ids(other) for other in said if other is not each):
        return [sentence(question, each, found, now)]
    spelt = capitals_in([candidate.text for candidate in found])
    moment = datetime.fromtimestamp(now, tz=UTC)
    if not news.instead and kind_of(question) in _OF_TIME:  # another time in the news answers nothing
        return [sentence(question, each, found, now)]
    newer = told(focused(news.text, question), news.recall.created_at, moment, capitals=spelt)
    return [newer] if news.instead else [sentence(question, each, found, now), newer]


def _news(each: Verdict, since: Since | None) -> News | None:
    """What replaced the memory that holds a statement, if one does."""
    used = _used(each)
    if since is None or not used:
        return None
    said, held = set(_words(each.statement.text)), set(_words(used[0].text))
    return news_of(each.statement.text, used[0], since) if len(said & held) * 2 >= len(said) else None


def _ids(verdict: Verdict) -> list[str]:
    return [recall.id for recall in verdict.candidate.memories]


def _worth_saying(verdicts: Sequence[Verdict], share: float) -> Sequence[Verdict]:
    """The best statement, and the next where it is about as likely: whoever asked can tell them apart.

    What was told before something that speaks of change is most likely what was so before.
    """
    best = verdicts[0]
    close = [each for each in verdicts[1:2] if each.chance >= share * best.chance]
    if _CHANGED.search(best.statement.said):
        close = [each for each in close if each.candidate.seq >= best.candidate.seq]
    return [best, *close]


def _joined(said: Sequence[str]) -> str:
    """Sentences one after the other, each once."""
    first, *rest = said
    more = [text for text in rest if not set(_words(text)) <= set(_words(first))]
    return " ".join([first, *(f"You also told me{text.removeprefix('You told me')}" for text in more)])


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def sentence(question: str, best: Verdict, found: Sequence[Candidate], now: float) -> str:
    """The answer in a sentence: the part of the statement that answers, and when it was told.

    Args:
        found: all candidates; they show how names are written. now: Unix seconds.
    """
    said = _with_fragments(best, focused(best.statement.text, question))
    timed = kind_of(question) in _OF_TIME and has_kind("when", said) > 0  # its own date is the one asked for
    spelt = capitals_in([candidate.text for candidate in found])
    moment = datetime.fromtimestamp(now, tz=UTC)
    return told(said, best.candidate.created_at, moment, day=not timed, capitals=spelt)


def _with_fragments(best: Verdict, said: str) -> str:
    """A statement with the fragments beside it: "I burned my arm" with "The left one", and vice versa."""
    place, every = best.statement.place, statements_of(best.candidate)
    if place and not states(said):  # "Six kilos exactly" is said of something
        said = f"{every[place - 1].text.rstrip(' .!,;')}: {said}"
    if not best.statement.text.endswith(said) and place + 1 < len(every):
        return said  # only a part of it answers
    for after in every[place + 1 :]:
        if states(after.said) or len(after.said.split()) > FRAGMENT_WORDS:
            break
        said = f"{said.rstrip(' .!,;')}, {continued(after.said)}"
    return said


def _remembered(question: str, best: Verdict | None, now: float) -> Before:
    if best is None:
        return Before(question[-MOST:], "", -1, now)
    return Before(question[-MOST:], best.statement.text, best.candidate.seq, now)


def _used(best: Verdict) -> tuple[Recall, ...]:
    """The memory that holds the statement: the one that says most of its words."""
    said = set(best.statement.text.lower().split())
    memories: Sequence[Recall] = best.candidate.memories
    return tuple(sorted(memories, key=lambda each: -len(said & set(each.text.lower().split())))[:1])
