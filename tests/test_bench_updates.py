"""The bench of updates: cases told, asked and judged; nobody's words reach another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benching import Runner, lines, runner

from neuromem.bench.common import read_jsonl
from neuromem.bench.generated import update_cases
from neuromem.errors import InvalidInput

OWN = Path(__file__).parent / "data" / "updates_own.jsonl"


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str]) -> Runner:
    return runner(capsys)


def case(turns: list[str], asked: str, expected: str, stale: str, users: str = "") -> dict[str, Any]:
    by = users or "a" * len(turns)
    told = [
        {"ts": f"2025-01-{day:02d}T10:00", "user": user, "text": text}
        for day, (user, text) in enumerate(zip(by, turns, strict=True), 1)
    ]
    query = {"ts": "2025-03-01T10:00", "user": by[0], "text": asked}
    return {
        "id": asked, "type": "supersede", "style": "asr", "turns": told, "query": query,
        "expected": [expected], "stale": [stale], "current_turns": [len(turns) - 1],
    }  # fmt: skip


def test_right_and_wrong_answers_are_told_apart(bench: Runner, tmp_path: Path) -> None:
    right = case(["i live in porto", "i moved to braga"], "where do i live", "braga", "porto")
    wrong = case(["i live in porto", "i moved to braga"], "where do i live", "porto", "braga")
    path = lines(tmp_path / "cases.jsonl", right, wrong)
    status, report = bench("updates", "--cases", path, "--encoder", "hash", "--failures")
    assert status == 0
    assert (report["current_first"], report["stale_first"]) == (0.5, 0.5)
    assert report["by_type"]["supersede"]["cases"] == report["by_style"]["asr"]["cases"] == 2
    assert [row["id"] for row in report["failures"]] == [wrong["id"]]
    assert {"p50", "p99"} == set(report["add_ms"]) == set(report["search_ms"])


def test_a_result_that_says_both_is_stale(bench: Runner, tmp_path: Path) -> None:
    both = case(["i moved from porto to braga"], "did i move from porto to braga", "braga", "porto")
    _, report = bench("updates", "--cases", lines(tmp_path / "c.jsonl", both), "--encoder", "hash")
    assert (report["current_first"], report["stale_first"]) == (0.0, 1.0)


def test_users_are_apart_and_a_crowd_does_not_change(bench: Runner, tmp_path: Path) -> None:
    two = case(
        ["my desk is by the door", "my desk is by the printer"], "where is my desk", "door", "printer", "ab"
    )
    path = lines(tmp_path / "cases.jsonl", two | {"current_turns": [0]})
    _, report = bench("updates", "--cases", path, "--encoder", "hash", "--crowd", 20)
    assert (report["current_first"], report["user_clash"], report["crowd_ended"]) == (1.0, 0, 0)
    assert (report["current_lost"], report["crowd"]) == (0, 20)


def test_a_case_that_lacks_a_part_is_refused(bench: Runner, tmp_path: Path) -> None:
    path = lines(tmp_path / "cases.jsonl", {"id": "x", "turns": [], "query": {}, "expected": []})
    with pytest.raises(InvalidInput, match=r"case x has no turns.*turns, query, expected, stale"):
        bench("updates", "--cases", path)


def test_cases_of_our_own_making_need_no_file() -> None:
    cases = update_cases(24, seed=3)
    assert {str(case["type"]) for case in cases} >= {"supersede", "contradiction", "temporal", "reinforce"}
    assert cases == update_cases(24, seed=3) != update_cases(24, seed=4)


def test_our_cases_of_all_seven_types(bench: Runner) -> None:
    assert len({row["type"] for row in read_jsonl(OWN)}) == 7
    status, report = bench("updates", "--cases", OWN)
    assert status == 0
    assert report["current_first"] >= 0.95
    assert report["stale_first"] <= 0.02
    assert (report["user_clash"], report["current_lost"]) == (0, 0)


@pytest.mark.slow
def test_dev_cases_of_supersession(bench: Runner, data_dir: Path) -> None:
    _, report = bench("updates", "--cases", data_dir / "updates" / "dev.jsonl")
    by_type = report["by_type"]
    assert all(by_type[name]["current_first"] >= 0.9 for name in ("supersede", "contradiction", "reinforce"))
    assert report["stale_first"] <= 0.05
    assert report["user_clash"] == 0
