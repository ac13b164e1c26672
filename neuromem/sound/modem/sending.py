"""Bytes into sound."""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidInput
from ..layers.erasure import Erasure
from ..layers.ldpc import code
from ..needed import needed
from .carriers import chirp, constellation, symbol_wave
from .chance import bits, order
from .frames import MOST_CODED, MOST_SPARE, Control, chunks_of, code_words, control_code, crc32c
from .plan import (
    CONTROL,
    DATA_AT,
    GUARD_S,
    MOST_BYTES,
    NARROW,
    TRAINING,
    Layout,
    Mode,
    known,
    layout,
    mode_of,
    pilots,
)  # fmt: skip

__all__ = [
    "MOST_BYTES", "PAUSE_S", "RATES", "burst_wave", "check_line", "check_rate", "control_cells", "modulate",
    "played", "resampled", "seconds_for",
]  # fmt: skip

RATES = (8_000, 192_000)  # Hz, the least and the most
NATIVE = 48_000
LOUDNESS, PEAK = 0.22, 0.95  # root mean square; peaks beyond 12.7 dB over it are cut
PAUSE_S = 0.1  # of silence before, between and after bursts


def modulate(payload: bytes, mode: str = "robust", rate: int = NATIVE, spare: int = 0) -> NDArray[np.float32]:
    """Makes sound of bytes.

    Args:
        payload: at most 16 MiB. mode: "robust" (250-3,750 Hz), "standard" (to 7.4 kHz), "fast" (to
            16 kHz) or "ultra" (and 18-21.5 kHz). rate: samples a second, 8,000 to 192,000.
            spare: bursts of parity, 0 to 15: as many bursts may be lost.

    Returns:
        Samples within -1 … 1, shape (n,).

    Raises:
        InvalidInput: an unknown mode, too much payload, or a rate that cannot hold the mode's bands.
    """
    chosen = mode_of(mode)
    check_line(chosen, rate)
    if len(payload) > MOST_BYTES:
        raise InvalidInput("payload", f"{len(payload)} bytes", f"send at most {MOST_BYTES} at a time")
    return played([_burst(control, part, chosen) for control, part in _parts(payload, chosen, spare)], rate)


def check_line(mode: Mode, rate: int) -> None:
    """Raises InvalidInput: the rate is out of range, or cannot hold the mode's bands."""
    check_rate(rate)
    if rate < 2.1 * mode.highest:
        raise InvalidInput(
            "rate", f"{rate} Hz cannot hold {mode.name!r}, which reaches {mode.highest:g} Hz",
            f"give at least {int(2.1 * mode.highest)}, or choose a lower mode",
        )  # fmt: skip


def played(bursts: list[NDArray[np.float32]], rate: int) -> NDArray[np.float32]:
    """Bursts one after another, pauses around each, at a rate."""
    pause = np.zeros(round(PAUSE_S * NATIVE), np.float32)
    sound = [pause, *(piece for burst in bursts for piece in (burst, pause))]
    wave = np.clip(LOUDNESS * np.concatenate(sound), -PEAK, PEAK)
    return np.clip(resampled(wave.astype(np.float32), NATIVE, rate), -1, 1)


def seconds_for(size: int, mode: str = "robust") -> float:
    """How long the sound of so many bytes is, pauses included."""
    chosen = mode_of(mode)
    parts = [min(chosen.capacity, size - at) for at in range(0, max(size, 1), chosen.capacity)]
    return PAUSE_S + sum(layout(chosen, part).seconds + PAUSE_S for part in parts)


def check_rate(rate: int) -> None:
    """Raises InvalidInput for a sampling rate out of range."""
    if isinstance(rate, bool) or not isinstance(rate, int) or not RATES[0] <= rate <= RATES[1]:
        raise InvalidInput("rate", f"{rate!r} is out of range", f"give whole Hz, {RATES[0]} to {RATES[1]}")


