"""How fast records are found in a large sound archive: part of `neuromem bench sound`.

The archive has versions of 100,000 records, each with a random UUID for its id (the harder case: numbered
ids need no filter). *Cold*: the file's pages are dropped from the system's cache, and our own holds no block.
Beside the time that passed there is that of the processor, which tells a busy machine from slow code.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from ..errors import NotFound
from ..sound import SoundArchive
from ..sound.items import unit
from .common import percentiles
from .generated import personal_facts

__all__ = ["by_id", "by_meaning"]

VERSION = 100_000  # records of a version
WIDTH, TOPICS = 384, 2_000  # of the keys: numbers, and how many things they are about
TIMES = 300  # lookups of each kind


def by_id(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """Getting records by id: opening and getting, cold by seek, again, and ids that are not there."""
    path, rng = folder / "by-id.flac", random.Random(seed)
    texts = [fact.text for fact in personal_facts(2_000, seed)]
    ids = [str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(count)]
    with SoundArchive(path, "desktop") as archive:
        for start in range(0, count, VERSION):
            rows = enumerate(ids[start : start + VERSION], start)
            archive.append_many((f"{texts[at % 2_000]} ({at})", id_, float(at), None) for at, id_ in rows)
            archive.flush()
    watch = _Watch()
    for turn in range(TIMES):
        wanted, other = rng.choice(ids), rng.choice(ids)
        _forget(path)
        archive = watch("open_and_get", _opened, path, wanted)
        watch("cached_get", archive.get, wanted)
        _forget(path)
        watch("cold_get", archive.get, other)
        watch("absent_id", _miss, archive, turn)
        begin = rng.randrange(count)
        watch("time_range", archive.between, begin, begin + 10)
        archive.close()
    return {"records": count, "file_bytes": path.stat().st_size, **watch.table()}


class _Watch:
    """Times calls, by name."""

    def __init__(self) -> None:
        self._spent: dict[str, list[tuple[float, float]]] = {}

    def __call__(self, name: str, call: Callable[..., Any], *args: Any) -> Any:
        started, worked = time.perf_counter(), time.process_time()
        found = call(*args)
        spent = (time.perf_counter() - started) * 1_000, (time.process_time() - worked) * 1_000
        self._spent.setdefault(name, []).append(spent)
        return found

    def table(self) -> dict[str, float]:
        """Percentiles in milliseconds."""
        out = dict[str, float]()
        for name, spent in self._spent.items():
            passed, worked = zip(*spent, strict=True)
            out |= {f"{name}_ms_{point}": value for point, value in percentiles(passed, 50, 99).items()}
            out[f"{name}_cpu_ms_p50"] = percentiles(worked, 50)["p50"]
        return out


def _opened(path: Path, wanted: str) -> SoundArchive:
    archive = SoundArchive(path, readonly=True)
    archive.get(wanted)
    return archive


def by_meaning(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """Searching keys: how fast, and how many of the exact ten nearest are found."""
    path, rng = folder / "by-meaning.flac", np.random.default_rng(seed)
    topics = rng.standard_normal((TOPICS, WIDTH)).astype(np.float32)

    def near_topics(many: int) -> Any:
        noise = rng.standard_normal((many, WIDTH)).astype(np.float32)
        return topics[rng.integers(0, TOPICS, many)] + 0.7 * noise

    keys = near_topics(count)
    with SoundArchive(path, "desktop") as archive:
        archive.append_many((f"Fact {at}", f"r{at}", float(at), key) for at, key in enumerate(keys))
    keys /= np.linalg.norm(keys, axis=1, keepdims=True)
    queries, watch = near_topics(TIMES), _Watch()
    _forget(path)
    with SoundArchive(path, readonly=True) as archive:
        watch("open_and_first_query", archive.search, queries[0], 10)
        found = [watch("query", archive.search, query, 10) for query in queries]
    right = 0
    for query, items in zip(queries, found, strict=True):
        exact = np.argsort(-(keys @ unit(query)))[:10]
        right += len({f"r{at}" for at in exact} & {item.entry.id for item in items})
    return {
        "records": count, "numbers_of_a_key": WIDTH, "file_bytes": path.stat().st_size, **watch.table(),
        "recall_at_10": right / (10 * TIMES),
    }  # fmt: skip


def _miss(archive: SoundArchive, turn: int) -> None:
    try:
        archive.get(str(UUID(int=turn, version=4)))
    except NotFound:
        return
    raise AssertionError("an id that is not there was found")


def _forget(path: Path) -> None:
    """Drops the file from the system's cache, where the system can be asked to."""
    if hasattr(os, "posix_fadvise"):
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
