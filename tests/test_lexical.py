"""Lexical sketches, joined keys and the hash encoder: the same bits in every process."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from typing import Any

import pytest
import torch
from encoding import FACTS, NASTY, ROOT, assert_unit, lengths, needs_model
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromem.encoders import (
    HashEncoder,
    LexicalSketch,
    SentenceEncoder,
    join_keys,
)
from neuromem.errors import InvalidInput
from neuromem.text import idf, stems


@pytest.fixture(scope="module")
def minilm() -> SentenceEncoder:
    return SentenceEncoder()


# --- hashed words --------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_text_has_a_unit_vector_and_a_unit_or_zero_sketch(texts: list[str]) -> None:
    vectors, sketches = HashEncoder().encode(texts), LexicalSketch().sketch(texts)
    assert (vectors.shape, sketches.shape) == ((len(texts), 384), (len(texts), 256))
    assert vectors.dtype == sketches.dtype == torch.float32
    assert_unit(vectors)
    for text, length in zip(texts, lengths(sketches).tolist(), strict=True):
        assert length == pytest.approx(1 if stems(text) else 0, abs=1e-6)


def test_a_text_of_stop_words_has_no_sketch_but_a_vector() -> None:
    assert not LexicalSketch().sketch(["who are you?", "", "🙂 ?!"]).any()
    assert_unit(HashEncoder().encode(["who are you?", "", "🙂 ?!"]))


def test_word_order_and_endings_do_not_matter_to_a_sketch() -> None:
    one, other = LexicalSketch().sketch(["Dogs loved walking", "a walk the dog loves"])
    assert torch.allclose(one, other)


def test_another_name_makes_a_clearly_different_sketch() -> None:
    anna, clara = LexicalSketch().sketch(["My sister Anna lives in Paris", "My sister Clara lives in Paris"])
    assert anna @ clara < 0.8
    assert anna @ anna > 0.999


@needs_model
def test_a_joined_key_sets_names_further_apart_than_meaning_alone(minilm: SentenceEncoder) -> None:
    texts = ["Priyanka's locker code is 7731", "Ottoline's locker code is 5042"]
    dense = minilm.encode(texts)
    keys = join_keys(dense, LexicalSketch().sketch(texts), 0.35)
    assert keys[0] @ keys[1] < dense[0] @ dense[1] - 0.1


@pytest.mark.parametrize(("buckets", "error"), [(256, 0.08), (2_048, 0.03)])
def test_sketches_estimate_the_cosine_of_the_full_bags_of_words(buckets: int, error: float) -> None:
    texts = [f"{a} {b} {c}" for a in ("dog", "river") for b in ("Potola", "Lisbon") for c in FACTS]
    sketches = LexicalSketch(buckets).sketch(texts).double()
    exact = exact_bags(texts)
    off = (sketches @ sketches.T - exact @ exact.T)[~torch.eye(len(texts), dtype=torch.bool)]
    assert off.square().mean().sqrt().item() < error
    assert abs(off.mean().item()) < error / 2


def exact_bags(texts: list[str]) -> torch.Tensor:
    vocabulary = {stem: column for column, stem in enumerate(sorted({s for t in texts for s in stems(t)}))}
    bags = torch.zeros(len(texts), len(vocabulary), dtype=torch.float64)
    for row, text in enumerate(texts):
        found = stems(text)
        for stem in set(found):
            bags[row, vocabulary[stem]] = (1 + math.log(found.count(stem))) * idf(stem)
    return torch.nn.functional.normalize(bags, dim=1)


def test_hashes_are_the_same_in_every_process() -> None:
    code = (
        "import hashlib, sys; from neuromem.encoders import HashEncoder, LexicalSketch;"
        f"texts = {[text for text in FACTS + NASTY if text.isascii()]!r};"
        "rows = [LexicalSketch().sketch(texts), HashEncoder().encode(texts)];"
        "sys.stdout.write(hashlib.sha256(b''.join(r.numpy().tobytes() for r in rows)).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1
    assert len(seen.pop()) == 64


@pytest.mark.parametrize("width", [0, 1, 2])
def test_narrow_sketches_are_allowed(width: int) -> None:
    assert LexicalSketch(width).sketch(FACTS).shape == (5, width)


def test_the_hash_encoder_finds_misspelt_and_shared_words() -> None:
    potola, misspelt, other = HashEncoder().encode(
        ["My dog's name is Potola", "Potolla, the dog", "the dentist on Friday"]
    )
    assert potola @ misspelt > potola @ other + 0.2


def test_bad_widths_are_refused() -> None:
    with pytest.raises(InvalidInput, match="buckets"):
        LexicalSketch(-1)
    with pytest.raises(InvalidInput, match="width"):
        HashEncoder(0)


# --- joined keys ---------------------------------------------------------------------------------


@given(weight=st.floats(0, 1), seed=st.integers(0, 99))
def test_the_cosine_of_joined_keys_is_the_weighted_sum_of_both(weight: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    dense = torch.nn.functional.normalize(torch.randn(4, 8, generator=generator), dim=1)
    sketch = torch.nn.functional.normalize(torch.randn(4, 6, generator=generator), dim=1)
    keys = join_keys(dense, sketch, weight)
    assert (keys.shape, keys.dtype) == ((4, 14), torch.float32)
    expected = (1 - weight) * dense @ dense.T + weight * sketch @ sketch.T
    assert torch.allclose(keys @ keys.T, expected, atol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.35, 1.0])
def test_without_words_the_meaning_is_the_whole_key(weight: float) -> None:
    dense = torch.nn.functional.normalize(torch.ones(2, 8), dim=1)
    sketch = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    keys = join_keys(dense, sketch, weight)
    assert torch.allclose(keys[0], torch.cat([dense[0], torch.zeros(2)]))
    assert keys[1, 8].item() == pytest.approx(math.sqrt(weight))
    assert_unit(keys)


def test_no_key_and_no_lexical_part_are_fine() -> None:
    assert join_keys(torch.zeros(0, 8), torch.zeros(0, 4), 0.3).shape == (0, 12)
    dense = torch.eye(2, 8)
    assert torch.equal(join_keys(dense, torch.zeros(2, 0), 0.3), dense)


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="sketch"):
        join_keys(torch.zeros(2, 8), torch.zeros(3, 4), 0.3)
    with pytest.raises(InvalidInput, match="sketch"):
        join_keys(torch.zeros(8), torch.zeros(4), 0.3)
    for weight in (-0.1, 1.1, math.nan):
        with pytest.raises(InvalidInput, match="lexical_weight"):
            join_keys(torch.zeros(2, 8), torch.zeros(2, 4), weight)


# --- both ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("texts", ["one string", ["fine", None], [b"bytes"]])
def test_what_is_not_a_list_of_strings_is_refused(texts: Any) -> None:
    for encode in (HashEncoder().encode, LexicalSketch().sketch):
        with pytest.raises(InvalidInput, match="texts"):
            encode(texts)
