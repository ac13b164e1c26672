"""The demo tells its whole story, and every number in it is what the memory did."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from neuromem import Fidelity, Memory
from neuromem.cli import build_parser, main
from neuromem.config import Config
from neuromem.demo import DAYS, PARTS, USER, changed_share, fresh_folder, story
from neuromem.errors import InvalidInput
from neuromem.render import RUNGS

Story = dict[str, dict[str, Any]]
SIGNS = {rung: sign for rung, (sign, _) in RUNGS.items()}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story once, with the encoder that people get, and the seconds it took."""
    folder = fresh_folder(tmp_path_factory.mktemp("demo") / ".demo")
    started = time.perf_counter()
    parts = dict(story(folder, Config()))
    return parts | {"seconds": {"all": time.perf_counter() - started}}


def test_the_story_has_all_its_parts_in_order_and_takes_less_than_a_minute(told: Story) -> None:
    assert [*told][:-1] == list(PARTS)
    assert told["seconds"]["all"] < 60


def test_facts_are_kept_and_small_talk_is_dropped(told: Story) -> None:
    kept = told["kept"]
    assert kept["messages"] == 62
    assert kept["exact"] == kept["facts"] == len(kept["written"])
    assert sum(kept["steps"].values()) == kept["facts"]
    assert any("Potola" in fact["text"] for fact in kept["written"])
    assert any("What breed is she?" in text for text in kept["dropped"])
    assert not any("Potola" in text for text in kept["dropped"] if "dog name" in text)


def test_questions_in_other_words_are_answered(told: Story) -> None:
    asked = told["asked"]
    assert asked["right"] >= asked["of"] / 2
    dog = next(answer for answer in asked["answers"] if "dog called" in answer["question"])
    assert dog["right"] is True
    for answer in asked["answers"]:
        assert answer["ms"] > 0
        assert (answer["from"] == "weights") == (answer["answer"] == answer["weights_say"])


def test_each_fact_falls_down_the_ladder_and_never_climbs_by_itself(told: Story) -> None:
    table = told["table"]
    assert table["days"] == list(DAYS)
    assert len(table["facts"]) >= 40
    for fact in table["facts"]:
        levels = [Fidelity(rung).level for rung in fact["rungs"]]
        assert levels == sorted(levels, reverse=True), fact
        assert fact["strengths"] == sorted(fact["strengths"], reverse=True)
        for rung, says in zip(fact["rungs"], fact["says"], strict=True):
            assert (says == fact["text"]) if rung == "verbatim" else len(says) < max(len(fact["text"]), 48)
    assert table["changed_share"] == changed_share([fact["rungs"] for fact in table["facts"]])


def test_the_dog_outlives_its_name(told: Story) -> None:
    potola = next(fact for fact in told["table"]["facts"] if fact["text"].startswith("My dog name"))
    name, dog = (
        max((i for i, says in enumerate(potola["says"]) if word in says), default=-1)
        for word in ("Potola", "dog")
    )
    assert 0 <= name <= dog


