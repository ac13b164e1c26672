"""Sound cards, through PortAudio: a microphone and a loudspeaker."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingDependency, NeuromemError, NotFound
from .audio import BLOCK, FRAME, RATE, Queued, Samples

__all__ = ["Microphone", "SoundCard", "devices"]

DEAF_S = 2.0  # with no frame from a device, or asked for by it, after which it is opened anew

_LOG = logging.getLogger(__name__)


class Microphone:
    """A sound card's input; where nothing comes from it any more it is opened anew.

    Args:
        device: name or number; None: the default.

    Raises:
        MissingDependency: no sounddevice, or no PortAudio. NotFound: no such input.
    """

    paced = True

    def __init__(self, device: str | int | None = None) -> None:
        self._frames: deque[Samples] = deque(maxlen=2_000)  # a minute, should the loop be that late
        self._more = threading.Condition()
        self._closed = False
        self._device = device
        self._switching = threading.Lock()  # held while the device is opened or closed
        with _no_device("microphone"):
            self._stream = self._opened()

    def _opened(self) -> Any:
        stream = _sounddevice().InputStream(
            RATE, FRAME, self._device, channels=1, dtype="int16", latency="low", callback=self._heard
        )
        stream.start()
        return stream

    def _heard(self, data: NDArray[np.int16], *_: Any) -> None:
        with self._more:
            self._frames.append(data[:, 0].copy())
            self._more.notify()

    def frames(self) -> Iterator[Samples]:
        """What is heard, until `close`."""
        while True:
            with self._more:
                self._more.wait_for(lambda: self._frames or self._closed, DEAF_S)
                if self._closed:
                    return
                frame = self._frames.popleft() if self._frames else None
            if frame is None:
                self._open_anew()
            else:
                yield frame

    def _open_anew(self) -> None:
        """PortAudio gives up a stream whose device fails it, and tells nobody."""
        _LOG.warning("nothing comes from the microphone; it is opened anew")
        try:
            with self._switching:
                if not self._closed:
                    self._stream.close()
                    self._stream = self._opened()
        except _sounddevice().PortAudioError as error:
            _LOG.warning("the microphone cannot be opened (%s); tried again in %.0f s", error, DEAF_S)

    def close(self) -> None:
        """Gives the device back."""
        with self._more:
            self._closed = True
            self._more.notify_all()
        with self._switching:
            self._stream.close()


class SoundCard(Queued):
    """A sound card's output; see `Microphone`.

    The device asks for each block when it needs one and plays silence between: a stream that is written to
    was seen to wait for ever once it had run dry.
    """

    def __init__(self, device: str | int | None = None) -> None:
        super().__init__()
        self._asked = time.perf_counter()  # when the device last asked for a block
        self._device = device
        self._switching = threading.Lock()  # held while the device is opened, started or stopped
        with _no_device("loudspeaker"):
            self._stream = self._opened()

    def _opened(self) -> Any:
        stream = _sounddevice().OutputStream(
            RATE, BLOCK, self._device, channels=1, dtype="int16", latency="low", callback=self._fill
        )
        stream.start()
        return stream

    def _fill(self, out: NDArray[np.int16], *_: Any) -> None:
        self._asked = time.perf_counter()
        with self._more:
            block = self._next()
        out[:] = 0
        if block is not None:
            out[: block.size, 0] = block

    def play(self, samples: Samples) -> None:
        """Queues it, on a device that plays."""
        super().play(samples)
        with self._switching:
            try:
                if self._stream.stopped:
                    self._asked = time.perf_counter()
                    self._stream.start()
                elif time.perf_counter() - self._asked > DEAF_S:
                    _LOG.warning("the loudspeaker asks for nothing; it is opened anew")
                    self._asked = time.perf_counter()
                    self._stream.close()
                    self._stream = self._opened()
            except _sounddevice().PortAudioError as error:
                _LOG.warning("the loudspeaker does not play (%s); tried again with the next sound", error)

    def stop(self) -> None:
        """Ends what is playing: what the device holds, too."""
        held = self.playing
        super().stop()
        if held:
            with self._switching:
                self._stream.abort()
        self._busy = False
        super().stop()  # what came meanwhile belongs to the same answer

    def close(self) -> None:
        """Plays to the end, if the device still does, and gives it back."""
        self.wait(len(self._queue) * BLOCK / RATE + DEAF_S)
        with self._switching:
            self._stream.close()


class _no_device:
    """PortAudio's complaint as ours."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is not None and not isinstance(error, NeuromemError) and isinstance(error, Exception):
            raise NotFound(
                f"no {self._what} can be opened ({error}); `neuromem doctor` lists devices, "
                "--input FILE.wav and --output FILE.wav need none"
            ) from error


def _sounddevice() -> Any:
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: no PortAudio library
        raise MissingDependency("sound in and out", "sounddevice", "voice") from error
    return sounddevice


def devices() -> list[str]:
    """The sound devices of this machine, a line for each; none where there is no sound card."""
    found: Iterable[Any] = _sounddevice().query_devices()
    return [
        f"{number} {device['name']} ({device['max_input_channels']} in, {device['max_output_channels']} out)"
        for number, device in enumerate(found)
    ]
