"""The recall bench: rankings scored, conversations told and asked, baselines beside ours."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
from benching import Runner, lines, runner

from neuromem.bench.conversations import read_turns_of
from neuromem.bench.generated import near_identical
from neuromem.bench.ranking import BM25
from neuromem.bench.recall import sanity, scores
from neuromem.config import Config
from neuromem.errors import InvalidInput


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str]) -> Runner:
    return runner(capsys)


def test_scores_of_a_ranking_agree_with_a_hand_computed_one() -> None:
    row = scores(["a", "b", "c"], ["b", "d"])
    assert row["recall@1"] == 0
    assert row["recall@5"] == row["recall@20"] == row["mrr"] == 0.5
    assert row["ndcg@10"] == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))
    assert scores(["x"], ["b"]) == dict.fromkeys(row, 0.0)


def conversation(folder: Path) -> list[str]:
    """Two conversations; the second repeats a turn. Arguments for the bench."""
    said = {
        "one": ["My dog is called Potola", "I work as a welder in Ghent", "The spare key is under the pot"],
        "two": ["I am allergic to oysters", "I play the cello", "I am allergic to oysters"],
    }
    corpus = [
        {"conv": name, "turn": f"t{i}", "speaker": "Ana", "datetime": "March-15-2024", "text": text}
        for name, texts in said.items()
        for i, text in enumerate(texts)
    ]
    asked = [
        ("one", "what is the dog called?", "single", False, ["t0"]),
        ("one", "where is the spare key?", "single", False, ["t2"]),
        ("two", "what are oysters to me?", "multi", False, ["t0", "t2"]),
        ("two", "is my cello called Potola?", "adversarial", True, ["t1"]),
        ("two", "never said?", "single", False, []),
    ]
    names = ("conv", "question", "category", "adversarial", "evidence")
    questions = [dict(zip(names, row, strict=True)) for row in asked]
    paths = lines(folder / "c.jsonl", *corpus), lines(folder / "q.jsonl", *questions)
    return ["--corpus", str(paths[0]), "--questions", str(paths[1]), "--encoder", "hash"]


@pytest.mark.parametrize("infer", ["--infer", "--no-infer"])
def test_conversations_are_asked_and_scored_by_category(bench: Runner, tmp_path: Path, infer: str) -> None:
    _, report = bench("recall", *conversation(tmp_path), "--baselines", infer)
    assert report["questions"] == 3
    assert report["turns"] == 6
    assert report["recall@20"] == report["recall@10"] == 1
    assert report["recall@1"] == pytest.approx((1 + 1 + 0.5) / 3, abs=1e-4)
    assert report["by_category"]["multi"]["recall@5"] == 1  # both tellings of one fact
    assert report["adversarial"]["questions"] == 1
    assert set(report["baselines"]) == {"bm25", "cosine", "z-sum"}
    assert report["write_ms"]["p50"] > 0
    assert report["search_ms"]["p99"] >= report["search_ms"]["p50"] > 0


def test_times_of_turns_are_told_in_any_form_and_stay_apart(tmp_path: Path) -> None:
    whens = ["2023-05-08T13:56", "2023-05-08T13:56", None, "March-15-2024"]
    rows = [{"conv": "a", "turn": i, "text": "x", "datetime": when} for i, when in enumerate(whens)]
    times = [turn.time for turn in read_turns_of(lines(tmp_path / "c.jsonl", *rows))["a"]]
    assert [later - earlier for earlier, later in pairwise(times[:3])] == [1, 1]
    assert times[-1] == 1_710_460_800
    rows[0]["datetime"] = "lately"
    with pytest.raises(InvalidInput, match="lately"):
        read_turns_of(lines(tmp_path / "c.jsonl", *rows))


def test_pairs_are_asked_in_both_ways(bench: Runner, tmp_path: Path) -> None:
    rows = [
        {"fact": fact.text, "question": fact.question, "asr_question": "nothing at all"}
        for fact in near_identical(20)
    ]
    _, report = bench(
        "recall", "--pairs", lines(tmp_path / "p.jsonl", *rows), "--encoder", "hash", "--baselines"
    )
    for ranker in ("neuromem", "bm25"):
        assert report["pairs"][ranker]["question hit@1"] == 1
        assert report["pairs"][ranker]["asr_question hit@1"] <= 0.1


def test_exact_cues_find_their_facts() -> None:
    result = sanity(100, 0, Config(), "hash")
    assert (result["recall@1"], result["misses"]) == (1, 0)


def test_bm25_prefers_rare_words_and_short_texts() -> None:
    ranker = BM25(["dog dog dog dog cat", "a dog", "a dog and a zebra", "nothing"])
    dog, zebra = ranker.scores("dog"), ranker.scores("the zebra or the dog")
    assert dog[3] == 0
    assert dog[1] > dog[2] > 0
    assert max(zebra) == zebra[2]
