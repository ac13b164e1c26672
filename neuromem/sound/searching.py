"""Records by what they mean: the nearest keys of all versions, as far as they are current."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import InvalidInput
from .items import Found
from .segment import Segment

__all__ = ["search"]

Place = tuple[int, int]  # segment, record


def search(
    segments: Sequence[Segment], vector: Any, limit: int, current: Callable[[str, Place], bool]
) -> list[Found]:
    """The current records nearest to a unit vector, the nearest first.

    Args:
        current: (id, where a record of it is) → whether that is the newest one.

    Raises:
        InvalidInput: the vector has another width than the keys; a limit below 1.
    """
    if limit < 1:
        raise InvalidInput("limit", f"{limit} is too few", "give 1 or more")
    wanted = limit
    while True:
        found, out = _nearest(segments, vector, wanted), list[Found]()
        for score, at, record in found:
            entry = segments[at].entry(record)
            if len(out) < limit and current(entry.id, (at, record)):
                out.append(Found(entry, score))
        if len(out) == limit or len(found) < wanted:
            return out
        wanted *= 4  # many of the nearest were replaced or deleted


def _nearest(segments: Sequence[Segment], vector: Any, limit: int) -> list[tuple[float, int, int]]:
    """(cosine, segment, record), the nearest first."""
    found = list[tuple[float, int, int]]()
    for at, segment in enumerate(segments):
        if not len(segment.keyed):
            continue
        width = segment.keys.rows.shape[1]
        if width != len(vector):
            raise InvalidInput("query", f"has {len(vector)} numbers", f"give {width}")
        rows, scores = segment.keys.best(vector, limit)
        records = segment.keyed[rows].tolist()
        found += [(score, at, record) for score, record in zip(scores.tolist(), records, strict=True)]
    return sorted(found, key=lambda item: -item[0])[:limit]
