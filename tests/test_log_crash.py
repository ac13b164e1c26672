"""What was acknowledged is there: after kill -9 at any moment, and on a disk that is full."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuromem.config import LogConfig
from neuromem.errors import StoreFull
from neuromem.log import Event, EventLog

ROOT = Path(__file__).resolve().parents[1]
KILLS = 13  # for each way of writing

# Acknowledgements go out one line each, after the call returned: "owner seq number", or
# "erased owner seq", "dropped owner". A number is said once in a log's life.
WRITER = """
import itertools, os, sys, threading
from neuromem.config import LogConfig
from neuromem.log import Event, EventLog

folder, mode, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
log = EventLog(folder, LogConfig(map_mib=1))
numbers = itertools.count(first)

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def event(number):
    return Event("add", float(number), {"number": number, "text": "x" * (number % 700)})

def single(owner):
    for number in numbers:
        say(owner, log.append(owner, event(number)), number)

def batches(owner):
    while True:
        batch = [next(numbers) for _ in range(30)]
        for seq, number in zip(log.append_many(owner, map(event, batch)), batch):
            say(owner, seq, number)

def threads(owner):
    for at in range(6):
        threading.Thread(target=single, args=(f"{owner}{at % 3}",)).start()

def erasing(owner):
    for number in numbers:
        say(owner, seq := log.append(owner, event(number)), number)
        if number % 3 == 0:
            log.erase(owner, [seq])
            say("erased", owner, seq)
        if number % 7 == 0:
            log.append(f"passing{number}.", event(number))
            log.drop_owner(f"passing{number}.")
            say("dropped", f"passing{number}.")

