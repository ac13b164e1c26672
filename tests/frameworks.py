"""Frameworks for agents, run as they are: each in a Python that has it, against a real server of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from command_line import ROOT
from serving import Serving

# modules -> the variable that names a Python which has them, and what to install into that
PYTHONS = {
    "pipecat": ("PIPECAT_PYTHON", "pipecat-ai 'mem0ai>=2,<3'"),
    "llama_index.memory.mem0": ("LLAMAINDEX_PYTHON", "llama-index-core 'llama-index-memory-mem0<2'"),
    "crewai": ("CREWAI_PYTHON", "crewai 'mem0ai>=2,<3'"),
    "langchain_core": ("LANGCHAIN_PYTHON", "langchain-core 'mem0ai>=2,<3'"),
}
TIMEOUT_S = 240


def needs_mem0_routes(running: Serving) -> None:
    """Skips the test where the server does not speak to mem0's clients (yet)."""
    if httpx.post(f"{running.url}/v3/memories/", json={"filters": {"user_id": "x"}}).status_code == 404:
        pytest.skip("the server has no /v3 routes in this tree")


def python_with(module: str) -> str:
    """A Python that has a module: the one that the environment names, or this one. Skips where there is none.

    Frameworks pin versions that fight with each other, so each has an environment of its own.
    """
    variable, packages = PYTHONS[module]
    named = os.environ.get(variable)
    if named:
        return named
    try:
        here = find_spec(module) is not None and find_spec("mem0") is not None
    except ModuleNotFoundError:
        here = False
    if not here:
        pytest.skip(f"needs {module}: set {variable} to a Python that has it, after: pip install {packages}")
    return sys.executable


def run_script(python: str, path: Path, *words: str, home: Path) -> Any:
    """Runs a script; the last line that it prints is JSON."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    quiet = {
        "MEM0_TELEMETRY": "False", "CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true",
        "HOME": str(home), "MEM0_DIR": str(home / "mem0"), "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    done = subprocess.run(
        [python, str(path), *words], cwd=ROOT, capture_output=True, text=True, env=kept | quiet,
        timeout=TIMEOUT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-4_000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
