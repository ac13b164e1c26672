"""`neuromem bench turns`: what a turn costs beside one of a memory that is young."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from neuromem.bench import turns
from neuromem.bench.talk import generated_talk
from neuromem.config import Config
from neuromem.memory import Memory


def ratio(folder: Path) -> float:
    """How much more CPU the last turns of 160 take than those of a memory that is 50 to 100 turns old."""
    talk = list(generated_talk(160, 3))
    run = turns.measure(folder, talk, Config(), turns.StandIn())
    assert len(run.tokens) == 160
    assert run.young is not None
    assert len(run.young.tokens) == 2 * turns.WINDOW
    report = run.report(Config())
    assert report["prompts_over_budget"] == 0
    return float(report["ms"]["whole_cpu"]["ratio"])


def test_turn_160_costs_what_turn_50_does(tmp_path: Path) -> None:
    got = ratio(tmp_path)
    assert got <= 1.45  # of 5,000 turns: 1.1, by the bench itself


@pytest.mark.slow
def test_what_grows_with_the_memory_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search = Memory.search

    def slower(self: Memory, *args: Any, **more: Any) -> Any:
        until = time.thread_time() + 0.003 * len(self.bank(turns.USER))
        while time.thread_time() < until:
            pass
        return search(self, *args, **more)

    monkeypatch.setattr(Memory, "search", slower)
    got = ratio(tmp_path)
    assert got > 1.45
