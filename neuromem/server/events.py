"""What was done, by event: which memories came of a call. They are named by id; no words are kept here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from .desk import Desk
from .principals import Principal

__all__ = ["Events", "Result"]

KEPT_S = 30 * 86_400.0  # how long events are kept
SWEEP = 512  # new events between two looks for old ones

Result = Mapping[str, str]
"""{"id": of a memory, "event": "ADD" or "NONE"}"""


class Events:
    """The events on a desk. Safe across threads."""

    def __init__(self, desk: Desk, clock: Callable[[], float]) -> None:
        self._desk, self._clock = desk, clock
        self._until_sweep = 1

    def note(
        self,
        kind: str,
        scope: str,
        results: Sequence[Result] = (),
        *,
        status: str = "SUCCEEDED",
        answers: Sequence[str] = (),
        began: float | None = None,
        **more: Any,
    ) -> str:
        """Writes an event down; returns its id.

        Args:
            kind: "ADD", "DELETE", … scope: the owner whom it is about; "" for none.
            answers: names of requests that are answered by it when they come again; see `answer_to`.
            began: Unix seconds; now when None.
        """
        event_id, now = str(uuid4()), self._clock()
        body = json.dumps({"results": [dict(item) for item in results], **more})
        done = None if status in ("PENDING", "RUNNING") else now
        with self._desk.change() as db:
            row = (event_id, kind, status, scope, body, now if began is None else began, done)
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            db.executemany(
                "INSERT OR REPLACE INTO answered VALUES (?, ?, ?)",
                [(name, event_id, now) for name in answers],
            )
            self._until_sweep -= 1
            if self._until_sweep <= 0:
                self._until_sweep = SWEEP
                for table in ("events", "answered"):
                    db.execute(f"DELETE FROM {table} WHERE created < ?", (now - KEPT_S,))
        return event_id

    def finish(self, event_id: str, results: Sequence[Result], error: str = "") -> None:
        """Notes how an event that was pending came out."""
        body = {"results": [dict(item) for item in results]} | ({"error": error} if error else {})
        with self._desk.change() as db:
            db.execute(
                "UPDATE events SET status = ?, body = ?, completed = ? WHERE id = ?",
                ("FAILED" if error else "SUCCEEDED", json.dumps(body), self._clock(), event_id),
            )

    def answer_to(self, name: str) -> dict[str, Any] | None:
        """The event that answered a request of this name before."""
        query = "SELECT event FROM answered WHERE key = ?"
        found = self._desk.rows(query, name)
        return self.get(found[0][0]) if found else None

    def get(self, event_id: str, who: Principal | None = None) -> dict[str, Any] | None:
        """An event, if there is one that is theirs to see."""
        found = self._select("id = ?", event_id, limit=1)
        return found[0] if found and (who is None or _theirs(who, found[0])) else None

    def all(self, who: Principal, kind: str | None = None) -> list[dict[str, Any]]:
        """Those that are theirs to see, the last first."""
        return [event for event in self._select("?1 IS NULL OR kind = ?1", kind) if _theirs(who, event)]

    def _select(self, where: str, value: Any, limit: int = -1) -> list[dict[str, Any]]:
        rows = self._desk.rows(
            f"SELECT id, kind, status, scope, body, created, completed FROM events WHERE {where} "
            f"ORDER BY created DESC, rowid DESC LIMIT {limit}",
            value,
        )
        names = ("id", "kind", "status", "scope", "body", "created", "completed")
        events = [dict(zip(names, row, strict=True)) for row in rows]
        return [event | json.loads(event.pop("body")) for event in events]


def _theirs(who: Principal, event: Mapping[str, Any]) -> bool:
    return who.user is None or who.sees(event["scope"])
