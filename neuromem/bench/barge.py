"""`neuromem bench barge`: how soon the assistant is silent when the user speaks, on real sound devices.

A PulseAudio server of its own has two devices that sound to nobody: *speaker*, where the assistant plays, and
*room*, into which the user's recorded voice is played and at which the microphone listens. The voice loop
runs on them in a process of its own, through PortAudio; only its recognizer and its answer are fixed words.
Both devices are recorded. A stop is late by the time from the first sample of the user's voice in the room
to the last one of the assistant's at the speaker. With ``echo`` the room hears the speaker as well, at a
quarter of its level, and what is counted is utterances that nobody said.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import NeuromemError, NotFound
from ..voice.audio import RATE, Samples
from ..voice.speak import load_speaker
from .common import emit, parser, percentiles, progress

__all__ = ["PROGRAMS", "main", "measure", "pulse_server"]

PROGRAMS = ("pulseaudio", "pactl", "pacat", "parec", "flite")
ASKED, STOP = "What is my dog called?", "Stop, that is enough."
LOUD = 300  # a sample of a voice, not of its fading
SILENT_S = 0.45  # longer than a pause between two words or sentences
PATIENCE_S = 60.0  # for the loop's start, and for an answer to begin
ECHO = 0.25
SIDE = "neuromem.bench.barge_side"


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if a stop was later than 150 ms, or an echo was taken for the user."""
    options = parser("barge", f"Needs {', '.join(PROGRAMS)} and sounddevice.")
    options.add_argument("--times", type=int, default=20, help="interruptions")
    args = options.parse_args(argv)
    with progress("interrupting") as step:
        report = measure(args.times, args.seed, step)
    emit({"bench": "barge", **report}, args.json)
    return int(report["within_150_ms"] < args.times or report["echo_taken_for_user"] > 0)


def measure(times: int, seed: int = 0, step: Any = None) -> dict[str, Any]:
    """Both runs.

    Raises:
        NotFound: a program is not here. NeuromemError: the loop or the server does not start.
    """
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise NotFound(
            f"{', '.join(missing)} not found; install: apt install pulseaudio pulseaudio-utils flite"
        )
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="neuromem-barge-") as folder, _server(Path(folder)) as env:
        with _recorded("speaker", env) as speaker, _recorded("room", env) as room, _loop(env) as going:
            _play(env, ASKED)
            onsets = []
            for number in range(times):
                _until_sounding(speaker, going, time.perf_counter())
                time.sleep(rng.uniform(0.3, 1.2))
                onsets.append(time.perf_counter())
                _play(env, STOP)
                if step is not None:
                    step(number + 1, times)
            time.sleep(1.0)
        late = [_late(speaker, room, onset) * 1_000 for onset in onsets]
        heard = _echoes(env)
    return {
        "interruptions": times, "within_150_ms": sum(ms <= 150 for ms in late),
        "stop_ms": percentiles(late, 50, 95) | {"max": max(late)}, "echo_taken_for_user": heard - 1,
        "all_ms": [round(ms) for ms in late],
    }  # fmt: skip


def _echoes(env: dict[str, str]) -> int:
    """Utterances that the loop hears when one is said and the whole answer comes back from the speaker."""
    _pactl(env, "load-module", "module-loopback", "source=speaker.monitor", "sink=room", "latency_msec=30")
    streams = _pactl(env, "list", "short", "sink-inputs").split()
    _pactl(env, "set-sink-input-volume", streams[0], f"{ECHO:.0%}")
    with _recorded("speaker", env) as speaker, _loop(env) as going:
        _play(env, ASKED)
        _until_sounding(speaker, going, time.perf_counter())
        time.sleep(6.0)
        assert going.stdin is not None
        going.stdin.close()
        assert going.stdout is not None
        return int(json.loads(going.stdout.read())["turns"])


