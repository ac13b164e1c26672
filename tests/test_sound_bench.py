"""`neuromem bench sound`, small."""

from __future__ import annotations

import json

import pytest

from neuromem.bench import run


def test_the_bench_says_what_is_survived_and_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    argv = "--json --trials 5 --payload 20000 --chunks 300 --records 3000 --keys 500 --facts 10000".split()
    assert run("sound", argv) == 0
    report = json.loads(capsys.readouterr().out)
    trials = report["corruption"]
    assert trials["recovered"] == trials["trials"] == 5
    assert trials["wrong"] == 0
    assert trials["packets_hurt_mean"] > 10
    assert {row["profile"] for row in report["speed"]} >= {"durable", "desktop"}
    assert report["lookups"]["cached_get_ms_p50"] < report["lookups"]["open_and_get_ms_p50"]
    assert report["meaning"]["recall_at_10"] > 0.9
    rows = {row["what"]: row for row in report["sizes"]}
    assert rows["archive, desktop"]["bytes"] < rows["SQLite"]["bytes"]
    assert rows["archive, desktop"]["of_payload_with_redundancy"] < 1.15
    assert "PostgreSQL" in rows
