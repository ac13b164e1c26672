"""Bytes that matter differently in one message: `encode` and `decode`.

sound = encode([(b"her name", Importance.CRITICAL), (b"what she said", Importance.STANDARD)], "fast")
got = decode(sound, 48_000)
got.items[0].data, got.lost
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import InvalidInput, SignalDamaged
from .frames import Control, crc32c
from .gathering import MOST_ITEMS, Graded, streams_of
from .grading import Bursts, Stream, deal, words_of_burst
from .hearing import demodulate
from .importance import Importance, levels
from .packets import packets_of
from .plan import MOST_BYTES, Layout, layout_of, mode_of
from .sending import NATIVE, PAUSE_S, burst_wave, check_line, played

__all__ = ["decode", "encode", "seconds_of"]

Items = Iterable[tuple[bytes, Importance]]
Parity = Mapping[Importance, int]


def encode(
    items: Items, mode: str = "fast", rate: int = NATIVE, parity: Parity | None = None
) -> NDArray[np.float32]:
    """Makes sound of items, each protected by what it matters.

    Args:
        items: at most 16 MiB in all. mode: as of `modulate`; in one with a single band all classes travel
            there and differ in their parity alone. rate: samples a second, 8,000 to 192,000.
        parity: eighths of a packet of parity for each packet of content, 0 to 15; `PARITY` for classes
            that are not named.

    Returns:
        Samples within -1 … 1, shape (n,).

    Raises:
        InvalidInput: an unknown mode or class, too much, or a rate that cannot hold the mode's bands.
    """
    chosen = mode_of(mode)
    check_line(chosen, rate)
    joined, streams = _streams(items, parity)
    bursts = deal({each: len(packets) for each, (_, _, packets) in streams.items()}, chosen)
    plan, check = layout_of(chosen, bursts.symbols), crc32c(joined)
    waves = []
    for number, words in enumerate(bursts.words):
        control = Control(
            chosen.number, check, bursts.symbols, len(joined), number, len(bursts.words), graded=True
        )
        waves.append(burst_wave(control, plan, words_of_burst(plan, words, streams)))
    return played(waves, rate)


def seconds_of(items: Items, mode: str = "fast", parity: Parity | None = None) -> float:
    """How long the sound of items is, pauses included."""
    chosen, (_, streams) = mode_of(mode), _streams(items, parity)
    bursts: Bursts = deal({each: len(packets) for each, (_, _, packets) in streams.items()}, chosen)
    plan: Layout = layout_of(chosen, bursts.symbols)
    return PAUSE_S + len(bursts.words) * (plan.seconds + PAUSE_S)


def _streams(items: Items, parity: Parity | None) -> tuple[bytes, dict[Importance, Stream]]:
    """All bytes that are sent, and for each class its bytes, eighths of parity and packets."""
    given, shares = list(items), levels(parity)
    if len(given) > MOST_ITEMS or not all(isinstance(importance, Importance) for _, importance in given):
        raise InvalidInput("items", "too many, or with a class that is none", f"give {list(Importance)}")
    streams = streams_of(given)
    joined = b"".join(streams.values())
    if len(joined) > MOST_BYTES:
        raise InvalidInput("items", f"{len(joined)} bytes", f"send at most {MOST_BYTES} at a time")
    made = {
        importance: (len(data), shares[importance], packets_of(data, shares[importance]))
        for importance, data in streams.items()
    }
    return joined, made


def decode(audio: ArrayLike, rate: int, mode: str | None = None) -> Graded:
    """Reads the first graded message of a recording: all of it, or what there is.

    `Graded.lost` names what is not there, the rest is in `items`.

    Args:
        audio: samples, shape (n,). rate: samples a second. mode: the only mode to hear; any when None.

    Raises:
        InvalidInput: no row of finite samples, a plain message. NoSignal: no message.
        SignalDamaged: not even its directory came.
    """
    try:
        graded = demodulate(audio, rate, mode).graded
    except SignalDamaged as error:
        if not isinstance(error.graded, Graded):
            raise
        return error.graded
    if graded is None:
        raise InvalidInput("audio", "holds a plain message", "read it with demodulate")
    return graded
