"""`neuromem bench speed`: lookup against FAISS, add, search, open, start. One process, one thread.

Large banks are filled directly: synthetic clustered keys and the values of real facts over and over, because
what a lookup costs depends on neither. Times of add and search are wall-clock, durable commits included, with
and without the time that the encoder took in the same calls.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import torch
from torch import Tensor
from torch.nn import functional

from ..bank import SlotBank
from ..config import BankConfig, Config
from ..encoders import Encoder, WordEncoder, WrappedEncoder, load_encoder, takes_alone, word_encoder
from ..encoders.base import Span
from ..errors import InvalidInput
from ..keys import Keys
from ..layout import quantize_keys
from ..memory import Memory
from ..owners import Progress
from .common import emit, environment, parser, percentiles, progress, share, stopwatch
from .generated import GeneratedFact, personal_facts

__all__ = ["TimedEncoder", "clustered", "fill", "lookups", "main", "timed"]

QUERIES, BLOCK = 400, 50
USER = "bench"


def main(argv: list[str]) -> int:
    """Runs the bench; always 0."""
    arguments = parser("speed", "One thread. Large banks are filled with synthetic keys.")
    arguments.add_argument("--slots", default="1000,10000,100000", help="sizes of bank, commas between")
    arguments.add_argument("--encoder", help="as Memory's: sentence, sentence:FOLDER, hash")
    arguments.add_argument("--path", help="folder on the disk to measure; a temporary one without")
    arguments.add_argument(
        "--facts", type=int, default=512, help="facts of a batch, and single adds: a fifth"
    )
    options = arguments.parse_args(argv)
    sizes = _sizes(options.slots)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    report: dict[str, Any] = {
        "bench": "speed",
        "threads": 1,
        "faiss": "compared" if _faiss() else "not installed",
    }
    try:
        encoder = timed(load_encoder(options.encoder))
        width = Keys(encoder, BankConfig(), Config().recall).width
        with progress("measuring") as step:
            report["lookup"] = [lookups(size, width, options.seed) for size in sizes]
            with tempfile.TemporaryDirectory(dir=options.path) as folder:
                report |= _memory(Path(folder), encoder, options.facts, options.seed, step)
    finally:
        torch.set_num_threads(threads)
    report["start_s"] = _starts()
    emit(report, options.json)
    return 0


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InvalidInput("--slots", f"{text!r} is not numbers", "give 1000,10000") from error
    if min(sizes) < 16:
        raise InvalidInput("--slots", f"{min(sizes)} is too few", "give sizes from 16")
    return sizes


class TimedEncoder(WrappedEncoder):
    """An encoder that adds up the time it takes, in `.ms`."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self.ms = 0.0

    @property
    def alone(self) -> bool:
        """The encoder's own."""
        return takes_alone(self.encoder)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """[B, width] unit rows."""
        with stopwatch() as watch:
            vectors = self.encoder.encode(texts)
        self.ms += watch.ms
        return vectors


