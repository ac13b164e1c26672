"""Recall: from a question to what the slots still say about it.

One int8 lookup compares the question with all of the owner's slots; what speaks for each memory, the
cosine of its best part and more, is weighed (`evidence.py`); the best are decoded in one batch::

    score = evidence · (1 - w + w · strength)      w = recall.strength_weight

The text of a result comes from the weights. Words are fetched from the log by `asking.py` and `engine.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import accumulate, islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .bank import SlotBank
from .codec import Codec, Reading
from .config import RecallConfig
from .evidence import ABOVE, Evidence, gather
from .forgetting import THRESHOLDS, Fidelity
from .layout import seal_of
from .linear import matmul
from .log import Record
from .mend import mended
from .question import Question

__all__ = ["ABOVE", "FADED", "Hit", "Ranking", "Recall", "put_first", "read"]

Array = np.ndarray[Any, Any]
_Times = tuple[int, int, tuple[int, str]]  # Unix ms of first writing and last hearing; see `SlotBank.ended`

SAME, COPIES = 0.8, 2  # content words that copies of a fact share; copies shown before others
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
    valid_until: datetime | None = None  # from when on it was no longer current; None: it is
    metadata: dict[str, Any] = field(default_factory=dict)
    confidence: float = 1.0  # chance that every character shown is right; 1 where the seal vouches for it
    explain: dict[str, float] | None = None  # the parts of the score, when asked for
    say_gist: Callable[[], str] = field(default=str, repr=False, compare=False)

    @property
    def retracted(self) -> bool:
        """Whether it was taken back: it has ended, and nothing holds instead of it."""
        return self.valid_until is not None and self.superseded_by is None

    @property
    def gist(self) -> str:
        """The compressed form, ``subject|relation|object`` or keywords, decoded when asked for."""
        return self.say_gist()

    @classmethod
    def of_record(cls, record: Record, text: str, score: float) -> Recall:
        """Words that are in the log but in no slot."""
        time = _time(round(record.told * 1_000))
        return cls(str(record.body.get("id", "")), text, score, 0.0, Fidelity.VERBATIM, time, time)

    def to_dict(self) -> dict[str, Any]:
        """JSON values; times in ISO 8601, UTC."""
        out: dict[str, Any] = {
            "id": self.id, "text": self.text, "gist": self.gist, "score": round(self.score, 4),
            "strength": round(self.strength, 4), "fidelity": str(self.fidelity),
            "created_at": self.created_at.isoformat(), "updated_at": self.updated_at.isoformat(),
            "last_refreshed_at": self.updated_at.isoformat(), "superseded_by": self.superseded_by,
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
            "metadata": self.metadata,
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
    evidence: tuple[Evidence, int] | None = None  # what spoke for it, and where in it

    def explained(self) -> dict[str, float]:
        """The parts of the score: what each kind of evidence added, and the strength it was weighed with."""
        evidence, place = self.evidence or (None, 0)
        parts = {} if evidence is None else evidence.parts(place)
        return {"score": self.score, "strength": self.strength, "cosine": self.cosine, **parts}


def put_first(hits: Sequence[Hit], place: int) -> list[Hit]:
    """The hits, best first, with the one at `place` just above the best."""
    best = replace(hits[place], score=hits[0].score + ABOVE)
    return [best, *hits[:place], *hits[place + 1 :]]


class Ranking:
    """The memories for which there is most evidence; asked for more, it weighs only what it has to."""

    def __init__(
        self,
        bank: SlotBank,
        question: Question,
        now_ms: int,
        config: RecallConfig,
        rescue: float = -math.inf,
    ) -> None:
        """
        Args:
            rescue: score from which a memory that has faded to nothing is still a hit: its words may be
                fetched from the log.
        """
        self._bank, self._question, self._now_ms = bank, question, now_ms
        self._config, self._rescue = config, rescue
        self._weighed: _Weighed | None = None

    def best(self, limit: int) -> list[Hit]:
        """At most `limit`, best first."""
        weighed = self._enough_for(limit)
        evidence, score, strength = weighed.evidence, weighed.score, weighed.strength
        shown = _varied(self._bank, evidence.rows, weighed.places, limit)
        ids = self._bank.ids_of(torch.from_numpy(evidence.rows[shown]))
        return [
            Hit(
                id_,
                float(score[place]),
                float(evidence.kinds[place, 0]),
                float(strength[place]),
                (evidence, place),
            )
            for id_, place in zip(ids, shown, strict=True)
        ]

    def _enough_for(self, limit: int) -> _Weighed:
        """What was weighed before if it is enough for so many results, else more."""
        most, bank, weighed = max(self._config.candidates, 2 * limit), self._bank, self._weighed
        if weighed is None or weighed.most < most:
            weighed = self._weigh(most)
        # long memories may take up the best passages
        while len(weighed.evidence.rows) < min(limit, len(bank)) and weighed.most < len(bank):
            weighed = self._weigh(4 * weighed.most)
        self._weighed = weighed
        return weighed

    def _weigh(self, most: int) -> _Weighed:
        """The memories of the `most` passages for which there is most evidence."""
        bank, config = self._bank, self._config
        evidence = gather(bank, self._question, most)
        strength = bank.strength(torch.from_numpy(evidence.rows), self._now_ms).numpy()
        weight = config.strength_weight
        score = evidence.scores().astype(np.float64) * (1 - weight + weight * strength)
        places = _best_first(bank, evidence.rows, score)
        score = score.clip(min=0)  # evidence against a memory may outweigh what speaks for it
        worth = (score >= config.min_score) & ((strength >= FADED) | (score >= self._rescue))
        return _Weighed(most, evidence, score, strength, places[worth[places]])


class _Weighed(NamedTuple):
    """Memories that were weighed together: each [C], but for `places`."""

    most: int  # passages that were looked at closely
    evidence: Evidence
    score: Array
    strength: Array
    places: Array  # of what is worth showing, best first


def _best_first(bank: SlotBank, rows: Array, score: Array) -> Array:
    """Places [C] of rows by falling score; equal ones in the order of their ids."""
    ids = bank.id[torch.from_numpy(rows)].cpu().numpy().view(">u8")
    places: Array = np.lexsort((ids[:, 1], ids[:, 0], -score))
    return places


def _varied(bank: SlotBank, rows: Array, places: Array, limit: int) -> list[int]:
    """The first places; of what says the same in nearly the same words two, further copies come last."""
    for most in (2 * limit, len(places)):
        some = places[:most]
        copies = _are_copies(bank.marks[torch.from_numpy(rows[some])].cpu().numpy())
        chosen, rest = some[~copies].tolist(), some[copies].tolist()
        if len(chosen) >= limit or len(some) == len(places):
            break
    shown: list[int] = (chosen + rest)[:limit]
    return shown


def _are_copies(marks: Array) -> Array:
    """[C] whether so many before it have nearly the same words.

    Args:
        marks: [C, MARKS] of their content words; zeros to fill.
    """
    words, at = np.unique(marks, return_inverse=True)
    holds = np.zeros((len(marks), len(words)), dtype=np.float32)
    holds[np.arange(len(marks))[:, None], at.reshape(marks.shape)] = 1
    holds[:, words == 0] = 0
    both, each = matmul(holds, holds.T), holds.sum(axis=1, dtype=np.float64)
    alike = (both > 0) & (both >= SAME * (each[:, None] + each[None, :] - both))
    copies: Array = np.tril(alike, -1).sum(axis=1) >= COPIES
    return copies


def read(
    bank: SlotBank, codec: Codec, hits: Sequence[Hit], now_ms: int, words: Sequence[str | None] = ()
) -> list[Recall]:
    """What memories say now, decoded in one batch.

    The parts of a long memory are joined; one part that is not verbatim makes the whole a gist.

    Args:
        words: exact words of each memory, from the log: it says these, and nothing of it is decoded. None for
            one that is to be read from its weights; empty: all are.
    """
    spans = [bank.rows_of(hit.id) for hit in hits]
    if not any(spans):
        return []
    slots = _Slots(codec, *bank.readable([row for span in spans for row in span], now_ms), spans)
    heads, given = [span[0] for span in spans], words or [None] * len(hits)
    seals, times = bank.seal[heads].tolist(), _times_of(bank, heads)
    said = slots.say([place for place, text in enumerate(given) if text is None], seals)
    out = []
    for place, (hit, told, text) in enumerate(zip(hits, times, given, strict=True)):
        exact = Reading(text or "", Fidelity.VERBATIM, 1.0)
        out.append(_recall(hit, said.get(place, exact), told, slots.gist_sayer(place, said.get(place))))
    return out


class _Slots:
    """The slots of memories that are read together."""

    def __init__(self, codec: Codec, values: Tensor, strength: Tensor, spans: Sequence[list[int]]) -> None:
        """Args: values, strength: as `SlotBank.readable` gives them. spans: rows of each memory, in order."""
        self.codec, self.values, self.strength = codec, values, strength
        ends = list(accumulate(len(span) for span in spans))
        self._parts = [slice(end - len(span), end) for end, span in zip(ends, spans, strict=True)]
        self._gists: list[Reading] | None = None

    def say(self, places: Sequence[int], seals: Sequence[int]) -> dict[int, Reading]:
        """What some of the memories say. `seals`: of all of them."""
        spans = [self._parts[place] for place in places]
        rows = [row for own in spans for row in range(own.start, own.stop)]
        readings = iter(self.codec.read_values(self.values[rows], self.strength[rows]) if rows else ())
        parts = [list(islice(readings, own.stop - own.start)) for own in spans]
        return {
            place: self._one(said, own, seals[place])
            for place, said, own in zip(places, parts, spans, strict=True)
        }

    def _one(self, parts: Sequence[Reading], own: slice, seal: int) -> Reading:
        said = _joined(parts, seal) or _mended(self.codec, self.values[own], self.strength[own], seal)
        if said is None and parts[0].fidelity is Fidelity.VERBATIM:
            head = slice(own.start, own.start + 1)
            return self.codec.read_gists(self.values[head], self.strength[head])[0]
        return said or parts[0]

    def gist_sayer(self, place: int, said: Reading | None) -> Callable[[], str]:
        """Says a memory's gist when asked: decoded only then, for it costs as much as the words do.

        Args:
            said: what it says, if it was read: less than its words is the gist.
        """
        if said is not None and said.fidelity is not Fidelity.VERBATIM:
            return lambda: as_pictures(said.text)
        return lambda: self._gist(place)

    def _gist(self, place: int) -> str:
        """The gist of one: all are decoded together, when the first is asked for."""
        if self._gists is None:
            firsts = [part.start for part in self._parts]
            self._gists = self.codec.read_gists(self.values[firsts], self.strength[firsts])
        return as_pictures(self._gists[place].text)


def _joined(parts: Sequence[Reading], seal: int) -> Reading | None:
    """The words of all parts; None when a part is gone, or they are not the words that were written."""
    if any(part.fidelity is not Fidelity.VERBATIM for part in parts):
        return None
    text = "".join(part.text for part in parts)
    if seal not in (0, seal_of(text)):
        return None
    return Reading(text, Fidelity.VERBATIM, 1.0 if seal else math.prod(part.confidence for part in parts))


def _mended(codec: Codec, values: Tensor, strength: Tensor, seal: int) -> Reading | None:
    """The words of weights that hold them still but were damaged; the seal vouches for them."""
    text = mended(codec, values, strength, seal)
    return None if text is None else Reading(text, Fidelity.VERBATIM, 1.0)


def _times_of(bank: SlotBank, heads: list[int]) -> list[_Times]:
    """Of memories, by their first rows."""
    written, heard = (getattr(bank, name)[heads].tolist() for name in ("written_ms", "heard_ms"))
    return list(zip(written, heard, bank.ends_of(heads), strict=True))


def _recall(hit: Hit, said: Reading, times: _Times, say_gist: Callable[[], str]) -> Recall:
    written_ms, heard_ms, (until_ms, successor) = times
    return Recall(
        id=hit.id,
        text=said.text if said.fidelity is Fidelity.VERBATIM else as_pictures(said.text),
        score=hit.score,
        strength=hit.strength,
        fidelity=said.fidelity,
        created_at=_time(written_ms),
        updated_at=_time(heard_ms),
        superseded_by=(successor or None) if until_ms else None,
        valid_until=_time(until_ms) if until_ms else None,
        confidence=said.confidence,
        say_gist=say_gist,
    )


def as_pictures(text: str) -> str:
    """The text with control characters (but line breaks and tabs) shown as their pictures ␀ … ␡."""
    return "".join(_picture(char) for char in text)


def _picture(char: str) -> str:
    code = ord(char)
    if code < 32 and char not in "\n\t\r":
        return chr(0x2400 + code)
    return "␡" if code == 127 else char


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1_000, tz=UTC)
