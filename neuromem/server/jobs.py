"""Work that a request leaves behind: durable before it is answered, done in order, in a thread of its own.

A job is done at least once: when the process is killed between the telling and the note that it is told,
it is told again at the next start, which strengthens what is known already and adds nothing.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..errors import Closed, NeuromemError, StoreError
from ..history import WRITING
from ..log import Record
from ..telling import delete_of
from .events import DONE, FAILED, PENDING, Events
from .service import Change, Service
from .transcripts import talk_name

__all__ = ["SAID", "Jobs", "Work"]

SAID = "said"  # what a job gives its words under; it is not kept
AT_ONCE = 32  # jobs read from the desk at a time
PAUSE_S = 1.0  # before a job is tried again that failed for want of a disk
log = logging.getLogger("neuromem.server")

Work = Callable[[dict[str, Any]], dict[str, Any]]
"""Does a job; returns what is added to its event's body, and under `SAID` the words that it told."""

Aside = Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]


class Jobs:
    """The jobs on the desk, and the thread that does them."""

    def __init__(self, service: Service, events: Events) -> None:
        self.service, self.events = service, events
        self.work: dict[str, Work] = {}  # by the name under "do" in a job: who takes work on adds theirs
        self.counts: Counter[str] = Counter()  # "done" and "failed" since it was started
        self.on_done: list[Callable[[str, str], None]] = []  # called with an event that ended, and its status
        # called with whose job it is and the work, which it does: a server has it give way to searches
        self.aside: Aside = lambda _whose, work: work()
        self._wake, self._stopping = threading.Event(), False
        self._forgotten: set[str] = set()  # owners, since the present job was begun
        service.on_forget.append(self._forgotten.add)
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
            "SELECT jobs.event, events.scope, jobs.body, events.body "
            "FROM jobs JOIN events ON events.id = jobs.event ORDER BY jobs.rowid LIMIT ?",
            AT_ONCE,
        )
        for event, scope, job, body in rows:
            if self._stopping:
                return True
            self._one(event, scope, json.loads(job), json.loads(body))
        return bool(rows)

    def _one(self, event: str, scope: str, job: dict[str, Any], body: dict[str, Any]) -> None:
        self._forgotten.clear()
        if not self.events.desk.rows("SELECT 1 FROM jobs WHERE event = ?", event):
            return  # dropped since it was read
        try:
            done, status = self.aside(scope, lambda: self.work[job["do"]](job)), DONE
        except (StoreError, Closed):
            raise
        except NeuromemError as error:  # its message may quote what was told
            done, status = {"error": type(error).__name__}, FAILED
        except Exception as error:  # of one job: the others must not wait for it for ever
            log.exception("job failed", extra={"data": {"event": event}})
            done, status = {"error": type(error).__name__}, FAILED
        self.counts["done" if status == DONE else "failed"] += 1
        said = done.pop(SAID, ())
        if self.events.finish(event, status, body | done):
            for told in self.on_done:
                told(event, status)
        else:
            try:
                self._undo(scope, done.get("memories", ()), said)
                told = job.get("told", {})  # what is told again must not count as told
                talk = talk_name(scope, told.get("ids", {}), bool(told.get("infer", True)))
                self.service.desk.unhear(f"{scope}\0" if scope in self._forgotten else talk)
            except Exception as error:  # of one job, as above; its message may quote what was told
                log.warning("job not undone", extra={"data": {"event": event, "error": type(error).__name__}})

    def _undo(self, owner: str, memories: Sequence[Mapping[str, str]], said: Sequence[str]) -> None:
        """Forgets what was told for somebody who was deleted in the meantime, every word."""
        engine = self.service.engine
        with engine.owners.use(owner) as open_:
            records = [record for record in engine.log.events(owner) if not record.erased]
            known = {record.body.get("id") for record in records if record.kind in WRITING}
            new = [item["id"] for item in memories if item["event"] in ("ADD", "UPDATE")]
            ids = [memory_id for memory_id in new if memory_id in known]
            words, others = _split(records, said)
            if (
                owner in self._forgotten
                and not others
                and set(open_.bank.ids()) <= {item["id"] for item in memories}
            ):
                self.service.forget_owner(owner, waiting=False)
            elif ids or words:
                delete_of(engine, owner, ids, words)
        self.service.tell([Change("DELETE", memory_id, owner) for memory_id in ids])


def _split(records: Iterable[Record], said: Sequence[str]) -> tuple[list[int], list[int]]:
    """The numbers of the records of words: of those that were just said, the last ones, and of all others."""
    left = Counter(said)
    ours: list[int] = []
    others: list[int] = []
    for record in sorted(records, key=lambda record: -record.seq):
        if record.kind == "say":
            text = str(record.body["text"])
            (ours if left[text] > 0 else others).append(record.seq)
            left[text] -= 1
    return ours, others
