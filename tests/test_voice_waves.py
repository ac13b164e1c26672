"""Wave files as programs write them: of several widths, channels and codings, cut off, or none at all."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest

from neuromem.errors import InvalidInput
from neuromem.voice.audio import RATE, Samples, read_wav, rms

soundfile = pytest.importorskip("soundfile", reason="needs soundfile: pip install 'neuromem[sound]'")


def tone(seconds: float = 0.5) -> Samples:
    return (6_000 * np.sin(np.arange(int(seconds * RATE)) * 0.3)).astype(np.int16)


def wave_file(
    coding: int = 1, channels: int = 1, rate: int = RATE, bits: int = 16, sound: bytes = b""
) -> bytes:
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", coding, channels, rate, rate * block & 0xFFFFFFFF, block, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
@pytest.mark.parametrize("coding", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_all_of_them_sound_the_same(tmp_path: Path, form: str, coding: str, channels: int) -> None:
    path = tmp_path / "a.wav"
    sound = np.tile(tone()[:, None], channels) / 32_768
    soundfile.write(path, sound, RATE, subtype=coding, format=form)
    heard = read_wav(path)
    assert heard.size == tone().size
    assert np.abs(heard.astype(int) - tone()).max() <= (256 if coding == "PCM_U8" else 1)


def test_what_was_cut_off_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    whole = io.BytesIO()
    soundfile.write(whole, tone(), RATE, subtype="PCM_24", format="WAV")
    path.write_bytes(whole.getvalue()[: 44 + 3 * 4_000 + 1])
    assert 3_900 <= read_wav(path).size <= 4_000
    streamed = wave_file(sound=tone().tobytes()).replace(
        b"data" + struct.pack("<I", 16_000), b"data" + b"\xff" * 4
    )
    path.write_bytes(streamed)  # by a program that could not know the length
    assert read_wav(path).size == tone().size


def test_what_is_no_number_is_silence(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(
        wave_file(3, bits=32, sound=np.array([np.nan, np.inf, -np.inf, 0.5] * 400, "<f4").tobytes())
    )
    assert 0 < rms(read_wav(path)) < 32_768 / 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for bits, loud in ((32, 3e38), (64, 1e300)):
            sound = np.array([loud, -loud, 0.5], f"<f{bits // 8}").tobytes()
            path.write_bytes(wave_file(3, bits=bits, sound=sound))
            assert read_wav(path).tolist() == [0, 0, 16_384]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"fLaC" + bytes(100),
        wave_file()[:30],
        wave_file(coding=7, bits=8, sound=b"abc"),
        wave_file(bits=64, sound=bytes(80)),
        wave_file(channels=0),
        wave_file(channels=3, bits=4, sound=bytes(81)),
        wave_file(rate=0, sound=bytes(80)),
        wave_file(rate=1, sound=bytes(80)),
        wave_file(rate=1 << 30, sound=bytes(80)),
    ],
)
def test_anything_else_is_refused_with_the_remedy(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match=r"16-bit PCM"):
        read_wav(path)
    with pytest.raises(InvalidInput, match=r"cannot be read"):
        read_wav(tmp_path)
