"""`neuromem bench encoders`: what an encoder costs, beside MiniLM through sentence-transformers.

One CPU thread, one process, in turns: a block of sentences goes through each encoder before the next block
does, so that whatever else the machine does hits all alike. Every sentence is new to every encoder, and no
vector is cached (a word that came before may be: that is how encoders are used). ``--pairs`` adds what
the first entries of the vectors alone find (Matryoshka), by cosine.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..encoders import Encoder, SentenceEncoder, load_encoder
from ..errors import InvalidInput, MissingDependency, NotFound
from ..owners import Progress
from .common import emit, environment, numbers, parser, percentiles, progress, read_jsonl, share, stopwatch
from .everyday import everyday_facts
from .generated import personal_facts

__all__ = ["LibraryEncoder", "hits_by_width", "load_seconds", "main", "measure"]

LIBRARY = "sentence-transformers"  # MiniLM by the library's own `SentenceTransformer.encode`
DEFAULT = ("transformer", "conv", "hash", "sentence", LIBRARY)
BLOCK = 25  # sentences that an encoder takes before it is the next one's turn
WARM_UP = 10
ROUNDS = 3  # batches; loads
LOAD = """
import sys, time, torch
from neuromem.bench.encoders import encoder_of
start = time.perf_counter()
encoder_of(sys.argv[1]).encode(["My dog's name is Potola"])
print(time.perf_counter() - start)
"""


class LibraryEncoder:
    """all-MiniLM-L6-v2 as users of sentence-transformers run it."""

    name, width = LIBRARY, 384

    def __init__(self) -> None:
        """Raises MissingDependency: the library or the model's package is not installed."""
        folder = SentenceEncoder().folder
        if find_spec("sentence_transformers") is None:
            raise MissingDependency("the comparison", "sentence-transformers", "sentence")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging: Any = importlib.import_module("transformers.utils.logging")
            logging.disable_progress_bar()
            from sentence_transformers import SentenceTransformer

            self.model: Any = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
            logging.enable_progress_bar()

    def encode(self, texts: Sequence[str]) -> Tensor:
        """[B, 384] unit rows."""
        rows: Tensor = self.model.encode(list(texts), convert_to_tensor=True, show_progress_bar=False)
        return rows


def encoder_of(name: str) -> Encoder:
    """The encoder of a name as `load_encoder` knows it, or the library."""
    return LibraryEncoder() if name == LIBRARY else load_encoder(name)


def main(argv: list[str]) -> int:
    """Runs the bench; always 0."""
    arguments = parser("encoders", "One CPU thread.")
    arguments.add_argument("--encoders", default=",".join(DEFAULT), help="which, commas between")
    arguments.add_argument("--sentences", type=int, default=400, help="sentences, one by one")
    arguments.add_argument("--batch", type=int, default=256, help="sentences of a batch")
    arguments.add_argument("--pairs", metavar="FILE", help="JSONL of fact, question, asr_question")
    arguments.add_argument("--widths", default="384,192,96", help="entries kept, commas between")
    options = arguments.parse_args(argv)
    if options.sentences < 1 or options.batch < 1:
        raise InvalidInput("--sentences, --batch", "are below 1", "give 1 or more")
    report: dict[str, Any] = {"bench": "encoders", "threads": 1, "sentences": options.sentences}
    with one_thread(), progress("encoding") as step:
        encoders, absent = _present(options.encoders.split(","))
        report |= {"absent": absent} if absent else {}
        report |= measure(encoders, options.sentences, options.batch, options.seed, step)
        report["start"] = {
            name: {"load_s": load_seconds(name), "checkpoint_mb": checkpoint_bytes(encoder) / 1e6}
            for name, encoder in encoders.items()
        }
        if options.pairs:
            pairs = read_jsonl(options.pairs)
            widths = numbers("--widths", options.widths)
            report["widths"] = [
                {"encoder": name, **row}
                for name, encoder in encoders.items()
                if name != LIBRARY  # the vectors of `sentence`
                for row in hits_by_width(encoder, pairs, widths)
            ]
    emit(report, options.json)
    return 0


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch and for tokenizers meanwhile."""
    threads, parallel = torch.get_num_threads(), os.environ.get("TOKENIZERS_PARALLELISM")
    torch.set_num_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        os.environ.pop("TOKENIZERS_PARALLELISM")
        if parallel is not None:
            os.environ["TOKENIZERS_PARALLELISM"] = parallel


def _present(names: Sequence[str]) -> tuple[dict[str, Encoder], dict[str, str]]:
    """Encoders that can be loaded, and why the others cannot."""
    found: dict[str, Encoder] = {}
    absent: dict[str, str] = {}
    for name in names:
        try:
            encoder = encoder_of(name)
            encoder.encode(["warm"])
            found[name] = encoder
        except (NotFound, MissingDependency) as error:
            absent[name] = str(error)
    return found, absent


# -- what it costs ------------------------------------------------------------------------------------


def measure(
    encoders: Mapping[str, Encoder], sentences: int, batch: int, seed: int, step: Progress | None = None
) -> dict[str, dict[str, dict[str, float]]]:
    """What sentences cost one by one and in batches.

    Returns:
        `single` and `batch`, by encoder: milliseconds a sentence (and of the processor: less, where other
        work held it), sentences a second, the largest difference of any entry between both ways; where the
        library is among the encoders, also how many times as fast as the library each is.
    """
    texts = _sentences(WARM_UP + sentences + batch, seed)
    for encoder in encoders.values():
        for text in texts[:WARM_UP]:
            encoder.encode([text])
    alone, busy = _one_by_one(encoders, texts[WARM_UP : WARM_UP + sentences], step)
    batched = texts[-batch:]
    together: dict[str, list[float]] = {name: [] for name in encoders}
    for _ in range(ROUNDS):
        for name, encoder in encoders.items():
            together[name].append(_ms(encoder, batched))
    single: dict[str, dict[str, float]] = {}
    batches: dict[str, dict[str, float]] = {}
    for name, encoder in encoders.items():
        single[name] = {f"ms_{point}": ms for point, ms in percentiles(alone[name]).items()}
        single[name]["cpu_ms_p50"] = percentiles(busy[name], 50)["p50"]
        batches[name] = {
            "per_s": 1_000 * batch / min(together[name]), "difference": _difference(encoder, batched[:64])
        }  # fmt: skip
    for name in encoders if LIBRARY in encoders else ():
        single[name]["times_as_fast"] = single[LIBRARY]["ms_p50"] / single[name]["ms_p50"]
        single[name]["cpu_times_as_fast"] = single[LIBRARY]["cpu_ms_p50"] / single[name]["cpu_ms_p50"]
        batches[name]["times_as_fast"] = batches[name]["per_s"] / batches[LIBRARY]["per_s"]
    return {"single": single, "batch": batches}


def _one_by_one(
    encoders: Mapping[str, Encoder], texts: Sequence[str], step: Progress | None
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Milliseconds of each text, in turns of a block: by the clock, and of the processor."""
    spent: dict[str, list[float]] = {name: [] for name in encoders}
    busy: dict[str, list[float]] = {name: [] for name in encoders}
    for start in range(0, len(texts), BLOCK):
        block = texts[start : start + BLOCK]
        for name, encoder in encoders.items():
            for text in block:
                before = time.process_time()
                spent[name].append(_ms(encoder, [text]))
                busy[name].append(1_000 * (time.process_time() - before))
        if step is not None:
            step(start + len(block), len(texts))
    return spent, busy