def resampled(wave: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    """The same sound at another sampling rate: shape (n,)."""
    if rate == wanted or not len(wave):
        return wave
    common = gcd(rate, wanted)
    resample = needed("scipy.signal", "the modem").resample_poly
    return np.asarray(resample(wave, wanted // common, rate // common), np.float32)


def control_cells() -> list[tuple[NDArray[np.bool_], NDArray[np.intp]]]:
    """For each control symbol: which of `NARROW` hold the control word, and which of its bits they hold.

    The word comes again and again until both symbols are full, in another order each time.
    """
    free = [~pilots(NARROW, TRAINING + i) for i in range(CONTROL)]
    counts = [2 * int(each.sum()) for each in free]
    n = control_code().n
    turns = [order(0x6374726C + i, n) for i in range(-(-sum(counts) // n))]
    line = np.concatenate(turns)[: sum(counts)]
    return list(zip(free, np.split(line, np.cumsum(counts)[:-1]), strict=True))


def _parts(payload: bytes, mode: Mode, spare: int) -> list[tuple[Control, bytes]]:
    message, step = crc32c(payload), mode.capacity
    cut = [payload[at : at + step] for at in range(0, max(len(payload), 1), step)]
    if not 0 <= spare <= MOST_SPARE or (spare and len(cut) + spare > MOST_CODED):
        raise InvalidInput(
            "spare", f"{spare} bursts of parity for {len(cut)}",
            f"give 0 to {MOST_SPARE}, {MOST_CODED} bursts together",
        )  # fmt: skip
    padded = [part.ljust(len(cut[0]), b"\0") for part in cut]
    parity = Erasure(len(cut), len(cut) + spare).parity(padded) if spare else []
    return [
        (Control(mode.number, message, len(part), len(payload), i, len(cut), spare), part)
        for i, part in enumerate([*cut, *parity])
    ]


def _burst(control: Control, payload: bytes, mode: Mode) -> NDArray[np.float32]:
    plan = layout(mode, len(payload))
    chunks, words, first = chunks_of(payload, plan), [], 0
    for place in plan.places:
        words.append(code_words(chunks, place, first))
        first += place.words
    return burst_wave(control, plan, words)


def burst_wave(control: Control, plan: Layout, words: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """The sound of a burst, at `NATIVE` samples a second.

    Args:
        words: by band the information bits of its LDPC words, shape (words, k).
    """
    mode = plan.mode
    rest = np.zeros(round(GUARD_S * NATIVE), np.float32)
    waves = [np.sqrt(2) * chirp(NATIVE).real, rest]
    waves += [symbol_wave(known(i)[mode.carriers], mode.carriers, NATIVE) for i in range(TRAINING)]
    waves += _control_waves(control)
    waves += [symbol_wave(row, mode.carriers, NATIVE) for row in _grid(words, plan)]
    return np.concatenate(waves).astype(np.float32)


def _control_waves(control: Control) -> list[NDArray[np.float32]]:
    info = np.unpackbits(np.frombuffer(control.pack(), np.uint8))
    word = control_code().encode(info[None])[0]
    waves = []
    for i, (free, which) in enumerate(control_cells()):
        values = known(TRAINING + i)[NARROW].copy()
        values[free] = constellation(word[which], 2)
        waves.append(symbol_wave(values, NARROW, NATIVE))
    return waves


def _grid(words: list[NDArray[np.uint8]], plan: Layout) -> NDArray[np.complex64]:
    """Values of all data symbols: shape (symbols, carriers)."""
    carriers = plan.mode.carriers
    grid = np.stack([known(DATA_AT + i)[carriers] for i in range(plan.symbols)])
    for place, info in zip(plan.places, words, strict=True):
        stream = bits(0x66696C6C, len(place.spread))
        line = code(place.band.rate).encode(info)
        stream[: line.size] = line.reshape(-1)
        grid[place.rows, place.columns] = constellation(stream[place.spread], place.band.load)
    return grid