def test_the_readme_shows_what_the_demo_shows(told: Story) -> None:
    """A picture of old would show memories that there are no more; another processor may round otherwise."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    picture = readme.split("## What it looks like")[1].split("## ")[0]
    kept, facts = told["kept"], told["table"]["facts"]
    (shown,) = re.findall(r"^(\d+) facts written in .*; (\d+) slots of ([\d,]+) bytes", picture, re.MULTILINE)
    assert abs(int(shown[0]) - kept["facts"]) <= 1
    assert abs(int(shown[1]) - kept["slots"]) <= 1
    assert shown[2] == f"{kept['bytes_per_slot']:,}"
    every = "".join(SIGNS.values())
    rows = re.findall(rf"^(.+?)…? +((?:[{every}] *){{{len(DAYS)}}})$", picture, re.MULTILINE)
    assert len(rows) >= 8
    other = 0
    for text, signs in rows:
        (fact,) = (fact for fact in facts if fact["text"].startswith(text.strip()))
        now = [SIGNS[rung] for rung in fact["rungs"]]
        other += sum(one != sign for one, sign in zip(signs.split(), now, strict=True))
    assert other <= 3
    for rung, sign in SIGNS.items():
        (counts,) = re.findall(rf"^{sign} {rung} +((?:\d+ *)+)$", picture, re.MULTILINE)
        now = [sum(fact["rungs"][day] == rung for fact in facts) for day in range(len(DAYS))]
        assert all(abs(int(one) - count) <= 2 for one, count in zip(counts.split(), now, strict=True))
    assert told["rebuilt"]["question"] in picture
    assert told["deep"]["question"] in picture


def test_heard_again_it_is_verbatim_again(told: Story) -> None:
    heard = told["heard"]
    assert heard["event"] == "REINFORCE"
    assert heard["before"]["fidelity"] != "verbatim"
    assert heard["after"] == {"says": heard["said"], "fidelity": "verbatim", "strength": 1.0}


def test_one_is_rebuilt_from_the_log_word_for_word(told: Story) -> None:
    rebuilt = told["rebuilt"]
    assert rebuilt["question"]
    assert rebuilt["before"]["says"] != rebuilt["answer"] == rebuilt["after"]["says"]
    assert rebuilt["after"]["fidelity"] == "verbatim"


def test_what_was_forgotten_is_found_deep_in_the_log(told: Story) -> None:
    deep = told["deep"]
    assert deep["slept"]["forgotten"] >= 1
    assert deep["question"]
    assert deep["found"] != deep["fast_answer"]
    assert deep["after"]["fidelity"] == "verbatim"
    assert told["verify"]["ok"] is True


def test_the_share_that_changed_is_counted_between_neighbouring_days() -> None:
    assert changed_share([["a", "a", "b"], ["a", "b", "b"]]) == [0.5, 0.5]
    assert changed_share([["a"], ["b"]]) == []
    assert changed_share([]) == []


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InvalidInput, match="not a demo's folder"):
        fresh_folder(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
    mine = fresh_folder(tmp_path / "mine")
    (mine / "old").write_text("x")
    assert [file.name for file in fresh_folder(mine).iterdir()] == ["neuromem-demo"]


def test_what_was_told_in_its_folder_since_is_not_deleted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fresh_folder(tmp_path / "demo")
    with Memory(folder, encoder="hash") as memory:
        memory.add("My parrot's name is Quillon.", USER)
    fresh_folder(folder)  # the demo's own user alone: made anew
    with Memory(folder, encoder="hash") as memory:
        memory.add("My parrot's name is Quillon.", "me")
    with pytest.raises(InvalidInput, match="memory of user:me"):
        fresh_folder(folder)
    assert main(["demo", "--path", str(folder)]) == 2
    with Memory(folder, encoder="hash") as memory:
        assert "Quillon" in memory.search("what is my parrot called?", "me")[0].text
    assert "new or empty" in capsys.readouterr().err


def test_the_folder_of_ones_own_memory_is_none_of_the_demos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEUROMEM_PATH", str(tmp_path / "mine"))
    assert build_parser().parse_args(["demo"]).path is None
    assert build_parser().parse_args(["show"]).path == str(tmp_path / "mine")
    assert build_parser().parse_args(["demo", "--path", "x"]).path == "x"


def test_plain_it_fits_100_columns_without_colour(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo", "--plain", "--path", str(tmp_path / "demo"), "--encoder", "hash"])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert max(len(line) for line in out.splitlines()) <= 100
    for heading in (
        "1  Told",
        "2  Asked",
        "3  Weeks pass",
        "4  Heard",
        "5  Rebuilt",
        "6  Forgotten",
        "7  Verified",
    ):
        assert heading in out


def test_json_holds_the_same_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo", "--json", "--path", str(tmp_path / "demo"), "--encoder", "hash"])
    data = json.loads(capsys.readouterr().out)
    assert [*data] == [*PARTS, "seconds"]
    assert set(data["table"]) == {"days", "facts", "changed_share"}
