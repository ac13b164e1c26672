"""`neuromem bench sound`, small."""

from __future__ import annotations

import json

import pytest

from neuromem.bench import run


def test_the_bench_says_what_is_survived_and_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    argv = "--json --trials 5 --payload 20000 --chunks 300 --records 3000".split()
    assert run("sound", argv) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["recovered"] == report["trials"] == 5
    assert report["wrong"] == 0
    assert report["packets_hurt_mean"] > 10
    assert {row["profile"] for row in report["speed"]} >= {"durable", "desktop"}
    assert report["gets"]["cached_get_ms_p50"] < report["gets"]["open_and_get_ms_p50"]
