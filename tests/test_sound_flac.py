"""Packets in FLAC: stock decoders take every profile's files, and what bursts destroy is rebuilt."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neuromem.sound.flac import HEADER_BYTES, Layout, Md5, header, profile_in, scan
from neuromem.sound.packets import Packets
from neuromem.sound.profiles import PROFILES, Profile

EACH = pytest.mark.parametrize("profile", PROFILES.values(), ids=str)


def written(profile: Profile, content: bytes, path: Path, first: int = 0) -> np.ndarray:
    layout, packets = Layout(profile), Packets(profile).encode(3, content)
    digest = Md5(profile)
    digest.update(packets)
    frames = len(packets) // profile.per_frame
    path.write_bytes(header(layout, frames, digest.digest()) + layout.write(first, packets))
    return packets


@EACH
def test_stock_decoders_take_the_file_and_give_the_samples(profile: Profile, tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    packets = written(profile, random.Random(0).randbytes(300_000), path)
    assert len(header(Layout(profile), 5)) == HEADER_BYTES
    samples, rate = soundfile.read(path, dtype="int32", always_2d=True)
    assert (rate, samples.shape[1]) == (profile.rate, profile.channels)
    raw = (samples >> (32 - profile.bits)).astype("<i4").reshape(-1, 1).view(np.uint8).reshape(-1, 4)
    ours = packets.reshape(-1, profile.channels, profile.block, profile.bits // 8).transpose(0, 2, 1, 3)
    assert (raw[:, : profile.bits // 8] == ours[:, :, :, ::-1].reshape(-1, profile.bits // 8)).all()
    if shutil.which("flac"):
        done = subprocess.run(["flac", "-t", "-w", path], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    if shutil.which("ffmpeg"):
        args = ["ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "null", "-"]
        done = subprocess.run(args, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


@EACH
def test_frames_are_where_the_layout_says_and_are_found_without_it(profile: Profile, tmp_path: Path) -> None:
    packets = Packets(profile).encode(1, bytes(5_000))
    layout, frames = Layout(profile), len(packets) // profile.per_frame
    for first in (0, 126, 0x7FF, 0xFFFF):
        raw = layout.write(first, packets)
        assert len(raw) == layout.offset(first + frames) - layout.offset(first)
        assert (layout.read(first, first + frames, raw) == packets).all()
        assert layout.bad_frames(first, first + frames, raw) == 0
        assert [frame for frame, _ in scan(b"rubbish" + raw, profile)][:frames][0] == first
    assert profile_in(b"\xff\xf8rubbish" + raw) is profile
    assert all(
        layout.frames(layout.offset(at)) == at == layout.frames(layout.offset(at) + 5) for at in range(300)
    )


def test_content_comes_back_from_what_bursts_have_left() -> None:
    profile, rng = PROFILES["durable"], random.Random(1)
    content, packets = rng.randbytes(100_000), Packets(profile)
    rows = packets.encode(7, content)
    shape = packets.shape_in(rows[0])
    for _ in range(5):
        hurt = rows.copy().reshape(-1)
        for _ in range(int(0.15 * len(hurt) / 400)):
            at = rng.randrange(len(hurt) - 400)
            hurt[at : at + 400] = np.frombuffer(rng.randbytes(400), np.uint8)
        healed = packets.heal(shape, hurt.reshape(rows.shape))
        assert healed.whole
        assert healed.content[: len(content)] == content
        assert healed.rebuilt


def test_reed_solomon_heals_where_every_packet_is_hurt_a_little() -> None:
    profile = PROFILES["embedded"]
    packets, content = Packets(profile), random.Random(2).randbytes(4_000)
    rows = packets.encode(0, content)
    shape = packets.shape_in(rows[0])
    hurt = rows.copy()
    hurt[:, 40:60] ^= 0x77
    healed = packets.heal(shape, hurt)
    assert healed.content[: len(content)] == content
    assert healed.corrected == shape.packets == healed.hurt


def test_beyond_the_limit_of_the_code_the_good_shards_are_returned() -> None:
    profile = PROFILES["desktop"]
    packets, content = Packets(profile), random.Random(3).randbytes(100_000)
    rows = packets.encode(0, content)
    shape = packets.shape_in(rows[0])
    hurt = rows.copy()
    hurt[10:30] = 0
    healed = packets.heal(shape, hurt)
    assert not healed.whole
    size = profile.shard_bytes
    assert [at for at, good in enumerate(healed.good) if not good] == list(range(10, 30))
    assert healed.content[: 10 * size] == content[: 10 * size]
