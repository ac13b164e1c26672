"""What happens to sound on its way, for tests and the bench: each impairment a function of samples.

All take samples of shape (n,) at `rate` samples a second and give back samples and their rate; what is
random comes from a seed. MP3 and Opus go through ffmpeg, a process of its own.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidInput, NotFound, SoundError
from ..needed import needed
from .sending import resampled
from .sync import read_at

__all__ = [
    "IMPAIRMENTS", "Heard", "bandlimited", "drifted", "echoed", "impaired", "noisy", "sampled",
    "through_codec",
]  # fmt: skip

Samples: TypeAlias = NDArray[np.float32]
Heard: TypeAlias = tuple[Samples, int]

CODECS = {"mp3": ("libmp3lame", "mp3"), "opus": ("libopus", "ogg")}
KILOBITS = 128  # a second, of either
TIMEOUT_S = 120


def sampled(audio: Samples, rate: int, at: int) -> Heard:
    """Resampled, and read at the new rate."""
    return resampled(audio, rate, at), at


def bandlimited(audio: Samples, rate: int, hz: float) -> Heard:
    """Low-passed (Butterworth of order 8, forth only) at `hz`."""
    signal = needed("scipy.signal", "the modem")
    sections = signal.butter(8, hz, fs=rate, output="sos")
    return np.asarray(signal.sosfilt(sections, audio), np.float32), rate


def noisy(audio: Samples, rate: int, snr_db: float, seed: int) -> Heard:
    """White Gaussian noise over the whole spectrum, `snr_db` under the sound's mean power."""
    rng = np.random.default_rng(seed)
    level = np.sqrt(np.mean(audio.astype(np.float64) ** 2)) * 10 ** (-snr_db / 20)
    return (audio + level * rng.standard_normal(len(audio))).astype(np.float32), rate


def echoed(audio: Samples, rate: int, rt60_s: float, seed: int) -> Heard:
    """A room: the direct sound, then noise of the same energy that falls by 60 dB in `rt60_s`.

    This is Moorer's model of diffuse reverberation (Computer Music Journal 3(2), 1979).
    """
    rng = np.random.default_rng(seed)
    count = round(rt60_s * rate)
    tail = rng.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    tail[: round(0.002 * rate)] = 0  # the nearest wall is a third of a metre away
    tail *= 1 / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    wave = needed("scipy.signal", "the modem").oaconvolve(audio, tail)
    return np.asarray(wave / np.sqrt(2), np.float32), rate


def drifted(audio: Samples, rate: int, ppm: float) -> Heard:
    """Played by a clock that runs `ppm` slow against the one that records."""
    step = 1 / (1 + ppm * 1e-6)
    return read_at(audio, 0.0, step, int(len(audio) / step)), rate


def through_codec(audio: Samples, rate: int, codec: str) -> Heard:
    """Encoded at `KILOBITS` a second and decoded again by ffmpeg.

    Args:
        codec: "mp3" or "opus".

    Raises:
        InvalidInput: another codec. NotFound: no ffmpeg on the path. SoundError: it failed.
    """
    if codec not in CODECS:
        raise InvalidInput("codec", f"{codec!r} is not known", f"choose one of {', '.join(CODECS)}")
    if shutil.which("ffmpeg") is None:
        raise NotFound(f"no ffmpeg on the path, which {codec} needs; install it with your system's packages")
    encoder, container = CODECS[codec]
    raw = ("-f", "f32le", "-ar", str(rate), "-ac", "1")
    data = audio.astype("<f4").tobytes()
    coded = _ffmpeg(data, *raw, "-i", "-", "-c:a", encoder, "-b:a", f"{KILOBITS}k", "-f", container, "-")
    return np.frombuffer(_ffmpeg(coded, "-i", "-", *raw, "-"), "<f4").astype(np.float32), rate


def _ffmpeg(data: bytes, *words: str) -> bytes:
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", *words]
    done = subprocess.run(command, input=data, capture_output=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise SoundError(f"ffmpeg failed: {done.stderr.decode(errors='replace').strip()[:300]}")
    return done.stdout


# name -> what does it, of samples, rate and seed
IMPAIRMENTS: dict[str, Callable[[Samples, int, int], Heard]] = {
    "clean": lambda audio, rate, _: (audio, rate),
    "resampled to 44.1 kHz": lambda audio, rate, _: sampled(audio, rate, 44_100),
    "low-passed at 8 kHz": lambda audio, rate, _: bandlimited(audio, rate, 8_000),
    "sampled at 8 kHz": lambda audio, rate, _: sampled(audio, rate, 8_000),
    "MP3 at 128 kb/s": lambda audio, rate, _: through_codec(audio, rate, "mp3"),
    "Opus at 128 kb/s": lambda audio, rate, _: through_codec(audio, rate, "opus"),
    "noise, SNR 20 dB": lambda audio, rate, seed: noisy(audio, rate, 20, seed),
    "noise, SNR 15 dB": lambda audio, rate, seed: noisy(audio, rate, 15, seed),
    "echo, RT60 0.3 s": lambda audio, rate, seed: echoed(audio, rate, 0.3, seed),
    "clock drift +100 ppm": lambda audio, rate, _: drifted(audio, rate, 100),
    "clock drift -100 ppm": lambda audio, rate, _: drifted(audio, rate, -100),
    "all: echo, noise 20 dB, drift, 44.1 kHz": lambda audio, rate, seed: _all(audio, rate, seed),
}


def impaired(name: str, audio: Samples, rate: int, seed: int) -> Heard:
    """One of `IMPAIRMENTS`, then stored as 16-bit samples, as recordings are.

    Raises:
        InvalidInput: there is none of that name.
    """
    if name not in IMPAIRMENTS:
        raise InvalidInput("impairment", f"{name!r} is not known", f"choose one of {', '.join(IMPAIRMENTS)}")
    heard, at = IMPAIRMENTS[name](audio, rate, seed)
    return (np.rint(np.clip(heard, -1, 1) * 32767) / 32767).astype(np.float32), at


def _all(audio: Samples, rate: int, seed: int) -> Heard:
    audio, rate = echoed(audio, rate, 0.3, seed)
    audio, rate = noisy(*drifted(audio, rate, 100), 20, seed)
    return sampled(audio, rate, 44_100)
