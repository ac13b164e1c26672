"""What each class of a graded message costs and survives: part of `neuromem bench modem`.

A message fills every band with its own class, so that the net rate of each is that of its band: payload bits,
parity and heads not counted, over all seconds of sound. Then messages with something of each class go through
white noise that rises step by step; a class survives where all of its bytes came back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import NeuromemError
from ..owners import Progress
from ..sound.modem import MODES, PARITY, Importance, decode, encode
from ..sound.modem.channel import noisy
from ..sound.modem.grading import room
from ..sound.modem.importance import STEPS
from ..sound.modem.packets import PACKET
from ..sound.modem.plan import BANDS, words_in

__all__ = ["LEVELS_DB", "classes", "degradation"]

RATE = 48_000
SYMBOLS = 64  # of the message that fills the bands: 12 s
LEVELS_DB = {  # of the signal over white noise to 24 kHz: of a narrow mode less of it falls within
    "fast": (14, 12, 11, 10, 8, 6, 5, 4, 3, 2, 1, 0, -1),
    "robust": (-2, -4, -5, -5.5, -6, -6.5, -7, -7.5, -8, -9),
}
BYTES = 400  # of each class, in noise
CONTROL_BYTES = 120


def classes(seed: int) -> list[dict[str, Any]]:
    """Band, load, redundancy and measured net rate of each class, all bands of the mode "ultra" full."""
    rng, mode = np.random.default_rng(seed), MODES["ultra"]
    items = [(rng.bytes(CONTROL_BYTES), Importance.CONTROL)]
    for at, (band, count) in enumerate(zip(mode.bands, words_in(mode, SYMBOLS), strict=True)):
        importance = Importance[band.name.upper().replace("-", "_")]
        taken = 5 if importance is Importance.CRITICAL else 1  # words for the control class, and for rounding
        packets = (count - taken) * room(mode, at) * STEPS // (STEPS + PARITY[importance])
        items.append((rng.bytes(packets * PACKET), importance))
    sound = encode(items, mode.name, RATE)
    got = decode(sound, RATE)
    exact = [item.data == data for item, (data, _) in zip(got.items, items, strict=True)]
    out = []
    for (data, importance), whole in zip(items, exact, strict=True):
        band = BANDS[importance.label]
        row = got.report.classes[importance.label]
        out.append(
            {
                "class": importance.label, "hz": f"{band.low:g}-{band.high:g}", "bits_per_carrier": band.load,
                "code_rate": band.rate, "parity": PARITY[importance] / STEPS,
                "net_bits_per_second": round(8 * len(data) * whole / (len(sound) / RATE)),
                "bytes_with_directory": row["bytes"],
            }
        )  # fmt: skip
    return out


def degradation(mode: str, trials: int, seed: int, step: Progress) -> list[dict[str, Any]]:
    """How many of `trials` messages brought all bytes of each class, a row for each level of noise.

    Args:
        mode: one of `LEVELS_DB`.
    """
    kept = [each for each in Importance if each is not Importance.ULTRASONIC]
    out, done = [], 0
    for level in LEVELS_DB[mode]:
        row: dict[str, Any] = {"snr_db": level, **{each.label: 0 for each in kept}}
        for trial in range(trials):
            rng = np.random.default_rng([seed, trial])
            items: list[tuple[bytes, Importance]] = [
                (rng.bytes(CONTROL_BYTES if each is Importance.CONTROL else BYTES), each) for each in kept
            ]
            heard, rate = noisy(encode(items, mode, RATE), RATE, level, seed + trial)
            for importance in _survivors(heard, rate, items):
                row[importance.label] += 1
            done += 1
            step(done, trials * len(LEVELS_DB[mode]))
        out.append(row)
    return out


def _survivors(heard: Any, rate: int, items: list[tuple[bytes, Importance]]) -> list[Importance]:
    try:
        got = decode(heard, rate)
    except NeuromemError:
        return []  # no message, or not even its directory
    return [
        importance for item, (data, importance) in zip(got.items, items, strict=True) if item.data == data
    ]
