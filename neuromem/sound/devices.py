"""What the default loudspeaker of this machine can play: its sampling rate and its channels.

PortAudio (by sounddevice) names the device. It cannot be asked what the hardware does where something
resamples in between: ALSA's `default` and every sound server take any rate and 32 channels. Then the server
is asked (`pactl`, which PulseAudio and PipeWire both answer), or ALSA's hardware devices are.

PortAudio is asked by a process of its own: with a broken ALSA it aborts, which no handler catches, and
drivers may print or hang.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import MissingDependency, SoundError
from .needed import needed

__all__ = ["Output", "ask", "output", "parse", "tell"]

RATES = (192_000, 96_000, 48_000, 44_100, 22_050)  # Hz, tried from the highest
STRICT = ("ASIO", "Windows WDM-KS")  # interfaces of PortAudio that refuse what the hardware cannot do
HARDWARE = "(hw:"  # in an ALSA device's name: no resampler in between
PATIENCE_S = 3  # for the server's answer
PROBE_S = 20  # … for PortAudio's; a machine under load starts Python slowly
_SINK = re.compile(r"(?P<channels>\d+)ch (?P<rate>\d+)Hz")


@dataclass(frozen=True, slots=True)
class Output:
    """A loudspeaker."""

    name: str
    rate: int  # Hz, the highest that it plays without being resampled, as far as can be told
    channels: int

    def __str__(self) -> str:
        """In words."""
        return f"{self.name}: {self.rate / 1000:g} kHz, {self.channels} channel{'s'[: self.channels > 1]}"


def output() -> Output | str:
    """The default output device; why it is not known, where it is not."""
    command = [sys.executable, "-c", f"from {__name__} import tell; tell()"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_S, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        return f"no loudspeaker could be asked for ({error!s:.80})"
    return Output(**found) if isinstance(found, dict) else str(found)


def tell() -> None:
    """Prints what `ask` finds, as JSON."""
    found = ask()
    print(json.dumps(asdict(found) if isinstance(found, Output) else found))


def ask() -> Output | str:
    """As `output`, in this process."""
    try:
        device = needed("sounddevice", "asking for the loudspeaker")
    except MissingDependency:
        return "sounddevice is not installed"
    except SoundError as error:
        return str(error)
    try:
        found = device.query_devices(kind="output")
        interface = str(device.query_hostapis(found["hostapi"])["name"])
        name = str(found["name"])
        if interface in STRICT or HARDWARE in name:
            return _tried(device, found)
        if interface != "ALSA":
            return Output(name, round(found["default_samplerate"]), int(found["max_output_channels"]))
        return _of_server() or _of_hardware(device) or f"{name} of ALSA resamples, and does not say to what"
    except (device.PortAudioError, ValueError) as error:
        return f"no loudspeaker ({' '.join(str(error).split())})"


def _tried(device: Any, found: Any) -> Output:
    """A device that refuses what it cannot do: the highest rate that it takes."""
    rate = round(found["default_samplerate"])
    for higher in RATES:
        if higher <= rate:
            break
        try:
            device.check_output_settings(device=found["index"], samplerate=higher)
        except (device.PortAudioError, ValueError):
            continue  # the next lower one is tried
        rate = higher
        break
    return Output(str(found["name"]), rate, int(found["max_output_channels"]))


def _of_hardware(device: Any) -> Output | None:
    """The first of ALSA's hardware that plays."""
    every: Iterable[Any] = device.query_devices()
    plays = (one for one in every if HARDWARE in one["name"] and one["max_output_channels"])
    return next((_tried(device, one) for one in plays), None)


def _of_server() -> Output | None:
    """The default sink of PulseAudio or PipeWire; None where neither answers."""
    if shutil.which("pactl") is None:
        return None
    try:
        told = [_pactl("info"), _pactl("list", "short", "sinks")]
    except (OSError, subprocess.SubprocessError):
        return None  # no server here
    return parse(*told)


def parse(info: str, sinks: str) -> Output | None:
    """The default sink in what `pactl info` and `pactl list short sinks` print; None: there is none.

    A sink is a line "0, speaker, module, s16le 2ch 44100Hz, IDLE", tabs for the commas.
    """
    default = re.search(r"^Default Sink: (.+)$", info, re.MULTILINE)
    for line in sinks.splitlines():
        words = line.split("\t")
        spec = _SINK.search(words[3]) if len(words) > 3 else None
        if spec is not None and default is not None and words[1] == default[1].strip():
            return Output(words[1], int(spec["rate"]), int(spec["channels"]))
    return None


def _pactl(*words: str) -> str:
    env = os.environ | {"LC_ALL": "C"}  # its words are translated
    done = subprocess.run(
        ["pactl", *words], env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    return done.stdout
