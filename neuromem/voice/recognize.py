"""Speech to words: PocketSphinx, whose English model is in its package, and faster-whisper."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..errors import InvalidInput, MissingDependency, NeuromemError, NotFound
from .audio import RATE, Samples

__all__ = ["PocketSphinxRecognizer", "Recognizer", "WhisperRecognizer", "load_recognizer"]

# temperatures: a second pass where the first one stammers; Whisper's own six take too long
RETRY = (0.0, 0.6)
PARTIAL_S = 0.5  # new sound before Whisper is asked for a partial: each one costs a whole pass
SPECS = "pocketsphinx, or whisper:NAME_OR_PATH such as whisper:base.en"


class Recognizer(Protocol):
    """Hears one utterance at a time: begin, feed and partial as often as you like, finish."""

    name: str

    def begin(self) -> None:
        """A new utterance."""

    def feed(self, frame: Samples) -> None:
        """Its next sound."""

    def partial(self) -> str:
        """The words so far; cheap, and never waits for a pass under way."""

    def finish(self) -> str:
        """All its words."""


class PocketSphinxRecognizer:
    """CMU PocketSphinx (Huggins-Daines et al., 2006) with the model of its package: English, offline.

    Raises:
        MissingDependency: it is not installed.
    """

    name = "pocketsphinx"

    def __init__(self) -> None:
        try:
            import pocketsphinx
        except ImportError as error:
            raise MissingDependency("--stt pocketsphinx", "pocketsphinx", "voice") from error
        self._decoder: Any = pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL")
        self._open = False

    def begin(self) -> None:
        """A new utterance; one that was not finished is dropped."""
        if self._open:
            self._decoder.end_utt()
        self._decoder.start_utt()
        self._open = True

    def feed(self, frame: Samples) -> None:
        """Decodes as it comes: 0.2 s of work a second."""
        self._decoder.process_raw(frame.astype("<i2").tobytes(), False, False)

    def partial(self) -> str:
        """The best path so far."""
        return self._words() if self._open else ""

    def finish(self) -> str:
        """The best path of all."""
        if self._open:
            self._decoder.end_utt()
            self._open = False
        return self._words()

    def _words(self) -> str:
        best = self._decoder.hyp()
        return "" if best is None else str(best.hypstr).strip()


class WhisperRecognizer:
    """faster-whisper, from a folder or from what was downloaded before; it never asks the network.

    Args:
        model: a folder, or a name such as "base.en". language: such as "de"; None: it finds out, which costs
            a pass over the first sound. threads: of the processor; 0: as CTranslate2 thinks best.

    Raises:
        MissingDependency: it is not installed. NotFound: no such model here; the message says how to get it.
        InvalidInput: a language that the model does not know.
    """

    def __init__(self, model: str, *, language: str | None = None, threads: int = 0) -> None:
        try:
            import faster_whisper
        except ImportError as error:
            raise MissingDependency("--stt whisper", "faster-whisper", "voice") from error
        self.name, self._language = f"whisper:{model}", language
        folder = Path(model).expanduser()
        looks_like_path = os.sep in model or folder.is_dir()
        if looks_like_path and not (folder / "model.bin").is_file():
            raise NotFound(f"{folder} holds no model.bin; give the folder of a CTranslate2 Whisper model")
        try:
            self._model: Any = faster_whisper.WhisperModel(
                str(folder) if looks_like_path else model, device="auto", compute_type="default",
                cpu_threads=threads, local_files_only=True,
            )  # fmt: skip
        except (ValueError, OSError, RuntimeError) as error:
            why = str(error).splitlines()[0][:120]
            raise NotFound(
                f"no Whisper model {model!r} on this machine ({why}); get it once: "
                f"python -c \"import faster_whisper; faster_whisper.download_model('{model}')\""
            ) from error
        if language is not None and language not in self._model.supported_languages:
            known = ", ".join(sorted(self._model.supported_languages))
            raise InvalidInput("--language", f"{language!r} is not known to {model}", f"give one of {known}")
        self._sound: list[Samples] = []
        self._done = 0  # samples that the newest partial has heard
        self._partial = ""
        self._pass: threading.Thread | None = None
        self._turn = 0

    def begin(self) -> None:
        """A new utterance; a pass over the last one ends unheard."""
        self._turn += 1
        self._sound, self._done, self._partial = [], 0, ""

    def feed(self, frame: Samples) -> None:
        """Keeps it; begins a pass on the side when enough is new and none is under way."""
        self._sound.append(frame)
        new = sum(map(len, self._sound)) - self._done
        if new >= PARTIAL_S * RATE and (self._pass is None or not self._pass.is_alive()):
            sound, turn = np.concatenate(self._sound), self._turn
            self._done = sound.size
            self._pass = threading.Thread(target=self._look, args=(sound, turn), daemon=True)
            self._pass.start()

    def partial(self) -> str:
        """The words of the last pass that has ended."""
        return self._partial

    def finish(self) -> str:
        """A last pass over everything.

        Raises:
            NeuromemError: the engine failed.
        """
        if self._pass is not None:
            self._pass.join()
        if not self._sound:
            return ""
        try:
            return self._words(np.concatenate(self._sound), RETRY)
        except (ValueError, RuntimeError) as error:
            raise NeuromemError(f"{self.name} cannot hear this: {str(error).splitlines()[0]}") from error

    def _look(self, sound: Samples, turn: int) -> None:
        try:
            words = self._words(sound, RETRY[:1])
        except (ValueError, RuntimeError):  # the last pass fails as well, and says so
            return
        if turn == self._turn:
            self._partial = words

    def _words(self, sound: Samples, temperatures: tuple[float, ...]) -> str:
        segments, _ = self._model.transcribe(
            sound.astype(np.float32) / 32_768, language=self._language, beam_size=1,
            temperature=temperatures, condition_on_previous_text=False, without_timestamps=True,
        )  # fmt: skip
        return " ".join(segment.text.strip() for segment in segments).strip()


def load_recognizer(spec: str, language: str | None = None) -> Recognizer:
    """The recognizer that `--stt` names.

    Args:
        language: a code such as "de"; None: what the recognizer thinks.

    Raises:
        InvalidInput: there is none of that name; and as its class says.
    """
    kind, _, model = spec.partition(":")
    if spec == "pocketsphinx":
        if language not in (None, "en"):
            raise InvalidInput(
                "--language", "pocketsphinx hears English alone", "use --stt whisper:NAME_OR_PATH"
            )
        return PocketSphinxRecognizer()
    if kind == "whisper" and model:
        return WhisperRecognizer(model, language=language)
    raise InvalidInput("--stt", f"{spec!r} is not known", f"give {SPECS}")
