"""What people see: tables with strength bars, rungs in colour, times as one says them.

A stored text is shown with its control characters escaped: it cannot garble a terminal.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn
from rich.progress import TimeRemainingColumn as Remaining
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.progress import Task

__all__ = [
    "RUNGS", "MemoryTable", "ago", "bar", "clean", "facts_table", "legend", "make_console", "make_progress",
    "note", "rung", "short_id", "symbol",
]  # fmt: skip

# rung: (symbol, colour)
RUNGS: Mapping[str, tuple[str, str]] = {
    "verbatim": ("●", "bright_green"),
    "gist": ("◕", "cyan"),
    "partial": ("◑", "yellow"),
    "entity": ("◔", "dark_orange"),
    "subject": ("○", "red"),
    "forgotten": ("·", "bright_black"),
}
# columns of a table of memories: from what width of the terminal on each is shown, and how
_COLUMNS = {"score": 40, "memory": 0, "strength": 76, "fidelity": 60, "said": 68, "id": 0}
_STYLES: Mapping[str, dict[str, Any]] = {
    "score": {"justify": "right", "no_wrap": True},
    "memory": {"ratio": 1, "overflow": "fold"},
    "strength": {"no_wrap": True},
    "fidelity": {"no_wrap": True},
    "said": {"no_wrap": True, "justify": "right", "style": "bright_black"},
    "id": {"no_wrap": True, "style": "bright_black"},
}
_KEPT_FORMAT_CHARACTERS = "\u200c\u200d"  # joiners: scripts and emoji need them
_SIGNS = {"\n": "⏎", "\r": "␍", "\t": "⇥"}
_SPANS = ((60, "s", 1), (3_600, "min", 60), (86_400, "h", 3_600), (86_400 * 21, "d", 86_400),
          (86_400 * 90, "weeks", 86_400 * 7), (86_400 * 730, "months", 86_400 * 30.44))  # fmt: skip


def make_console(plain: bool = False, stderr: bool = False) -> Console:
    """A console for a person.

    Args:
        plain: 100 columns, no colour, as for a page of documentation.
    """
    return Console(
        stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=False,
        no_color=True if plain else None, force_terminal=False if plain else None,
        width=100 if plain else None,
    )  # fmt: skip


def clean(text: str) -> str:
    """The text on one line, control and direction characters shown as signs or escapes."""
    return "".join(_sign(char) for char in text)


def _sign(char: str) -> str:
    if char in _SIGNS:
        return _SIGNS[char]
    if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or char in _KEPT_FORMAT_CHARACTERS:
        return char
    code = ord(char)
    if code < 32:
        return chr(0x2400 + code)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def ago(then: datetime, now: float | None = None) -> str:
    """How long ago: "just now", "5 min ago", "3 d ago", "2 months ago"; "in 3 d" for the future."""
    seconds = (time.time() if now is None else now) - then.timestamp()
    size = abs(seconds)
    if size < 10:
        return "just now"
    amount = next(
        (f"{size / unit:.0f} {name}" for limit, name, unit in _SPANS if size < limit),
        f"{size / (86_400 * 365.25):.0f} years",
    )
    if amount.startswith("1 "):
        amount = amount.removesuffix("s")
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def bar(strength: float, fidelity: str, cells: int = 8) -> Text:
    """A strength in [0, 1] as a bar in the colour of its rung."""
    eighths = min(8 * cells, max(0, round(strength * cells * 8)))
    blocks = "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
    return Text(blocks.ljust(cells), style=f"{RUNGS[fidelity][1]} on grey19")


def rung(fidelity: str) -> Text:
    """A rung's symbol and name, in colour."""
    sign, colour = RUNGS[fidelity]
    return Text(f"{sign} {fidelity}", style=colour)


def symbol(fidelity: str) -> Text:
    """A rung's symbol, in colour."""
    sign, colour = RUNGS[fidelity]
    return Text(sign, style=colour)


def legend() -> Text:
    """All rungs, highest first."""
    return Text("  ").join(rung(name) for name in RUNGS)


def short_id(memory_id: str) -> str:
    """The end of an id, which tells the memories of one person apart."""
    return memory_id[-8:]


def note(console: Console, text: str, style: str = "bright_black") -> None:
    """A line beside the result."""
    console.print(Text(clean(text), style=style))


class MemoryTable:
    """Memories, one to a row: rung, strength, words, age, id; where narrow, what leaves room for words."""

    def __init__(
        self, recalls: Sequence[Any], *, scores: bool = False, now: float | None = None,
        title: str | None = None,
    ) -> None:  # fmt: skip
        """Args:
        recalls: `Recall` objects.
        scores: show how well each answers.
        now: Unix seconds from which ages are counted.
        title: words above the table.
        """
        self._recalls, self._scores, self._now, self._title = recalls, scores, now, title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.of_width(options.max_width)

    def of_width(self, width: int) -> Table:
        """The table for so many columns of a terminal."""
        wanted = [name for name in _COLUMNS if self._scores or name != "score"]
        shown = [name for name in wanted if width >= _COLUMNS[name]]
        table = facts_table(self._title and clean(self._title))
        for name in shown:
            table.add_column(name, **_STYLES[name])
        for recall in self._recalls:
            cells = self._cells(recall)
            table.add_row(*(cells[name] for name in shown))
        return table

    def _cells(self, recall: Any) -> dict[str, str | Text]:
        fidelity = str(recall.fidelity)
        words = Text(clean(recall.text) or "(nothing is left)", style="" if recall.text else "bright_black")
        if recall.retracted:
            words.append(" (taken back)", style="bright_black")
        return {
            "score": f"{recall.score:.2f}",
            "memory": words,
            "strength": bar(recall.strength, fidelity) if recall.id else "log only",
            "fidelity": rung(fidelity),
            "said": ago(recall.created_at, self._now),
            "id": short_id(recall.id),
        }


def facts_table(title: str | None = None) -> Table:
    """An empty table in the house style, as wide as the console."""
    return Table(
        box=SIMPLE_HEAD, expand=True, title=title, title_justify="left", title_style="bold",
        header_style="bold", show_edge=False, pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip


def local(then: datetime | str) -> str:
    """A time on the clock of this machine: "2026-03-02 18:10"."""
    moment = datetime.fromisoformat(then) if isinstance(then, str) else then
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone().strftime("%Y-%m-%d %H:%M")


class _Rate(ProgressColumn):
    """Units per second so far."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if not speed else f"{speed:,.0f} {self.unit}/s", style="cyan")


def make_progress(unit: str, transient: bool) -> Progress:
    """A progress bar on stderr, not yet started.

    Args:
        unit: what is counted, in the plural. transient: it goes away at the end.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        Remaining(),
    )
    return Progress(*columns, console=make_console(stderr=True), transient=transient)
