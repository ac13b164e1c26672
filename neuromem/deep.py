"""Deep recall: the slow path, over all that was told, in the log, forgotten facts included.

What an assistant said in a talk, and what only asks, tells nothing of the user and is left out.

BM25 (Robertson & Zaragoza 2009, k1 = 1.2, b = 0.75) over all statements, and the cosine of meaning
over those worth encoding; the two are added as z-scores over what was encoded.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from .facts.keep import is_question
from .keys import Keys
from .log import EventLog, Record
from .owners import Progress
from .text import sentences, stems

__all__ = ["Found", "ranked", "search_log"]

K1, B = 1.2, 0.75
ENCODE_ALL = 4_000  # up to so many statements are all encoded; of more, the best by words and the newest
CHUNK = 64


@dataclass(frozen=True, slots=True)
class Found:
    """A statement in the log."""

    record: Record
    text: str
    score: float


def search_log(
    log: EventLog,
    owner: str,
    question: str,
    keys: Keys,
    limit: int,
    progress: Progress | None = None,
    deadline: float | None = None,
    until: float | None = None,
    among: Callable[[Record], bool] | None = None,
) -> list[Found]:
    """The statements that answer a question best.

    Args:
        progress: called while texts are encoded.
        until: only what was said by this time, in Unix seconds. among: only records that pass; None: all.
        deadline: `time.monotonic()` after which no more texts are encoded; what was found by then is
            returned.
    """
    records = [record for record in _statements(log, owner, until) if among is None or among(record)]
    return ranked(records, question, keys, limit, progress, deadline)


def ranked(
    records: Sequence[Record],
    question: str,
    keys: Keys,
    limit: int,
    progress: Progress | None = None,
    deadline: float | None = None,
    most: int = ENCODE_ALL,
) -> list[Found]:
    """Of statements in the log those that answer a question best; see `search_log`.

    Args:
        most: up to so many are encoded; of more, the best by words and the newest.
    """
    if not records:
        return []
    texts = [str(record.body["text"]) for record in records]
    lexical = bm25(question, texts)
    order = sorted(range(len(texts)), key=lambda i: (-lexical[i], -i))
    if len(order) > most:
        newest = range(len(texts) - most // 4, len(texts))
        order = list(dict.fromkeys([*order[: most * 3 // 4], *newest]))
    dense = _cosines(question, [texts[i] for i in order], keys, progress, deadline)
    chosen = order[: len(dense)]
    words, meaning = _standard([lexical[i] for i in chosen]), _standard(dense)
    scored = [(m + 0.5 * w, c, i) for m, w, c, i in zip(meaning, words, dense, chosen, strict=True)]
    scored.sort(key=lambda item: (-item[0], -item[2]))
    return [Found(records[i], texts[i], cosine) for _, cosine, i in scored[:limit]]


def _statements(log: EventLog, owner: str, until: float | None) -> list[Record]:
    """All that was told, the latest wording of each memory, nothing that was deleted."""
    latest: dict[str, Record] = {}
    for record in log.events(owner):
        memory_id = record.body.get("id")
        if until is not None and record.time > until:
            continue
        if record.kind == "delete" and memory_id:
            latest.pop(memory_id, None)
        elif "text" in record.body and (memory_id or _tells(record)):
            latest[memory_id or f"say {record.seq}"] = record
    return list(latest.values())


def _tells(record: Record) -> bool:
    """Whether words that gave no memory state something all the same, and the user said them."""
    if record.body.get("role", "user") != "user":
        return False
    return not all(is_question(sentence) for sentence in sentences(str(record.body["text"])))


def bm25(question: str, texts: Sequence[str]) -> list[float]:
    """BM25 of each text, with the texts' own inverse document frequencies."""
    bags = [Counter(stems(text)) for text in texts]
    mean = sum(sum(bag.values()) for bag in bags) / max(1, len(bags)) or 1.0
    wanted = [
        (stem, _idf(sum(stem in bag for bag in bags), len(bags))) for stem in dict.fromkeys(stems(question))
    ]

    def score(bag: Counter[str]) -> float:
        norm = K1 * (1 - B + B * sum(bag.values()) / mean)
        return sum(
            weight * bag[stem] * (K1 + 1) / (bag[stem] + norm) for stem, weight in wanted if stem in bag
        )

    return [score(bag) for bag in bags]


def _idf(holding: int, texts: int) -> float:
    return math.log(1 + (texts - holding + 0.5) / (holding + 0.5))


def _cosines(
    question: str, texts: Sequence[str], keys: Keys, progress: Progress | None, deadline: float | None
) -> list[float]:
    query = keys.query(question)
    out: list[float] = []
    for start in range(0, len(texts), CHUNK):
        if start and deadline is not None and time.monotonic() > deadline:
            break
        out += (keys.targets(texts[start : start + CHUNK]) @ query).tolist()
        if progress is not None:
            progress(len(out), len(texts))
    return out


def _standard(values: Sequence[float]) -> list[float]:
    """z-scores; all zero when the values are all the same."""
    column = torch.tensor(values, dtype=torch.float32)
    spread = float(column.std(correction=0)) if len(values) > 1 else 0.0
    if spread == 0 or math.isnan(spread):
        return [0.0] * len(values)
    return ((column - column.mean()) / spread).tolist()
