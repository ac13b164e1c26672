"""Clusters: like beside like, the same for the same bank, named by what they share."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import runner
from conftest import FakeClock
from test_sleep import tell

from neuromem import Memory
from neuromem.clusters import clusters_of, name_of

GROUPS = {
    "tea": ["I drink green tea", "I drink black tea", "My tea is green and black", "black tea for me"],
    "bike": ["My bike is a red Bianchi bike", "the red bike of mine is a Bianchi", "I ride a red bike"],
}
LONER = "The dentist found two cavities"


def test_like_stands_beside_like(fake_clock: FakeClock) -> None:
    memory = Memory(encoder="hash", clock=fake_clock)
    ids = {text: tell(memory, text)[0] for group in zip(*GROUPS.values(), strict=False) for text in group}
    ids |= {LONER: tell(memory, LONER)[0]}
    found = clusters_of(memory.bank("ana"), memory.engine.keys.strangers)
    texts = {id_: text for text, id_ in ids.items()}
    named = {
        name_of([texts[id_] for id_ in cluster], []): {texts[id_] for id_ in cluster} for cluster in found
    }
    assert set(named) == set(GROUPS)
    for name, members in named.items():
        assert members <= set(GROUPS[name])
    assert clusters_of(memory.bank("ana"), memory.engine.keys.strangers) is found, (
        "kept until the bank changes"
    )


def test_clusters_are_the_same_for_the_same_bank_and_without_what_is_over(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        tell(memory, *(text for group in GROUPS.values() for text in group))
        memory.sleep()
        first = clusters_of(memory.bank("ana"), memory.engine.keys.strangers)
        assert len(first) == 2
    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        assert clusters_of(memory.bank("ana"), memory.engine.keys.strangers) == first
        memory.bank("ana").supersede(first[0][0], "", 1)
        again = clusters_of(memory.bank("ana"), memory.engine.keys.strangers)
        assert first[0][0] not in {id_ for cluster in again for id_ in cluster}


def test_a_cluster_is_named_by_its_slot_else_by_its_commonest_word() -> None:
    assert name_of(["I live in Porto", "home is Rome"], ["1|home|Porto", "1|home|Rome"]) == "home"
    assert name_of(["my red bikes", "the bike"], ["1 red bikes", "x"]) in ("bike", "bikes")
    assert name_of([], []) == ""


def test_the_command_shows_clusters_and_what_a_sleep_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    neuromem = runner(tmp_path, capsys)
    for text in [*GROUPS["tea"], LONER, "I really drink green tea"]:
        assert neuromem("add", "--raw", text).status == 0
    assert neuromem("sleep", "--json").json == {
        "owners": 1, "held": 5, "forgotten": 0, "merged": 1, "refreshed": 0, "left": 0,
    }  # fmt: skip
    assert "0 merged" in neuromem("sleep", "--budget", "5").out
    shown = neuromem("show", "--clusters", "--json").json
    assert [cluster["name"] for cluster in shown["clusters"]] == ["tea"]
    assert [memory["text"] for memory in shown["alone"]] == [LONER]
    told = neuromem("show", "--clusters").out
    assert "tea (" in told
    assert "alone (1)" in told
    assert neuromem("show", "--clusters", "00000000").status == 2
    assert neuromem("sleep", "--budget", "-1").status == 2
