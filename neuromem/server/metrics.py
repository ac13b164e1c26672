"""What a server counts and times, for Prometheus. Nothing here is told apart by user.

Each app has a registry of its own. What can be asked for (banks, queues, jobs) is looked at when it is asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..owners import OpenOwner
from .limits import Gate

if TYPE_CHECKING:
    from .background import Background
    from .jobs import Jobs
    from .service import Service
    from .turns import Turns
    from .webhooks import Webhooks

__all__ = ["Metrics", "observe_stages"]

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STAGE_BUCKETS = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
SLEEP_BUCKETS = (0.01, 0.1, 1, 10, 60, 600)
STRENGTHS = (0.1, 0.35, 0.6, 0.9)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class Metrics:
    """The numbers of one app."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # CPU seconds and memory, where /proc has them
        self.requests = Counter(
            "neuromem_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "neuromem_request_seconds", "Time to answer.", ["route"], buckets=BUCKETS, registry=self.registry
        )
        self.stages = Histogram(
            "neuromem_stage_seconds", "Time of a stage: encode, recall, write, commit.", ["stage"],
            buckets=STAGE_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.sleeps = Histogram(
            "neuromem_sleep_seconds", "Work of a sleep of the whole store.", buckets=SLEEP_BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self.archive_records = Counter(
            "neuromem_archive_records", "Records of sound archives: encoded, found.", ["op"],
            registry=self.registry,
        )  # fmt: skip
        self.archive_bytes = Counter(
            "neuromem_archive_bytes", "Bytes of sound archives sent.", registry=self.registry
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts one request."""
        method = method if method in METHODS else "other"  # a caller must not make names without end
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def watch(
        self, service: Service, jobs: Jobs, background: Background, turns: Turns, webhooks: Webhooks
    ) -> None:
        """Looks at these whenever it is asked."""
        self.registry.register(_State(service, jobs, background, turns, webhooks))
        background.on_sleep.append(self.sleeps.observe)
        observe_stages(service, lambda stage, seconds: self.stages.labels(stage).observe(seconds))

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)


def observe_stages(service: Service, note: Callable[[str, float], None]) -> None:
    """Times the stages of a service: wraps these methods of these objects, and of no others."""
    for owner, name, stage in (
        (service.engine.keys, "whole", "encode"),
        (service, "search", "recall"),
        (service.combiner, "add", "write"),
        (service.engine.log, "append_many", "commit"),
    ):
        setattr(owner, name, _timed(getattr(owner, name), stage, note))


def _timed(call: Callable[..., Any], stage: str, note: Callable[[str, float], None]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return call(*args, **kwargs)
        finally:
            note(stage, time.perf_counter() - started)

    return timed


class _State(Collector):
    """What is looked at when it is asked for; of banks, only those that are open."""

    def __init__(
        self, service: Service, jobs: Jobs, background: Background, turns: Turns, webhooks: Webhooks
    ) -> None:
        self.service, self.jobs, self.background, self.turns = service, jobs, background, turns
        self.webhooks = webhooks
        self._lock = threading.Lock()
        self._banks: WeakKeyDictionary[OpenOwner, tuple[int, int, list[int]]] = WeakKeyDictionary()

    def describe(self) -> Iterable[Metric]:
        """None of it is looked at to be registered."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The numbers of this moment."""
        yield GaugeMetricFamily(
            "neuromem_queue_depth", "Requests under way or waiting.", self.turns.gate.inside
        )
        waiting = GaugeMetricFamily("neuromem_waiting", "Requests that wait for their turn.", labels=["lane"])
        for name, lane in self.turns.lanes.items():
            waiting.add_metric([name], lane.waiting)
        yield waiting
        yield GaugeMetricFamily("neuromem_jobs_waiting", "Background jobs to be done.", self.jobs.waiting)
        yield _counts("neuromem_jobs", "Background jobs that ended.", "status", self.jobs.counts)
        sent = self.webhooks.counts
        yield _counts("neuromem_webhooks", "Deliveries to webhooks that ended.", "status", sent)
        slept = self.background.counts
        yield _counts("neuromem_sleep_events", "What sleeps did.", "event", slept)
        told = self.service.combiner.counts
        yield CounterMetricFamily("neuromem_adds", "Calls that told something.", told["items"])
        yield CounterMetricFamily("neuromem_write_loops", "Write loops that told them.", told["calls"])
        extracted = self.service.memory.stats()["extraction"]
        yield _counts("neuromem_extraction", "Reading of talk by a model.", "event", extracted)
        yield from self._of_banks()

    def _of_banks(self) -> Iterable[Metric]:
        owners = self.service.engine.owners
        open_ = owners.open_now()
        yield GaugeMetricFamily(
            "neuromem_owners", "Owners in the log.", len(self.service.engine.log.owners())
        )
        yield GaugeMetricFamily("neuromem_owners_open", "Owners whose banks are in RAM.", len(open_))
        with self._lock:
            looks = [self._look(owner) for owner in open_]
        yield GaugeMetricFamily("neuromem_slots", "Slots of open banks.", sum(look[0] for look in looks))
        yield GaugeMetricFamily(
            "neuromem_memories", "Memories in open banks.", sum(look[1] for look in looks)
        )
        strengths = GaugeMetricFamily(
            "neuromem_memories_by_strength", "Memories in open banks, by strength.", labels=["at_most"]
        )
        for place, bound in enumerate((*STRENGTHS, 1.0)):
            strengths.add_metric([f"{bound:g}"], sum(look[2][place] for look in looks))
        yield strengths

    def _look(self, owner: OpenOwner) -> tuple[int, int, list[int]]:
        """(slots, memories, memories by strength) of a bank; of one that is in use, as they were last."""
        none = (0, 0, [0] * (len(STRENGTHS) + 1))
        if not owner.lock.acquire(blocking=False):
            return self._banks.get(owner, none)
        try:
            bank = owner.bank
            rows = (bank.used & (bank.part == 0)).nonzero().flatten()
            strength = bank.strength(rows, self.service.engine.now_ms()).tolist()
            places = [sum(value > bound for bound in STRENGTHS) for value in strength]
            look = len(bank), len(rows), [places.count(place) for place in range(len(STRENGTHS) + 1)]
        finally:
            owner.lock.release()
        self._banks[owner] = look
        return look


def _counts(name: str, what: str, label: str, counts: Any) -> Metric:
    family = CounterMetricFamily(name, what, labels=[label])
    for key, value in dict(counts).items():
        family.add_metric([str(key)], value)
    return family
