"""Damage of other kinds: the header, the tail, versions that do not follow; files made to do harm."""

from __future__ import annotations

import dataclasses
import json
import random
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuromem.errors import ArchiveError, ArchiveInvalid, NotFound
from neuromem.merkle import EMPTY_ROOT, Frontier
from neuromem.sound import SoundArchive
from neuromem.sound.blocks import make_blocks
from neuromem.sound.content import Before, build
from neuromem.sound.flac import HEADER_BYTES, Layout, header, read_header
from neuromem.sound.layers.crc import CRC32C
from neuromem.sound.packets import Packets
from neuromem.sound.profiles import PROFILES
from neuromem.sound.records import Entry, Prefix, pack, squeeze

TEXTS = [f"Fact {at}: {random.Random(at).randbytes(30).hex()}" for at in range(900)]


def three_versions(path: Path, profile: str = "durable") -> list[int]:
    """A file of three versions; returns where each ends."""
    ends = []
    with SoundArchive(path, profile) as archive:
        for start in (0, 300, 600):
            archive.append_many((TEXTS[at], f"id-{at}", float(at), None) for at in range(start, start + 300))
            archive.flush()
            ends.append(path.stat().st_size)
    return ends


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_file_without_a_header_is_read_and_gets_a_new_one(tmp_path: Path, share: float) -> None:
    path, rng = tmp_path / "a.flac", random.Random(1)
    three_versions(path)
    raw = bytearray(path.read_bytes())
    raw[:HEADER_BYTES] = rng.randbytes(HEADER_BYTES)
    for _ in range(int(share * len(raw) / 1_024)):
        at = rng.randrange(len(raw) - 1_024)
        raw[at : at + 1_024] = rng.randbytes(1_024)
    path.write_bytes(raw)
    with SoundArchive(path) as archive:
        report = archive.verify()
        assert report.header_hurt
        assert report.recovered
        assert [archive.get(f"id-{at}").value for at in (0, 450, 899)] == [TEXTS[0], TEXTS[450], TEXTS[899]]
        archive.repair()
    with SoundArchive(path, readonly=True) as healed:
        assert healed.verify().ok
        assert len(healed.versions()) == 3
    found = read_header(path.read_bytes()[:HEADER_BYTES])
    assert found is not None
    assert found.versions == 3


def test_a_file_whose_beginning_is_cut_off_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    three_versions(path)
    path.write_bytes(path.read_bytes()[HEADER_BYTES + 777 :])
    with SoundArchive(path, readonly=True) as archive:
        assert [archive.get(f"id-{at}").value for at in (0, 899)] == [TEXTS[0], TEXTS[899]]


@pytest.mark.parametrize("more", [0, 5_000])
def test_a_last_version_that_was_cut_off_is_named(tmp_path: Path, more: int) -> None:
    path = tmp_path / "a.flac"
    ends = three_versions(path)
    path.write_bytes(path.read_bytes()[: ends[1] + more])
    with SoundArchive(path) as archive:
        assert archive.verify().lost == ("version 2: all of it",)
        assert archive.get("id-599").value == TEXTS[599]
        archive.append("later", id="later")
        assert archive.flush() == 3, "the number of what is lost is not given again"
    with SoundArchive(path, readonly=True) as archive:
        assert archive.verify().lost == ("version 2: all of it",)


def test_a_version_of_another_file_does_not_follow(tmp_path: Path) -> None:
    one, other = tmp_path / "a.flac", tmp_path / "b.flac"
    ends = three_versions(one)
    with SoundArchive(other, "durable") as archive:
        for start in (0, 300, 600):
            archive.append_many((TEXTS[at][::-1], f"id-{at}", 0.0, None) for at in range(start, start + 300))
            archive.flush()
            if start == 0:
                first = other.stat().st_size
    middle = other.read_bytes()[first:]
    one.write_bytes(one.read_bytes()[: ends[0]] + middle)
    with SoundArchive(one, readonly=True) as archive:
        assert any("does not follow" in line for line in archive.verify().lost)


