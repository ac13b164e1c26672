"""What people see: readable at a glance, and no stored text can attack the terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import Run, runner
from hypothesis import given
from hypothesis import strategies as st

from neuromem.render import RUNGS, ago, bar, clean


@pytest.fixture
def neuromem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(tmp_path, capsys)


def test_a_stored_text_cannot_attack_the_terminal(neuromem: Run) -> None:
    hostile = "My dog is \x1b[31mred\x1b[0m \x07 \u202egnol\u2069 \x9b2J [bold]x[/bold] [/nothing]"
    memory_id = neuromem("add", "--raw", hostile, "--json").json["written"][0]["id"]
    for words in (("show",), ("show", memory_id), ("search", "dog"), ("deep", "dog")):
        done = neuromem(*words)
        assert done.status == 0, done.err
        assert not set(done.out) & set("\x1b\x07\u202e\u2069\x9b")
        assert "[bold]" in done.out.replace("\n", "")


@given(st.text())
def test_clean_text_is_one_line_without_control_characters(text: str) -> None:
    shown = clean(text)
    assert len(shown.splitlines()) <= 1
    assert all(ord(char) >= 32 and not 127 <= ord(char) < 160 for char in shown)
    if text.isprintable():
        assert shown == text


@pytest.mark.parametrize("columns", ["24", "40", "60"])
def test_a_narrow_terminal_shows_the_words(
    neuromem: Run, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    """They were squeezed to nothing by columns that do not wrap."""
    monkeypatch.setenv("COLUMNS", columns)
    neuromem("add", "--raw", "Potola is a dachshund")
    for words in (("show",), ("search", "dog"), ("deep", "dachshund")):
        lines = neuromem(*words).out.splitlines()
        assert all(len(line) <= int(columns) for line in lines), lines
        assert "Potola" in "".join(lines)
        assert "dachshund" in "".join(lines)


@pytest.mark.parametrize("columns", ["80", "100"])
def test_tables_fit_the_terminal_without_colour(
    neuromem: Run, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("NO_COLOR", "1")
    neuromem(
        "add", "My sister Mirela is a night nurse and a very long sentence follows her about all day long."
    )
    for words in (("show",), ("search", "sister"), ("doctor",), ("verify",)):
        out = neuromem(*words).out
        assert "\x1b" not in out
        assert max(len(line) for line in out.splitlines()) <= int(columns)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (59, "59 s ago"),
        (120, "2 min ago"),
        (7_200, "2 h ago"),
        (86_400, "1 d ago"),
        (86_400 * 20, "20 d ago"),
        (86_400 * 28, "4 weeks ago"),
        (86_400 * 120, "4 months ago"),
        (86_400 * 1_000, "3 years ago"),
        (-86_400 * 2, "in 2 d"),
    ],
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert ago(datetime.fromtimestamp(1e9 - seconds, tz=UTC), 1e9) == words


@given(st.floats(0, 1), st.sampled_from(sorted(RUNGS)))
def test_a_bar_is_as_long_as_the_strength(strength: float, fidelity: str) -> None:
    text = bar(strength, fidelity, 8).plain
    assert len(text) == 8
    assert abs(text.count("█") - strength * 8) <= 1
