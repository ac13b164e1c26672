"""WhatsApp's exported chats: "date, time - name: words" (Android) or "[date, time] name: words" (iOS).

The order of day and month is that of the phone's region: it is found out from the dates themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import islice, pairwise
from typing import Any

from .errors import InvalidInput

__all__ = ["looks_like_whatsapp", "read_whatsapp"]

_DATE = r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})"
_TIME = r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\s*([ap])\.?\s?m\.?)?"
_STAMP = re.compile(
    rf"(?:\[{_DATE},?\s+{_TIME}\]\s+|{_DATE},?\s+{_TIME}\s+-\s+)(.*)", re.IGNORECASE | re.DOTALL
)
_MARKS = re.compile("[\u200e\u200f\u202a-\u202e]")  # of direction, which the export sprinkles in
_EDITED = re.compile(r"\s*<This message was edited>$", re.IGNORECASE)
_EMPTY = re.compile(
    r"<media omitted>|(?:image|video|audio|sticker|gif|document|contact card) omitted|<attached: .*>"
    r"|(?:this message was|you) deleted(?: this message)?\.?|null",
    re.IGNORECASE,
)
_LOOK = 20  # lines by which the format is known

Stamp = tuple[int, int, int, int, int, int]  # the date's three numbers in their order; hour, minute, second


def looks_like_whatsapp(text: str) -> bool:
    """Whether the first line that is not blank begins as a message does."""
    lines = islice((line for line in text.splitlines() if line.strip()), _LOOK)
    first = next(lines, "")
    return _STAMP.match(_bare(first)) is not None


def read_whatsapp(text: str) -> list[dict[str, Any]]:
    """The messages: role user, content, name, timestamp (the time of this machine's zone).

    Notices of the app (somebody joined, a picture was left out) are no messages.
    """
    entries: list[tuple[Stamp, str]] = []
    for line in text.split("\n"):
        match = _STAMP.match(_bare(line))
        if match:
            entries.append((_stamp(match), match[15]))
        elif entries:
            stamp, words = entries[-1]
            entries[-1] = (stamp, f"{words}\n{line.rstrip()}")
    order = _date_order([stamp for stamp, _ in entries])
    out = []
    for stamp, words in entries:
        name, colon, said = words.partition(": ")
        said = _EDITED.sub("", said).strip()
        if colon and not _EMPTY.fullmatch(said):
            time = _time(stamp, order).timestamp()
            out.append({"role": "user", "content": said, "name": name.strip(), "timestamp": time})
    return out


def _bare(line: str) -> str:
    return _MARKS.sub("", line).replace("\u202f", " ").replace("\xa0", " ").rstrip("\r")


def _stamp(match: re.Match[str]) -> Stamp:
    a, b, c, hour, minute, second, half = [match[i] or match[i + 7] for i in range(1, 8)]
    hours = int(hour) % 12 + (12 if half in "pP" else 0) if half else int(hour)
    return int(a), int(b), int(c), hours, int(minute), int(second or 0)


_ORDERS = ("dmy", "mdy", "ymd")


def _date_order(stamps: Sequence[Stamp]) -> str:
    """The order in which all dates are dates, and in which time goes backwards least often."""
    possible = [order for order in _ORDERS if all(_is_date(stamp, order) for stamp in stamps)]
    if not possible:
        raise InvalidInput("dates of the chat", "make no sense in any order", "export the chat again")

    def backwards(order: str) -> int:
        return sum(later < earlier for earlier, later in pairwise(_time(stamp, order) for stamp in stamps))

    return min(possible, key=backwards)


def _is_date(stamp: Stamp, order: str) -> bool:
    try:
        _time(stamp, order)
    except ValueError:
        return False
    return True


def _time(stamp: Stamp, order: str) -> datetime:
    parts = dict(zip(order, stamp[:3], strict=True))
    if order == "ymd" and parts["y"] < 1_000:
        raise ValueError("a year that comes first has four digits")
    year = parts["y"] + (2_000 if parts["y"] < 100 else 0)
    return datetime(year, parts["m"], parts["d"], *stamp[3:]).astimezone()
