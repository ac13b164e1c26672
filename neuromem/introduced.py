"""What is said of somebody goes before the sentence that introduces them.

"We hired a tutor for Milo. He charges thirty-five an hour." Asked what Milo's tutor costs, the first sentence
has more words of the question, and the second has the answer. Which of two such sentences a question is for
can be told from their words alone: an introduction names the one who is asked about somewhere after its
beginning, or says what they are called; what was said next begins with them; and the question has a word of
which the introduction says nothing.

Words are marks (`marks.py`); no text is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .bank import SlotBank
from .facts.verbs import PAST_OF
from .marks import NUMBER, mark_of
from .order import Order, order_of
from .recall import Hit, put_first
from .text import STOP_WORDS, normalize, stem, stems, words

__all__ = ["Sought", "sought_of"]

FOLLOWING = 3  # statements after an introduction that are looked at
LEAST = 0.6  # share of the introduction's score from which one goes before it

_NAMING = frozenset(mark_of(stem) for stem in stems("name called named"))
_NUMBER = re.compile(r"\bhow (?:many|much|old|long|far|often|tall|big|late|early)\b")
_WHO = re.compile(r"\s*(?:and |so )?(?:who|whom|whose)\b|.*\b(?:called|names?|which one)\b")
_DOES = re.compile(
    r"\bwhat (?:do|does|did|is|are|was|were|has|have|had) .*\b(?:do|doing|done|happened?|up to)\b"
)


@dataclass(frozen=True, slots=True)
class Sought:
    """What a question has words for, and what kind of answer it wants."""

    words: tuple[frozenset[int], ...] = ()  # marks of the forms of each content word
    number: bool = False
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
        told, has_number = _marks(bank, row), bool(int(bank.traits[row]) & NUMBER)
        tells_all = not any(word.isdisjoint(told) for word in self.words)
        if tells_all and not self.deed and (has_number or not self.number):
            return
        asked = frozenset[int]().union(*self.words)
        place = int(order.passage[row])
        for later in range(place + 1, min(place + 1 + FOLLOWING, len(order.first))):
            following = int(order.rows[order.first[later]])
            if not order.near[later] or bank.speaker[following] != bank.speaker[row]:
                return
            about = next(iter(_marks(bank, following)), 0)
            fits = not self.number or int(bank.traits[following]) & NUMBER
            introduces = about in told[1:] or (about in told and not _NAMING.isdisjoint(told))
            if about in asked and introduces and fits:
                yield following


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
    return Sought(marks, bool(_NUMBER.search(plain)), bool(_DOES.search(plain)))