def _sentences(count: int, seed: int) -> list[str]:
    """Short sentences, all different: facts of everyday life and questions about invented people in turn."""
    facts = everyday_facts(count, seed)
    asked = list(dict.fromkeys(fact.question for fact in personal_facts(4 * count, seed)))
    mixed = dict.fromkeys(text for pair in zip(facts, asked, strict=False) for text in pair)
    return list(mixed)[:count]


def _ms(encoder: Encoder, texts: list[str]) -> float:
    with stopwatch() as watch:
        encoder.encode(texts)
    return watch.ms


def _difference(encoder: Encoder, texts: list[str]) -> float:
    """Largest difference of any entry between a text encoded alone and in a batch."""
    together = encoder.encode(texts)
    alone = torch.cat([encoder.encode([text]) for text in texts])
    return float((together - alone).abs().max())


def load_seconds(name: str, rounds: int = ROUNDS) -> float:
    """Seconds to load an encoder and encode a first sentence, in a fresh process that has torch; the best."""
    alone = environment() | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", LOAD, name]
    times = [
        float(subprocess.run(command, env=alone, capture_output=True, text=True, check=True).stdout)
        for _ in range(rounds)
    ]
    return min(times)


def checkpoint_bytes(encoder: Encoder) -> int:
    """Size of the files that an encoder is loaded from; 0 of one that has none."""
    folder, path = getattr(encoder, "folder", None), getattr(encoder, "path", None)
    if isinstance(encoder, LibraryEncoder):
        folder = SentenceEncoder().folder
    files = folder.glob("model*.safetensors") if folder else [path] if path else []
    return sum(file.stat().st_size for file in files)


# -- what the first entries find ----------------------------------------------------------------------


def hits_by_width(
    encoder: Encoder, pairs: Sequence[Mapping[str, Any]], widths: Sequence[int]
) -> list[dict[str, Any]]:
    """hit@1 and hit@5 of each way to ask, by cosine of the first so many entries alone.

    Args:
        pairs: `fact`, `question`, and perhaps `asr_question`. widths: those above the encoder's are left out.
    """
    facts = encoder.encode([str(row["fact"]) for row in pairs])
    kinds = ("question", "asr_question")
    asked = {kind: encoder.encode([str(row.get(kind) or row["question"]) for row in pairs]) for kind in kinds}
    own = torch.arange(len(pairs))[:, None]
    rows: list[dict[str, Any]] = []
    for width in (width for width in widths if 1 <= width <= facts.shape[1]):
        keys = functional.normalize(facts[:, :width], dim=1)
        row: dict[str, Any] = {"width": width}
        for kind, vectors in asked.items():
            order = (vectors[:, :width] @ keys.T).sort(dim=1, descending=True, stable=True).indices
            row |= {f"{kind} hit@{k}": share((order[:, :k] == own).any(dim=1).tolist()) for k in (1, 5)}
        rows.append(row)
    return rows
