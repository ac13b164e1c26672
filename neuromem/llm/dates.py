"""Dates that a model may put in place of "yesterday": those that follow from what was said, and when."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from ..facts.times import TimeSpan, spans

__all__ = ["without_derived_dates"]

MONTH = timedelta(days=27)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b(?!-\d)")  # by itself: "last year (2025)"


def without_derived_dates(statement: str, said: str, now: datetime | None) -> str:
    """A statement without the dates in it that follow from what was said and when.

    What is left has to be found among the words said: dates that do not follow stay in. A date may be less
    exact than what was said ("last Friday" → "in May 2026"), never more.

    Args:
        said: the words that the statement comes from.
        now: when they were said; None: unknown, and nothing follows.
    """
    if now is None:
        return statement
    meant = spans(said, now)
    for span in reversed(spans(statement, now)):
        if any(_follows(span, one) for one in meant):
            end = span.place + len(span.phrase)
            statement = f"{statement[: span.place]} {statement[end:]}"
    years = {year for one in meant for year in (one.start.year, (one.end - timedelta(days=1)).year)}
    return _YEAR.sub(lambda match: "" if int(match.group()) in years else match.group(), statement)


def _follows(span: TimeSpan, meant: TimeSpan) -> bool:
    """Whether a stretch of time is what was meant, or a longer one around it."""
    if meant.vague:  # its span is a guess: only what is not exact may follow from it
        return span.end - span.start > MONTH and span.start < meant.end and meant.start < span.end
    return span.start <= meant.start and meant.end <= span.end
