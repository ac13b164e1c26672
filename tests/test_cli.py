"""The command line: what it prints, how it ends, and that bad input gets one clear line."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem.cli import build_parser, main
from neuromem.facts import MAX_TEXT_BYTES
from neuromem.render import RUNGS, ago, bar, clean

ROOT = Path(__file__).resolve().parents[1]
POTOLA = "My dog's name is Potola"
QUESTION = "what is my dog called?"


@dataclass
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def neuromem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, on a store in `tmp_path`."""

    def run(command: str, *words: str, path: Path | None = None, encoder: str = "hash") -> Done:
        capsys.readouterr()
        status = main([command, "--path", str(path or tmp_path / "store"), "--encoder", encoder, *words])
        captured = capsys.readouterr()
        return Done(status, captured.out, captured.err)

    return run


def started(*words: str, **options: Any) -> subprocess.Popen[str]:
    """A command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "neuromem", *words], cwd=ROOT, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def finished(*words: str, stdin: str | None = None) -> Done:
    process = started(*words, stdin=subprocess.PIPE)
    out, err = process.communicate(stdin, timeout=60)
    return Done(process.returncode, out, err)


def commands() -> dict[str, argparse.ArgumentParser]:
    actions = build_parser()._actions
    return next(action.choices for action in actions if isinstance(action, argparse._SubParsersAction))  # type: ignore[return-value]


# -- help --------------------------------------------------------------------------------------------


def test_help_takes_less_than_half_a_second() -> None:
    spent = []
    for _ in range(5):
        start = time.perf_counter()
        done = finished("--help")
        spent.append(time.perf_counter() - start)
    assert done.status == 0
    assert min(spent) < 0.5  # 0.05 s on an idle machine; the bar is 0.3


def test_every_command_has_help_and_the_common_options() -> None:
    for name, parser in commands().items():
        text = parser.format_help()
        assert parser.description and parser.description[0].isupper(), name
        for option in ("--json", "--user", "--path", "--config", "--encoder"):
            assert option in text, f"{name} lacks {option}"
        undocumented = [action.dest for action in parser._actions if not action.help]
        assert undocumented == [], name


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_in_the_readme(name: str) -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("README.md is not in this tree")
    assert f"neuromem {name}" in readme.read_text(encoding="utf-8")


def test_no_command_at_all_prints_the_help_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "COMMAND" in captured.err


# -- the main job ------------------------------------------------------------------------------------


def test_told_asked_shown_in_processes_of_their_own(tmp_path: Path) -> None:
    common = ("--path", str(tmp_path / "store"), "--encoder", "hash", "--json")
    told = finished(
        "add", *common, "-", stdin=f"{POTOLA}.\nShe is afraid of naïve 🎈 balloons.\nHow are you?"
    ).json
    assert [fact["event"] for fact in told["written"]] == ["ADD", "ADD"]
    assert all(fact["exact"] and fact["report"]["slots"] == 1 for fact in told["written"])
    asked = finished("search", *common, "what", "is", "my", "dog's", "name").json
    assert asked["user"] == "me"
    assert asked["query"] == "what is my dog's name"
    assert asked["results"][0]["text"] == f"{POTOLA}."
    shown = finished("show", *common).json
    assert [memory["text"] for memory in shown["memories"]] == [
        f"{POTOLA}.",
        "She is afraid of naïve 🎈 balloons.",
    ]
    assert {memory["fidelity"] for memory in shown["memories"]} == {"verbatim"}


def test_add_keeps_time_and_metadata_and_search_filters_by_them(neuromem: Run) -> None:
    at = "2026-03-02T18:04:00+00:00"
    neuromem("add", POTOLA, "--at", at, "--metadata", '{"topic": "pets", "year": 5}')
    neuromem("add", "My dog walker is Mirela")
    found = neuromem("search", "dog", "--json", "--filter", "topic=pets", "--filter", "year=5").json[
        "results"
    ]
    assert [result["metadata"] for result in found] == [{"topic": "pets", "year": 5}]
    assert found[0]["created_at"] == at
    assert neuromem("search", "dog", "--json", "--filter", "topic=tea").json["results"] == []


def test_raw_keeps_what_is_no_fact(neuromem: Run) -> None:
    assert neuromem("add", "How are you?", "--json").json["written"] == []
    assert "no fact" in neuromem("add", "How are you?").out.lower()
    assert len(neuromem("add", "How are you?", "--raw", "--json").json["written"]) == 1


def test_explain_gives_the_parts_of_a_score(neuromem: Run) -> None:
    neuromem("add", POTOLA)
    assert set(neuromem("search", "dog", "--explain", "--json").json["results"][0]["explain"]) >= {
        "cosine",
        "strength",
    }
    assert "cosine" in neuromem("search", "dog", "--explain").out


def events(neuromem: Run, memory_id: str) -> list[str]:
    return [line["event"] for line in neuromem("show", memory_id, "--json").json["history"]]


def test_no_rehearse_changes_nothing_and_a_search_rehearses(neuromem: Run) -> None:
    memory_id = neuromem("add", POTOLA, "--json").json["written"][0]["id"]
    neuromem("search", POTOLA, "--no-rehearse")
    assert events(neuromem, memory_id) == ["ADD"]
    neuromem("search", POTOLA)
    assert events(neuromem, memory_id) == ["ADD", "RECALL"]


def test_show_takes_an_id_or_the_end_of_it(neuromem: Run) -> None:
    memory_id = neuromem("add", POTOLA, "--json").json["written"][0]["id"]
    for given in (memory_id, memory_id[-8:], memory_id[-8:].upper()):
        one = neuromem("show", given, "--json").json
        assert (one["id"], one["words"], one["memory"]["text"]) == (memory_id, POTOLA, POTOLA)
    assert POTOLA in neuromem("show", memory_id[-8:]).out


def test_what_is_forgotten_is_found_by_deep_and_comes_back(neuromem: Run) -> None:
    memory_id = neuromem("add", POTOLA, "--at", "2020-01-01", "--json").json["written"][0]["id"]
    assert neuromem("sleep", "--json").json == {"owners": 1, "held": 0, "forgotten": 1}
    assert neuromem("show", "--json").json["memories"] == []
    assert neuromem("show", memory_id, "--json").json["memory"] is None
    assert neuromem("search", "dog", "--json").json["results"] == []
    assert neuromem("deep", QUESTION, "--json").json["results"][0]["text"] == POTOLA
    assert [m["text"] for m in neuromem("show", "--json").json["memories"]] == [POTOLA]


def test_rebuild_restores_every_word_or_leaves_the_bank_as_it_was(neuromem: Run) -> None:
    neuromem("add", POTOLA, "--at", "2020-01-01")
    assert neuromem("rebuild", "--no-restore", "--json").json["held"] == 1
    assert neuromem("show", "--json").json["memories"][0]["fidelity"] == "forgotten"
    assert neuromem("rebuild", "--json").json["held"] == 1
    assert neuromem("show", "--json").json["memories"][0]["text"] == POTOLA


def test_sleep_can_be_told_the_time(neuromem: Run) -> None:
    neuromem("add", POTOLA)
    assert neuromem("sleep", "--json").json["forgotten"] == 0
    assert neuromem("sleep", "--now", "2200-01-01", "--json").json["forgotten"] == 1


def test_export_and_import_move_a_memory_by_weights_or_by_words(neuromem: Run, tmp_path: Path) -> None:
    neuromem("add", POTOLA, "--user", "ana")
    for name in ("bank.safetensors", "words.jsonl"):
        file, other = tmp_path / name, tmp_path / f"store of {name}"
        out = neuromem("export", str(file), "--json").json
        assert (out["user"], out["memories"], out["bytes"]) == ("ana", 1, file.stat().st_size)
        assert neuromem("import", str(file), "--json", path=other).json == {
            "user": "me", "file": str(file), "memories": 1,
        }  # fmt: skip
        assert [m["text"] for m in neuromem("show", "--json", path=other).json["memories"]] == [POTOLA]


def test_ingest_reads_files_of_several_kinds_and_says_what_it_did(neuromem: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("My sister Mirela is a night nurse.")
    (tmp_path / "b.jsonl").write_text(
        '{"content": "I live at 3 Harbour Row."}\n{"role": "assistant", "content": "Noted."}\n'
    )
    files = [str(tmp_path / "a.txt"), str(tmp_path / "b.jsonl")]
    done = neuromem("ingest", *files, "--json").json["files"]
    assert [(file["format"], file["messages"], file["added"]) for file in done] == [
        ("text", 1, 1),
        ("messages", 2, 1),
    ]
    assert "read before" in " ".join(neuromem("ingest", *files).out.split())


def test_verify_passes_on_a_sound_log_and_fails_on_a_changed_one(neuromem: Run, tmp_path: Path) -> None:
    neuromem("add", POTOLA)
    report = neuromem("verify", "--json").json
    assert (report["ok"], report["problems"]) == (True, [])
    assert report["records"] >= 1
    (data,) = [file for file in (tmp_path / "store" / "log").iterdir() if file.suffix == ".mdb"] or [None]
    if data is None:
        data = max(
            (tmp_path / "store" / "log").rglob("*"), key=lambda file: file.is_file() and file.stat().st_size
        )
    raw = bytearray(data.read_bytes())
    frame = raw.find(b"\x28\xb5\x2f\xfd")  # of zstd
    place = frame + 12 if frame >= 0 else raw.find(b"Potola")
    assert place > 0
    for offset in range(place, place + 8):
        raw[offset] ^= 0x55
    data.write_bytes(bytes(raw))
    damaged = neuromem("verify", "--json")
    assert damaged.status == 1
    assert damaged.err or not json.loads(damaged.out)["ok"]


def test_doctor_passes_here_line_by_line(neuromem: Run) -> None:
    neuromem("add", POTOLA)
    report = neuromem("doctor", "--json").json
    names = [check["name"] for check in report["checks"]]
    assert report["ok"] is True
    assert {"device", "codec", "encoder", "store", "disk space", "durable write"} <= set(names)
    assert sum(name.startswith("self-test") for name in names) == 5


def test_doctor_fails_with_status_1_and_names_the_remedy(neuromem: Run, tmp_path: Path) -> None:
    failed = neuromem("doctor", "--json", encoder="sentence:/no/such/model")
    assert failed.status == 1
    checks = {check["name"]: check for check in json.loads(failed.out)["checks"]}
    assert checks["encoder"]["ok"] is False
    assert checks["self-test: recall"]["ok"] is True  # the rest goes on without it
    assert "FAIL" in neuromem("doctor", encoder="sentence:/no/such/model").out


# -- whose memory ------------------------------------------------------------------------------------


def test_without_a_user_it_is_me_else_the_only_one(neuromem: Run) -> None:
    neuromem("add", POTOLA, "--user", "ana")
    assert neuromem("show", "--json").json["user"] == "ana"
    neuromem("add", "I live at 3 Harbour Row", "--user", "ben")
    unclear = neuromem("show")
    assert unclear.status == 2
    assert "ana, ben" in unclear.err
    neuromem("add", "I play bass")
    assert neuromem("show", "--json").json["user"] == "me"


@pytest.mark.parametrize("command", ["search x", "deep x", "show", "sleep", "rebuild", "export x.jsonl"])
def test_an_unknown_user_is_not_found(neuromem: Run, command: str) -> None:
    neuromem("add", POTOLA)
    done = neuromem(*command.split(), "--user", "nobody")
    assert_one_line(done, 2)
    assert "nobody" in done.err


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


# -- benchmarks --------------------------------------------------------------------------------------


def test_bench_lists_its_names_and_refuses_others(neuromem: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert {"codec", "forgetting", "recall", "speed"} <= set(neuromem("bench", "--json").json["benchmarks"])
    assert main(["bench", "nothing"]) == 2
    assert "nothing" in capsys.readouterr().err


def test_bench_gives_the_rest_of_the_line_to_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    import neuromem.bench

    seen: list[tuple[str, list[str]]] = []

    def run(name: str, argv: list[str]) -> int:
        seen.append((name, argv))
        return 1

    monkeypatch.setattr(neuromem.bench, "run", run)
    assert main(["bench", "speed", "--slots", "1000,10000", "--json"]) == 1
    assert seen == [("speed", ["--slots", "1000,10000", "--json"])]


# -- what people see ---------------------------------------------------------------------------------


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


# -- how it ends -------------------------------------------------------------------------------------


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


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_stopped_ingest_loses_nothing_and_goes_on(
    tmp_path: Path, neuromem: Run, stop: signal.Signals, status: int
) -> None:
    lines = [
        {"content": f"My locker number {n} is {n * 7919 % 10_007}.", "timestamp": 1772474640 + n}
        for n in range(1_500)
    ]
    talk = tmp_path / "talk.jsonl"
    talk.write_text("\n".join(json.dumps(line) for line in lines))
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    process = started("ingest", str(talk), "--path", str(cut), "--encoder", "hash")
    limit = time.monotonic() + 60
    while reached(cut) < 128 and time.monotonic() < limit:
        time.sleep(0.02)
    process.send_signal(stop)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status
    if stop is signal.SIGINT:
        assert "nothing acknowledged was lost" in err
        assert "Traceback" not in err
    assert neuromem("verify", "--json", path=cut).json["ok"]
    resumed = neuromem("ingest", str(talk), "--json", path=cut).json["files"][0]
    assert 128 <= resumed["already"] < 1_500
    neuromem("ingest", str(talk), path=whole)
    assert banks(cut) == banks(whole)  # bit for bit, as if nothing had happened


def reached(store: Path) -> int:
    try:
        marks = json.loads((store / "ingest.json").read_text())
    except (OSError, ValueError):
        return 0
    return max((mark["done"] for mark in marks.values()), default=0)


def banks(store: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted((store / "banks").glob("*.safetensors"))]
