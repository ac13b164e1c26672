"""What a stranger receives: the package's metadata, the set-up, the shipped conversation."""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import SocketConnectBlockedError

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DATA = ROOT / "neuromem" / "data"
SCRIPTS = ("scripts/setup.sh", ".ci/run")


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | environment
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


# Metadata


@pytest.mark.parametrize("extra", ["sentence", "server", "voice", "llm", "sound", "train", "bench", "dev"])
def test_every_promised_extra_is_declared_with_lower_bounds(extra: str) -> None:
    requirements = PROJECT["project"]["optional-dependencies"][extra]
    assert requirements
    assert [text for text in requirements if ">=" not in text] == []


def test_the_command_points_at_the_command_line() -> None:
    assert PROJECT["project"]["scripts"] == {"neuromem": "neuromem.cli:main"}


def test_errors_name_extras_that_exist() -> None:
    pattern = re.compile(r"MissingDependency\([^)]*?,\s*\"[^\"]+\",\s*\"(\w+)\"", re.DOTALL)
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "neuromem").rglob("*.py")]
    named = {extra for text in texts for extra in pattern.findall(text)}
    assert named <= set(PROJECT["project"]["optional-dependencies"])


def test_an_installed_copy_has_the_version_of_the_source() -> None:
    try:
        installed = metadata.version("neuromem")
    except metadata.PackageNotFoundError:
        pytest.skip("neuromem is run from the source tree, not installed")
    assert installed == PROJECT["project"]["version"]


def test_the_changelog_knows_this_version() -> None:
    assert f"## {PROJECT['project']['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_torch_that_set_up_installs_is_in_the_declared_range() -> None:
    pinned = re.search(r'TORCH_VERSION = "(\d+)\.(\d+)', (ROOT / "scripts/setup.py").read_text("utf-8"))
    (declared,) = [text for text in PROJECT["project"]["dependencies"] if text.startswith("torch")]
    low, high = re.fullmatch(r"torch>=(\d+\.\d+),<(\d+)", declared).groups()  # type: ignore[union-attr]
    assert pinned
    assert tuple(map(int, low.split("."))) <= tuple(map(int, pinned.groups())) < (int(high), 0)


@pytest.mark.slow
def test_the_wheel_carries_the_checkpoints_and_the_data(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="the build backend is not installed: pip install hatchling")
    done = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    shipped = [path for path in (ROOT / "checkpoints").rglob("*") if path.is_file()]
    assert {f"neuromem/{path.relative_to(ROOT).as_posix()}" for path in shipped} <= inside
    assert {"neuromem/py.typed", "neuromem/data/demo.jsonl"} <= inside
    licences = f"neuromem-{PROJECT['project']['version']}.dist-info/licenses"
    assert {f"{licences}/{name}" for name in ("LICENSE", "NOTICE", "LICENSES/Apache-2.0.txt")} <= inside


@pytest.mark.slow
def test_the_source_archive_carries_what_the_readme_and_the_tests_name(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="the build backend is not installed: pip install hatchling")
    done = run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        inside = {name.partition("/")[2] for name in files.getnames()}
    deploy = [path for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    assert {path.relative_to(ROOT).as_posix() for path in deploy} <= inside
    assert {
        *SCRIPTS,
        "Dockerfile",
        ".dockerignore",
        "compose.yaml",
        "Makefile",
        "LICENSE",
        "NOTICE",
    } <= inside


def test_every_licence_of_what_is_shipped_is_named_and_there() -> None:
    assert PROJECT["project"]["license"] == "MIT AND Apache-2.0"
    text = (ROOT / "LICENSES/Apache-2.0.txt").read_text(encoding="utf-8")
    assert "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in text
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    checkpoints = [f"checkpoints/{path.name}" for path in (ROOT / "checkpoints").glob("*.safetensors")]
    made = [f"neuromem/data/{name}" for name in ("words.txt.gz", "token_costs.txt.gz", "log.zdict")]
    assert [name for name in checkpoints + made if name not in notice] == []
    for name in ("words.txt.gz", "token_costs.txt.gz"):  # whose headers name what they were counted in
        with gzip.open(DATA / name, "rt", encoding="utf-8") as lines:
            header = "".join(line for line in lines if line.startswith("#"))
        for corpus in ("ConvAI2", "SLURP", "HWU64", "Banking77", "CLINC150", "Tatoeba", "Topical-Chat"):
            assert corpus in header
            assert corpus in notice


# Set-up


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_parse_and_can_be_executed(script: str) -> None:
    shell = (ROOT / script).read_text(encoding="utf-8").splitlines()[0].split("/")[-1].split()[-1]
    assert run(shell, "-n", script).stderr == ""
    assert os.access(ROOT / script, os.X_OK)


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (targets,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    listed = re.findall(r"^  make (\w+)", run("make", "--no-print-directory", "help").stdout, re.MULTILINE)
    assert sorted(listed) == sorted(targets.split())
    assert {"demo", "test", "lint", "check", "clean", "help"} <= set(listed)


def test_continuous_integration_runs_what_make_test_runs() -> None:
    assert "make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_set_up_says_what_to_do_when_there_is_no_python(tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "setup.sh").write_bytes((ROOT / "scripts/setup.sh").read_bytes())
    done = run("sh", str(scripts / "setup.sh"), "dev", PYTHON=str(tmp_path / "absent"))
    assert done.returncode == 1
    assert "no Python 3.11 or later" in done.stderr
    assert "PYTHON=/path/to/python make" in done.stderr
    assert not (tmp_path / ".venv").exists()


# Tests stay on this machine


def test_sockets_reach_this_machine_and_no_other() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        socket.create_connection(address, timeout=5).close()
    with pytest.raises(SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)  # an address for examples (RFC 5737)


def test_settings_from_outside_do_not_reach_tests() -> None:
    assert [name for name in os.environ if name.startswith("NEUROMEM_") and name != "NEUROMEM_DATA"] == []


# The shipped conversation


def test_the_conversation_is_one_of_two_people_over_four_weeks() -> None:
    turns = rows("demo.jsonl")
    times = [datetime.fromisoformat(turn["timestamp"]) for turn in turns]
    assert 55 <= len(turns) <= 70
    assert {turn["name"] for turn in turns} == {"Ana", "Ben"}
    assert all(set(turn) == {"role", "name", "timestamp", "content"} for turn in turns)
    assert all(time.utcoffset() == timedelta(0) for time in times)
    assert times == sorted(times)
    assert timedelta(weeks=3) < times[-1] - times[0] < timedelta(weeks=5)


def test_the_conversation_has_something_of_every_kind() -> None:
    said = [turn["content"] for turn in rows("demo.jsonl")]
    assert any("My dog name is Potola" in text for text in said)
    assert any(len(text.encode()) > 160 for text in said)  # more than one slot holds
    assert any(text.endswith("?") for text in said)
    assert sum("choir rehearses" in text for text in said) == 3  # said again in later weeks
    assert sum(text == text.lower() and not text.endswith(".") for text in said) >= 3  # as recognized


def test_each_demo_question_has_its_answer_in_the_talk_but_not_in_itself() -> None:
    talk = " ".join(turn["content"] for turn in rows("demo.jsonl"))
    questions = rows("demo_questions.jsonl")
    assert len(questions) >= 10
    for row in questions:
        assert row["expect"] in talk
        assert row["expect"].lower() not in row["question"].lower()
        assert row["user"] in ("Ana", "Ben")
