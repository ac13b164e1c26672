"""Whose memory a command means when it is told of nobody, and what it says of that."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from command_line import POTOLA, Run, runner

from neuromem.cli import build_parser


@pytest.fixture
def neuromem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(tmp_path, capsys)


def help_of(name: str) -> str:
    actions = build_parser()._actions
    parsers = next(action.choices for action in actions if isinstance(action, argparse._SubParsersAction))
    return " ".join(parsers[name].format_help().split())  # type: ignore[index]


@pytest.mark.parametrize(
    ("default", "names"),
    [
        ('(default "me")', "add ingest chat voice"),
        ("(default: everybody)", "sleep rebuild"),
        ('(default "me", else the only user)', "search deep show send"),
    ],
)
def test_help_says_whose_memory_is_meant(default: str, names: str) -> None:
    for name in names.split():
        assert f"whose memory {default}" in help_of(name), name


def test_add_names_the_user_where_there_are_others(neuromem: Run) -> None:
    assert "told to" not in neuromem("add", POTOLA, "--user", "ana").out
    assert "told to 'me'; --user names another" in neuromem("add", POTOLA).out
    assert "told to 'ana'" in neuromem("add", "I play bass", "--user", "ana").out


def test_send_takes_the_same_memory_as_search_and_show(neuromem: Run, tmp_path: Path) -> None:
    sending = ("--memory", "--json", "--output", str(tmp_path / "m.wav"), "--mode", "fast")
    neuromem("add", POTOLA, "--user", "ana")
    assert neuromem("send", *sending).json["bytes"]
    neuromem("add", POTOLA, "--user", "ben")
    unclear = neuromem("send", *sending)
    assert unclear.status == 2
    assert "--user: is missing" in unclear.err
    assert neuromem("send", *sending, "--user", "cleo").status == 2
    neuromem("add", POTOLA)
    assert neuromem("send", *sending).json["bytes"]
