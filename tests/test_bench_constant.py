"""The benches of constant cost and of prompts measure what they say, and see a fault when there is one."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from benching import Runner, runner

from neuromem import Memory
from neuromem.bench import constant, run
from neuromem.bench import context as context_bench
from neuromem.bench.talk import Exchange, generated_talk, read_dialogues, says
from neuromem.config import Config
from neuromem.context import ContextBuilder
from neuromem.errors import InvalidInput, NotFound


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str]) -> Runner:
    return runner(capsys)


# --- talk -------------------------------------------------------------------------------------------


def test_generated_talk_is_varied_and_alike_from_end_to_end() -> None:
    talk = list(generated_talk(2_000, seed=1))
    assert talk == list(generated_talk(2_000, seed=1))
    assert len({exchange.text for exchange in talk}) > 1_200
    asked = [bool(exchange.expected) for exchange in talk]
    assert 0.15 < sum(asked[:1_000]) / 1_000 < 0.21
    assert 0.15 < sum(asked[1_000:]) / 1_000 < 0.21
    assert all(later.time > earlier.time for earlier, later in pairwise(talk))


def test_a_question_asks_for_what_was_told_before() -> None:
    before: list[str] = []
    for exchange in generated_talk(300):
        assert not exchange.expected or any(says(text, exchange.expected[0]) for text in before)
        before.append(exchange.text)


@pytest.mark.parametrize(
    ("text", "term", "holds"),
    [
        ("He makes violins.", "violin", True),
        ("It has a nut in it", "nut", True),
        ("a nutty taste", "nut", False),
        ("on the 14th", "14", True),
        ("number 142", "14", False),
        ("11,500 kroner", "11500", True),
        ("Zoë’s", "zoe's", True),
        ("unviolined", "violin", False),
        ("anything", "", False),
    ],
)
def test_a_term_is_held_from_a_words_beginning(text: str, term: str, holds: bool) -> None:
    assert says(text, term) is holds


def script(**more: object) -> dict[str, object]:
    turns = [{"at": "2026-03-02T08:10:00", "say": "I live in Porto."}]
    ask = {"at": "2026-03-02T08:12:00", "say": "Where do I live?", "expect_any": ["Porto"], "kind": "known"}
    return {"user": "Ana", "turns": turns, "asks": [ask]} | more


def test_scripts_are_read_in_the_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "ana.json").write_text(json.dumps(script()))
    [exchanges] = read_dialogues(tmp_path).values()
    assert [exchange.text for exchange in exchanges] == ["I live in Porto.", "Where do I live?"]
    assert exchanges[1].expected == ("Porto",)
    with pytest.raises(NotFound, match=r"no .json"):
        read_dialogues(tmp_path / "nothing")
    (tmp_path / "bad.json").write_text(json.dumps(script(turns=[{"say": "no time"}])))
    with pytest.raises(InvalidInput, match=r"bad.json"):
        read_dialogues(tmp_path)


# --- constant ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_turn_600_costs_what_turn_100_did(bench: Runner) -> None:
    status, report = bench("constant", "--turns", 600, "--slots", 128, "--encoder", "hash")
    assert status == 0
    assert report["turns"] == 600
    assert report["slots"] == 128
    assert report["prompts_over_budget"] == 0
    assert 500 < report["prompt_tokens_max"] <= report["budget_tokens"] == 3_840
    assert set(report["latency"]) == {"search", "conscious", "context", "add"}
    for latency in report["latency"].values():  # loosely: a shared machine has its moods
        assert latency["cpu_ratio"] < 1.5
        assert latency["first_ms"] > 0
    assert all(kind["growth"] < 0.5 for kind in report["resident"].values())


def test_what_gets_slower_from_turn_to_turn_is_seen(bench: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    search, calls = Memory.search, [0]

    def slower(memory: Memory, query: str, **more: object) -> object:
        calls[0] += 1
        sum(range(calls[0] * 9_000))
        return search(memory, query, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Memory, "search", slower)
    _, report = bench("constant", "--turns", 300, "--encoder", "hash", "--sleep-every", 0)
    assert report["latency"]["search"]["cpu_ratio"] > 1.1
    assert report["slots"] > 100


def test_a_prompt_over_its_budget_is_counted_and_fails_the_bench(
    bench: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ContextBuilder, "_within_budget", _anything)
    monkeypatch.setattr(Config, "load", classmethod(lambda cls, *given, **more: TIGHT))
    monkeypatch.setattr(constant, "WINDOW", 20)  # no time is looked at here
    status, report = bench("constant", "--turns", 60, "--encoder", "hash")
    assert status == 1
    assert report["prompts_over_budget"] > 0
    status, report = bench("context", "--turns", 20, "--encoder", "hash")
    assert status == 1
    assert report["prompts_over_budget"] > 0


TIGHT = Config.load({"context": {"system": 30, "memories": 20, "history": 20, "turn": 20}}, env={})


def _anything(builder: ContextBuilder, draft: object, parts: dict[str, int]) -> tuple[object, ...]:
    return [], "", 1_000, parts


def test_too_few_turns_are_refused() -> None:
    with pytest.raises(InvalidInput, match="--turns"):
        run("constant", ["--turns", "100"])


# --- context ----------------------------------------------------------------------------------------


def test_prompts_of_talk_are_measured(bench: Runner) -> None:
    status, report = bench("context", "--turns", 120, "--encoder", "hash")
    assert status == 0
    assert report["prompts"] == 120
    assert report["tokens"]["all"]["p100"] <= report["budget_tokens"]
    assert set(report["tokens"]) == {"all", "system", "conscious", "memories", "history", "turn"}
    assert report["answers"]["all"]["questions"] > 10
    assert report["answers"]["all"]["in_this_talk"] > 0.9
    assert 0 < report["shared_prefix_mean"] <= 1


def test_an_answer_is_present_only_when_it_stands_before_the_question() -> None:
    builder = ContextBuilder()
    asked = Exchange(0.0, "Is Porto my home?", "", ("Porto",))
    history = [{"role": "user", "content": "I live in Porto."}]
    assert context_bench._present(builder.build(history=history, turn=asked.text), asked)
    assert not context_bench._present(builder.build(turn=asked.text), asked)


def test_the_shared_prefix_is_the_part_of_the_second_prompt() -> None:
    assert context_bench._shared("abcd", "abxy1234") == 0.25
    assert context_bench._shared("abcd", "abcd") == 1.0
    assert context_bench._shared("", "abcd") == 0.0


@pytest.mark.slow
def test_answers_are_in_the_prompt_for_the_scripts_at_hand(bench: Runner, data_dir: Path) -> None:
    status, report = bench("context", "--dialogues", data_dir / "dev" / "dialogues", "--encoder", "hash")
    assert status == 0
    assert report["prompts_over_budget"] == 0
    assert report["answers"]["all"]["questions"] > 100
    assert report["answers"]["all"]["in_this_talk"] > 0.7


def test_windows_are_the_second_and_the_last_hundred() -> None:
    assert constant._windows(list(range(1_000))) == (149.5, 949.5)
