"""A memory that is played: exported as sound, heard again, drawn; bursts that are lost are rebuilt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import FakeClock

from neuromem import Memory
from neuromem.cli import main
from neuromem.errors import ArchiveError, InvalidInput, SignalDamaged
from neuromem.sound.modem import MODES, Listener, demodulate, modulate
from neuromem.sound.modem.sending import resampled

DEMO = Path(__file__).resolve().parents[1] / "examples" / "memory.flac"


@pytest.fixture(scope="module")
def heard_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("acoustic")
    with Memory(folder / "a", encoder="hash", clock=FakeClock()) as memory:
        memory.add("My dog is called Potola 🐕", user_id="ana", infer=False)
        memory.add("My sister lives in Lisbon", user_id="ana", infer=False)
        memory.export(folder / "ana.flac", "ana", acoustic="standard")
        memory.export(folder / "dense.flac", "ana")
        with pytest.raises(InvalidInput, match="acoustic"):
            memory.export(folder / "ana.jsonl", "ana", acoustic="robust")
        with pytest.raises(InvalidInput, match="mode"):
            memory.export(folder / "b.flac", "ana", acoustic="loud")
    return folder / "ana.flac"


def test_the_log_comes_over_byte_for_byte_and_import_knows_the_file_by_itself(heard_file: Path) -> None:
    with (
        Memory(heard_file.parent / "a", encoder="hash", clock=FakeClock(), readonly=True) as old,
        Memory(None, encoder="hash", clock=FakeClock()) as new,
    ):
        assert new.import_(heard_file) == 2
        owner = old.engine.log.owners()[0]
        assert new.engine.log.stored(owner) == old.engine.log.stored(owner)
        assert new.verify().ok
        assert [r.text for r in new.all(user_id="ana")] == [r.text for r in old.all(user_id="ana")]


def test_it_is_heard_after_another_rate_and_noise(heard_file: Path, tmp_path: Path) -> None:
    sound, rate = soundfile.read(heard_file, dtype="float32")
    worse = resampled(sound, rate, 44_100)
    worse = worse + np.random.default_rng(0).normal(0, 0.01, len(worse)).astype(np.float32)
    soundfile.write(tmp_path / "worse.flac", worse, 44_100, subtype="PCM_16")
    with Memory(None, encoder="hash", clock=FakeClock()) as new:
        assert new.import_(tmp_path / "worse.flac") == 2


def test_a_song_and_a_cut_message_are_refused(heard_file: Path, tmp_path: Path) -> None:
    sound, rate = soundfile.read(heard_file, dtype="float32")
    soundfile.write(tmp_path / "cut.flac", sound[: len(sound) // 2], rate)
    soundfile.write(tmp_path / "song.flac", np.sin(np.arange(rate) / 7).astype(np.float32), rate)
    soundfile.write(tmp_path / "words.flac", modulate(b"hello", rate=rate), rate)
    with Memory(None, encoder="hash", clock=FakeClock()) as new:
        with pytest.raises(SignalDamaged):
            new.import_(tmp_path / "cut.flac")
        for name in ("song", "words"):
            with pytest.raises(ArchiveError):
                new.import_(tmp_path / f"{name}.flac")


def test_show_tells_what_a_file_holds_and_draws_it(
    heard_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = heard_file.parent
    for name, kind in (("ana", "acoustic"), ("dense", "dense")):
        picture = folder / f"{name}.png"
        assert main(["show", str(folder / f"{name}.flac"), "--spectrogram", str(picture), "--json"]) == 0
        assert f'"kind": "{kind}"' in capsys.readouterr().out
        assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(["show", str(heard_file)]) == 0
    assert "for the air" in " ".join(capsys.readouterr().out.split())
    assert main(["show", "--spectrogram", "x.png"]) == 2
    assert main(["show", str(folder / "none.flac")]) == 2
    assert main(["show", str(heard_file), "--spectrogram", "/no/such/folder/x.png"]) == 2


def test_the_demo_of_the_readme_is_a_memory(tmp_path: Path) -> None:
    assert DEMO.stat().st_size < 150_000
    assert soundfile.info(DEMO).duration < 10
    with Memory(None, encoder="hash") as memory:
        memory.import_(DEMO)
        assert [item.text for item in memory.all(user_id="me")] == ["My dog is called Potola"]


def test_bursts_that_are_lost_are_rebuilt_from_parity(monkeypatch: pytest.MonkeyPatch) -> None:
    mode = "standard"
    monkeypatch.setitem(vars(MODES[mode]), "capacity", 600)  # bursts of a second
    payload = np.random.default_rng(1).bytes(3 * MODES[mode].capacity)
    sound = modulate(payload, mode, 48_000, spare=1)
    burst = len(sound) // 4  # three of content and one of parity
    lost = sound.copy()
    lost[burst // 2 : burst] = 0
    found = demodulate(lost, 48_000)
    assert found.payload == payload
    assert found.report.rebuilt == 1
    whole = Listener(48_000)
    messages = whole.feed(sound) + whole.finish()
    assert [message.payload for message in messages] == [payload]
    assert whole.damaged == [], "parity of a message that came whole is no message"
    lost[: 2 * burst - burst // 2] = 0
    with pytest.raises(SignalDamaged):
        demodulate(lost, 48_000)


def test_parity_has_its_bounds() -> None:
    for spare in (-1, 16):
        with pytest.raises(InvalidInput, match="spare"):
            modulate(b"x", spare=spare)
    assert demodulate(modulate(b"x", spare=2), 48_000).payload == b"x"
