"""How large a log of turns is, stored in several ways: part of `neuromem bench sound`.

Every store holds the same for each turn: an id, a time (irregular, to the millisecond) and the words, found
by id. What an archive is measured against (`zstd payload`): ids, times and words of all turns in columns, as
one stream of zstd of the same level; times the redundancy that the profile states. PostgreSQL is run from
its own programs (apt's postgresql, or the wheel pgserver) and left out where there are none.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..sound import SoundArchive
from ..sound.columns import ids_out, ints_out, times_out
from ..sound.content import FAST
from ..sound.profiles import PROFILES
from .common import read_texts
from .generated import personal_facts

__all__ = ["sizes"]

WIDTH = 384  # numbers of a key, in the row with a semantic index
PAUSE_S = 30.0  # between two turns, on average
PROGRAMS = ("initdb", "pg_ctl", "psql")
BEGIN = 1_700_000_000.0

Turn = tuple[str, float, str]  # id, Unix seconds, words


def sizes(folder: Path, files: list[str], count: int, seed: int) -> list[dict[str, Any]]:
    """A row for each way of storing: bytes, per turn, of the raw words, of the zstd payload with redundancy.

    Args:
        files: texts, a turn a line; none: `count` invented facts.
    """
    texts = [text for file in files for text in read_texts(file)]
    if not texts:
        texts = [fact.text for fact in personal_facts(count, seed)]
    rng, time, turns = random.Random(seed), BEGIN, list[Turn]()
    for at, text in enumerate(texts):
        time = round(time + rng.expovariate(1 / PAUSE_S), 3)
        turns.append((f"t{at}", time, text))
    lines = "".join(f"{id_}\t{time}\t{text}\n" for id_, time, text in turns).encode()
    words = "".join(f"{text}\n" for text in texts).encode()
    rows: list[tuple[str, int | str]] = [
        ("words, raw", len(words)), ("words, gzip", len(gzip.compress(words))),
        ("words, zstd", len(_zstd(words))), ("all, raw lines", len(lines)),
        ("all, gzip", len(gzip.compress(lines))), ("all, zstd", len(_zstd(lines))),
        ("zstd payload", _payload(turns)), ("SQLite", _sqlite(folder / "a.db", turns)),
        ("PostgreSQL", _postgres(turns)),
    ]  # fmt: skip
    out = [_row(what, size, len(words), len(turns)) for what, size in rows]
    return out + _archives(folder, turns, len(words))


def _row(what: str, size: int | str, raw: int, count: int) -> dict[str, Any]:
    if isinstance(size, str):
        return {"what": what, "bytes": size}
    return {"what": what, "bytes": size, "bytes_a_turn": size / count, "of_raw_words": size / raw}


def _zstd(raw: bytes) -> bytes:
    import zstandard

    out: bytes = zstandard.ZstdCompressor(FAST).compress(raw)
    return out


def _payload(turns: list[Turn]) -> int:
    data = [text.encode() for _, _, text in turns]
    head = ids_out([id_ for id_, _, _ in turns]) + times_out([time for _, time, _ in turns])
    return len(_zstd(head + ints_out([len(each) for each in data]) + b"".join(data)))


def _archives(folder: Path, turns: list[Turn], raw: int) -> list[dict[str, Any]]:
    payload, out = _payload(turns), []
    keys = np.random.default_rng(0).standard_normal((len(turns), WIDTH)).astype(np.float32)
    for name, keyed, merged in (
        *((name, False, False) for name in PROFILES), ("desktop", False, True), ("desktop", True, False),
    ):  # fmt: skip
        path = folder / f"size-{name}-{keyed}-{merged}.flac"
        with SoundArchive(path, name) as archive:
            archive.append_many(
                (text, id_, time, keys[at] if keyed else None) for at, (id_, time, text) in enumerate(turns)
            )
            if merged:
                archive.merge()
        with SoundArchive(path, readonly=True) as archive:
            stated, index = archive.profile.overhead, _index(archive)
        what = f"archive, {name}" + (", merged" if merged else "") + (f", keys of {WIDTH}" if keyed else "")
        size = path.stat().st_size
        known = (payload + (keys.size if keyed else 0)) * stated
        out.append(_row(what, size, raw, len(turns)) | {
            "redundancy_stated": stated, "index_bytes": index, "of_payload_with_redundancy": size / known,
        })  # fmt: skip
    return out


def _index(archive: SoundArchive) -> int:
    """Bytes of all that is not records, before redundancy."""
    records = sum(int(segment.table.offsets[-1]) for segment in archive.segments)
    return sum(segment.prefix.length for segment in archive.segments) - records


def _sqlite(path: Path, turns: list[Turn]) -> int:
    database = sqlite3.connect(path)
    database.execute("create table turns (id text primary key, time real, words text) without rowid")
    database.executemany("insert into turns values (?, ?, ?)", turns)
    database.commit()
    database.execute("vacuum")
    database.close()
    return path.stat().st_size


def _programs() -> Path | None:
    """The folder of PostgreSQL's programs."""
    found = shutil.which("initdb")
    places = [Path(found).parent, Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = find_spec("pgserver")
    if wheel is not None and wheel.origin:
        places.append(Path(wheel.origin).parent / "pginstall" / "bin")
    return next((at for at in places if all((at / program).exists() for program in PROGRAMS)), None)


def _postgres(turns: list[Turn]) -> int | str:
    """Bytes of the table with its primary key, or why it was left out."""
    programs = _programs()
    if programs is None:
        return "left out: no PostgreSQL here (apt install postgresql)"
    who: dict[str, Any] = {"user": "postgres"} if os.name == "posix" and os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            return _in_postgres(programs, folder, turns, who)
        except (subprocess.CalledProcessError, OSError, LookupError) as error:
            said = getattr(error, "stderr", None) or str(error)
            return f"left out: PostgreSQL did not run ({said.strip().splitlines()[-1][:80]})"


def _in_postgres(programs: Path, folder: Path, turns: list[Turn], who: dict[str, Any]) -> int:
    with (folder / "turns.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(turns)
    if who:
        for path in (folder, folder / "turns.csv"):
            shutil.chown(path, who["user"])
    data, socket = folder / "data", f"-k {folder} -c listen_addresses="

    def run(program: str, *args: str) -> str:
        command = [str(programs / program), *args]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=folder, env={"LC_ALL": "C.UTF-8"}, **who
        )
        said: str = done.stdout
        return said

    run("initdb", "-D", str(data), "-A", "trust", "-U", "bench", "-E", "UTF8", "--locale=C")
    run("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-o", socket, "-w", "start")
    try:
        columns = "id text primary key, time double precision, words text"
        copied = run(
            "psql", "-h", str(folder), "-U", "bench", "-d", "postgres", "-q", "-t", "-A",
            "-c", f"create table turns ({columns})", "-c", "\\copy turns from turns.csv csv",
            "-c", "vacuum full turns", "-c", "select pg_total_relation_size('turns')",
        )  # fmt: skip
        return int(copied.split()[-1])
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
