"""The lines of a `.jsonl` export: written from a bank and its log, read back with every field checked.

A line says a memory's words, and how strong it is: when it was heard and rehearsed last (Unix milliseconds),
its stability (days) and difficulty, and how often it was recalled. Any of these may be missing; such a memory
is then as strong as if it had been heard when it was told, and not since.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import InvalidInput
from .facts import GIST_FIELD_BYTES, gist_of, read_turns, same_fact_key
from .fold import milliseconds
from .forgetting import MAX_DIFFICULTY, MIN_DIFFICULTY, MIN_STABILITY_DAYS
from .identity import canonical_id, seconds_of
from .recall import Hit, read
from .tell import check_metadata

if TYPE_CHECKING:
    from .engine import Engine
    from .owners import OpenOwner

__all__ = ["Line", "bare_since", "lines_of", "read_lines"]

KEPT = "text gist cues known_as role name metadata slot".split()  # of a memory's words
MOST_MS = 253_402_300_800_000  # the year 10000
WHOLE = {"heard_ms": MOST_MS, "rehearsed_ms": MOST_MS, "recalls": 2**31 - 1}  # and the most of each
RANGES = {"stability": (MIN_STABILITY_DAYS, 1e6), "difficulty": (MIN_DIFFICULTY, MAX_DIFFICULTY)}


@dataclass(frozen=True, slots=True)
class Line:
    """A memory of a file."""

    id: str
    body: dict[str, Any]  # of the event that adds it, without the id
    until_ms: int  # 0: it is current
    by: str  # id of what replaced it, or ""


# -- writing -----------------------------------------------------------------------------------------


def lines_of(engine: Engine, open_: OpenOwner) -> Iterator[dict[str, Any]]:
    """A line for each memory of an owner, in the order of their slots."""
    bank = open_.bank
    columns = {name: bank.column(name) for name in ("written_ms", "importance", *WHOLE, *RANGES)}
    for memory_id in bank.ids():
        record, row = engine.record(open_, memory_id), bank.rows_of(memory_id)[0]
        line = {"id": memory_id, "time": int(columns["written_ms"][row]) / 1_000}
        if record is not None and not record.erased:
            line |= {key: record.body[key] for key in KEPT if key in record.body}
        else:  # slots that came without words: what they say
            left = read(bank, engine.codec, [Hit(memory_id, 0, 0, 0)], engine.now_ms())[0].text
            if not left.strip():
                continue  # faded to nothing: there is nothing to bring
            line["text"] = left
        # by the bank, not by the last telling: what was told with more weight before keeps it
        line["importance"] = _number(columns["importance"][row])
        if math.isinf(stability := _number(columns["stability"][row])):
            line["pinned"] = True
        else:
            line["stability"] = stability
        line["difficulty"] = _number(columns["difficulty"][row])
        line |= {name: int(columns[name][row]) for name in WHOLE}
        until_ms, by = bank.ended(memory_id)
        if until_ms:
            line |= {"until": until_ms / 1_000} | ({"superseded_by": by} if by else {})
        yield line


def _number(value: Any) -> float:
    """A float32 as the shortest number that is the same float32."""
    return float(str(value))


# -- reading -----------------------------------------------------------------------------------------


def read_lines(path: Path, now: Callable[[], float]) -> Iterator[Line]:
    """The memories of a file, all fields checked: what is in the log must be sound for ever.

    Args:
        now: gives Unix seconds: when a line was told that does not say so.

    Raises:
        InvalidInput: the file is not UTF-8, or a line is malformed; names the line and the field.
    """
    for number, text in _texts(path):
        field = f"line {number}"
        data = _parsed(text, field)
        told_ms = milliseconds(seconds_of(data.get("time", now()), f"{field}: time"))
        until, by = data.get("until"), _kind(data, "superseded_by", str, field)
        until_ms = 0 if until is None else milliseconds(seconds_of(until, f"{field}: until"))
        yield Line(
            canonical_id(str(data.get("id"))),
            _words(data, field) | {"told_ms": told_ms, "state": _state(data, told_ms, field)},
            until_ms,
            canonical_id(by) if by and until_ms else "",
        )


def bare_since(path: Path) -> float | None:
    """When the oldest memory of a file was told (Unix seconds) that comes without saying how strong it is.

    Args:
        path: of a file that `read_lines` has read.

    Returns:
        None: all say it, or are pinned; or when they were told is not known.
    """
    lines = (json.loads(text) for _, text in _texts(path))
    bare = (line for line in lines if not line.get("pinned") and line.get("rehearsed_ms") is None)
    return min((seconds_of(line["time"]) for line in bare if "time" in line), default=None)


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    try:
        with path.open(encoding="utf-8") as file:
            yield from ((number, line) for number, line in enumerate(file, start=1) if line.strip())
    except UnicodeDecodeError as error:
        raise InvalidInput(
            "path", f"{path} is not UTF-8 ({error.reason})", "give what export wrote"
        ) from error


def _words(data: dict[str, Any], field: str) -> dict[str, Any]:
    """What a line says of the words of a memory."""
    text = read_turns({"content": data.get("text")})[0].text
    gist = gist_of(text)
    body = {
        "text": text,
        "gist": _segments(data.get("gist", list(gist.segments())), f"{field}: gist"),
        "known_as": _kind(data, "known_as", str, field) or "\0" + same_fact_key(text, gist),
        "importance": _in_range(data.get("importance", 0.5), 0, 1, f"{field}: importance"),
        "role": _kind(data, "role", str, field) or "user",
        "name": _kind(data, "name", str, field),
        "pinned": _kind(data, "pinned", bool, field),
        "cues": _strings(_kind(data, "cues", list, field) or [], f"{field}: cues"),
        "metadata": check_metadata(_kind(data, "metadata", dict, field)),
        "slot": _kind(data, "slot", str, field),
    }
    return {key: value for key, value in body.items() if value or key == "importance"}


def _state(data: dict[str, Any], told_ms: int, field: str) -> dict[str, float | int]:
    """What a line says of a memory's strength, as state buffers of a bank."""
    state: dict[str, float | int] = {"heard_ms": told_ms, "rehearsed_ms": told_ms}
    for name, most in WHOLE.items():
        if (value := _kind(data, name, int, field)) is not None:
            state[name] = int(_in_range(value, 0, most, f"{field}: {name}"))
    for name, (lowest, highest) in RANGES.items():
        if data.get(name) is not None and not (name == "stability" and data.get("pinned")):
            state[name] = _in_range(data[name], lowest, highest, f"{field}: {name}")
    return state


