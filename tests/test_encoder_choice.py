"""Choosing an encoder: by name, by width, by checkpoint; the default; what the doctor says of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from command_line import Run, runner
from encoding import FACTS, ROOT, assert_unit, needs_conv, needs_model, needs_transformer

from neuromem import codec, encoders, shipped
from neuromem.cli import main
from neuromem.encoders import (
    DEFAULT,
    CachedEncoder,
    HashEncoder,
    SentenceEncoder,
    check_encoder,
    load_encoder,
)
from neuromem.encoders.conv import ConvConfig, ConvEncoder, ConvNet, save_conv
from neuromem.encoders.transformer import TransformerEncoder, save_transformer
from neuromem.errors import InvalidInput, MissingDependency, NeuromemError, NotFound

WIDTH = 48  # of the small checkpoints made here
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WORDS = ["my", "dog", "is", "called", "potola", "'", "s", "name"]


def small_transformer(path: Path) -> Path:
    """A checkpoint of one layer with random weights."""
    pytest.importorskip("tokenizers")
    random = torch.Generator().manual_seed(1)

    def some(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random) * 0.1

    layer = "encoder.layer.0."
    weights = {
        "embeddings.word_embeddings.weight": some(len(SPECIAL + WORDS), WIDTH),
        "embeddings.position_embeddings.weight": some(256, WIDTH),
        "embeddings.token_type_embeddings.weight": some(2, WIDTH),
    }
    shapes = {"attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH)}
    shapes |= {"attention.self.value": (WIDTH, WIDTH), "attention.output.dense": (WIDTH, WIDTH)}
    shapes |= {"intermediate.dense": (2 * WIDTH, WIDTH), "output.dense": (WIDTH, 2 * WIDTH)}
    for name, shape in shapes.items():
        weights |= {f"{layer}{name}.weight": some(*shape), f"{layer}{name}.bias": some(shape[0])}
    for name in ("embeddings.", f"{layer}attention.output.", f"{layer}output."):
        weights |= {f"{name}LayerNorm.weight": torch.ones(WIDTH), f"{name}LayerNorm.bias": some(WIDTH)}
    save_transformer(weights, SPECIAL + WORDS, path, {})
    return path


def small_conv(path: Path) -> Path:
    """A checkpoint of one block with random weights."""
    torch.manual_seed(1)
    config = ConvConfig(
        word_buckets=256, ngram_buckets=256, table_width=16, channels=32, blocks=1, width=WIDTH
    )
    net = ConvNet(config)
    weights = {name: torch.randn_like(value) * 0.1 for name, value in net.state_dict().items()}
    save_conv(net, weights, path, {})
    return path


OWN = {"transformer": (small_transformer, TransformerEncoder), "conv": (small_conv, ConvEncoder)}


@pytest.fixture
def neuromem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(tmp_path, capsys)


@pytest.fixture(params=OWN)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def checkpoint(kind: str, tmp_path: Path) -> Path:
    """A small checkpoint of the kind of encoder, under the name of the shipped one."""
    return OWN[kind][0](tmp_path / f"{kind}.safetensors")


def as_shipped(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Takes what lies in a folder for the shipped checkpoints."""
    monkeypatch.setattr(encoders, "checkpoint_path", lambda name: folder / name)


# --- our own -----------------------------------------------------------------------------------


