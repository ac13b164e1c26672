"""The two encoders of our own: the shipped weights, their files, and what they must not mind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from encoding import FACTS, NASTY, ROOT, assert_unit
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromem.config import BankConfig, RecallConfig
from neuromem.encoders import bert8
from neuromem.encoders.base import checked_texts
from neuromem.encoders.bert import Bert, BertConfig
from neuromem.encoders.conv import ConvConfig, ConvEncoder, ConvNet, features_of, folded_words, save_conv
from neuromem.encoders.int8file import read_checkpoint, write_checkpoint
from neuromem.encoders.transformer import TransformerEncoder
from neuromem.errors import InvalidInput, NotFound
from neuromem.keys import Keys

KINDS = {"transformer": TransformerEncoder, "conv": ConvEncoder}
MOST_BYTES = 25_000_000
REAL_ADDS = bert8._adds_in_32_bits()


@pytest.fixture(scope="module", params=KINDS)
def encoder(request: pytest.FixtureRequest) -> TransformerEncoder | ConvEncoder:
    return KINDS[request.param]()


# --- the shipped weights -------------------------------------------------------------------------


def test_vectors_are_unit_float32_rows_whatever_the_text(encoder: TransformerEncoder | ConvEncoder) -> None:
    rows = encoder.encode(FACTS + NASTY)
    assert rows.shape == (len(FACTS + NASTY), 384) == (len(FACTS + NASTY), encoder.width)
    assert (rows.dtype, rows.device.type) == (torch.float32, "cpu")
    assert_unit(rows)
    assert encoder.encode([]).shape == (0, 384)


def test_the_same_list_gives_the_same_bits_and_a_batch_changes_next_to_nothing(
    encoder: TransformerEncoder | ConvEncoder,
) -> None:
    together = encoder.encode(FACTS + NASTY)
    assert torch.equal(together, type(encoder)().encode(FACTS + NASTY))
    alone = torch.cat([encoder.encode([text]) for text in FACTS + NASTY])
    assert (together - alone).abs().max() < 1e-5


def test_the_transformers_vectors_are_the_same_bits_in_any_company() -> None:
    encoder = TransformerEncoder()
    texts = ["a", *FACTS, "where did I leave my keys? " * 30, *NASTY]
    together = encoder.encode(texts)
    assert all(torch.equal(encoder.encode([text])[0], row) for text, row in zip(texts, together, strict=True))


def transformer_parts() -> tuple[dict[str, torch.Tensor], BertConfig]:
    weights, config = read_checkpoint(TransformerEncoder().path, "transformer")
    weights.pop("vocabulary")
    return weights, BertConfig(12, 1e-12, config["layers"], 256)


def test_a_memory_has_the_same_address_whatever_was_asked_before() -> None:
    keys = Keys(TransformerEncoder(), BankConfig(), RecallConfig())
    texts = [
        "My dog is Potola. She loves walks.",
        "What is my dog called?",
        "Jana rides a bike to work",
    ]
    fresh, senses = keys.addresses(texts)
    for text in texts:
        keys.near(text)
    again, same = keys.addresses(texts)
    assert torch.equal(again, fresh)
    assert torch.equal(same, senses)
    assert torch.equal(keys.targets(texts), fresh)


def test_eight_bits_turn_vectors_of_sentences_by_a_few_degrees_at_most() -> None:
    encoder = TransformerEncoder()
    weights, shape = transformer_parts()
    whole = Bert(weights, encoder.load().tokenizer, shape, torch.device("cpu"))
    spans = [[(0, len(text))] for text in FACTS]
    for ours, exact in zip(encoder.encode_words(FACTS, spans), whole.encode_words(FACTS, spans), strict=True):
        cosines = torch.cosine_similarity(ours, exact, dim=1)
        assert cosines.min() > 0.993
        assert cosines.mean() > 0.996
    odd = checked_texts(NASTY)  # "", emoji and the like: little meaning, little harm
    assert (whole.encode(odd) * encoder.encode(odd)).sum(dim=1).min() > 0.95


def test_processors_that_add_in_16_bits_only_give_the_same_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = checked_texts(FACTS + NASTY)
    usual = TransformerEncoder().encode(texts)
    for adds_in_32_bits in (False, True):
        monkeypatch.setattr(bert8, "_adds_in_32_bits", lambda there=adds_in_32_bits: there)
        if adds_in_32_bits and not REAL_ADDS:
            continue  # such sums would overflow here
        assert torch.equal(TransformerEncoder().encode(texts), usual)


def test_a_checkpoint_without_measured_inputs_runs_too_but_less_exactly() -> None:
    weights, shape = transformer_parts()
    encoder = TransformerEncoder()
    plain = {name: value for name, value in weights.items() if not name.endswith(".peaks")}
    assert len(weights) - len(plain) == 3 * shape.layers
    coarse = bert8.Bert8(plain, encoder.load().tokenizer, shape)
    whole = Bert(weights, encoder.load().tokenizer, shape, torch.device("cpu"))
    off = [1 - (model.encode(FACTS) * whole.encode(FACTS)).sum(dim=1).mean() for model in (coarse, encoder)]
    assert 0.02 > off[0] > 1.5 * off[1]


@pytest.mark.parametrize(
    ("fact", "question", "other"),
    [
        ("Shellfish makes my throat close up.", "which food is dangerous for me", "when is the car serviced"),
        ("we called the puppy Bramble", "what is my dog's name", "where do I keep the passports"),
        ("My sister Ines got a job at the harbour.", "Where does Ines work?", "What colour is my bike?"),
        ("I moved to Leeds in March", "which city do I live in", "who cuts my hair"),
    ],
)
def test_a_question_is_nearer_to_its_fact_than_another_question(
    encoder: TransformerEncoder | ConvEncoder, fact: str, question: str, other: str
) -> None:
    own, near, far = encoder.encode([fact, question, other])
    assert own @ near > own @ far + 0.1


def test_what_a_recognizer_leaves_out_matters_little(encoder: TransformerEncoder | ConvEncoder) -> None:
    tidy = encoder.encode(["My dog's name is Potola.", "Where did I put the spare key?"])
    heard = encoder.encode(["my dogs name is potola", "where did i put the spare key"])
    assert (tidy * heard).sum(dim=1).min() > 0.8


@pytest.mark.parametrize(
    ("right", "misspelt", "other"),
    [
        ("the veterinarian", "the vetrinarian", "the bookshop"),
        ("I am allergic to peanuts", "i am alergic to peenuts", "I am going to Paris"),
        ("birthday party", "birthdy party", "funeral"),
        ("Where did I park the motorcycle?", "where did i park the motorcicle", "where did i buy the sofa"),
    ],
)
def test_a_misspelt_word_stays_near(right: str, misspelt: str, other: str) -> None:
    own, near, far = ConvEncoder().encode([right, misspelt, other])
    assert own @ near > own @ far + 0.2


def test_a_vector_can_be_the_target_of_gradient_steps(encoder: TransformerEncoder | ConvEncoder) -> None:
    weights = torch.zeros(384, requires_grad=True)
    (weights @ encoder.encode(FACTS)[0]).backward()
    assert torch.equal(weights.grad, encoder.encode(FACTS)[0])


@pytest.mark.parametrize("width", [96, 192])
def test_a_narrow_vector_is_the_beginning_of_the_wide_one(
    encoder: TransformerEncoder | ConvEncoder, width: int
) -> None:
    narrow = type(encoder)(width=width)
    rows = narrow.encode(FACTS)
    assert rows.shape == (len(FACTS), width) == (len(FACTS), narrow.width)
    assert_unit(rows)
    wide = encoder.encode(FACTS)[:, :width]
    assert torch.allclose(rows, torch.nn.functional.normalize(wide, dim=1), atol=1e-6)
    assert narrow.name != encoder.name


def test_checkpoints_are_small_and_name_what_is_in_them(encoder: TransformerEncoder | ConvEncoder) -> None:
    assert encoder.path.stat().st_size <= MOST_BYTES
    kind, _, rest = encoder.name.partition(":")
    assert KINDS[kind] is type(encoder)
    assert rest.startswith("384@")
    assert (encoder.path.with_suffix(".md")).is_file(), "a card goes with each checkpoint"


def test_neither_needs_the_sentence_packages_nor_the_network(
    encoder: TransformerEncoder | ConvEncoder,
) -> None:
    name = type(encoder).__name__
    code = f"""
