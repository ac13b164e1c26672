"""Where a talk's sound is written: never over what is heard, and an error where it cannot be."""

from __future__ import annotations

import errno
import gc
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_voice import Beeps, Says, Scripted, tone

from neuromem.cli import main
from neuromem.errors import InvalidInput
from neuromem.voice import Endpointer, EnergyDetector, Loop, NoSink, WavSource
from neuromem.voice.audio import RATE, Samples, WavSink, write_wav


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


def test_a_full_disk_ends_an_answer_and_not_the_talk() -> None:
    class Full(Beeps):
        def speak(self, text: str) -> Iterator[Samples]:
            if "two" in text:
                raise OSError(errno.ENOSPC, "No space left on device")
            yield from super().speak(text)

    log, source = io.StringIO(), WavSource([tone(0.5), tone(0.5)])
    turns = Loop(
        Says(), source, Endpointer(EnergyDetector()), Scripted(["hello"]), Full(), NoSink(), log=log
    ).run()
    assert len(turns) == 2
    for turn in turns:
        assert "No space left" in turn.error
        assert turn.said.startswith("This is one.")  # what was said until then
    booked = [json.loads(line) for line in log.getvalue().splitlines()]
    assert ["No space" in line["error"] for line in booked if line["event"] == "turn"] == [True, True]
