"""What a user may keep: heads of their log, proofs of single memories; and what gives a changed log away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from command_line import POTOLA, Run, runner

from neuromem import Memory
from neuromem.errors import InvalidInput, NotFound
from neuromem.proof import Head, Proof


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory(encoder="hash") as memory:
        for words in (POTOLA, "I live in Porto.", "I like olives."):
            memory.add(words, user_id="ana")
        memory.add("I keep bees.", user_id="ben")
        yield memory


@pytest.fixture
def neuromem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(tmp_path, capsys)


def id_of(memory: Memory, words: str, user: str = "ana") -> str:
    return next(recall.id for recall in memory.all(user) if recall.text == words)


def test_every_memory_is_proven_to_be_in_the_log(memory: Memory) -> None:
    head = memory.head("ana")
    for recall in memory.all("ana"):
        proof = memory.prove(recall.id)
        assert (proof.words, proof.id) == (recall.text, recall.id)
        assert proof.holds()
        assert proof.holds(head)
        assert proof.holds(str(head))
        assert not proof.holds(memory.head("ben")), "another log"


def test_a_proof_is_checked_by_sha_256_alone(memory: Memory) -> None:
    """By who has no neuromem: RFC 9162 over the commitment of salt and payload."""
    with Memory(encoder="hash") as alone:
        alone.add(POTOLA, user_id="ana")
        proof = alone.prove(id_of(alone, POTOLA))
    content = bytes.fromhex(proof.salt + proof.payload)
    leaf = sha256(b"\x00neuromem/event/1" + content).digest()
    assert (proof.size, proof.path) == (1, ())
    assert sha256(b"\x00" + leaf).hexdigest() == proof.root
    assert json.loads(bytes.fromhex(proof.payload)[8:])[1]["text"] == POTOLA


def test_a_proof_that_was_tampered_with_does_not_hold(memory: Memory) -> None:
    told = memory.prove(id_of(memory, POTOLA)).to_dict()
    assert Proof.of(json.loads(json.dumps(told))).holds()
    other = told["payload"].replace(b"Potola".hex(), b"Patola".hex())
    assert not Proof.of(told | {"payload": other}).holds()
    assert not Proof.of(told | {"path": told["path"][1:]}).holds()
    assert not Proof.of(told | {"sequence": told["sequence"] + 1}).holds()
    with pytest.raises(InvalidInput, match="proof"):
        Proof.of({"id": "x"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", "3"), ("size", True), ("sequence", None), ("salt", "zz"), ("root", 5), ("id", 7),
        ("path", "ab"), ("path", [1]), ("path", ["zz"]),
        ("payload", ""), ("payload", "00" * 9), ("payload", b"12345678[1, 2]".hex()),
    ],
)  # fmt: skip
def test_a_proof_with_a_field_of_another_kind_is_none(memory: Memory, field: str, value: object) -> None:
    told = memory.prove(id_of(memory, POTOLA)).to_dict()
    with pytest.raises(InvalidInput, match="proof"):
        Proof.of(told | {field: value})


def test_the_log_of_a_head_is_how_that_of_now_begins(memory: Memory) -> None:
    head = memory.head("ana")
    memory.add("I have a boat.", user_id="ana")
    memory.delete(id_of(memory, "I like olives."))  # erased words leave their commitment
    assert memory.head("ana").size > head.size
    assert memory.verify(user_id="ana", since=head).ok
    assert memory.prove(id_of(memory, POTOLA), head).holds(head), "as it stood then"
    with pytest.raises(NotFound, match="came after"):
        memory.prove(id_of(memory, "I have a boat."), head)


def test_a_past_state_has_the_head_of_then() -> None:
    clock = [1_770_000_000.0]
    with Memory(encoder="hash", clock=lambda: clock[0]) as memory:
        memory.add(POTOLA, user_id="ana")
        then, at = memory.head("ana"), clock[0]
        clock[0] += 86_400
        memory.add("I live in Porto.", user_id="ana")
        past = memory.at(at + 1)
        assert past.head("ana") == then != memory.head("ana")
        assert past.prove(id_of(past, POTOLA)).holds(then)


def test_a_log_that_was_made_anew_does_not_begin_so(memory: Memory) -> None:
    head = memory.head("ana")
    memory.delete_all("ana")
    for _ in range(2):
        report = memory.verify(user_id="ana", since=head)
        assert not report.ok
        assert "does not begin" in report.problems[0]
        memory.add(
            [{"role": "user", "content": text} for text in (POTOLA, "I row.", "I swim.", "I ski.")], "ana"
        )
    with pytest.raises(InvalidInput, match="none of this log's"):
        memory.prove(id_of(memory, POTOLA), head)


@pytest.mark.parametrize("head", ["", "12", "x:y", f"1:{'g' * 64}", f"-1:{'a' * 64}"])
def test_what_is_no_head_is_refused(memory: Memory, head: str) -> None:
    with pytest.raises(InvalidInput, match="head"):
        memory.verify(user_id="ana", since=head)
    with pytest.raises(InvalidInput, match="user_id"):
        memory.verify(since=Head(1, "a" * 64))


@pytest.mark.parametrize("head", [Head(1, "g" * 64), Head(-1, "a" * 64), Head("2", 5)])  # type: ignore[arg-type]
def test_a_head_that_stands_for_nothing_is_refused(memory: Memory, head: Head) -> None:
    with pytest.raises(InvalidInput, match="head"):
        memory.verify(user_id="ana", since=head)
    with pytest.raises(InvalidInput, match="head"):
        memory.prove(id_of(memory, POTOLA), head)


def test_the_head_of_an_empty_log_is_one() -> None:
    with Memory(encoder="hash") as memory:
        empty = memory.head("ana")
        memory.add(POTOLA, user_id="ana")
        assert memory.verify(user_id="ana", since=empty).ok
        with pytest.raises(NotFound, match="came after"):
            memory.prove(id_of(memory, POTOLA), empty)


def test_words_that_are_in_no_log_are_not_proven(memory: Memory, tmp_path: Path) -> None:
    path = memory.export(tmp_path / "ana.safetensors", "ana")
    with Memory(encoder="hash") as other:
        other.import_(path, "ana")
        with pytest.raises(NotFound, match="in no log"):
            other.prove(id_of(memory, POTOLA))


def test_verify_gives_heads_and_proofs_on_the_command_line(neuromem: Run) -> None:
    neuromem("add", POTOLA, "--user", "ana")
    neuromem("add", "I keep bees.", "--user", "ben")
    before = neuromem("verify", "--json").json["heads"]
    assert set(before) == {"ana", "ben"}
    assert neuromem("verify", "--user", "ana", "--json").json["owners"] == 1
    assert neuromem("verify", "--user", "nobody").status == 2
    neuromem("add", "I live in Porto.", "--user", "ana")
    assert neuromem("verify", "--user", "ana", "--since", before["ana"]).status == 0
    wrong = neuromem("verify", "--user", "ana", "--since", before["ben"])
    assert wrong.status == 1
    assert "does not begin" in " ".join(wrong.out.split())
    assert neuromem("verify", "--user", "ana", "--since", "soon").status == 2
    shown = neuromem("show", "--user", "ana", "--json").json["memories"][0]["id"]
    answer = neuromem("verify", shown[-8:], "--user", "ana", "--json").json
    assert Proof.of(answer["proof"]).holds(answer["heads"]["ana"])
    assert "hashes prove it" in neuromem("verify", shown, "--user", "ana").out
