"""A sound as a picture: time from left to right, frequency upwards, the louder the brighter."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import InvalidInput
from .acoustic_file import read_sound
from .needed import needed

__all__ = ["spectrogram"]

MOST_S = 60.0  # of sound that is drawn
WINDOW_S = 0.032
RANGE_DB = 80.0  # below the loudest; what is softer is black


def spectrogram(sound: Path, picture: Path) -> float:
    """Draws the first minute of a sound file; returns the seconds that were drawn.

    Raises:
        SoundError: it is no sound that can be read. InvalidInput: the picture cannot be written.
        MissingDependency: matplotlib or SciPy is not installed.
    """
    figures = needed("matplotlib.figure", "a spectrogram")
    samples, rate = read_sound(sound, MOST_S)
    if not len(samples):
        raise InvalidInput("spectrogram", f"{sound} holds no sound yet", "append to it first")
    window = min(len(samples), max(16, round(WINDOW_S * rate)))
    hertz, seconds, power = needed("scipy.signal", "a spectrogram").spectrogram(
        samples, rate, nperseg=window, noverlap=window // 2
    )
    loud = 10 * np.log10(np.maximum(power, 1e-20))
    figure = figures.Figure(figsize=(9, 3), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.pcolormesh(
        seconds, hertz / 1_000, loud, vmin=loud.max() - RANGE_DB, vmax=loud.max(), cmap="magma",
        shading="auto", rasterized=True,
    )  # fmt: skip
    axes.set(xlabel="seconds", ylabel="kHz", title=sound.name)
    try:
        figure.savefig(picture)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            "--spectrogram", f"cannot write {picture} ({error})", "name a .png in a folder that exists"
        ) from error
    return len(samples) / rate
