"""What is current comes first in rounds of cases of our own, each written before it was looked at.

What a round showed was mended before the next one was written, up to the fourteenth. The sixteenth and the
seventeenth are by another hand and hardly ever have a word of change; the judge of news has learned from them
since. The twentieth and the one after it are by a third hand, the next two by a fourth; what they showed was
mended, and the judge has learned from them, too. The last two are by a fifth hand; nothing was learned from
them.
The shares of the first looks are in training/LOG.md.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neuromem.bench.updates import Outcome, Scene, play
from neuromem.config import Config, ForgettingConfig
from neuromem.encoders import load_encoder

CASES = Path(__file__).parent / "data" / "updates_fresh.jsonl"
OTHERS = 16  # the first of the rounds by another hand
THIRD = 20  # … of those by a third and a fourth …
UNSEEN = 24  # … and of those of which nothing has been learned


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rounds", "current", "stale"),
    [
        (range(1, OTHERS), 0.95, 0.04),
        (range(OTHERS, OTHERS + 2), 0.60, 0.36),
        (range(THIRD, UNSEEN), 0.86, 0.13),
        (range(UNSEEN, UNSEEN + 2), 0.90, 0.09),
    ],
)
def test_the_current_answer_comes_first_in_fresh_cases(rounds: range, current: float, stale: float) -> None:
    scene = Scene(Config(forgetting=ForgettingConfig(decay="none")), load_encoder(None))
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    found: list[Outcome] = [play(case, scene) for case in cases if case["round"] in rounds]
    assert len(found) >= 168
    assert sum(outcome.current_first for outcome in found) / len(found) >= current
    assert sum(outcome.stale_first for outcome in found) / len(found) <= stale
    assert sum(outcome.clashes for outcome in found) == 0
