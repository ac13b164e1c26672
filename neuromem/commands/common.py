"""What all commands share: the store they open, whose memory is meant, output, progress."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import Config
from ..errors import InvalidInput, NotFound
from ..heap import loading
from ..identity import data_folder

if TYPE_CHECKING:
    from rich.console import Console

    from ..memory import Memory
    from ..owners import Progress

__all__ = [
    "check_folder", "emit", "note_faded", "open_memory", "progress", "settings", "store_path", "time_of",
    "whole_id", "whose",
]  # fmt: skip

DEFAULT_USER = "me"
OLD_S = 7 * 86_400.0  # talk older than this has begun to fade
STEADY = {"forgetting": {"decay": "none"}}  # of what serves others: as mem0, it forgets only if it is told to
PATIENCE_S = 0.4  # work shorter than this shows no progress bar
MAKES_ANEW = ("rebuild",)  # commands that begin with an empty bank in any case


def store_path(args: argparse.Namespace) -> Path:
    """Folder of the store: --path or $NEUROMEM_PATH, else the platform's folder for a user's data."""
    if args.path is not None:
        if not args.path.strip():
            raise InvalidInput("path", "is blank", "give a folder")
        return Path(args.path).expanduser()
    return data_folder()


def settings(args: argparse.Namespace, defaults: Mapping[str, Any] | None = None) -> Config:
    """Settings of --config and the environment.

    Args:
        defaults: what holds where neither of them says otherwise.
    """
    return Config.load(file=args.config, defaults=defaults)


def check_folder(path: Path) -> None:
    """Raises InvalidInput when the path of a store leads through a file."""
    blocked = next((place for place in (path, *path.parents) if place.exists() and not place.is_dir()), None)
    if blocked is not None:
        raise InvalidInput("path", f"{blocked} is a file", "give a folder")


@contextmanager
def open_memory(
    args: argparse.Namespace, *, readonly: bool = False, new: bool = False,
    clock: Callable[[], float] = time.time,
) -> Iterator[Memory]:  # fmt: skip
    """The store, closed at the end.

    Args:
        readonly: looks only, so that another process may be writing.
        new: make the store if there is none.
        clock: gives Unix seconds.

    Raises:
        NotFound: there is none. InvalidInput: the path leads through a file.
    """
    path = store_path(args)
    check_folder(path)
    if not new and not (path / "log").is_dir():
        raise NotFound(f'no memory at {path} yet; begin with: neuromem add "My dog is called Potola"')
    config = settings(args)
    with loading():
        from ..memory import Memory

    with _Opening() as opening:
        memory = Memory(
            path, config, args.encoder, clock, readonly=readonly, progress=opening.step, notice=opening.say,
            extractor=getattr(args, "extractor", None),
        )  # fmt: skip
        try:
            yield memory
        except KeyboardInterrupt:
            memory.engine.log.close()  # no snapshot of a bank stopped in mid-change: the log has it all
            raise
        except BaseException:
            memory.close()
            raise
        memory.close()


class _Opening:
    """What is shown while a bank is brought in step with the log: why, if it is made anew, and a bar."""

    def __init__(self) -> None:
        self._bar = ExitStack()
        self._step: Progress | None = None
        self._label = "reading the log"

    def __enter__(self) -> _Opening:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def say(self, line: str) -> None:
        """One line on stderr."""
        from ..render import clean

        print(f"neuromem: {clean(line)}", file=sys.stderr)
        self._label = "making the bank anew"

    def step(self, done: int, total: int) -> None:
        """Moves the bar on; each bank has one of its own."""
        if self._step is None:
            self._step = self._bar.enter_context(progress(self._label, "events"))
        self._step(done, total)
        if done >= total:
            self._bar.close()
            self._step, self._label = None, "reading the log"


def whose(args: argparse.Namespace, memory: Memory, *, new: bool = False) -> str:
    """The user that is meant, their bank brought in step with the log, unless it will be made anew.

    Args:
        new: it may be somebody who has said nothing yet.

    Raises:
        NotFound: nobody of that name has a memory. InvalidInput: it is not clear who is meant.
    """
    from ..identity import Owner

    user = _name(args.user, memory.users(), new)
    if args.command not in MAKES_ANEW:
        with memory.engine.owners.use(Owner.of(user, None, None).name):
            pass
    return user


def whole_id(memory: Memory, user: str, given: str) -> str:
    """The id that ends in what was given; a whole id is taken as it is.

    Raises:
        InvalidInput: too short, several fit, or no id at all. NotFound: none fits.
    """
    if len(given) >= 32:
        return given
    ending = given.lower()
    if len(ending) < 4 or not set(ending) <= set("0123456789abcdef-"):
        raise InvalidInput("id", f"{given!r} is not an id", "give one that `neuromem show` lists")
    fitting = [memory_id for memory_id in memory.bank(user).ids() if memory_id.endswith(ending)]
    if len(fitting) > 1:
        raise InvalidInput("id", f"{given!r} fits {len(fitting)} memories", "give more letters of it")
    if not fitting:
        raise NotFound(f"no memory of {user!r} ends in {given!r}; neuromem show lists them")
    return fitting[0]


def _name(given: str | None, known: list[str], new: bool) -> str:
    if given is not None:
        if not new and given not in known:
            raise NotFound(f"{given!r} has no memory here; {_those(known)}")
        return given
    if new or DEFAULT_USER in known:
        return DEFAULT_USER
    if len(known) == 1:
        return known[0]
    if not known:
        raise NotFound('nothing is remembered here yet; begin with: neuromem add "My dog is called Potola"')
    raise InvalidInput("--user", "is missing", _those(known))


def _those(known: list[str]) -> str:
    names = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
    return f"these users have one: {names}" if known else "nobody has"


def time_of(text: str | None, field: str) -> float | None:
    """Unix seconds of an option's time: ISO 8601 or a number."""
    if text is None:
        return None
    from ..identity import seconds_of

    try:
        return seconds_of(float(text), field)
    except ValueError as error:
        if isinstance(error, InvalidInput):
            raise
    return seconds_of(text, field)


def emit(args: argparse.Namespace, data: Any, view: Callable[[Console], None]) -> None:
    """Prints a result: as one JSON document, or as a human reads it."""
    if args.json:
        print(json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2))
        return
    from ..render import make_console

    view(make_console())


def note_faded(console: Console, oldest: float | None) -> None:
    """Says that what was read in has faded, if the oldest of it (Unix seconds) was told long enough ago."""
    from ..render import note

    if oldest is not None and time.time() - oldest > OLD_S:
        note(
            console,
            "Old talk has faded as if it had been heard then; `neuromem rebuild` brings every word back.",
        )


@contextmanager
def progress(label: str, unit: str, *, transient: bool = True) -> Iterator[Progress]:
    """A progress bar with rate and remaining time on stderr, shown once the work takes a while.

    Yields:
        The function to call with (done, of how many).
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from ..render import clean, make_progress

    bar = make_progress(unit, transient)
    task = bar.add_task(clean(label), total=None)
    started = time.monotonic()

    def step(done: int, total: int) -> None:
        if not bar.live.is_started and time.monotonic() - started > PATIENCE_S:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield step
    finally:
        bar.stop()
