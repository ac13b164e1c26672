"""Bits on carriers: Gray-coded QAM with soft decisions, and the symbols themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .plan import CHIRP_S, GUARD_S, USEFUL_S

__all__ = ["chirp", "constellation", "soft_bits", "symbol_wave"]

LOW, HIGH = 400.0, 3_600.0  # Hz, of the chirp
EDGE_S = 0.008  # over which it swells


def _axis(load: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Levels of one axis by the number that its bits spell, and those bits: Gray-coded amplitudes."""
    each = load // 2
    numbers = np.arange(1 << each)
    spelled = ((numbers[:, None] >> np.arange(each - 1, -1, -1)) & 1).astype(np.uint8)
    binary = np.bitwise_xor.accumulate(spelled, axis=1)  # Gray to binary
    step = binary @ (1 << np.arange(each - 1, -1, -1))
    levels = (len(numbers) - 1 - 2 * step) / np.sqrt(2 * (4**each - 1) / 3)  # mean power of both axes: 1
    return levels.astype(np.float32), spelled


def constellation(bits: NDArray[np.uint8], load: int) -> NDArray[np.complex64]:
    """Points of unit mean power.

    Args:
        bits: shape (cells * load,). load: bits of a point, 2, 4 or 6.
    """
    levels, _ = _axis(load)
    numbers = bits.reshape(-1, 2, load // 2) @ (1 << np.arange(load // 2 - 1, -1, -1))
    return (levels[numbers[:, 0]] + 1j * levels[numbers[:, 1]]).astype(np.complex64)


def soft_bits(points: NDArray[np.complex64], noise: NDArray[np.float32], load: int) -> NDArray[np.float32]:
    """Log-likelihood ratios ln P(0)/P(1), the likeliest point standing for all (max-log).

    Args:
        points: as equalised, shape (cells,). noise: variance of each, both axes together.
        load: bits of a point.

    Returns:
        Shape (cells * load,), in the order of `constellation`'s bits.
    """
    levels, spelled = _axis(load)
    parts = np.stack([points.real, points.imag], axis=1)
    far = (parts[..., None] - levels) ** 2 / np.maximum(noise, 1e-9)[:, None, None]
    out = [
        far[..., spelled[:, bit] == 1].min(-1) - far[..., spelled[:, bit] == 0].min(-1)
        for bit in range(load // 2)
    ]
    return np.stack(out, axis=-1).reshape(-1).astype(np.float32)


def symbol_wave(values: NDArray[np.complex64], carriers: NDArray[np.intp], rate: int) -> NDArray[np.float32]:
    """One symbol behind its cyclic guard, of unit mean power: shape (rate * SYMBOL_S,).

    Args:
        values: by carrier. rate: samples a second, such that the symbol has a whole number of them.
    """
    count, guard = round(USEFUL_S * rate), round(GUARD_S * rate)
    spectrum = np.zeros(count // 2 + 1, np.complex128)
    spectrum[carriers] = values
    wave = np.fft.irfft(spectrum, count) * count / np.sqrt(2 * len(carriers))
    return np.concatenate([wave[-guard:], wave]).astype(np.float32)


def chirp(rate: int) -> NDArray[np.complex64]:
    """The sync preamble, a tone that rises from LOW to HIGH: its analytic signal; the line has the real part.

    Shape (rate * CHIRP_S,), of amplitude 1 but at its edges.
    """
    time = np.arange(round(CHIRP_S * rate)) / rate
    phase = 2 * np.pi * (LOW * time + (HIGH - LOW) / (2 * CHIRP_S) * time**2)
    swell = np.minimum(1, np.minimum(time, CHIRP_S - time) / EDGE_S)
    return np.asarray(np.sin(np.pi / 2 * swell) ** 2 * np.exp(1j * phase), np.complex64)
