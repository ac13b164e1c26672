"""What sender and receiver agree on: times, carriers, bands, modes, and which cell holds which bit.

A burst on the line, all times the same in every mode::

    chirp 128 ms · rest 48 ms · 2 training symbols · 2 control symbols · data symbols

A symbol lasts 128 ms behind a guard of 48 ms, so that carriers stand 7.8125 Hz apart and the echoes of a
living room (RT60 of 0.3 s: 11 % of their energy comes later than the guard) mostly end within it. What
begins a burst lies between 250 and 3,750 Hz in every mode, so one receiver finds and names them all, and
so the robust mode passes a telephone's 8 kHz of sampling rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidInput
from ..layers.ldpc import code
from .chance import bits, order

__all__ = [
    "BANDS",
    "CHIRP_S",
    "DATA_AT",
    "GUARD_S",
    "LEAD_S",
    "MODES",
    "MOST_BYTES",
    "MOST_SYMBOLS",
    "NARROW",
    "SYMBOL_S",
    "USEFUL_S",
    "Band",
    "Layout",
    "Mode",
    "Place",
    "known",
    "layout",
    "layout_of",
    "mode_of",
    "words_in",
]  # fmt: skip

USEFUL_S, GUARD_S, CHIRP_S = 0.128, 0.048, 0.128
SYMBOL_S = USEFUL_S + GUARD_S
LEAD_S = CHIRP_S + GUARD_S  # from the chirp's begin to the first training symbol's guard
SPACING = 1 / USEFUL_S  # Hz
TRAINING, CONTROL = 2, 2  # symbols
DATA_AT = TRAINING + CONTROL  # the first data symbol
MOST_SYMBOLS = 256  # of data in a burst: 45 s, after which channel and clock are learnt anew
PILOT_EVERY, PILOT_STEP = 18, 7  # each carrier is a pilot once in 18 symbols
MOST_BYTES = 1 << 24  # of a message; over two hours in the fast mode
TALLEST = 3072  # carriers up to 24 kHz
HEAD = 8  # bytes of a frame that are not payload: sequence, length, CRC-32C


@dataclass(frozen=True)
class Band:
    """Some of the spectrum, with its load and its redundancy.

    Attributes:
        name: what travels in it. low, high: its edges in Hz. load: bits of a carrier in a symbol: 2 is
            QPSK, 4 is 16-QAM. rate: its LDPC code's.
    """

    name: str
    low: float
    high: float
    load: int
    rate: str

    @property
    def carriers(self) -> NDArray[np.intp]:
        """Numbers of its carriers, in steps of `SPACING`."""
        return np.arange(int(np.ceil(self.low / SPACING)), int(np.ceil(self.high / SPACING)))


# The lower the band, the more channels pass it: it carries what matters most, with the most redundancy.
BANDS = {
    band.name: band
    for band in (
        Band("control", 250, 3_750, 2, "1/2"),
        Band("critical", 250, 3_750, 2, "1/2"),
        Band("reliable", 3_750, 7_400, 2, "2/3"),
        Band("standard", 7_400, 11_600, 4, "4/5"),
        Band("high-density", 11_600, 16_000, 4, "9/10"),
        Band("ultrasonic", 18_000, 21_500, 2, "2/3"),
    )
}
NARROW = BANDS["control"].carriers


@dataclass(frozen=True)
class Mode:
    """A choice of bands.

    Attributes:
        number: its number in the control symbols. bands: in the order in which frames fill them.
        rate: the sampling rate that the receiver works at, Hz.
    """

    name: str
    number: int
    bands: tuple[Band, ...]
    rate: int

    @cached_property
    def carriers(self) -> NDArray[np.intp]:
        """Numbers of all its carriers, rising."""
        return np.concatenate([band.carriers for band in self.bands])

    @property
    def highest(self) -> float:
        """The highest frequency in use, Hz."""
        return self.bands[-1].high

    @cached_property
    def capacity(self) -> int:
        """Most payload bytes of one burst."""
        words = words_in(self, MOST_SYMBOLS)
        return sum(n * _room(band) for n, band in zip(words, self.bands, strict=True))


def _mode(name: str, number: int, rate: int, *bands: str) -> Mode:
    return Mode(name, number, tuple(BANDS[band] for band in bands), rate)


MODES = {
    mode.name: mode
    for mode in (
        _mode("robust", 1, 12_000, "critical"),
        _mode("standard", 2, 24_000, "critical", "reliable"),
        _mode("fast", 3, 48_000, "critical", "reliable", "standard", "high-density"),
        _mode("ultra", 4, 48_000, "critical", "reliable", "standard", "high-density", "ultrasonic"),
    )
}


def mode_of(name: str) -> Mode:
    """The mode of a name.

    Raises:
        InvalidInput: there is none.
    """
    if name not in MODES:
        raise InvalidInput("mode", f"there is no mode {name!r}", f"choose one of {', '.join(MODES)}")
    return MODES[name]


@lru_cache(maxsize=512)
def known(symbol: int) -> NDArray[np.complex64]:
    """What training symbols and pilots say: unit QPSK by carrier number, shape (TALLEST,)."""
    pairs = bits(0x70696C6F74 + (symbol << 40), 2 * TALLEST).reshape(-1, 2).astype(np.float32)
    signs = ((1 - 2 * pairs) / np.sqrt(2)).astype(np.float32)
    return np.asarray(signs[:, 0] + 1j * signs[:, 1], np.complex64)


def pilots(carriers: NDArray[np.intp], symbol: int) -> NDArray[np.bool_]:
    """Which carriers are pilots in a symbol: shape (carriers,)."""
    return np.equal((carriers + PILOT_STEP * symbol) % PILOT_EVERY, 0)


@dataclass(frozen=True)
class Place:
    """Where a band's bits are.

    Attributes:
        words: LDPC words that the band carries. rows, columns: the cells of its data, by data symbol
            and by position in `Mode.carriers`. spread: the interleaver, for each bit on the line the
            bit of the stream, shape (cells * load,); those past the last word are filling.
    """

    band: Band
    words: int
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    spread: NDArray[np.intp]


@dataclass(frozen=True)
class Layout:
    """How a burst's payload lies in its symbols.

    Attributes:
        symbols: data symbols. places: by band. sizes: payload bytes of each frame, in order.
    """

    mode: Mode
    symbols: int
    places: tuple[Place, ...]
    sizes: tuple[int, ...]

    @property
    def seconds(self) -> float:
        """From the chirp's begin to the last symbol's end."""
        return LEAD_S + (DATA_AT + self.symbols) * SYMBOL_S


def _room(band: Band) -> int:
    return code(band.rate).k // 8 - HEAD


def _cells(band: Band, symbols: int) -> NDArray[np.bool_]:
    return np.stack([~pilots(band.carriers, DATA_AT + i) for i in range(symbols)])


@lru_cache(maxsize=1024)
def words_in(mode: Mode, symbols: int) -> tuple[int, ...]:
    """LDPC words that so many data symbols hold, by band."""
    return tuple(int(_cells(b, symbols).sum()) * b.load // code(b.rate).n for b in mode.bands)


def _carries(mode: Mode, symbols: int) -> int:
    return sum(n * _room(b) for n, b in zip(words_in(mode, symbols), mode.bands, strict=True))


@lru_cache(maxsize=8)
def layout(mode: Mode, size: int) -> Layout:
    """The shortest layout that holds `size` bytes.

    Raises:
        InvalidInput: no burst of the mode holds so many.
    """
    if not 0 <= size <= mode.capacity:
        raise InvalidInput("payload", f"{size} bytes", f"give at most {mode.capacity} to a burst")
    few, many = 0, MOST_SYMBOLS  # what a layout carries grows with its symbols
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if _carries(mode, middle) >= max(size, 1) else (middle, many)
    sizes, left, bare = list[int](), size, layout_of(mode, many)
    for place in bare.places:
        for _ in range(place.words):
            if left > 0 or not sizes:
                sizes.append(min(left, _room(place.band)))
                left -= sizes[-1]
    return replace(bare, sizes=tuple(sizes))


@lru_cache(maxsize=8)
def layout_of(mode: Mode, symbols: int) -> Layout:
    """So many data symbols, whatever they carry: `sizes` is empty."""
    places, column = [], 0
    for band, words in zip(mode.bands, words_in(mode, symbols), strict=True):
        rows, columns = np.nonzero(_cells(band, symbols))
        spread = order(0x73707265 + mode.number, len(rows) * band.load)
        places.append(Place(band, words, rows, columns + column, spread))
        column += len(band.carriers)
    return Layout(mode, symbols, tuple(places), ())
