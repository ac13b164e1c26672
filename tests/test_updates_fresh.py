"""What is current comes first in fifteen rounds of cases of our own, each written before it was looked at.

What a round showed was mended before the next one was written; what the fifteenth showed was not. The
shares of the first looks are in training/LOG.md.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neuromem.bench.updates import Outcome, Scene, play
from neuromem.config import Config, ForgettingConfig
from neuromem.encoders import load_encoder

CASES = Path(__file__).parent / "data" / "updates_fresh.jsonl"


@pytest.mark.slow
def test_the_current_answer_comes_first_in_fresh_cases() -> None:
    scene = Scene(Config(forgetting=ForgettingConfig(decay="none")), load_encoder(None))
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    found: list[Outcome] = [play(case, scene) for case in cases]
    assert sum(outcome.current_first for outcome in found) / len(found) >= 0.95
    assert sum(outcome.stale_first for outcome in found) / len(found) <= 0.04
    assert sum(outcome.clashes for outcome in found) == 0
