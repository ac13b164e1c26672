"""Bad input gets one clear line, and however a command ends, nothing acknowledged is lost."""

from __future__ import annotations

import json
import os
import signal
import time
from functools import cache
from pathlib import Path

import pytest
from command_line import POTOLA, Done, Run, finished, runner, started
from safetensors.torch import load_file

from neuromem.cli import main
from neuromem.facts import MAX_TEXT_BYTES

MESSAGES = 512  # of the ingest that is stopped: it is so at 128, seconds before its end
PATIENCE_S = 300  # on a machine that has much else to do


@pytest.fixture
def neuromem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(tmp_path, capsys)


# -- bad input ---------------------------------------------------------------------------------------


def assert_one_line(done: Done, status: int) -> None:
    assert done.status == status, done.err
    assert done.out == ""
    assert done.err.startswith("neuromem: error: ")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        "add --metadata {",
        "add x --metadata {",
        "add x --metadata []",
        "add x --at soon",
        "add x --at nan",
        "add x --at -5",
        "search x --limit nan",
        "search x --limit 0",
        "search x --limit 1.5",
        "search x --budget-ms nan",
        "search x --budget-ms -1",
        "search x --fidelity best",
        "search x --filter topic",
        "search x --encoder word2vec",
        "search x --config /no/such/file.toml",
        "show zzzzzzzz",
        "show abc",
        "show abcd",
        "show 00000000-0000-0000-0000-000000000000",
        "show not-a-uuid-but-as-long-as-one-would-be",
        "sleep --now never",
        "export /no/such/folder/x.jsonl",
        "export x.doc",
        "import /no/such/file.jsonl",
        "ingest /no/such/file",
        "bench --user",
        "fly",
        "search",
    ],
)
def test_bad_input_is_one_line_and_status_2(neuromem: Run, words: str) -> None:
    neuromem("add", POTOLA)
    assert_one_line(neuromem(*words.split()), 2)


@pytest.mark.parametrize("command", ["search x", "deep x", "show", "sleep", "rebuild", "export x.jsonl"])
def test_an_unknown_user_is_not_found(neuromem: Run, command: str) -> None:
    neuromem("add", POTOLA)
    done = neuromem(*command.split(), "--user", "nobody")
    assert_one_line(done, 2)
    assert "nobody" in done.err


def test_blank_text_is_refused_before_a_store_is_made(neuromem: Run, tmp_path: Path) -> None:
    assert_one_line(neuromem("add", " \t"), 2)
    assert not (tmp_path / "store").exists()


def test_a_text_that_is_too_long_is_refused_with_the_limit() -> None:
    done = finished("add", "--path", "/nonexistent/x", "--encoder", "hash", "-", stdin="x" * (1 << 20))
    assert_one_line(done, 2)


