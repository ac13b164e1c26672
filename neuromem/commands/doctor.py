"""doctor: what is installed and where, and whether it works, a line for each."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..config import Config
from ..errors import MissingDependency, NeuromemError, NotFound, StoreLocked
from ..shipped import DEFAULT_ENCODER, checkpoint_path
from .common import emit, settings, store_path

if TYPE_CHECKING:
    from rich.console import Console

    from ..encoders import Encoder
    from ..memory import Memory

__all__ = ["Check", "checks", "doctor", "self_test"]

PACKAGES = (
    "torch", "numpy", "safetensors", "lmdb", "zstandard", "rich", "snowballstemmer", "tokenizers",
    "onnxruntime", "prompt_toolkit",
)  # fmt: skip
OPTIONAL = ("sentence-transformers",)  # only some encoders need it, and have a check of their own
AGAIN = "install neuromem again, with all that it needs"
LEAST_FREE_BYTES = 200 << 20
APPENDS = 20
SLOW_APPEND_MS = 100.0
SENTENCES = [f"what is the name of dog number {number}?" for number in range(11)]  # encoded one by one
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    name: str
    ok: bool
    detail: str


def doctor(args: Namespace) -> int:
    """Runs all checks."""
    found = list(checks(store_path(args), settings(args), args.encoder))
    ok = all(check.ok for check in found)
    emit(
        args, {"ok": ok, "checks": [asdict(check) for check in found]}, lambda console: _show(console, found)
    )
    return 0 if ok else 1


def _show(console: Console, found: list[Check]) -> None:
    from rich.text import Text

    from ..render import clean, facts_table

    table = facts_table()
    table.show_header = False
    table.add_column("state", no_wrap=True)
    table.add_column("check", no_wrap=True)
    table.add_column("detail", ratio=1, overflow="fold")
    for check in found:
        state = Text("PASS", style="bright_green") if check.ok else Text("FAIL", style="bold red")
        table.add_row(state, check.name, clean(check.detail))
    console.print(table)
    failed = sum(not check.ok for check in found)
    console.print(
        Text(f"{failed} of {len(found)} checks failed" if failed else f"all {len(found)} checks passed")
    )


def checks(path: Path, config: Config, encoder: str | None) -> Iterator[Check]:
    """All checks, in order.

    Args:
        path: the store's folder; need not exist.
    """
    yield Check("neuromem", True, f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    yield Check("packages", *_packages())
    yield _guarded("device", lambda: _device(config))
    yield _guarded("sound", lambda: (True, _sound()))
    yield _guarded("sound profile", lambda: (True, _profile()))
    yield _guarded("codec", lambda: _codec(config))
    embedding = _guarded("encoder", lambda: _encoder(encoder))
    yield embedding
    yield _guarded("store", lambda: _store(path, config))
    yield _guarded("disk space", lambda: _disk(path))
    yield _guarded("durable write", lambda: _durable_write(path))
    yield from self_test(config, encoder if embedding.ok else "hash")


def _guarded(name: str, check: Callable[[], tuple[bool, str]]) -> Check:
    """A check whose typed error is its finding, and so is a package that is not there or cannot start."""
    try:
        return Check(name, *check())
    except (NeuromemError, OSError) as error:
        return Check(name, False, str(error))
    except ImportError as error:
        return Check(name, False, f"{error}; {AGAIN}")


def _packages() -> tuple[bool, str]:
    found, missing = [], []
    for name in (*PACKAGES, *OPTIONAL):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    text = ", ".join(found) + (f"; not installed: {', '.join(missing)}" if missing else "")
    return set(missing) <= set(OPTIONAL), text


def _device(config: Config) -> tuple[bool, str]:
    import torch

    from ..layout import pick_device

    device = pick_device(config.bank.device)
    return True, f"{device} (setting {config.bank.device!r}), {torch.get_num_threads()} threads"


def _sound() -> str:
    """Sound devices; none of them is needed."""
    from ..voice import devices

    try:
        return "; ".join(devices()) or "no sound card; neuromem voice takes --input and --output FILE.wav"
    except MissingDependency as error:
        return str(error)


def _profile() -> str:
    """How a memory in sound is written here, unless --profile says otherwise."""
    from ..sound.profiles import detect

    found = detect()
    return f"{found.profile} ({found.why})"


def _codec(config: Config) -> tuple[bool, str]:
    from ..codec import default_codec
    from ..layout import pick_device

    codec, path = default_codec(str(pick_device(config.bank.device))), checkpoint_path("codec.safetensors")
    return True, f"{codec.identity}, {path.stat().st_size / 1e6:.1f} MB, {path}"


def _encoder(spec: str | None) -> tuple[bool, str]:
    from ..encoders import load_encoder

    started = time.perf_counter()
    model = load_encoder(spec)
    vectors = model.encode(["My dog's name is Potola"])
    loaded = time.perf_counter() - started
    spent = []
    for sentence in SENTENCES:
        started = time.perf_counter()
        model.encode([sentence])
        spent.append((time.perf_counter() - started) * 1_000)
    fits = tuple(vectors.shape) == (1, model.width) and abs(float(vectors.norm()) - 1) < 1e-4
    which = f"{DEFAULT_ENCODER} (default)" if spec is None else spec
    return fits, (
        f"{which}: {model.name}, {model.width} numbers, {_weights(model)}, loaded in {loaded:.2f} s, "
        f"p50 {statistics.median(spent):.1f} ms a sentence"
    )


def _weights(model: Encoder) -> str:
    """Where an encoder's weights are, and their size."""
    place = getattr(model, "path", None) or getattr(model, "folder", None)
    if not isinstance(place, Path):
        return "no checkpoint"
    files = [place] if place.is_file() else [*place.glob("*.safetensors"), *place.glob("*.bin")]
    return f"{place}, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB"


