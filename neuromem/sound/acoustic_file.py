"""A memory as a sound that can be played: its log through the modem, in a FLAC file or through the air.

What is sent is a graded message (`modem.graded`): the log's skeleton and, record by record, the words, each
in the class that `weighing` finds for it. The bank stays at home: it is a fold over the log, and the receiver
makes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArchiveInvalid, InvalidInput, NotFound, SignalDamaged, SoundError
from .modem import Graded, Importance, Item, Received, Report, demodulate, encode, seconds_of
from .modem.plan import mode_of
from .needed import needed
from .skeleton import MAGIC, Skeleton, parts_of

__all__ = [
    "HeardLog", "hear_file", "heard_log", "items_of", "read_sound", "sound_of", "write_sound",
]  # fmt: skip

RATES = (16_000, 48_000)  # samples a second: the first that holds a mode is used
MOST_S = 1_800  # of sound in a file
MOST_SAMPLES = MOST_S * 48_000  # read of a file, its channels mixed: what silence compresses to has no bound
_PIECE = 1 << 20  # samples of all channels that are read at a time


def items_of(
    owner: str, stored: Iterable[tuple[bytes, bytes]], classes: Sequence[Importance], notes: dict[str, Any]
) -> list[tuple[bytes, Importance]]:
    """An owner's log as items of a graded message.

    Args:
        stored: as `EventLog.stored` gives it. classes: of each record.
    """
    skeleton, words, dictionaries = parts_of(owner, stored, notes)
    control = [skeleton.to_bytes(), *dictionaries]
    return [(data, Importance.CONTROL) for data in control] + [
        (data, classes[seq]) for seq, data in words.items()
    ]


def write_sound(path: Path, items: Sequence[tuple[bytes, Importance]], mode: str) -> float:
    """Writes items as sound; returns how many seconds there are of it.

    Raises:
        InvalidInput: no such mode; half an hour of sound would not do. MissingDependency: no soundfile.
    """
    sound, rate = sound_of(items, mode)
    needed("soundfile", "writing sound").write(str(path), sound, rate, subtype="PCM_16", format="FLAC")
    return len(sound) / rate


def sound_of(items: Sequence[tuple[bytes, Importance]], mode: str) -> tuple[NDArray[np.float32], int]:
    """Items as samples, and how many of them a second. Raises InvalidInput as `write_sound`."""
    seconds = seconds_of(items, mode)
    if seconds > MOST_S:
        size = sum(len(data) for data, _ in items)
        raise InvalidInput(
            "acoustic", f"{size:,} bytes are {seconds / 60:.0f} minutes of sound in mode {mode!r}",
            "choose a faster one (standard, fast), or leave --acoustic out: the dense file has no limit",
        )  # fmt: skip
    rate = next(rate for rate in RATES if rate >= 2.1 * mode_of(mode).highest)
    return encode(items, mode, rate), rate


@dataclass(frozen=True)
class HeardLog:
    """A log that came as a graded message, whole or in part.

    Attributes:
        skeleton: all of it but the words. words: salt and compressed words of each record that came.
            dictionaries: those that were sent. classes: of each record with words. report: of the message.
    """

    skeleton: Skeleton
    words: dict[int, bytes]
    dictionaries: tuple[bytes, ...]
    classes: dict[int, Importance]
    report: Report

    @classmethod
    def of(cls, graded: Graded) -> HeardLog:
        """The log in a message. Raises ArchiveInvalid: it is none, or what holds it together is lost."""
        head, *items = graded.items or (Item(Importance.CONTROL, b"", 0, {}),)
        if head.data is None:
            raise ArchiveInvalid("what holds the memory together is lost; send it again, louder or nearer")
        skeleton = Skeleton.from_bytes(head.data)
        sent = skeleton.sent
        keys, items = items[: len(items) - len(sent)], items[len(items) - len(sent) :]
        if len(items) != len(sent):
            raise ArchiveInvalid("what was heard has fewer records than it says; do not trust it")
        return cls(
            skeleton,
            {seq: item.data for seq, item in zip(sent, items, strict=True) if item.data is not None},
            tuple(item.data for item in keys if item.data is not None),
            {seq: item.importance for seq, item in zip(sent, items, strict=True)},
            graded.report,
        )

    @property
    def records(self) -> int:
        """How many the log has, whether or not their words came."""
        return len(self.skeleton.hashes)

    def notes(self) -> dict[str, Any]:
        """What it was written with."""
        return self.skeleton.notes

    def named(self, lost: Iterable[int]) -> tuple[str, ...]:
        """Records by number and class."""
        return tuple(f"record {seq} ({self.classes[seq].label})" for seq in lost)


def heard_log(received: Received | SignalDamaged) -> HeardLog | None:
    """The log in what was heard, whole or not; None: it is something else.

    Raises:
        ArchiveInvalid: it is a memory, and what holds it together is lost.
    """
    graded = received.graded
    if not isinstance(graded, Graded) or not graded.items:
        return None
    head = graded.items[0]
    begin = head.data if head.data is not None else head.kept.get(0, b"")
    return HeardLog.of(graded) if begin.startswith(MAGIC) else None


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


def hear_file(path: Path) -> HeardLog:
    """The memory in a recording; words of some records may be lost.

    Raises:
        SoundError: there is no message in it, or too much of it is lost. ArchiveInvalid: it is no memory.
    """
    sound, rate = read_sound(path)
    try:
        received: Received | SignalDamaged = demodulate(sound, rate)
    except SignalDamaged as error:
        received = error
    found = heard_log(received)
    if found is not None:
        return found
    if isinstance(received, SignalDamaged):
        raise received
    raise ArchiveInvalid("what was heard is a message, but no memory; `neuromem listen` shows it")
