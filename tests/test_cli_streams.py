"""Streams that are closed or full: a command works on, or says so in one line; pipes are read."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from command_line import POTOLA, ROOT, Run, runner

from neuromem.errors import InvalidInput
from neuromem.ingest import read_talk


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


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_words_in_another_encoding_are_refused_by_its_name(tmp_path: Path, locale: str) -> None:
    store = str(tmp_path / "store")
    command = [sys.executable, "-m", "neuromem", "add", "--path", store, "--encoder", "hash"]
    done = subprocess.run(
        [*command, "-"], cwd=ROOT, capture_output=True, check=False, timeout=120,
        input="My café is called Luna".encode("latin-1"),
        env=os.environ | {"LC_ALL": locale, "PYTHONIOENCODING": ""},
    )  # fmt: skip
    problem = "text: standard input is not UTF-8 (its byte 7); convert it: iconv -f LATIN1 -t UTF-8"
    assert done.returncode == 2
    assert done.stderr.decode() == f"neuromem: error: {problem}\n"
    assert not (tmp_path / "store").exists()


def test_a_pipe_is_read_as_a_file_with_the_same_words_is(tmp_path: Path) -> None:
    words, pipe = b'{"role": "user", "content": "I live in Porto."}\n', tmp_path / "pipe"
    (tmp_path / "talk.jsonl").write_bytes(words)
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(words,))
    writer.start()
    piped = read_talk(pipe)
    writer.join()
    assert piped == read_talk(tmp_path / "talk.jsonl")


def test_a_device_is_said_to_be_no_file() -> None:
    with pytest.raises(InvalidInput, match="null: is no file, nor a pipe"):
        read_talk("/dev/null")
