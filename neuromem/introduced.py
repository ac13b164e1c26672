"""What is said of somebody goes before the sentence that introduces them.

"We hired a tutor for Milo. He charges thirty-five an hour." Asked what Milo's tutor costs, the first sentence
has more words of the question, and the second has the answer. Which of two such sentences a question is for
can be told from their words alone: an introduction names the one who is asked about somewhere after its
beginning, or says what they are called; what was said next begins with them; and the question has a word of
which the introduction says nothing.

Words are marks (`marks.py`); no text is read.
"""

# ruff: noqa: E501 - a pattern is one line

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .bank import SlotBank
from .facts.clause import KIN_WORDS, ROLES
from .facts.relations import PETS
from .facts.verbs import PAST_OF
from .marks import NUMBER, TIME, mark_of
from .order import Order, order_of
from .recall import Hit, put_first
from .text import STOP_WORDS, normalize, stem, stems, words

__all__ = ["Sought", "behind_its_lead", "sought_of"]

FOLLOWING = 3  # statements after an introduction that are looked at
LEAST = 0.6  # share of the introduction's score from which one goes before it

_NAMING = frozenset(mark_of(stem) for stem in stems("name called named"))
_NUMBER = re.compile(r"\bhow (?:many|much|old|long|far|often|tall|big|late|early)\b")
_TIME = re.compile(
    r"^(?:and |so )?(?:when\b|what (?:time|days?|date|month|year)\b)|\b(?:what|which) (?:time|days?|hours)\b"
)
_WHO = re.compile(
    r"\s*(?:and |so )?(?:who|whom|whose)\b|.*\b(?:called|names?|which one|(?:kind|breed|type|sort|make|model) of)\b"
)
# words that only introduce somebody or something, and answer no question about them
_INTRODUCING = frozenset(
    mark_of(stem)
    for stem in stems(
        f"{ROLES} {PETS} {' '.join(KIN_WORDS)} buddy pal mate friend guy woman man lady person fellow couple kid baby new name "
        "called meet met hire hired open opened start started get adopt adopted buy bought rescue rescued find found move "
        "moved visit visiting visited join joined own run runs corner street door town work office here finally just place "
        "shop store class team named there"
    )
)
_DOES = re.compile(
    r"\bwhat (?:do|does|did|is|are|was|were|has|have|had) .*\b(?:do|doing|done|happened?|up to)\b"
)


@dataclass(frozen=True, slots=True)
class Sought:
    """What a question has words for, and what kind of answer it wants."""

    words: tuple[frozenset[int], ...] = ()  # marks of the forms of each content word
    number: bool = False
    time: bool = False
    deed: bool = False  # what somebody does or did: no word of the question says what

    def first(self, bank: SlotBank, hits: Sequence[Hit]) -> list[Hit]:
        """The hits, best first; what was said of who is asked about before what introduced them."""
        out = list(hits)
        if len(out) < 2 or not self.words:
            return out
        order = order_of(bank)
        introduced = bank.rows_of(out[0].id)
        news = set(self._said_next(bank, order, introduced[0])) if introduced else set()
        for place, hit in enumerate(out[1:], 1):
            if hit.score < LEAST * out[0].score:
                break
            rows = bank.rows_of(hit.id)
            if rows and rows[0] in news:
                return put_first(out, place)
        return out

    def _said_next(self, bank: SlotBank, order: Order, row: int) -> Iterator[int]:
        """First rows of the statements after an introduction that may be the answer instead of it."""
        told, traits = _marks(bank, row), int(bank.traits[row])
        has_number, has_time = bool(traits & NUMBER), bool(traits & (TIME | NUMBER))
        asked = frozenset[int]().union(*self.words)
        tells_all = not any(word.isdisjoint(told) for word in self.words)
        tells_more = bool(set(told) - asked - _INTRODUCING) and not (self.time and not has_time)
        if tells_all and tells_more and not self.deed and (has_number or not self.number):
            return
        for following in _goes_on(bank, order, row):
            about = next(iter(_marks(bank, following)), 0)
            has = int(bank.traits[following])
            fits = (not self.number or has & NUMBER) and (not self.time or has & (TIME | NUMBER))
            introduces = about in told[1:] or (about in told and not _NAMING.isdisjoint(told))
            if about in asked and introduces and fits:
                yield following


def behind_its_lead(bank: SlotBank, hits: Sequence[Hit]) -> list[Hit]:
    """The hits, best first; what replaced something before what was said just before it and replaced nothing.

    "Karen texted me. She's moved her salon to the plaza.": found by what Karen's salon was, and by her name.
    """
    out = list(hits)
    if len(out) < 2 or _replaced(bank, out[0].id):
        return out
    order, row = order_of(bank), bank.rows_of(out[0].id)[0]
    places = {bank.rows_of(hit.id)[0]: place for place, hit in enumerate(out) if place}
    for following in _goes_on(bank, order, row):
        place = places.get(following)
        if place and out[place].score >= LEAST * out[0].score and _replaced(bank, out[place].id):
            return put_first(out, place)
    return out


def _goes_on(bank: SlotBank, order: Order, row: int) -> Iterator[int]:
    """First rows of the statements with which the same speaker went on, `FOLLOWING` at most."""
    first = int(order.passage[row]) + 1
    for later in range(first, min(first + FOLLOWING, len(order.first))):
        following = int(order.rows[order.first[later]])
        if not order.near[later] or bank.speaker[following] != bank.speaker[row]:
            return
        yield following


def _replaced(bank: SlotBank, memory_id: str) -> bool:
    """Whether a memory replaced one; what it only follows does not count."""
    return any(bank.ended(before)[0] for before in bank.replaced_by(memory_id))


def _marks(bank: SlotBank, row: int) -> list[int]:
    return [mark for mark in bank.marks[row].tolist() if mark]


def sought_of(question: str) -> Sought:
    """What a question is for; nothing when it asks who somebody is, which an introduction tells."""
    plain = normalize(question)
    if _WHO.match(plain):
        return Sought()
    telling = [word for word in words(question) if word not in STOP_WORDS]
    marks = tuple(
        frozenset(mark_of(stem(form)) for form in (word, PAST_OF.get(word, word))) for word in telling
    )
    number, time, deed = (bool(pattern.search(plain)) for pattern in (_NUMBER, _TIME, _DOES))
    return Sought(marks, number, time, deed)
