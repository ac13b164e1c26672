"""The slot bank: rows are handed out, grown, evicted, freed; only written rows change; lookup is exact."""

from __future__ import annotations

import math
import uuid

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromem.bank import SlotBank
from neuromem.config import BankConfig, ForgettingConfig
from neuromem.errors import CapacityExhausted, InvalidInput
from neuromem.forgetting import days_until
from neuromem.ladder import FIELDS, VALUE_UNITS, VERBATIM
from neuromem.layout import DAY_MS, Rows, quantize_keys
from neuromem.marks import MARKS
from neuromem.senses import SENSE_BYTES, SENSES

NOW = 1_772_452_800_000
K = 64


def an_id(number: int) -> str:
    return str(uuid.UUID(int=number + 1))


def make_bank(max_slots: int = 1_000, block_slots: int = 8, width: int = K, **config: object) -> SlotBank:
    return SlotBank(width, BankConfig(max_slots=max_slots, block_slots=block_slots, device="cpu", **config))


def some_rows(count: int, seed: int, width: int = K) -> Rows:
    generator = torch.Generator().manual_seed(seed)
    key = torch.nn.functional.normalize(torch.randn(count, width, generator=generator), dim=1)
    value = torch.zeros(count, VALUE_UNITS)
    for field in FIELDS:
        span = torch.rand(value[:, field.units].shape, generator=generator) * 2 - 1
        value[:, field.units] = span * field.amplitude
    marks = torch.randint(-99, 99, (count, MARKS), generator=generator).to(torch.int16)
    floor, traits = torch.full((count,), 0.35), torch.zeros(count, dtype=torch.uint8)
    senses = torch.randint(0, 256, (count, SENSES * SENSE_BYTES), generator=generator).to(torch.uint8)
    return Rows(quantize_keys(key), torch.round(value).to(torch.int8), floor, marks, traits, senses)


def state_of(stability: float = 5.0, now_ms: int = NOW, **more: float) -> dict[str, float | int]:
    return {
        "sequence": 1, "written_ms": now_ms, "heard_ms": now_ms, "rehearsed_ms": now_ms,
        "stability": stability, "difficulty": 5.0, "importance": 0.5, **more,
    }  # fmt: skip


def store(bank: SlotBank, number: int, parts: int = 1, now_ms: int = NOW, **state: float) -> list[int]:
    rows = bank.allocate(parts, now_ms)
    bank.store(
        an_id(number), rows, some_rows(parts, number, bank.key_width), state_of(now_ms=now_ms, **state)
    )
    return rows


def everything(bank: SlotBank) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in bank.state_dict().items()}


# --- size --------------------------------------------------------------------------------------


def test_a_new_bank_is_small_and_all_zero() -> None:
    bank = make_bank()
    assert (len(bank), bank.capacity, bank.ids()) == (0, 8, [])
    assert not any(tensor.any() for tensor in bank.state_dict().values())


def test_a_slot_is_well_under_two_kilobytes() -> None:
    assert SlotBank(384 + 256).bytes_per_slot < 2_048


def test_the_state_dict_is_everything() -> None:
    bank = make_bank()
    assert set(bank.state_dict()) == set(bank.layout()) > {"key", "value", "stability", "written_ms", "floor"}


def test_a_bank_grows_by_doubling_up_to_its_limit() -> None:
    bank = make_bank(max_slots=50)
    capacities = []
    for number in range(50):
        store(bank, number)
        capacities.append(bank.capacity)
    assert sorted(set(capacities)) == [8, 16, 32, 50]
    assert len(bank) == 50


def test_growing_keeps_every_bit_of_what_was_there() -> None:
    bank = make_bank()
    for number in range(8):
        store(bank, number)
    before = everything(bank)
    store(bank, 8)
    assert bank.capacity == 16
    assert all(tensor[:8].equal(before[name]) for name, tensor in bank.state_dict().items())


def test_the_first_block_is_never_larger_than_the_limit() -> None:
    assert SlotBank(K, BankConfig(max_slots=3, block_slots=256)).capacity == 3


