"""The recall bench: rankings scored, conversations told and asked, baselines beside ours."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
from benching import Runner, lines, runner

from neuromem.bench import pairs as pairs_module
from neuromem.bench.conversations import read_turns_of
from neuromem.bench.everyday import MOST, everyday_facts
from neuromem.bench.generated import near_identical
from neuromem.bench.mishear import SMALL, Recognizer, distance, plain, sound_of, word_error_rate
from neuromem.bench.pairs import Pool, lost_points, measure_pairs
from neuromem.bench.ranking import BM25, Baselines
from neuromem.bench.recall import sanity, scores
from neuromem.config import Config
from neuromem.errors import InvalidInput
from neuromem.memory import Memory
from neuromem.text import stems


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
    assert set(report["baselines"]) == {"bm25", "cosine", "z-sum", "rrf"}
    assert report["write_ms"]["p50"] > 0
    assert report["search_ms"]["p99"] >= report["search_ms"]["p50"] > 0


@pytest.mark.parametrize("newer", [True, False])
def test_what_changed_is_found_before_what_it_was_or_is_not(
    bench: Runner, tmp_path: Path, newer: bool
) -> None:
    said = ["My desk is number four", "The cello is out of tune", "My new desk is number nine by the door"]
    corpus = [{"conv": "c", "turn": str(i), "speaker": "user", "text": text} for i, text in enumerate(said)]
    asked = {"conv": "c", "question": "which desk is new, by the door?", "evidence": ["0", "2"]}
    asked |= {"updated": ["2"], "original": ["0"]} if newer else {"updated": ["0"], "original": ["2"]}
    files = lines(tmp_path / "c.jsonl", *corpus), lines(tmp_path / "q.jsonl", asked)
    argv = ["--corpus", str(files[0]), "--questions", str(files[1]), "--encoder", "hash", "--baselines"]
    _, report = bench("recall", *argv)
    assert set(report["updated_above_original"]) == {"neuromem", "bm25", "cosine", "z-sum", "rrf"}
    assert report["updated_above_original"]["neuromem"] == newer


def test_conversations_are_asked_again_as_they_are_misheard(bench: Runner, tmp_path: Path) -> None:
    argv = [*conversation(tmp_path), "--misheard", "--word-errors"]
    _, report = bench("recall", *argv, "0.5", "--hearings", 8)
    clean, noisy = report["misheard"]["clean"], report["misheard"]["misheard"]
    assert 0.3 < report["word_error_rate"] < 0.6
    assert clean["recall@10"] == report["recall@10"]
    assert noisy["mrr"] < clean["mrr"]
    assert report["misheard"]["points lost"]["mrr"] == pytest.approx(
        100 * (clean["mrr"] - noisy["mrr"]), abs=0.01
    )
    _, plainly = bench("recall", *argv, "0")
    assert set(plainly["misheard"]["points lost"].values()) == {0}


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


def test_a_pair_without_a_question_is_named() -> None:
    rows = [{"fact": "I play the cello", "question": "what do I play?"}, {"fact": "I sing"}]
    with Memory(encoder="hash") as memory, pytest.raises(InvalidInput, match="line 2 has no question"):
        Pool(memory, rows)


def pairs(count: int) -> list[dict[str, str]]:
    return [{"fact": fact.text, "question": fact.question} for fact in near_identical(count)]


def test_unrelated_facts_are_added_to_the_same_bank(bench: Runner, tmp_path: Path) -> None:
    path = lines(tmp_path / "p.jsonl", *pairs(20))
    _, report = bench("recall", "--pairs", path, "--encoder", "hash", "--crowd", 60)
    found = report["pairs_in_a_crowd"]
    assert report["crowd_facts"] == 60
    assert found["alone"] == report["pairs"]["neuromem"]
    assert found["in the crowd"]["question hit@1"] == 1
    assert set(found["points lost"].values()) == {0}


def test_a_crowd_that_takes_the_places_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pairs(5)

    def answers(count: int, seed: int, without: list[str]) -> list[str]:
        assert {row["fact"] for row in rows} <= set(without)
        begun = [row["fact"].rsplit(" ", 1)[0] for row in rows]  # "Ana's dog is called": all but the answer
        return [f"{words} {n}" for words in begun for n in range(count // len(rows))]

    monkeypatch.setattr(pairs_module, "everyday_facts", answers)
    found = measure_pairs(rows, Config(), "hash", crowd=30)["pairs_in_a_crowd"]
    assert found["alone"]["question hit@5"] == 1
    assert found["in the crowd"]["question hit@1"] == 0
    assert found["points lost"]["question hit@1"] == 100
    assert lost_points({"a": 0.5}, {"a": 0.75}) == {"a": -25}


def test_mishearing_costs_hits_and_is_told_in_points(bench: Runner, tmp_path: Path) -> None:
    path = lines(tmp_path / "p.jsonl", *pairs(40))
    argv = ["--pairs", path, "--encoder", "hash", "--misheard", "--word-errors", "0.3", "--hearings", 2]
    _, report = bench("recall", *argv)
    found = report["pairs_misheard"]
    assert report["pairs_word_error_rate"] == pytest.approx(0.3, abs=0.03)
    assert found["clean"]["question hit@1"] == report["pairs"]["neuromem"]["question hit@1"] == 1
    assert 0.3 < found["misheard"]["question hit@1"] < 1
    lost = 100 * (1 - found["misheard"]["question hit@1"])
    assert found["points lost"]["question hit@1"] == pytest.approx(lost, abs=0.01)


def test_exact_cues_find_their_facts() -> None:
    result = sanity(100, 0, Config(), "hash")
    assert (result["recall@1"], result["misses"]) == (1, 0)


def test_bm25_prefers_rare_words_and_short_texts() -> None:
    ranker = BM25(["dog dog dog dog cat", "a dog", "a dog and a zebra", "nothing"])
    dog, zebra = ranker.scores("dog"), ranker.scores("the zebra or the dog")
    assert dog[3] == 0
    assert dog[1] > dog[2] > 0
    assert max(zebra) == zebra[2]


def test_ranks_are_fused_as_reciprocals_and_a_text_without_the_words_is_in_one_list_only() -> None:
    texts = ["the dog barked", "my dog, my dog", "a zebra in the garden", "dog and cat and zebra", "nothing"]
    with Memory(encoder="hash") as memory:
        found = Baselines(texts, memory.engine.keys.encoder).rank("does the dog bark in the garden?")
    held = {0, 1, 2, 3}  # those with a word of the question
    fused = {
        place: 1 / (61 + found["cosine"].index(place))
        + (1 / (61 + found["bm25"].index(place)) if place in held else 0)
        for place in range(len(texts))
    }
    assert found["rrf"] == sorted(fused, key=lambda place: -fused[place])


# --- a crowd of facts -----------------------------------------------------------------------------


def test_a_crowd_is_distinct_varied_and_follows_from_the_seed() -> None:
    crowd = everyday_facts(1_000, seed=5)
    assert crowd == everyday_facts(1_000, seed=5)
    assert crowd[:100] != everyday_facts(100, seed=6)
    assert len(set(crowd)) == 1_000
    assert len({tuple(text.split()[:3]) for text in crowd}) > 400
    told = [stem for text in crowd for stem in set(stems(text))]
    assert max(map(told.count, set(told))) <= 50  # no word but the smallest is in more than 5 % of them
    assert all(text[0].isupper() and not {*"[]{|}"} & set(text) for text in crowd)
    assert max(len(text.encode()) for text in crowd) <= 160


def test_nobody_of_the_pairs_is_in_the_crowd() -> None:
    crowd = everyday_facts(400)
    names = {word for text in crowd for word in text.split() if word in ("Gudrun", "Netherby")}
    assert names == {"Gudrun", "Netherby"}
    without = everyday_facts(400, without=["gudrun's boat is at netherby"])
    assert not [text for text in without if "Gudrun" in text or "Netherby" in text]


@pytest.mark.parametrize("count", [-1, MOST + 1])
def test_a_crowd_out_of_range_is_refused(count: int) -> None:
    with pytest.raises(InvalidInput, match="crowd"):
        everyday_facts(count)


# --- mishearing -----------------------------------------------------------------------------------

QUESTIONS = [fact.question for fact in near_identical(150)] + [
    "Where did we put the spare passport, and who has the other one?",
    "What's the weather like in my sister's village in November?",
]


def test_a_recognizer_writes_no_capitals_and_no_signs() -> None:
    assert plain("What's Ana’s e-mail – again, PLEASE?") == "what's ana's e mail again please".split()


def test_word_errors_are_counted_by_edit_distance() -> None:
    assert distance("kitten", "sitting") == 3
    assert distance([], ["a"]) == distance(["a"], []) == 1
    assert word_error_rate(["Where is the KEY?"], ["where is the key"]) == 0
    assert word_error_rate(["where is the key", "who"], ["where the quay is", "who"]) == pytest.approx(3 / 5)
    assert word_error_rate([], []) == 0


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.25])
def test_as_many_words_are_wrong_as_asked(rate: float) -> None:
    heard = Recognizer(QUESTIONS).hear(QUESTIONS, rate, seed=1)
    assert word_error_rate(QUESTIONS, heard) == pytest.approx(rate, abs=0.012)
    assert all(text == " ".join(plain(text)) and text for text in heard)
    assert rate or heard == [" ".join(plain(text)) for text in QUESTIONS]


def test_what_is_heard_follows_from_the_seed() -> None:
    recognizer = Recognizer()
    assert recognizer.hear(QUESTIONS, seed=1) == recognizer.hear(QUESTIONS, seed=1)
    assert recognizer.hear(QUESTIONS, seed=1) != recognizer.hear(QUESTIONS, seed=2)


def test_what_is_heard_instead_is_a_word_that_sounds_alike() -> None:
    recognizer = Recognizer(QUESTIONS)
    assert {"wear", "were"} <= set(recognizer.like("where"))
    assert "password" in recognizer.like("passport")
    heard = recognizer.hear(QUESTIONS, 0.3)
    said = {word for text in QUESTIONS for word in plain(text)}
    new = {word for text in heard for word in plain(text)} - said
    assert len(new) > 30
    assert new <= recognizer.words
    assert not [word for word in ("hous", "danc", "citi", "someon") if word in recognizer.words]
    assert {"house", "dance", "city"} <= recognizer.words


def test_words_are_lost_put_in_split_and_joined() -> None:
    recognizer = Recognizer(["a part apart pass port passport"])
    heard = recognizer.hear(["a part passport"] * 300, 0.4)
    assert {2, 3, 4} <= {len(text.split()) for text in heard}
    assert {"apart passport", "a part pass port"} <= set(heard)


@pytest.mark.parametrize(("one", "other"), [("knight", "night"), ("wright", "right"), ("fone", "phone")])
def test_words_that_sound_alike_share_a_key(one: str, other: str) -> None:
    assert sound_of(one) == sound_of(other)
    assert sound_of(one) != sound_of("garden")


def test_what_is_no_english_word_is_heard_as_it_is() -> None:
    texts = ["", "4471 17 052", "狗叫什么名字", "?"]
    heard = Recognizer().hear(texts, 0.5)
    assert heard[0] == heard[3] == ""
    own = [word for text in heard for word in plain(text) if word not in SMALL]
    assert own == [word for text in texts for word in plain(text)]


@pytest.mark.parametrize("rate", [-0.1, 0.6, float("nan")])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(InvalidInput, match="rate"):
        Recognizer().hear(["who is it"], rate)
