"""Other clients of mem0 than the newest, unmodified: old Python ones, that of npm, the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import serving

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
CACHE = Path(os.environ.get("NEUROMEM_TEST_CACHE", Path(tempfile.gettempdir()) / "neuromem-test-clients"))


@pytest.fixture
def url() -> Iterator[str]:
    with serving() as running:
        yield running.url


def run(command: list[str], **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **more)  # type: ignore[call-overload,no-any-return]


def installed(name: str, install: list[str], cwd: Path | None = None) -> Path:
    """A folder with a client in it, installed when it is not there; skips where it cannot be."""
    folder = CACHE / name
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = run([part.replace("FOLDER", str(folder)) for part in install], cwd=cwd or folder)
        if done.returncode:
            pytest.skip(f"{name} cannot be installed here: {done.stderr.strip()[-300:]}")
        (folder / "complete").touch()
    return folder


def python(*packages: str) -> list[str]:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    return [*pip, "--target", "FOLDER", *packages]


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MEM0_")}
    home = tempfile.mkdtemp(prefix="mem0-home-")
    quiet = {"MEM0_TELEMETRY": "False", "MEM0_DIR": home, "HOME": home, "NO_COLOR": "1", "TERM": "dumb"}
    return kept | quiet | {"PYTHONPATH": str(folder)} | more


@pytest.mark.parametrize("version", ["0.1.67", "0.1.118", "1.0.0", "1.0.11"])
def test_an_old_python_client(url: str, version: str) -> None:
    folder = installed(f"mem0ai-{version}", python(f"mem0ai=={version}"))
    done = run([sys.executable, str(HERE / "mem0_old_client.py"), url], env=environment(folder))
    assert done.returncode == 0, done.stdout[-1_000:] + done.stderr[-2_000:]
    assert done.stdout.strip().endswith(f"done {version}")


def test_the_client_of_npm(url: str) -> None:
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("npm and node are not here")
    install = [
        "npm",
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--omit=optional",
        "--legacy-peer-deps",
    ]
    folder = installed("npm-mem0ai-3.3.1", [*install, "--prefix", "FOLDER", "mem0ai@3.3.1", "axios"])
    env = environment(folder, MEM0_TELEMETRY="false")
    done = run(["node", str(HERE / "mem0_npm_client.mjs"), url], cwd=folder, env=env)
    assert done.returncode == 0, done.stdout[-1_000:] + done.stderr[-2_000:]
    assert done.stdout.strip().endswith("done")


def test_the_command_line_of_mem0(url: str) -> None:
    needed = "typer rich shellingham click markdown-it-py mdurl pygments annotated-doc".split()
    folder = installed("mem0-cli-0.2.13", python("mem0-cli==0.2.13", *needed))
    env = environment(folder, MEM0_BASE_URL=url, MEM0_API_KEY="key")

    def mem0(*arguments: str) -> str:
        done = run([sys.executable, "-m", "mem0_cli", *arguments], env=env)
        assert done.returncode == 0, done.stdout[-1_000:] + done.stderr[-1_000:]
        return done.stdout

    added = json.loads(mem0("add", "I live in Lisbon", "--user-id", "ana", "-o", "json"))
    assert "I live in Lisbon" in str(added)
    assert "Lisbon" in mem0("search", "where do I live?", "--user-id", "ana")
    listed = json.loads(mem0("list", "--user-id", "ana", "-o", "json"))
    (item,) = listed["data"]
    assert "Lisbon" in mem0("get", item["id"])
    mem0("update", item["id"], "I live in Porto")
    assert "Porto" in mem0("list", "--user-id", "ana")
    assert "ana" in mem0("entity", "list", "users")
    assert "ADD" in mem0("event", "list")
    mem0("delete", item["id"], "--force")
    assert "Porto" not in mem0("list", "--user-id", "ana")
    assert url in mem0("status") or "onnected" in mem0("status")
