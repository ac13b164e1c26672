"""Who may open a log: one writer at a time, readers beside it, and where there can be none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neuromem.config import LogConfig
from neuromem.errors import InvalidInput, ReadOnly, StoreError, StoreLocked
from neuromem.log import Event, EventLog

ROOT = Path(__file__).resolve().parents[1]
SMALL = LogConfig(map_mib=1)


def said(text: str) -> Event:
    return Event("add", 1.0, {"text": text})


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


# One writer, many readers


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    with EventLog(tmp_path), pytest.raises(StoreLocked, match=f"pid {os.getpid()}.*close that, or only look"):
        EventLog(tmp_path)
    with EventLog(tmp_path):
        code = "import sys; from neuromem.log import EventLog; EventLog(sys.argv[1])"
        done = run(code, tmp_path)
        assert f"another process (pid {os.getpid()}) is writing to it" in done.stderr
        assert "on the command line show, search --no-rehearse" in done.stderr
        with pytest.raises(StoreLocked, match="this process"):
            EventLog(tmp_path, readonly=True)
    EventLog(tmp_path).close()


def test_a_log_that_was_dropped_without_close_does_not_stay_locked(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    log.append("ana", said("x"))
    with pytest.warns(ResourceWarning, match="unclosed file"):
        del log  # its last reference
    with EventLog(tmp_path) as log:
        assert log.length("ana") == 1


READER = """
import sys
from neuromem.config import LogConfig
from neuromem.log import EventLog
with EventLog(sys.argv[1], LogConfig(map_mib=1), readonly=True) as log:
    for line in sys.stdin:
        print(eval(line), flush=True)
"""


def test_a_reader_in_another_process_sees_new_commits_growth_and_erasure(tmp_path: Path) -> None:
    with EventLog(tmp_path, SMALL) as log:
        log.append("ana", said("first"))
        command = [sys.executable, "-c", READER, str(tmp_path)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1) as reader:
            assert reader.stdin is not None
            assert reader.stdout is not None

            def ask(question: str) -> str:
                reader.stdin.write(question + "\n")  # type: ignore[union-attr]
                return reader.stdout.readline().strip()  # type: ignore[union-attr]

            assert ask("log.get('ana', 0).body") == "{'text': 'first'}"
            log.append("ana", said("second"))
            assert ask("log.length('ana')") == "2"
            for _ in range(8):
                log.append_many("ana", (said(os.urandom(4_000).hex()) for _ in range(80)))
            assert ask("sum(1 for _ in log.events('ana'))") == "642"
            log.erase("ana", [0])
            assert ask("(log.get('ana', 0).erased, log.get('ana', 1).body)") == "(True, {'text': 'second'})"
            log.append("ben", said("third"))
            assert ask("log.owners()") == "['ana', 'ben']"
            assert ask("log.verify().ok") == "True"


def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    with EventLog(tmp_path) as log:
        log.append("ana", said("x"))
    with EventLog(tmp_path, readonly=True) as log:
        assert log.get("ana", 0).body == {"text": "x"}
        for call in (
            lambda: log.append("ana", said("y")),
            lambda: log.erase("ana", [0]),
            lambda: log.drop_owner("ana"),
        ):
            with pytest.raises(ReadOnly, match="opened with readonly=True; open it for writing"):
                call()


FORK = """
import fcntl, os, sys
from neuromem.log import Event, EventLog
from neuromem.errors import StoreError
log = EventLog(sys.argv[1])
if os.fork() == 0:
    try:
        log.append("ana", Event("add", 1.0, {}))
    except StoreError as error:
        print(error, flush=True)
    log.close()
    os._exit(0)
os.wait()
try:
    fcntl.flock(open(sys.argv[1] + "/lock"), fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("still locked", log.append("ana", Event("add", 1.0, {})))
log.close()
"""


def test_a_forked_child_cannot_use_it_nor_unlock_it(tmp_path: Path) -> None:
    done = run(FORK, tmp_path)
    assert done.stdout.splitlines() == [
        "the log was opened before this process was forked; start processes by spawn",
        "still locked 0",
    ], done.stderr


# Places where there can be no log


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInput, match=r"path: .*file is a file; give a folder"):
        EventLog(tmp_path / "file")
    with pytest.raises(StoreError, match="Not a directory"):
        EventLog(tmp_path / "file" / "log")


def test_nothing_to_read_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(InvalidInput, match=r"there is no log in .*; open it for writing first"):
            EventLog(path, readonly=True)
    with pytest.raises(InvalidInput, match="a log in RAM"):
        EventLog(None, readonly=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc, where even root cannot make a folder")
def test_a_place_that_cannot_be_written_is_a_store_error() -> None:
    with pytest.raises(StoreError, match=r"^/proc/neuromem"):
        EventLog("/proc/neuromem")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_a_store_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match=r"Permission denied.*mend its permissions"):
        EventLog(tmp_path / "log")


def test_the_files_are_for_their_user_alone(tmp_path: Path) -> None:
    with EventLog(tmp_path / "log") as log:
        log.append("ana", said("x"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "log").iterdir()}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o700


# A file that was cut short


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_reader_of_a_log_that_was_cut_short_is_told_so(tmp_path: Path, quarters: int) -> None:
    with EventLog(tmp_path, SMALL) as log:
        log.append_many("ana", [said(f"{number} " * 200) for number in range(400)])
        file = log._store._files.file(1)  # type: ignore[attr-defined]
    os.truncate(file, file.stat().st_size * quarters // 4)
    code = """if True:
        import sys
        from neuromem.log import EventLog
        for _ in EventLog(sys.argv[1], readonly=True).events("ana"):
            pass
    """
    done = run(code, tmp_path)
    assert done.returncode == 1  # not the SIGBUS of reading behind the end of a mapped file
    assert "StoreCorrupt" in done.stderr.splitlines()[-1]
    assert "restore it from a backup" in done.stderr


def test_a_log_that_grows_and_is_erased_is_never_taken_for_one_that_was_cut_short(tmp_path: Path) -> None:
    with EventLog(tmp_path, LogConfig(map_mib=1, sync=False)) as log:
        for number in range(150):
            log.append(f"user:{number % 7}", said(f"{number} " * (1 + 700 * (number % 5))))
            if number % 50 == 49:
                log.drop_owner(f"user:{number % 3}")
            env, file = log._store._opened.env, max(tmp_path.glob("log-*.mdb"))  # type: ignore[attr-defined]
            assert file.stat().st_size >= (env.info()["last_pgno"] + 1) * env.stat()["psize"]
