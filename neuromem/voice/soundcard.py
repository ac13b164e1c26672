"""Sound cards, through PortAudio: a microphone and a loudspeaker."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingDependency, NeuromemError, NotFound
from .audio import BLOCK, FRAME, RATE, Player, Samples

__all__ = ["Microphone", "SoundCard", "devices"]

IDLE_S = 0.3  # a device that has so long nothing to play is stopped: it would run dry
DEAF_S = 2.0  # with no frame from a microphone, after which its device is opened anew

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


class SoundCard(Player):
    """A sound card's output; see `Microphone`."""

    def __init__(self, device: str | int | None = None) -> None:
        with _no_device("loudspeaker"):
            self._stream = _sounddevice().OutputStream(
                RATE, BLOCK, device, channels=1, dtype="int16", latency="low"
            )
        self._switching = threading.Lock()  # held while the device is started or stopped, not while it plays
        super().__init__()

    _idle_s = IDLE_S

    def stop(self) -> None:
        """Ends what is playing: what the device holds, too."""
        super().stop()
        with self._switching:
            if not self._stream.stopped:
                self._stream.abort()

    def close(self) -> None:
        """Plays to the end and gives the device back."""
        super().close()
        self._rest()
        self._stream.close()

    def _rest(self) -> None:
        with self._switching:
            if not self._stream.stopped:
                self._stream.stop()  # when all that it holds is played

    def _sound(self, block: Samples) -> None:
        try:
            with self._switching:
                if self._stream.stopped:
                    self._stream.start()
            self._stream.write(block.reshape(-1, 1))
        except (
            _sounddevice().PortAudioError
        ):  # stopped in mid-write, or run dry: the next block starts it anew
            with self._switching:
                if not self._stream.stopped:
                    self._stream.abort()


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
