"""Files that have lost bytes, at the end or within, or got some: what is left is found, and stays found."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from conftest import FakeClock
from strings import FACTS

from neuromem import Memory
from neuromem.sound import SoundArchive
from neuromem.sound.flac import HEADER_BYTES

ROWS = [(random.Random(at).randbytes(300), f"id-{at}", float(at), None) for at in range(600)]


def two_versions(path: Path, profile: str) -> tuple[int, bytes]:
    """A file of two versions: where the first ends, and all bytes."""
    with SoundArchive(path, profile) as archive:
        archive.append_many(ROWS[:300])
        archive.flush()
        end = path.stat().st_size
        archive.append_many(ROWS[300:])
    return end, path.read_bytes()


@pytest.mark.parametrize(
    ("at", "gone", "come"),
    [(1.0, 1, 0), (0.99, 0.01, 0), (0.9, 0.1, 0), (0.5, 10, 0), (0.9, 1, 0), (0.5, 0.1, 0), (0.5, 0, 10)],
)
def test_a_durable_memory_that_has_lost_bytes_is_imported_whole(
    tmp_path: Path, fake_clock: FakeClock, at: float, gone: float, come: int
) -> None:
    path = tmp_path / "ana.flac"
    with Memory(None, encoder="hash", clock=fake_clock) as memory:
        for fact in FACTS:
            memory.add(fact, user_id="ana", infer=False)
        memory.export(path, "ana", "durable")
        texts = [record.text for record in memory.all(user_id="ana")]
    raw = path.read_bytes()
    length = gone if isinstance(gone, int) else int(gone * len(raw))
    begin = min(int(at * len(raw)), len(raw) - length)
    path.write_bytes(raw[:begin] + bytes(come) + raw[begin + length :])
    with Memory(None, encoder="hash", clock=fake_clock) as memory:
        assert memory.import_(path) == len(texts)
        assert [record.text for record in memory.all(user_id="ana")] == texts
    with SoundArchive(path) as archive:
        report = archive.repair()
        assert report.recovered
        assert not report.ok, "a byte that is missing at the very end is damage, too"
        assert archive.verify().ok


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("profile", ["mobile", "durable"])
@pytest.mark.parametrize(("gone", "come"), [(10, 0), (0, 7)])
def test_a_version_whose_frames_have_moved_outlives_the_next_one(
    tmp_path: Path, profile: str, version: int, gone: int, come: int
) -> None:
    path = tmp_path / "a.flac"
    end, raw = two_versions(path, profile)
    middle = (end + len(raw)) // 2 if version else end // 2
    path.write_bytes(raw[:middle] + bytes(come) + raw[middle + gone :])
    with SoundArchive(path) as archive:
        assert archive.verify().recovered
        archive.append("new", id="new")
    with SoundArchive(path) as archive:
        assert archive.repair().recovered
    with SoundArchive(path, readonly=True) as archive:
        assert archive.verify().ok
        assert [version.number for version in archive.versions()] == [0, 1, 2]
        assert {entry.id for entry in archive} == {name for _, name, _, _ in ROWS} | {"new"}


def test_a_last_version_that_has_lost_a_byte_outlives_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    _, raw = two_versions(path, "desktop")
    path.write_bytes(raw[:-1])
    with SoundArchive(path) as archive:
        archive.append("new", id="new")
    with SoundArchive(path, readonly=True) as archive:
        assert archive.verify().recovered
        assert [version.number for version in archive.versions()] == [0, 1, 2]


def test_a_last_version_cut_off_beyond_repair_does_not_stand_before_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    end, raw = two_versions(path, "desktop")
    path.write_bytes(raw[: end + (len(raw) - end) * 6 // 10])
    with SoundArchive(path) as archive:
        assert archive.verify().lost == ("version 1: all of it",)
        assert archive.get("id-7").value == ROWS[7][0]
        archive.append("new", id="new")
        assert archive.flush() == 2


def test_a_write_that_a_crash_has_cut_short_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with SoundArchive(path, "durable") as archive:
        archive.append_many(ROWS[:300])
        archive.flush()
        before = path.read_bytes()
        archive.append_many(ROWS[300:])
    grown = path.read_bytes()
    nearly = (len(before) + 9 * len(grown)) // 10
    path.write_bytes(before[:HEADER_BYTES] + grown[HEADER_BYTES:nearly])  # the header of when it began
    with SoundArchive(path, readonly=True) as archive:
        assert [version.number for version in archive.versions()] == [0]
        assert archive.verify().recovered
