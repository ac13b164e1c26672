"""The encoders' bench: times that compare like with like, and what shorter vectors find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from benching import Runner, lines, runner
from encoding import needs_model
from torch import Tensor

from neuromem.bench import encoders
from neuromem.bench.encoders import LIBRARY, LibraryEncoder, checkpoint_bytes, hits_by_width, load_seconds
from neuromem.encoders import HashEncoder, SentenceEncoder, WrappedEncoder


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str]) -> Runner:
    return runner(capsys)


class Watch:
    """A stopwatch that only encoders move on."""

    now_ms = 0.0

    def __enter__(self) -> Watch:
        self.start_ms = Watch.now_ms
        return self

    def __exit__(self, *error: object) -> None:
        self.ms = Watch.now_ms - self.start_ms


class Slow(WrappedEncoder):
    """Takes so many milliseconds a text by `Watch`, and notes what it is asked."""

    def __init__(self, ms: float = 0.0) -> None:
        super().__init__(HashEncoder())
        self.ms, self.asked = ms, list[tuple[str, ...]]()

    def encode(self, texts: Sequence[str]) -> Tensor:
        self.asked.append(tuple(texts))
        Watch.now_ms += self.ms * len(texts)
        return super().encode(texts)


class Table(HashEncoder):
    """Vectors given by hand."""

    def __init__(self, rows: dict[str, list[float]]) -> None:
        super().__init__(len(next(iter(rows.values()))))
        self.rows = rows

    def encode(self, texts: Sequence[str]) -> Tensor:
        return torch.tensor([self.rows[text] for text in texts])


def test_the_slower_encoder_is_slower_by_that_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "stopwatch", Watch)
    found = encoders.measure({"quick": Slow(4), LIBRARY: Slow(20)}, 20, 5, seed=0)
    quick, library = found["single"]["quick"], found["single"][LIBRARY]
    assert (quick["ms_p50"], quick["ms_p99"]) == pytest.approx((4, 4))
    assert (library["ms_p50"], library["ms_p99"]) == pytest.approx((20, 20))
    assert (quick["times_as_fast"], library["times_as_fast"]) == pytest.approx((5, 1))
    assert found["batch"]["quick"] == pytest.approx({"per_s": 250, "difference": 0, "times_as_fast": 5})
    assert found["batch"][LIBRARY]["times_as_fast"] == 1


def test_times_are_those_of_the_clock() -> None:
    found = encoders.measure({"hash": HashEncoder()}, 5, 5, seed=0)
    assert 0 < found["single"]["hash"]["ms_p50"] <= found["single"]["hash"]["ms_p99"]
    assert found["single"]["hash"]["cpu_ms_p50"] > 0
    assert found["batch"]["hash"]["per_s"] > 0


def test_without_the_library_nothing_is_compared() -> None:
    found = encoders.measure({"hash": HashEncoder()}, 5, 5, seed=0)
    assert "times_as_fast" not in found["single"]["hash"]


def test_every_sentence_is_new_to_an_encoder_and_all_get_the_same() -> None:
    one, other = Slow(), Slow()
    encoders.measure({"one": one, "other": other}, 60, 10, seed=3)
    assert one.asked == other.asked
    alone = [texts for texts in one.asked if len(texts) == 1]
    once = alone[: encoders.WARM_UP + 60]
    assert len(set(once)) == len(once)
    assert not {text for (text,) in once} & set(one.asked[-1 - 10])  # nor does a batch repeat them


def test_a_batch_that_differs_from_single_texts_is_seen() -> None:
    class Uneven(HashEncoder):
        def encode(self, texts: Sequence[str]) -> Tensor:
            return super().encode(texts) + (0.25 if len(texts) > 1 else 0)

    found = encoders.measure({"sound": HashEncoder(), "uneven": Uneven()}, 5, 5, seed=0)["batch"]
    assert found["sound"]["difference"] == 0
    assert found["uneven"]["difference"] == pytest.approx(0.25)


def test_fewer_entries_find_what_they_tell_apart() -> None:
    table = Table({"f1": [0.6, 0.8], "f2": [0.6, -0.8], "q1": [0.6, 0.8], "q2": [0.6, -0.8]})
    pairs = [{"fact": "f1", "question": "q1"}, {"fact": "f2", "question": "q2", "asr_question": "q1"}]
    half, whole = hits_by_width(table, pairs, [1, 2, 3])  # a width it does not have is left out
    assert (whole["width"], whole["question hit@1"], whole["question hit@5"]) == (2, 1, 1)
    assert (half["width"], half["question hit@1"], half["question hit@5"]) == (1, 0.5, 1)
    assert whole["asr_question hit@1"] == 0.5  # the second is asked for in words of the first


def test_the_bench_measures_what_is_there_and_says_what_is_not(bench: Runner, tmp_path: Any) -> None:
    pairs = lines(tmp_path / "p.jsonl", {"fact": "I play the cello", "question": "do I play the cello?"})
    absent = f"transformer:{tmp_path}/none.safetensors"
    argv = ["--encoders", f"hash,{absent}", "--sentences", 6, "--batch", 4, "--widths", "384,96"]
    status, report = bench("encoders", *argv, "--pairs", pairs)
    assert status == 0
    assert "none.safetensors" in report["absent"][absent]
    assert set(report["single"]) == set(report["batch"]) == set(report["start"]) == {"hash"}
    assert report["start"]["hash"]["checkpoint_mb"] == 0
    assert 0 < report["start"]["hash"]["load_s"] < 30
    assert [(row["width"], row["question hit@1"]) for row in report["widths"]] == [(384, 1), (96, 1)]


def test_it_runs_on_one_thread_and_puts_the_threads_back(
    bench: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(encoders, "measure", lambda *rest: seen.append(torch.get_num_threads()) or {})
    monkeypatch.setattr(encoders, "load_seconds", lambda name: 0.0)
    torch.set_num_threads(2)
    bench("encoders", "--encoders", "hash")
    assert (seen, torch.get_num_threads()) == ([1], 2)


@needs_model
def test_a_checkpoint_is_as_large_as_its_file() -> None:
    assert checkpoint_bytes(HashEncoder()) == 0
    assert 80e6 < checkpoint_bytes(SentenceEncoder()) < 100e6


@needs_model
@pytest.mark.slow
def test_the_library_gives_the_vectors_of_our_own_forward_pass() -> None:
    texts = ["My dog's name is Potola", "where do I live?"]
    library = LibraryEncoder()
    assert torch.allclose(library.encode(texts), SentenceEncoder().encode(texts), atol=1e-5)
    assert checkpoint_bytes(library) == checkpoint_bytes(SentenceEncoder())
    assert load_seconds("sentence", rounds=1) < load_seconds(LIBRARY, rounds=1)
