"""The write loop: proof before claim, only its own rows, the same bits for the same input."""

from __future__ import annotations

import random
from collections.abc import Sequence
from uuid import UUID

import pytest
import torch
from strings import FACTS, LONG_TEXT, NASTY

from neuromem.bank import SlotBank
from neuromem.codec import DAMAGED, default_codec
from neuromem.config import BankConfig, RecallConfig, WriteConfig
from neuromem.encoders import HashEncoder
from neuromem.facts import gist_of
from neuromem.forgetting import Fidelity
from neuromem.keys import Keys
from neuromem.ladder import FIELDS, GIST_FIELDS, PATCH_BYTES, TEXT_BYTES, UNITS, VERBATIM, stair, worn
from neuromem.write import HIGHEST, NEVER, Values, check_strengths, floor_of, write_values
from neuromem.writer import Draft, Writer


def letters(seed: int, first: int, last: int, count: int) -> str:
    """Random letters of a block of Unicode, for which no word of the training text stands."""
    source = random.Random(seed)
    return "".join(chr(source.randint(first, last)) for _ in range(count))


HARD = [
    letters(5, 0x13A0, 0x13F5, 40),  # Cherokee
    letters(3, 0x00C0, 0x024F, 60),  # Latin with every accent
    "pw: xK9#mP2$vL5@nQ8!wR3%",
    "kv7 QzX-0192/ab83:ff02:19cc::7e",
    "Przemysław Gżegżółka 48 603 112 908",
    "Мою собаку зовут Потола",
    "9f86d081884c7d659a2feaa0c55ad015",
    "kJ2h8dNqR4vXzP0tWm3yLb6s",
]


def written(words: list[str], config: WriteConfig | None = None, gists: bool = False) -> Values:
    segments = [
        [part.encode() for part in gist_of(text).segments()] if gists else [b""] * 4 for text in words
    ]
    return write_values(default_codec(), [text.encode() for text in words], segments, config or WriteConfig())


def said(values: Values, row: int, strength: float) -> tuple[str, Fidelity]:
    at = torch.tensor([strength])
    left = worn(values.value[row : row + 1], torch.tensor([0]), at, values.floor[row : row + 1])
    (reading,) = default_codec().read_values(left, at)
    return reading.text, reading.fidelity


def writer(config: WriteConfig | None = None, **bank: object) -> tuple[Writer, SlotBank]:
    keys = Keys(HashEncoder(), BankConfig(**bank), RecallConfig())
    return Writer(default_codec(), keys, config or WriteConfig()), SlotBank(keys.width, BankConfig(**bank))


def draft(text: str) -> Draft:
    return Draft(text, gist_of(text).segments())


# --- what is checked ---------------------------------------------------------------------------


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_field_is_checked_at_every_strength_at_which_it_is_ever_read(field) -> None:
    strengths = torch.linspace(field.threshold, 1, 10_001)
    stairs = set(stair(strengths, field.stairs).tolist())
    assert stairs == set(check_strengths(field).tolist())


def test_a_floor_is_read_at_a_stair_that_was_proven() -> None:
    checks = check_strengths(VERBATIM)
    for passed in range(1, len(checks) + 1):
        floor = torch.tensor([floor_of(VERBATIM, passed)])
        assert float(stair(floor, VERBATIM.stairs)) == float(checks[passed - 1])
    assert floor_of(VERBATIM, len(checks)) == VERBATIM.threshold


# --- proof -------------------------------------------------------------------------------------


def test_plain_facts_are_written_in_a_few_steps_and_proven_down_to_the_end_of_their_rung() -> None:
    values = written(list(FACTS), gists=True)
    assert values.floor.tolist() == pytest.approx([VERBATIM.threshold] * len(FACTS))
    assert values.steps.float().mean() <= 6
    for row, fact in enumerate(FACTS):
        assert said(values, row, 1.0) == (fact, Fidelity.VERBATIM)
        assert said(values, row, 0.3501) == (fact, Fidelity.VERBATIM)
        wanted = [bool(part) for part in gist_of(fact).segments()]
        assert [bool(values.fields[row, field.index]) for field in GIST_FIELDS] == wanted


def test_what_is_claimed_is_said_at_every_strength_down_to_the_floor_and_not_below() -> None:
    values = written(HARD)
    assert (values.floor < NEVER).any()
    for row, text in enumerate(HARD):
        floor = float(values.floor[row])
        for strength in torch.linspace(0.2, 1, 81).tolist():
            expected = (text, Fidelity.VERBATIM) if strength >= floor else ("", Fidelity.FORGOTTEN)
            assert said(values, row, strength) == expected