class _Recording:
    """What a device plays, as it comes; the time of each sample is that of the quickest delivery."""

    def __init__(self, device: str, env: dict[str, str]) -> None:
        command = ["parec", f"--device={device}.monitor", f"--rate={RATE}", "--channels=1", "--format=s16le",
                   "--latency-msec=10", "--raw"]  # fmt: skip
        self._program = subprocess.Popen(command, stdout=subprocess.PIPE, env=env)
        self._pieces: list[bytes] = []
        self._size, self.began = 0, float("inf")
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        source = self._program.stdout
        assert source is not None
        while piece := os.read(source.fileno(), 4_096):
            self._pieces.append(piece)
            self._size += len(piece) // 2
            self.began = min(self.began, time.perf_counter() - self._size / RATE)

    def loud(self) -> Any:
        """Places of the loud samples so far."""
        whole = b"".join(list(self._pieces))
        return np.flatnonzero(
            np.abs(np.frombuffer(whole[: len(whole) // 2 * 2], "<i2").astype(np.int32)) > LOUD
        )

    def close(self) -> None:
        """Ends it; what was recorded stays."""
        self._program.terminate()
        self._program.wait()
        self._thread.join()
        _end(self._program.stdout)


@contextmanager
def _recorded(device: str, env: dict[str, str]) -> Iterator[_Recording]:
    recording = _Recording(device, env)
    try:
        yield recording
    finally:
        recording.close()


def _late(speaker: _Recording, room: _Recording, near: float) -> float:
    """Seconds from the beginning of the user's voice to the assistant's last sound.

    Args:
        near: when the voice was about to be played.
    """
    times = room.loud() / RATE + room.began
    onset = float(times[times >= near][0])
    played = speaker.loud() / RATE + speaker.began
    after = played[played >= onset]
    if not after.size or after[0] - onset > SILENT_S:
        return max(0.0, float(played[played < onset][-1]) - onset) if (played < onset).any() else 0.0
    gaps = np.flatnonzero(np.diff(after) > SILENT_S)
    return float(after[gaps[0]] if gaps.size else after[-1]) - onset


def _until_sounding(speaker: _Recording, going: subprocess.Popen[bytes], since: float) -> None:
    """Waits until the assistant speaks, and has done so for a moment.

    Raises:
        NeuromemError: it does not, or has ended.
    """
    until = time.perf_counter() + PATIENCE_S
    while time.perf_counter() < until and going.poll() is None:
        loud = speaker.loud()
        if loud.size and loud[-1] / RATE + speaker.began > since + 0.2:
            return
        time.sleep(0.02)
    raise NeuromemError("the assistant does not answer; is sounddevice installed, and libportaudio2?")


def _play(env: dict[str, str], text: str) -> None:
    """The user speaks; returns when it has been played."""
    sound: Samples = np.concatenate(list(load_speaker("flite:slt").speak(text)))
    command = ["pacat", "--device=room", f"--rate={RATE}", "--channels=1", "--format=s16le", "--raw",
               "--latency-msec=20"]  # fmt: skip
    subprocess.run(command, input=sound.astype("<i2").tobytes(), env=env, check=True)


@contextmanager
def _loop(env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The voice loop on these devices, in a process of its own; ready when this begins."""
    going = subprocess.Popen(
        [sys.executable, "-m", SIDE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
    )
    try:
        assert going.stdout is not None
        if going.stdout.readline().strip() != b"ready":
            raise NeuromemError("the voice loop does not start on PulseAudio; its error is above")
        yield going
    finally:
        _end(going.stdin, going.stdout)
        going.kill()
        going.wait()


def _end(*pipes: IO[bytes] | None) -> None:
    for pipe in pipes:
        if pipe is not None:
            pipe.close()


@contextmanager
def _server(folder: Path) -> Iterator[dict[str, str]]:
    """A PulseAudio server with the two devices; gives the environment of programs that use it."""
    with pulse_server(folder, ("speaker", RATE, 1), ("room", RATE, 1)) as env:
        _pactl(env, "set-default-sink", "speaker")
        _pactl(env, "set-default-source", "room.monitor")
        yield env


@contextmanager
def pulse_server(folder: Path, *sinks: tuple[str, int, int]) -> Iterator[dict[str, str]]:
    """A PulseAudio server of its own; gives the environment of programs that use it.

    Args:
        folder: for its files. sinks: name, Hz and channels of each device; they sound to nobody.

    Raises:
        NeuromemError: it does not start.
    """
    socket, alsa = folder / "pulse", folder / "asound.conf"
    alsa.write_text("</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n")
    env = os.environ | {
        "PULSE_SERVER": f"unix:{socket}", "PULSE_RUNTIME_PATH": str(folder), "XDG_RUNTIME_DIR": str(folder),
        "HOME": str(folder), "ALSA_CONFIG_PATH": str(alsa),
    }  # fmt: skip
    command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"]
    command += ["-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
    for name, rate, channels in sinks:
        command += ["-L", f"module-null-sink sink_name={name} rate={rate} channels={channels}"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=env, stderr=log, stdout=log)
        try:
            until = time.monotonic() + PATIENCE_S
            while subprocess.run(["pactl", "info"], env=env, capture_output=True, check=False).returncode:
                if server.poll() is not None or time.monotonic() > until:
                    raise NeuromemError("PulseAudio does not start: " + (folder / "log").read_text()[-300:])
                time.sleep(0.05)
            yield env
        finally:
            server.terminate()
            server.wait()


def _pactl(env: dict[str, str], *words: str) -> str:
    return subprocess.run(["pactl", *words], env=env, check=True, capture_output=True, text=True).stdout
