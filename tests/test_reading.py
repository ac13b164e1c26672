"""The reader: which of a few turns answers, and where in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from neuromem import reading
from neuromem.encoders.int8file import read_checkpoint, write_checkpoint
from neuromem.encoders.transformer import TransformerEncoder, identity_of_lowest
from neuromem.errors import InvalidInput, NotFound
from neuromem.reading import CHECKPOINT, FROZEN, Passage, Reader, pack
from neuromem.shipped import checkpoint_path
from training.reader_net import ReaderNet, save_reader

ENCODER = checkpoint_path("transformer.safetensors")
DAYS = 86_400.0
TOLD = [
    Passage("Our new neighbour is Benedikt, he restores organs.", "", 1 * DAYS, 2),
    Passage(
        "He's from Graz and keeps two goats.",
        "Our new neighbour is Benedikt, he restores organs.",
        1 * DAYS + 60,
        0,
    ),
    Passage("I take the seven o'clock ferry on Mondays.", "", 2 * DAYS, 1),
    Passage("My niece turned eleven, she wants a drum kit.", "", 3 * DAYS, 3),
]  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def said(reader: Reader, question: str, told: list[Passage]) -> tuple[str, str, float]:
    """The likeliest passage, what is marked in it, and its chance."""
    readings = reader.read(question, told)
    place = max(range(len(told)), key=lambda each: readings[each].chance)
    reading = readings[place]
    return told[place].text, told[place].text[reading.start : reading.end], reading.chance


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What does our neighbour do for a living?", "organs"),
        ("Where does Benedikt come from?", "Graz"),
        ("How old is my niece now?", "eleven"),
        ("what does my niece wish for", "drum kit"),
        ("Which boat do I catch on Mondays?", "seven"),
    ],
)
def test_it_finds_the_turn_that_answers(reader: Reader, question: str, answer: str) -> None:
    text, _, chance = said(reader, question, TOLD)
    assert answer in text
    assert chance > 0.5


@pytest.mark.parametrize(
    "question",
    ["What is my blood group?", "Which school did Benedikt go to?", "What's my sister's phone number?"],
)
def test_it_says_so_where_nothing_answers(reader: Reader, question: str) -> None:
    assert said(reader, question, TOLD)[2] < reader.least


def test_it_marks_where_the_answer_stands(reader: Reader) -> None:
    _, marked, _ = said(reader, "Where does Benedikt come from?", TOLD)
    assert "Graz" in marked


def test_chances_are_shares_of_one(reader: Reader) -> None:
    readings = reader.read("Where does Benedikt come from?", TOLD)
    assert 0 < sum(reading.chance for reading in readings) <= 1


def test_the_same_question_is_read_the_same(reader: Reader) -> None:
    first, second = (reader.read("How old is my niece?", TOLD) for _ in range(2))
    assert first == second


def test_no_passages_no_readings(reader: Reader) -> None:
    assert reader.read("Anything?", []) == []


@pytest.mark.parametrize("text", ["", "…", "x" * 4_000, "ひらがな 👍", "word " * 900])
def test_any_text_can_be_read(reader: Reader, text: str) -> None:
    [reading] = reader.read("What did I say?", [Passage(text, text)])
    assert 0 <= reading.start <= reading.end <= len(text)


def test_the_checkpoint_is_small() -> None:
    assert checkpoint_path(CHECKPOINT).stat().st_size <= 20_000_000


def test_without_a_checkpoint_it_says_what_is_missing(tmp_path: Path) -> None:
    missing = Reader(tmp_path / CHECKPOINT)
    assert not missing.is_there
    with pytest.raises(NotFound):
        missing.load()


def test_a_damaged_transformer_below_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "transformer.safetensors"
    damaged.write_bytes(ENCODER.read_bytes()[:-1_000])
    monkeypatch.setattr(reading, "TransformerEncoder", lambda: TransformerEncoder(damaged))
    with pytest.raises(InvalidInput, match=r"transformer\.safetensors is no checkpoint"):
        Reader().load()
    damaged.unlink()
    with pytest.raises(NotFound, match="transformer"):
        Reader().load()


def test_it_reads_only_with_the_encoder_it_was_trained_on(tmp_path: Path) -> None:
    weights, config = read_checkpoint(checkpoint_path(CHECKPOINT), "reader")
    other = tmp_path / CHECKPOINT
    write_checkpoint(weights, other, config | {"encoder": "0" * 16}, {})
    with pytest.raises(InvalidInput, match="another encoder"):
        Reader(other).load()


@pytest.mark.parametrize(
    ("tensor", "same"),
    [
        ("encoder.layer.5.output.dense.bias", True),
        ("encoder.layer.1.output.peaks", True),
        ("encoder.layer.1.output.dense.bias", False),
        ("embeddings.LayerNorm.weight", False),
    ],
)
def test_what_is_trained_above_the_layers_it_stands_on_is_nothing_to_it(
    tensor: str, same: bool, tmp_path: Path
) -> None:
    shipped = checkpoint_path("transformer.safetensors")
    with safe_open(shipped, "pt") as file:
        metadata, stored = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    stored[tensor] = stored[tensor] + 1
    save_file(stored, tmp_path / "other.safetensors", metadata=metadata)
    below = [identity_of_lowest(path, FROZEN) for path in (shipped, tmp_path / "other.safetensors")]
    assert (below[0] == below[1]) is same


def test_the_fast_network_is_the_one_that_was_trained(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = ReaderNet(ENCODER).train(False)
    with torch.no_grad():
        for table in (net.parts, net.marks, net.orders):
            table.normal_(0, 0.1)
    path = tmp_path / CHECKPOINT
    save_reader(net, ENCODER, path, 0.5, {})
    fast = Reader(path).load()
    batch = pack(fast.tokenizer, [("How old is my niece?", TOLD)])
    with torch.no_grad():
        scores, spans = net(batch)
        fast_scores, fast_spans = fast(batch)
    assert torch.allclose(scores, fast_scores, atol=0.03)
    assert torch.allclose(spans, fast_spans, atol=0.08)


def test_questions_read_together_are_read_as_alone(tmp_path: Path) -> None:
    net = ReaderNet(ENCODER).train(False)
    asked = [("How old is my niece?", TOLD), ("Where does Benedikt come from?", TOLD[:2])]
    tokenizer = Reader().load().tokenizer
    with torch.no_grad():
        both, _ = net(pack(tokenizer, asked))
        apart = [net(pack(tokenizer, [each]))[0] for each in asked]
    assert torch.allclose(both, torch.cat(apart), atol=1e-4)
