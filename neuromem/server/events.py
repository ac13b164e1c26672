"""Events: what became of a request that told something. They name memories by id, and hold no words.

One that waits to be worked on is durable at once, with its job. One that is over is written a moment
later, with others: what it tells of is durable already.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from uuid import uuid4

from ..errors import InvalidInput, NotFound
from .desk import Desk
from .principals import ANYBODY, Principal

__all__ = ["DONE", "FAILED", "PENDING", "RUNNING", "TALK", "Event", "Events"]

PENDING, RUNNING, DONE, FAILED = "PENDING", "RUNNING", "SUCCEEDED", "FAILED"
COLUMNS = "id, kind, status, scope, body, created, completed"
MOST_UNWRITTEN = 256
TALK = "talk\0"  # how names of lists of messages begin


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    id: str
    kind: str  # "ADD", "INGEST", …
    status: str
    scope: str  # owner whose it is, as the log names them
    body: dict[str, Any]
    created: float  # Unix seconds
    completed: float | None = None

    @property
    def row(self) -> tuple[Any, ...]:
        """As it lies in the table."""
        body = json.dumps(self.body)
        return self.id, self.kind, self.status, self.scope, body, self.created, self.completed


class Events:
    """The events of a server. Safe across threads."""

    def __init__(self, desk: Desk, clock: Callable[[], float]) -> None:
        self.desk, self.clock = desk, clock
        self._lock = threading.Lock()
        self._writing = threading.Lock()  # while what is unwritten is written
        self._unwritten: dict[str, Event] = {}
        desk.on_unfile.append(self._forget)

    def record(
        self,
        kind: str,
        status: str,
        scope: str,
        body: dict[str, Any],
        *,
        key: str | None = None,
        also: Sequence[str] = (),
        job: dict[str, Any] | None = None,
        began: float | None = None,
    ) -> str:
        """Notes an event.

        Args:
            scope: the owner's name in the log. body: JSON, without words of memories.
            key: what `answered` finds it by. also: further names for `answer_to`.
            began: Unix seconds; now when None. job: what has to be done for it; durable with it.

        Returns:
            Its id.
        """
        now = self.clock()
        done = None if job is not None else now
        event = Event(str(uuid4()), kind, status, scope, body, now if began is None else began, done)
        names = [*also] if key is None else [key, *also]
        if not names and job is None:
            with self._lock:
                self._unwritten[event.id] = event
                many = len(self._unwritten) >= MOST_UNWRITTEN
            if many:
                self.flush()
            return event.id
        with self.desk.change() as db:
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", event.row)
            if job is not None:
                db.execute("INSERT INTO jobs VALUES (?, ?)", (event.id, json.dumps(job)))
            db.executemany(
                "INSERT OR REPLACE INTO answered VALUES (?, ?, ?)", [(name, event.id, now) for name in names]
            )
        return event.id

    def finish(self, id_: str, status: str, body: dict[str, Any]) -> bool:
        """Ends a pending event and wipes its job: both or neither. False: its owner was deleted."""
        with self.desk.change() as db:
            changed = db.execute(
                "UPDATE events SET status = ?, body = ?, completed = ? WHERE id = ?",
                (status, json.dumps(body), self.clock(), id_),
            ).rowcount
            db.execute("DELETE FROM jobs WHERE event = ?", (id_,))
            if status == FAILED:  # whoever asks again with the same key gets another try
                db.execute("DELETE FROM answered WHERE event = ?", (id_,))
        return changed > 0

    def get(self, id_: str, who: Principal = ANYBODY) -> Event:
        """One event.

        Raises:
            NotFound: there is none, or it is not theirs to see.
        """
        with self._lock:
            event = self._unwritten.get(id_)
        if event is None:
            rows = self.desk.rows(f"SELECT {COLUMNS} FROM events WHERE id = ?", id_)
            event = _event(rows[0]) if rows else None
        if event is None or not who.sees(event.scope):
            raise NotFound("no such event; it was never recorded here, or has been cleaned up")
        return event

    def known(
        self, who: Principal = ANYBODY, *, limit: int = 100, offset: int = 0, kind: str | None = None
    ) -> list[Event]:
        """Events that somebody may see, newest first."""
        self.flush()
        rows = self.desk.rows(
            f"SELECT {COLUMNS} FROM events WHERE (?1 IS NULL OR scope = ?1) AND (?2 IS NULL OR kind = ?2) "
            "ORDER BY created DESC, id LIMIT ?3 OFFSET ?4",
            who.scope, kind, limit, offset,
        )  # fmt: skip
        return [_event(row) for row in rows]

    def count(self, who: Principal = ANYBODY, *, kind: str | None = None) -> int:
        """How many `known` would give without a limit."""
        self.flush()
        return int(self.desk.rows(
            "SELECT count(*) FROM events WHERE (?1 IS NULL OR scope = ?1) AND (?2 IS NULL OR kind = ?2)",
            who.scope, kind,
        )[0][0])  # fmt: skip

    # -- once only --------------------------------------------------------------------------------

    def print_of(self, request: object) -> str:
        """A fingerprint of a request, from which its words cannot be guessed."""
        data = json.dumps(request, sort_keys=True, default=str).encode()
        return blake2b(data, key=self.desk.secret(), digest_size=16).hexdigest()

    def answered(self, key: str, print_: str) -> Event | None:
        """The event of a request that came before with the same key; None: it did not.

        Raises:
            InvalidInput: it was another request.
        """
        event = self.answer_to(key)
        if event is None:
            return None
        if event.body.get("print") != print_:
            raise InvalidInput("Idempotency-Key", "was used for another request", "give each its own")
        return event

    def answer_to(self, key: str) -> Event | None:
        """The event that was recorded under a key; None: there is none, or it was cleaned up."""
        rows = self.desk.rows("SELECT event FROM answered WHERE key = ?", key)
        try:
            return self.get(rows[0][0]) if rows else None
        except NotFound:
            return None

    # -- keeping ----------------------------------------------------------------------------------

    def flush(self) -> None:
        """Writes down what is over."""
        with self._writing:
            with self._lock:
                events = list(self._unwritten.values())
            if not events:
                return
            with self.desk.change() as db:
                db.executemany(
                    "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [event.row for event in events],
                )
            with self._lock:
                for event in events:
                    self._unwritten.pop(event.id, None)

    def _forget(self, scope: str) -> None:
        """Drops what is not written yet of an owner who is forgotten."""
        with self._writing, self._lock:
            for event in [event for event in self._unwritten.values() if event.scope == scope]:
                del self._unwritten[event.id]

    def clean(self, keep_s: float, keep_answered_s: float) -> int:
        """Drops what is over and old; returns how many events went.

        Args:
            keep_s: of events, and of what came of lists of messages, which come again with every turn.
            keep_answered_s: of requests that named themselves.
        """
        self.flush()
        now, talks = self.clock(), (TALK, f"{TALK}\U0010ffff")
        with self.desk.change() as db:
            db.execute(
                "DELETE FROM answered WHERE created < ? AND key NOT BETWEEN ? AND ?",
                (now - keep_answered_s, *talks),
            )
            db.execute("DELETE FROM answered WHERE created < ?", (now - keep_s,))
            return db.execute("DELETE FROM events WHERE completed < ?", (now - keep_s,)).rowcount


def _event(row: Sequence[Any]) -> Event:
    id_, kind, status, scope, body, created, completed = row
    return Event(id_, kind, status, scope, json.loads(body), created, completed)
