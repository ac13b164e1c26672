"""voice: a talk by voice, from a microphone or wave files, to a loudspeaker or a wave file."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from .common import emit, open_memory, whose

if TYPE_CHECKING:
    from rich.console import Console

    from ..voice import AudioSink, Turn

__all__ = ["voice"]

SHOWN = ("speech", "recognize", "recall", "context", "model", "first_sentence", "first_audio", "total")
NUMBER = 5  # signs of a time: a minute and a half


def voice(args: Namespace) -> int:
    """Listens and answers until the source ends, or Ctrl-C."""
    from .. import voice as parts
    from ..assistant import Assistant

    _check_output(args)
    with ExitStack() as open_:
        # the engines first: what is missing is said before a store is made
        recognizer = parts.load_recognizer(args.stt, args.language)
        speaker = parts.load_speaker(args.tts or parts.default_speaker())
        source = parts.WavSource(args.input) if args.input else parts.Microphone(args.device_in)
        open_.callback(source.close)
        sink = open_.enter_context(closing(_sink(args)))
        log = None
        if args.log is not None:
            try:
                log = open_.enter_context(open(args.log, "a", encoding="utf-8"))
            except OSError as error:
                raise InvalidInput("--log", f"cannot be written ({error})", "give another path") from error
        memory = open_.enter_context(open_memory(args, new=True))
        user = whose(args, memory, new=True)
        assistant = open_.enter_context(Assistant(memory, user, args.llm))
        memory.engine.keys.query("warm up")  # or the first answer would wait for the encoder
        turns = parts.Loop(
            assistant, source, parts.Endpointer(parts.load_detector()), recognizer, speaker, sink,
            guard=parts.EchoGuard(args.echo), log=log, on_turn=None if args.json else _said,
        ).run()  # fmt: skip
    data = {"user": user, "turns": [turn.to_dict() for turn in turns]}
    emit(args, data, lambda console: _show(console, turns))
    return 0


def _check_output(args: Namespace) -> None:
    """Refuses to write the answers over what is heard."""
    if args.output is None or not os.path.exists(args.output):
        return
    for path in args.input or []:
        if os.path.exists(path) and os.path.samefile(path, args.output):
            raise InvalidInput("--output", f"{args.output} is a recording of --input", "name another file")


def _sink(args: Namespace) -> AudioSink:
    from .. import voice as parts

    if args.output is not None:
        return parts.WavSink(args.output)
    if args.input:
        return parts.WavSink(os.devnull)  # nobody waits for files to sound
    if args.tts == "none":
        return parts.NoSink()
    return parts.SoundCard(args.device_out)


def _said(turn: Turn) -> None:
    from ..render import clean

    print(f"you: {clean(turn.heard)}\n  {clean(turn.said)}", file=sys.stderr)
    if turn.error:
        print(f"  neuromem: {clean(turn.error)}", file=sys.stderr)


def _show(console: Console, turns: list[Turn]) -> None:
    from ..render import clean, facts_table, note

    if not turns:
        note(console, "Nothing was heard.")
        return
    shown = [name for name in SHOWN if any(name in turn.stages for turn in turns)]
    table = facts_table()
    table.padding = 0  # so many columns of numbers stand close enough, and leave room for the words
    table.add_column("turn", justify="right")
    table.add_column("heard", ratio=1)
    for name in (*shown, "CPU s"):
        label = name.replace("_", " ")
        widest = max(NUMBER, *map(len, label.split()))  # a label wraps
        table.add_column(label, justify="right", max_width=widest)
    for turn in turns:
        table.add_row(str(turn.number), clean(turn.heard), *(_ms(turn.stages, name) for name in shown),
                      f"{turn.cpu_s:.2f}")  # fmt: skip
    console.print(table)
    note(console, "milliseconds; first sentence, first audio and total count from the end of speech")


def _ms(stages: dict[str, Any], name: str) -> str:
    return f"{stages[name]:.0f}" if name in stages else ""
