"""How the tests of the benches run them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neuromem.bench import run

Report = dict[str, Any]
Runner = Callable[..., tuple[int, Report]]


def runner(capsys: pytest.CaptureFixture[str]) -> Runner:
    """Runs a bench with --json and gives its exit status and its one object."""

    def call(name: str, *argv: object) -> tuple[int, Report]:
        status = run(name, [*map(str, argv), "--json"])
        output = capsys.readouterr().out
        assert output.count("\n") == 1
        return status, json.loads(output)

    return call


def lines(path: Path, *rows: Report) -> Path:
    """Writes a JSONL file."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
