"""send, listen and bench modem."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from neuromem.bench import run as bench
from neuromem.cli import main


def said(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_words_go_by_a_file_of_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wave = tmp_path / "hello.wav"
    sent = said(capsys, "send", "il", "cane", "è", "Potola", "--output", wave)
    assert (sent["bytes"], sent["mode"], sent["file"]) == (
        len("il cane è Potola".encode()),
        "robust",
        str(wave),
    )
    heard = said(capsys, "listen", "--input", wave)
    assert heard["text"] == "il cane è Potola"
    assert heard["report"]["lost"] == []
    assert main(["listen", "--input", str(wave)]) == 0
    assert "il cane è Potola" in capsys.readouterr().out


def test_a_file_goes_byte_for_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, wave, copy = tmp_path / "a.bin", tmp_path / "a.flac", tmp_path / "b.bin"
    source.write_bytes(bytes(range(256)))
    said(capsys, "send", source, "--mode", "fast", "--rate", 44_100, "--output", wave)
    assert said(capsys, "listen", "--input", wave)["hex"] == source.read_bytes().hex()
    assert main(["listen", "--input", str(wave)]) == 2
    assert "--output" in capsys.readouterr().err
    assert main(["listen", "--input", str(wave), "--output", str(copy)]) == 0
    assert copy.read_bytes() == source.read_bytes()


def test_commands_say_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    for status, words in (
        (2, ["listen", "--input", str(tmp_path / "none.wav")]),
        (1, ["listen", "--input", str(text)]),
        (2, ["listen", "--seconds", "0"]),
        (2, ["send", "x", "--output", str(tmp_path / "no" / "folder.wav")]),
        (2, ["send", "x", "--output", str(tmp_path / "x.nonsense")]),
        (2, ["send", "x", "--rate", "10", "--output", str(tmp_path / "x.wav")]),
    ):
        assert main(words) == status, words
        error = capsys.readouterr().err
        assert error.startswith("neuromem: error: ")
        assert error.count("\n") == 1


def test_the_bench_counts_what_was_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("modem", ["--trials", "1", "--bytes", "50", "--no-ggwave", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["net_rates"][0]["net_bits_per_second"] >= 2000
    assert all(row["robust"] == 0 for row in report["payloads_lost"])
