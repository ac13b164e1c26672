"""What the benches share: arguments, files, progress on stderr, one JSON object or tables on stdout."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..config import Config
from ..errors import InvalidInput, NotFound
from ..owners import Progress
from . import NAMES

__all__ = [
    "emit",
    "environment",
    "mean",
    "numbers",
    "over_budget",
    "parser",
    "percentiles",
    "progress",
    "read_jsonl",
    "read_texts",
    "share",
    "stopwatch",
]


WIDE = 9  # columns that fit on a screen


def environment() -> dict[str, str]:
    """The environment for a new Python that is to find this very package."""
    package = Path(__file__).resolve().parents[2]
    paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def over_budget(tokens: Iterable[int], config: Config) -> int:
    """Prompts with more tokens than there may be."""
    return sum(count > config.context.prompt_budget for count in tokens)


def numbers(option: str, text: str, most: int = 1 << 20) -> list[int]:
    """Whole numbers from 1 on that commas divide.

    Args:
        most: the largest that one may be.

    Raises:
        InvalidInput: one is none.
    """
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InvalidInput(option, f"{text!r} is not numbers", "give some such as 384,192,96") from error
    if not all(1 <= one <= most for one in found):
        raise InvalidInput(option, f"{text!r} is out of range", f"give 1 to {most:,}")
    return found


def parser(name: str, details: str = "") -> argparse.ArgumentParser:
    """The argument parser of a bench, with what all of them take."""
    out = argparse.ArgumentParser(
        prog=f"neuromem bench {name}",
        description=f"Measures {NAMES[name]}. {details}".strip(),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    out.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    out.add_argument("--seed", type=int, default=0, help="seed of everything random")
    return out


def emit(report: Mapping[str, Any], as_json: bool) -> None:
    """Prints a report on stdout: one JSON object, or tables.

    A table for each value that is a mapping or a list of mappings, one for all plain values.
    """
    if as_json:
        print(json.dumps(_finite(report), ensure_ascii=False))
        return
    from rich.console import Console

    console = Console()
    plain = {name: value for name, value in report.items() if not _is_table(value)}
    console.print(_two_columns(str(report.get("bench", "")), plain))
    for name, value in report.items():
        if _is_table(value):
            console.print(_table(name, value))


def _is_table(value: Any) -> bool:
    return bool(value) and (
        isinstance(value, Mapping) or (isinstance(value, list) and isinstance(value[0], Mapping))
    )


def _two_columns(title: str, values: Mapping[str, Any]) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(style="cyan")
    table.add_column(justify="right")
    for name, value in values.items():
        table.add_row(name, _shown(value))
    return table


def _table(title: str, value: Any) -> Any:
    """A list of rows, or a mapping whose values are rows; a mapping of plain values gets two columns."""
    from rich.table import Table

    if isinstance(value, Mapping):
        if not all(isinstance(row, Mapping) for row in value.values()):
            return _two_columns(title, value)
        value = [{"": name, **row} for name, row in value.items()]
    columns = list(dict.fromkeys(name for row in value for name in row))
    if len(columns) > max(WIDE, len(value) + 1):  # few things, each with many numbers, are read down
        return _table(
            title,
            [
                {"": name, **{str(row[columns[0]]): row.get(name, "") for row in value}}
                for name in columns[1:]
            ],
        )
    table = Table(title=title, title_justify="left")
    for index, name in enumerate(columns):
        table.add_column(str(name), justify="right" if index else "left", style="" if index else "cyan")
    for row in value:
        table.add_row(*(_shown(row.get(name, "")) for name in columns))
    return table


def _shown(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if abs(value) < 100 else f"{value:,.1f}"


def _finite(value: Any) -> Any:
    """JSON values: numbers rounded to six digits, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(name): _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """A progress bar on stderr with rate and time left; call what it gives with (done, of how many)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
    )  # fmt: skip
    started = time.perf_counter()
    with Bar(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(what, total=None, rate="")

        def step(done: int, total: int) -> None:
            rate = done / max(1e-9, time.perf_counter() - started)
            bar.update(task, completed=done, total=total, rate=f"{rate:,.1f}/s")

        yield step


def read_jsonl(path: str | Path) -> list[dict[str, Any]]:
    """The objects of a JSONL file.

    Raises:
        NotFound: no such file. InvalidInput: a line is no JSON object.
    """
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise _malformed(path, number) from error
            if not isinstance(row, dict):
                raise _malformed(path, number)
            rows.append(row)
    return rows


def _malformed(path: str | Path, number: int) -> InvalidInput:
    return InvalidInput(str(path), f"line {number} is no JSON object", "give one object per line")


def read_texts(path: str | Path, field: str = "text") -> list[str]:
    """One text per line; of JSONL, the `field` of each object (else "text" or "fact")."""
    if Path(path).suffix not in (".jsonl", ".json"):
        return [line.rstrip("\n") for line in _lines(path) if line.strip()]
    rows = read_jsonl(path)
    names = [name for name in (field, "text", "fact") if rows and name in rows[0]]
    if not names:
        raise InvalidInput(str(path), f"its objects have no {field!r}", "give JSONL with that field")
    return [str(row[names[0]]) for row in rows]


def _lines(path: str | Path) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").split("\n")
    except FileNotFoundError as error:
        raise NotFound(f"{path} does not exist; give the path of an existing file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(str(path), f"cannot be read ({error})", "give a readable UTF-8 file") from error


def mean(values: Iterable[float]) -> float:
    """The mean; NaN of nothing."""
    numbers = list(values)
    return math.fsum(numbers) / len(numbers) if numbers else math.nan


def share(flags: Iterable[bool]) -> float:
    """The share that is true; NaN of nothing."""
    return mean(float(flag) for flag in flags)


def percentiles(values: Sequence[float], *points: int) -> dict[str, float]:
    """Percentiles by nearest rank, ``{"p50": …, "p99": …}``; NaN of nothing."""
    ordered = sorted(values)
    ranks = {point: max(1, math.ceil(point / 100 * len(ordered))) - 1 for point in points or (50, 99)}
    return {f"p{point}": ordered[rank] if ordered else math.nan for point, rank in ranks.items()}


class stopwatch:
    """Milliseconds that a `with` block took, in `.ms`; its thread had the processor for `.cpu_ms` of them."""

    ms = cpu_ms = 0.0

    def __enter__(self) -> stopwatch:
        self._start, self._used = time.perf_counter(), time.thread_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.ms = 1_000 * (time.perf_counter() - self._start)
        self.cpu_ms = 1_000 * (time.thread_time() - self._used)
