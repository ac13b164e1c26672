"""`neuromem bench modem`: what bytes sent as sound survive, and how fast they go.

Each trial sends random bytes after a random silence through one impairment (`neuromem.sound.modem.channel`;
all then rounded to 16 bits) and counts every payload that did not come back bit for bit. *Net rate* is the
payload's bits over all the seconds of sound, pauses and preamble included, on a clean 48 kHz channel.

With `--classes` graded messages are sent, too (`modem_classes`): what each class costs and survives.

Beside it, where it is installed (`pip install ggwave`), ggwave sends 64 bytes (its most is 140) through
the same impairments.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NeuromemError
from ..owners import Progress
from ..sound.modem import MODES, demodulate, modulate
from ..sound.modem.channel import IMPAIRMENTS, impaired
from ..sound.modem.sending import resampled
from .common import emit, parser, progress
from .modem_classes import LEVELS_DB, classes, degradation

__all__ = ["main", "rates", "survival"]

RATE = 48_000
GGWAVE_BYTES = 64
GGWAVE_PROTOCOLS = {"ggwave, audible normal": 0, "ggwave, audible fastest": 2}
BAR_BITS = 2_000  # a second, net, of the default mode on a clean channel

Samples = NDArray[np.float32]
Link = tuple[Callable[[bytes], Samples], Callable[[Samples, int], bytes | None]]


def main(argv: list[str]) -> int:
    """Runs the bench; 1 when the default mode lost a payload or is slower than its bar."""
    arguments = parser("modem")
    arguments.add_argument("--trials", type=int, default=10, help="messages through each impairment")
    arguments.add_argument("--bytes", type=int, default=500, help="of a message, in trials")
    arguments.add_argument(
        "--modes", nargs="+", choices=list(MODES), default=["robust"], help="modes that are tried"
    )
    arguments.add_argument(
        "--classes", type=int, default=0, metavar="N", help="graded messages through each level of noise"
    )
    arguments.add_argument("--no-ggwave", action="store_true", help="leave the public library out")
    options = arguments.parse_args(argv)
    public = {} if options.no_ggwave else _ggwave()
    names = [name for name in IMPAIRMENTS if shutil.which("ffmpeg") or "128 kb/s" not in name]
    links: dict[str, tuple[Link, int]] = {mode: (_ours(mode), options.bytes) for mode in options.modes}
    links |= {name: (link, GGWAVE_BYTES) for name, link in public.items()}
    with progress("messages") as step:
        lost = survival(links, names, options.trials, options.seed, step)
    speeds = rates(4096, options.seed)
    report: dict[str, Any] = {
        "bench": "modem",
        "trials": options.trials,
        "bytes": options.bytes,
        "left_out": _left_out(names, public, options.no_ggwave),
        "net_rates": speeds + [_public_rate(name, link, options.seed) for name, link in public.items()],
        "payloads_lost": lost,
    }
    if options.classes:
        report["classes"] = classes(options.seed)
        for mode in LEVELS_DB:
            with progress(f"classes in {mode}") as step:
                report[f"classes_survive_{mode}"] = degradation(mode, options.classes, options.seed, step)
    emit(report, options.json)
    broken = any(row.get("robust", 0) for row in lost)
    slow = speeds[0]["net_bits_per_second"] < BAR_BITS
    return int(broken or slow)


def rates(size: int, seed: int) -> list[dict[str, Any]]:
    """Net rate of each mode on a clean channel, for a message of `size` bytes and for a full burst."""
    rng, out = np.random.default_rng(seed), []
    for name, mode in MODES.items():
        row: dict[str, Any] = {"mode": name, "highest_hz": mode.highest}
        for label, count in (("net_bits_per_second", size), ("full_burst_bits_per_second", mode.capacity)):
            payload = rng.bytes(count)
            sound = modulate(payload, name, RATE)
            started = time.perf_counter()
            exact = demodulate(sound, RATE).payload == payload
            row["times_real_time"] = round(len(sound) / RATE / (time.perf_counter() - started), 1)
            row[label] = round(8 * count * exact / (len(sound) / RATE))
        out.append(row)
    return out


def survival(
    links: dict[str, tuple[Link, int]], names: list[str], trials: int, seed: int, step: Progress
) -> list[dict[str, Any]]:
    """Payloads that did not come back bit for bit, of `trials`: a row for each impairment.

    Args:
        links: sender and receiver by name, with the bytes that they are given.
    """
    out, done = [], 0
    for name in names:
        row: dict[str, Any] = {"impairment": name}
        for link, ((send, hear), size) in links.items():
            row[link] = 0
            for trial in range(trials):
                rng = np.random.default_rng([seed, trial])
                payload = rng.bytes(size)
                silence = np.zeros(int(rng.integers(0, RATE // 2)), np.float32)
                heard, rate = impaired(name, np.concatenate([silence, send(payload)]), RATE, seed + trial)
                row[link] += hear(heard, rate) != payload
                done += 1
                step(done, trials * len(links) * len(names))
        out.append(row)
    return out


def _ours(mode: str) -> Link:
    def hear(audio: Samples, rate: int) -> bytes | None:
        try:
            return demodulate(audio, rate).payload
        except NeuromemError:
            return None

    return lambda payload: modulate(payload, mode, RATE), hear


def _ggwave() -> dict[str, Link]:
    try:
        library = import_module("ggwave")
    except ImportError:
        return {}
    library.disableLog()
    return {name: _public(library, number) for name, number in GGWAVE_PROTOCOLS.items()}


def _public(library: Any, protocol: int) -> Link:
    def send(payload: bytes) -> Samples:
        wave = np.frombuffer(library.encode(payload, protocolId=protocol, volume=50), np.float32)
        return np.concatenate([wave, np.zeros(RATE // 2, np.float32)])

    def hear(audio: Samples, rate: int) -> bytes | None:
        audio = resampled(audio, rate, RATE)
        instance = library.init()
        try:
            for at in range(0, len(audio) - 1023, 1024):
                got: bytes | None = library.decode(instance, audio[at : at + 1024].tobytes())
                if got is not None:
                    return got
        finally:
            library.free(instance)
        return None

    return send, hear


def _public_rate(name: str, link: Link, seed: int) -> dict[str, Any]:
    payload = np.random.default_rng(seed).bytes(GGWAVE_BYTES)
    sound = link[0](payload)
    exact = link[1](sound, RATE) == payload
    seconds = len(sound) / RATE - 0.5  # the silence that it is given to end in is not counted
    return {"mode": name, "net_bits_per_second": round(8 * GGWAVE_BYTES * exact / seconds)}


def _left_out(names: list[str], public: dict[str, Link], unwanted: bool) -> str:
    out = [] if len(names) == len(IMPAIRMENTS) else ["MP3 and Opus: ffmpeg is not on the path"]
    if not public:
        out.append("ggwave: " + ("not asked for" if unwanted else "not installed (pip install ggwave)"))
    return "; ".join(out) or "nothing"
