"""Shared by all tests: one thread, fixed seeds, no settings from outside, a clock that a test moves."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before torch or a tokenizer is loaded, and inherited by the commands that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")

SECONDS_PER_DAY = 86_400.0
MIDDAY = 1_772_452_800.0  # 2026-03-02T12:00:00Z, a Monday

settings.register_profile(
    "local",
    deadline=None,  # shared machines are slow at times
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


class FakeClock:
    """A clock for `Memory(clock=...)`: callable, in Unix seconds, moved by `advance` alone."""

    def __init__(self, now: float = MIDDAY) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, *, days: float = 0.0, hours: float = 0.0, seconds: float = 0.0) -> float:
        """Moves the clock on. Returns the new time."""
        self.now += days * SECONDS_PER_DAY + hours * 3_600.0 + seconds
        return self.now


class TickingClock(FakeClock):
    """A second later each time it is asked."""

    def __call__(self) -> float:
        return self.advance(seconds=1)


@pytest.fixture
def ticking_clock() -> TickingClock:
    """A clock that ticks, from noon of Monday, 2 March 2026 (UTC) on."""
    return TickingClock()


@pytest.fixture
def fake_clock() -> FakeClock:
    """A clock that stands still at noon of Monday, 2 March 2026 (UTC)."""
    return FakeClock()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The evaluation data, which is not part of the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("NEUROMEM_DATA") or beside)
    if not path.is_dir():
        pytest.skip(f"no evaluation data at {path}: set NEUROMEM_DATA to its folder to run this test")
    return path


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes NEUROMEM_* from the environment (but where the evaluation data lies)."""
    for name in list(os.environ):
        if name.startswith("NEUROMEM_") and name != "NEUROMEM_DATA":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def fixed_seeds() -> None:
    """The same random numbers in every test, whatever ran before it."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        torch.manual_seed(0)
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
