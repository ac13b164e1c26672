"""Statements side by side: what was just said and what is held, and how much they have in common.

Shares are weighed by how telling a word is (`text.idf`), so that "surgeon" counts more than "appointment".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .cached import of_texts
from .facts.bynames import are_namesakes
from .facts.changes import Change, change_of
from .facts.clause import KIN_WORDS
from .facts.frames import LIGHT, Frame, akin, frame_of, kin_in_full, mass
from .facts.gist import Gist
from .facts.slots import Slot, slot_of
from .facts.topics import SETTLED, topics_of
from .facts.values import to_digits
from .facts.whose import Whose, without_lead
from .facts.wording import (
    hesitates,
    is_first_person,
    is_late_once,
    is_only_tried,
    is_surely_wrong,
    leans_back,
    moves_it,
    of_someone_else,
    same_feast,
)
from .text import normalize, stem, stems, words

__all__ = [
    "LAST_S",
    "RECENT",
    "RECENT_S",
    "TELLING",
    "Held",
    "Saying",
    "akin_values",
    "all_stems",
    "content",
    "cover",
    "denied_by",
    "ends_nothing",
    "have_met",
    "is_older_value",
    "is_second_thought",
    "likeliest",
    "may_meet",
    "named",
    "numbered_apart",
    "numbers_of",
    "of_namesake",
    "overlap",
    "same_matter",
    "same_measure",
    "same_occasion",
    "same_side",
    "same_speaker",
    "same_words",
    "sides",
    "two_things",
]

LIKE = 0.4  # cosine from which "dropped her at her new school" may be of the daughter
NAMED = 0.6  # share of the words for what is given up that a fact must hold
CENTRAL = 0.2  # share of a fact's own words that these must make up
TELLING = 6.0  # nats of shared words by which two statements are about one thing
LAST_S = 3_600.0  # a correction with no word in common means what was said in the last hour
RECENT_S = 2 * 86_400.0
RECENT = 4  # … and one of the last so many statements
BARE = 2  # telling words of a statement that gives no more than a value


@dataclass(frozen=True, slots=True)
class Saying:
    """A statement as it is judged."""

    text: str
    gist: Gist
    time: float  # Unix seconds
    speaker: str = ""
    cue: str = ""  # what was said just before it and is no fact: "Sorry.", "Scratch that."
    led: str = ""  # as it was said, behind what it leans on: "Caleb rang me. He's moved to Leeds."

    @property
    def frame(self) -> Frame:
        """The statement taken apart."""
        return frame_of(self.text)

    @property
    def change(self) -> Change:
        """Its cues of change."""
        return change_of(f"{self.cue} {self.text}".strip())

    @property
    def slot(self) -> Slot | None:
        """The slot that its gist fills."""
        return slot_of(self.gist)


@dataclass(frozen=True, slots=True)
class Held:
    """A memory that may be outdated: a current one."""

    id: str
    said: Saying
    back: int = 99  # how many statements ago it was said; 0 is the last one
    likeness: float = 0.0  # cosine of its key with the new statement
    before: tuple[str, ...] = ()  # texts that it replaced, by which it is known too

    def texts(self) -> tuple[str, ...]:
        """Its own words and those it replaced."""
        return (self.said.text, *self.before)


# --- how much of one is in the other ---------------------------------------------------------------


@of_texts(4_096)
def content(phrase: str) -> frozenset[str]:
    """Stems of a phrase's telling words."""
    return frozenset(stems(kin_in_full(phrase))) - LIGHT


def all_stems(held: Held) -> frozenset[str]:
    """Stems of a memory's words and of those it replaced."""
    return frozenset().union(*(frame_of(text).stems for text in held.texts()))


def cover(part: frozenset[str], whole: frozenset[str]) -> float:
    """Share of the telling words of `part` that are in `whole`, 0 to 1."""
    total = mass(part)
    return mass(part & whole) / total if total else 0.0


def overlap(new: Saying, held: Held) -> float:
    """Share of the telling words of the shorter topic that both have, 0 to 1."""
    best = 0.0
    for text in held.texts():
        one, other = new.frame.topic, frame_of(text).topic
        least = min(mass(one), mass(other))
        best = max(best, mass(one & other) / least if least else 0.0)
    return best


def akin_values(new: Saying, held: Held) -> bool:
    """Whether both give values of one kind; a place is one."""
    return any(akin(new.frame.values, frame_of(text).values) for text in held.texts())


def same_measure(new: Saying, held: Held) -> bool:
    """Whether both give numbers, times, dates or the like, of one kind."""
    one, other = new.frame.values - {"place", "rank"}, held.said.frame.values - {"place", "rank"}
    return akin(one, other)


