"""A memory as a sound that can be played: its log through the modem, in a FLAC file or through the air.

What is sent is the content of a segment (`content`) with every entry of the log, behind four bytes that say
so. The bank stays at home: it is a fold over the log, and the receiver makes it. Where there are several
bursts, a quarter more are sent: as many may be lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArchiveInvalid, InvalidInput, NotFound, SoundError
from ..merkle import EMPTY_ROOT, Frontier
from .cache import Kept
from .content import SMALL, Before
from .items import content_of, entry_of
from .modem.hearing import demodulate
from .modem.plan import mode_of
from .modem.sending import modulate, seconds_for
from .needed import needed
from .packets import Shape
from .records import Entry, Prefix, pack
from .segment import Segment

__all__ = ["Heard", "hear_file", "read_sound", "write_sound"]

_MAGIC = b"NMA1"
RATES = (16_000, 48_000)  # samples a second: the first that holds a mode is used
MOST_S = 1_800  # of sound in a file
MOST_SAMPLES = MOST_S * 48_000  # read of a file, its channels mixed: what silence compresses to has no bound
_PIECE = 1 << 20  # samples of all channels that are read at a time
SPARE = 0.25  # bursts more, for each burst of several


def write_sound(
    path: Path, rows: Sequence[tuple[Any, str, float]], notes: dict[str, Any], mode: str
) -> float:
    """Writes records (value, id, time) as sound; returns how many seconds there are of it.

    Raises:
        InvalidInput: no such mode; half an hour of sound would not do. MissingDependency: no soundfile.
    """
    entries = [entry_of(*row) for row in rows]
    items = [(entry, pack(entry), None) for entry in entries]
    payload = _MAGIC + content_of(0, items, Before(Frontier(), EMPTY_ROOT), notes, SMALL)
    chosen = mode_of(mode)
    bursts = max(1, -(-len(payload) // chosen.capacity))
    spare = min(15, math.ceil(SPARE * bursts)) if bursts > 1 else 0
    seconds = seconds_for(len(payload), mode) * (bursts + spare) / bursts
    if seconds > MOST_S:
        raise InvalidInput(
            "acoustic", f"{len(payload):,} bytes are {seconds / 60:.0f} minutes of sound in mode {mode!r}",
            "choose a faster one (standard, fast), or leave --acoustic out: the dense file has no limit",
        )  # fmt: skip
    rate = next(rate for rate in RATES if rate >= 2.1 * chosen.highest)
    sound = modulate(payload, mode, rate, spare)
    needed("soundfile", "writing sound").write(str(path), sound, rate, subtype="PCM_16", format="FLAC")
    return len(sound) / rate


class Heard(Segment):
    """What came as sound, read as a version of an archive is."""

    def __init__(self, payload: bytes) -> None:
        """Raises ArchiveInvalid: it is no memory, or was changed on its way."""
        self._content, self.kept, self.start = payload[len(_MAGIC) :], Kept(), 0
        self._page = lru_cache(maxsize=8)(self.read)
        self.shape = Shape(0, 1, 1, 1)
        whole = payload.startswith(_MAGIC) and len(self._content) == self.prefix.length
        body = self._content[Prefix.SIZE :]
        if not whole or blake2b(body, digest_size=16).digest() != self.prefix.check:
            raise ArchiveInvalid("what was heard is a message, but no memory; `neuromem listen` shows it")

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the content."""
        if offset + length > len(self._content):
            raise ArchiveInvalid("what was heard is shorter than it says")
        return self._content[offset : offset + length]

    @property
    def records(self) -> int:
        """How many there are."""
        return self.prefix.count

    def notes(self) -> dict[str, Any]:
        """What it was written with."""
        found = self.directory.get("notes")
        return dict(found) if isinstance(found, dict) else {}

    def in_order(self) -> Iterator[Entry]:
        """Every record."""
        for number in range(len(self.table)):
            yield from self.block(number).entries()

    def get(self, id: str) -> Entry:
        """A record. Raises NotFound: there is none."""
        found = self.find(id)
        if found is None:
            raise NotFound(f"there is no record {id!r} in what was heard")
        return found


def read_sound(path: Path, most_s: float = MOST_S) -> tuple[NDArray[np.float32], int]:
    """The sound in a file, its channels mixed: samples, `MOST_SAMPLES` at most, and how many a second.

    Raises:
        SoundError: it is none that can be read. NotFound: there is no such file.
    """
    if not path.is_file():
        raise NotFound(f"{path} does not exist; give the path of a recording")
    soundfile = needed("soundfile", "reading sound")
    try:
        with soundfile.SoundFile(str(path)) as file:
            rate = int(file.samplerate)
            step, left = max(1, _PIECE // file.channels), min(int(most_s * rate), MOST_SAMPLES)
            mixed = [np.empty(0, np.float32)]
            while left > 0 and len(rows := file.read(min(step, left), dtype="float32", always_2d=True)):
                mixed.append(rows.mean(axis=1, dtype=np.float32))
                left -= len(rows)
    except (soundfile.SoundFileError, OSError) as error:
        raise SoundError(f"{path} is no sound that can be read ({error}); give a .wav or .flac") from error
    return np.concatenate(mixed), rate


def hear_file(path: Path) -> Heard:
    """The memory in a recording.

    Raises:
        SoundError: there is no message in it, or parts of it are lost. ArchiveInvalid: it is no memory.
    """
    sound, rate = read_sound(path)
    return Heard(demodulate(sound, rate).payload)
