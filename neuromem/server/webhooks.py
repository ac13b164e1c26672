"""Webhooks: other programs hear of changes, and nobody waits for them.

Each receiver has a bounded queue and a thread of its own, which ends when there is nothing to send; so a slow
one delays nobody, and one that is down loses what does not fit (it is counted). Deliveries are tried again
after 1, 4 and 16 seconds. Each is signed: `X-Neuromem-Signature: sha256=HMAC(secret, timestamp + "." + body)`
with the secret that was told when the webhook was made. Of what was deleted the words are not sent, be it
while a delivery waits. Queues are in RAM: a server that is stopped tries once what waits, and drops the rest.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit
from uuid import uuid4
from weakref import WeakValueDictionary

from ..errors import InvalidInput, NotFound
from .desk import Desk
from .entries import iso
from .service import Change

__all__ = ["TYPES", "Webhooks"]

TYPES = (
    "memory_add", "memory_update", "memory_delete", "memory_categorize",
    "ingest_job_completed", "ingest_job_failed",
)  # fmt: skip
WAITING = 1_000  # deliveries that may wait for one receiver
PAUSES_S = (1.0, 4.0, 16.0)  # before each further attempt
SENT_AS_IT_IS = "".join(chr(code) for code in range(0x21, 0x7F))  # of a path and a query
TIMEOUT_S, IDLE_S = 5.0, 5.0  # of an attempt; after which a thread without work ends
_log = logging.getLogger(__name__)


class _Told(dict[str, Any]):
    """What a delivery tells of a memory; of a type that can be looked for while it is not sent."""


class Webhooks:
    """The webhooks of a desk, and their deliveries. Safe across threads."""

    def __init__(
        self,
        desk: Desk,
        clock: Callable[[], float],
        categories: Callable[[str], Sequence[str]],
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        """Args:
        categories: of a memory, by its id.
        """
        self._desk, self._clock, self._categories, self._pauses = desk, clock, categories, pauses_s
        self.counts: Counter[str] = Counter()  # deliveries "sent", "failed" and "dropped"
        self._lock = threading.Lock()
        self._queues: dict[str, queue.Queue[Mapping[str, Any] | None]] = {}  # None: look whether it is closed
        self._threads: dict[str, threading.Thread] = {}  # of the queues
        self._unsent: WeakValueDictionary[int, _Told] = WeakValueDictionary()
        self._numbers = count()
        self._closing, self._until = threading.Event(), 0.0  # when nothing is sent any more
        self._hooks = self._desk.things("webhook")

    # -- who listens ------------------------------------------------------------------------------

    def create(self, project: str, url: str, name: str, types: Sequence[str]) -> dict[str, Any]:
        """A new webhook, with the secret that its deliveries are signed with: it is not shown again."""
        body = {"project": project, "url": _url(url), "name": name, "types": _types(types), "active": True}
        hook_id = f"wh_{uuid4().hex[:16]}"
        self._desk.put("webhook", hook_id, body, self._clock())
        self._reload()
        return self.get(hook_id) | {"secret": self._secret(hook_id).hex()}

    def update(self, hook_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes url, name, types or whether it is active."""
        kept = self._thing(hook_id)
        checked = dict(changes)
        if "url" in checked:
            checked["url"] = _url(checked["url"])
        if "types" in checked:
            checked["types"] = _types(checked["types"])
        body = {key: checked.get(key, kept[key]) for key in ("project", "url", "name", "types", "active")}
        self._desk.put("webhook", hook_id, body, self._clock())
        self._reload()
        return self.get(hook_id)

    def remove(self, hook_id: str) -> None:
        """Drops one."""
        self._thing(hook_id)
        self._desk.remove("webhook", hook_id)
        self._reload()

    def remove_all(self, project: str) -> None:
        """Drops those of a project."""
        self._desk.remove("webhook", *(hook["webhook_id"] for hook in self.all(project)))
        self._reload()

    def all(self, project: str) -> list[dict[str, Any]]:
        """Those of a project."""
        return [_shown(hook) for hook in self._desk.things("webhook") if hook["project"] == project]

    def get(self, hook_id: str) -> dict[str, Any]:
        """One of them."""
        return _shown(self._thing(hook_id))

    def _thing(self, hook_id: str) -> dict[str, Any]:
        hook = self._desk.get("webhook", hook_id)
        if hook is None:
            raise NotFound(f"no webhook {hook_id!r}")
        return hook

    def _reload(self) -> None:
        with self._lock:  # of two that change something the last sees both
            self._hooks = self._desk.things("webhook")

    def _secret(self, hook_id: str) -> bytes:
        return hmac.digest(self._desk.secret(), f"webhook:{hook_id}".encode(), "sha256")

    # -- sending ----------------------------------------------------------------------------------

    def notice(self, changes: Sequence[Change]) -> None:
        """Changes were made: whoever listens will hear of it. Returns at once."""
        self._forget({change.id for change in changes if change.kind == "DELETE"})
        hooks = [hook for hook in self._hooks if hook["active"]]
        for change in changes if hooks else ():
            details = _Told(id=change.id, data={"memory": change.text}, event=change.kind)
            with self._lock:
                self._unsent[next(self._numbers)] = details
            self.send(f"memory_{change.kind.lower()}", {"event_details": details}, hooks)
            if change.kind == "ADD" and any("memory_categorize" in hook["types"] for hook in hooks):
                names = list(self._categories(change.id))
                sorted_ = {"event": "CATEGORIZE", "memory_id": change.id, "categories": names}
                self.send("memory_categorize", {"event_details": sorted_}, hooks)

    def _forget(self, gone: set[str]) -> None:
        """Takes the words of what was deleted out of all that waits or is tried again."""
        with self._lock:
            for details in list(self._unsent.values()) if gone else ():
                if details["id"] in gone:
                    details["data"] = {"memory": ""}

    def send(
        self, kind: str, body: Mapping[str, Any], hooks: Sequence[Mapping[str, Any]] | None = None
    ) -> None:
        """Queues a delivery to all that listen to such events."""
        for hook in self._hooks if hooks is None else hooks:
            if hook["active"] and kind in hook["types"]:
                self._queue(hook["id"], body)

    def _queue(self, hook_id: str, body: Mapping[str, Any]) -> None:
        with self._lock:
            if self._closing.is_set():
                return
            waiting = self._queues.get(hook_id)
            try:
                if waiting is None:
                    waiting = queue.Queue(WAITING)
                    thread = threading.Thread(
                        target=self._work, args=(hook_id, waiting), name="neuromem-webhook", daemon=True
                    )
                    thread.start()
                    self._queues[hook_id], self._threads[hook_id] = waiting, thread
                waiting.put_nowait(body)
            except (queue.Full, RuntimeError):  # RuntimeError: no more threads
                self.counts["dropped"] += 1

    def _work(self, hook_id: str, waiting: queue.Queue[Mapping[str, Any] | None]) -> None:
        """Sends what waits for a receiver, in order."""
        try:
            while not self._closing.is_set() or (time.monotonic() < self._until and not waiting.empty()):
                try:
                    body = waiting.get(timeout=IDLE_S)
                except queue.Empty:
                    with self._lock:
                        if waiting.empty():
                            del self._queues[hook_id], self._threads[hook_id]
                            return
                    continue
                if body is not None:
                    sent = self._sent(hook_id, body)
                    with self._lock:
                        self.counts["sent" if sent else "failed"] += 1
                del body  # or its words would be here until the next one comes
        finally:
            with self._lock:  # nothing is put where nobody takes it out
                left = sum(body is not None for body in waiting.queue)
                if left:
                    self.counts["dropped"] += left
                    _log.warning("webhook %s: %d deliveries dropped, as the server stops", hook_id, left)
                if self._queues.get(hook_id) is waiting:
                    del self._queues[hook_id], self._threads[hook_id]

    def _sent(self, hook_id: str, body: Mapping[str, Any]) -> bool:
        try:
            return self._deliver(hook_id, body)
        except Exception as error:  # of one delivery: those after it are sent
            _log.warning("webhook %s: a delivery failed (%s)", hook_id, type(error).__name__)
            return False

    def _deliver(self, hook_id: str, body: Mapping[str, Any]) -> bool:
        for pause in (*self._pauses, None):
            hook = next((hook for hook in self._hooks if hook["id"] == hook_id), None)
            if hook is None or not hook["active"]:
                return False
            try:
                status = self._post(hook_id, str(hook["url"]), json.dumps(body).encode())
            except (OSError, http.client.HTTPException) as error:
                problem = type(error).__name__
            else:
                if 200 <= status < 300:
                    return True
                problem = f"status {status}"
            if pause is None or self._closing.wait(pause):
                _log.warning("webhook %s got no delivery through (%s)", hook_id, problem)
                return False
        return False

    def _post(self, hook_id: str, url: str, body: bytes) -> int:
        """Sends once, following no redirect; the status of the answer."""
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        stamp = str(int(self._clock()))
        signed = hmac.digest(self._secret(hook_id), stamp.encode() + b"." + body, hashlib.sha256).hex()
        headers = {
            "Content-Type": "application/json",
            "X-Neuromem-Timestamp": stamp,
            "X-Neuromem-Signature": f"sha256={signed}",
        }
        connection = kind(_host(parts), parts.port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", _target(parts), body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def close(self, within_s: float = 0.0) -> None:
        """Sends no more. `within_s`: seconds for what waits; each of it is tried once."""
        until = time.monotonic() + within_s
        with self._lock:
            self._until = until
            self._closing.set()
            threads = list(self._threads.values())
            for waiting in self._queues.values():
                if not waiting.full():  # else its thread does not sleep
                    waiting.put_nowait(None)
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))


