"""add and ingest."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from .common import emit, note_faded, open_memory, progress, store_path, time_of, whose
from .streams import words_given

if TYPE_CHECKING:
    from rich.console import Console

    from ..memory import Written
    from .intake import Intake

__all__ = ["add", "ingest"]


def add(args: Namespace) -> int:
    """Remembers words."""
    text = words_given() if args.text == ["-"] else " ".join(args.text)
    metadata, at = _metadata(args.metadata), time_of(args.at, "--at")
    if not text.strip():
        raise InvalidInput("text", "is blank", "give at least one word")
    with open_memory(args, new=True) as memory:
        user = whose(args, memory, new=True)
        with progress("writing", "facts") as step:
            written = memory.add(
                text, user, metadata=metadata, timestamp=at, infer=not args.raw, progress=step
            )
        others = [name for name in memory.users() if name != user]
    data = {"user": user, "written": [_fact(fact) for fact in written]}

    def view(console: Console) -> None:
        from ..render import note

        _show_written(console, written)
        if others:
            note(console, f"told to {user!r}; --user names another")

    emit(args, data, view)
    return 0


def _metadata(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InvalidInput("--metadata", f"is not JSON ({error})", 'give {"key": "value"}') from error
    if not isinstance(value, dict):
        raise InvalidInput("--metadata", "is not an object", 'give {"key": "value"}')
    return value


def _fact(fact: Written) -> dict[str, Any]:
    report = None if fact.report is None else asdict(fact.report)
    return {
        "id": fact.id, "text": fact.text, "gist": fact.gist, "event": fact.event, "exact": fact.exact,
        "report": report,
    }  # fmt: skip


def _show_written(console: Console, written: Sequence[Written]) -> None:
    from rich.text import Text

    from ..render import clean, facts_table, note, short_id

    if not written:
        note(console, "No fact in it (a question, a greeting?). The words are in the log; --raw keeps them.")
        return
    table = facts_table()
    table.add_column("remembered", ratio=3, overflow="fold")
    table.add_column("gist", ratio=2, overflow="fold", style="cyan")
    table.add_column("steps", justify="right", no_wrap=True)
    table.add_column("words", no_wrap=True)
    table.add_column("id", no_wrap=True, style="bright_black")
    for fact in written:
        steps = "" if fact.report is None else str(fact.report.steps)
        state = Text("exact", style="bright_green") if fact.exact else Text("inexact", style="red")
        again = Text(" (again)" if fact.event == "REINFORCE" else "", style="bright_black")
        table.add_row(Text(clean(fact.text)) + again, clean(fact.gist), steps, state, short_id(fact.id))
    console.print(table)


def ingest(args: Namespace) -> int:
    """Reads files; every file is checked before the first is told."""
    from ..ingest import read_talk
    from .intake import Bookmarks, take_in

    talks = [read_talk(file, args.raw) for file in args.files]
    done: list[Intake] = []
    with open_memory(args, new=True) as memory:
        user = whose(args, memory, new=True)
        bookmarks = Bookmarks(store_path(args))
        for file, talk in zip(args.files, talks, strict=True):
            with progress(file, "messages", transient=False) as step:
                done.append(
                    take_in(memory, user, talk, bookmarks, raw=args.raw, again=args.again, progress=step)
                )
    data = {
        "user": user,
        "files": [{"file": file} | asdict(intake) for file, intake in zip(args.files, done, strict=True)],
    }
    emit(args, data, lambda console: _show_intake(console, args.files, done))
    return 0


def _show_intake(console: Console, files: Sequence[str], done: Sequence[Intake]) -> None:
    from ..render import clean, facts_table, note

    table = facts_table()
    table.add_column("file", ratio=1, overflow="fold")
    table.add_column("format", no_wrap=True)
    for name in ("messages", "facts", "again", "inexact"):
        table.add_column(name, justify="right", no_wrap=True)
    for file, intake in zip(files, done, strict=True):
        numbers = (intake.messages, intake.added, intake.reinforced, intake.inexact)
        table.add_row(clean(file), intake.format, *(f"{number:,}" for number in numbers))
    console.print(table)
    for file, intake in zip(files, done, strict=True):
        if intake.already == intake.messages:
            note(console, f"{file} was read before: nothing to do (--again reads it once more).")
        elif intake.already:
            note(console, f"{file}: went on after message {intake.already:,}.")
    note_faded(console, min((intake.oldest for intake in done if intake.oldest is not None), default=None))