def named(held: Held, phrases: Sequence[str]) -> float:
    """How surely a memory is about something that is named: 0 when it is not, up to 2."""
    best = 0.0
    for text in held.texts():
        frame = frame_of(text)
        for phrase in phrases:
            part = content(phrase) or frozenset(stems(phrase))
            held_share, central = cover(part, frame.stems), cover(frame.stems - LIGHT or frame.stems, part)
            if held_share >= NAMED and central >= CENTRAL:
                best = max(best, held_share + central)
    return best


def is_older_value(was: Saying, gone: Saying, phrases: Sequence[str]) -> bool:
    """Whether what a memory replaced goes with it when that is taken back by a name for both.

    "Forget my PIN", said after "no, 4472", means the PIN of before as well; "forget 4472" that one alone.
    """
    value = content(gone.text if gone.slot is None else gone.gist.object)
    bare = gone.slot is None and len(value) <= BARE  # "no, 4472" is of the matter of what it replaced
    by_value = any(content(phrase) & value - content(was.text) for phrase in phrases)
    if by_value and (bare or gone.slot is not None):
        return False
    if bare or named(Held("", was), phrases) > 0 or (was.slot is None and len(content(was.text)) <= BARE):
        return True
    return was.slot is not None and gone.slot is not None and was.slot.key == gone.slot.key


def sides(held: Held) -> frozenset[str]:
    """Sides of a life (`facts.topics`) that a memory, or what it replaced, is about."""
    return frozenset().union(*(topics_of(frame_of(text).stems) for text in held.texts()))


def same_side(one: Saying, other: Saying) -> bool:
    """Whether two statements are about one side of a life, or share a telling word."""
    shared = one.frame.topic & other.frame.topic
    return bool(topics_of(one.frame.stems) & topics_of(other.frame.stems)) or mass(shared) >= TELLING


def denied_by(clause: Saying, held: Sequence[Held], by_words: bool) -> Held | None:
    """The memory that says what a clause says, of the same one: what "forget that I love olives" means.

    Args:
        by_words: only one in the same words; else one that says little more.
    """
    told = content(clause.text)
    own = [item for item in held if same_speaker(clause, item)]
    same = [item for item in own if same_words(clause.text, item.said.text)]
    if not same and told and not by_words:
        same = [
            item for item in own
            if told <= content(item.said.text)
            and cover(content(item.said.text), told) >= NAMED
            and clause.frame.whose == item.said.frame.whose
            and clause.frame.denies == item.said.frame.denies
        ]  # fmt: skip
    return max(same, key=lambda item: (cover(content(item.said.text), told), item.said.time), default=None)


def likeliest(scored: Sequence[tuple[float, Held]]) -> Held | None:
    """The memory with the highest score, of equal ones the one told last; None of none."""
    best = max(scored, key=lambda pair: (pair[0], -pair[1].back, pair[1].id), default=None)
    return None if best is None else best[1]


def same_speaker(new: Saying, held: Held) -> bool:
    """Whether both were told by the same."""
    return new.speaker.casefold() == held.said.speaker.casefold()


def same_words(one: str, other: str) -> bool:
    """Equal but for case and closing marks."""
    return _bare(one) == _bare(other)


@of_texts(4_096)
def _bare(text: str) -> str:
    return normalize(text).strip(" .!")


# --- one person, one thing -------------------------------------------------------------------------


def may_meet(new: Saying, held: Held) -> bool:
    """Whether both may be about the same person."""
    one, other = new.frame.whose, held.said.frame.whose
    if _just_said(new, held) and is_surely_wrong(f"{new.cue} {new.text}"):
        return overlap(new, held) >= 0.5 or _one_person(one, other) or one.kind != "other"
    if held.back == 0 and other.kind != "other" and moves_it(new.text):  # whoever moved it
        return True
    if one.kind == "other" and other.kind == "other":
        return _one_person(one, other)
    if one.kind in ("thing", "pronoun") and new.change.has("corrects", "retracts") and leans_back(new.text):
        return held.back < RECENT
    if one.kind == "other" and other.kind == "thing" and not of_someone_else(new.text):
        # "the HOA changed the gate code"
        priced = overlap(new, held) >= 0.5 and same_measure(new, held)  # "the piano teacher wants fifty five"
        return one.names <= _people(all_stems(held)) or named(held, new.change.topic) > 1 or priced
    if one.kind == "other":
        return one.names <= _people(all_stems(held))
    if other.kind == "other":
        return _means(new, held)
    if one.kind == "pronoun" and other.kind == "self":
        return held.back == 0 and not is_first_person(held.said.text)
    return True


def _just_said(new: Saying, held: Held) -> bool:
    """Whether a memory was told last, and within the hour."""
    return held.back == 0 and new.time - held.said.time <= LAST_S


def of_namesake(new: Saying, held: Held) -> bool:
    """Whether a memory is about another of the same name: young Dave, old Dave."""
    return are_namesakes(new.text, held.said.text) and not new.change.has("retracts")


def ends_nothing(new: Saying, held: Held) -> bool:
    """Whether a statement is of a namesake, or tells of something only tried, offered, or late one day."""
    return of_namesake(new, held) or _is_no_news(new.text)