say("open")
{"single": single, "batches": batches, "threads": threads, "erasing": erasing}[mode]("ana")
"""


def said(text: str) -> Event:
    return Event("add", 1.0, {"text": text})


def write_until_killed(folder: Path, mode: str, first: int, lines: int, seconds: float) -> list[str]:
    """Kills a writer so long after it gave so many acknowledgements; returns all that it gave."""
    command = [sys.executable, "-c", WRITER, str(folder), mode, str(first)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        output = b"".join(writer.stdout.readline() for _ in range(lines))
        time.sleep(seconds)
        writer.kill()
        output += writer.stdout.read()
    assert writer.returncode == -9
    whole = output[: output.rfind(b"\n") + 1]  # the last line may be cut off
    return [line for line in whole.decode().splitlines() if line != "open"]


def look_through(folder: Path, mode: str, acknowledged: list[str]) -> None:
    """Opens the log after the crash: everything acknowledged is there and everything verifies."""
    lines = [line.split() for line in acknowledged]
    gone = {(line[1], int(line[2])) for line in lines if line[0] == "erased"}
    raw = b"".join(path.read_bytes() for path in folder.iterdir())
    assert not any(line[1].encode() in raw for line in lines if line[0] == "dropped")
    with EventLog(folder) as log:
        report = log.verify()
        assert report.ok, report.problems
        for owner, seq, number in (line for line in lines if line[0] not in ("erased", "dropped")):
            record = log.get(owner, int(seq))
            if (owner, record.seq) in gone:
                assert record.erased
            # an erasure that was cut off before it was acknowledged may have been done
            elif not (mode == "erasing" and record.erased):
                assert record.body["number"] == int(number) == record.time
        for owner in log.owners():
            numbers = [record.body["number"] for record in log.events(owner) if not record.erased]
            assert len(set(numbers)) == len(numbers)
        before = log.length("ana")
        assert log.append("ana", Event("add", -1.0, {"number": -1 - before})) == before


@pytest.mark.parametrize("mode", ["single", "batches", "threads", "erasing"])
def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path, mode: str) -> None:
    rng = random.Random(mode)
    acknowledged: list[str] = []
    for kill in range(KILLS):
        # some die while they start, open or recover, the others at their work
        lines, seconds = (0, rng.uniform(0.02, 0.25)) if kill % 4 == 0 else (rng.randrange(1, 40), 0.0)
        seconds += rng.uniform(0.0, 0.01)
        acknowledged += write_until_killed(tmp_path, mode, kill * 1_000_000, lines, seconds)
        if (tmp_path / "lock").exists():
            look_through(tmp_path, mode, acknowledged)
    assert len(acknowledged) > 5 * KILLS


# A full disk


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1.5 MiB."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=1536k", "tmpfs", str(disk)]
    if (
        mount is None
        or umount is None
        or subprocess.run(command, check=False, capture_output=True).returncode
    ):
        pytest.skip("no right to mount a tmpfs here: the test with a limit on file sizes covers this")
    yield disk
    subprocess.run([umount, str(disk)], check=True)


def fill(log: EventLog, texts: list[str]) -> None:
    """Appends until there is no more room, keeping what was acknowledged."""
    while True:
        batch = [os.urandom(600).hex() for _ in range(random.choice((1, 1, 1, 20)))]
        log.append_many("ana", map(said, batch))
        texts += batch


def test_a_full_disk_loses_nothing_and_the_log_goes_on_when_there_is_room(tiny_disk: Path) -> None:
    (tiny_disk / "other").write_bytes(bytes(500_000))
    texts: list[str] = []
    with EventLog(tiny_disk, LogConfig(map_mib=1)) as log:
        # a hole in a mapped file would be a SIGBUS, once the disk is full
        assert not [path for path in tiny_disk.iterdir() if path.stat().st_blocks * 512 < path.stat().st_size]
        for _ in range(5):
            with pytest.raises(StoreFull, match="is full; nothing acknowledged was lost; free some space"):
                fill(log, texts)
            assert [record.body["text"] for record in log.events("ana")] == texts
        assert len(texts) > 200
    with EventLog(tiny_disk) as log:  # a full disk does not keep the log from being opened
        assert log.verify().ok
        (tiny_disk / "other").unlink()
        full = len(texts)
        with pytest.raises(StoreFull):
            fill(log, texts)
        assert len(texts) > full + 50
        assert [record.body["text"] for record in log.events("ana")] == texts
        assert log.verify().ok


def test_an_erasure_without_room_for_the_copy_is_ended_when_there_is_room(tiny_disk: Path) -> None:
    marker = "⡡⣵𐂂⠏⢧𐃏⣙⡖"
    with EventLog(tiny_disk, LogConfig(map_mib=1)) as log:
        log.append("ana", said(marker))
        for _ in range(25):
            log.append_many("ana", (said(os.urandom(600).hex()) for _ in range(20)))
        other = tiny_disk / "other"
        other.write_bytes(bytes(shutil.disk_usage(tiny_disk).free - 40_000))
        with pytest.raises(StoreFull, match="free some space"):
            log.erase("ana", [0])
        assert log.get("ana", 0).erased
        assert log.stats()["purge_pending"]
        assert log.append("ana", said("and on")) == 501
    with EventLog(tiny_disk) as log:
        assert log.stats()["purge_pending"]
        assert any(marker.encode() in path.read_bytes() for path in tiny_disk.iterdir())
        other.unlink()
        log.erase("ana", [0])
        assert not log.stats()["purge_pending"]
        assert not any(marker.encode() in path.read_bytes() for path in tiny_disk.iterdir())
        assert log.length("ana") == 502
        assert log.verify().ok


LIMITED = """
import os, resource, sys
from neuromem.config import LogConfig
from neuromem.errors import StoreFull
from neuromem.log import Event, EventLog

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

stored = 0
with EventLog(sys.argv[1], LogConfig(map_mib=1)) as log:
    limit(700_000)
    for _ in range(3):
        try:
            while True:
                log.append("ana", Event("add", float(stored), {"x": os.urandom(2_000).hex()}))
                stored += 1
        except StoreFull as error:
            assert "nothing acknowledged was lost" in str(error)
    assert stored > 100, stored
    assert [record.time for record in log.events("ana")] == list(range(stored))
    limit(resource.RLIM_INFINITY)
    assert log.append("ana", Event("add", 0.0, {"x": os.urandom(200_000).hex()})) == stored
    assert log.verify().ok
print("done")
"""


def test_a_limit_on_file_sizes_is_a_full_disk_too(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "done\n", done.stderr
