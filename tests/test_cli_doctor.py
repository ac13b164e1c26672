"""The doctor where something is missing: a line that fails, never a traceback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from command_line import ROOT

from neuromem.commands.doctor import PACKAGES

# the command in a process where one package cannot be imported
WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from neuromem.cli import main
sys.exit(main(["doctor", "--json", "--path", sys.argv[2]]))
"""


def test_every_package_that_is_needed_is_looked_at() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(PACKAGES) == sorted(re.split("[<>=]", line)[0] for line in project["dependencies"])


@pytest.mark.parametrize("package", ["onnxruntime", "tokenizers", "snowballstemmer", "torch"])
def test_a_package_that_is_missing_fails_its_checks_by_name(tmp_path: Path, package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, package, str(tmp_path / "store")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    failed = [check for check in report["checks"] if not check["ok"]]
    assert failed
    assert all(package in check["detail"] for check in failed)
