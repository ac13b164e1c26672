"""send and listen: a message through the air."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInput, NoSignal, SoundError
from ..sound.acoustic_file import read_sound
from ..sound.modem import Listener, Received, demodulate, modulate
from ..sound.needed import needed
from .common import emit

__all__ = ["listen", "send"]

BLOCK_S = 0.25  # of what the microphone hands over at a time
MOST_FILE_S = 6 * 3600  # of a recording that is read


def send(args: Namespace) -> int:
    """Plays a message, or writes its sound to a file."""
    payload = _payload(args.what)
    sound = modulate(payload, args.mode, args.rate, args.spare)
    seconds = len(sound) / args.rate
    path = Path(args.output).expanduser() if args.output else None
    if path is not None:
        _write(path, sound, args.rate)
    else:
        _play(sound, args.rate)
    data = {
        "bytes": len(payload),
        "mode": args.mode,
        "rate": args.rate,
        "seconds": round(seconds, 3),
        "bits_per_second": round(8 * len(payload) / seconds),
        "file": str(path) if path else None,
    }
    where = f"in {path}" if path else "were sent"
    emit(
        args,
        data,
        lambda console: console.print(f"{len(payload):,} bytes, {seconds:.1f} s of sound, {where}"),
    )
    return 0


def listen(args: Namespace) -> int:
    """Hears one message, of a file or of the microphone."""
    if args.seconds is not None and args.seconds < 1:
        raise InvalidInput("--seconds", f"{args.seconds} is too short", "give 1 or more")
    heard = _of_file(args) if args.input else _of_microphone(args)
    text: str | None
    try:
        text = heard.payload.decode()
    except UnicodeDecodeError:
        text = None
    path = Path(args.output).expanduser() if args.output else None
    if path is None and text is None and not args.json:
        raise InvalidInput("--output", "is missing, and what came is no text", "name a file to write it to")
    if path is not None:
        _keep(path, heard.payload)
    report = heard.report.as_dict()
    data: dict[str, Any] = {"bytes": len(heard.payload), "text": text, "file": str(path) if path else None}
    if text is None and path is None:
        data["hex"] = heard.payload.hex()
    emit(args, {**data, "report": report}, lambda console: _view(console, heard, text, path))
    return 0


def _view(console: Any, heard: Received, text: str | None, path: Path | None) -> None:
    from ..render import clean

    if path is None:
        console.print(clean(text or ""), markup=False, highlight=False)
    report = heard.report
    note = f"{len(heard.payload):,} bytes, mode {report.mode}, SNR {report.snr_db:.0f} dB, "
    note += f"clock {report.drift_ppm:+.0f} ppm; {report.healed} of {report.frames} frames were healed"
    console.print(note + (f"; written to {path}" if path else ""), markup=False, style="dim")


def _payload(words: list[str]) -> bytes:
    if words == ["-"]:
        return sys.stdin.buffer.read()
    if len(words) == 1:
        try:
            path = Path(words[0]).expanduser()
            if path.is_file():
                return path.read_bytes()
        except (OSError, ValueError, RuntimeError):
            return words[0].encode(errors="replace")  # longer than a path may be: words
    return " ".join(words).encode(errors="replace")


def _write(path: Path, sound: NDArray[np.float32], rate: int) -> None:
    soundfile = needed("soundfile", "writing sound")
    try:
        soundfile.write(str(path), sound, rate, subtype="PCM_16")
    except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:
        raise InvalidInput(
            "--output", f"cannot write {path} ({error})", "name a .wav or .flac in a folder that exists"
        ) from error


def _keep(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InvalidInput("--output", f"cannot write {path} ({error})", "name a file that can be") from error


def _play(sound: NDArray[np.float32], rate: int) -> None:
    device = needed("sounddevice", "playing sound")
    try:
        device.play(sound, rate, blocking=True)
    except device.PortAudioError as error:
        raise SoundError(f"no loudspeaker plays ({error}); name a file with --output") from error


def _of_file(args: Namespace) -> Received:
    sound, rate = read_sound(Path(args.input).expanduser(), min(args.seconds or MOST_FILE_S, MOST_FILE_S))
    return demodulate(sound, rate, args.mode)


def _of_microphone(args: Namespace) -> Received:
    rate = 48_000
    listener = Listener(rate, args.mode)
    ends = time.monotonic() + args.seconds if args.seconds is not None else float("inf")
    for block in _blocks(rate):
        if heard := listener.feed(block):
            return heard[0]
        if listener.damaged:
            raise listener.damaged[0]
        if time.monotonic() > ends:
            raise NoSignal(f"no message in {args.seconds} s; send again, louder or nearer")
    raise NoSignal("the microphone ended before a message did; listen again")


def _blocks(rate: int) -> Iterator[NDArray[np.float32]]:
    device = needed("sounddevice", "listening")
    print("neuromem: listening; Ctrl-C stops", file=sys.stderr)
    try:
        with device.InputStream(samplerate=rate, channels=1, dtype="float32") as stream:
            while True:
                yield stream.read(round(BLOCK_S * rate))[0][:, 0]
    except device.PortAudioError as error:
        raise SoundError(f"no microphone listens ({error}); name a recording with --input") from error
