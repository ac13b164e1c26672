"""Export and import: a memory goes along in one file, ids kept; no file is trusted."""

from __future__ import annotations

import errno
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import MIDDAY, FakeClock
from strings import FACTS, NASTY

from neuromem import Memory
from neuromem.bankfile import load_bank, read_notes
from neuromem.errors import BankFileInvalid, CapacityExhausted, CodecMismatch, InvalidInput, NotFound

POTOLA = "My dog's name is Potola"
ID = "6d1d5a2e-7f0c-4c8e-9a55-0f6a2f9a3c11"


@pytest.fixture
def source(fake_clock: FakeClock) -> Iterator[Memory]:
    """A memory of ten facts of ana's, with metadata, one of them pinned."""
    with Memory(encoder="hash", clock=fake_clock) as memory:
        for number, fact in enumerate(FACTS):
            memory.add(fact, user_id="ana", infer=False, metadata={"n": number})
        memory.add("Never forget the combination 36-12-9", user_id="ana")
        yield memory


@pytest.fixture
def target(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        yield memory


def texts(memory: Memory, user_id: str = "ana") -> dict[str, str]:
    return {recall.id: recall.text for recall in memory.all(user_id=user_id)}


def imported(memory: Memory, path: Path, content: Any) -> int:
    """Writes a .jsonl file and imports it."""
    lines = content if isinstance(content, list) else [content]
    raw = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (path / "in.jsonl").write_text("\n".join(raw), encoding="utf-8", errors="surrogatepass")
    return memory.import_(path / "in.jsonl", user_id="ana")


# --- both ways ---------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".safetensors", ".jsonl"])
def test_a_memory_goes_from_one_store_to_another_with_its_ids_and_words(
    source: Memory, target: Memory, tmp_path: Path, suffix: str
) -> None:
    path = source.export(tmp_path / f"ana{suffix}", user_id="ana")
    assert path == tmp_path / f"ana{suffix}"
    assert target.import_(path, user_id="ana") == len(FACTS) + 1
    assert texts(target) == texts(source)
    found = target.search("what is my dog's name?", user_id="ana")[0]
    assert (found.text, found.fidelity) == (POTOLA, "verbatim")
    assert found.created_at == source.get(found.id).created_at
    assert target.verify().ok
    target.rebuild(restore=False)
    assert texts(target) == texts(source)


def test_what_was_imported_is_there_after_closing_and_opening(
    source: Memory, tmp_path: Path, fake_clock: FakeClock
) -> None:
    for suffix in (".safetensors", ".jsonl"):
        path = source.export(tmp_path / f"ana{suffix}")
        with Memory(tmp_path / suffix[1:], encoder="hash", clock=fake_clock) as memory:
            memory.import_(path, user_id="ana")
        for _ in range(2):
            with Memory(tmp_path / suffix[1:], encoder="hash", clock=fake_clock) as memory:
                assert texts(memory) == texts(source)
                (snapshot,) = (tmp_path / suffix[1:] / "banks").iterdir()
                assert load_bank(snapshot).ids() == memory.bank("ana").ids(), "the snapshot can be used"


def test_the_bank_alone_holds_what_has_not_faded_and_no_word_beside_the_weights(
    source: Memory, target: Memory, tmp_path: Path, fake_clock: FakeClock
) -> None:
    fake_clock.advance(days=30)
    source.sleep()
    path = source.export(tmp_path / "ana.safetensors")
    raw = path.read_bytes()
    assert not any(word.encode() in raw for fact in FACTS for word in (fact, *fact.split()) if len(word) > 4)
    target.import_(path, user_id="ana")
    said = {
        recall.id: (recall.text, recall.fidelity, recall.strength) for recall in target.all(user_id="ana")
    }
    assert said == {r.id: (r.text, r.fidelity, r.strength) for r in source.all(user_id="ana")}


def test_the_words_alone_bring_back_what_had_faded(
    source: Memory, target: Memory, tmp_path: Path, fake_clock: FakeClock
) -> None:
    fake_clock.advance(days=12)
    held = source.bank("ana").ids()
    path = source.export(tmp_path / "ana.jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {line["id"]: line["text"] for line in lines} == {
        id_: source.get(id_, fidelity="exact").text for id_ in held
    }
    target.import_(path, user_id="ana")
    for line in lines:
        assert target.get(line["id"], fidelity="exact").text == line["text"]
        assert target.get(line["id"]).metadata == source.get(line["id"]).metadata
        assert target.get(line["id"]).created_at.timestamp() == MIDDAY


def test_what_is_pinned_stays_pinned(
    source: Memory, target: Memory, tmp_path: Path, fake_clock: FakeClock
) -> None:
    paths = [source.export(tmp_path / name) for name in ("a.safetensors", "a.jsonl")]
    for path in paths:
        with Memory(encoder="hash", clock=fake_clock) as memory:
            memory.import_(path, user_id="ana")
            pinned = [recall for recall in memory.all(user_id="ana") if "36-12-9" in recall.text]
            assert float(memory.bank("ana").stability[memory.bank("ana").rows_of(pinned[0].id)[0]]) == float(
                "inf"
            )


def test_exporting_what_was_imported_gives_the_same_lines(
    source: Memory, target: Memory, tmp_path: Path
) -> None:
    path = source.export(tmp_path / "a.jsonl")
    target.import_(path, user_id="ana")
    again = target.export(tmp_path / "b.jsonl")
    assert again.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")


def test_importing_into_the_own_store_changes_no_words_and_keeps_the_log_behind_them(
    source: Memory, tmp_path: Path
) -> None:
    before = texts(source)
    for name in ("a.safetensors", "a.jsonl"):
        source.import_(source.export(tmp_path / name))
        assert texts(source) == before
        for id_, text in before.items():
            assert source.get(id_, fidelity="exact").text == text
            assert source.get(id_).metadata or "36-12-9" in text


def test_an_import_may_go_to_another_owner_and_their_memories_stay(
    source: Memory, target: Memory, tmp_path: Path
) -> None:
    own = target.add("I like tea", user_id="ben")[0].id
    target.import_(source.export(tmp_path / "a.safetensors"), user_id="ben")
    assert texts(target, "ben") == texts(source) | {own: "I like tea"}
    assert target.users() == ["ben"]
    dog = next(id_ for id_, text in texts(source).items() if text == POTOLA)
    assert target.get(dog).text == POTOLA, "an id leads to its memory, whoever has it"
    target.update(dog, "My dog's name is Bello")
    assert target.get(dog).text == "My dog's name is Bello"


def test_nasty_strings_survive_both_formats(target: Memory, tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(encoder="hash", clock=fake_clock) as source:
        for text in list(NASTY.values())[::3]:
            if text.strip():
                source.add(text, user_id="ana", infer=False)
        for name in ("a.safetensors", "a.jsonl"):
            with Memory(encoder="hash", clock=fake_clock) as memory:
                memory.import_(source.export(tmp_path / name), user_id="ana")
                assert texts(memory) == texts(source)


def test_imported_weights_can_be_deleted_from_the_log_one_by_one(
    source: Memory, tmp_path: Path, fake_clock: FakeClock
) -> None:
    path = source.export(tmp_path / "a.safetensors")
    with Memory(tmp_path / "store", encoder="hash", clock=fake_clock) as memory:
        memory.import_(path, user_id="ana")
        doomed, *kept = memory.bank("ana").ids()
        memory.delete(doomed)
        live = [record for record in memory.engine.log.events("user:ana") if not record.erased]
        assert not any(record.kind == "slots" and record.body["id"] == doomed for record in live)
        assert memory.bank("ana").ids() == kept
        memory.rebuild(restore=False)
        assert memory.bank("ana").ids() == kept


def test_imported_weights_can_be_heard_again(
    source: Memory, target: Memory, tmp_path: Path, fake_clock: FakeClock
) -> None:
    target.import_(source.export(tmp_path / "a.safetensors"), user_id="ana")
    fake_clock.advance(days=40)
    (again,) = target.add(POTOLA, user_id="ana", infer=False)
    assert again.event == "REINFORCE"
    assert target.get(again.id).text == POTOLA


def test_imported_weights_get_new_keys_when_the_store_is_opened_with_another_encoder(
    source: Memory, tmp_path: Path, fake_clock: FakeClock
) -> None:
    path = source.export(tmp_path / "a.safetensors")
    with Memory(tmp_path / "store", encoder="hash", clock=fake_clock) as memory:
        memory.import_(path, user_id="ana")
    narrow = {"bank": {"lexical_buckets": 64}}
    with Memory(tmp_path / "store", encoder="hash", clock=fake_clock, config=narrow) as memory:
        assert texts(memory) == texts(source)
        assert memory.search("what is my dog's name?", user_id="ana")[0].text == POTOLA


def test_weights_of_a_codec_that_is_gone_are_left_out_and_not_misread(
    source: Memory, tmp_path: Path, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = source.export(tmp_path / "a.safetensors")
    with Memory(tmp_path / "store", encoder="hash", clock=fake_clock) as memory:
        memory.import_(path, user_id="ana")
        memory.add("I like tea", user_id="ana")
        monkeypatch.setattr(memory.engine.codec, "identity", "another")
        memory.rebuild(restore=False)
        assert set(texts(memory).values()) == {"I like tea"}


@pytest.mark.parametrize("suffix", [".safetensors", ".jsonl"])
def test_an_export_that_finds_no_room_leaves_the_older_file(
    source: Memory, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = source.export(tmp_path / f"ana{suffix}", user_id="ana")
    before = path.read_bytes()
    source.add("My cat's name is Tom", user_id="ana")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InvalidInput, match="No space left"):
            source.export(path, user_id="ana")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# --- which owner, which path -------------------------------------------------------------------


def test_with_one_owner_in_the_store_no_name_is_needed(source: Memory, tmp_path: Path) -> None:
    assert read_notes(source.export(tmp_path / "a.safetensors"))["owner"] == "user:ana"
    source.add("I like tea", user_id="ben")
    with pytest.raises(InvalidInput, match="user_id: is missing; say whose memory; this store has ana, ben"):
        source.export(tmp_path / "b.safetensors")


def test_a_store_of_nobody_has_nothing_to_export(target: Memory, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="this store has nobody"):
        target.export(tmp_path / "a.jsonl")


@pytest.mark.parametrize("name", ["a.txt", "a", "a.JSONL", ".jsonl"])
def test_another_suffix_is_refused(source: Memory, tmp_path: Path, name: str) -> None:
    for call in (source.export, source.import_):
        with pytest.raises(InvalidInput, match=r"path: the suffix '.*' is not known; use \.safetensors"):
            call(tmp_path / name)


def test_places_that_are_not_there_are_named(source: Memory, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"path: the folder .*absent does not exist; make it first"):
        source.export(tmp_path / "absent" / "a.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(InvalidInput, match="cannot be written"):
        source.export(tmp_path / "folder.jsonl")
    for name in ("absent.jsonl", "absent.safetensors", "folder.jsonl"):
        with pytest.raises(NotFound, match="does not exist; give the path of an exported file"):
            source.import_(tmp_path / name)


# --- hostile files -----------------------------------------------------------------------------

GOOD = {"id": ID, "text": POTOLA}


def line(rest: str) -> str:
    """A line with the id and other JSON."""
    return f'{{"id": "{ID}", {rest}}}'


def test_a_line_needs_an_id_and_words_only(target: Memory, tmp_path: Path) -> None:
    assert imported(target, tmp_path, [GOOD, "", "  "]) == 1
    recall = target.get(ID)
    assert (recall.text, recall.created_at.timestamp()) == (POTOLA, MIDDAY)


def test_a_file_of_no_lines_brings_nothing(target: Memory, tmp_path: Path) -> None:
    assert imported(target, tmp_path, "") == 0
    assert target.users() == []


@pytest.mark.parametrize(
    "bad",
    [
        "junk", "[]", "7", "null", "{", "[" * 100_000,
        {}, {"id": ID}, {"text": POTOLA}, GOOD | {"text": " "}, GOOD | {"text": 7}, GOOD | {"id": "potola"},
        GOOD | {"id": None}, GOOD | {"text": "x" * 1_100_000},
        line('"text": "half \\ud83d"'),
        line('"text": "x", "known_as": "\\ud83d"'),
        line('"text": "x", "metadata": {"k": "\\ud83d"}'),
        GOOD | {"gist": "1|dog"}, GOOD | {"gist": ["1"]}, GOOD | {"gist": [1, 2, 3, 4]},
        GOOD | {"gist": ["x" * 17, "", "", ""]}, GOOD | {"gist": ["", "", "", "y" * 33]},
        GOOD | {"importance": 2}, GOOD | {"importance": "high"}, GOOD | {"importance": True},
        line('"text": "x", "importance": NaN'),
        GOOD | {"time": "noon"}, GOOD | {"time": -1}, GOOD | {"time": []},
        GOOD | {"metadata": "pets"}, GOOD | {"metadata": ["a"]}, GOOD | {"metadata": {"x": "y" * 70_000}},
        GOOD | {"cues": "what?"}, GOOD | {"cues": [7]}, GOOD | {"pinned": "yes"}, GOOD | {"role": 7},
        GOOD | {"name": ["a"]}, GOOD | {"known_as": 7},
    ],
)  # fmt: skip
def test_a_bad_line_is_refused_by_name_and_nothing_is_imported(
    target: Memory, tmp_path: Path, bad: Any
) -> None:
    with pytest.raises(InvalidInput) as caught:
        imported(target, tmp_path, [GOOD, bad])
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert target.users() == [], "all or nothing"


def test_a_bad_line_is_told_by_its_number(target: Memory, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"^line 3: importance: 2 is out of range"):
        imported(target, tmp_path, [GOOD, "", GOOD | {"importance": 2}])


def test_ids_are_kept_in_one_spelling(target: Memory, tmp_path: Path) -> None:
    imported(target, tmp_path, GOOD | {"id": ID.upper()})
    assert [recall.id for recall in target.all(user_id="ana")] == [ID]
    target.delete(ID)
    assert not any("text" in record.body for record in target.engine.log.events("user:ana"))


def test_the_last_of_two_lines_with_one_id_counts(target: Memory, tmp_path: Path) -> None:
    imported(target, tmp_path, [GOOD, GOOD | {"text": "My dog's name is Bello"}])
    assert texts(target) == {ID: "My dog's name is Bello"}


def test_bytes_that_are_no_text_are_refused(target: Memory, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(json.dumps(GOOD).encode() + b"\n\xff\xfe\x00junk")
    with pytest.raises(InvalidInput, match="is not UTF-8"):
        target.import_(path, user_id="ana")
    assert target.users() == []


def test_more_than_the_bank_can_hold_is_refused(tmp_path: Path, fake_clock: FakeClock) -> None:
    settings = {"bank": {"max_slots": 1, "when_full": "refuse"}}
    with Memory(encoder="hash", clock=fake_clock, config=settings) as memory:
        with pytest.raises(CapacityExhausted):
            imported(memory, tmp_path, [GOOD, {"id": ID[:-1] + "2", "text": "I like tea"}])
        assert memory.users() == []


def test_a_damaged_bank_file_is_refused_and_nothing_is_imported(
    source: Memory, target: Memory, tmp_path: Path
) -> None:
    whole = source.export(tmp_path / "a.safetensors").read_bytes()
    path = tmp_path / "b.safetensors"
    for cut in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(BankFileInvalid):
            target.import_(path, user_id="ana")
    path.write_bytes(random.Random(1).randbytes(5_000))
    with pytest.raises(BankFileInvalid):
        target.import_(path, user_id="ana")
    assert target.users() == []


def test_a_bank_of_another_encoder_is_refused_with_the_remedy(
    source: Memory, tmp_path: Path, fake_clock: FakeClock
) -> None:
    path = source.export(tmp_path / "a.safetensors")
    with (
        Memory(encoder="hash", clock=fake_clock, config={"bank": {"lexical_buckets": 64}}) as other,
        pytest.raises(CodecMismatch, match="was written with encoder"),
    ):
        other.import_(path, user_id="ana")
