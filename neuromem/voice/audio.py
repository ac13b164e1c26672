"""Sound in and out: wave files, paced as a microphone is or as fast as they are read.

Everything inside is mono, 16-bit, 16 kHz, in frames of 32 ms: what the detector takes at a time.
"""

from __future__ import annotations

import struct
import threading
import time
import wave
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInput, NotFound

__all__ = [
    "FRAME", "RATE", "AudioSink", "AudioSource", "NoSink", "Queued", "Samples", "WavSink", "WavSource",
    "read_wav", "resample", "rms", "write_wav",
]  # fmt: skip

Samples: TypeAlias = NDArray[np.int16]

RATE = 16_000  # samples a second
FRAME = 512  # samples: 32 ms
GAP_S = 1.0  # silence after each file, or its last word would not end
BLOCK = 320  # samples a sink plays at a time, 20 ms: how soon it can stop
ECHO_S = 0.3  # how long what was played may still be heard
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE  # codings of a wave file; the last tells its own further on
RATES = range(1_000, 1_000_001)  # Hz: anything else is no recording, but a header that is wrong
REMEDY = "make it 16-bit PCM .wav: ffmpeg -i FILE -c:a pcm_s16le NEW.wav"
_FORM = struct.Struct("<HHIIHH")  # coding, channels, rate, bytes a second, bytes of a frame, bits
_SUBFORM = 24  # where an extensible header has its coding


class AudioSource(Protocol):
    """Where the user's voice comes from."""

    paced: bool  # True: a frame comes when it is spoken; False: as soon as it is asked for

    def frames(self) -> Iterator[Samples]:
        """Frames of FRAME samples, until there is nothing more."""

    def close(self) -> None:
        """Ends `frames`; safe from any thread."""


class AudioSink(Protocol):
    """Where the answer's sound goes."""

    def play(self, samples: Samples) -> None:
        """Queues sound; returns at once."""

    def stop(self) -> None:
        """Ends what is playing and drops what is queued."""

    def wait(self, seconds: float) -> bool:
        """Waits until all is played. Returns False when it was not, in that time."""

    @property
    def playing(self) -> bool:
        """Whether anything is playing or queued."""

    @property
    def level(self) -> float:
        """Loudest root mean square of a block in the last moments: what an echo can come from."""

    def close(self) -> None:
        """Finishes the file, or gives the device back."""


def rms(samples: Samples) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float32))))) if samples.size else 0.0


def resample(samples: NDArray[Any], rate: int) -> Samples:
    """16 kHz from another rate; averaged first where it is higher, so that hiss does not fold down."""
    wave_: NDArray[Any] = samples.astype(np.float32)
    if rate != RATE and wave_.size:
        if rate > RATE:
            width = max(1, round(rate / RATE))
            wave_ = np.convolve(wave_, np.full(width, 1 / width, np.float32), "same")
        places = np.arange(int(wave_.size * RATE / rate)) * (rate / RATE)
        wave_ = np.interp(places, np.arange(wave_.size), wave_).astype(np.float32)
    return np.clip(np.round(wave_), -32_768, 32_767).astype(np.int16)


