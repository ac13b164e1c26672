"""A store whose files were hurt: it says so, or makes the bank anew; nothing is lost for being opened."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import FakeClock
from safetensors.torch import load_file, save_file

from neuromem import Memory
from neuromem.bankfile import load_bank, read_notes
from neuromem.errors import StoreCorrupt
from neuromem.log import EventLog

FACTS = [f"My friend number {number} is called Abc{number}" for number in range(12)]

Open = Callable[..., Memory]


@pytest.fixture
def opened(tmp_path: Path, fake_clock: FakeClock) -> Iterator[Open]:
    """Opens the store in `tmp_path`, which Ana and Ben have told something; closes what was opened."""
    every: list[Memory] = []

    def again(**options: object) -> Memory:
        every.append(Memory(tmp_path, encoder="hash", clock=fake_clock, **options))  # type: ignore[arg-type]
        return every[-1]

    with Memory(tmp_path, encoder="hash", clock=fake_clock) as memory:
        for user in ("ana", "ben"):
            memory.add([{"role": "user", "content": fact} for fact in FACTS], user_id=user, infer=False)
    yield again
    for memory in every:
        memory.close()


def the_log(folder: Path) -> Path:
    (file,) = (folder / "log").glob("log-*.mdb")
    return file


def snapshots(folder: Path) -> list[Path]:
    return sorted((folder / "banks").glob("*.safetensors"))


def flip(file: Path, at: int) -> None:
    raw = bytearray(file.read_bytes())
    raw[at] ^= 1
    file.write_bytes(raw)


# --- snapshots ---------------------------------------------------------------------------------


def test_a_snapshot_with_a_flipped_bit_is_made_anew_from_the_log(tmp_path: Path, opened: Open) -> None:
    whole = {file: file.read_bytes() for file in snapshots(tmp_path)}
    for tenth in range(1, 10):
        for file, raw in whole.items():
            header = 8 + int.from_bytes(raw[:8], "little")
            flip(file, header + (len(raw) - header) * tenth // 10)
        lines: list[str] = []
        with opened(notice=lines.append) as memory:
            for user in ("ana", "ben"):
                assert [recall.text for recall in memory.all(user_id=user)] == FACTS
        assert [line.partition(";")[0] for line in lines] == [
            "ana: its snapshot is damaged", "ben: its snapshot is damaged",
        ]  # fmt: skip
        assert {file: file.read_bytes() for file in snapshots(tmp_path)} == whole


def test_a_snapshot_of_before_there_were_checksums_is_used(tmp_path: Path, opened: Open) -> None:
    for file in snapshots(tmp_path):
        notes = read_notes(file)
        del notes["checksum"]
        save_file(load_file(file), file, metadata={"neuromem": json.dumps(notes, sort_keys=True)})
        assert load_bank(file, whole=True).ids()
    lines: list[str] = []
    with opened(notice=lines.append) as memory:
        assert [recall.text for recall in memory.all(user_id="ana")] == FACTS
    assert lines == []


# --- the log -----------------------------------------------------------------------------------


def hurt_log(folder: Path, how: str) -> None:
    if how == "gone":
        for file in (folder / "log").iterdir():
            file.unlink()
        (folder / "log").rmdir()
    else:
        os.truncate(the_log(folder), 0)


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_banks_without_their_log_are_left_alone_and_can_be_imported(
    tmp_path: Path, opened: Open, how: str
) -> None:
    before = {file: file.read_bytes() for file in snapshots(tmp_path)}
    hurt_log(tmp_path, how)
    for _ in range(2):  # an attempt must not make the next one succeed
        with pytest.raises(StoreCorrupt, match=r"holds 2 of its banks; restore|is empty\); restore"):
            opened()
    assert {file: file.read_bytes() for file in snapshots(tmp_path)} == before
    with Memory(encoder="hash") as other:
        other.import_(snapshots(tmp_path)[0], user_id="ana")
        assert len(other.all(user_id="ana")) == len(FACTS)


def test_a_store_whose_owners_were_all_deleted_opens_again(tmp_path: Path, opened: Open) -> None:
    with opened() as memory:
        for user in ("ana", "ben"):
            memory.delete_all(user_id=user)
    with opened() as memory:
        assert memory.users() == []


def test_who_looks_while_the_last_owner_is_deleted_sees_an_empty_store(
    tmp_path: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the files and the look at the log both go, the files first."""
    owners = EventLog.owners

    def last_look(log: EventLog) -> list[str]:
        if snapshots(tmp_path):
            for file in snapshots(tmp_path):
                file.unlink()
            return []
        return owners(log)

    monkeypatch.setattr(EventLog, "owners", last_look)
    opened(readonly=True).close()