def test_a_megabyte_of_text_gives_one_line(neuromem: Run) -> None:
    done = neuromem("add", "word " * (MAX_TEXT_BYTES // 5 + 1))
    assert_one_line(done, 2)
    assert f"{MAX_TEXT_BYTES:,}" in done.err


def test_a_store_that_is_not_there_is_not_made_by_asking(neuromem: Run, tmp_path: Path) -> None:
    for command in ("show", "verify", "sleep"):
        done = neuromem(command, path=tmp_path / "nowhere")
        assert_one_line(done, 2)
        assert "neuromem add" in done.err
    assert not (tmp_path / "nowhere").exists()


def test_a_path_that_is_a_file_is_refused(neuromem: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert_one_line(neuromem("add", POTOLA, path=tmp_path / "file"), 2)
    assert_one_line(neuromem("add", POTOLA, path=tmp_path / "file" / "inside"), 2)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(neuromem: Run, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    done = neuromem("add", POTOLA, path=tmp_path / "closed" / "store")
    assert done.status in (1, 2)
    assert_one_line(done, done.status)


def test_a_damaged_bank_file_is_refused_with_status_1(neuromem: Run, tmp_path: Path) -> None:
    neuromem("add", POTOLA)
    file = tmp_path / "bank.safetensors"
    neuromem("export", str(file))
    whole = file.read_bytes()
    for damaged in (whole[:-100], b"", b"\xff" * 100, whole[:8] + b"x" + whole[9:]):
        file.write_bytes(damaged)
        assert_one_line(neuromem("import", str(file)), 1)
    assert len(neuromem("show", "--json").json["memories"]) == 1


def test_settings_come_from_a_toml_file_and_a_wrong_one_is_named(neuromem: Run, tmp_path: Path) -> None:
    (tmp_path / "ok.toml").write_text("[bank]\nmax_slots = 2\n")
    (tmp_path / "wrong.toml").write_text("[bank]\nmax_slot = 2\n")
    for text in ("I play bass", "I live in Enugu", "My car is green"):
        neuromem("add", text, "--config", str(tmp_path / "ok.toml"))
    shown = neuromem("show", "--json", "--config", str(tmp_path / "ok.toml")).json
    assert len(shown["memories"]) == 2
    wrong = neuromem("show", "--config", str(tmp_path / "wrong.toml"))
    assert_one_line(wrong, 2)
    assert "max_slot" in wrong.err


def test_an_error_message_cannot_carry_control_characters(neuromem: Run) -> None:
    done = neuromem("show", "--path", "/tmp/\x1b[31m\nred")
    assert_one_line(done, 2)
    assert "\x1b" not in done.err


# -- how it ends -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, neuromem: Run) -> None:
    (tmp_path / "many.txt").write_text(
        "\n\n".join(f"My locker number {n} is {n * 7919}." for n in range(300))
    )
    neuromem("ingest", str(tmp_path / "many.txt"), "--raw")
    for options in ([], ["--json"]):
        process = started("show", "--path", str(tmp_path / "store"), "--encoder", "hash", *options)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=30) in (0, 1, 141)
        process.stderr.close()


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [
        {"content": f"My locker number {n} is {n * 7919 % 10_007}.", "timestamp": 1772474640 + n}
        for n in range(MESSAGES)
    ]
    path = tmp_path_factory.mktemp("talk") / "talk.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


@cache
def bank_of_the_whole(talk: Path) -> dict[str, bytes]:
    """What an ingest that nobody stops makes of the talk: the same, whatever stops the other one."""
    store = talk.parent / "store"
    assert main(["ingest", str(talk), "--path", str(store), "--encoder", "hash"]) == 0
    return bank_of(store)


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_stopped_ingest_loses_nothing_and_goes_on(
    tmp_path: Path, neuromem: Run, talk: Path, stop: signal.Signals, status: int
) -> None:
    cut = tmp_path / "cut"
    process = started("ingest", str(talk), "--path", str(cut), "--encoder", "hash")
    limit = time.monotonic() + PATIENCE_S
    while reached(cut) < 128 and time.monotonic() < limit:
        time.sleep(0.02)
    process.send_signal(stop)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == status
    if stop is signal.SIGINT:
        assert "nothing acknowledged was lost" in err
        assert "Traceback" not in err
    assert neuromem("verify", "--json", path=cut).json["ok"]
    resumed = neuromem("ingest", str(talk), "--json", path=cut).json["files"][0]
    assert 128 <= resumed["already"] < MESSAGES
    assert bank_of(cut) == bank_of_the_whole(talk)  # bit for bit, as if nothing had happened


def reached(store: Path) -> int:
    try:
        marks = json.loads((store / "ingest.json").read_text())
    except (OSError, ValueError):
        return 0
    return max((mark["done"] for mark in marks.values()), default=0)


def bank_of(store: Path) -> dict[str, bytes]:
    """Every buffer of the snapshot. (The file's head names the log's chain, which is salted.)"""
    (file,) = (store / "banks").glob("*.safetensors")
    return {name: tensor.numpy().tobytes() for name, tensor in load_file(file).items()}