def test_keys_that_are_too_narrow_are_refused() -> None:
    with pytest.raises(InvalidInput, match="key_width: 7 is too narrow; give at least 8"):
        SlotBank(7)


# --- allocate, store, free ---------------------------------------------------------------------


def test_rows_are_handed_out_lowest_first_and_again_when_freed() -> None:
    bank = make_bank()
    assert [store(bank, number) for number in range(4)] == [[0], [1], [2], [3]]
    assert bank.free(an_id(1))
    assert store(bank, 9, parts=2) == [1, 4]


def test_a_freed_row_is_zero_in_every_buffer() -> None:
    bank = make_bank()
    store(bank, 0, parts=3)
    store(bank, 1)
    assert bank.free(an_id(0))
    assert bank.rows_of(an_id(0)) == []
    assert bank.ids() == [an_id(1)]
    for name, tensor in bank.named_buffers():
        assert not tensor[:3].any(), name
    assert not bank.free(an_id(0)), "it is free already"


def test_a_memory_of_several_slots_knows_its_parts_in_order() -> None:
    bank = make_bank()
    store(bank, 0)
    store(bank, 1)
    bank.free(an_id(0))
    rows = store(bank, 2, parts=3)
    assert rows == [0, 2, 3]
    assert bank.rows_of(an_id(2)) == rows
    assert bank.part[rows].tolist() == [0, 1, 2]
    assert bank.parts[rows].tolist() == [3, 3, 3]
    assert bank.find("sequence", 1) == [an_id(2), an_id(1)], "each memory once, lowest row first"


def test_of_many_memories_with_one_number_those_told_last_are_found() -> None:
    bank = make_bank()
    for number, sequence in enumerate([5, 2, 9, 4]):
        store(bank, number, sequence=sequence, slot=7)
    assert bank.find("slot", 7) == [an_id(number) for number in range(4)]
    assert bank.find("slot", 7, newest=2) == [an_id(0), an_id(2)], "lowest row first"
    assert bank.find("slot", 7, newest=4) == bank.find("slot", 7)


@settings(max_examples=25)
@given(st.data())
def test_only_written_rows_ever_change(data: st.DataObject) -> None:
    bank = make_bank(max_slots=64)
    held: set[int] = set()
    for step in range(data.draw(st.integers(1, 12))):
        before, free_before = everything(bank), [row for row in range(bank.capacity) if not bank.used[row]]
        if held and data.draw(st.booleans()):
            number = data.draw(st.sampled_from(sorted(held)))
            touched = bank.rows_of(an_id(number))
            bank.free(an_id(number))
            held.discard(number)
        else:
            touched = store(bank, step, parts=data.draw(st.integers(1, 4)))
            held.add(step)
            assert all(row in free_before or row >= len(before["used"]) for row in touched)
        others = [row for row in range(len(before["used"])) if row not in touched]
        for name, tensor in bank.state_dict().items():
            assert tensor[others].equal(before[name][others]), name
    assert len(bank) == sum(len(bank.rows_of(an_id(number))) for number in held)


def test_nothing_of_an_earlier_tenant_is_left_in_a_row() -> None:
    bank = make_bank()
    store(bank, 0, recalls=7, worn=3, halvings=2, words=99, meaning=98)
    rows = bank.rows_of(an_id(0))
    bank.store(an_id(0), rows, some_rows(1, 5), state_of())
    assert not any(
        int(getattr(bank, name)[rows]) for name in ("recalls", "worn", "halvings", "words", "meaning")
    )


def test_an_id_that_is_no_uuid_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'potola' is not a UUID; use an id that add"):
        make_bank().rows_of("potola")


# --- when it is full ---------------------------------------------------------------------------


def test_with_ten_slots_the_eleventh_memory_takes_the_place_of_the_weakest() -> None:
    bank = make_bank(max_slots=10)
    for number in range(10):
        store(bank, number, stability=1.0 if number == 6 else 50.0)
    later = NOW + 3 * DAY_MS
    assert store(bank, 10, now_ms=later) == [6]
    assert an_id(6) not in bank.ids()
    assert (len(bank), bank.capacity) == (10, 10)


