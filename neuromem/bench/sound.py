"""`neuromem bench sound`: what a sound archive survives, how fast it is, and how large.

*Corruption*: bursts of 128 to 8,192 bytes at random places, of random bytes or of zeros, until 15 % of the
audio's bytes are overwritten; the header is
left as it is. A trial is good if every payload byte comes back. *Speed*: chunks of 200 bytes. *Lookups* (by
id and by meaning): `sound_lookup.py`. *Sizes*, beside gzip, zstd, SQLite and PostgreSQL: `sound_sizes.py`.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..sound import SoundArchive
from ..sound.flac import HEADER_BYTES
from ..sound.profiles import PROFILES
from .common import emit, parser, percentiles, progress
from .generated import personal_facts
from .sound_lookup import by_id, by_meaning
from .sound_sizes import sizes

__all__ = ["main", "overwrite"]

CHUNK = 200  # bytes
PARTS = ["corruption", "speed", "lookups", "meaning", "sizes"]
BURSTS = (128, 256, 512, 1_024, 2_048, 4_096, 8_192)


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if fewer than 99.9 % of the trials recovered everything."""
    arguments = parser("sound")
    arguments.add_argument("--trials", type=int, default=100, help="of corruption (the claim: 1,000)")
    arguments.add_argument("--share", type=float, default=0.15, help="of the audio bytes overwritten")
    arguments.add_argument("--profile", default="durable", help="of the trials")
    arguments.add_argument("--payload", type=int, default=50_000, help="bytes in the file of a trial")
    arguments.add_argument("--chunks", type=int, default=20_000, help="of the measure of speed")
    arguments.add_argument("--records", type=int, default=100_000, help="found by id (the claim: 1,000,000)")
    arguments.add_argument("--keys", type=int, default=20_000, help="found by meaning (the claim: 100,000)")
    arguments.add_argument("--facts", type=int, default=20_000, help="of the sizes, where no turns are given")
    arguments.add_argument(
        "--turns", metavar="FILE", nargs="+", default=[], help="a turn a line, for the sizes"
    )
    arguments.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run")
    options = arguments.parse_args(argv)
    report: dict[str, Any] = {"bench": "sound"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Callable[[], Any]] = {
            "corruption": lambda: corruption(folder, options),
            "speed": lambda: speed(folder, options.chunks, options.seed),
            "lookups": lambda: by_id(folder, options.records, options.seed),
            "meaning": lambda: by_meaning(folder, options.keys, options.seed),
            "sizes": lambda: sizes(folder, options.turns, options.facts, options.seed),
        }
        for part in PARTS:
            if part in options.only:
                report[part] = parts[part]()
    emit(report, options.json)
    return int(report.get("corruption", {"recovered_share": 1})["recovered_share"] < 0.999)


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
