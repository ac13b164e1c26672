"""send and listen: a message, or a memory, through the air."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArchiveInvalid, InvalidInput, NoSignal, SignalDamaged, SoundError
from ..identity import Owner
from ..sound.acoustic_file import heard_log, read_sound
from ..sound.modem import Importance, Listener, Received, demodulate, encode, modulate
from ..sound.needed import needed
from .common import emit, open_memory, whose
from .move import told, view_import

__all__ = ["listen", "send"]

BLOCK_S = 0.25  # of what the microphone hands over at a time
MOST_FILE_S = 6 * 3600  # of a recording that is read


def send(args: Namespace) -> int:
    """Plays a message or a memory, or writes its sound to a file."""
    if args.memory == bool(args.what):
        raise InvalidInput("TEXT|FILE", "or --memory", "give words, or a file, or --memory")
    if args.spare and (args.memory or args.importance):
        raise InvalidInput("--spare", "is for plain messages", "leave it out: classes have their own parity")
    if args.memory:
        items = _memory_items(args)
    else:
        payload = _payload(args.what)
        items = [(payload, Importance[args.importance.upper().replace("-", "_")])] if args.importance else []
    if items:
        sound, size = encode(items, args.mode, args.rate), sum(len(data) for data, _ in items)
    else:
        sound, size = modulate(payload, args.mode, args.rate, args.spare), len(payload)
    seconds = len(sound) / args.rate
    path = Path(args.output).expanduser() if args.output else None
    if path is not None:
        _write(path, sound, args.rate)
    else:
        _play(sound, args.rate)
    data = {
        "bytes": size,
        "mode": args.mode,
        "rate": args.rate,
        "seconds": round(seconds, 3),
        "bits_per_second": round(8 * size / seconds),
        "classes": {
            each.label: sum(len(data) for data, importance in items if importance is each)
            for each in sorted({importance for _, importance in items})
        },
        "file": str(path) if path else None,
    }
    where = f"in {path}" if path else "were sent"
    emit(args, data, lambda console: console.print(f"{size:,} bytes, {seconds:.1f} s of sound, {where}"))
    return 0


def _memory_items(args: Namespace) -> list[tuple[bytes, Importance]]:
    from ..sound.memory_file import acoustic_items

    with open_memory(args, readonly=True) as memory:
        owner = Owner.of(whose(args, memory), None, None).name
        with memory.engine.owners.use(owner) as open_:
            return acoustic_items(memory.engine, open_.fold, args.mode)


def listen(args: Namespace) -> int:
    """Hears one message, of a file or of the microphone."""
    if args.seconds is not None and args.seconds < 1:
        raise InvalidInput("--seconds", f"{args.seconds} is too short", "give 1 or more")
    try:
        heard = _of_file(args) if args.input else _of_microphone(args)
    except SignalDamaged as error:
        if not args.memory:
            raise
        return _import(args, error)
    if args.memory:
        return _import(args, heard)
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


def _import(args: Namespace, heard: Received | SignalDamaged) -> int:
    """Takes in the memory that was heard."""
    from ..sound.memory_file import Gaps, import_heard

    log, gaps = heard_log(heard), list[Gaps]()
    if log is None:
        if isinstance(heard, SignalDamaged):
            raise heard
        raise ArchiveInvalid("what was heard is a message, but no memory; listen without --memory shows it")
    with open_memory(args, new=True) as memory:
        on_gaps = gaps.append if args.partial else None
        user, count = import_heard(memory.engine, log, args.user, "what was heard", on_gaps)
    data = {"user": user, "memories": count, **told(gaps), "report": log.report.as_dict()}
    emit(args, data, lambda console: view_import(console, count, user, gaps))
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