def test_of_equally_weak_memories_the_one_heard_longest_ago_gives_way() -> None:
    bank = make_bank(max_slots=3)
    for number in range(3):
        store(bank, number)
    store(bank, 3, now_ms=NOW + DAY_MS)
    assert set(bank.ids()) == {an_id(1), an_id(2), an_id(3)}
    assert bank.rows_of(an_id(3)) == [0]


@pytest.mark.parametrize("apart_ms", [0, 1_000])
def test_a_full_bank_that_does_not_forget_keeps_what_is_newest(apart_ms: int) -> None:
    bank = SlotBank(K, BankConfig(max_slots=4, device="cpu"), ForgettingConfig(decay="none"))
    for number in range(12):
        store(bank, number, now_ms=NOW + number * apart_ms, sequence=number)
    assert set(bank.ids()) == {an_id(number) for number in range(8, 12)}


def test_pinned_memories_never_give_way() -> None:
    bank = make_bank(max_slots=4)
    for number in range(3):
        store(bank, number, stability=math.inf)
    for number in range(3, 20):
        assert store(bank, number, now_ms=NOW + number * DAY_MS) == [3]
    assert set(bank.ids()) == {an_id(0), an_id(1), an_id(2), an_id(19)}


def test_a_bank_full_of_pinned_memories_is_exhausted_and_unchanged() -> None:
    bank = make_bank(max_slots=3)
    for number in range(3):
        store(bank, number, stability=math.inf)
    before = everything(bank)
    with pytest.raises(
        CapacityExhausted, match=r"all 3 slots are taken by pinned memories; raise bank\.max_slots"
    ):
        bank.allocate(1, NOW)
    assert all(tensor.equal(before[name]) for name, tensor in bank.state_dict().items())


def test_a_bank_that_may_not_evict_refuses_and_is_unchanged() -> None:
    bank = make_bank(max_slots=2, when_full="refuse")
    store(bank, 0)
    store(bank, 1)
    before = everything(bank)
    with pytest.raises(CapacityExhausted, match=r"all 2 slots are taken.*set bank\.when_full='evict'"):
        bank.allocate(1, NOW)
    assert all(tensor.equal(before[name]) for name, tensor in bank.state_dict().items())


def test_a_memory_larger_than_the_whole_bank_is_refused() -> None:
    bank = make_bank(max_slots=5)
    store(bank, 0)
    with pytest.raises(CapacityExhausted, match=r"a memory of 6 slots does not fit within bank\.max_slots=5"):
        bank.allocate(6, NOW)
    assert bank.ids() == [an_id(0)]


def test_a_long_memory_gives_way_whole_and_takes_the_place_of_several() -> None:
    bank = make_bank(max_slots=6)
    store(bank, 0, parts=3, stability=1.0)
    for number in range(1, 4):
        store(bank, number, stability=10.0)
    later = NOW + DAY_MS
    assert store(bank, 9, parts=2, now_ms=later) == [0, 1]
    assert an_id(0) not in bank.ids()
    store(bank, 10, parts=4, now_ms=later + 1)
    assert len(bank) == 6
    assert {an_id(9), an_id(10)} <= set(bank.ids())


# --- fading in place ---------------------------------------------------------------------------


def test_what_is_read_does_not_depend_on_whether_it_slept() -> None:
    awake, asleep = make_bank(), make_bank()
    for bank in (awake, asleep):
        for number in range(6):
            store(bank, number, stability=1.0 + number)
    for day in range(0, 200, 3):
        now = NOW + day * DAY_MS
        asleep.shrink(now)
        rows = list(range(6))
        values, strength = awake.readable(rows, now)
        slept_values, slept_strength = asleep.readable(rows, now)
        assert slept_values.equal(values)
        assert slept_strength.equal(strength)


