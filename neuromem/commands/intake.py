"""Talk from files into a memory, chunk by chunk, going on where an interrupted run stopped.

Before a chunk is told, its place in the file and the log's head are noted in `ingest.json` in the
store's folder. A later run finds there what is done already; whether the last chunk that was noted
reached the log is seen in the log itself. So each message is told once, wherever the run was cut.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from ..identity import Owner
from ..ingest import Talk

if TYPE_CHECKING:
    from ..memory import Memory
    from ..owners import Progress

__all__ = ["Bookmarks", "Intake", "take_in"]

CHUNK = 64  # messages told at once; one durable commit


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of a file."""

    format: str
    messages: int
    already: int  # of them told by an earlier run
    added: int  # facts
    reinforced: int
    inexact: int  # facts whose words the slots could not hold exactly
    oldest: float | None  # time of the earliest message, if the file says


@dataclass(frozen=True, slots=True)
class _Mark:
    done: int  # messages told
    events: int  # length of the log then
    chain: str  # and its hash-chain head


class Bookmarks:
    """The places reached in files, by file, mode and user."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ingest.json"

    def _all(self) -> dict[str, Any]:
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            return {}  # only a note: without it the file is read anew, and what is known is known
        return data if isinstance(data, dict) else {}

    def get(self, key: str) -> _Mark | None:
        """The place that was noted."""
        try:
            return _Mark(**self._all()[key])
        except (KeyError, TypeError):
            return None

    def put(self, key: str, mark: _Mark) -> None:
        """Notes a place, durably."""
        marks = self._all() | {key: asdict(mark)}
        fresh = self.path.with_suffix(".new")
        try:
            with fresh.open("w", encoding="utf-8") as file:
                json.dump(marks, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path)
        except OSError as error:
            problem = f"{self.path} cannot be written ({error.strerror})"
            raise InvalidInput("path", problem, "make room, or choose another folder") from error


def take_in(
    memory: Memory,
    user: str,
    talk: Talk,
    bookmarks: Bookmarks,
    *,
    raw: bool = False,
    again: bool = False,
    progress: Progress | None = None,
) -> Intake:
    """Tells a memory what a file holds.

    Args:
        raw: keep every message as it is. again: from the beginning, whatever was told before.
        progress: called with (messages told, in all).
    """
    key = f"{talk.digest} {'raw' if raw else 'facts'} {user}"
    log, owner = memory.engine.log, Owner("user", user).name
    chunks = _chunks(talk)
    done = 0 if again else _resume(memory, owner, bookmarks.get(key), chunks)
    already, counts = done, {"ADD": 0, "REINFORCE": 0, "inexact": 0}
    if progress is not None:
        progress(done, len(talk.messages))
    for start, chunk in chunks:
        if start >= done:
            bookmarks.put(key, _Mark(start, log.length(owner), log.head(owner).hex()))
            words = chunk[0]["content"] if talk.dictated else chunk
            for fact in memory.add(words, user_id=user, infer=not raw):
                counts[fact.event] = counts.get(fact.event, 0) + 1
                counts["inexact"] += not fact.exact
            done = start + len(chunk)
            if progress is not None:
                progress(done, len(talk.messages))
    bookmarks.put(key, _Mark(done, log.length(owner), log.head(owner).hex()))
    oldest = min((m["timestamp"] for m in talk.messages if "timestamp" in m), default=None)
    added, reinforced = counts["ADD"], counts["REINFORCE"]
    return Intake(talk.format, len(talk.messages), already, added, reinforced, counts["inexact"], oldest)


def _chunks(talk: Talk) -> list[tuple[int, Sequence[Mapping[str, Any]]]]:
    """(place of the first message, messages)."""
    size = 1 if talk.dictated else CHUNK
    return [(start, talk.messages[start : start + size]) for start in range(0, len(talk.messages), size)]


def _resume(
    memory: Memory, owner: str, mark: _Mark | None, chunks: Sequence[tuple[int, Sequence[Mapping[str, Any]]]]
) -> int:
    """Messages that this log has already."""
    log = memory.engine.log
    if mark is None or mark.events > log.length(owner):
        return 0
    if mark.events and log.get(owner, mark.events - 1).chain.hex() != mark.chain:
        return 0  # another log: the owner was deleted, or the folder was replaced
    chunk = next((chunk for start, chunk in chunks if start == mark.done), None)
    if chunk is None or mark.events == log.length(owner):
        return mark.done
    record = log.get(owner, mark.events)
    words = record.body.get("heard", record.body.get("text", ""))
    said = "".join(str(chunk[0]["content"]).split())
    told = record.erased or (bool(words) and "".join(str(words).split()) in said)
    return mark.done + len(chunk) if told else mark.done