def test_the_past_after_a_merge(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    three_versions(path, "desktop")
    with SoundArchive(path) as archive:
        past = archive.as_of(1)
        assert archive.as_of(time=0.0).records == 0
        root = archive.versions()[-1].root
        archive.merge()
        assert [version.number for version in archive.versions()] == [3]
        assert archive.segments[0].prefix.parent.hex() == root, "it names what it was made of"
        assert past.get("id-599").value == TEXTS[599]
        assert archive.as_of(3).records == 900
        for gone in ({"number": 1}, {"number": 7}, {"time": 0.0}):
            with pytest.raises(NotFound, match="3"):
                archive.as_of(**gone)
        archive.append("new", id="id-0")
        archive.flush()
        assert archive.as_of(3).get("id-0").value == TEXTS[0]
        assert archive.verify().recovered


def test_a_file_of_the_first_format_says_so(tmp_path: Path) -> None:
    content = bytearray(honest(1))
    content[4] = 1  # the version, behind the magic
    with SoundArchive(as_file(tmp_path / "a.flac", bytes(content)), readonly=True) as archive:
        with pytest.raises(ArchiveInvalid, match="format 1"):
            archive.get("r0")
        with pytest.raises(ArchiveInvalid, match="format 1"):
            archive.versions()


# -- files made to do harm ------------------------------------------------------------------------------


def honest(count: int) -> bytes:
    entries = [Entry(f"r{at}", b"x", "bytes", 0.0) for at in range(count)]
    return build(0, 0.0, [pack(e) for e in entries], entries, [], Before(Frontier(), EMPTY_ROOT), {})


def as_file(path: Path, content: bytes) -> Path:
    layout, packets = Layout(PROFILES["desktop"]), Packets(PROFILES["desktop"]).encode(0, content)
    frames = len(packets) // 4
    path.write_bytes(header(layout, frames, bytes(16), 1) + layout.write(0, packets))
    return path


def hostile(
    path: Path, blocks: list[bytes], table: Any, count: int, more: dict[str, Any] | None = None
) -> Path:
    """A file whose checks are all right, and whose sizes lie."""
    at = Prefix.SIZE + sum(map(len, blocks))
    section = squeeze(table.to_bytes())
    listing = {"sections": {"table": [at, len(section)], "filter": [at, 0]}, "frontier": [], "notes": {}}
    directory = squeeze(json.dumps(listing | (more or {})).encode())
    body = b"".join([*blocks, section, directory])
    check = blake2b(body, digest_size=16).digest()
    start = at + len(section)
    prefix = Prefix(
        0, 0.0, Prefix.SIZE + len(body), start, len(directory), count, 0, EMPTY_ROOT, EMPTY_ROOT, check
    )
    return as_file(path, prefix.to_bytes() + body)


def read_it_all(path: Path) -> None:
    with SoundArchive(path, readonly=True) as archive:
        archive.get("r0")
        list(archive.in_order())
        archive.search([1.0, 0.0])


LIES = {
    "a block that is said to be huge": {"data_raw": 1 << 39},
    "columns that are said to be huge": {"head_raw": 1 << 39},
    "more records than a block may have": {"count": 1 << 31},
    "a block that unpacks to more than is said": {"data_raw": 1},
    "a block longer than the file": {"data": 1 << 30},
}


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_a_table_that_lies_is_refused(tmp_path: Path, lie: str) -> None:
    blocks, table = make_blocks([Entry(f"r{at}", b"x" * 50, "bytes", 0.0) for at in range(10)], 3)
    count = LIES[lie].get("count", 10)
    columns = table.columns | {name: np.array([value]) for name, value in LIES[lie].items()}
    path = hostile(
        tmp_path / "a.flac", blocks, dataclasses.replace(table, columns=columns), min(count, 1 << 31)
    )
    with pytest.raises(ArchiveError):
        read_it_all(path)


def test_keys_that_are_said_to_be_huge_are_refused(tmp_path: Path) -> None:
    blocks, table = make_blocks([Entry(f"r{at}", b"x", "bytes", 0.0) for at in range(10)], 3)
    for more in (
        {"keyed": 10, "width": 1 << 40},
        {"keyed": 1 << 40, "width": 8},
        {"keyed": -1},
        {"width": "x"},
    ):
        path = hostile(tmp_path / "a.flac", blocks, table, 10, {"keyed": 10, "width": 2} | more)
        with pytest.raises(ArchiveError):
            read_it_all(path)


def test_a_head_that_tells_of_millions_of_packets_is_refused(tmp_path: Path) -> None:
    profile, path = PROFILES["desktop"], tmp_path / "a.flac"
    packets = Packets(profile).encode(0, honest(3)).copy()
    packets[:, 6:10] = [0xFF, 0xFF, 120, 255]  # groups, k, m - 1
    packets[:, -4:] = CRC32C.rows(packets[:, :-4]).astype(">u4").view(np.uint8).reshape(-1, 4)
    layout = Layout(profile)
    path.write_bytes(header(layout, 0) + layout.write(0, packets))
    with SoundArchive(path, readonly=True) as archive:
        assert not archive.versions()
        assert archive.verify().lost


BOMB = """
import resource, sys
from neuromem.errors import ArchiveError
from neuromem.sound import SoundArchive
try:
    with SoundArchive(sys.argv[1], readonly=True) as archive:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(sum(len(entry.data) for entry in archive.in_order()))
except ArchiveError as error:
    print("refused", error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


def test_a_bomb_of_zeros_is_read_in_bounded_memory(tmp_path: Path) -> None:
    """Twelve records of 60 MB of zeros each, in a file of under a megabyte: never all at once."""
    entry = Entry("r0", bytes(60 << 20), "bytes", 0.0)
    blocks, table = make_blocks([entry], 3)
    many = dataclasses.replace(
        table, columns={name: np.repeat(column, 12) for name, column in table.columns.items()},
        low=np.zeros(12), high=np.zeros(12), least=["r0"] * 12, greatest=["r0"] * 12,
    )  # fmt: skip
    path = hostile(tmp_path / "a.flac", blocks * 12, many, 12)
    assert path.stat().st_size < 1 << 20
    done = subprocess.run([sys.executable, "-c", BOMB, path], capture_output=True, text=True, check=True)
    read, grown_mib = done.stdout.split()
    assert int(read) == 12 * (60 << 20)
    assert int(grown_mib) < 400, "a block of 60 MB in two copies, and what is kept"