import sys
from neuromem.encoders.{name.removesuffix("Encoder").lower()} import {name}
assert {name}().encode(["hello"]).shape == (1, 384)
heavy = {{"transformers", "sentence_transformers", "huggingface_hub", "requests"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, env={**os.environ, "HF_HUB_OFFLINE": "1"}
    )


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_wrong_path_a_damaged_file_and_a_wrong_kind_are_told_apart(kind: type, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere\.safetensors"):
        kind(tmp_path / "nowhere.safetensors").load()
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"\x10\0\0\0\0\0\0\0not json at all")
    with pytest.raises(InvalidInput, match="model"):
        kind(damaged).load()
    other = ConvEncoder().path if kind is TransformerEncoder else TransformerEncoder().path
    with pytest.raises(InvalidInput, match="it holds a"):
        kind(other).load()


@pytest.mark.parametrize("kind", KINDS.values())
@pytest.mark.parametrize("width", [0, 385, -1])
def test_an_impossible_width_is_refused(kind: type, width: int) -> None:
    with pytest.raises(InvalidInput, match="width"):
        kind(width=width)


@given(
    rows=st.integers(1, 9), columns=st.integers(1, 40), scale=st.floats(1e-3, 1e3), seed=st.integers(0, 99)
)
@settings(max_examples=30, deadline=None)
def test_int8_files_give_matrices_back_within_half_a_step(
    tmp_path_factory: pytest.TempPathFactory, rows: int, columns: int, scale: float, seed: int
) -> None:
    matrix = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed)) * scale
    bias, marks = torch.tensor([0.5, -2.0]), torch.tensor([7, 255], dtype=torch.uint8)
    path = tmp_path_factory.mktemp("int8") / "some.safetensors"
    write_checkpoint(
        {"m": matrix, "b": bias, "marks": marks}, path, {"kind": "some", "layers": 3}, {"note": "x"}
    )
    back, config = read_checkpoint(path, "some")
    step = matrix.abs().amax(dim=1, keepdim=True) / 127
    assert bool(((back["m"] - matrix).abs() <= step * 0.5001 + 1e-7).all())
    assert torch.equal(back["b"], bias)
    assert torch.equal(back["marks"], marks)
    assert config == {"kind": "some", "layers": 3}
    kept, _ = read_checkpoint(path, "some", keep_int8=("m",))
    assert kept["m"].dtype == torch.int8
    assert torch.equal(kept["m"].float() * kept["m.scale"][:, None], back["m"])


