"""Words to speech: flite, espeak-ng, macOS `say`, piper; and an answer's pieces cut into sentences."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from ..errors import InvalidInput, NeuromemError, NotFound
from .audio import Samples, read_wav

__all__ = ["ProgramSpeaker", "Silent", "Speaker", "default_speaker", "load_speaker", "sentences"]

PATIENCE_S = 60.0  # for one sentence; what takes longer hangs
LONG = 240  # signs; a clause of so many is spoken before its sentence ends
SPECS = "flite, flite:VOICE, espeak, espeak:VOICE, say, say:VOICE, piper:MODEL.onnx or none"
_SIGNS = re.compile(r"[*_`#]+|\[([^\]]*)\]\([^)]*\)")  # marks that are not said
_END = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s)|\n+|[。！？]""")
_SHORT = re.compile(r"\b(?:mr|mrs|ms|dr|st|prof|vs|no|e\.g|i\.e|[a-z])\.$", re.IGNORECASE)  # end no sentence


class Speaker(Protocol):
    """Speaks one sentence at a time."""

    name: str

    def speak(self, text: str) -> Iterator[Samples]:
        """Its sound, bit by bit; closing it stops the work."""


class ProgramSpeaker:
    """A program that writes a wave file.

    Args:
        command: gives its words for a text and the file to write. Words of an answer are arguments or
            standard input, never a shell's.
    """

    def __init__(
        self,
        name: str,
        command: Callable[[str, Path], list[str]],
        *,
        on_stdin: bool = False,
        remedy: str = "",
    ) -> None:
        self.name, self._command, self._on_stdin = name, command, on_stdin
        program = command("", Path())[0]
        if shutil.which(program) is None:
            raise NotFound(f"--tts {name} needs the program {program!r}, which is not here; {remedy}")

    def speak(self, text: str) -> Iterator[Samples]:
        """The whole sentence; made of it whatever has no sound is nothing.

        Raises:
            NeuromemError: the program failed.
        """
        said = _SIGNS.sub(lambda match: match[1] or "", text).replace("\0", " ").strip()
        if not any(map(str.isalnum, said)):
            return
        with tempfile.TemporaryDirectory(prefix="neuromem-voice-") as folder:
            path = Path(folder) / "said.wav"
            try:
                done = subprocess.run(
                    self._command(said, path), input=said.encode() if self._on_stdin else b"",
                    capture_output=True, timeout=PATIENCE_S, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired as error:
                raise NeuromemError(f"{self.name} did not speak within {PATIENCE_S:.0f} s") from error
            if done.returncode or not path.is_file():
                why = done.stderr.decode(errors="replace").strip().splitlines()
                raise NeuromemError(f"{self.name} cannot speak: {why[-1] if why else done.returncode}")
            sound = read_wav(path)
        yield sound


class Silent:
    """Says nothing: `--tts none`."""

    name = "none"

    def speak(self, text: str) -> Iterator[Samples]:  # noqa: ARG002
        """No sound."""
        yield from ()


def load_speaker(spec: str) -> Speaker:
    """The speaker that `--tts` names.

    Raises:
        InvalidInput: there is none of that name. NotFound: its program or model is not here.
    """
    kind, _, voice = spec.partition(":")
    if spec == "none":
        return Silent()
    if kind == "flite":
        use = voice or "rms"  # of its voices the one that recognizers understand best
        return ProgramSpeaker(
            spec, lambda text, path: ["flite", "-voice", use, "-t", text, "-o", str(path)],
            remedy="install it: apt install flite",
        )  # fmt: skip
    if kind in ("espeak", "espeak-ng"):
        return ProgramSpeaker(
            spec, lambda _, path: ["espeak-ng", "-v", voice or "en", "-w", str(path), "--stdin"],
            on_stdin=True, remedy="install it: apt install espeak-ng, or brew install espeak-ng",
        )  # fmt: skip
    if kind == "say":
        which = ["-v", voice] if voice else []
        return ProgramSpeaker(
            spec,
            lambda _, path: ["say", *which, "--data-format=LEI16@22050", "-o", str(path), "-f", "-"],
            on_stdin=True, remedy="it is a part of macOS; elsewhere use --tts espeak",
        )  # fmt: skip
    if kind == "piper" and voice:
        if not Path(voice).expanduser().is_file():
            raise NotFound(f"{voice} does not exist; give piper:MODEL.onnx, a file of a piper voice")
        return ProgramSpeaker(
            spec, lambda _, path: ["piper", "--model", str(Path(voice).expanduser()), "-f", str(path)],
            on_stdin=True, remedy="install it: pip install piper-tts",
        )  # fmt: skip
    raise InvalidInput("--tts", f"{spec!r} is not known", f"give {SPECS}")


def default_speaker() -> str:
    """What speaks here without being asked for: the first that is installed."""
    order = ("say", "espeak-ng", "flite") if sys.platform == "darwin" else ("espeak-ng", "flite")
    return next((name for name in order if shutil.which(name)), "none")


def sentences(pieces: Iterable[str]) -> Iterator[str]:
    """Whole sentences as soon as they are whole, of an answer that comes in pieces."""
    waiting = ""
    for piece in pieces:
        waiting += piece
        while (cut := _cut(waiting)) is not None:
            sentence, waiting = waiting[:cut].strip(), waiting[cut:]
            if sentence:
                yield sentence
    if waiting.strip():
        yield waiting.strip()


def _cut(text: str) -> int | None:
    """Where the first sentence ends, if that is certain."""
    for end in _END.finditer(text):
        if not _SHORT.search(text[: end.end()]):
            return end.end()
    if len(text) > LONG:
        at = max(text.rfind(sign, 0, LONG) for sign in (", ", "; ", ": "))
        return at + 1 if at > 0 else None
    return None
