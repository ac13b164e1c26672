"""Recall: from a question to what the slots still say about it.

One exact int8 lookup over the owner's slots gives candidates; they are rescored in float at their
present strength; the winners are decoded in one batch. The score of a memory is that of its best
part::

    score = cosine · (1 - w + w · strength)        w = recall.strength_weight

The text of a result comes from the weights. Fetching exact words from the log is `memory.py`'s part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from torch import Tensor

from .bank import SlotBank
from .codec import Codec, Reading
from .config import RecallConfig
from .forgetting import THRESHOLDS, Fidelity
from .layout import seal_of
from .log import Record
from .mend import mended

__all__ = ["Hit", "Recall", "find", "read"]

FADED = THRESHOLDS[Fidelity.SUBJECT]  # strength below which a slot says nothing


@dataclass(frozen=True, slots=True)
class Recall:
    """One memory as it is recalled now."""

    id: str
    text: str  # what the weights say; whole and exact when `fidelity` is verbatim
    score: float
    strength: float  # 0 to 1
    fidelity: Fidelity  # equal to its name: "verbatim", "gist", …
    created_at: datetime
    updated_at: datetime
    superseded_by: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    confidence: float = 1.0  # least probability of any character shown
    explain: dict[str, float] | None = None  # the parts of the score, when asked for
    say_gist: Callable[[], str] = field(default=str, repr=False, compare=False)

    @property
    def gist(self) -> str:
        """The compressed form, ``subject|relation|object`` or keywords, decoded when asked for."""
        return self.say_gist()

    @classmethod
    def of_record(cls, record: Record, text: str, score: float) -> Recall:
        """Words that are in the log but in no slot."""
        time = _time(round(record.time * 1_000))
        return cls(str(record.body.get("id", "")), text, score, 0.0, Fidelity.VERBATIM, time, time)

    def to_dict(self) -> dict[str, Any]:
        """JSON values; times in ISO 8601, UTC."""
        out: dict[str, Any] = {
            "id": self.id, "text": self.text, "gist": self.gist, "score": round(self.score, 4),
            "strength": round(self.strength, 4), "fidelity": str(self.fidelity),
            "created_at": self.created_at.isoformat(), "updated_at": self.updated_at.isoformat(),
            "superseded_by": self.superseded_by, "metadata": self.metadata,
        }  # fmt: skip
        return out | ({"explain": self.explain} if self.explain is not None else {})

    def with_words(self, text: str) -> Recall:
        """The same memory with its exact words, fetched from the log."""
        return replace(self, text=text, fidelity=Fidelity.VERBATIM, confidence=1.0)


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory found by a lookup, not yet decoded."""

    id: str
    score: float
    cosine: float
    strength: float


def find(
    bank: SlotBank, query: Tensor, limit: int, now_ms: int, config: RecallConfig, rescue: float = -math.inf
) -> list[Hit]:
    """The memories nearest to a query [K], best first, at most `limit`.

    Args:
        rescue: score from which a memory that has faded to nothing is still a hit: its words may be
            fetched from the log.
    """
    wanted = max(config.candidates, 2 * limit)
    _, rows = bank.lookup(query, wanted)
    ids = bank.ids_of(rows)
    while len(set(ids)) < limit and len(rows) < len(bank):  # a long memory takes up many of the best rows
        wanted *= 4
        _, rows = bank.lookup(query, wanted)
        ids = bank.ids_of(rows)
    strengths = bank.strength(rows, now_ms)
    cosines = bank.cosines(query, rows, strengths)
    best: dict[str, Hit] = {}
    weight = config.strength_weight
    for memory_id, cosine, strength in zip(ids, cosines.tolist(), strengths.tolist(), strict=True):
        score = cosine * (1 - weight + weight * strength)
        if score < config.min_score or (strength < FADED and score < rescue):
            continue
        if memory_id not in best or score > best[memory_id].score:
            best[memory_id] = Hit(memory_id, score, cosine, strength)
    return sorted(best.values(), key=lambda hit: (-hit.score, hit.id))[:limit]


def read(bank: SlotBank, codec: Codec, hits: Sequence[Hit], now_ms: int) -> list[Recall]:
    """What memories say now, decoded in one batch.

    The parts of a long memory are joined; one part that is not verbatim makes the whole a gist.
    """
    spans = [bank.rows_of(hit.id) for hit in hits]
    rows = [row for span in spans for row in span]
    if not rows:
        return []
    values, strength = bank.readable(rows, now_ms)
    readings = codec.read_values(values, strength)
    out, at = [], 0
    for hit, span in zip(hits, spans, strict=True):
        parts = readings[at : at + len(span)]
        all_parts = slice(at, at + len(span))
        head, level = values[at : at + 1], strength[at : at + 1]
        at += len(span)
        seal = int(bank.seal[span[0]])
        words = _joined(parts, seal) or _mended(codec, values[all_parts], strength[all_parts], seal)
        if words is not None:
            said = words
        else:
            said = (
                parts[0] if parts[0].fidelity is not Fidelity.VERBATIM else codec.read_gists(head, level)[0]
            )
        out.append(_recall(bank, hit, span[0], said, _gist_sayer(codec, said, head, level)))
    return out


def _joined(parts: Sequence[Reading], seal: int) -> Reading | None:
    """The words of all parts; None when a part is gone, or they are not the words that were written."""
    if any(part.fidelity is not Fidelity.VERBATIM for part in parts):
        return None
    text = "".join(part.text for part in parts)
    if seal not in (0, seal_of(text)):
        return None
    return Reading(text, Fidelity.VERBATIM, min(part.confidence for part in parts))


def _mended(codec: Codec, values: Tensor, strength: Tensor, seal: int) -> Reading | None:
    """The words of weights that hold them still but were damaged; the seal vouches for them."""
    text = mended(codec, values, strength, seal)
    return None if text is None else Reading(text, Fidelity.VERBATIM, 1.0)


def _gist_sayer(codec: Codec, said: Reading, head: Tensor, strength: Tensor) -> Callable[[], str]:
    """Says the gist when asked: decoded only then, for it costs as much as the words do."""
    if said.fidelity is not Fidelity.VERBATIM:
        return lambda: printable(said.text)
    kept = head.clone()
    return lambda: printable(codec.read_gists(kept, strength)[0].text)


def _recall(bank: SlotBank, hit: Hit, row: int, said: Reading, say_gist: Callable[[], str]) -> Recall:
    return Recall(
        id=hit.id,
        text=said.text if said.fidelity is Fidelity.VERBATIM else printable(said.text),
        score=hit.score,
        strength=hit.strength,
        fidelity=said.fidelity,
        created_at=_time(int(bank.written_ms[row])),
        updated_at=_time(int(bank.heard_ms[row])),
        confidence=said.confidence,
        say_gist=say_gist,
    )


def printable(text: str) -> str:
    """The text with control characters (but line breaks and tabs) shown as their pictures ␀ … ␡."""
    return "".join(_picture(char) for char in text)


def _picture(char: str) -> str:
    code = ord(char)
    if code < 32 and char not in "\n\t\r":
        return chr(0x2400 + code)
    return "␡" if code == 127 else char


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1_000, tz=UTC)
