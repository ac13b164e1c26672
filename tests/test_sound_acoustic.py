"""A memory that is played: exported as sound, heard again, drawn; bursts that are lost are rebuilt."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import FakeClock

from neuromem import Memory
from neuromem.cli import main
from neuromem.errors import ArchiveError, ArchiveInvalid, InvalidInput, SignalDamaged
from neuromem.identity import NOTES
from neuromem.sound.acoustic_file import HeardLog, hear_file
from neuromem.sound.memory_file import Gaps
from neuromem.sound.modem import MODES, Listener, demodulate, modulate
from neuromem.sound.modem.channel import noisy
from neuromem.sound.modem.sending import resampled
from neuromem.sound.skeleton import MAGIC, Skeleton
from neuromem.sound.weighing import weigh

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


# By importance


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A memory with something of each class, and its sound in the mode of all bands."""
    folder = tmp_path_factory.mktemp("graded")
    clock = FakeClock()
    with Memory(folder / "a", encoder="hash", clock=clock) as memory:
        memory.add("My name is Ana Ruiz", user_id="ana")
        memory.add(
            "The key is under the pot", user_id="ana", infer=False, metadata={NOTES: {"immutable": True}}
        )
        for number in range(12):
            memory.add(f"Shelf {number} holds the books of year {1900 + number}", user_id="ana", infer=False)
        old = memory.add("I live in Lisbon", user_id="ana")[0].id
        clock.advance(days=2)
        memory.add("I moved to Porto", user_id="ana")
        memory.add("Hello there, how are you today?", user_id="ana")
        for _ in range(6):
            memory.search("Where do I live?", user_id="ana")
            clock.advance(days=1)
        memory.engine.owners.settle_all()
        owner = memory.engine.log.owners()[0]
        with memory.engine.owners.use(owner) as open_:
            assert open_.bank.ended(old)[0], "it was replaced"
            classes = weigh(memory.engine, open_.fold)
        records = list(memory.engine.log.events(owner))
        memory.export(folder / "ana.flac", "ana", acoustic="fast")
    table = [(r.kind, r.body.get("text", ""), each.label) for r, each in zip(records, classes, strict=True)]
    (folder / "classes.json").write_text(json.dumps(table))
    return folder


def test_what_the_memory_knows_decides_the_class_of_each_record(graded: Path) -> None:
    table = json.loads((graded / "classes.json").read_text())
    class_of = {text: label for _, text, label in table if text}
    assert class_of["My name is Ana Ruiz"] == "critical", "an essential"
    assert class_of["The key is under the pot"] == "critical", "it is immutable"
    assert class_of["Shelf 3 holds the books of year 1903"] == "reliable", "it holds now"
    assert class_of["I live in Lisbon"] == "high-density", "it was replaced"
    assert class_of["Hello there, how are you today?"] == "standard", "no fact"
    kinds = {kind: label for kind, _, label in table}
    assert kinds["supersede"] == "critical", "else what is over would be taken for what holds"
    assert kinds["rehearse"] == "high-density"


def test_a_noisy_hearing_brings_the_essentials_and_names_the_rest(
    graded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audio, rate = soundfile.read(graded / "ana.flac", dtype="float32")
    heard, rate = noisy(audio, rate, 7, 1)
    soundfile.write(tmp_path / "noisy.flac", heard, rate, subtype="PCM_16")
    gaps = list[Gaps]()
    with (
        Memory(graded / "a", encoder="hash", clock=FakeClock(), readonly=True) as old,
        Memory(tmp_path / "b", encoder="hash", clock=FakeClock()) as new,
    ):
        with pytest.raises(SignalDamaged, match=r"records came; lost: record .*--partial"):
            new.import_(tmp_path / "noisy.flac")
        assert not new.users(), "nothing is taken in unasked"
        new.import_(tmp_path / "noisy.flac", on_gaps=gaps.append)
        texts = {item.text for item in new.all(user_id="ana")}
        assert {"My name is Ana Ruiz", "The key is under the pot"} <= texts
        assert "I live in Lisbon" not in texts
        owner = old.engine.log.owners()[0]
        assert new.engine.log.root(owner) == old.engine.log.root(owner), "of the sender's Merkle tree"
        assert new.verify().ok
        lost = [record.seq for record in new.engine.log.events(owner) if record.erased]
    assert [int(name.split()[1]) for name in gaps[0].lost] == lost
    assert all("high-density" in name or "standard" in name for name in gaps[0].lost)
    assert gaps[0].report.classes["critical"]["lost"] == 0
    command = ["import", str(tmp_path / "noisy.flac"), "--path", str(tmp_path / "c"), "--encoder", "hash"]
    assert main(command) == 1
    assert "--partial" in capsys.readouterr().err
    assert main([*command, "--partial"]) == 0
    assert f"{len(lost)} of {gaps[0].records} records are lost" in capsys.readouterr().out


def test_a_memory_goes_by_send_and_listen(
    graded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wave, store = tmp_path / "m.wav", ["--encoder", "hash", "--json"]
    sending = ["send", "--memory", "--path", str(graded / "a"), "--mode", "fast", "--output", str(wave)]
    assert main([*sending, *store]) == 0
    sent = json.loads(capsys.readouterr().out)
    assert set(sent["classes"]) == {"control", "critical", "reliable", "standard", "high-density"}
    assert main(["listen", "--memory", "--input", str(wave), "--path", str(tmp_path / "d"), *store]) == 0
    heard = json.loads(capsys.readouterr().out)
    assert heard["lost"] == []
    assert main(["send", "vase", "--importance", "critical", "--output", str(wave), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == {"critical": 4}
    assert main(["listen", "--input", str(wave), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == "vase"
    for words in (
        ["send"],
        ["send", "x", "--memory"],
        ["send", "x", "--importance", "critical", "--spare", "1"],
    ):
        assert main(words) == 2
    assert main(["listen", "--memory", "--input", str(wave), "--path", str(tmp_path / "e"), *store]) == 1


def test_the_answer_names_whose_memory_came(
    graded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wave, common = tmp_path / "m.wav", ["--encoder", "hash", "--json"]
    main(["send", "--memory", "--path", str(graded / "a"), "--mode", "fast", "--output", str(wave), *common])
    for name, taking in (
        ("heard", ["listen", "--memory", "--input", str(wave)]),
        ("file", ["import", str(graded / "ana.flac")]),
    ):
        store = ["--path", str(tmp_path / name), *common]
        assert main(["add", "I play bass", "--user", "aaron", *store]) == 0
        capsys.readouterr()
        assert main([*taking, *store]) == 0
        came = json.loads(capsys.readouterr().out)
        assert came["user"] == "ana"
        assert came["memories"] > 1


def test_records_that_lie_and_skeletons_that_are_none_are_refused(graded: Path) -> None:
    heard = hear_file(graded / "ana.flac")
    assert isinstance(heard, HeardLog)
    raw = heard.skeleton.to_bytes()
    assert Skeleton.from_bytes(raw) == heard.skeleton
    for wrong in (b"", raw[:-1], raw + b"x", raw.replace(MAGIC, b"NMA9"), MAGIC + bytes(8)):
        with pytest.raises(ArchiveInvalid):
            Skeleton.from_bytes(wrong)
    seq = next(iter(heard.words))
    other = {**heard.words, seq: heard.words[seq][:-1] + b"x"}
    _, lost = heard.skeleton.entries(other, heard.dictionaries)
    assert lost == [seq], "words that are not those committed to count as lost"
