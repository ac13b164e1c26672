"""`neuromem export` and `import`: whose memory goes, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import POTOLA, Run, runner


@pytest.fixture
def neuromem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(tmp_path, capsys)


def texts(neuromem: Run, user: str, path: Path | None = None) -> list[str]:
    done = neuromem("show", "--json", "--user", user, **({} if path is None else {"path": path}))
    return [memory["text"] for memory in done.json["memories"]]


def test_among_several_users_the_default_one_is_meant(neuromem: Run, tmp_path: Path) -> None:
    neuromem("add", POTOLA, "--user", "ana")
    neuromem("add", "I like figs.")
    file, other = str(tmp_path / "me.jsonl"), tmp_path / "other"
    assert neuromem("export", file, "--json").json["user"] == "me"
    neuromem("add", "I like tea.", "--user", "ana", path=other)
    neuromem("add", "I like rye.", "--user", "me", path=other)
    assert neuromem("import", file, "--json", path=other).json["user"] == "me"
    assert texts(neuromem, "me", other) == ["I like figs.", "I like rye."]
    assert texts(neuromem, "ana", other) == ["I like tea."]


def test_where_nobody_is_the_default_one_the_user_has_to_be_named(neuromem: Run, tmp_path: Path) -> None:
    for user in ("ana", "ben"):
        neuromem("add", POTOLA, "--user", user)
    file = str(tmp_path / "ana.jsonl")
    neuromem("export", file, "--user", "ana")
    for command in ("export", "import"):
        done = neuromem(command, file)
        assert done.status == 2
        assert "--user: is missing" in done.err
        assert "ana, ben" in done.err
    assert neuromem("import", file, "--user", "carl", "--json").json["user"] == "carl"


def test_the_only_user_is_meant(neuromem: Run, tmp_path: Path) -> None:
    neuromem("add", POTOLA, "--user", "ana")
    file = str(tmp_path / "ana.jsonl")
    assert neuromem("export", file, "--json").json["user"] == "ana"
    assert neuromem("import", file, "--json").json["user"] == "ana"


def test_a_memory_in_sound_says_itself_whose_it_is(neuromem: Run, tmp_path: Path) -> None:
    neuromem("add", POTOLA, "--user", "zoe")
    file, other = str(tmp_path / "zoe.flac"), tmp_path / "other"
    neuromem("export", file)
    neuromem("add", "I like tea.", path=other)
    assert neuromem("import", file, "--json", path=other).json["user"] == "zoe"
    assert texts(neuromem, "zoe", other) == [POTOLA]
    assert texts(neuromem, "me", other) == ["I like tea."]


def test_an_old_file_whose_memories_arrive_faded_says_how_they_come_back(
    neuromem: Run, tmp_path: Path
) -> None:
    neuromem("add", POTOLA, "--user", "ana", "--at", "2020-01-01")
    file = tmp_path / "ana.jsonl"
    neuromem("export", str(file))
    other, third = tmp_path / "other", tmp_path / "third"
    assert "faded" not in neuromem("import", str(file), path=other).out, "it says how strong it was"
    line = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({key: line[key] for key in ("id", "text", "time")}), encoding="utf-8")
    assert "`neuromem rebuild` brings every word back" in " ".join(
        neuromem("import", str(file), path=third).out.split()
    )
    neuromem("rebuild", path=third)
    assert texts(neuromem, "me", third) == [POTOLA]
    assert "faded" not in neuromem("import", str(file), path=third).out, "it was there already"
    file.write_text(json.dumps({"id": line["id"], "text": "I like tea"}), encoding="utf-8")
    assert "faded" not in neuromem("import", str(file), path=third).out, "it is told now"


def test_a_folder_is_said_to_be_no_file(neuromem: Run, tmp_path: Path) -> None:
    (tmp_path / "ana.jsonl").mkdir()
    done = neuromem("import", str(tmp_path / "ana.jsonl"))
    assert (done.status, "ana.jsonl is no file; give the path" in done.err) == (2, True)
    assert not (tmp_path / "store").exists()
