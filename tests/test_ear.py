"""The ear: what a recognizer wrote is looked for by what was said, and no memory depends on it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from neuromem import Config, Memory
from neuromem.bench.mishear import Recognizer
from neuromem.encoders import ear_of, transformer
from neuromem.encoders.conv import ConvEncoder
from neuromem.encoders.ear import Ear, belongs, save_ear
from neuromem.encoders.int8file import read_checkpoint
from neuromem.encoders.transformer import TransformerEncoder
from neuromem.errors import InvalidInput
from neuromem.keys import Keys
from neuromem.server.archives import Archives
from neuromem.server.desk import Desk
from neuromem.server.service import Service
from neuromem.shipped import checkpoint_path
from neuromem.text import is_heard

SAID = [
    "Which barber does my brother go to?",
    "What did I pay for the new washing machine?",
    "Where did we leave the spare key for the cottage?",
    "Who is coming to the concert on Saturday?",
    "What kind of medicine does grandma take for her knees?",
    "When does the library close on Fridays?",
    "How long is my commute to the office?",
    "What colour did we paint the nursery?",
]


@pytest.fixture(scope="module")
def encoder() -> TransformerEncoder:
    return TransformerEncoder()


@pytest.fixture(scope="module")
def keys(encoder: TransformerEncoder) -> Keys:
    config = Config()
    return Keys(encoder, config.bank, config.recall)


# --- what was heard -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["who is my dog", "what's ana's number 5", " café where i met bob ", "the on-call phone"]
)
def test_small_letters_without_signs_were_heard(text: str) -> None:
    assert is_heard(text)


@pytest.mark.parametrize(
    "text",
    [
        "Who is my dog",
        "who is my dog?",
        "dog",
        "dog name",
        "food preferences allergies",
        "who, me",
        "",
        "10 20",
        "привет мир",
        "日本 の こと",
    ],
)
def test_capitals_signs_single_words_and_other_scripts_were_typed(text: str) -> None:
    assert not is_heard(text)


# --- what it means --------------------------------------------------------------------------------


def test_what_was_misheard_is_nearer_to_what_was_said_than_without_an_ear(
    encoder: TransformerEncoder,
) -> None:
    ear = ear_of(encoder)
    assert ear is not None
    heard = [text for seed in range(6) for text in Recognizer(SAID).hear(SAID, 0.25, seed)]
    said = encoder.encode(SAID).repeat(6, 1)
    with_ear, without = ((one.encode(heard) * said).sum(dim=1) for one in (ear, encoder))
    assert with_ear.mean() > without.mean() + 0.02
    assert (with_ear > without).float().mean() > 0.6


def test_a_question_heard_goes_through_the_ear_and_a_typed_one_does_not(
    encoder: TransformerEncoder, keys: Keys
) -> None:
    ear = ear_of(encoder)
    assert ear is not None
    width = encoder.width
    for text, own in (("where do i keep the key", ear), ("Where do I keep the key?", encoder)):
        dense = keys.query(text)[:width]
        assert torch.nn.functional.cosine_similarity(dense, own.encode([text])[0], dim=0) > 0.9999


def test_a_memory_is_written_by_the_transformer_whatever_was_asked_before(keys: Keys) -> None:
    text = "we keep the spare key under the mat"
    fresh = Keys(TransformerEncoder(), Config().bank, Config().recall)
    before = fresh.targets([text])
    keys.query(text)
    keys.query_senses(text)
    assert torch.equal(keys.targets([text]), before)
    assert torch.equal(keys.addresses([text])[0], before)
    assert torch.equal(keys.near(text), fresh.near(text))


def test_a_heard_question_finds_its_fact_end_to_end() -> None:
    with Memory() as memory:
        memory.add("My barber is called Sam", infer=False, user_id="ana")
        memory.add("The burger place closes at ten", infer=False, user_id="ana")
        assert "Sam" in memory.search("who is my barber called", user_id="ana", limit=1)[0].text


def test_deleted_words_do_not_stay_in_the_ear(encoder: TransformerEncoder) -> None:
    keys = Keys(encoder, Config().bank, Config().recall)
    keys.query("where is the secret key")
    assert keys.ear._known
    keys.forget()
    assert not keys.ear._known


def test_records_of_an_archive_get_keys_without_an_ear() -> None:
    with Memory() as memory:
        archives = Archives(Service(memory, Desk(None)), None, 1)
        text = "we keep the spare key under the mat"
        assert is_heard(text)
        key = torch.from_numpy(archives._key(text))
        archives.close()
        assert torch.equal(key, memory.engine.keys.queries([text])[0])


# --- whose it is ----------------------------------------------------------------------------------


class Turned:
    """An encoder around another one whose vectors are its own; all it has not it asks of the other."""

    name, width = "turned", 384

    def __init__(self, inner: TransformerEncoder) -> None:
        self.inner = inner

    def encode(self, texts: Sequence[str]) -> Tensor:
        return -self.inner.encode(texts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_the_ear_of_an_encoder_inside_another_is_not_asked(encoder: TransformerEncoder) -> None:
    keys = Keys(Turned(encoder), Config().bank, Config().recall)
    assert ear_of(keys.encoder.encoder) is None
    text = "we keep the spare key under the mat"
    assert keys.query(text) @ keys.targets([text])[0] > 0.999


def test_a_narrow_encoder_hears_in_its_own_width() -> None:
    ear = ear_of(TransformerEncoder(width=192))
    assert ear is not None
    vectors = ear.encode(["who is my dog", "where is the key"])
    assert vectors.shape == (2, 192)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))


def test_encoders_without_an_ear_encode_what_was_heard_themselves() -> None:
    conv = ConvEncoder()
    assert ear_of(conv) is None
    keys = Keys(conv, Config().bank, Config().recall)
    assert keys.ear is keys.encoder


def test_a_transformer_that_encodes_in_a_way_of_its_own_has_none() -> None:
    class Prefixed(TransformerEncoder):
        def encode(self, texts: Sequence[str]) -> Tensor:
            return super().encode([f"passage: {text}" for text in texts])

    class Renamed(TransformerEncoder):
        name = "renamed"

    assert ear_of(Prefixed()) is None
    assert ear_of(Renamed()) is not None


def test_another_transformer_has_none(encoder: TransformerEncoder, tmp_path: Path) -> None:
    tensors = load_file(encoder.path)
    tensors["embeddings.LayerNorm.bias"] += 1
    with safe_open(encoder.path, "pt") as file:
        metadata = file.metadata()
    other = tmp_path / "other.safetensors"
    save_file(tensors, other, metadata=metadata)
    assert belongs(checkpoint_path("ear.safetensors"), encoder.path)
    assert ear_of(TransformerEncoder(other)) is None


def test_an_ear_is_saved_where_there_is_no_folder_yet(encoder: TransformerEncoder, tmp_path: Path) -> None:
    weights, _ = read_checkpoint(encoder.path, "transformer")
    file = tmp_path / "runs" / "new" / "ear.safetensors"
    save_ear(weights, 2, encoder.path, file, {})
    assert belongs(file, encoder.path)
    upper, config = read_checkpoint(file, "ear")
    assert config["layers"] == 2
    assert len({name.split(".")[2] for name in upper}) == 2
    text = ["who is my dog"]  # layers that were taught nothing
    assert (Ear(encoder, file).encode(text) * encoder.encode(text)).sum() > 0.999


def test_a_damaged_ear_is_named(encoder: TransformerEncoder, tmp_path: Path) -> None:
    file = tmp_path / "ear.safetensors"
    shutil.copy(checkpoint_path("ear.safetensors"), file)
    file.write_bytes(file.read_bytes()[:200_000])
    with pytest.raises(InvalidInput, match=r"ear\.safetensors.*reinstall"):
        belongs(file, encoder.path)
    with pytest.raises(InvalidInput, match=r"ear\.safetensors"):
        Ear(encoder, file).encode(["who is my dog"])


def test_a_damaged_ear_is_in_nobodys_way_who_does_not_ask_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ear.safetensors"
    file.write_bytes(checkpoint_path("ear.safetensors").read_bytes()[:200_000])
    monkeypatch.setattr(transformer, "checkpoint_path", lambda _: file)
    own = TransformerEncoder(checkpoint_path("transformer.safetensors"))
    with Memory(tmp_path / "store", encoder=own) as memory:
        told = memory.add("The locker code is 4471", infer=False, user_id="ana")
        memory.engine.keys.prepare(["What is the locker code?"])
        memory.delete(told[0].id)
        with pytest.raises(InvalidInput, match=r"ear\.safetensors.*reinstall"):
            memory.search("what is the locker code", user_id="ana")
        assert memory.delete_all(user_id="ana") == 0