@of_texts(1_024)
def _is_no_news(text: str) -> bool:
    """Whether it was only tried, offered, or late one day; cached, as it is asked beside each memory."""
    return (is_only_tried(text) or is_late_once(text)) and not is_surely_wrong(text)


def _means(new: Saying, held: Held) -> bool:
    """Whether a statement that does not begin with a person speaks of the one that a memory is about."""
    one, other = new.frame.whose, held.said.frame.whose
    if other.names <= _people(new.frame.stems):
        return True
    if _is_news_of_it(new, held):
        return True
    if one.kind in ("self", "thing") and of_someone_else(new.text):
        shared, measured = overlap(new, held), same_measure(new, held)
        near = (
            shared >= 0.3
            or (shared >= 0.2 and measured)
            or (held.likeness >= LIKE and same_side(new, held.said))
        )
        if near:
            return True
    resolved = new.gist.is_triple and bool(frozenset(stems(new.gist.subject)) & other.names)
    return resolved or (one.kind == "pronoun" and held.back < RECENT)


def _is_news_of_it(new: Saying, held: Held) -> bool:
    """ "The new scan puts the due date at …", "the league moved the games": of what is somebody's, too."""
    kind, change = new.frame.whose.kind, new.change
    if kind == "thing" and change:
        names_it = any(content(phrase) and content(phrase) <= all_stems(held) for phrase in change.topic)
        return overlap(new, held) >= 0.5 or (names_it and held.back < RECENT)
    mine = re.search(r"\b(?:my|our)\b", normalize(new.text))
    return kind == "self" and change.has("corrects") and not mine and overlap(new, held) >= 0.45


def _people(found: frozenset[str]) -> frozenset[str]:
    """Stems with the usual names of the kin among them: "mom" is the mother."""
    kin = {KIN_WORDS[form] for word in found for form in (word, f"{word}s") if form in KIN_WORDS}
    return found | frozenset(stem(name) for name in kin)


def _one_person(one: Whose, other: Whose) -> bool:
    return one.names <= other.names or other.names <= one.names


_HEAD = re.compile(
    r"(?:my|our|the|his|her|their) ([\w' -]+?)(?:'s| (?:is|are|was|were|costs?|charges?|closes?|opens?|"
    r"starts?|ends?|runs?|has|meets?|weighs?|leaves?|arrives?|expires?))\b"
)


def two_things(new: Saying, held: Held) -> bool:
    """Whether both say what something is, and it is not the same thing: the oak table, the pine table."""
    heads = [_HEAD.match(normalize(without_lead(text))) for text in (new.text, held.said.text)]
    if heads[0] is None or heads[1] is None:
        return False
    one, other = (content(head[1]) for head in heads if head)
    return bool(one - other) and bool(other - one) and not topics_of(one) & topics_of(other) & SETTLED


# --- one matter ------------------------------------------------------------------------------------


def numbered_apart(new: Saying, held: Held) -> bool:
    """Whether both are of things told apart by a number: box 1 is not box 2."""
    if not (new.gist.is_triple and held.said.gist.is_triple) or new.change.has("corrects", "retracts"):
        return False
    one, other = numbers_of(new.gist.relation), numbers_of(held.said.gist.relation)
    return bool(one and other) and one != other


def numbers_of(phrase: str) -> set[str]:
    """The numbers in a phrase, in digits."""
    return set(words(to_digits(phrase))) & set(re.findall(r"\d+", to_digits(phrase)))


def same_matter(new: Saying, held: Held) -> bool:
    """Whether both are about the speaker, or share the most telling word of one of them."""
    one, other = new.frame.topic, held.said.frame.topic
    if new.frame.whose.kind == held.said.frame.whose.kind == "self":
        return True
    return any(max(topic, key=lambda word: mass({word})) in one & other for topic in (one, other) if topic)


def is_second_thought(new: Saying, held: Held) -> bool:
    """Whether what was said last is said again at once, with another value: "uh six it starts at six"."""
    at_once = _just_said(new, held) and same_measure(new, held)
    of_the_same = mass(new.frame.topic) < TELLING or overlap(new, held) >= 0.5
    return at_once and of_the_same and hesitates(new.text)


def have_met(new: Saying, held: Held) -> bool:
    """Whether both share telling words."""
    shared = new.frame.topic & held.said.frame.topic
    return mass(shared) >= TELLING or max(overlap(new, held), 0.0) >= 0.5


def same_occasion(new: Saying, held: Held) -> bool:
    """Whether both tell of one occasion that comes back: Thanksgiving, the Fourth of July."""
    if same_feast(new.text, held.said.text):
        return True
    shared = (new.frame.stems & held.said.frame.stems) - LIGHT
    return mass(shared) >= 9 or (mass(shared) >= 5 and held.said.change.has("yearly"))
