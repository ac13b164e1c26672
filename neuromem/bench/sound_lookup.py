"""How fast records are found in a large sound archive: part of `neuromem bench sound`.

The archive has versions of 100,000 records, each with a random UUID for its id (the harder case: numbered
ids need no filter). *Cold*: the file's pages are dropped from the system's cache, and our own is empty.
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
    opened, cold, cached, absent, between = [], [], [], [], []
    for turn in range(TIMES):
        wanted, other = rng.choice(ids), rng.choice(ids)
        _forget(path)
        started = time.perf_counter()
        with SoundArchive(path, readonly=True) as archive:
            archive.get(wanted)
            opened.append((time.perf_counter() - started) * 1_000)
            cached.append(_ms(lambda archive=archive, id_=wanted: archive.get(id_)))
            _forget(path)
            cold.append(_ms(lambda archive=archive, id_=other: archive.get(id_)))
            absent.append(_ms(lambda archive=archive, turn=turn: _miss(archive, turn)))
            begin = rng.randrange(count)
            between.append(_ms(lambda archive=archive, at=begin: archive.between(at, at + 10)))
    timed = {
        "open_and_get": opened, "cold_get": cold, "cached_get": cached, "absent_id": absent,
        "time_range": between,
    }  # fmt: skip
    return {
        "records": count, "file_bytes": path.stat().st_size, **_table(timed),
    }  # fmt: skip


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
    queries, spent, right = near_topics(TIMES), [], 0
    _forget(path)
    with SoundArchive(path, readonly=True) as archive:
        started = time.perf_counter()
        archive.search(queries[0], 10)
        first = (time.perf_counter() - started) * 1_000
        for query in queries:
            started = time.perf_counter()
            found = archive.search(query, 10)
            spent.append((time.perf_counter() - started) * 1_000)
            exact = np.argsort(-(keys @ unit(query)))[:10]
            right += len({f"r{at}" for at in exact} & {item.entry.id for item in found})
    return {
        "records": count, "numbers_of_a_key": WIDTH, "file_bytes": path.stat().st_size,
        "open_and_first_query_ms": first, **_table({"query": spent}), "recall_at_10": right / (10 * TIMES),
    }  # fmt: skip


def _table(timed: dict[str, list[float]]) -> dict[str, float]:
    points = {name: percentiles(values, 50, 99) for name, values in timed.items()}
    return {f"{name}_ms_{point}": value for name, found in points.items() for point, value in found.items()}


def _ms(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1_000


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