def _store(path: Path, config: Config) -> tuple[bool, str]:
    from ..log import EventLog

    if not (path / "log").is_dir():
        place = _standing(path)
        return os.access(place, os.W_OK | os.X_OK), f"none yet at {path} ({place} is where it would be made)"
    try:
        with EventLog(path / "log", config.log, readonly=True) as log:
            stats = log.stats()
    except StoreLocked as error:
        return True, str(error)
    size = float(stats["bytes"]) / 1e6
    return True, f"{path}: {stats['owners']} owners, {stats['records']} records, {size:.1f} MB"


def _standing(path: Path) -> Path:
    """The nearest folder above that exists."""
    return next((place for place in (path, *path.absolute().parents) if place.is_dir()), Path("/"))


def _disk(path: Path) -> tuple[bool, str]:
    place = _standing(path)
    free = shutil.disk_usage(place).free
    return free >= LEAST_FREE_BYTES, f"{free / 1e9:.1f} GB free at {place}"


def _durable_write(path: Path) -> tuple[bool, str]:
    from ..log import Event, EventLog

    spent = []
    with (
        tempfile.TemporaryDirectory(prefix=".neuromem-doctor-", dir=_standing(path)) as folder,
        EventLog(Path(folder) / "log") as log,
    ):
        for number in range(APPENDS):
            started = time.perf_counter()
            log.append("doctor", Event("say", time.time(), {"text": f"line {number}"}))
            spent.append((time.perf_counter() - started) * 1_000)
    middle = statistics.median(spent)
    return middle < SLOW_APPEND_MS, f"p50 {middle:.2f} ms, slowest {max(spent):.2f} ms, of {APPENDS} appends"


def self_test(config: Config, encoder: str | None) -> Iterator[Check]:
    """Writes, recalls, fades and rebuilds a fact in RAM, by a clock that it moves."""
    try:
        from ..memory import Memory
    except ImportError as error:
        yield Check("self-test", False, f"{error}; {AGAIN}")
        return

    now = [1_772_452_800.0]
    text, question = "My dog's name is Potola", "what is my dog called?"
    with Memory(None, config, encoder, lambda: now[0]) as memory:

        def written() -> tuple[bool, str]:
            fact = memory.add(text, "doctor")[0]
            report = fact.report
            return fact.exact, f"{fact.gist}, {report.steps if report else '?'} steps"

        def recalled() -> tuple[bool, str]:
            started = time.perf_counter()
            best = memory.search(question, "doctor", limit=1, fidelity="weights", rehearse=False)[0]
            return best.text == text, f"{best.text!r} in {(time.perf_counter() - started) * 1_000:.1f} ms"

        yield _guarded("self-test: write", written)
        yield _guarded("self-test: recall", recalled)
        yield _guarded("self-test: fade", lambda: _fades(memory, now, text, config))
        yield _guarded("self-test: rebuild", lambda: _rebuilds(memory, text))
        yield _guarded("self-test: chain", lambda: (memory.verify().ok, "every record, hash and Merkle node"))


def _fades(memory: Memory, now: list[float], text: str, config: Config) -> tuple[bool, str]:
    now[0] += 30 * DAY
    said = _held(memory, "weights")
    if config.forgetting.decay == "none":
        return said == text, "decay is off: the words stay"
    return len(said) < len(text), f"after 30 days: {said!r}"


def _rebuilds(memory: Memory, text: str) -> tuple[bool, str]:
    memory.rebuild("doctor")
    said = _held(memory, "weights")
    return said == text, f"{said!r}"


def _held(memory: Memory, fidelity: str) -> str:
    held = memory.all("doctor", fidelity=fidelity)
    if not held:
        raise NotFound("the fact is not in the weights")
    return held[0].text
