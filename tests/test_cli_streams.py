"""Standard streams that are closed or full: a command works on, and tells in one line what is not printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import POTOLA, ROOT, Run, runner


@pytest.fixture
def neuromem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(tmp_path, capsys)


def in_shell(words: str, store: Path) -> subprocess.CompletedProcess[str]:
    """A command as a shell starts it, with the shell's redirections."""
    name, _, rest = words.partition(" ")
    line = f'"$1" -m neuromem {name} --path "$2" --encoder hash {rest}'
    return subprocess.run(
        ["sh", "-c", line, "sh", sys.executable, str(store)], cwd=ROOT, capture_output=True, text=True,
        check=False, stdin=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", ["show", "show --json", "add 'My cat is called Fritz'"])
def test_output_that_cannot_be_written_is_one_line(tmp_path: Path, neuromem: Run, words: str) -> None:
    neuromem("add", POTOLA)
    done = in_shell(f"{words} > /dev/full", tmp_path / "store")
    assert done.returncode == 1
    assert done.stderr.startswith("neuromem: error: the output cannot be written (No space left on device)")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_keep_no_command_from_its_work(tmp_path: Path, neuromem: Run, closed: str) -> None:
    done = in_shell(f'add "{POTOLA}" {closed}', tmp_path / "store")
    assert (done.returncode, done.stderr) == (0, "")
    assert neuromem("verify", "--json").json["ok"]
    (held,) = neuromem("show", "--json").json["memories"]
    assert held["text"] == POTOLA


def test_words_from_a_closed_standard_input_are_blank(tmp_path: Path) -> None:
    done = in_shell("add - <&-", tmp_path / "store")
    assert done.returncode == 2
    assert done.stderr == "neuromem: error: text: is blank; give at least one word\n"
