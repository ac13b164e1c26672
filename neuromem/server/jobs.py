"""Work that a request leaves behind: durable before it is answered, done in order, in a thread of its own.

A job is done at least once: when the process is killed between the telling and the note that it is told,
it is told again at the next start, which strengthens what is known already and adds nothing.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ..errors import Closed, NeuromemError, NotFound, StoreError
from .events import DONE, FAILED, PENDING, Events
from .service import Service

__all__ = ["Jobs", "Work"]

AT_ONCE = 32  # jobs read from the desk at a time
PAUSE_S = 1.0  # before a job is tried again that failed for want of a disk
log = logging.getLogger("neuromem.server")

Work = Callable[[dict[str, Any]], dict[str, Any]]
"""Does a job; returns what is added to its event's body."""


class Jobs:
    """The jobs on the desk, and the thread that does them."""

    def __init__(self, service: Service, events: Events, more: Mapping[str, Work] | None = None) -> None:
        """Args:
        more: kinds of work, by the name under "do" in a job; who takes work on adds theirs.
        """
        self.service, self.events = service, events
        self.work: dict[str, Work] = dict(more or {})
        self.counts: Counter[str] = Counter()  # "done" and "failed" since it was started
        self._wake, self._stopping = threading.Event(), False
        self._thread: threading.Thread | None = None

    def put(
        self, kind: str, scope: str, job: dict[str, Any], body: dict[str, Any], *, key: str | None = None
    ) -> str:
        """Takes on a job; durable when it returns. Gives the event's id. `kind`, …: see `Events.record`."""
        event = self.events.record(kind, PENDING, scope, body, key=key, job=job)
        self._wake.set()
        return event

    @property
    def waiting(self) -> int:
        """Jobs that are not done."""
        return int(self.events.desk.rows("SELECT count(*) FROM jobs")[0][0])

    def start(self) -> None:
        """Begins, with what an earlier process left."""
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Ends once the present job is done; the others lie on the desk for the next start."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                busy = self._some()
            except (StoreError, Closed) as error:
                log.warning("jobs wait", extra={"data": {"error": type(error).__name__}})
                self._wake.wait(PAUSE_S)
                continue
            if not busy:
                self._wake.wait()

    def _some(self) -> bool:
        """Does the oldest jobs; whether there were any."""
        rows = self.events.desk.rows(
            "SELECT jobs.event, jobs.body, events.body FROM jobs JOIN events ON events.id = jobs.event "
            "ORDER BY jobs.rowid LIMIT ?",
            AT_ONCE,
        )
        for event, job, body in rows:
            if self._stopping:
                return True
            self._one(event, json.loads(job), json.loads(body))
        return bool(rows)

    def _one(self, event: str, job: dict[str, Any], body: dict[str, Any]) -> None:
        try:
            done, status = self.work[job["do"]](job), DONE
        except (StoreError, Closed):
            raise
        except NeuromemError as error:  # its message may quote what was told
            done, status = {"error": type(error).__name__}, FAILED
        except Exception as error:  # of one job: the others must not wait for it for ever
            log.exception("job failed", extra={"data": {"event": event}})
            done, status = {"error": type(error).__name__}, FAILED
        self.counts["done" if status == DONE else "failed"] += 1
        if not self.events.finish(event, status, body | done):
            self._undo(done)

    def _undo(self, done: dict[str, Any]) -> None:
        """Forgets what was told for somebody who was deleted in the meantime."""
        for item in done.get("memories", ()):
            if item["event"] == "ADD":
                with suppress(NotFound):  # deleted with the rest, after it was told
                    self.service.delete([item["id"]])