def _parsed(line: str, field: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
        json.dumps(data, ensure_ascii=False).encode()  # "\ud800" is JSON, and no text
    except (ValueError, RecursionError) as error:
        raise InvalidInput(field, f"is not JSON ({error})", "give what export wrote") from error
    if not isinstance(data, dict) or not isinstance(data.get("text"), str) or not data["text"].strip():
        raise InvalidInput(f"{field}: text", "is missing or blank", "give what export wrote")
    return data


def _kind(data: dict[str, Any], key: str, kind: type, field: str) -> Any:
    value = data.get(key)
    if value is not None and not isinstance(value, kind):
        raise InvalidInput(
            f"{field}: {key}", f"is not a {kind.__name__}", "give what export wrote, or leave it out"
        )
    return value


def _strings(values: Any, field: str) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidInput(field, "is not a list of strings", "give what export wrote, or leave it out")
    return values


def _segments(value: Any, field: str) -> list[str]:
    segments = _strings(value, field)
    fits = len(segments) == 4 and all(
        len(segment.encode()) <= most for segment, most in zip(segments, GIST_FIELD_BYTES, strict=True)
    )
    if not fits:
        sizes = ", ".join(map(str, GIST_FIELD_BYTES))
        raise InvalidInput(
            field, f"is not four strings of {sizes} bytes at most", "give what export wrote, or leave it out"
        )
    return segments


def _in_range(value: Any, least: float, most: float, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise InvalidInput(
            field, f"{value!r:.60} is out of range", f"give a number from {least:g} to {most:g}"
        )
    return float(value)
