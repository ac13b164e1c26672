"""A real `neuromem serve`, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Process:
    """A server that runs."""

    url: str
    process: subprocess.Popen[str]
    started_s: float  # until it said that it listens
    log: Path

    def stop(self) -> int:
        """Asks it to stop; returns its status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def start(folder: Path, *options: str, encoder: str = "hash", **environment: str) -> Process:
    """Starts a server on a store."""
    log = folder.parent / f"{folder.name}.log"
    command = [
        sys.executable, "-m", "neuromem", "serve", "--port", "0", "--json", "--path", str(folder),
        "--encoder", encoder, *options,
    ]  # fmt: skip
    started = time.perf_counter()
    with log.open("a") as err:
        process = subprocess.Popen(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=err, env=os.environ | environment
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.stdout.close()
    assert line, log.read_text()
    return Process(json.loads(line)["url"], process, time.perf_counter() - started, log)


@contextmanager
def served(folder: Path, *options: str, encoder: str = "hash", **environment: str) -> Iterator[Process]:
    """A server for the length of a `with`; stopped at the end, if it still runs."""
    server = start(folder, *options, encoder=encoder, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.terminate()
            server.process.wait(timeout=60)
