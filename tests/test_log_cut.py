"""A log that was cut short, as by a copy that had no room, is named as damaged by readers, too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT

from neuromem.errors import StoreCorrupt
from neuromem.log import Event, EventLog

PAGE = 4_096
READ = """
import sys
from pathlib import Path
from neuromem.errors import StoreCorrupt
from neuromem.log import EventLog
try:
    with EventLog(Path(sys.argv[1]), readonly=True) as log:
        [record.body for record in log.events("user:ana")]
except StoreCorrupt as error:
    sys.exit(f"damaged: {error}")
"""


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """A log of which two pages are left."""
    folder = tmp_path / "log"
    with EventLog(folder) as log:
        for number in range(200):
            log.append("user:ana", Event("say", float(number), {"text": f"locker {number * 7919}"}))
    (file,) = folder.glob("log-*.mdb")
    os.truncate(file, 2 * PAGE)
    return folder


def test_a_reader_of_a_log_cut_short_is_told_so(cut: Path) -> None:
    # in a process of its own: to read behind the end of the file ends it with SIGBUS
    done = subprocess.run(
        [sys.executable, "-c", READ, str(cut)], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("damaged: ")
    assert "restore it from a backup" in done.stderr


def test_a_writer_is_told_so_too(cut: Path) -> None:
    with pytest.raises(StoreCorrupt), EventLog(cut) as log:
        list(log.events("user:ana"))


@pytest.mark.parametrize("readonly", [True, False])
def test_an_empty_file_is_no_new_log(cut: Path, readonly: bool) -> None:
    (file,) = cut.glob("log-*.mdb")
    os.truncate(file, 0)
    with pytest.raises(StoreCorrupt, match=r"log-00000001\.mdb is empty\); restore it from a backup"):
        EventLog(cut, readonly=readonly)
    assert file.stat().st_size == 0
