"""The write-ahead file: what was acknowledged is there after a crash, whatever happened before it."""

from __future__ import annotations

import os
import random
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from neuromem.errors import ArchiveDamaged, NotFound
from neuromem.sound import SoundArchive
from neuromem.sound.flac import HEADER_BYTES

ROWS = [(random.Random(at).randbytes(100), f"id-{at}", float(at), None) for at in range(1_000)]


def crash(path: Path, work: Callable[[SoundArchive], object]) -> None:
    """Does it in a process that ends at once, without closing; fails if the work does."""
    child = os.fork()
    if child == 0:
        try:
            work(SoundArchive(path, "desktop"))
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def filled(path: Path) -> bytes:
    with SoundArchive(path, "desktop") as archive:
        archive.append_many(ROWS)
    return path.read_bytes()


def waits(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def test_what_comes_after_a_full_disk_is_there_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"

    def work(archive: SoundArchive) -> None:
        archive.append("one", id="one")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, -1))
        with pytest.raises(OSError, match="large"):
            archive.append(os.urandom(20_000), id="big")
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
        archive.append("two", id="two")

    crash(path, work)
    with SoundArchive(path) as archive:
        assert [entry.id for entry in archive] == ["two", "one"]


def test_what_comes_after_a_record_half_written_by_a_crash_is_there_after_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    crash(path, lambda archive: archive.append("one", id="one"))
    with waits(path).open("ab") as file:
        file.write(bytes([0, 0, 9, 9, 1]))
    crash(path, lambda archive: archive.append("two", id="two"))
    with SoundArchive(path) as archive:
        assert [entry.id for entry in archive] == ["two", "one"]


def test_what_waits_while_an_archive_is_repaired_is_there_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    raw = bytearray(filled(path))
    middle = len(raw) // 3
    raw[middle : 2 * middle] = random.Random(0).randbytes(middle)
    path.write_bytes(raw)

    def work(archive: SoundArchive) -> None:
        archive.append("before", id="before")
        assert archive.repair().lost
        archive.append("after", id="after")

    crash(path, work)
    with SoundArchive(path) as archive:
        assert [archive.get(name).value for name in ("before", "after")] == ["before", "after"]
    assert not waits(path).exists()


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_what_waits_outlives_the_loss_of_the_versions_before_it(tmp_path: Path, share: float) -> None:
    path = tmp_path / "a.flac"
    size = len(filled(path))
    crash(path, lambda archive: archive.append("waits", id="waits"))
    with path.open("r+b") as file:
        file.truncate(HEADER_BYTES + int(share * (size - HEADER_BYTES)))
    for _ in range(2):
        crash(path, lambda archive: archive.get("waits"))  # opened, and nothing done with it
    with SoundArchive(path) as archive:
        assert archive.get("waits").value == "waits"
    with SoundArchive(path, readonly=True) as archive:
        assert [entry.id for entry in archive] == ["waits"]


def test_what_waits_for_a_repair_is_kept_until_then(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    end = len(filled(path))
    with SoundArchive(path) as archive:
        archive.append_many(ROWS)
    crash(path, lambda archive: archive.append("waits", id="waits"))
    raw = bytearray(path.read_bytes())
    raw[end : (end + len(raw)) // 2] = bytes((end + len(raw)) // 2 - end)
    raw[-20_000:] = bytes(20_000)  # where the first packets come again to fill a frame
    path.write_bytes(raw)
    with SoundArchive(path) as archive, pytest.raises(ArchiveDamaged):
        archive.append("x", id="x")
    assert waits(path).exists()
    with SoundArchive(path) as archive:
        assert archive.repair().lost
        assert archive.get("waits").value == "waits"
    with SoundArchive(path, readonly=True) as archive:
        assert archive.get("waits").value == "waits"
    assert not waits(path).exists()


def test_what_is_in_a_version_already_is_not_taken_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    crash(path, lambda archive: archive.append("one", id="one"))
    kept = waits(path).read_bytes()
    SoundArchive(path).close()
    waits(path).write_bytes(kept)  # as if it had crashed before the file was emptied
    with SoundArchive(path) as archive:
        assert archive.records == 1
        archive.append("two", id="two")
    with SoundArchive(path, readonly=True) as archive:
        assert [version.records for version in archive.versions()] == [1, 1]


def test_a_new_archive_takes_nothing_of_an_older_one_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    filled(path)
    crash(path, lambda archive: archive.append("old", id="old"))
    path.unlink()
    with SoundArchive(path, "desktop") as archive, pytest.raises(NotFound):
        archive.get("old")
