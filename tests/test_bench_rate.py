"""What bits buy is counted right, noise and clipping act on the weights, and confidence is judged fairly."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from benching import Runner, runner
from strings import FACTS as PLAIN

from neuromem.bench import codec as codec_bench
from neuromem.bench.calibration import Readings, calibration_error, fit, read_damaged
from neuromem.bench.codec import drafts_of, measure, values_only
from neuromem.bench.common import emit
from neuromem.bench.decoding import at_strength, first_guess, full_texts, random_slots, speak
from neuromem.bench.generated import hard_texts, personal_facts
from neuromem.bench.rate import bits_per_unit, curve, heights, noisy, plain_bits
from neuromem.bench.slots import FactBank
from neuromem.codec import Codec, Reading, default_codec
from neuromem.confidence import Map
from neuromem.config import WriteConfig
from neuromem.ladder import FIELDS, TEXT_BYTES, UNITS, VALUE_UNITS, VERBATIM, worn
from neuromem.write import NEVER, Values, write_values, write_words

FACTS = [fact.text for fact in personal_facts(24, seed=9)]
HARD = hard_texts(21, seed=9)
COARSE = VERBATIM.amplitude / 4  # coarse enough that some words are lost at step 0


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str]) -> Runner:
    return runner(capsys)


def raw(texts: list[str]) -> list[bytes]:
    return [text.encode() for text in texts]


# --- the curve ------------------------------------------------------------------------------------


def test_bits_are_those_of_an_ideal_coder_and_of_a_plain_integer() -> None:
    assert bits_per_unit(torch.tensor([3.0, 3.0, 3.0])) == 0
    assert bits_per_unit(torch.tensor([[0, 1], [0, 1]])) == 1
    assert bits_per_unit(torch.tensor([0, 0, 0, 0, 1, 1, 2, 3])) == pytest.approx(1.75)
    assert [plain_bits(torch.tensor([-most, 0])) for most in (1, 3, 7, 8, 127)] == [2, 3, 4, 5, 8]


def test_heights_fall_in_half_octaves_of_whole_grid_steps_to_one() -> None:
    falling = heights()
    assert (falling[0], falling[-1]) == (VERBATIM.amplitude, 1)
    assert all(height == round(height) for height in falling[1:])
    assert all(
        one / other == pytest.approx(math.sqrt(2), abs=1.0 / other) for one, other in pairwise(falling[:-1])
    )
    assert len(falling) == len(set(falling)) >= 8


def test_fewer_bits_hold_fewer_exact_texts() -> None:
    points = [
        curve(default_codec(), HARD, height, WriteConfig(max_steps=4))
        for height in (heights()[0], COARSE, 1.0)
    ]
    assert points[0]["exact"] >= 0.9
    assert points[-1]["exact"] == 0
    for more, fewer in pairwise(points):
        assert more["bits_per_slot"] > fewer["bits_per_slot"]
        assert more["exact"] >= fewer["exact"]
        assert more["information_per_unit"] >= fewer["information_per_unit"]
    assert all(point["bits_per_unit"] <= point["plain_bits"] for point in points)
    first = points[0]
    characters = sum(map(len, HARD)) / len(HARD)
    assert first["bits_per_character"] * characters == pytest.approx(first["bits_per_slot"])


def test_the_loop_makes_coarse_words_exact_that_the_first_guess_lost() -> None:
    point = curve(default_codec(), HARD, COARSE, WriteConfig())
    assert 0 < point["exact_at_step_0"] < point["exact"]
    assert 0 < point["steps_mean"] < WriteConfig().max_steps
    without = curve(default_codec(), HARD, COARSE, WriteConfig(max_steps=0))
    assert without["exact"] == without["exact_at_step_0"] == point["exact_at_step_0"]


def test_what_any_slot_would_say_is_no_information() -> None:
    """Every patch is the same, so reading another one is as good; of random bytes 1 in 256 is."""
    same = curve(default_codec(), ["aaaaaaaa" * 3] * 4, VERBATIM.amplitude, WriteConfig())
    assert (same["exact"], same["other_slot"], same["information_per_unit"]) == (1, 1, 0)
    noise = curve(default_codec(), random_slots(8), VERBATIM.amplitude, WriteConfig(max_steps=0))
    assert max(noise["other_slot"], noise["no_slot"]) < 0.02


def test_words_on_a_grid_of_the_ladders_height_are_those_that_slots_hold() -> None:
    config = WriteConfig(max_steps=0)
    stored = write_words(default_codec(), raw(FACTS), VERBATIM.amplitude, config)
    values = write_values(default_codec(), raw(FACTS), [()] * len(FACTS), config)
    at = 0
    for row, patches in enumerate(stored.lengths.tolist()):
        if values.floor[row] < NEVER:
            held = values.value[row, VERBATIM.units].view(-1, UNITS)[:patches]
            assert torch.equal(held, stored.weights[at : at + patches])
        at += patches
    assert at == len(stored.weights)


def test_four_bit_weights_stay_within_four_bits_and_are_read_back() -> None:
    stored = write_words(default_codec(), raw(HARD), 8.0, WriteConfig(max_steps=6), limit=7)
    assert int(stored.weights.abs().max()) == 7
    point = curve(default_codec(), PLAIN, 8.0, WriteConfig(), limit=7)
    assert point["plain_bits"] == 4
    assert point["exact"] >= 0.9
    assert curve(default_codec(), PLAIN, 8.0, WriteConfig(max_steps=2), limit=1)["exact"] == 0


def test_words_at_a_strength_are_what_the_bank_would_give_back() -> None:
    weights = first_guess(default_codec(), raw(FACTS[:1]))
    value = torch.zeros(1, VALUE_UNITS, dtype=torch.int8)
    value[0, : weights.numel()] = weights.flatten().to(torch.int8)
    for strength in (1.0, 0.7, 0.5, 0.36):
        left, worth = at_strength(weights, strength)
        bank = worn(value, torch.tensor([0]), torch.tensor([strength]), torch.tensor([0.0]))
        assert torch.equal(left.flatten(), bank[0, : weights.numel()])
        assert strength <= worth <= strength * 2 ** (1 / VERBATIM.stairs)


def test_the_rate_bench_reports_curves_int4_and_noise(bench: Runner) -> None:
    status, report = bench("rate", "--count", 4, "--random", 1, "--steps", 1)
    assert status == 0
    for name in ("facts", "texts", "random bytes"):
        rows = report[f"{name}: curve"]
        assert [row["height"] for row in rows] == pytest.approx(heights(), rel=1e-4)
        assert rows[0]["bits_per_slot"] > rows[-1]["bits_per_slot"]
    assert [row["set"] for row in report["int4"]] == ["facts", "texts", "random bytes"]
    assert [(row["set"], row["sigma"]) for row in report["noise"]] == [
        (name, sigma) for name in ("facts", "texts") for sigma in (0.05, 0.1, 0.2)
    ]


# --- noise ----------------------------------------------------------------------------------------


def test_noise_is_as_strong_as_told_and_falls_where_told() -> None:
    still = FactBank(drafts_of(FACTS), config=values_only())
    rows = still.bank.used.nonzero().flatten()
    values = still.bank.value[rows].float()
    for everywhere in (False, True):
        noisy_ = still.copy()
        noisy_.disturb(0.2, torch.Generator().manual_seed(1), everywhere)
        change = noisy_.bank.value[rows].float() - values
        for field in FIELDS:
            patches = values[:, field.units].view(len(rows), -1, UNITS)
            moved = change[:, field.units].view(len(rows), -1, UNITS)
            in_use = (patches != 0).any(dim=2)
            rms = patches[in_use].square().mean().sqrt()
            assert float(moved[in_use].std() / rms) == pytest.approx(0.2, rel=0.25)
            assert bool((moved[~in_use] != 0).any()) == (everywhere and not bool(in_use.all()))
    assert torch.equal(still.bank.value[rows].float(), values)


def test_more_noise_never_makes_more_exact() -> None:
    rows = noisy("facts", FACTS)
    rates = [row["exact"] for row in rows]
    assert rates == sorted(rates, reverse=True)
    assert all(0 <= rate <= 1 for rate in rates)
    assert all(row["wrong words"] <= (1 - row["exact"]) * len(FACTS) + 1e-9 for row in rows)


# --- confidence -----------------------------------------------------------------------------------


def test_the_calibration_error_of_known_confidences() -> None:
    nine_of_ten = torch.tensor([1.0] * 9 + [0.0], dtype=torch.float64)
    assert calibration_error(torch.full((10,), 0.9), nine_of_ten) == pytest.approx(0, abs=1e-6)
    assert calibration_error(torch.full((10,), 0.95), nine_of_ten * 0) == pytest.approx(0.95)
    mixed = torch.tensor([0.9, 0.1])  # 0.1 too low in one bin and 0.1 too high in another
    assert calibration_error(mixed, torch.tensor([1.0, 0.0])) == pytest.approx(0.1)
    assert math.isnan(calibration_error(torch.zeros(0), torch.zeros(0)))


def test_the_map_finds_a_planted_overconfidence_and_is_monotone() -> None:
    generator = torch.Generator().manual_seed(0)
    raw = 0.5 + 0.4999 * torch.rand(20_000, generator=generator, dtype=torch.float64)
    planted = Map(0.6, -1.0)
    chance = torch.tensor([planted(value) for value in raw.tolist()], dtype=torch.float64)
    right = (torch.rand(20_000, generator=generator, dtype=torch.float64) < chance).double()
    none = torch.zeros_like(right)
    found = fit(Readings(raw, raw, right, none, none))
    assert found.slope == pytest.approx(planted.slope, abs=0.08)
    assert found.offset == pytest.approx(planted.offset, abs=0.08)
    mapped = torch.tensor([found(value) for value in raw.tolist()], dtype=torch.float64)
    assert calibration_error(mapped, right) < 0.02 < calibration_error(raw, right)


def test_undisturbed_readings_are_right_and_disturbed_ones_less_so() -> None:
    readings = read_damaged(FACTS)
    still = readings.sigma == 0
    words = still & (readings.kind == 0)
    assert int(words.sum()) == 3 * len(FACTS)  # at three strengths, nothing was refused
    assert set(readings.kind.tolist()) == {0, 1, 2}
    assert float(readings.right[still].mean()) > 0.97
    assert float(readings.right[readings.sigma > 0.3].sum()) < float(readings.right[still].sum())
    assert float(readings.confidence[words].mean()) > 0.9
    assert float(readings.confidence[readings.sigma > 0.3].mean()) < 0.4


def test_words_that_match_their_seal_are_certain_and_others_nearly_so() -> None:
    for sealed in (True, False):
        bank = FactBank(drafts_of(FACTS), config=values_only(), sealed=sealed)
        sure = [recall.confidence for recall in bank.read() if recall is not None]
        assert len(sure) == len(FACTS)
        assert (min(sure) == 1) == sealed
        assert min(sure) > 0.5


def test_the_calibration_bench_measures_the_maps_in_use_beside_the_raw_chances(bench: Runner) -> None:
    status, report = bench("calibration", "--count", 12)
    assert status == 0
    assert 0 <= report["ece"] < report["ece_raw"] <= 1
    assert [row["kind"] for row in report["kinds"]] == ["words", "gist", "gist_of_damaged_words"]
    assert all(row["slope"] > 0 and row["fresh_slope"] > 0 for row in report["kinds"])
    assert sum(row["readings"] for row in report["bins"]) == report["readings"]
    assert sum(row["readings"] for row in report["by_noise"]) == report["readings"]


# --- the codec's own bench ------------------------------------------------------------------------


def test_confident_bytes_are_those_sure_enough_to_be_shown() -> None:
    texts = raw(FACTS)
    guess = first_guess(default_codec(), texts)
    spoken = speak(default_codec(), texts, guess / VERBATIM.amplitude, VERBATIM.amplitude)
    assert len(spoken.right) == len(spoken.chance) == sum(map(len, texts))
    assert spoken.right_bytes == float(spoken.right.double().mean()) > 0.99
    lost = speak(default_codec(), texts, torch.zeros_like(guess), VERBATIM.amplitude)
    assert not any(lost.exact)
    assert lost.right_bytes < 0.1


def test_bits_of_text_are_counted_over_the_value_and_over_the_slot() -> None:
    """160 exact bytes are 1,280 bits, less the share that any other slot would have said as well."""
    text = full_texts([fact.text for fact in personal_facts(20)])[0]
    assert len(text.encode()) == TEXT_BYTES
    result = measure(drafts_of([text]), values_only())
    bits = 8 * TEXT_BYTES * (1 - max(result["no_slot"], result["other_slot"]))
    row_bytes = FactBank(drafts_of([text])).bank.bytes_per_slot
    assert result["exact"] == 1
    assert result["text_bits_per_byte_of_the_value"] == pytest.approx(bits / VALUE_UNITS)
    assert result["text_bits_per_byte_of_the_slot"] == pytest.approx(bits / row_bytes)


def test_random_bytes_that_are_read_back_count_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = default_codec()
    result = codec_bench.random_bytes(codec, 3, 1_000)
    bits = 8 * TEXT_BYTES * result["exact"] * (1 - max(result["no_slot"], result["other_slot"]))
    assert result["text_bits_per_byte_of_the_value"] == pytest.approx(bits / VALUE_UNITS)
    assert result["text_bits_per_byte_of_the_slot"] == pytest.approx(bits / 1_000)
    assert result["right_bytes_at_step_0"] > 0.9
    assert max(result["no_slot"], result["other_slot"]) < 0.02

    def lose(*arguments: Any) -> Values:
        values = write_values(*arguments)
        return replace(values, value=values.value * 0)

    monkeypatch.setattr(codec_bench, "write_values", lose)
    lost = codec_bench.random_bytes(codec, 3, 1_000)
    assert (lost["exact"], lost["text_bits_per_byte_of_the_value"]) == (0, 0)


def test_timed_readings_are_never_remembered_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(self: Codec, values: torch.Tensor, strength: torch.Tensor) -> list[Reading]:
        decoded.append(len(values))
        return afresh(self, values, strength)

    decoded: list[int] = []
    afresh = Codec._read_values
    words = default_codec()._words  # it has kept the method as it was
    monkeypatch.setattr(words, "_read", lambda *read: decode(default_codec(), *read))
    monkeypatch.setattr(codec_bench, "REPEATS", 5)
    row = codec_bench.decode_ms("facts", drafts_of([fact.text for fact in personal_facts(12)]))
    assert row["slots"] == 10
    assert 0 < row["decode_1_threads"] <= row["read_1_threads"]
    assert set(decoded) == {10}
    assert 2 <= len(decoded) <= 10


def test_full_texts_fill_their_slots_and_lose_nothing() -> None:
    texts = ["naïve café ünï", "kurz", "Мою собаку зовут Потола", "🎂🥳 birthday"] * 12
    full = full_texts(texts)
    assert " ".join(texts).startswith("".join(full))
    assert all(TEXT_BYTES - 3 <= len(text.encode()) <= TEXT_BYTES for text in full)
    assert full_texts(["short"]) == []


def test_a_wide_table_is_turned_and_a_square_one_is_not_turned_for_ever(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [{f"column {index}": row * index for index in range(14)} for row in range(11)]
    emit({"bench": "x", "wide": rows, "square": [dict(row) for row in (rows + rows)[:14]]}, as_json=False)
    assert capsys.readouterr().out.count("wide") == 1
