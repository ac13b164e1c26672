"""Another encoder for a store that is there: keys are made anew from the log, all else stays as it was."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from command_line import ROOT, Run, runner
from conftest import FakeClock
from encoding import needs_conv, needs_transformer
from rekeying import MANY, NEW, OFTEN, OLD, Watched, opened, same, state_of, told_store
from strings import FACTS, NASTY

from neuromem import Memory
from neuromem.codec import Codec
from neuromem.encoders import HashEncoder, load_encoder
from neuromem.errors import InvalidInput, ReadOnly

OWNER = "user:ana"


@pytest.fixture
def neuromem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(tmp_path, capsys)


def live(memory: Memory, clock: FakeClock, folder: Path) -> None:
    """A life with every kind of event but deletion."""
    told = memory.add(
        [{"role": "user", "content": f"{fact}. And how are you?", "name": "Ana"} for fact in FACTS],
        user_id="ana",
    )
    for _ in range(2):  # heard again
        lines = [{"role": "user", "content": f"The code of door {n} is {n * 37}"} for n in range(4)]
        memory.add(lines, user_id="ana", infer=False)
    memory.add("Never forget: the safe is behind the painting", user_id="ana", infer=False)
    memory.add("A long story about apples and pens. " * 12, user_id="ana", infer=False)
    memory.add("I had soup at noon", user_id="ana", infer=False)
    for text in list(NASTY.values())[14:18]:
        memory.add(text, user_id="ana", infer=False, metadata={"nasty": True})
    for _ in range(10):
        clock.advance(days=4)
        memory.search("what is my dog's name?", user_id="ana")
        memory.sleep()
    memory.update(told[4].id, "My daughter Lea was born on 5 May 2019")
    memory.deep("the soup at noon", user_id="ana")
    with Memory(encoder=OLD, clock=clock) as other:
        other.add("The key of the cottage hangs behind the watering can", user_id="ana", infer=False)
        memory.import_(other.export(folder / "other.safetensors"), user_id="ana")
    kinds = {record.kind for record in memory.engine.log.events(OWNER)}
    assert {"add+", "add", "hear", "change", "rehearse", "restore", "sleep", "slots"} <= kinds


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Contents and times of all files but LMDB's table of readers, in which a reader enters itself."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("-lock")
    }


# --- only the keys are others ------------------------------------------------------------------

ENCODERS = [
    "hash:96",
    pytest.param("transformer", marks=[needs_transformer, pytest.mark.slow]),
    pytest.param("transformer:96", marks=[needs_transformer, pytest.mark.slow]),
    pytest.param("conv", marks=[needs_conv, pytest.mark.slow]),
]


@pytest.mark.parametrize("name", ENCODERS)
def test_under_another_encoder_values_and_state_are_the_same_bit_for_bit(
    tmp_path: Path, fake_clock: FakeClock, name: str
) -> None:
    encoder = NEW if name == "hash:96" else load_encoder(name)
    with Memory(tmp_path / "store", encoder=OLD, clock=fake_clock) as memory:
        live(memory, fake_clock, tmp_path)
        before, ids = state_of(memory), memory.bank("ana").ids()
        said = [(recall.id, recall.text, recall.strength) for recall in memory.all(user_id="ana")]
    with opened(tmp_path / "store", encoder, fake_clock, watched := Watched()) as memory:
        after = state_of(memory)
        assert memory.bank("ana").ids() == ids
        assert [(recall.id, recall.text, recall.strength) for recall in memory.all(user_id="ana")] == said
        best = memory.search("what is my dog's name?", user_id="ana", rehearse=False)[0]
        assert best.text == f"{FACTS[0]}."
        memory.rebuild(restore=False)
        assert same(state_of(memory), after), "it is what the whole log gives"
    (line,) = watched.lines
    assert line.startswith(f"ana: the encoder changed from hash:v1-384 to {encoder.name}; ")
    assert same(before, after, but=["key", "senses"])
    assert after["key"].shape[1] == encoder.width
    assert bool((after["key"] != 0).any(dim=1).eq(after["used"]).all())
    with opened(tmp_path / "store", OLD, fake_clock) as memory:
        assert same(state_of(memory), before), "and back again, keys and all"


def test_under_a_hard_budget_the_same_memories_have_given_way(tmp_path: Path, fake_clock: FakeClock) -> None:
    config = {"bank": {"max_slots": 10, "block_slots": 4}}
    with Memory(tmp_path, config, OLD, fake_clock) as memory:
        for number in range(30):
            memory.add(f"Note {number}: the code is {number * 37}", user_id="ana", infer=False)
            fake_clock.advance(hours=7)
        before = state_of(memory)
    with Memory(tmp_path, config, NEW, fake_clock) as memory:
        assert same(state_of(memory), before, but=["key", "senses"])


def test_after_a_deletion_the_same_is_said_by_the_same_ids_if_in_other_rows(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    with Memory(tmp_path, encoder=OLD, clock=fake_clock) as memory:
        ids = [memory.add(fact, user_id="ana", infer=False)[0].id for fact in FACTS]
        memory.delete(ids[0])
        before = {recall.id: recall for recall in memory.all(user_id="ana")}
    with Memory(tmp_path, encoder=NEW, clock=fake_clock) as memory:
        assert {recall.id: recall for recall in memory.all(user_id="ana")} == before


# --- it is said, once --------------------------------------------------------------------------


def test_progress_counts_every_event_up_to_the_total(tmp_path: Path, fake_clock: FakeClock) -> None:
    told_store(tmp_path / "store", fake_clock)
    with opened(tmp_path / "store", NEW, fake_clock, watched := Watched()) as memory:
        assert watched.steps == [], "nothing is done before a bank is needed"
        memory.search("locker number 7", user_id="ana", rehearse=False)
        length = memory.engine.log.length(OWNER)
    assert watched.steps == [(done, length) for done in range(length + 1)]


def test_it_is_done_and_said_once_and_is_safe_before_the_store_is_closed(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    whole = told_store(tmp_path / "store", fake_clock)
    with opened(tmp_path / "store", NEW, fake_clock, first := Watched()) as memory:
        memory.search("locker number 7", user_id="ana", rehearse=False)
        memory.search("locker number 8", user_id="ana", rehearse=False)
        shutil.copytree(tmp_path / "store", tmp_path / "copy", ignore=shutil.ignore_patterns("lock"))
    assert len(first.lines) == 1
    for name in ("store", "copy"):  # the copy is what a crash would have left
        with opened(tmp_path / name, NEW, fake_clock, again := Watched()) as memory:
            assert same(state_of(memory), whole)
        assert (again.lines, again.steps) == ([], [])


def test_every_owner_is_keyed_anew_when_their_bank_is_opened(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path, encoder=OLD, clock=fake_clock) as memory:
        for user in ("ana", "ben"):
            memory.add(FACTS[0], user_id=user, infer=False)
    with opened(tmp_path, NEW, fake_clock, watched := Watched()) as memory:
        memory.bank("ben")
        assert [line.partition(":")[0] for line in watched.lines] == ["ben"]
        memory.sleep()
        assert [line.partition(":")[0] for line in watched.lines] == ["ben", "ana"]


def test_a_new_store_and_one_without_a_snapshot_have_nothing_to_explain(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    with opened(tmp_path, OLD, fake_clock, watched := Watched()) as memory:
        memory.add(FACTS[0], user_id="ana")
    shutil.rmtree(tmp_path / "banks")
    with opened(tmp_path, NEW, fake_clock, watched) as memory:
        assert memory.all(user_id="ana")
    assert watched.lines == []


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"write": {"seed": 1}}, "ana: settings changed; "),
        ({"bank": {"lexical_buckets": 64}}, "ana: the lexical part of keys changed, settings changed; "),
    ],
)
def test_what_changed_is_named_and_only_that(
    tmp_path: Path, fake_clock: FakeClock, config: dict[str, object], why: str
) -> None:
    with Memory(tmp_path, encoder=OLD, clock=fake_clock) as memory:
        memory.add(FACTS[0], user_id="ana")
    with opened(tmp_path, OLD, fake_clock, watched := Watched(), config=config) as memory:
        memory.bank("ana")
    assert [line[: len(why)] for line in watched.lines] == [why]


def test_another_codec_is_named_beside_another_encoder(
    tmp_path: Path, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Memory(tmp_path, encoder=OLD, clock=fake_clock) as memory:
        memory.add(FACTS[0], user_id="ana")
        codec: Codec = memory.engine.codec
    old = codec.identity
    monkeypatch.setattr(codec, "identity", "another")
    with opened(tmp_path, NEW, fake_clock, watched := Watched()) as memory:
        memory.bank("ana")
    (line,) = watched.lines
    assert line.startswith("ana: the encoder changed from hash:v1-384 to hash:v1-96, ")
    assert f"the codec changed from {old} to another; " in line


def test_a_damaged_snapshot_is_named(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path, encoder=OLD, clock=fake_clock) as memory:
        memory.add(FACTS[0], user_id="ana")
    (snapshot,) = (tmp_path / "banks").iterdir()
    snapshot.write_bytes(b"junk")
    with opened(tmp_path, OLD, fake_clock, watched := Watched()) as memory:
        assert len(memory.all(user_id="ana")) == 1
    assert [line.partition(";")[0] for line in watched.lines] == ["ana: its snapshot is damaged"]


# --- who only reads ----------------------------------------------------------------------------


def test_a_reader_with_another_encoder_sees_the_same_and_writes_nothing(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    whole = told_store(tmp_path / "store", fake_clock)
    before = files(tmp_path / "store")
    with opened(
        tmp_path / "store", NEW, fake_clock, watched := Watched(), config=OFTEN, readonly=True
    ) as memory:
        assert same(state_of(memory), whole)
        assert len(memory.at(fake_clock.now).all(user_id="ana")) == MANY
        with pytest.raises(ReadOnly):
            memory.rebuild()
    assert len(watched.lines) == 1
    assert files(tmp_path / "store") == before
    with opened(tmp_path / "store", OLD, fake_clock, watched := Watched()) as memory:
        memory.bank("ana")
    assert (watched.lines, watched.steps) == ([], []), "the writer's snapshot was left alone"


def test_a_look_at_the_past_tells_its_progress_and_keeps_no_file(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    told_store(tmp_path / "store", fake_clock)
    with opened(tmp_path / "store", OLD, fake_clock, watched := Watched(), config=OFTEN) as memory:
        past = memory.at(fake_clock.now)
        assert len(past.all(user_id="ana")) == MANY
        length = memory.engine.log.length(OWNER)
    assert watched.steps[-1] == (length, length)
    assert watched.lines == []
    assert len(list((tmp_path / "store" / "banks").iterdir())) == 1


# --- rebuild -----------------------------------------------------------------------------------


class Counting(HashEncoder):
    """Counts the texts that it encodes."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.texts = 0

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        self.texts += len(texts)
        return super().encode(texts)