def read_wav(path: str | Path) -> Samples:
    """A wave file's sound: PCM of 8, 16, 24 or 32 bits, or floating point, of however many channels.

    Raises:
        NotFound: no such file. InvalidInput: not a wave file, or of another coding.
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"{path} does not exist; give the path of a .wav file") from error
    except OSError as error:
        raise InvalidInput(str(path), f"cannot be read ({error})", "give the path of a .wav file") from error
    form, sound = _chunks(data, str(path))
    coding, channels, rate, _, block, _ = _FORM.unpack_from(form)
    if coding == EXTENSIBLE and len(form) >= _SUBFORM + 2:
        coding = int.from_bytes(form[_SUBFORM : _SUBFORM + 2], "little")
    if not channels or rate not in RATES or block % channels:
        problem = f"has {channels} channels in {block} bytes and {rate} Hz, which cannot be"
        raise InvalidInput(str(path), problem, REMEDY)
    frames = np.frombuffer(sound[: len(sound) - len(sound) % (block or 1)], np.uint8)
    samples = _as_16_bits(frames, coding, block // channels)
    if samples is None:
        problem = f"is coded in a way that is not read ({coding}, {8 * block // channels} bits)"
        raise InvalidInput(str(path), problem, REMEDY)
    return resample(samples.reshape(-1, channels).mean(axis=1), rate)


def _chunks(data: bytes, path: str) -> tuple[bytes, bytes]:
    """What a wave file says of its sound, and the sound as far as it is there.

    A program that writes to a pipe cannot know the length, and says any.
    """
    form, at = b"", 12
    while data[:4] == b"RIFF" and data[8:12] == b"WAVE" and at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"fmt ":
            form = data[at : at + size]
        elif name == b"data" and len(form) >= _FORM.size:
            return form, data[at : at + size]
        at += size + size % 2
    raise InvalidInput(path, "is no wave file, or an empty one", REMEDY)


def _as_16_bits(raw: NDArray[np.uint8], coding: int, width: int) -> NDArray[Any] | None:
    """Samples on the scale of 16 bits from those of `width` bytes; None: no coding that is known."""
    if coding == FLOAT and width in (4, 8):
        wave_ = raw.view("<f4" if width == 4 else "<f8")
        with np.errstate(over="ignore"):  # beyond what 32 bits hold: no number either
            wave_ = wave_.astype(np.float32) * np.float32(32_768)
        return np.where(np.isfinite(wave_), wave_, np.float32(0))
    if coding != PCM or not 1 <= width <= 4:
        return None
    if width == 1:  # unsigned, unlike the wider ones
        return (raw.astype(np.float32) - 128) * 256
    wide = np.zeros((raw.size // width, 4), np.uint8)  # the most significant byte comes last
    wide[:, 4 - width :] = raw.reshape(-1, width)
    return wide.view("<i4")[:, 0].astype(np.float32) / np.float32(65_536)


def write_wav(path: str | Path, samples: Samples) -> None:
    """Writes 16-bit mono of 16 kHz."""
    with closing(WavSink(path)) as sink:
        sink.play(samples)


class WavSource:
    """Wave files one after the other, each followed by a second of silence.

    Args:
        paths: files, or sound itself.
        paced: give each frame when a microphone would.
    """

    def __init__(self, paths: Sequence[str | Path | Samples], *, paced: bool = False) -> None:
        self.paced = paced
        self.sounds = [path if isinstance(path, np.ndarray) else read_wav(path) for path in paths]
        self.started = 0.0  # perf_counter at the first sample
        self._closed = threading.Event()

    def frames(self) -> Iterator[Samples]:
        """All of them, in order."""
        gap = np.zeros(int(GAP_S * RATE), np.int16)
        sound = np.concatenate([np.concatenate([one, gap]) for one in self.sounds] or [gap])
        sound = np.pad(sound, (0, -sound.size % FRAME))
        self.started = time.perf_counter()
        for at in range(0, sound.size, FRAME):
            if self.paced:  # a frame is there when its last sample is
                self._closed.wait(max(0.0, self.started + (at + FRAME) / RATE - time.perf_counter()))
            if self._closed.is_set():
                return
            yield sound[at : at + FRAME]

    def close(self) -> None:
        """Ends `frames`."""
        self._closed.set()


class Queued:
    """Blocks of sound that wait to be played one after the other; what plays them takes each by `_next`."""

    def __init__(self) -> None:
        self._queue: deque[Samples] = deque()
        self._more = threading.Condition()
        self._busy = False  # a block sounds
        self._levels: deque[tuple[float, float]] = deque(maxlen=64)
        self.last_sound = 0.0  # perf_counter when a block was last begun

    def play(self, samples: Samples) -> None:
        """Queues it."""
        with self._more:
            self._queue.extend(samples[at : at + BLOCK] for at in range(0, samples.size, BLOCK))
            self._more.notify_all()

    def stop(self) -> None:
        """Forgets what is queued."""
        with self._more:
            self._queue.clear()
            self._levels.clear()
            self._more.notify_all()

    def wait(self, seconds: float) -> bool:
        """Whether all has been played within so many seconds."""
        with self._more:
            return self._more.wait_for(lambda: not self._queue and not self._busy, seconds)

    @property
    def playing(self) -> bool:
        """Whether something is queued or sounds."""
        return bool(self._queue) or self._busy

    @property
    def level(self) -> float:
        """Loudest of what may still be heard."""
        now = time.perf_counter()
        return max((level for at, level in list(self._levels) if now - at < ECHO_S), default=0.0)

    def _next(self) -> Samples | None:
        """Takes a block that sounds from now on; None: there is none. The lock is held."""
        self._busy = bool(self._queue)
        if not self._busy:
            self._more.notify_all()
            return None
        block = self._queue.popleft()
        self.last_sound = time.perf_counter()
        self._levels.append((self.last_sound, rms(block)))
        return block


class _Player(Queued):
    """Plays in a thread of its own; stops between two blocks."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="neuromem-sound", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Plays to the end."""
        with self._more:
            self._ended = True
            self._more.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._more:
                block = self._next()
                while block is None:
                    self._more.wait_for(lambda: self._queue or self._ended)
                    if not self._queue:
                        return
                    block = self._next()
            self._sound(block)

    def _sound(self, block: Samples) -> None:
        raise NotImplementedError


class NoSink(_Player):
    """Plays to nobody, for as long as it would take: what a stop can be measured on."""

    def _sound(self, block: Samples) -> None:
        time.sleep(block.size / RATE)


class WavSink:
    """Writes a wave file; sound counts as played when it is written.

    Raises:
        InvalidInput: it cannot be written there.
    """

    playing, level = False, 0.0

    def __init__(self, path: str | Path) -> None:
        try:  # by us: `wave`, given a path that cannot be opened, complains once more when it is collected
            self._raw = open(path, "wb")  # noqa: SIM115 - open until close()
        except OSError as error:
            raise InvalidInput(
                "output", f"{path} cannot be written ({error})", "give another path"
            ) from error
        self._file = wave.open(self._raw, "wb")  # noqa: SIM115 - open until close()
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(RATE)

    def play(self, samples: Samples) -> None:
        """Writes at once."""
        self._file.writeframes(samples.astype("<i2").tobytes())

    def stop(self) -> None:
        """Nothing is queued."""

    def wait(self, seconds: float) -> bool:  # noqa: ARG002
        """Nothing is to be waited for."""
        return True

    def close(self) -> None:
        """Finishes the file."""
        with self._raw:
            self._file.close()
