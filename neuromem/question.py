"""A question, taken apart: what it means, its telling words, whom and when it asks about.

A person's name in a question draws an embedding towards greetings ("Hey Ana!"), so the names of those
who speak in the bank are taken out of what is embedded; whoever is named alone is asked about, and
what they said themselves counts for more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from torch import Tensor

from .cached import of_texts
from .facts.asked import asked_of
from .facts.sought import slots_sought
from .facts.times import TimeSpan, spans
from .keys import Keys
from .layout import DAY_MS
from .marks import NAMES, NUMBER, TIME, fingerprint, is_own, mark_of, name_mark
from .news import asks_value, is_of_now
from .senses import SENSE_BITS
from .text import STOP_WORDS, normalize, stems

__all__ = ["Question", "take_apart"]

Array = np.ndarray[Any, Any]

DAY_TAU, LONGER_TAU = 4.0, 20.0  # days after which a date's pull is 1/e: of a day named, of a longer time
_WANTS = (
    (re.compile(r"\s*(?:\w+ ){0,2}when\b|.*\b(?:what|which) (?:date|day|month|year)\b|.*\bhow long\b"), TIME),
    (
        re.compile(r"\s*(?:\w+ ){0,2}(?:who|whom|whose|where|which)\b|.*\bwhat\b.*\b(?:called|name)"),
        NAMES,
    ),
    (re.compile(r".*\bhow (?:many|much|old|long|far|often)\b"), NUMBER),
)
_ASSISTANT = re.compile(
    r"\b(?:did|have|had|were|that) you\b"
    r"|\byou(?:'ve|'d| had| have)? (?:\w+ed|said|told|gave|wrote|thought|found)\b"
    r"|\b(?:the|my) (?:assistant|bot|ai)\b"
    r"|\byour (?:advice|suggestions?|recommendations?|answer|reply|explanation)\b"
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NO_SENSE = np.zeros(SENSE_BITS, dtype=np.float32)
_POSSESSIVE = re.compile(r"['’]s?$")


@dataclass(frozen=True, slots=True)
class Question:
    """What a search looks for."""

    text: str  # as it is embedded: speakers' names taken out
    vector: Tensor  # [K] unit vector
    marks: tuple[int, ...]  # of its content words, in order
    named: int = 0  # mark of the one speaker that it names; 0 for none, or several
    words: frozenset[int] = frozenset()  # its words as names, speakers left out: what it may be about
    asks_assistant: bool = False  # what an assistant said, as in "what did you suggest?"
    own: bool = False  # about the one who asks: "my", "we"
    slots: tuple[int, ...] = ()  # fingerprints of the slots that it asks for, such as "1|dog name"
    times: tuple[tuple[float, float, float], ...] = ()  # each: from and to in Unix ms, decay in ms
    value: bool = False  # a value of now is asked for: a time, a price, a number
    wants: int = 0  # bits: a time, a name or a number is asked for
    senses: Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # [S, SENSE_BITS] of its
    # content words, each once; unit rows; none where the encoder has no senses
    alike: tuple[float, float] = (0.1, 0.25)  # cosines of texts that have something in common, and clearly


def take_apart(text: str, keys: Keys, speakers: Collection[int], now_ms: int) -> Question:
    """A question as a search uses it.

    Args:
        speakers: marks of the names of those who speak in the bank. now_ms: when it is asked.
    """
    named = {mark for word in _WORD.findall(text) if (mark := _named(word)) in speakers}
    core = " ".join(_WORD.sub(lambda word: "" if _named(word[0]) in named else word[0], text).split())
    core = core if named and _WORD.search(core) else text
    folded, told = normalize(text), stems(core)
    return Question(
        text=core,
        vector=keys.query(core),
        marks=tuple(mark_of(stem) for stem in told),
        senses=_senses(core, told, keys),
        named=next(iter(named)) if len(named) == 1 else 0,
        asks_assistant=bool(_ASSISTANT.search(folded)),
        words=frozenset(_named(word) for word in _WORD.findall(text)) - named - {0},
        own=is_own(folded),
        slots=tuple(map(fingerprint, slots_sought(text))),
        times=tuple(map(_times, spans(text, datetime.fromtimestamp(now_ms / 1_000, UTC)))),
        value=asks_value(folded) and is_of_now(asked_of(text, datetime.fromtimestamp(now_ms / 1_000, UTC))),
        wants=sum(bit for pattern, bit in _WANTS if pattern.match(folded)),
        alike=keys.strangers.span(),
    )


def _senses(core: str, told: Sequence[str], keys: Keys) -> Array:
    """[S, SENSE_BITS] of the stems of a question, each once; zero rows where its words are not told apart."""
    found = keys.query_senses(core)
    if not found:
        return np.zeros((0, SENSE_BITS), dtype=np.float32)
    rows = {mark_of(stem): found.get(stem) for stem in told}
    return np.stack([_NO_SENSE if row is None else row.numpy() for row in rows.values()])


@of_texts(8_192)
def _named(word: str) -> int:
    """The mark of a word as a name; 0 for a word that is hardly one."""
    bare = _POSSESSIVE.sub("", word)
    return 0 if bare.casefold() in STOP_WORDS else name_mark(bare)


def _times(span: TimeSpan) -> tuple[float, float, float]:
    start, end = span.start.timestamp() * 1_000, span.end.timestamp() * 1_000
    return start, end, DAY_MS * (DAY_TAU if end - start <= 2 * DAY_MS else LONGER_TAU)
