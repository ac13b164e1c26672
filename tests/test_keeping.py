"""The keeper: what the rules are not sure of is read; what they are sure of is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from neuromem import Memory
from neuromem.encoders import load_encoder
from neuromem.facts import should_keep
from neuromem.keeping import CHECKPOINT, SURE, Keeper, asked_of, keeper_for, weighed
from neuromem.shipped import checkpoint_path

DATA = Path(__file__).parent / "data"
QUIZ = ["user: Quiz me.", "assistant: What's the capital of Peru?"]


@pytest.fixture(scope="module")
def keeper() -> Keeper:
    return Keeper()


@pytest.mark.parametrize(
    ("said", "before"),
    [
        ("it drinks from the gas cylinder", []),
        ("bed three has courgettes", []),
        ("my late husband was from Lima", QUIZ),
        ("Potola.", ["user: Guess what.", "assistant: What's your dog called?"]),
    ],
)
def test_what_is_worth_keeping_is_read(keeper: Keeper, said: str, before: list[str]) -> None:
    assert keeper.read(said, before) > 0


@pytest.mark.parametrize(
    ("said", "before"),
    [
        ("skip that one", QUIZ),
        ("i'm just putting the kettle on", []),
        ("what a day", []),
        ("Lima, obviously.", QUIZ),
    ],
)
def test_what_is_not_worth_keeping_is_read_as_such(keeper: Keeper, said: str, before: list[str]) -> None:
    assert keeper.read(said, before) < 0


def test_where_the_rules_are_sure_nothing_is_read() -> None:
    unread = Keeper("no such file")
    assert unread("anything", [], SURE) == SURE
    assert unread("anything", [], -SURE) == -SURE


def test_rules_and_reading_are_weighed_together() -> None:
    assert weighed(2.0, -1.0) > 0 > weighed(-3.0, 1.0)
    assert weighed(1e9, 0.0) == weighed(50.0, 0.0)  # it may be sure, but not of everything
    assert weighed(0.0, 0.0) > 0  # what is lost cannot be asked for


def test_the_turn_of_an_assistant_is_what_an_answer_answers() -> None:
    question, [said] = asked_of("Lima", QUIZ)
    assert (question, said.text, said.before) == (QUIZ[1], "Lima", QUIZ[0])
    question, [said] = asked_of("he's a postman", ["user: By we I mean me and Jostein."])
    assert (question, said.before) == ("", "user: By we I mean me and Jostein.")
    assert asked_of("Lima", [])[0] == ""


@pytest.mark.parametrize(("name", "precision", "recall"), [("keep", 0.95, 0.92), ("keep_fresh", 0.93, 0.90)])
def test_it_keeps_more_of_what_counts_and_less_of_what_does_not(
    keeper: Keeper, name: str, precision: float, recall: float
) -> None:
    cases = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    kept = [should_keep(case["text"], case["context"], keeper) for case in cases]
    right = sum(keep and case["keep"] for keep, case in zip(kept, cases, strict=True))
    assert right / sum(kept) >= precision
    assert right / sum(case["keep"] for case in cases) >= recall


def test_memories_with_another_encoder_go_without() -> None:
    assert keeper_for(load_encoder("hash").name) is None
    assert keeper_for(load_encoder("conv").name) is None
    assert keeper_for(load_encoder("transformer:192").name) is not None


def test_a_memory_asks_it_about_talk() -> None:
    with Memory() as memory:
        assert not memory.add([{"role": "user", "content": "What a day."}], user_id="ana")
        told = memory.add([{"role": "user", "content": "It drinks from the gas cylinder."}], user_id="ana")
        assert [one.text for one in told] == ["It drinks from the gas cylinder."]


def test_the_shipped_file_is_small() -> None:
    assert checkpoint_path(CHECKPOINT).stat().st_size < 4_000_000


def test_the_score_of_the_rules_is_the_same_in_every_process() -> None:
    """Where the network is as sure as it may be, a last bit of the rules' score decided."""
    script = (
        "import json, sys\n"
        "from neuromem.facts.keep import score\n"
        "rows = [json.loads(line) for line in open(sys.argv[1], encoding='utf-8')]\n"
        "print([score(row['text'], row['context']) for row in rows])"
    )
    scores = {
        subprocess.run(
            [sys.executable, "-c", script, str(DATA / "keep.jsonl")],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(scores) == 1