def test_words_that_are_not_proven_leave_nothing_behind() -> None:
    values = written(HARD, WriteConfig(max_steps=0))
    for row in range(len(HARD)):
        words = values.value[row, VERBATIM.units]
        assert bool(words.any()) == bool(values.floor[row] < NEVER)
        assert bool(values.fields[row, VERBATIM.index]) == bool(values.floor[row] < NEVER)


def test_an_empty_text_is_written_too_and_is_proven_to_be_empty() -> None:
    values = write_values(default_codec(), [b"", b"x"], [(b"",) * 4] * 2, WriteConfig())
    assert said(values, 0, 1.0) == ("", Fidelity.VERBATIM)
    assert said(values, 1, 1.0) == ("x", Fidelity.VERBATIM)


def test_codes_stay_within_reach_of_the_grid_of_their_field() -> None:
    values = written(HARD + list(FACTS), gists=True)
    for field in FIELDS:
        assert values.value[:, field.units].int().abs().max() <= min(127, HIGHEST * field.amplitude)
    assert HIGHEST < DAMAGED, "what is written is never taken for damage"


# Each fills its last patch, and ends with letters after which the decoder expects the end.
FULL = [
    "Miwa drives a green van with the plate RX 046 CH",
    "Leda drives a green van with the plate ZU 427 VC",
    "Nugi drives a green van with the plate BP 917 HC",
    "The wifi password at Zele is 6xtank8znzk",
    "Caiqae: c@T1oT]zE3#D|3Qq",
]


def test_a_text_that_ends_with_its_last_patch_is_exact_in_one_slot() -> None:
    assert all(len(text.encode()) % PATCH_BYTES == 0 for text in FULL)
    values = written(FULL)
    assert values.floor.max() < NEVER
    for row, text in enumerate(FULL):
        assert said(values, row, max(float(values.floor[row]), VERBATIM.threshold)) == (
            text,
            Fidelity.VERBATIM,
        )


def test_an_easy_text_that_ends_with_its_last_patch_takes_no_patch_more() -> None:
    text = "the code of the boathouse door is 4471.."
    values = written([text])
    assert int(values.steps[0]) == 0
    used = (values.value[0, VERBATIM.units].view(-1, UNITS) != 0).any(dim=1)
    assert int(used.sum()) == len(text.encode()) // PATCH_BYTES == 5


# --- the loop earns its steps ------------------------------------------------------------------


def test_the_loop_makes_more_texts_exact_and_to_a_lower_strength_than_no_steps() -> None:
    without, with_loop = written(HARD, WriteConfig(max_steps=0)), written(HARD, WriteConfig(max_steps=48))
    assert (with_loop.floor <= without.floor).all()
    assert with_loop.floor.mean() < without.floor.mean()
    assert with_loop.steps.max() > 0
    assert without.steps.max() == 0


def test_easy_facts_drop_out_while_hard_ones_go_on() -> None:
    values = written([FACTS[0], HARD[0]])
    assert values.steps[0] < values.steps[1]


def test_the_budget_of_steps_is_kept() -> None:
    assert written(HARD + FULL, WriteConfig(max_steps=3)).steps.max() <= 3


# --- determinism -------------------------------------------------------------------------------


def test_the_same_input_and_seed_give_the_same_bits() -> None:
    first, second = written(HARD), written(HARD)
    for one, other in zip(
        (first.value, first.floor, first.fields, first.steps),
        (second.value, second.floor, second.fields, second.steps),
        strict=True,
    ):
        assert one.equal(other)


def test_torchs_own_random_numbers_are_neither_used_nor_moved() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = written(HARD)
    assert torch.get_rng_state().equal(before)
    torch.manual_seed(2)
    assert written(HARD).value.equal(first.value)


# --- the writer --------------------------------------------------------------------------------


def test_writing_changes_nothing_in_the_bank() -> None:
    work, bank = writer()
    before = {name: tensor.clone() for name, tensor in bank.state_dict().items()}
    work.write([draft(fact) for fact in FACTS], bank)
    assert all(tensor.equal(before[name]) for name, tensor in bank.state_dict().items())


def test_what_was_just_proven_is_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    codec, (work, bank) = default_codec(), writer()
    (result,) = work.write([draft("My dog's name is Potola")], bank)
    monkeypatch.setattr(codec, "spell", lambda *_: pytest.fail("it was decoded"))
    value = result.rows.value.float()
    assert codec.read_values(value, torch.ones(1))[0].text == "My dog's name is Potola"
    assert codec.read_gists(value, torch.ones(1))[0].text == "1|dog name|Potola"


