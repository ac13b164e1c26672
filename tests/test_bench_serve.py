"""The bench of the server drives a real one, and counts what goes wrong."""

from __future__ import annotations

import pytest
from benching import runner

from neuromem.bench.common import emit
from neuromem.bench.serve import Load, drive, measure


class Shelf:
    """A store that fails at every fifth search."""

    def __init__(self) -> None:
        self.facts: list[str] = []
        self.searches = 0

    def add(self, user: str, texts: list[str]) -> None:
        self.facts += texts

    def search(self, user: str, query: str) -> int:
        self.searches += 1
        if self.searches % 5 == 0:
            raise ValueError("dropped")
        return 1

    def cpu_s(self) -> float:
        return 0.0


def test_the_load_is_one_add_to_four_searches_over_all_users() -> None:
    load = Load.of(users=20, each=3, operations=1_000, seed=1)
    assert load == Load.of(20, 3, 1_000, 1)
    assert [len(facts) for _, facts in load.before] == [3] * 20
    assert {user for user, _, _ in load.operations} == {user for user, _ in load.before}
    assert 160 <= sum(tells for _, _, tells in load.operations) <= 240


def test_every_operation_is_done_once_and_errors_are_counted() -> None:
    shelf, load = Shelf(), Load.of(5, 1, 200, 0)
    report = drive(shelf, load.operations, 8)
    told = sum(tells for _, _, tells in load.operations)
    assert (len(shelf.facts), shelf.searches) == (told, 200 - told)
    assert report["errors"] == (200 - told) // 5
    assert report["first_error"] == "ValueError: dropped"
    assert measure(Shelf(), load, 4)["errors"] > 0


@pytest.mark.slow
def test_it_measures_a_real_server_and_mem0s_library(capsys: pytest.CaptureFixture[str]) -> None:
    status, report = runner(capsys)(
        "serve", "--users", 3, "--facts", 2, "--clients", 4, "--operations", 40, "--encoder", "hash",
        "--mem0", "--mem0-operations", 12,
    )  # fmt: skip
    assert status == 0
    ours, mem0 = report["runs"]
    for run in (ours, mem0):
        assert run["errors"] == 0, run["first_error"]
        assert (run["clients"], run["memories"]) == (4, 6)
        assert run["cpu_ms_per_operation"] > 0
        assert run["search_ms_p99"] >= run["search_ms_p50"] > 0
    times = ours["searches_per_s"] / mem0["searches_per_s"]
    assert ours["times_mem0s_searches"] == pytest.approx(times, rel=1e-3)
    assert ours["first_answer_s"] > 0
    assert ours["first_answer_cpu_s"] > 0


@pytest.mark.slow
def test_every_size_and_every_encoder_is_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    status, report = runner(capsys)(
        "serve", "--users", 2, "--facts", 1, 2, "--clients", 2, "--operations", 20,
        "--encoder", "hash", "conv",
    )  # fmt: skip
    assert status == 0
    assert [run["run"] for run in report["runs"]] == [
        "ours, hash, 1", "ours, conv, 1", "ours, hash, 2", "ours, conv, 2",
    ]  # fmt: skip


def test_runs_that_tell_different_things_make_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = {f"number {place}": place for place in range(20)}
    emit(
        {"bench": "serve", "runs": [{"run": "ours", **numbers, "times": 3}, {"run": "mem0", **numbers}]},
        False,
    )
    lines = capsys.readouterr().out.splitlines()
    assert any("ours" in line and "mem0" in line for line in lines)
    assert any("times" in line and "3" in line for line in lines)
