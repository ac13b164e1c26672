"""Where a burst begins, how fast its clock runs, and what the channel did to each carrier."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..needed import needed
from .carriers import chirp
from .plan import DATA_AT, GUARD_S, LEAD_S, NARROW, SPACING, SYMBOL_S, TRAINING, USEFUL_S, known, pilots

__all__ = ["Channel", "Equalised", "equalise", "find_chirps", "learn", "read_at"]

LIKE = 0.2  # a chirp, by its normalised correlation; noise reaches 0.15 once in hours
QUIET = 1e-10  # mean power under which nothing is looked for
FIRST_S, FIRST_SHARE = 0.04, 0.5  # the direct sound may be this much before, and weaker than, its echo
BACKOFF_S = 0.008  # the window begins this long before the guard's end: what came early is no echo of others
TAPS, PHASES = 32, 2048
SMOOTH = 21  # carriers over which noise is taken as the same
STEP, DRIFT_STEP, LEARN = 0.5, 0.05, 0.25  # gains of the loops that follow delay, clock and channel


def find_chirps(audio: NDArray[np.float32], rate: int) -> list[int]:
    """First samples of all that looks like a chirp, in order.

    Args:
        audio: shape (n,); at least 8,000 Hz.
    """
    model = chirp(rate)
    if len(audio) < len(model):
        return []
    signal = needed("scipy.signal", "the modem")
    level = np.abs(signal.oaconvolve(audio, np.conj(model[::-1]), "valid"))
    energy = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])
    energy = energy[len(model) :] - energy[: -len(model)]
    scale = np.sqrt(np.maximum(energy, QUIET * len(model)) * float(np.sum(np.abs(model) ** 2)) / 2)
    like = np.where(energy > QUIET * len(model), level / scale, 0)
    out, at, apart = [], 0, len(model)
    high = np.flatnonzero(like > LIKE)
    while at < len(high):
        begin = high[at]
        peak = begin + int(np.argmax(like[begin : begin + apart]))
        early = max(0, peak - round(FIRST_S * rate))
        # in the correlation, not the likeness: echoes that follow make an early peak look unlike
        first = early + int(np.argmax(level[early : peak + 1] >= FIRST_SHARE * level[peak]))
        out.append(first)
        at = int(np.searchsorted(high, peak + apart))
    return out


@lru_cache(maxsize=1)
def _kernel() -> NDArray[np.float32]:
    """Windowed sinc (Kaiser, 8) at PHASES fractions of a sample: shape (PHASES + 1, TAPS)."""
    offsets = np.arange(TAPS) - TAPS // 2 + 1
    away = offsets - np.linspace(0, 1, PHASES + 1)[:, None]
    window = np.i0(8 * np.sqrt(np.maximum(0, 1 - (away / (TAPS / 2)) ** 2))) / np.i0(8)
    return np.asarray(np.sinc(away) * window, np.float32)


def read_at(audio: NDArray[np.float32], start: float, step: float, count: int) -> NDArray[np.float32]:
    """Samples between samples: `count` of them from `start` on, `step` apart; silence beyond the ends."""
    at = start + step * np.arange(count)
    whole = np.floor(at).astype(np.intp)
    low, high = int(whole[0]) - TAPS, int(whole[-1]) + TAPS
    piece = np.zeros(high - low, np.float32)
    begin, end = max(low, 0), min(high, len(audio))
    if end > begin:
        piece[begin - low : end - low] = audio[begin:end]
    rows = piece[(whole - low - TAPS // 2 + 1)[:, None] + np.arange(TAPS)]
    phase = np.rint((at - whole) * PHASES).astype(np.intp)
    return np.asarray(np.einsum("ij,ij->i", rows, _kernel()[phase]), np.float32)


def _spectra(
    audio: NDArray[np.float32],
    rate: int,
    begin: float,
    drift: float,
    carriers: NDArray[np.intp],
    symbols: range,
) -> NDArray[np.complex64]:
    """Symbols' values as they came: shape (symbols, carriers). `begin`: the chirp's, in samples."""
    count = round(USEFUL_S * rate)
    out = np.empty((len(symbols), len(carriers)), np.complex64)
    for row, symbol in enumerate(symbols):
        offset = (LEAD_S + symbol * SYMBOL_S + GUARD_S - BACKOFF_S) * rate
        wave = read_at(audio, begin + offset * (1 + drift), 1 + drift, count)
        out[row] = np.fft.rfft(wave)[carriers] * (np.sqrt(2 * len(carriers)) / count)
    return out


@dataclass
class Channel:
    """What the training symbols told.

    Attributes:
        gain: by carrier, shape (carriers,). noise: variance of a received value, by carrier.
        drift: how much slower than ours the sender's clock runs: 1e-4 is 100 ppm.
    """

    gain: NDArray[np.complex64]
    noise: NDArray[np.float32]
    drift: float


def learn(
    audio: NDArray[np.float32], rate: int, begin: float, carriers: NDArray[np.intp], drift: float = 0.0
) -> Channel:
    """Learns clock and channel from the training symbols.

    The two say different things, so that what one left behind counts as noise in the other. A clock
    that runs slow delays the second against the first: a phase in proportion to frequency.

    Args:
        audio: shape (n,). begin: the chirp's first sample. drift: what is known of it.
    """
    sent = np.stack([known(i)[carriers] for i in range(TRAINING)])
    frequency = (carriers * SPACING).astype(np.float64)
    for _ in range(2):  # the second look, on the right clock, is free of the carriers' crosstalk
        came = _spectra(audio, rate, begin, drift, carriers, range(TRAINING)) * np.conj(sent)
        delay = _delay(came[1] * np.conj(came[0]), frequency)
        drift += float(np.clip(delay / SYMBOL_S, -1e-3, 1e-3))
    came = _spectra(audio, rate, begin, drift, carriers, range(TRAINING)) * np.conj(sent)
    noise = _smooth(np.abs(came[0] - came[1]) ** 2 / 2)
    return Channel(came.mean(0).astype(np.complex64), noise, drift)


def _delay(turned: NDArray[np.complex64], frequency: NDArray[np.float64]) -> float:
    """Seconds of delay that turned the carriers' phases so: least squares, weighted by strength."""
    weight = np.abs(turned)
    strength = float((weight * frequency**2).sum())
    return -float((weight * frequency * np.angle(turned)).sum()) / (2 * np.pi * strength + 1e-30)