def test_a_report_says_what_was_done() -> None:
    work, bank = writer()
    (result,) = work.write([draft("My dog's name is Potola")], bank)
    report = result.report
    assert report.exact
    assert report.floor == pytest.approx(VERBATIM.threshold)
    assert (report.slots, report.text_bits) == (1, 8 * 23)
    assert report.value_bits == 3 * UNITS * 8
    assert report.bits_per_weight == pytest.approx(8 * 23 / (3 * UNITS))
    assert report.ms > 0


def test_what_is_at_hand_after_a_write_is_what_its_rows_say() -> None:
    """Words and gists of what was just proven are not read again; read again, they are the same."""
    codec, (work, bank) = default_codec(), writer()
    texts = [*FACTS, *HARD, *NASTY.values(), LONG_TEXT]
    for start in range(0, len(texts), 8):
        codec.forget_readings()
        rows = [
            item.rows.value for item in work.write([draft(text) for text in texts[start : start + 8]], bank)
        ]
        value = torch.cat(rows).float()
        full = torch.ones(len(value))
        words, gists = codec.read_values(value, full), codec.read_gists(value, full)
        codec.forget_readings()
        again, gists_again = codec.read_values(value, full), codec.read_gists(value, full)
        assert [(r.text, r.fidelity) for r in words] == [(r.text, r.fidelity) for r in again]
        assert [(r.text, r.fidelity) for r in gists] == [(r.text, r.fidelity) for r in gists_again]


def test_a_long_text_is_cut_into_slots_that_join_to_the_same_words() -> None:
    work, bank = writer()
    (result,) = work.write([draft(LONG_TEXT)], bank)
    assert result.report.exact
    assert result.report.slots >= len(LONG_TEXT.encode()) / TEXT_BYTES
    strength = torch.ones(result.report.slots)
    left = worn(result.rows.value, torch.zeros(len(strength), dtype=torch.int64), strength, result.rows.floor)
    assert "".join(reading.text for reading in default_codec().read_values(left, strength)) == LONG_TEXT


def test_a_text_in_several_slots_is_found_by_its_own_words_among_texts_that_begin_alike() -> None:
    work, bank = writer(WriteConfig(max_steps=0))
    motto = letters(5, 0x13A0, 0x13F5, 30)
    texts = [
        f"The motto over the old door of the {place} says {words}"
        for place, words in (("mill", motto), ("mill", "nothing"), ("barn", "work"), ("mill", "amen"))
    ]
    for index, result in enumerate(work.write([draft(text) for text in texts], bank)):
        assert (result.report.slots > 1) == (index == 0)
        rows = bank.allocate(result.report.slots, 0)
        bank.store(str(UUID(int=index)), rows, result.rows, {"stability": 1.0})
    for index, text in enumerate(texts):
        _, rows = bank.lookup(work.keys.query(text), 1)
        assert bank.ids_of(rows) == [str(UUID(int=index))]


def test_what_cannot_be_made_exact_is_cut_finer_or_flagged() -> None:
    work, bank = writer(WriteConfig(max_steps=4))
    results = work.write([draft(text) for text in NASTY.values() if text.strip()], bank)
    finer = 0
    for text, result in zip((text for text in NASTY.values() if text.strip()), results, strict=True):
        report = result.report
        assert report.exact == (report.floor < NEVER) == bool((result.rows.floor < NEVER).all())
        finer += report.slots > 1 and len(text.encode()) <= TEXT_BYTES
        if report.exact:
            strength = torch.ones(report.slots)
            left = worn(
                result.rows.value, torch.zeros(len(strength), dtype=torch.int64), strength, result.rows.floor
            )
            readings = default_codec().read_values(left, strength)
            assert "".join(reading.text for reading in readings) == text
    assert finer, "some of the list should need a finer cut"


def test_a_question_that_a_fact_answers_is_encoded_once_however_near_its_neighbours_are() -> None:
    encoded: list[str] = []

    class Noting(HashEncoder):
        def encode(self, texts: Sequence[str]) -> torch.Tensor:
            encoded.extend(texts)
            return super().encode([text.replace("Potolo", "Potola") for text in texts])  # one meaning

    keys = Keys(Noting(), BankConfig(), RecallConfig())
    loop, bank = Writer(default_codec(), keys, WriteConfig()), SlotBank(keys.width, BankConfig())
    drafts = [
        Draft(f"My dog is called {name}", ("", "", "", ""), ("what is my dog called?",))
        for name in ("Potola", "Potolo")
    ]
    last = loop.write(drafts, bank)[-1]
    assert last.report.key_steps > 0, "they were no near neighbours"
    assert sorted(encoded) == sorted([*(draft.text for draft in drafts), *2 * ["what is my dog called?"]])


def test_writing_no_facts_gives_no_facts() -> None:
    work, bank = writer()
    assert work.write([], bank) == []
