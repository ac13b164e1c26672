"""The benches measure what they say, print one JSON object, and see a fault when there is one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from benching import Runner, lines, runner

from neuromem import Memory
from neuromem.bank import SlotBank
from neuromem.bench import NAMES, durability, run, speed
from neuromem.bench import codec as codec_bench
from neuromem.bench.ablation import TableEncoder, gained
from neuromem.bench.codec import drafts_of, measure, step_zero, values_only
from neuromem.bench.common import percentiles, read_texts
from neuromem.bench.forgetting import Expected, follows_curve, gist_words, word_f1
from neuromem.bench.forgetting import measure as measure_forgetting
from neuromem.bench.generated import hard_texts, nasty_strings, near_identical, personal_facts
from neuromem.bench.interference import rebuilds_agree, slots_changed
from neuromem.bench.slots import FactBank
from neuromem.codec import Codec, default_codec
from neuromem.encoders import HashEncoder, load_encoder
from neuromem.errors import InvalidInput, NotFound
from neuromem.facts import parse_gist
from neuromem.forgetting import THRESHOLDS, Fidelity
from neuromem.recall import Recall
from neuromem.senses import senses_of


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str]) -> Runner:
    return runner(capsys)


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_bench_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(name, ["--help"])
    assert stopped.value.code == 0
    assert f"neuromem bench {name}" in capsys.readouterr().out


def test_an_unknown_bench_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="codec, forgetting, recall"):
        run("codecs", [])


@pytest.mark.parametrize("argv", [["--texts", "no/such.txt"], ["--gists", "no/such.jsonl"]])
def test_a_missing_file_is_named(argv: list[str]) -> None:
    with pytest.raises(NotFound, match="no/such"):
        run("codec", argv)


def test_a_line_that_is_no_json_object_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gists.jsonl"
    path.write_text('{"text": "a", "gist": "1|b"}\n[1]\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match="line 2"):
        run("forgetting", ["--gists", str(path)])


def test_texts_come_from_lines_or_from_a_field(tmp_path: Path) -> None:
    plain = tmp_path / "texts.txt"
    plain.write_text("one\n\ntwo\u2028three\n", encoding="utf-8")
    assert read_texts(plain) == ["one", "two\u2028three"]
    assert read_texts(lines(tmp_path / "facts.jsonl", {"fact": "four"}), "fact") == ["four"]


def test_percentiles_are_nearest_ranks() -> None:
    assert percentiles(range(1, 101)) == {"p50": 50, "p99": 99}
    assert math.isnan(percentiles([])["p50"])


def test_generated_facts_are_distinct_and_follow_from_the_seed() -> None:
    facts = personal_facts(500, seed=3)
    assert facts == personal_facts(500, seed=3)
    assert facts != personal_facts(500, seed=4)
    assert len({fact.text for fact in facts}) == 500
    assert len({fact.question for fact in near_identical(500)}) == 500
    assert all(parse_gist(fact.gist).is_triple for fact in facts)
    assert all(len(text.encode()) <= 160 for text in hard_texts(100))


# --- codec ----------------------------------------------------------------------------------------


def test_the_codec_bench_finds_short_facts_exact_and_no_lie(bench: Runner) -> None:
    status, report = bench("codec", "--count", 12, "--random", 4)
    facts = report["sets"]["generated facts"]
    assert (status, report["lies"]) == (0, 0)
    assert facts["exact"] >= 0.9
    assert facts["exact_at_step_0"] >= 0.75
    assert facts["truthful"] == 1
    assert 1 < facts["text_bits_per_weight"] < 8
    assert set(report["sets"]) == {"generated facts", "generated hard texts", "full texts"}
    assert facts["confident_bytes_right"] >= 0.99
    assert 0 <= report["random_bytes"]["exact"] <= 1
    assert [row["slots"] for row in report["decode_ms"]][:2] == [10, 10]
    assert set(report["nasty_strings"]) == set(nasty_strings())
    assert {row["shown"] for row in report["nasty_strings"].values()} <= {"exact", "flagged"}


def test_a_bank_that_says_other_words_is_called_a_liar(
    bench: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lie(self: FactBank, now_ms: int = 0) -> list[Recall | None]:
        return [recall and replace(recall, text=recall.text + "!") for recall in honest(self)]

    honest = FactBank.read
    monkeypatch.setattr(FactBank, "read", lie)
    monkeypatch.setattr(codec_bench, "nasty_strings", lambda seed: {"one byte": "x"})
    status, report = bench("codec", "--count", 4, "--random", 0)
    assert status == 1
    assert report["lies"] > 0
    assert report["sets"]["generated facts"]["exact"] == 0


def test_step_zero_is_told_text_by_text_and_needs_a_trained_codec() -> None:
    texts = ["My dog is called Rex", "", "I live in Paris. " * 30]
    assert step_zero(default_codec(), texts) == [True, True, True]
    torch.manual_seed(0)
    assert step_zero(Codec().eval(), texts) == [False, True, False]


def test_what_is_measured_by_strength_never_grows_as_it_falls() -> None:
    result = measure(drafts_of(hard_texts(12)), values_only())
    rates = list(result["exact_by_strength"].values())
    assert rates == sorted(rates, reverse=True)


# --- forgetting -----------------------------------------------------------------------------------


def test_the_words_expected_of_each_rung() -> None:
    fact = Expected("We called the dog Potola.", parse_gist("1|dog name|Potola"))
    assert [fact.words(rung) for rung in Fidelity] == [
        "We called the dog Potola.", "1|dog name|Potola", "1|dog name|P", "1|dog name", "1", "",
    ]  # fmt: skip


def test_the_ladder_is_right_and_sleep_changes_nothing(bench: Runner) -> None:
    _, report = bench("forgetting", "--count", 20, "--nights", 40, "--aged", 0)
    assert report["generated: right_rung"] >= 0.9
    assert report["generated: right_characters"] >= 0.95
    assert report["generated: rises"] == 0
    assert report["generated: sleep_agreement"] == 1
    days = report["generated: by_day"]
    assert days[0]["verbatim"] == 1
    assert days[-1]["verbatim"] < 0.5
    assert all(math.isclose(sum(day[rung] for rung in Fidelity), 1, abs_tol=1e-4) for day in days)


def test_a_gist_that_was_not_written_is_not_found_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Expected, "words", lambda self, rung: "something else")
    fact = Expected("I live in Paris", parse_gist("1|home|Paris"))
    result = measure_forgetting([fact], nights=1)
    assert result["right_rung"] == 0
    assert result["right_characters"] == 0


def test_strength_set_by_hand_is_the_strength_that_is_read() -> None:
    facts = FactBank(drafts_of(["I live in Paris", "My dog is called Rex"]))
    for strength in (1.0, 0.5, *THRESHOLDS.values()):
        facts.set_strength(strength)
        rows = facts.bank.used.nonzero().flatten()
        shown = facts.bank.readable(rows.tolist(), 1_800_000_000_000)[1]
        assert shown.min() >= strength * (1 - 1e-6)
        assert shown.max() <= strength * (1 + 1e-4)


def test_the_share_on_each_rung_follows_the_curve() -> None:
    facts = [Expected(fact.text, parse_gist(fact.gist)) for fact in personal_facts(150)]
    result = follows_curve(facts)
    assert result["aged_facts"] == 150
    assert result["largest_difference_points"] <= 3
    seen = {rung for row in result["by_age"] for rung in Fidelity if row[rung] > 0.02}
    assert seen >= {Fidelity.VERBATIM, Fidelity.GIST, Fidelity.PARTIAL, Fidelity.FORGOTTEN}
    for row in result["by_age"]:
        assert sum(row[rung] for rung in Fidelity) + row["wrong words"] == pytest.approx(1)
        assert sum(row[f"{rung}, curve"] for rung in Fidelity) == pytest.approx(1)


def test_facts_that_fade_off_the_curve_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasten(self: FactBank, days: Sequence[float]) -> None:
        age(self, [2 * day for day in days])

    age = FactBank.age
    monkeypatch.setattr(FactBank, "age", hasten)
    facts = [Expected(fact.text, parse_gist(fact.gist)) for fact in personal_facts(60)]
    assert follows_curve(facts)["largest_difference_points"] > 10


def test_rungs_with_wrong_words_do_not_count_as_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Expected, "words", lambda self, rung: "something else")
    facts = [Expected("I live in Paris", parse_gist("1|home|Paris"))]
    youngest = follows_curve(facts)["by_age"][0]
    assert (youngest["verbatim"], youngest["wrong words"], youngest["points apart"]) == (0, 1, 100)


def test_gist_words_are_compared_with_the_reference() -> None:
    pairs = [("We called the dog Potola.", "1|dog name|Potola"), ("i live in utrecht", "1|home|Utrecht")]
    given, ours = gist_words([*pairs, ("My sister Ana is a vet", "brother|job|pilot")])
    assert (given["word_f1"], given["subject_exact"], given["exact"]) == (1, 1, 1)
    assert ours["word_f1"] < 1
    assert ours["subject_exact"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("said", "reference", "f1"),
    [
        ("1|dog name|Potola", "1|dog name|Potola", 1.0),
        ("1|dogs' names|Potola", "1|dog name|Potola", 1.0),  # stemmed
        ("1|dog name|Patola", "1|dog name|Potola", 2 / 3),
        ("1", "1|dog name|Potola", 0.0),  # the speaker is no word
        ("", "mother|job|nurse", 0.0),
    ],
)
def test_the_f1_of_gist_words(said: str, reference: str, f1: float) -> None:
    assert word_f1(said, reference) == pytest.approx(f1)


# --- ablation -------------------------------------------------------------------------------------


def test_the_ablation_compares_both_arms_on_the_same_facts(bench: Runner) -> None:
    _, report = bench("ablation", "--near", 60, "--count", 14, "--encoder", "hash")
    without, loop = report["arms"]["no steps"], report["arms"]["loop"]
    assert without["steps_mean"] == 0 < loop["steps_mean"]
    assert loop["lowest_strength_mean"] < without["lowest_strength_mean"]
    assert loop["exact_unsplit"] >= without["exact_unsplit"]
    assert loop["recall@1"] >= without["recall@1"] > 0.5


def test_a_loop_that_gains_nothing_is_seen() -> None:
    without = {"exact": 1.0, "exact_unsplit": 0.9, "lowest_strength_mean": 0.4, "recall@1": 0.99}
    better = {"exact": 1.0, "exact_unsplit": 0.95, "lowest_strength_mean": 0.36, "recall@1": 1.0}
    assert all(gained(without, better).values())
    assert not any(gained(without, without | {"exact": 0.9}).values())


def test_the_table_encodes_every_text_once() -> None:
    calls: list[str] = []

    class Counting(HashEncoder):
        def encode(self, texts: Any) -> torch.Tensor:
            calls.extend(texts)
            return super().encode(texts)

    table = TableEncoder(Counting())
    twice = table.encode(["a", "b", "a"])
    assert torch.equal(twice, HashEncoder().encode(["a", "b", "a"]))
    assert torch.equal(table.encode(["b"]), twice[1:2])
    assert table.encode([]).shape == (0, table.width)
    assert calls == ["a", "b"]


# --- speed ----------------------------------------------------------------------------------------


def test_lookups_are_compared_on_the_same_vectors() -> None:
    row = speed.lookups(500, 64, seed=0)
    assert row["recall@10"] > 0.9
    assert row["ours_ms_p99"] >= row["ours_ms_p50"] > 0


def test_without_faiss_ours_is_measured_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_faiss", lambda: None)
    assert not any(name.startswith("faiss") for name in speed.lookups(64, 64, seed=0))


def test_a_filled_bank_holds_so_many_sound_slots() -> None:
    facts = FactBank(drafts_of(["I live in Paris", "My dog is called Rex"]))
    speed.fill(facts.bank, speed.clustered(300, facts.bank.key_width, 0), 0)
    assert len(facts.bank) == len(facts.bank.ids()) == 302
    assert [recall and recall.text for recall in facts.read()] == ["I live in Paris", "My dog is called Rex"]


def test_the_encoder_is_timed_apart() -> None:
    timed = speed.timed(HashEncoder())
    assert torch.equal(timed.encode(["a"]), HashEncoder().encode(["a"]))
    assert timed.ms > 0
    assert senses_of(timed) is None


def test_a_timed_encoder_tells_words_apart_if_it_does() -> None:
    timed = speed.timed(load_encoder(None))
    assert senses_of(timed) is not None
    [vector], words = timed.encode_words(["my dog"], [[(3, 6)]])  # type: ignore[attr-defined]
    assert len(words) == 1
    assert torch.equal(vector, load_encoder(None).encode(["my dog"])[0])
    assert timed.ms > 0


@pytest.mark.slow
def test_the_speed_bench_reports_everything(bench: Runner, tmp_path: Path) -> None:
    argv = ["--slots", "64,512", "--encoder", "hash", "--facts", "40", "--path", str(tmp_path)]
    status, report = bench("speed", *argv)
    assert status == 0
    assert [row["slots"] for row in report["lookup"]] == [64, 512]
    assert report["slot_bytes"] < 2_048
    assert report["open_slots"] >= 10_000
    for what in ("add", "search", "search, only looking"):
        assert 0 < report["ms"][f"{what}, without encoder"]["p50"] <= report["ms"][what]["p50"]
    assert (
        0 < report["ms"]["conscious, again"]["cpu_p50"] < report["ms"]["conscious, after an add"]["cpu_p50"]
    )
    assert report["start_s"]["import neuromem.Memory"] > report["start_s"]["python"] > 0
    assert not list(tmp_path.iterdir())


# --- durability -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.slow)])
def test_nothing_acknowledged_is_lost_by_kill_9(bench: Runner, tmp_path: Path, kills: int) -> None:
    status, report = bench("durability", "--kills", kills, "--path", tmp_path)
    assert status == 0
    assert report["acknowledged"] >= kills
    assert (report["lost"], report["failed_opens"], report["chain_verifies"]) == (0, 0, True)


def test_a_fact_that_is_gone_from_the_bank_or_never_came_to_the_log_is_called_lost() -> None:
    with Memory(encoder="hash") as memory:
        kept, gone = memory.add(
            [{"content": "I live in Paris"}, {"content": "I play the cello"}], user_id="ana"
        )
        never = "00000000-0000-4000-8000-000000000000"
        memory.bank("ana").free(gone.id)
        acknowledged = {kept.id: kept.text, gone.id: gone.text, never: "I was never said"}
        assert durability._missing(memory, acknowledged) == {gone.id, never}
        assert durability._missing(memory, {kept.id: "I live in Rome"}) == {kept.id}


# --- interference ---------------------------------------------------------------------------------


def test_new_facts_leave_old_slots_as_they_are() -> None:
    result = slots_changed(30, 60, seed=0)
    assert (result["first_slots"], result["changed_slots"]) == (30, 0)
    assert result["further_slots"] >= 60


def test_a_slot_that_changes_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def meddle(self: SlotBank, memory_id: str, rows: list[int], *rest: Any) -> None:
        store(self, memory_id, rows, *rest)
        self.key[3] ^= 1

    store = SlotBank.store
    monkeypatch.setattr(SlotBank, "store", meddle)
    assert slots_changed(10, 5, seed=0)["changed_slots"] == 1


def test_two_rebuilds_of_one_log_are_byte_identical(tmp_path: Path) -> None:
    result = rebuilds_agree(tmp_path, 40, seed=0)
    assert result["rebuilds_byte_identical"]
    assert result["same_as_never_rebuilt"]
