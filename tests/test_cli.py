"""The command line: what each command does and prints."""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import POTOLA, ROOT, Run, finished, runner
from strings import NASTY

from neuromem.bench import NAMES
from neuromem.cli import build_parser, main
from neuromem.records import record_key
from neuromem.storage.lmdb_store import LmdbStore

QUIET = {"merged": 0, "refreshed": 0, "left": 0}  # what else a sleep tells of

QUESTION = "what is my dog called?"


@pytest.fixture
def neuromem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(tmp_path, capsys)


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
        assert (parser.description or "?")[0].isupper(), name
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
        "Potola is afraid of naïve 🎈 balloons.",
    ]
    assert {memory["fidelity"] for memory in shown["memories"]} == {"verbatim"}


def test_add_keeps_time_and_metadata_and_search_filters_by_them(neuromem: Run) -> None:
    at = (datetime.now(UTC) - timedelta(days=2)).isoformat(timespec="seconds")
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


def test_any_words_survive_the_command_line(neuromem: Run) -> None:
    texts = [text for text in NASTY.values() if text.strip() and "\0" not in text]
    assert len(texts) > 5
    for place, text in enumerate(texts):
        user = f"user {place}"
        assert neuromem("add", "--raw", "--user", user, "--json", "--", text).status == 0
        assert [m["text"] for m in neuromem("show", "--user", user, "--json").json["memories"]] == [text]


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
    for name in (memory_id, memory_id[-8:], memory_id[-8:].upper()):
        one = neuromem("show", name, "--json").json
        assert (one["id"], one["words"], one["memory"]["text"]) == (memory_id, POTOLA, POTOLA)
    assert POTOLA in neuromem("show", memory_id[-8:]).out


def test_what_is_forgotten_is_found_by_deep_and_comes_back(neuromem: Run) -> None:
    memory_id = neuromem("add", POTOLA, "--at", "2020-01-01", "--json").json["written"][0]["id"]
    assert neuromem("sleep", "--json").json == {"owners": 1, "held": 0, "forgotten": 1} | QUIET
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
    folder = tmp_path / "store" / "log"
    store = LmdbStore(folder, 1 << 20, sync=True, readonly=True)
    with store.read() as txn:
        value = txn.get(record_key(b"user:me", 0))
    store.close()
    assert value is not None
    file = next(folder.glob("log-*.mdb"))
    file.write_bytes(file.read_bytes().replace(value, value[:-1] + bytes([value[-1] ^ 1])))
    damaged = neuromem("verify", "--json")
    assert damaged.status == 1
    assert "seq 0" in json.loads(damaged.out)["problems"][0]
    assert "seq 0" in neuromem("verify").out


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


# -- benchmarks --------------------------------------------------------------------------------------


def test_bench_lists_its_names_and_refuses_others(neuromem: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert {"codec", "forgetting", "recall", "speed"} <= set(neuromem("bench", "--json").json["benchmarks"])
    explained = " ".join(commands()["bench"].format_help().split())
    assert f"one of {', '.join(NAMES)}" in explained
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