class _TimedWords(TimedEncoder):
    """One that tells words apart, too: a search weighs what they mean."""

    def __init__(self, encoder: WordEncoder) -> None:
        super().__init__(encoder)
        self.words = encoder

    @property
    def word_senses(self) -> str:
        """The encoder's own."""
        return self.words.word_senses

    def encode_words(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[Tensor, Tensor]:
        """See `WordEncoder`."""
        with stopwatch() as watch:
            vectors = self.words.encode_words(texts, spans)
        self.ms += watch.ms
        return vectors


def timed(encoder: Encoder) -> TimedEncoder:
    """The encoder, timed, with all that it can do."""
    words = word_encoder(encoder)
    return TimedEncoder(encoder) if words is None else _TimedWords(words)


# -- lookup -------------------------------------------------------------------------------------------


def clustered(count: int, width: int, seed: int) -> Tensor:
    """[count, width] unit vectors in clusters of about twenty."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(max(1, count // 20), width, generator=generator)
    chosen = torch.randint(len(centres), (count,), generator=generator)
    return functional.normalize(centres[chosen] + torch.randn(count, width, generator=generator), dim=1)


def fill(bank: SlotBank, keys: Tensor, now_ms: int) -> None:
    """Adds a slot for each key [B, K]; its other buffers are copied from the slots in use, in turn."""
    source = bank.used.nonzero().flatten()
    rows = torch.tensor(bank.allocate(len(keys), now_ms))
    if len(source):
        turn = source[torch.arange(len(keys)) % len(source)]
        for name in bank.layout():
            getattr(bank, name)[rows] = getattr(bank, name)[turn]
    else:
        bank.stability[rows] = 10.0
    bank.used[rows] = True
    bank.part[rows], bank.parts[rows] = 0, 1
    ids = [list(UUID(int=(1 << 127) + row).bytes) for row in rows.tolist()]
    bank.id[rows] = torch.tensor(ids, dtype=torch.uint8)
    bank.meaning[rows] = -2 - rows  # copies stand for facts that say different things
    bank.key[rows] = quantize_keys(keys)
    bank.reindex()


def lookups(slots: int, width: int, seed: int) -> dict[str, Any]:
    """Ours and FAISS IndexFlatIP in turns on the same unit vectors; milliseconds."""
    keys = clustered(slots, width, seed)
    bank = SlotBank(width, BankConfig(max_slots=slots, device="cpu"))
    fill(bank, keys, 0)
    generator = torch.Generator().manual_seed(seed + 1)
    near = keys[torch.randint(slots, (QUERIES,), generator=generator)]
    queries = functional.normalize(near + 0.03 * torch.randn(QUERIES, width, generator=generator), dim=1)
    index = _faiss_index(keys)
    arrays = queries.numpy()
    exact = (queries @ keys.T).topk(10, dim=1).indices.tolist()
    ours, theirs, agree = [], [], []
    for start in range(0, QUERIES, BLOCK):  # in turns, but in blocks: each finds its own data in the cache
        block = range(start, start + BLOCK)
        for number in block:
            with stopwatch() as watch:
                _, rows = bank.lookup(queries[number], 10)
            ours.append(watch.ms)
            agree += [row in exact[number] for row in rows.tolist()]
        for number in block if index is not None else ():
            with stopwatch() as watch:
                index.search(arrays[number : number + 1], 10)
            theirs.append(watch.ms)
    out: dict[str, Any] = {"slots": slots, "width": width, "recall@10": share(agree)}
    out |= {f"ours_ms_{point}": value for point, value in percentiles(ours).items()}
    if index is not None:
        out |= {f"faiss_ms_{point}": value for point, value in percentiles(theirs).items()}
        out["faiss_over_ours"] = out["faiss_ms_p50"] / out["ours_ms_p50"]
    return out


def _faiss() -> Any:
    """The module, or None when it is not installed."""
    try:
        import faiss
    except ImportError:
        return None
    return faiss


def _faiss_index(keys: Tensor) -> Any:
    faiss = _faiss()
    if faiss is None:
        return None
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(keys.shape[1])
    index.add(keys.numpy())
    return index


# -- memory -------------------------------------------------------------------------------------------


def _memory(folder: Path, encoder: TimedEncoder, count: int, seed: int, step: Progress) -> dict[str, Any]:
    """Batch and single adds, searches and opening, at 10,000 slots on a real folder."""
    singles = max(20, count // 5)
    facts = personal_facts(count + singles, seed)
    batch, single = facts[:count], facts[count:]
    slots = 10_000
    report: dict[str, Any] = {"at_slots": slots}
    memory = Memory(folder / "store", encoder=encoder)
    try:
        memory.add("The kettle is in the kitchen", user_id=USER)  # loads what is loaded once
        report |= _batch(memory, encoder, batch, step)
        bank = memory.bank(USER)
        report["slot_bytes"] = bank.bytes_per_slot
        fill(bank, clustered(slots - len(bank), bank.key_width, seed), memory.engine.now_ms())
        report["ms"] = _adds(memory, encoder, single, step) | _searches(memory, batch, step)
        report["ms"] |= _conscious(memory, single)
    finally:
        memory.close()
    with stopwatch() as opening:
        memory = Memory(folder / "store", encoder=encoder)
        held = len(memory.bank(USER))
    memory.close()
    return report | {"open_ms": opening.ms, "open_slots": held}


def _batch(
    memory: Memory, encoder: TimedEncoder, facts: Sequence[GeneratedFact], step: Progress
) -> dict[str, float]:
    messages = [{"role": "user", "content": fact.text} for fact in facts]
    before = encoder.ms
    with stopwatch() as watch:
        memory.add(messages, user_id=USER, infer=False, progress=step)
    spent = encoder.ms - before
    return {
        "batch_facts_per_s": 1_000 * len(facts) / watch.ms,
        "batch_facts_per_s_without_encoder": 1_000 * len(facts) / (watch.ms - spent),
    }


def _adds(
    memory: Memory, encoder: TimedEncoder, facts: Sequence[GeneratedFact], step: Progress
) -> dict[str, Any]:
    return _timed(
        "add", encoder, [lambda text=fact.text: memory.add(text, user_id=USER) for fact in facts], step
    )


def _searches(memory: Memory, facts: Sequence[GeneratedFact], step: Progress) -> dict[str, Any]:
    """Searches as they are by default (they rehearse), and such as only look.

    Each question is new. "without encoder": its vector was made before the clock started, so that the
    encoder does not run at all; "unread": slots must be decoded that a user would have had decoded
    lately.
    """
    asked = list(dict.fromkeys(fact.question for fact in facts))
    forget = memory.engine.codec.forget_readings

    def vector(text: str) -> None:
        memory.engine.keys.query(text)

    def unread(text: str) -> None:
        vector(text)
        forget()

    def search(text: str) -> None:
        memory.search(text, user_id=USER)

    def look(text: str) -> None:
        memory.search(text, user_id=USER, rehearse=False)

    return {
        "search": _clocked(search, asked, "", step),
        "search, without encoder": _clocked(search, asked, " please", step, vector),
        "search, without encoder, unread": _clocked(search, asked, " then", step, unread),
        "search, only looking": _clocked(look, asked, " tell me", step),
        "search, only looking, without encoder": _clocked(look, asked, " say", step, vector),
    }


def _unseen(_done: int, _total: int) -> None:
    """Progress that nobody is shown."""


def _conscious(memory: Memory, facts: Sequence[GeneratedFact]) -> dict[str, Any]:
    """The conscious set right after something was told, and as it is known already."""

    def tell(text: str) -> None:
        memory.add(text, user_id=USER)

    def ask(_: str) -> None:
        memory.conscious(user_id=USER)

    texts = [fact.text for fact in facts]
    return {
        "conscious, after an add": _clocked(ask, texts, " as of today", _unseen, tell),
        "conscious, again": _clocked(ask, texts, "", _unseen),
    }


def _clocked(
    call: Callable[[str], None],
    texts: Sequence[str],
    ending: str,
    step: Progress,
    prepare: Callable[[str], None] | None = None,
) -> dict[str, float]:
    """Percentiles of a call over texts, each made new by an ending; of its processor time, too: what it would
    take with the machine to itself."""
    spent, used = [], []
    for text in texts:
        if prepare is not None:
            prepare(text + ending)
        with stopwatch() as watch:
            call(text + ending)
        spent.append(watch.ms)
        used.append(watch.cpu_ms)
    step(len(texts), len(texts))  # drawing in between would be measured too
    return percentiles(spent) | {f"cpu_{point}": value for point, value in percentiles(used).items()}


def _timed(name: str, encoder: TimedEncoder, calls: Sequence[Any], step: Progress) -> dict[str, Any]:
    whole, without = [], []
    for call in calls:
        before = encoder.ms
        with stopwatch() as watch:
            call()
        whole.append(watch.ms)
        without.append(watch.ms - (encoder.ms - before))
    step(len(calls), len(calls))
    return {name: percentiles(whole), f"{name}, without encoder": percentiles(without)}


# -- start --------------------------------------------------------------------------------------------


def _starts() -> dict[str, float]:
    """Seconds from starting Python to having done so much; the best of three."""
    return {
        "python": _best(["-c", "pass"]),
        "import neuromem": _best(["-c", "import neuromem"]),
        "import neuromem.Memory": _best(["-c", "from neuromem import Memory"]),
        "neuromem --help": _best(["-m", "neuromem", "--help"]),
    }


def _best(arguments: Sequence[str]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *arguments], env=environment(), capture_output=True, check=False
        )
        times.append(time.perf_counter() - start)
        if done.returncode != 0:
            return float("nan")
    return min(times)
