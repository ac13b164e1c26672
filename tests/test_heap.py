"""What large work leaves free in the heap goes back to the operating system."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys

import pytest

from neuromem import heap

CODE = """
from pathlib import Path
from neuromem.heap import give_back

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))

blocks = [bytes(60_000) for _ in range(2_000)]  # below the size that malloc maps apart
guard = bytes(60_000)
before = resident()
del blocks
print(before - resident(), give_back(), before - resident())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library has no malloc_trim")
def test_free_pages_go_back() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    kept, trimmed, given = done.stdout.split()
    assert trimmed == "True"
    assert int(given) > int(kept) + 50


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap.sys, "platform", "darwin")
    assert heap.give_back() is False


def test_what_is_loaded_is_not_looked_through_for_garbage() -> None:
    before = gc.get_freeze_count()
    with heap.loading():
        assert not gc.isenabled()
        kept = [[] for _ in range(1_000)]
    try:
        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(kept)
    finally:
        gc.unfreeze()


def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    try:
        with heap.loading():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
