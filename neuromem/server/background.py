"""What a server does by itself: sleep, in small pieces, and tidying the desk.

An owner is put to sleep when something happened since the last time (with decay on, also once a day: what has
faded goes). Each piece is one owner with a small budget, and a pause follows: no request waits long.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from ..config import ServerConfig
from ..consolidate import Sleep
from ..errors import Closed, NeuromemError, StoreFull
from .events import Events
from .keys import Keys
from .service import Service
from .warming import warm

__all__ = ["Background"]

PIECE_S = 0.2  # of work on one owner
REST = 1.0  # pause after a piece, in lengths of that piece
TICK_S = 1.0
PARTS = ("owners", "merged", "refreshed", "forgotten", "left", "failed")
DAY_S = 86_400.0
KEEP_EVENTS_S, KEEP_ANSWERED_S = 30 * DAY_S, DAY_S
log = logging.getLogger("neuromem.server")


class Background:
    """The thread that sleeps and tidies."""

    def __init__(self, service: Service, events: Events, keys: Keys, config: ServerConfig) -> None:
        self.service, self.events, self.keys, self.config = service, events, keys, config
        self.counts: Counter[str] = Counter()  # of all sleeps: "merged", "refreshed", "forgotten", …
        self.on_sleep: list[Callable[[float], None]] = []  # called with the seconds that a sleep worked
        self._stop = threading.Event()
        self._asleep = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins."""
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Ends after the present piece."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        for work in self._works():
            try:
                work()
            except Closed:
                return
            except NeuromemError as error:  # a full disk, say: it is tried again
                log.warning("background work failed", extra={"data": {"error": type(error).__name__}})
            except Exception:  # of one round: the next may go better, and nobody else does this work
                log.exception("background work failed")

    def _works(self) -> Iterator[Callable[[], object]]:
        """What is to be done, when it is due, until it is stopped."""
        yield lambda: warm(self.service.memory, reading=True)
        slept = time.monotonic()
        while not self._stop.wait(TICK_S):
            yield self.events.flush
            if self.config.sleep_every_s and time.monotonic() - slept >= self.config.sleep_every_s:
                slept = time.monotonic()
                yield self.tidy
                yield self.sleep

    def tidy(self) -> None:
        """Drops old events, and writes down which keys were used."""
        self.keys.note_use()
        self.counts["events_dropped"] += self.events.clean(KEEP_EVENTS_S, KEEP_ANSWERED_S)

    def sleep(self) -> dict[str, int]:
        """Puts to sleep whoever is due, piece by piece; one such round at a time. "failed": who could not."""
        total: Counter[str] = Counter(dict.fromkeys(PARTS, 0))
        with self._asleep:
            now, worked = self.service.engine.clock(), 0.0
            for name in self.service.engine.log.owners():
                if self._stop.is_set():
                    break
                started = time.monotonic()
                if self._done(name, now, total):
                    spent = time.monotonic() - started
                    worked += spent
                    self._stop.wait(REST * spent)
        self.counts.update(total)
        self.counts["sleeps"] += 1
        for told in self.on_sleep:
            told(worked)
        log.info("slept", extra={"data": {"worked_ms": round(worked * 1_000, 1), **total}})
        return dict(total)

    def _done(self, name: str, now: float, total: Counter[str]) -> bool:
        """Puts an owner to sleep who is due; whether there was work. One who cannot keeps nobody awake."""
        try:
            if not self._due(name, now):
                return False
            total.update(self._piece(name, now))
        except (Closed, StoreFull):  # that concerns everybody
            raise
        except Exception:  # a damaged log, say
            total["failed"] += 1
            log.exception("an owner could not be put to sleep")
        return True

    def _piece(self, name: str, now: float) -> dict[str, int]:
        engine = self.service.engine
        done = Sleep(engine.owners, engine.commit, engine.config, now, PIECE_S).of([name])
        done.pop("held")
        return done

    def _due(self, name: str, now: float) -> bool:
        """Whether anything happened to an owner since their last sleep, or the last one is long ago."""
        records, length = self.service.engine.log, self.service.engine.log.length(name)
        if not length:
            return False
        last = records.get(name, length - 1)
        fades = self.service.engine.config.forgetting.decay != "none"
        return last.kind != "sleep" or (fades and now - last.time >= DAY_S)