def test_one_of_our_own_goes_by_its_kind(
    kind: str, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_shipped(monkeypatch, checkpoint.parent)
    encoder = load_encoder(kind)
    assert isinstance(encoder, OWN[kind][1])
    assert encoder.name.startswith(f"{kind}:{WIDTH}@")
    vectors = encoder.encode(FACTS)
    assert vectors.shape == (len(FACTS), WIDTH)
    assert_unit(vectors)


def test_a_number_is_a_width_the_first_numbers_made_unit_length_again(
    kind: str, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_shipped(monkeypatch, checkpoint.parent)
    whole, narrow = load_encoder(kind), load_encoder(f"{kind}:12")
    assert narrow.width == 12
    assert narrow.name == whole.name.replace(f":{WIDTH}@", ":12@")
    vectors = narrow.encode(FACTS)
    assert_unit(vectors)
    first = torch.nn.functional.normalize(whole.encode(FACTS)[:, :12], dim=1)
    assert torch.allclose(vectors, first, rtol=0, atol=1e-6)


def test_a_file_is_another_checkpoint(kind: str, checkpoint: Path, tmp_path: Path) -> None:
    copy = tmp_path / "folder: with a colon"
    copy.mkdir()
    copy = copy / "192.safetensors"
    copy.write_bytes(checkpoint.read_bytes())
    assert load_encoder(f"{kind}:{copy}").name == load_encoder(f"{kind}:{checkpoint}").name
    assert load_encoder(f"{kind}:{copy}").encode(FACTS).shape == (len(FACTS), WIDTH)


@needs_transformer
def test_the_shipped_transformer_is_384_wide() -> None:
    assert load_encoder("transformer").encode(FACTS).shape == (len(FACTS), 384)
    assert load_encoder("transformer:192").encode(FACTS).shape == (len(FACTS), 192)


@needs_conv
def test_the_shipped_conv_is_384_wide() -> None:
    assert load_encoder("conv").encode(FACTS).shape == (len(FACTS), 384)
    assert load_encoder("conv:192").encode(FACTS).shape == (len(FACTS), 192)


def test_a_checkpoint_that_is_not_there_is_named_with_the_remedy(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_shipped(monkeypatch, tmp_path)
    for spec in (kind, f"{kind}:96"):
        with pytest.raises(NotFound, match=rf"{kind}\.safetensors does not exist; reinstall neuromem"):
            load_encoder(spec)
    (tmp_path / "folder.safetensors").mkdir()
    for name in ("absent.safetensors", "folder.safetensors"):
        with pytest.raises(NotFound, match=rf"{name} does not exist; give an existing file"):
            load_encoder(f"{kind}:{tmp_path / name}")


def test_a_checkpoint_of_something_else_is_refused(kind: str, checkpoint: Path, tmp_path: Path) -> None:
    other = {"transformer": "conv", "conv": "transformer"}[kind]
    with pytest.raises(InvalidInput, match=f"no checkpoint of a {other} encoder"):
        load_encoder(f"{other}:{checkpoint}").encode(FACTS)
    checkpoint.write_bytes(checkpoint.read_bytes()[:1_000])
    with pytest.raises(InvalidInput, match=f"no checkpoint of a {kind} encoder"):
        load_encoder(f"{kind}:{checkpoint}").encode(FACTS)


@pytest.mark.parametrize("width", ["0", "385", "999999"])
def test_a_width_out_of_range_is_refused(
    kind: str, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    as_shipped(monkeypatch, checkpoint.parent)
    with pytest.raises(InvalidInput, match=rf"^width: {width} is out of range; give 1 to 384"):
        load_encoder(f"{kind}:{width}")


@pytest.mark.parametrize("rest", ["", "x", "-5", "1.5", "192:96", " 192", "١٩٢", "9999999", "model.bin"])
def test_what_is_neither_a_width_nor_a_checkpoint_is_answered_with_examples(kind: str, rest: str) -> None:
    with pytest.raises(InvalidInput, match=f"^encoder: .*{kind}:192 or {kind}:FILE.safetensors"):
        load_encoder(f"{kind}:{rest}")


# --- the others --------------------------------------------------------------------------------


@needs_model
def test_the_sentence_model_goes_by_its_kind_its_name_and_its_folder() -> None:
    model = SentenceEncoder()
    for spec in ("sentence", "sentence:all-MiniLM-L6-v2", f"sentence:{model.folder}"):
        assert load_encoder(spec).name == model.name


def test_the_hash_encoder_goes_by_its_name() -> None:
    assert load_encoder("hash").name == HashEncoder().name == "hash:v1-384"


def test_an_encoder_stands_for_itself() -> None:
    encoder = CachedEncoder(HashEncoder())
    assert load_encoder(encoder) is encoder


@pytest.mark.parametrize("spec", ["Sentence", "", "hash:12", "Conv", "transformers", ":192", "convolution"])
def test_an_unknown_name_is_answered_with_the_known_ones(spec: str) -> None:
    with pytest.raises(InvalidInput) as told:
        load_encoder(spec)
    assert shipped.ENCODERS in str(told.value)
    for known in ("transformer", "conv", "sentence:NAME_OR_FOLDER", "hash"):
        assert known in shipped.ENCODERS


def test_an_object_that_cannot_encode_is_refused() -> None:
    for check in (load_encoder, check_encoder):
        with pytest.raises(InvalidInput, match="int has no encode and no name and no width"):
            check(5)  # type: ignore[operator]


def test_checking_a_name_looks_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_shipped(monkeypatch, tmp_path)
    for spec in (None, "conv", "transformer:96", "conv:/no/such/file.safetensors", "sentence:/no/model"):
        check_encoder(spec)


# --- the default -------------------------------------------------------------------------------


def name_or_error(load: Callable[[], encoders.Encoder]) -> str:
    try:
        return load().name
    except (NotFound, MissingDependency) as error:
        return str(error)


def test_no_name_means_the_default() -> None:
    check_encoder(DEFAULT)
    assert name_or_error(lambda: load_encoder(None)) == name_or_error(lambda: load_encoder(DEFAULT))


@pytest.mark.parametrize("default", ["hash", "conv:12"])
def test_the_default_is_one_constant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, default: str) -> None:
    small_conv(tmp_path / "conv.safetensors")
    as_shipped(monkeypatch, tmp_path)
    monkeypatch.setattr(encoders, "DEFAULT", default)
    assert load_encoder(None).name == load_encoder(default).name


def test_importing_the_encoders_loads_none_of_them() -> None:
    code = (
        "import sys, neuromem.encoders, neuromem.shipped;"
        "print([name for name in sys.modules if name in"
        " ('neuromem.encoders.transformer', 'neuromem.encoders.conv', 'tokenizers')])"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    assert subprocess.check_output(command, cwd=ROOT, text=True).strip() == "[]"


# --- where weights are -------------------------------------------------------------------------


def test_shipped_weights_are_found_by_one_function() -> None:
    assert codec.checkpoint_path is encoders.checkpoint_path is shipped.checkpoint_path
    assert shipped.checkpoint_path("codec.safetensors").is_file()


def test_weights_in_the_installed_package_go_before_those_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "neuromem"
    (package / "checkpoints").mkdir(parents=True)
    monkeypatch.setattr(shipped, "__file__", str(package / "shipped.py"))
    assert shipped.checkpoint_path("a.safetensors") == tmp_path / "site" / "checkpoints" / "a.safetensors"
    (package / "checkpoints" / "a.safetensors").touch()
    assert shipped.checkpoint_path("a.safetensors") == package / "checkpoints" / "a.safetensors"


# --- the doctor --------------------------------------------------------------------------------


def said_of_the_encoder(report: str) -> str:
    (check,) = [check for check in json.loads(report)["checks"] if check["name"] == "encoder"]
    assert check["ok"], check["detail"]
    return str(check["detail"])


def test_the_doctor_tells_the_encoder_its_checkpoint_size_load_time_and_speed(
    neuromem: Run, kind: str, checkpoint: Path
) -> None:
    detail = said_of_the_encoder(neuromem("doctor", "--json", encoder=f"{kind}:{checkpoint}").out)
    assert detail.startswith(f"{kind}:{checkpoint}: {kind}:{WIDTH}@")
    size = f"{checkpoint.stat().st_size / 1e6:.1f} MB"
    for part in (f"{WIDTH} numbers", f"{checkpoint}, {size}", "loaded in 0.", "ms a sentence"):
        assert part in detail


def test_the_doctor_says_that_hashing_has_no_checkpoint(neuromem: Run) -> None:
    detail = said_of_the_encoder(neuromem("doctor", "--json").out)
    assert detail.startswith("hash: hash:v1-384, 384 numbers, no checkpoint, loaded in ")


def test_the_doctor_names_the_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        load_encoder(None)
    except NeuromemError as error:
        pytest.skip(f"the default encoder is not at hand: {error}")
    main(["doctor", "--json", "--path", str(tmp_path / "store")])
    assert said_of_the_encoder(capsys.readouterr().out).startswith(f"{DEFAULT} (default): ")