# --- the convolutional network -------------------------------------------------------------------

SMALL = ConvConfig(word_buckets=64, ngram_buckets=128, table_width=16, channels=16, blocks=2, width=8)


def small_net() -> ConvNet:
    torch.manual_seed(0)
    net = ConvNet(SMALL)
    torch.nn.init.normal_(net.table, std=0.1)
    return net.eval()


@given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_texts_of_a_batch_do_not_see_each_other(texts: list[str]) -> None:
    net = small_net()
    with torch.no_grad():
        together = net(features_of(texts, SMALL))
        alone = torch.cat([net(features_of([text], SMALL)) for text in texts])
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_stored_network_says_what_the_trained_one_said(tmp_path: Path) -> None:
    net = small_net()
    save_conv(net, net.state_dict(), tmp_path / "small.safetensors", {"steps": "0"})
    stored = ConvEncoder(tmp_path / "small.safetensors")
    with torch.no_grad():
        expected = net(features_of(FACTS, SMALL))
    assert stored.width == 8
    assert (stored.encode(FACTS) * expected).sum(dim=1).min() > 0.99


def test_words_are_read_without_case_punctuation_and_apostrophes() -> None:
    assert folded_words("My DOG's name: Potola!") == ["my", "dogs", "name", "potola"]
    assert folded_words("Grüße_an 2nd ｆｕｌｌ") == ["grüsse", "an", "2nd", "full"]
    assert folded_words("?!") == [""]


def test_the_cards_tell_licences_and_the_command(encoder: TransformerEncoder | ConvEncoder) -> None:
    card = encoder.path.with_suffix(".md").read_text(encoding="utf-8")
    kind = encoder.name.partition(":")[0]
    assert f"python -m training.train_{kind}" in card
    assert "Apache-2.0" in card
