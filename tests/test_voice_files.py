"""Where a talk's sound is written: never over what is heard, and an error where it cannot be."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuromem.cli import main
from neuromem.errors import InvalidInput
from neuromem.voice.audio import RATE, WavSink, write_wav


@pytest.mark.parametrize("link", [False, True])
def test_a_recording_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], link: bool
) -> None:
    heard, out = tmp_path / "a.wav", tmp_path / "a.wav"
    write_wav(heard, np.ones(RATE, np.int16))
    before = heard.read_bytes()
    if link:
        out = tmp_path / "b.wav"
        out.symlink_to(heard)
    files = ["--input", str(heard), "--output", str(out), "--tts", "none"]
    assert main(["voice", "--path", str(tmp_path / "m"), *files]) == 2
    assert "--output" in capsys.readouterr().err
    assert heard.read_bytes() == before
    assert not (tmp_path / "m").exists()


def test_a_file_that_cannot_be_written_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    late = list[Any]()
    monkeypatch.setattr(sys, "unraisablehook", late.append)
    with pytest.raises(InvalidInput, match="cannot be written"):
        WavSink(tmp_path / "none" / "x.wav")
    gc.collect()
    assert not late
