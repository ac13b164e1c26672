"""`neuromem bench sound`: what a sound archive survives, how fast it is, and how large.

*Corruption*: bursts of 128 to 8,192 bytes at random places, of random bytes or of zeros, until 15 % of the
audio's bytes are overwritten; the header is
left as it is. A trial is good if every payload byte comes back. *Speed*: chunks of 200 bytes. *Sizes*: the
same words raw, as gzip, in SQLite, and as an archive of each profile.
"""

from __future__ import annotations

import gzip
import random
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from ..sound import SoundArchive
from ..sound.flac import HEADER_BYTES
from ..sound.profiles import PROFILES
from ..sound.records import Prefix
from .common import emit, parser, percentiles, progress
from .generated import personal_facts

__all__ = ["main", "overwrite"]

CHUNK = 200  # bytes
BURSTS = (128, 256, 512, 1_024, 2_048, 4_096, 8_192)


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if fewer than 99.9 % of the trials recovered everything."""
    arguments = parser("sound")
    arguments.add_argument("--trials", type=int, default=100, help="of corruption (the claim: 1,000)")
    arguments.add_argument("--share", type=float, default=0.15, help="of the audio bytes overwritten")
    arguments.add_argument("--profile", default="durable", help="of the trials")
    arguments.add_argument("--payload", type=int, default=50_000, help="bytes in the file of a trial")
    arguments.add_argument("--chunks", type=int, default=20_000, help="of the measure of speed")
    arguments.add_argument("--records", type=int, default=100_000, help="in the archive of cold gets")
    arguments.add_argument("--texts", metavar="FILE", help="one text per line, for the sizes")
    options = arguments.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trials = corruption(folder, options)
        report = {
            "bench": "sound", **trials, "speed": speed(folder, options.chunks, options.seed),
            "gets": gets(folder, options.records, options.seed), "sizes": sizes(folder, options),
        }  # fmt: skip
    emit(report, options.json)
    return int(trials["recovered_share"] < 0.999)


def overwrite(raw: bytearray, share: float, rng: random.Random) -> float:
    """Overwrites that share of the audio bytes in bursts; returns the share of bytes in their places."""
    total = len(raw) - HEADER_BYTES
    hit = bytearray(total)
    while (left := int(share * total) - sum(hit)) > 0:
        length = min(left, rng.choice(BURSTS), total)
        at = rng.randrange(total - length + 1)
        raw[HEADER_BYTES + at : HEADER_BYTES + at + length] = rng.choice(
            (rng.randbytes(length), bytes(length))
        )
        hit[at : at + length] = b"\1" * length
    return sum(hit) / total


def corruption(folder: Path, options: Any) -> dict[str, Any]:
    """Trials of damage; the file is healed from its packets each time."""
    path, rng = folder / "trial.flac", random.Random(options.seed)
    payload = rng.randbytes(options.payload)
    with SoundArchive(path, options.profile) as archive:
        archive.append(payload, id="payload")
        overhead = archive.profile.overhead
    whole, good, rebuilt, hurt, wrong = path.read_bytes(), 0, 0, 0, 0
    with progress("damaging") as step:
        for trial in range(options.trials):
            raw = bytearray(whole)
            overwrite(raw, options.share, rng)
            path.write_bytes(raw)
            try:
                with SoundArchive(path, readonly=True) as archive:
                    report = archive.verify()
                    rebuilt, hurt = rebuilt + report.rebuilt, hurt + report.packets_hurt
                    right = report.recovered and archive.get("payload").data == payload
                    wrong += report.recovered and not right
            except Exception as error:  # whatever it is, the trial is lost, and is counted as that
                right = False
                hurt += bool(error)
            good += right
            step(trial + 1, options.trials)
    return {
        "profile": options.profile, "trials": options.trials, "recovered": good, "wrong": wrong,
        "recovered_share": good / max(1, options.trials), "share_overwritten": options.share,
        "overhead_stated": overhead, "overhead_measured": (len(whole) - HEADER_BYTES) / options.payload,
        "packets_hurt_mean": hurt / max(1, options.trials), "rebuilt_mean": rebuilt / max(1, options.trials),
    }  # fmt: skip


def speed(folder: Path, count: int, seed: int) -> list[dict[str, Any]]:
    """Chunks a second, append and flush together, and single appends."""
    rng, out = random.Random(seed), []
    texts = [fact.text for fact in personal_facts(2_000, seed)]
    chunks = [" ".join(rng.choices(texts, k=8)).encode()[:CHUNK] for _ in range(count)]
    for profile in PROFILES:
        with SoundArchive(folder / f"speed-{profile}.flac", profile) as archive:
            started = time.perf_counter()
            archive.append_many((chunk, f"c{at}", None, None) for at, chunk in enumerate(chunks))
            archive.flush()
            batch = time.perf_counter() - started
            thousand, single = [], []
            for turn in range(5):
                started = time.perf_counter()
                archive.append_many((c, f"t{turn}-{at}", None, None) for at, c in enumerate(chunks[:1_000]))
                archive.flush()
                thousand.append((time.perf_counter() - started) * 1_000)
            for at, chunk in enumerate(chunks[:1_000]):
                started = time.perf_counter()
                archive.append(chunk, f"s{at}")
                single.append((time.perf_counter() - started) * 1_000)
            out.append({
                "profile": profile, "chunks_per_s": count / batch, "thousand_ms": sorted(thousand)[2],
                **{f"single_ms_{name}": value for name, value in percentiles(single, 50, 99).items()},
            })  # fmt: skip
    return out


def gets(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """Opening an archive and getting one record, nothing cached by us; and the same record again."""
    path, rng = folder / "gets.flac", random.Random(seed)
    texts = [fact.text for fact in personal_facts(2_000, seed)]
    with SoundArchive(path, "desktop") as archive:
        archive.append_many((f"{texts[at % 2_000]} ({at})", f"r{at}", float(at), None) for at in range(count))
    cold, seek, cached = [], [], []
    for _ in range(200):
        wanted = f"r{rng.randrange(count)}"
        started = time.perf_counter()
        with SoundArchive(path, readonly=True) as archive:
            archive.get(wanted)
            cold.append((time.perf_counter() - started) * 1_000)
            started = time.perf_counter()
            archive.get(wanted)
            cached.append((time.perf_counter() - started) * 1_000)
            started = time.perf_counter()
            archive.get(f"r{rng.randrange(count)}")
            seek.append((time.perf_counter() - started) * 1_000)
    return {
        "records": count, "file_bytes": path.stat().st_size,
        **{f"open_and_get_ms_{name}": value for name, value in percentiles(cold, 50, 99).items()},
        **{f"other_get_ms_{name}": value for name, value in percentiles(seek, 50, 99).items()},
        **{f"cached_get_ms_{name}": value for name, value in percentiles(cached, 50, 99).items()},
    }  # fmt: skip


def sizes(folder: Path, options: Any) -> list[dict[str, Any]]:
    """The same words, stored in several ways."""
    if options.texts:
        texts = Path(options.texts).read_text("utf-8").splitlines()
    else:
        texts = [fact.text for fact in personal_facts(20_000, options.seed)]
    raw = sum(len(text.encode()) + 1 for text in texts)
    rows = [("raw text", raw), ("gzip, whole", len(gzip.compress("\n".join(texts).encode())))]
    database = sqlite3.connect(folder / "a.db")
    database.execute("create table turns (id integer primary key, time real, text text)")
    database.executemany(
        "insert into turns values (?, ?, ?)", ((n, float(n), t) for n, t in enumerate(texts))
    )
    database.commit()
    database.close()
    rows.append(("sqlite", (folder / "a.db").stat().st_size))
    out = [{"what": what, "bytes": size, "of_raw": size / raw} for what, size in rows]
    for profile in PROFILES:
        path = folder / f"size-{profile}.flac"
        with SoundArchive(path, profile) as archive:
            archive.append_many((text, str(at), float(at), None) for at, text in enumerate(texts))
        with SoundArchive(path, readonly=True) as archive:
            content, stated = sum(s.prefix.length for s in archive.segments), archive.profile.overhead
            blocks = sum(int(s.blocks["length"].sum()) + Prefix.SIZE for s in archive.segments)
        size = path.stat().st_size
        out.append({
            "what": f"archive, {profile}", "bytes": size, "of_raw": size / raw,
            "overhead_stated": stated, "of_content_with_overhead": size / (content * stated),
            "of_zstd_payload_with_overhead": size / (blocks * stated),
        })  # fmt: skip
    return out