def cost_of(path: Path, clock: FakeClock, what: Callable[[Memory], object]) -> int:
    """Texts that are encoded while something is done in a copy of a store, under another encoder."""
    copy = path.with_name("copy")
    shutil.copytree(path, copy)
    with Memory(copy, encoder=(encoder := Counting(96)), clock=clock) as memory:
        what(memory)
    shutil.rmtree(copy)
    return encoder.texts


def test_a_rebuild_under_another_encoder_reads_the_log_once(tmp_path: Path, fake_clock: FakeClock) -> None:
    whole = told_store(tmp_path / "store", fake_clock)
    store = tmp_path / "store"
    once = cost_of(store, fake_clock, lambda memory: memory.bank("ana"))
    assert once >= MANY
    assert cost_of(store, fake_clock, lambda memory: memory.rebuild(restore=False)) == once
    with opened(store, NEW, fake_clock, watched := Watched(), config=OFTEN) as memory:
        steps: list[tuple[int, int]] = []
        memory.rebuild("ana", restore=False, progress=lambda *step: steps.append(step))
        assert same(state_of(memory), whole)
    assert steps == [(done, MANY) for done in range(MANY + 1)]
    assert watched.steps == []
    assert len(watched.lines) == 1
    assert len(list((store / "banks").iterdir())) == 1