def test_sleep_tells_what_is_forgotten_and_leaves_it_to_be_freed() -> None:
    bank = make_bank()
    store(bank, 0, stability=1.0)
    store(bank, 1, stability=math.inf)
    store(bank, 2, parts=2, stability=1.0)
    assert bank.shrink(NOW) == []
    forgotten = bank.shrink(NOW + 2_000 * DAY_MS)
    assert forgotten == [an_id(0), an_id(2)]
    assert not bank.value[bank.rows_of(an_id(0))].any()
    assert bank.ids() == [an_id(0), an_id(1), an_id(2)]


def test_pinned_rows_do_not_change_in_sleep() -> None:
    bank = make_bank()
    store(bank, 0, stability=math.inf)
    before = everything(bank)
    bank.shrink(NOW + 10_000 * DAY_MS)
    assert all(tensor.equal(before[name]) for name, tensor in bank.state_dict().items())


def test_an_empty_bank_sleeps_well() -> None:
    assert make_bank().shrink(NOW) == []


def test_shrinking_twice_at_one_time_is_shrinking_once() -> None:
    bank = make_bank()
    for number in range(5):
        store(bank, number, stability=1.0 + number)
    bank.shrink(NOW + 20 * DAY_MS)
    once = everything(bank)
    bank.shrink(NOW + 20 * DAY_MS)
    assert all(tensor.equal(once[name]) for name, tensor in bank.state_dict().items())


def test_strengths_follow_the_curve_and_its_settings() -> None:
    bank = make_bank()
    store(bank, 0)
    strength = [float(bank.strength([0], NOW + day * DAY_MS)[0]) for day in (0, 1, 10, 100)]
    assert strength[0] == 1
    assert strength == sorted(strength, reverse=True)
    assert float(bank.strength([0], NOW - DAY_MS)[0]) == 1, "a clock that runs backwards does not strengthen"
    steady = SlotBank(K, BankConfig(), ForgettingConfig(decay="none"))
    store(steady, 0)
    assert float(steady.strength([0], NOW + 10_000 * DAY_MS)[0]) == 1


def test_the_words_of_a_half_faded_memory_are_gone_from_the_row_itself() -> None:
    bank = make_bank()
    store(bank, 0, stability=5.0)
    bank.shrink(NOW + round(float(days_until(0.15, 5.0, ForgettingConfig())) * DAY_MS))
    assert not bank.value[0, VERBATIM.units].any()
    assert bank.value[0].any()


# What is derived


def test_what_is_derived_from_the_rows_is_kept_until_something_is_stored_freed_or_loaded() -> None:
    bank = make_bank()
    made: list[int] = []

    def count() -> int:
        made.append(len(bank))
        return len(bank)

    assert (bank.kept("count", count), bank.kept("count", count)) == (0, 0)
    store(bank, 0)
    assert (bank.kept("count", count), bank.kept("count", count)) == (1, 1)
    bank.free(an_id(0))
    assert bank.kept("count", count) == 0
    bank.load_state_dict(bank.state_dict())
    assert bank.kept("count", count) == 0
    assert made == [0, 1, 0, 0]
    store(bank, 1)
    assert bank.kept("count", count) == 1
    bank.supersede(an_id(1), "", NOW)
    assert bank.kept("count", count) == 1
    assert made == [0, 1, 0, 0, 1, 1]


def test_the_ends_of_many_memories_are_those_of_each() -> None:
    bank = make_bank()
    for number in range(4):
        store(bank, number, parts=1 + number % 2)
    bank.supersede(an_id(1), an_id(2), NOW + 5)
    bank.supersede(an_id(3), "", NOW + 7)
    wanted = [an_id(number) for number in (3, 9, 1, 0)]
    ends = {an_id(3): (NOW + 7, ""), an_id(9): (0, ""), an_id(1): (NOW + 5, an_id(2)), an_id(0): (0, "")}
    assert bank.ends(wanted) == ends
    assert {id_: bank.ended(id_) for id_ in wanted} == ends
