"""A whole memory through a sound file: log and bank byte for byte; no file is trusted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FakeClock
from strings import FACTS, NASTY

from neuromem import Memory
from neuromem.cli import main
from neuromem.errors import ArchiveInvalid, InvalidInput, NeuromemError
from neuromem.sound import memory_file
from neuromem.sound.flac import HEADER_BYTES


@pytest.fixture
def source(fake_clock: FakeClock, tmp_path: Path) -> Path:
    with Memory(tmp_path / "a", encoder="hash", clock=fake_clock) as memory:
        for number, fact in enumerate([*FACTS, *[text for text in NASTY if text.strip()][:3]]):
            memory.add(fact, user_id="ana", infer=False, metadata={"n": number})
        memory.search("dog", user_id="ana")
        memory.delete(memory.all(user_id="ana")[0].id)
        memory.export(tmp_path / "ana.flac", "ana", "durable")
        memory.export(tmp_path / "ana.safetensors", "ana")
    return tmp_path


@pytest.mark.parametrize("to_disk", [True, False])
def test_log_and_bank_come_over_byte_for_byte(source: Path, fake_clock: FakeClock, to_disk: bool) -> None:
    with (
        Memory(source / "a", encoder="hash", clock=fake_clock) as old,
        Memory(source / "b" if to_disk else None, encoder="hash", clock=fake_clock) as new,
    ):
        count = new.import_(source / "ana.flac")
        assert count == len(old.all(user_id="ana"))
        owner = old.engine.log.owners()[0]
        assert new.engine.log.stored(owner) == old.engine.log.stored(owner)
        new.export(source / "again.safetensors")
        assert (source / "again.safetensors").read_bytes() == (source / "ana.safetensors").read_bytes()
        assert new.verify().ok
        assert [r.text for r in new.all(user_id="ana")] == [r.text for r in old.all(user_id="ana")]
        with pytest.raises(InvalidInput, match="already"):
            new.import_(source / "ana.flac")


def test_a_hurt_file_is_a_whole_memory_still(source: Path, fake_clock: FakeClock) -> None:
    path, rng = source / "ana.flac", random.Random(0)
    raw = bytearray(path.read_bytes())
    for _ in range(int(0.15 * len(raw) / 512)):
        at = rng.randrange(HEADER_BYTES, len(raw) - 512)
        raw[at : at + 512] = rng.randbytes(512)
    path.write_bytes(raw)
    with Memory(None, encoder="hash", clock=fake_clock) as new:
        new.import_(path)
        new.export(source / "again.safetensors")
    assert (source / "again.safetensors").read_bytes() == (source / "ana.safetensors").read_bytes()


def test_another_user_an_archive_of_other_things_and_rubbish_are_refused(source: Path) -> None:
    (source / "rubbish.flac").write_bytes(random.Random(1).randbytes(50_000))
    (source / "cut.flac").write_bytes((source / "ana.flac").read_bytes()[:9_000])
    with Memory(None, encoder="hash") as new:
        with pytest.raises(InvalidInput, match="user_id"):
            new.import_(source / "ana.flac", "bob")
        for name in ("rubbish.flac", "cut.flac"):
            with pytest.raises(ArchiveInvalid):
                new.import_(source / name)
        new.add("x", user_id="ana", infer=False)
        with pytest.raises(NeuromemError, match="profile"):
            new.export(source / "c.flac", "ana", "loud")
        assert not (source / "c.flac").exists()


@pytest.mark.parametrize("root", ["", "00" * 32])
def test_what_is_told_while_a_file_is_read_is_not_lost(
    source: Path, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    entries = memory_file._entries

    with Memory(source / "c", encoder="hash", clock=fake_clock) as new:

        def while_it_is_read(archive: Any, notes: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
            notes |= {"log_root": root} if root else {}
            new.add("I am allergic to peanuts", user_id="ana")
            return entries(archive, notes)

        monkeypatch.setattr(memory_file, "_entries", while_it_is_read)
        with pytest.raises(InvalidInput, match="path: 'ana' has a memory here already"):
            new.import_(source / "ana.flac")
        assert [recall.text for recall in new.all(user_id="ana")] == ["I am allergic to peanuts"]
        assert new.verify().ok


@pytest.mark.parametrize("bad", ["root", "entries"])
def test_a_log_that_is_not_the_one_exported_leaves_nothing(
    source: Path, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    entries = memory_file._entries

    def other(archive: Any, notes: dict[str, Any]) -> list[tuple[bytes, bytes]]:
        notes |= {"log_root": "00" * 32} if bad == "root" else {}
        return [*entries(archive, notes), *([(b"ouser:ben", b"junk")] if bad == "entries" else [])]

    monkeypatch.setattr(memory_file, "_entries", other)
    with Memory(source / "c", encoder="hash", clock=fake_clock) as new:
        new.add("I like tea", user_id="ben")
        with pytest.raises(ArchiveInvalid, match="holds no sound log"):
            new.import_(source / "ana.flac")
        assert new.users() == ["ben"]
        assert new.verify().ok


def test_the_commands(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(source / "out.flac")
    store = ["--path", str(source / "a"), "--user", "ana", "--json"]
    assert main(["export", file, *store, "--profile", "embedded"]) == 0
    assert main(["import", file, "--path", str(source / "c"), "--json"]) == 0
    assert '"user": "ana"' in capsys.readouterr().out
