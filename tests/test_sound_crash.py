"""What a crash, a hole in the file, or a hostile writer leaves: read, completed, or refused by name."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from neuromem.errors import ArchiveDamaged, ArchiveError, ArchiveInvalid, InvalidInput, SoundError
from neuromem.merkle import EMPTY_ROOT, Frontier
from neuromem.sound import SoundArchive, acoustic_file
from neuromem.sound.content import Before
from neuromem.sound.flac import HEADER_BYTES, Layout, header
from neuromem.sound.items import content_of
from neuromem.sound.packets import Packets
from neuromem.sound.profiles import PROFILES
from neuromem.sound.records import Entry, Prefix, pack, squeeze, unpack

DESKTOP = PROFILES["desktop"]


def rows(version: int) -> list[tuple[bytes, str, float, None]]:
    rng = np.random.default_rng(version)
    return [(rng.bytes(200), f"v{version}-{at}", float(at), None) for at in range(200)]


def filled(path: Path, versions: int, profile: str = "desktop") -> list[int]:
    """An archive of so many versions; where each ends in the file."""
    ends = []
    with SoundArchive(path, profile) as archive:
        for version in range(versions):
            archive.append_many(rows(version))
            archive.flush()
            ends.append(path.stat().st_size)
    return ends


def plays(path: Path) -> None:
    """Every stock decoder that is here takes the whole file."""
    with soundfile.SoundFile(str(path)) as file:
        assert len(file.read(dtype="int32")) == file.frames > 0
    for command in (["flac", "-t", "-s"], ["ffmpeg", "-v", "error", "-xerror", "-i"]):
        if shutil.which(command[0]):
            after = ["-f", "null", "-"] if command[0] == "ffmpeg" else []
            done = subprocess.run([*command, str(path), *after], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr


def crash(path: Path, work: Callable[[SoundArchive], None]) -> None:
    """Does it in a process that ends at once, without closing."""
    child = os.fork()
    if child == 0:
        try:
            work(SoundArchive(path))
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def test_a_file_that_was_never_closed_plays_and_the_next_writer_completes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    filled(path, 1)

    def work(archive: SoundArchive) -> None:
        archive.append("flushed", id="flushed")
        archive.flush()
        archive.append("waiting", id="waiting")

    crash(path, work)
    plays(path)
    with SoundArchive(path) as archive:
        assert archive.get("flushed").value == "flushed"
        assert archive.get("waiting").value == "waiting"
    plays(path)
    with SoundArchive(path, readonly=True) as archive:
        assert [version.number for version in archive.versions()] == [0, 1, 2]
        assert archive.verify().ok
    if shutil.which("flac"):
        strict = subprocess.run(["flac", "-t", "-s", "-w", str(path)], capture_output=True, text=True)
        assert strict.returncode == 0, f"the MD5 is there again: {strict.stderr}"


@pytest.mark.parametrize("filling", ["zeros", "rubbish", "nothing"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.7])
def test_a_version_with_a_hole_for_an_end_is_no_version(tmp_path: Path, filling: str, share: float) -> None:
    path = tmp_path / "a.flac"
    filled(path, 1)
    before = path.read_bytes()
    with SoundArchive(path) as archive:
        archive.append_many(rows(1))
    grown = path.read_bytes()
    cut = len(before) + int(share * (len(grown) - len(before)))
    tail = {"zeros": bytes(len(grown) - cut), "rubbish": os.urandom(len(grown) - cut), "nothing": b""}[
        filling
    ]
    path.write_bytes(before[:HEADER_BYTES] + grown[HEADER_BYTES:cut] + tail)
    with SoundArchive(path, readonly=True) as reader:
        assert [version.number for version in reader.versions()] == [0]
        assert reader.get("v0-7").value == rows(0)[7][0]
    with SoundArchive(path) as archive:
        archive.append("goes on", id="more")
    plays(path)
    with SoundArchive(path, readonly=True) as reader:
        assert reader.get("more").value == "goes on"
        assert reader.verify().ok


def test_a_version_that_was_whole_once_is_named_though_it_was_never_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    end = filled(path, 1)[0]
    crash(path, lambda archive: (archive.append_many(rows(1)), archive.flush())[0])
    raw = path.read_bytes()
    path.write_bytes(raw[: end + 20_000] + bytes(len(raw) - end - 20_000))
    with SoundArchive(path, readonly=True) as archive:
        assert any("version 1" in line for line in archive.verify().lost)
        assert archive.segments[0].entry(7).id == "v0-7"


def test_what_is_appended_behind_a_lost_version_overwrites_no_later_one(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    ends = filled(path, 3)
    raw = bytearray(path.read_bytes())
    raw[ends[0] : ends[1]] = os.urandom(ends[1] - ends[0])
    path.write_bytes(raw)
    with SoundArchive(path) as archive:
        archive.append("new", id="new")
    with SoundArchive(path, readonly=True) as archive:
        assert [version.number for version in archive.versions()] == [0, 2, 3]
        for version in (0, 2):
            assert archive.get(f"v{version}-7").value == rows(version)[7][0]
        assert archive.get("new").value == "new"
        assert "version 1: all of it" in archive.verify().lost


def test_a_file_whose_last_version_has_lost_its_beginning_is_opened_and_repaired(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    ends = filled(path, 2)
    raw = bytearray(path.read_bytes())
    middle = ends[0] + (ends[1] - ends[0]) // 2
    raw[ends[0] : middle] = bytes(middle - ends[0])
    raw[-8_000:] = bytes(8_000)  # where the first packets come again to fill a frame
    path.write_bytes(raw)
    with SoundArchive(path) as archive:
        assert archive.verify().frames_hurt == 4, "frames of zeros too, whose CRC is zero"
        with pytest.raises(ArchiveDamaged):
            archive.append("x", id="x")
        assert not archive.repair().recovered
        assert archive.get("v0-7").value == rows(0)[7][0]
        archive.append("x", id="x")
    plays(path)


def test_a_writer_that_fails_gives_the_lock_back(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    filled(path, 1)
    archive = SoundArchive(path)
    archive.append("one", id="one")
    path.unlink()
    with pytest.raises(FileNotFoundError):
        archive.close()
    SoundArchive(path).close()


def test_a_key_of_another_width_is_refused_before_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with SoundArchive(path, "desktop") as archive:
        archive.append("one", id="one", key=[1.0, 0.0])
        with pytest.raises(InvalidInput, match="widths"):
            archive.append("two", id="two", key=[1.0, 0.0, 0.0])
    with SoundArchive(path) as archive:
        assert [entry.id for entry in archive] == ["one"]
        with pytest.raises(InvalidInput, match="widths"):
            archive.append("two", id="two", key=[1.0, 0.0, 0.0])


def test_readers_see_whole_versions_while_a_writer_appends_and_merges(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    SoundArchive(path, "desktop").close()
    done, seen = threading.Event(), list[int]()
    wrong = list[str]()

    def read() -> None:
        while not done.is_set():
            with SoundArchive(path, readonly=True) as archive:
                values = {entry.id: entry.value for entry in archive}
                seen.append(len(values))
                if len(set(values.values())) > 1:
                    wrong.append(f"records of {set(values.values())} in one view")

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with SoundArchive(path) as archive:
            for turn in range(25):
                archive.append_many((f"turn {turn}", f"id-{at}", None, None) for at in range(40))
                archive.flush()
                if turn % 10 == 9:
                    archive.merge()
    finally:
        done.set()
        reader.join()
    assert not wrong
    assert set(seen) <= {0, 40}
    assert 40 in seen


def test_threads_pack_and_unpack_at_once() -> None:
    texts = [
        f"Turn {n}: my sister moved to Ghent on the {n % 28 + 1}th. ".encode() * (n % 40 + 1)
        for n in range(200)
    ]

    def there_and_back(_: int) -> bool:
        return all(unpack(squeeze(text), len(text)) == text for text in texts * 3)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(8)))


# ---- what a hostile writer makes: every check of the packets is right, and what they hold is not


def sound_of(path: Path, content: bytes) -> Path:
    layout = Layout(DESKTOP)
    path.write_bytes(header(layout, 0) + layout.write(0, Packets(DESKTOP).encode(0, content)))
    return path


def use(path: Path) -> None:
    """All that can be asked of a file, and done with it."""
    with SoundArchive(path, readonly=True) as archive:
        archive.verify()
        _ = [entry.value for entry in archive], archive.notes(), archive.versions()
    with SoundArchive(path) as archive:
        archive.append("x", id="x")
        archive.flush()


@pytest.mark.parametrize("frontier", [[1, 2], "zz", None, ["zz"], [], ["00"] * 99, ["00" * 32]])
def test_a_directory_with_a_false_merkle_tree_is_refused(tmp_path: Path, frontier: Any) -> None:
    entry = Entry("a", b"words", "text", 1.0)
    content = content_of(0, [(entry, pack(entry), None)], Before(Frontier(), EMPTY_ROOT), {})
    prefix = Prefix.from_bytes(content)
    listing = json.loads(unpack(content[prefix.directory :], 1 << 20)) | {"frontier": frontier}
    raw = squeeze(json.dumps(listing).encode())
    body = content[Prefix.SIZE : prefix.directory] + raw
    check = blake2b(body, digest_size=16).digest()
    changed = dataclasses.replace(
        prefix, directory_bytes=len(raw), length=Prefix.SIZE + len(body), check=check
    )
    path = sound_of(tmp_path / "a.flac", changed.to_bytes() + body)
    with pytest.raises(ArchiveInvalid, match="Merkle"):
        use(path)
    path.with_name("a.flac.wal").unlink()
    with SoundArchive(path) as archive:
        assert "Merkle" in archive.repair().lost[0]
        archive.append("x", id="x")
    with SoundArchive(path, readonly=True) as archive:
        assert [entry.id for entry in archive] == ["x", "a"]
        assert archive.verify().ok


@pytest.mark.parametrize(
    ("kind", "data"),
    [("text", b"\xff\xfe"), ("record", b"{"), ("record", b"[" * 100_000), ("record", b"9" * 6_000)],
)
def test_a_record_that_is_not_what_it_says_is_refused(tmp_path: Path, kind: str, data: bytes) -> None:
    entry = Entry("a", data, kind, 1.0)
    content = content_of(0, [(entry, pack(entry), None)], Before(Frontier(), EMPTY_ROOT), {})
    with pytest.raises(ArchiveInvalid, match="'a'"):
        use(sound_of(tmp_path / "a.flac", content))


@pytest.mark.parametrize("seed", range(40))
def test_changed_content_in_sound_packets_raises_nothing_but_errors_of_ours(
    tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    items = []
    for at in range(60):
        entry = Entry(f"id{at * 7 % 40}", f"words {at}".encode(), "text", 1e9 + at)
        items.append((entry, pack(entry), rng.normal(size=8).astype(np.float32)))
    content = bytearray(content_of(0, items, Before(Frontier(), EMPTY_ROOT), {}))
    first, last = (0, Prefix.SIZE) if seed % 3 == 0 else (Prefix.SIZE, len(content))
    for place in rng.integers(first, last, 3):
        content[place] = rng.integers(256)
    with contextlib.suppress(ArchiveError):
        use(sound_of(tmp_path / "a.flac", bytes(content)))


def test_a_value_that_is_no_json_is_refused(tmp_path: Path) -> None:
    with SoundArchive(tmp_path / "a.flac") as archive, pytest.raises(InvalidInput, match="JSON"):
        archive.append({"made of": object()}, id="a")


def test_sound_that_says_it_is_huge_is_read_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "silence.flac"
    soundfile.write(str(path), np.zeros((8_000 * 30, 8), np.int16), 8_000, subtype="PCM_16", format="FLAC")
    raw = bytearray(path.read_bytes())
    raw[18:26] = (int.from_bytes(raw[18:26], "big") | (1 << 36) - 1).to_bytes(8, "big")
    lying = tmp_path / "lying.flac"
    lying.write_bytes(raw)
    try:
        sound, _ = acoustic_file.read_sound(lying)
        assert len(sound) == 8_000 * 30
    except SoundError:
        pass
    monkeypatch.setattr(acoustic_file, "MOST_SAMPLES", 100_000)
    sound, rate = acoustic_file.read_sound(path)
    assert (len(sound), rate) == (100_000, 8_000)