def _url(url: Any) -> str:
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        sound = parts is not None and parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        if parts is not None and sound:
            _host(parts), _target(parts)
    except ValueError:  # a port that is none, a host that no name server knows, half of a surrogate pair
        sound = False
    if not sound or any(char.isspace() or ord(char) < 32 for char in str(url)):
        raise InvalidInput(
            "url", f"{url!r:.100} is no web address", "give one such as https://example.com/hook"
        )
    return str(url)


def _host(parts: SplitResult) -> str:
    """The host as name servers know it. Raises UnicodeError: they cannot."""
    host = parts.hostname or ""
    return host if host.isascii() else host.encode("idna").decode()


def _target(parts: SplitResult) -> str:
    """Path and query as they are sent: in ASCII. Raises UnicodeError: they hold half of a surrogate pair."""
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return quote(target, safe=SENT_AS_IT_IS)


def _types(types: Any) -> list[str]:
    if isinstance(types, str) or not isinstance(types, Sequence) or not types:
        raise InvalidInput("event_types", "is no list of types", f"give some of {', '.join(TYPES)}")
    chosen = [str(item).lower().replace(":", "_") for item in types]
    unknown = [item for item in chosen if item not in TYPES]
    if unknown:
        raise InvalidInput("event_types", f"{unknown[0]!r} is not known", f"give some of {', '.join(TYPES)}")
    return chosen


def _shown(hook: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "webhook_id": hook["id"],
        "name": hook["name"],
        "url": hook["url"],
        "event_types": hook["types"],
        "project": hook["project"],
        "is_active": hook["active"],
        "created_at": iso(round(hook["created"] * 1_000)),
        "updated_at": iso(round(hook["updated"] * 1_000)),
    }
