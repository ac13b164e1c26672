"""The evaluation: what it keeps, what it measures again, and how figures are judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from neuromem.bench import NAMES
from training import evaluate as evaluation
from training.bars import BARS, Bar, figure, judged, table
from training.evaluate import Part, cut, evaluate, key_of, main, parts, summary
from training.provenance import ROOT, sources_of

SMALL = Part("sanity", "recall", ("--sanity", "12", "--encoder", "hash"))


def no_process(*args: object, **rest: object) -> None:
    raise AssertionError("a process was started")


# --- bars ------------------------------------------------------------------------------------------


RESULTS: dict[str, Any] = {"a": {"rows": [{"set": "x", "v": 1}, {"set": "y", "v": 2}], "share": 0.8}}


def test_a_figure_is_found_by_keys_and_by_rows() -> None:
    assert figure(RESULTS, ("a", "share")) == 0.8
    assert figure(RESULTS, ("a", "rows", (("set", "y"),), "v")) == 2
    for lacking in (
        ("b", "share"),
        ("a", "rows", (("set", "y"), ("v", 1)), "v"),
        ("a", "share", "more"),
        ("a", "rows"),
    ):
        assert figure(RESULTS, lacking) is None


@pytest.mark.parametrize(
    ("sign", "limit", "holds"),
    [(">=", 0.8, True), (">=", 0.81, False), ("<=", 0.8, True), ("<=", 0.79, False)],
)
def test_a_bar_holds_up_to_its_limit(sign: str, limit: float, holds: bool) -> None:
    assert Bar("share", ("a", "share"), sign, limit).holds(RESULTS) is holds


def test_a_limit_may_be_relative_to_another_figure() -> None:
    bar = Bar("share", ("a", "share"), ">=", 0.5, relative_to=("a", "rows", (("set", "y"),), "v"))
    assert bar.limit_in(RESULTS) == 1
    assert bar.holds(RESULTS) is False
    assert bar.holds({"a": {"share": 0.8}}) is None


def test_what_was_not_measured_neither_holds_nor_fails() -> None:
    rows = judged({})
    assert len(rows) == len(BARS)
    assert {row["holds"] for row in rows} == {None}
    lines = table(rows).splitlines()
    assert len(lines) == len(rows) + 2
    assert all(line.count("|") == 5 for line in lines)
    assert lines[-1].endswith("| – | not measured |")


def test_a_broken_bar_stands_out_in_the_table() -> None:
    pairs = {"pairs": {"neuromem": {"question hit@1": 0.7, "question hit@5": 0.89}}}
    shown = {row["bar"]: row for row in judged({"pairs-transformer": pairs})}
    broken, kept = shown["transformer: hit@1"], shown["transformer: hit@5"]
    assert table([broken]).endswith("| >= 75.0 % | 70.0 % | **no** |")
    assert table([kept]).endswith("| >= 89.0 % | 89.0 % | yes |")


def test_a_figure_from_before_a_change_is_marked() -> None:
    conv = {"pairs": {"neuromem": {"question hit@5": 0.8}}}
    rows = {row["bar"]: row for row in judged({"pairs-conv": conv}, stale=["pairs-conv"])}
    assert rows["conv: hit@5"]["stale"]
    assert not rows["transformer: hit@5"]["stale"]
    assert table([rows["conv: hit@5"]]).endswith("| yes (before the last change) |")


def test_every_bar_belongs_to_a_part() -> None:
    names = {part.name for part in parts()}
    assert {bar.path[0] for bar in BARS} <= names
    assert {bar.relative_to[0] for bar in BARS if bar.relative_to} <= names
    assert len({bar.name for bar in BARS}) == len(BARS)


# --- parts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("quick", [False, True])
def test_parts_are_benches_with_names_of_their_own(quick: bool) -> None:
    every = parts(quick)
    assert {part.bench for part in every} <= set(NAMES)
    assert len({part.name for part in every}) == len(every)


def test_the_sources_of_a_bench_are_all_that_it_imports() -> None:
    recall = {str(path.relative_to(ROOT)) for path in sources_of("neuromem.bench.recall")}
    assert {
        "neuromem/bench/recall.py", "neuromem/bench/mishear.py", "neuromem/memory.py", "neuromem/codec.py",
        "neuromem/encoders/lexical.py", "neuromem/storage/__init__.py",
    } <= recall  # fmt: skip
    assert "neuromem/bench/codec.py" not in recall
    assert "neuromem/cli.py" not in recall


def test_a_key_names_everything_that_figures_follow_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "CHECKPOINTS", tmp_path)
    data = {"PAIRS": tmp_path / "pairs.jsonl", "TEXTS": tmp_path / "texts.txt"}
    weights = tmp_path / "codec.safetensors"
    for path in (*data.values(), weights):
        path.write_text("one")
    part = Part("codec", "codec", ("--facts", "PAIRS"))
    keys = [key_of(part, data)]
    data["TEXTS"].write_text("two")  # no argument of this part
    assert key_of(part, data) == keys[0]
    for path in (data["PAIRS"], weights):
        path.write_text("two")
        keys.append(key_of(part, data))
    keys.append(key_of(Part("codec", "codec", ("--texts", "PAIRS")), data))
    keys.append(key_of(Part("codec", "rate", ("--facts", "PAIRS")), data))
    assert len(set(keys)) == len(keys)


# --- running ---------------------------------------------------------------------------------------


def test_a_part_is_measured_once_and_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first = evaluate([SMALL], [SMALL], {}, tmp_path)
    assert first["sanity"]["report"]["sanity"]["recall@1"] == 1
    assert "1/1 sanity" in capfd.readouterr().err
    assert first["sanity"]["stale"] is False
    monkeypatch.setattr(evaluation.subprocess, "run", no_process)
    assert evaluate([SMALL], [SMALL], {}, tmp_path) == first
    other = Part("other", "recall", ("--sanity", "13"))
    assert evaluate([SMALL, other], [SMALL], {}, tmp_path) == first  # not chosen: not run
    changed = Part("sanity", "recall", ("--sanity", "13", "--encoder", "hash"))
    assert evaluate([changed], [], {}, tmp_path)["sanity"] == first["sanity"] | {"stale": True}
    with pytest.raises(AssertionError, match="a process was started"):
        evaluate([changed], [changed], {}, tmp_path)


def test_what_fails_or_is_absent_is_told_and_tried_again(tmp_path: Path) -> None:
    wrong = Part("wrong", "recall", ("--pairs", str(tmp_path / "none.jsonl"), "--encoder", "hash"))
    unknown = Part("unknown", "no such bench", ())
    lacking = Part("lacking", "recall", (), ("no-such.safetensors",))
    every = [wrong, unknown, lacking]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "sources_of", lambda module: [])
        results = evaluate(every, every, {}, tmp_path / "kept")
    assert results["wrong"]["failed"] == 2
    assert results["unknown"]["absent"] == "no bench no such bench"
    assert results["lacking"]["absent"] == "no no-such.safetensors"
    assert not (tmp_path / "kept").exists()
    report = summary(results, quick=True)
    assert set(report["lacking"]) == {"wrong", "unknown", "lacking"}
    assert report["figures"] == {}


def test_the_summary_says_when_on_what_and_with_which_weights(tmp_path: Path) -> None:
    report = {"recall@10": 0.5}
    result = {"key": "k", "date": "2026-01-01T00:00:00Z", "seconds": 1.5, "report": report, "stale": False}
    kept = {"locomo-conv": result, "locomo-sentence": result | {"stale": True}}
    report = summary(kept, quick=False)
    assert report["stale"] == ["locomo-sentence"]
    assert report["date"].endswith("Z")
    assert report["machine"]["cpu"]
    assert set(report["versions"]) >= {"python", "torch"}
    assert len(report["checkpoints"]["codec.safetensors"]["sha256"]) == 64
    assert report["figures"]["locomo-conv"] == {"recall@10": 0.5}
    held = {row["bar"]: row["holds"] for row in report["bars"]}
    assert held["conv: LoCoMo recall@10, 92 % of MiniLM's"] is True
    assert held["transformer: LoCoMo recall@10, MiniLM's"] is None
    json.dumps(report)


def test_a_quick_run_asks_only_what_its_turns_answer(data_dir: Path, tmp_path: Path) -> None:
    files = {word: data_dir / name for word, name in evaluation.INPUTS.items()}
    found = cut(files, tmp_path)
    turns = [json.loads(line) for line in found["CORPUS"].read_text("utf-8").split("\n") if line]
    asked = [json.loads(line) for line in found["QUESTIONS"].read_text("utf-8").split("\n") if line]
    told = {(row["conv"], row["turn"]) for row in turns}
    assert 0 < len(turns) <= evaluation.QUICK_LINES["CORPUS"]
    assert 0 < len(asked) <= evaluation.QUICK_LINES["QUESTIONS"]
    assert all((row["conv"], turn) in told for row in asked for turn in row["evidence"])


def test_bad_arguments_are_answered_with_the_remedy(tmp_path: Path, data_dir: Path) -> None:
    with pytest.raises(SystemExit, match="give --data"):
        main(["--data", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"there are pairs-transformer, .*speed"):
        main(["--data", str(data_dir), "--only", "pears"])
    with pytest.raises(SystemExit, match="run without --table first"):
        main(["--table", "--out", str(tmp_path / "none.json")])


@pytest.mark.slow
def test_a_quick_run_writes_one_json_and_its_table(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figures.json"
    assert main(["--data", str(data_dir), "--out", str(out), "--quick", "--only", "codec"]) == 0
    shown = capsys.readouterr().out
    report = json.loads(out.read_text("utf-8"))
    assert set(report["figures"]) == {"codec"}
    assert main(["--table", "--out", str(out)]) == 0
    assert capsys.readouterr().out == shown
    row = next(row for row in report["bars"] if row["bar"] == "personal facts: exact after the loop")
    assert (row["measured"], row["holds"]) == (1, True)
