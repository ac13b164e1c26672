"""The archive: what goes in comes out, from any version, from a hurt file, and after a crash."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from strings import NASTY

from neuromem.errors import ArchiveError, InvalidInput, NotFound, ReadOnly, StoreLocked
from neuromem.sound import SoundArchive
from neuromem.sound.flac import HEADER_BYTES
from neuromem.sound.profiles import PROFILES

TEXTS = [f"Fact {at}: the {at * 7919 % 1000}th of {at} is {at * at}" for at in range(2_000)]


def filled(path: Path, profile: str = "durable", count: int = 2_000) -> Path:
    with SoundArchive(path, profile) as archive:
        archive.append_many((text, f"id-{at}", float(at), None) for at, text in enumerate(TEXTS[:count]))
    return path


def bursts(path: Path, share: float, seed: int) -> None:
    raw, rng = bytearray(path.read_bytes()), random.Random(seed)
    left = int(share * (len(raw) - HEADER_BYTES))
    while left > 0:
        length = min(left, rng.choice((128, 512, 1_024, 4_096)))
        at = rng.randrange(HEADER_BYTES, len(raw) - length)
        raw[at : at + length] = rng.randbytes(length)
        left -= length
    path.write_bytes(raw)


@pytest.mark.parametrize("profile", PROFILES)
def test_what_goes_in_comes_out(tmp_path: Path, profile: str) -> None:
    path = tmp_path / "a.flac"
    values = [*NASTY, b"\x00\xff" * 500, {"a": [1, "é", None]}]
    with SoundArchive(path, profile) as archive:
        for at, value in enumerate(values):
            archive.append(value, id=f"v{at}")
    with SoundArchive(path, readonly=True) as archive:
        assert archive.profile.name == profile
        assert [archive.get(f"v{at}").value for at in range(len(values))] == values
        assert archive.verify().ok
        with pytest.raises(NotFound):
            archive.get("nobody")
        with pytest.raises(ReadOnly):
            archive.append("x", id="y")
    if shutil.which("flac"):
        done = subprocess.run(["flac", "-t", "-w", path], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_versions_are_kept_and_merge_makes_one_of_them(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with SoundArchive(path, "desktop") as archive:
        archive.append("old", id="x", key=[1, 0])
        archive.append("other", id="y", key=[0, 1])
        archive.flush()
        with pytest.raises(StoreLocked):
            SoundArchive(path)
        reader = SoundArchive(path, readonly=True)
        archive.append("new", id="x", key=[1, 0.1])
        archive.delete("y")
        assert archive.flush({"head": 1}) == 1
        assert archive.get("x").value == "new"
        assert archive.as_of(0).get("x").value == "old"
        assert [item.entry.value for item in archive.search([1, 0])] == ["new"]
        assert [version.records for version in archive.versions()] == [2, 2]
        assert archive.merge() == 1
        assert archive.notes() == {"head": 1}
        assert reader.get("x").value == "old"
        assert [entry.value for entry in archive] == ["new"]
        with pytest.raises(InvalidInput, match="query"):
            archive.search("words")


def test_what_was_appended_before_a_crash_is_there_and_half_a_segment_is_not(tmp_path: Path) -> None:
    path = filled(tmp_path / "a.flac", "embedded", 50)
    whole = path.read_bytes()
    archive = SoundArchive(path)
    archive.append("in the write-ahead file", id="late")
    archive.close(flush=False)
    with SoundArchive(path) as again:
        assert again.get("late").value == "in the write-ahead file"
    grown = path.read_bytes()
    half_written = grown[HEADER_BYTES : len(whole) + (len(grown) - len(whole)) // 2]
    path.write_bytes(whole[:HEADER_BYTES] + half_written)  # the header is written last
    with SoundArchive(path) as half:
        assert len(half.versions()) == 1
        assert half.get("id-49").value == TEXTS[49]
        half.append("goes on", id="more")
    with SoundArchive(path, readonly=True) as after:
        assert after.get("more").value == "goes on"
        assert after.verify().ok


def test_a_time_index_and_the_newest_first(tmp_path: Path) -> None:
    with SoundArchive(filled(tmp_path / "a.flac", "server"), readonly=True) as archive:
        assert [entry.id for entry in archive.between(1_500, 1_503)] == ["id-1500", "id-1501", "id-1502"]
        assert next(iter(archive)).id == "id-1999"


@pytest.mark.parametrize("seed", range(5))
def test_fifteen_percent_of_the_audio_overwritten_and_every_bit_is_there(tmp_path: Path, seed: int) -> None:
    path = filled(tmp_path / "a.flac")
    bursts(path, 0.15, seed)
    with SoundArchive(path) as archive:
        assert [archive.get(f"id-{at}").value for at in range(0, 2_000, 97)] == TEXTS[::97]
        report = archive.repair()
        assert report.recovered
        assert report.rebuilt
        assert archive.verify().ok
        assert sorted(entry.value for entry in archive) == sorted(TEXTS)


def test_a_file_whose_frames_have_moved_is_read_by_the_scanner(tmp_path: Path) -> None:
    path = filled(tmp_path / "a.flac")
    raw = path.read_bytes()
    path.write_bytes(raw[:HEADER_BYTES] + b"junk!" + raw[HEADER_BYTES:60_000] + raw[61_234:])
    with SoundArchive(path) as archive:
        assert archive.get("id-1234").value == TEXTS[1234]
        archive.repair()
    with SoundArchive(path, readonly=True) as archive:
        assert archive.verify().ok


def test_what_is_beyond_repair_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    texts = [np.random.default_rng(at).bytes(1_000) for at in range(500)]
    path = tmp_path / "a.flac"
    with SoundArchive(path, "desktop") as archive:
        archive.append_many((text, f"id-{at}", float(at), None) for at, text in enumerate(texts))
    raw = bytearray(path.read_bytes())
    raw[50_000:200_000] = bytes(150_000)
    path.write_bytes(raw)
    with SoundArchive(path) as archive:
        report = archive.repair()
        assert not report.recovered
        assert "version 0: records" in report.lost[0]
        assert archive.get("id-499").value == texts[499]
        assert archive.notes()["lost"] == list(report.lost)


@pytest.mark.parametrize("seed", range(30))
def test_hostile_files_are_refused_with_an_error_of_ours(tmp_path: Path, seed: int) -> None:
    path, rng = filled(tmp_path / "a.flac", "mobile", 60), random.Random(seed)
    raw = bytearray(path.read_bytes())
    if seed % 3 == 0:
        raw = raw[: rng.randrange(len(raw))]
    for _ in range(200 if seed % 3 else 0):
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)
    try:
        with SoundArchive(path, readonly=True) as archive:
            archive.verify()
            assert archive.get("id-3").value == TEXTS[3]
    except (ArchiveError, NotFound):
        pass
