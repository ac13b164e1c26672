"""When somebody speaks: a detector frame by frame, and where an utterance begins and ends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingDependency
from .audio import FRAME, RATE, Samples, rms

__all__ = ["EchoGuard", "Endpointer", "EnergyDetector", "SileroDetector", "VoiceDetector", "load_detector"]

CONTEXT = 64  # samples of the last frame that silero's network sees again
FRAME_MS = FRAME * 1_000 / RATE
FAINT = 100.0  # root mean square of what is no voice
LOUD = 0.7  # chance that a loud frame is speech
LONGEST_S = 30.0  # of an utterance: what Whisper hears at once
ENOUGH_ECHOES, KEPT_ECHOES = 10, 150  # frames: a third of a second, five seconds


class VoiceDetector(Protocol):
    """Tells speech from other sound."""

    def speech(self, frame: Samples) -> float:
        """The chance that a frame is speech; frames come in order."""

    def reset(self) -> None:
        """Forgets the frames before."""


class SileroDetector:
    """Silero's network (Silero Team, 2024), by ONNX alone: 0.1 ms a frame, no torch.

    Raises:
        MissingDependency: neither silero-vad nor faster-whisper carries the file here, or no onnxruntime.
    """

    def __init__(self) -> None:
        path = _silero_file()
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingDependency("voice detection", "onnxruntime", "voice") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        self.reset()

    def reset(self) -> None:
        """Forgets the frames before."""
        self._state: NDArray[Any] = np.zeros((2, 1, 128), np.float32)
        self._tail: NDArray[Any] = np.zeros(CONTEXT, np.float32)

    def speech(self, frame: Samples) -> float:
        """The network's own chance."""
        wave = frame.astype(np.float32) / np.float32(32_768)
        given = {"input": np.concatenate([self._tail, wave])[None], "state": self._state,
                 "sr": np.array(RATE, np.int64)}  # fmt: skip
        chance, self._state = self._session.run(None, given)
        self._tail = wave[-CONTEXT:]
        return float(chance[0, 0])


def _silero_file() -> Path:
    """Its file, found without importing the package, which would load torch."""
    spec = find_spec("silero_vad")
    places = spec.submodule_search_locations if spec is not None else None
    for place in places or ():
        path = Path(place) / "data" / "silero_vad.onnx"
        if path.is_file():
            return path
    raise MissingDependency("voice detection", "silero-vad", "voice")


class EnergyDetector:
    """Loud is speech: for machines without onnxruntime, and quiet rooms. A slam, one loud frame, is not."""

    def __init__(self, floor: float = 250.0) -> None:
        self._floor = floor

    def reset(self) -> None:
        """Nothing is kept."""

    def speech(self, frame: Samples) -> float:
        """1/2 at the floor, `LOUD` at most."""
        level = rms(frame)
        return min(LOUD, level / (level + self._floor))


def load_detector() -> VoiceDetector:
    """Silero's where it is installed, else the level of sound."""
    try:
        return SileroDetector()
    except MissingDependency:
        return EnergyDetector()


@dataclass(frozen=True, slots=True)
class Edge:
    """What a frame brought about."""

    began: tuple[Samples, ...] = ()  # an utterance: its frames so far, some from before it was noticed
    goes_on: bool = False  # … with the same sound that was too long for the last one: nobody has interrupted
    paused: bool = False  # a first short silence: what was said may be complete
    ended: bool = False


class Endpointer:
    """Where utterances begin and end.

    Args:
        detector: tells speech.
        silence_ms: silence that ends an utterance. pause_ms: silence that may turn out to be the end.
        begin: chance of speech that begins one, the mean over so many frames: the first frame of a voice is
            often half silence, and one beyond doubt need not wait for the next. keep: that goes on with it.
        before_ms: sound before the beginning that belongs to it (a soft first consonant).
        longest_s: what goes on so long ends all the same, from two thirds of it on at a pause: where a fan or
            a television never falls silent nothing would be answered, and all of it kept. What follows is
            an utterance of its own.
    """

    def __init__(
        self,
        detector: VoiceDetector,
        *,
        silence_ms: float = 600.0,
        pause_ms: float = 160.0,
        begin: float = 0.45,
        keep: float = 0.35,
        begin_frames: int = 2,
        before_ms: float = 288.0,
        longest_s: float = LONGEST_S,
    ) -> None:
        self.detector = detector
        self._silence, self._pause = silence_ms / FRAME_MS, int(pause_ms / FRAME_MS)
        self._begin, self._keep = begin * begin_frames, keep
        self._chances: deque[float] = deque(maxlen=begin_frames)  # of the last frames
        self._before: deque[Samples] = deque(maxlen=max(1, int(before_ms / FRAME_MS)) + begin_frames)
        self._longest = longest_s * 1_000 / FRAME_MS
        self._quiet = self._frames = 0  # of this utterance: in silence at its end, and all
        self._unbroken = False  # since the last one, which was too long
        self.speaking = False

    def push(self, frame: Samples, *, allowed: bool = True) -> Edge:
        """Takes the next frame.

        Args:
            allowed: False: this frame begins nothing (it is our own voice).
        """
        chance = self.detector.speech(frame)
        if not self.speaking:
            self._before.append(frame)
            self._unbroken &= chance >= self._keep
            self._chances.append(chance if allowed else 0.0)
            if sum(self._chances) < self._begin:
                return Edge()
            self.speaking, self._quiet = True, 0
            began = tuple(self._before)
            self._frames = len(began)
            self._before.clear()
            self._chances.clear()
            return Edge(began=began, goes_on=self._unbroken)
        self._quiet = 0 if chance >= self._keep else self._quiet + 1
        self._frames += 1
        late = 3 * self._frames >= 2 * self._longest
        enough = min(self._silence, self._pause) if late else self._silence
        if self._quiet >= enough or self._frames >= self._longest:
            self.speaking, self._unbroken = False, self._quiet == 0
            return Edge(ended=True)
        return Edge(paused=self._quiet == self._pause)


class EchoGuard:
    """Keeps our own voice, heard by the microphone, from being taken for the user's.

    How much of what is played comes back is learned from what is heard meanwhile: four of five frames are
    below the `coupling`. Louder than twice that (6 dB) is somebody else.

    Args:
        mode: "guard"; "half": nothing is heard while we speak; "off": headphones, all is heard.
        coupling: what is assumed until enough has been heard.
    """

    MODES = ("guard", "half", "off")

    def __init__(self, mode: str = "guard", coupling: float = 0.4) -> None:
        self.mode, self.coupling = mode, coupling
        self._echoes: deque[float] = deque(maxlen=KEPT_ECHOES)  # heard per played, frame by frame

    def allows(self, frame: Samples, playing: bool, level: float) -> bool:
        """Whether a frame may be the user's voice."""
        if self.mode == "off" or (not playing and not level):
            return True
        if self.mode == "half":
            return False
        heard = rms(frame)
        if heard > max(FAINT, 2 * self.coupling * level):  # a whisper of noise is nobody
            return True
        if level > 0:
            self._echoes.append(heard / level)
            if len(self._echoes) >= ENOUGH_ECHOES:
                self.coupling = float(np.quantile(self._echoes, 0.8))
        return False
