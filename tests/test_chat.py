"""`neuromem chat` as a program, its lines from a pipe."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neuromem import Memory
from neuromem.commands.chat import Clock
from neuromem.errors import InvalidInput


def chat(store: Path, *lines: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "neuromem", "chat", "--path", str(store), *options]
    return subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
def test_a_talk_with_every_command(tmp_path: Path) -> None:
    saved = tmp_path / "talk.jsonl"
    done = chat(
        tmp_path / "store",
        "My parrot's name is Quillon.", "What is my parrot called?", "/why", "/show", "/time +100d", "y",
        "What is my parrot called?", "/deep parrot", f"/save {saved}", "/forget parrot", "y",
        "What is my parrot called?", "/nonsense", "/time tomorrow", "/help", "/quit", "never said",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Quillon" in done.stdout
    assert "the prompt" in done.stdout
    assert "faintly" in done.stdout
    assert "forgotten, in the weights" in done.stdout
    assert "don't know" in done.stdout.rpartition("forgotten, in the weights")[2]
    assert "/nonsense is not known" in done.stderr
    assert "no stretch of time" in done.stderr
    turns = [json.loads(line) for line in saved.read_text(encoding="utf-8").splitlines()]
    assert [turn["role"] for turn in turns] == ["user", "assistant"] * 3


@pytest.mark.slow
def test_json_is_one_object_for_each_answer_and_the_next_talk_remembers(tmp_path: Path) -> None:
    first = chat(tmp_path / "store", "My parrot's name is Quillon.", options=("--json",))
    again = chat(tmp_path / "store", "What is my parrot called?", options=("--json",))
    (told,) = map(json.loads, first.stdout.splitlines())
    (answer,) = map(json.loads, again.stdout.splitlines())
    assert told["written"][0]["event"] == "ADD"
    assert "Quillon" in answer["text"]
    assert answer["known"] is True
    assert answer["used"] == [told["written"][0]["id"]]
    assert answer["latency_ms"] > 0


@pytest.mark.slow
def test_time_moves_only_if_that_is_agreed_to(tmp_path: Path) -> None:
    talk = ("/time +300d", "no", "I live in York.", "/time +300d", "yes", "My cat is called Mog.")
    done = chat(tmp_path / "store", *talk, options=("--encoder", "hash"))
    assert done.returncode == 0, done.stderr
    with Memory(tmp_path / "store", encoder="hash") as memory:
        held = memory.all("me", fidelity="exact")
    said = {recall.text: recall.created_at.timestamp() - time.time() for recall in held}
    assert said["I live in York."] <= 0
    assert said["My cat is called Mog."] == pytest.approx(300 * 86_400, abs=600)


def test_a_model_that_is_none_is_refused(tmp_path: Path) -> None:
    done = chat(tmp_path / "store", "hello", options=("--llm", "nonsense"))
    assert done.returncode == 2
    assert "llm" in done.stderr


@pytest.mark.parametrize(("by", "seconds"), [("+30d", 30 * 86_400), ("2 weeks", 14 * 86_400), ("90m", 5_400)])
def test_the_clock_moves_on(by: str, seconds: float) -> None:
    clock = Clock()
    clock.move(by)
    assert clock.ahead_s == seconds


@pytest.mark.parametrize("by", ["-3d", "tomorrow", "3", "+3y", ""])
def test_the_clock_takes_stretches_of_time_only(by: str) -> None:
    with pytest.raises(InvalidInput, match="time"):
        Clock().move(by)


@pytest.mark.parametrize("by", ["+99999999w", f"+{'9' * 400}d"])
def test_the_clock_stays_within_the_calendar(by: str) -> None:
    clock = Clock()
    clock.move("+1d")
    with pytest.raises(InvalidInput, match="9998"):
        clock.move(by)
    assert clock.ahead_s == 86_400


@pytest.mark.slow
def test_with_json_commands_answer_elsewhere_than_on_stdout(tmp_path: Path) -> None:
    said = [
        "My parrot's name is Quillon.",
        "/why",
        "/show",
        "/deep parrot",
        "/time",
        "/help",
        "/forget parrot",
        "y",
    ]
    done = chat(tmp_path / "store", *said, options=("--json",))
    assert [json.loads(line)["known"] for line in done.stdout.splitlines()] == [True]
    assert "the prompt" in done.stderr
    assert "forgotten, in the weights" in done.stderr


@pytest.mark.slow
def test_words_that_would_command_a_terminal_are_shown_as_signs(tmp_path: Path) -> None:
    store, title = tmp_path / "store", "My parrot's name is Qui\x1b]0;pwned\x07llon."
    done = chat(store, title, "What is my parrot called?", "/why")
    assert "pwned" in done.stdout
    assert "␛]0;pwned␇" in done.stdout
    assert not {"\x1b", "\x07"} & {*done.stdout}