def test_a_rebuild_under_another_encoder_brings_back_every_word(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    with Memory(tmp_path, encoder=OLD, clock=fake_clock) as memory:
        live(memory, fake_clock, tmp_path.parent)
        fake_clock.advance(days=4_000)
        memory.sleep()
        assert len(memory.all(user_id="ana")) < 3
    with opened(tmp_path, NEW, fake_clock) as memory:
        memory.rebuild("ana")
        said = {recall.text: recall.fidelity for recall in memory.all(user_id="ana")}
    assert {"I had soup at noon", "The code of door 3 is 111"} <= set(said)
    assert set(said.values()) == {"verbatim"}


# --- on the command line -----------------------------------------------------------------------


def test_a_command_says_why_on_stderr_and_goes_on(tmp_path: Path, neuromem: Run) -> None:
    with Memory(tmp_path / "store", encoder=NEW) as memory:
        memory.add(FACTS[0], user_id="me", infer=False)
    done = neuromem("show", "--json")  # a reader: it will be said again
    assert [item["text"] for item in done.json["memories"]] == [FACTS[0]]
    assert re.fullmatch(
        r"neuromem: me: the encoder changed from hash:v1-96 to hash:v1-384; .* from the log\n", done.err
    )
    assert "the encoder changed" in neuromem("sleep", "--json").err
    again = neuromem("sleep", "--json")
    assert (again.status, again.err) == (0, "")


@pytest.mark.parametrize("whose", [(), ("--user", "me")])
def test_the_rebuild_command_reads_the_log_once(
    tmp_path: Path,
    neuromem: Run,
    monkeypatch: pytest.MonkeyPatch,
    whose: tuple[str, ...],
) -> None:
    with Memory(tmp_path / "store", encoder=NEW) as memory:
        memory.add([{"role": "user", "content": fact} for fact in FACTS], user_id="me", infer=False)
    encode, batches = HashEncoder.encode, []

    def counted(self: HashEncoder, texts: Sequence[str]) -> torch.Tensor:
        batches.append(list(texts))
        return encode(self, texts)

    monkeypatch.setattr(HashEncoder, "encode", counted)
    done = neuromem("rebuild", "--no-restore", "--json", *whose)
    assert done.json["held"] == len(FACTS)
    assert len([batch for batch in batches if len(batch) >= len(FACTS)]) == 1
    assert done.err.count("the encoder changed") == 1


@pytest.mark.slow
def test_on_a_terminal_there_is_a_bar_with_rate_and_remaining_time(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    with Memory(tmp_path / "store", encoder=NEW) as memory:
        facts = [f"My locker number {n} is {n * 7919 % 10_007}" for n in range(400)]
        for start in range(0, 400, 8):
            lines = [{"role": "user", "content": fact} for fact in facts[start : start + 8]]
            memory.add(lines, user_id="me", infer=False)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "neuromem", "show", "--json", "--path", str(tmp_path / "store")]
    out = tmp_path / "out.json"
    with out.open("wb") as file:
        child = subprocess.Popen(
            [*command, "--encoder", "hash"], cwd=ROOT, stdout=file, stderr=theirs, stdin=theirs
        )
    os.close(theirs)
    screen = read_all(ours)
    assert child.wait(60) == 0
    shown = json.loads(out.read_text())
    assert len(shown["memories"]) == 400
    assert "me: the encoder changed from hash:v1-96 to hash:v1-384" in screen
    assert re.search(r"making the bank anew .*\d+/400\W.* events/s\W.*\d+:\d\d", screen)


def read_all(terminal: int) -> str:
    """What is shown on a terminal until nobody writes to it any more."""
    out = b""
    while True:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:  # Linux's way to say that it is over
            part = b""
        if not part:
            os.close(terminal)
            return out.decode("utf-8", "replace")
        out += part


def test_an_encoder_that_cannot_be_meant_leaves_no_store_behind(tmp_path: Path) -> None:
    for spec in ("magic", "conv:", "transformer:x", 7):
        with pytest.raises(InvalidInput, match=r"^encoder: "):
            Memory(tmp_path / "store", encoder=spec)  # type: ignore[arg-type]
    assert not (tmp_path / "store").exists()
