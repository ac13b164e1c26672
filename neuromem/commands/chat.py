"""chat: a conversation in the terminal."""

from __future__ import annotations

import json
import re
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInput, NeuromemError
from ..identity import Owner
from .common import open_memory, whose

if TYPE_CHECKING:
    from rich.console import Console

    from ..assistant import Assistant, Reply
    from ..memory import Memory
    from ..recall import Recall

__all__ = ["Clock", "chat"]

Ask = Callable[[str], str | None]
"""Reads a line after a prompt; None at the end of the input."""

LATEST = 253_370_764_800.0  # the year 9999: a little later, and the calendar holds no day after tomorrow
UNITS = {"m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
HELP = """\
/why            what was recalled for the last answer, how strong it is, and the exact prompt
/forget [WORDS] forget for good what the last answer said, or what fits the words best (asks first)
/deep WORDS     search every word ever said
/time [+30d]    what time it is; or move it on (asks first): m minutes, h hours, d days, w weeks
/show           everything that is held
/save FILE      the talk so far, as JSONL
/quit           end (so does Ctrl-D); Ctrl-C stops an answer"""


class Clock:
    """The machine's time, moved on by hand."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        """Unix seconds."""
        return time.time() + self.ahead_s

    def move(self, by: str) -> None:
        """Moves on by "+30d", "2w", "+90m", …

        Raises:
            InvalidInput: it says no time, or one that is gone or beyond the calendar.
        """
        match = re.fullmatch(r"\+?\s*(\d+(?:\.\d+)?)\s*([mhdw])\w*", by.strip())
        if match is None:
            raise InvalidInput("time", f"{by!r} is no stretch of time", "give one such as +30d, +2w or +12h")
        ahead_s = self.ahead_s + float(match[1]) * UNITS[match[2]]
        if time.time() + ahead_s >= LATEST:
            raise InvalidInput("time", f"{by!r} leads beyond the year 9998", "give a shorter stretch")
        self.ahead_s = ahead_s


def chat(args: Namespace) -> int:
    """Talks until the input ends."""
    from ..assistant import Assistant

    clock = Clock()
    with open_memory(args, new=True, clock=clock) as memory:
        user = whose(args, memory, new=True)
        with Assistant(memory, user, args.llm) as assistant:
            talk = _Talk(args, memory, assistant, clock)
            for line in _lines(talk.ask):
                if line.casefold() in ("/quit", "/exit", "/q"):
                    break
                talk.take(line)
    return 0


def _lines(ask: Ask) -> Iterator[str]:
    """What is said, line by line."""
    while True:
        try:
            line = ask("you ❯ ")
        except KeyboardInterrupt:  # at the prompt it clears the line, as in a shell
            continue
        if line is None:
            return
        if line.strip():
            yield line.strip()


class _Talk:
    """One conversation and its commands."""

    def __init__(self, args: Namespace, memory: Memory, assistant: Assistant, clock: Clock) -> None:
        from ..render import make_console

        self._args, self._memory, self._assistant, self._clock = args, memory, assistant, clock
        self._user = assistant.user_id
        # on stdout is an object for each answer alone
        self._console: Console = make_console(stderr=args.json)
        self._last: Reply | None = None
        self.ask = _reader()
        if not args.json and sys.stdin.isatty():
            self._note(f"talking with {self._user!r}; /help tells the commands, Ctrl-D ends")

    def take(self, line: str) -> None:
        """One line: a command, or something said. An error is told, and the talk goes on."""
        try:
            if line.startswith("/"):
                self._command(line)
            else:
                self._answer(line)
        except NeuromemError as error:
            print(f"neuromem: error: {error}", file=sys.stderr)

    def _answer(self, words: str) -> None:
        """Answers, bit by bit; Ctrl-C stops that and nothing else."""
        answering = self._assistant.stream(words)
        try:
            for piece in answering:
                if not self._args.json:
                    self._console.print(_shown(piece), end="", markup=False, highlight=False, soft_wrap=True)
        except KeyboardInterrupt:
            answering.close()
        finally:
            answering.close()
        self._last = reply = answering.reply
        if self._args.json:
            data = {
                "text": reply.text, "known": reply.known, "interrupted": reply.interrupted,
                "latency_ms": round(reply.latency_ms, 3), "stages": dict(reply.stages),
                "used": [recall.id for recall in reply.used],
                "recalled": [recall.to_dict() for recall in reply.recalled],
                "written": [
                    {"id": fact.id, "text": fact.text, "event": fact.event} for fact in reply.written
                ],
                "notice": reply.notice,
            }  # fmt: skip
            print(json.dumps(data, ensure_ascii=False, allow_nan=False), flush=True)
            return
        self._console.print(" …" if reply.interrupted else "")
        if reply.notice:
            self._note(f"the model did not answer ({reply.notice}); this comes from the memories")

    def _command(self, line: str) -> None:
        name, _, rest = line[1:].partition(" ")
        commands: dict[str, Callable[[str], None]] = {
            "why": self._why, "forget": self._forget, "deep": self._deep, "time": self._time,
            "show": self._show, "save": self._save, "help": lambda _: self._console.print(HELP),
        }  # fmt: skip
        if name not in commands:
            raise InvalidInput("command", f"/{name} is not known", "/help tells them all")
        commands[name](rest.strip())

    # -- commands ---------------------------------------------------------------------------------

    def _why(self, _: str) -> None:
        from rich.rule import Rule

        from ..render import MemoryTable

        if self._last is None:
            self._note("nothing has been answered yet, or since something was forgotten")
            return
        if self._last.recalled:
            held = set(self._memory.bank(self._user).ids())
            ids = [recall.id for recall in self._last.recalled if recall.id in held]
            recalls = [self._memory.get(memory_id, "weights") for memory_id in ids]
            title = "recalled, as the weights say it"
            self._console.print(MemoryTable(recalls, now=self._clock(), title=title))
        else:
            self._note("nothing was recalled")
        tokens = self._last.context.tokens if self._last.context else 0
        self._console.print(Rule(f"the prompt, {tokens:,} tokens"))
        self._console.print(_shown(self._last.prompt), markup=False, highlight=False)
        self._console.print(Rule())
        stages = ", ".join(f"{name} {spent:.1f}" for name, spent in self._last.stages.items())
        self._note(f"ms: {stages}; to the first words {self._last.latency_ms:.1f} without the model")

    def _forget(self, words: str) -> None:
        if words:
            found = self._memory.search(words, self._user, limit=1, rehearse=False)
        else:
            found = list(self._last.used[:1]) if self._last else []
        if not found:
            self._note("there is nothing to forget" if words else "say what: /forget WORDS")
            return
        said = self._words(found[0])
        if self._agreed(f"forget “{said}” for good? [y/N] "):
            self._assistant.forget(found[0].id)
            self._last = None  # its prompt holds the words
            self._note("forgotten, in the weights and in the log")

    def _agreed(self, question: str) -> bool:
        """Asks; anything but a yes is a no."""
        return (self.ask(question) or "").strip().casefold() in ("y", "yes")

    def _words(self, recall: Recall) -> str:
        """What was told, word for word, as far as this user's log has it."""
        engine = self._memory.engine
        with engine.owners.use(Owner.of(self._user, None, None).name) as open_:
            return engine.exact(open_, recall).text

    def _deep(self, words: str) -> None:
        from ..render import MemoryTable

        if not words:
            raise InvalidInput("words", "are missing", "give what to look for: /deep WORDS")
        found = self._memory.deep(words, self._user, limit=5)
        self._console.print(MemoryTable(found, now=self._clock()) if found else "nothing was found")

    def _time(self, by: str) -> None:
        if by:
            self._move(by)
        self._note(f"it is {time.strftime('%A, %Y-%m-%d %H:%M', time.localtime(self._clock()))}")

    def _move(self, by: str) -> None:
        """Moves the clock on, if that is wanted: nothing newer replaces what is said then before its date."""
        moved = Clock()
        moved.ahead_s = self._clock.ahead_s
        moved.move(by)
        date = time.strftime("%Y-%m-%d", time.localtime(moved()))
        if self._agreed(f"What is said from here on is dated {date}, for good. Go on? [y/N] "):
            self._clock.ahead_s = moved.ahead_s

    def _show(self, _: str) -> None:
        from ..render import MemoryTable

        held = self._memory.all(self._user, fidelity="weights")
        self._console.print(MemoryTable(held, now=self._clock()) if held else "nothing is held")

    def _save(self, file: str) -> None:
        if not file:
            raise InvalidInput("file", "is missing", "give where to write it: /save FILE")
        path = Path(file).expanduser()
        lines = [json.dumps(turn, ensure_ascii=False) + "\n" for turn in self._assistant.history]
        try:
            path.write_text("".join(lines), encoding="utf-8")
        except OSError as error:
            problem = f"{path} cannot be written ({error.strerror})"
            raise InvalidInput("file", problem, "give another") from error
        self._note(f"{len(lines)} turns in {path}")

    def _note(self, text: str) -> None:
        from ..render import note

        note(self._console, text)


def _shown(text: str) -> str:
    """Words for a terminal: lines stay lines, and what would command it is shown as signs."""
    from ..render import clean

    return "\n".join(clean(line) for line in text.split("\n"))


def _reader() -> Ask:
    """Reads from the terminal with editing and the history of this talk; else plain lines.

    No history is kept in a file: what is forgotten must be nowhere.
    """
    if not sys.stdin.isatty():
        return lambda _: line if (line := sys.stdin.readline()) else None
    from prompt_toolkit import PromptSession

    session: PromptSession[str] = PromptSession()

    def ask(prompt: str) -> str | None:
        try:
            return session.prompt(prompt)
        except EOFError:
            return None

    return ask
