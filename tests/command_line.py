"""Running commands, in this process or in one of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from neuromem.cli import main

ROOT = Path(__file__).resolve().parents[1]
POTOLA = "My dog's name is Potola"


@dataclass
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, when all went well."""
        assert self.status == 0, self.err
        return json.loads(self.out)


Run = Callable[..., Done]


def runner(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs commands in this process, on a store in a folder."""

    def run(command: str, *words: str, path: Path | None = None, encoder: str = "hash") -> Done:
        capsys.readouterr()
        status = main([command, "--path", str(path or folder / "store"), "--encoder", encoder, *words])
        captured = capsys.readouterr()
        return Done(status, captured.out, captured.err)

    return run


def started(*words: str, **options: Any) -> subprocess.Popen[str]:
    """A command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "neuromem", *words], cwd=ROOT, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def finished(*words: str, stdin: str | None = None) -> Done:
    """A command in a process of its own, waited for."""
    process = started(*words, stdin=subprocess.PIPE)
    out, err = process.communicate(stdin, timeout=60)
    return Done(process.returncode, out, err)