def _smooth(noise: NDArray[np.floating]) -> NDArray[np.float32]:
    width = min(SMOOTH, len(noise))
    window = np.ones(width)
    over = np.convolve(np.ones(len(noise)), window, "same")
    return (np.convolve(noise, window, "same") / over + 1e-12).astype(np.float32)


@dataclass
class Equalised:
    """Data symbols, channel and clock undone.

    Attributes:
        points: shape (symbols, carriers). noise: variance of each point, the same shape. drift: of the
            sender's clock, 1e-4 is 100 ppm. snr_db: mean power of a carrier over its noise.
    """

    points: NDArray[np.complex64]
    noise: NDArray[np.float32]
    drift: float
    snr_db: float


def equalise(
    audio: NDArray[np.float32],
    rate: int,
    begin: float,
    channel: Channel,
    carriers: NDArray[np.intp],
    symbols: range,
) -> Equalised:
    """Follows delay, clock and channel from symbol to symbol by the pilots.

    Args:
        audio: shape (n,). begin: the chirp's first sample. channel: as `learn` found it, over these
            carriers. symbols: which, from the first training symbol.
    """
    frequency = (carriers * SPACING).astype(np.float64)
    came = _spectra(audio, rate, begin, channel.drift, carriers, symbols)
    gain, delay, pace = channel.gain.copy(), 0.0, 0.0
    scale = np.ones(len(symbols), np.float32)
    gains = np.empty_like(came)
    wrong, seen = np.zeros(len(carriers)), np.zeros(len(carriers))
    for row, symbol in enumerate(symbols):
        delay += pace
        is_pilot = pilots(carriers, symbol) & ((symbol >= DATA_AT) | (carriers <= NARROW[-1]))
        hz, sent = frequency[is_pilot], known(symbol)[carriers[is_pilot]]
        at = came[row, is_pilot] * np.conj(sent) * np.exp(2j * np.pi * hz * delay)
        late = _delay(at * np.conj(gain[is_pilot]), hz)
        delay, pace = delay + STEP * late, pace + DRIFT_STEP * late
        came[row] *= np.exp(2j * np.pi * frequency * delay)
        gains[row] = gain
        if symbol >= DATA_AT:  # control symbols are louder where a mode has more carriers than they
            off = at * np.exp(2j * np.pi * hz * STEP * late) - gain[is_pilot]
            wrong[is_pilot] += np.abs(off) ** 2
            seen[is_pilot] += 1
            scale[row] = max(1.0, float(np.mean(np.abs(off) ** 2 / channel.noise[is_pilot])) / 1.5)
            gain[is_pilot] += LEARN * off
    # half of the training's noise is in the gain that a pilot's error is measured against
    noise = _smooth((wrong / 1.5 + 2 * channel.noise) / (seen + 2))
    power = np.abs(gains) ** 2 + 1e-12
    points = (came * np.conj(gains) / power).astype(np.complex64)
    spread = (scale[:, None] * noise / power).astype(np.float32)
    snr = max(float(np.mean(power) / np.mean(noise)), 1e-9)
    return Equalised(points, spread, channel.drift + pace / SYMBOL_S, 10 * float(np.log10(snr)))
