"""The value's layout, and what is left of it as strength falls."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neuromem.forgetting import THRESHOLDS, Fidelity, fidelity_at
from neuromem.ladder import (
    FIELDS,
    GIST_FIELDS,
    PATCH_BYTES,
    TEXT_BYTES,
    UNITS,
    VALUE_UNITS,
    VERBATIM,
    alive,
    dead_zone,
    halve,
    octaves,
    stair,
    worn,
)

strengths = st.floats(2.0**-8, 1, width=32)
weights = st.lists(st.integers(-127, 127), min_size=1, max_size=30)


def value_of(seed: int, rows: int = 1) -> torch.Tensor:
    """[rows, V] int8, every unit as high as its field may be."""
    generator = torch.Generator().manual_seed(seed)
    value = torch.zeros(rows, VALUE_UNITS)
    for field in FIELDS:
        span = value[:, field.units]
        value[:, field.units] = (torch.rand(span.shape, generator=generator) * 2 - 1) * field.amplitude
    return torch.round(value).to(torch.int8)


def say_once(number: float) -> torch.Tensor:
    return torch.tensor([number], dtype=torch.float32)


# --- the layout --------------------------------------------------------------------------------


def test_the_fields_fill_the_value_without_a_gap_or_an_overlap() -> None:
    places = [unit for field in FIELDS for unit in range(*field.units.indices(VALUE_UNITS))]
    assert places == list(range(VALUE_UNITS))


def test_the_words_have_room_for_160_bytes() -> None:
    assert TEXT_BYTES == VERBATIM.capacity_bytes == 160
    assert {field.patches * UNITS for field in FIELDS} == {
        field.units.stop - field.units.start for field in FIELDS
    }
    assert all(field.capacity_bytes == field.patches * PATCH_BYTES for field in FIELDS)


def test_a_gist_is_said_subject_first_and_lost_from_its_end() -> None:
    assert [field.name for field in GIST_FIELDS] == ["subject", "relation", "initial", "rest"]
    ends = [field.threshold for field in GIST_FIELDS]
    assert ends == sorted(ends)
    assert [field.rung for field in FIELDS] == list(Fidelity)[:-1]


def test_every_field_is_still_some_grid_steps_high_at_the_end_of_its_rung() -> None:
    for field in FIELDS:
        assert field.amplitude * field.threshold > 3.5
        assert field.amplitude <= 127


# --- shrinking ---------------------------------------------------------------------------------


@given(strength=strengths)
def test_a_strength_is_a_fraction_above_a_half_times_halvings(strength: float) -> None:
    halvings, fraction = octaves(say_once(strength))
    assert 0.5 < float(fraction) <= 1
    assert float(fraction) * 2.0 ** -int(halvings) == strength


@given(strength=strengths, stairs=st.sampled_from([1, 4]))
def test_a_stair_is_the_next_of_a_few_fixed_strengths_above(strength: float, stairs: int) -> None:
    above = float(stair(say_once(strength), stairs))
    assert strength <= above <= strength * 2 ** (1 / stairs) * (1 + 1e-6)
    step = -math.log2(above) * stairs
    assert step == pytest.approx(round(step), abs=1e-5)
    assert float(stair(say_once(above), stairs)) == above, "a stair is its own stair"
    assert octaves(say_once(above))[0] == octaves(say_once(strength))[0], "halvings are those of the strength"


@given(row=weights, first=st.integers(0, 8), second=st.integers(0, 8))
def test_halvings_compose(row: list[int], first: int, second: int) -> None:
    value = torch.tensor([row], dtype=torch.int8)
    in_one_go = halve(value, torch.tensor([first + second]))
    in_two = halve(halve(value, torch.tensor([first])), torch.tensor([second]))
    assert in_one_go.equal(in_two)


@given(row=weights)
def test_halving_loses_detail_and_ends_at_nothing(row: list[int]) -> None:
    value = torch.tensor([row], dtype=torch.int8)
    assert halve(value, torch.tensor([8])).count_nonzero() == 0
    once = halve(value, torch.tensor([1]))
    assert (once.int().abs() <= (value.int().abs() + 1) // 2).all()


def test_halvings_of_one_row_leave_the_others_alone() -> None:
    value = value_of(0, rows=3)
    out = halve(value, torch.tensor([0, 2, 0]))
    assert out[[0, 2]].equal(value[[0, 2]])
    assert not out[1].equal(value[1])


def test_halving_nothing_gives_nothing() -> None:
    assert halve(torch.zeros(0, 4, dtype=torch.int8), torch.zeros(0, dtype=torch.int64)).shape == (0, 4)


@given(seed=st.integers(0, 99), strength=strengths, nights=st.lists(strengths, max_size=6))
def test_a_bank_that_slept_every_night_holds_what_one_that_never_slept_holds(
    seed: int, strength: float, nights: list[float]
) -> None:
    value, floor = value_of(seed), say_once(0.35)
    never_slept = worn(value, torch.tensor([0]), say_once(strength), floor)
    slept, halvings = value, torch.tensor([0])
    for night in sorted((night for night in nights if night >= strength), reverse=True):
        due, _ = octaves(say_once(night))
        slept = dead_zone(halve(slept, due - halvings), say_once(night), floor)
        halvings = due
    assert worn(slept, halvings, say_once(strength), floor).equal(never_slept)


# --- the dead zone -----------------------------------------------------------------------------


@given(seed=st.integers(0, 99), strength=strengths)
def test_a_field_lives_exactly_as_long_as_its_rung(seed: int, strength: float) -> None:
    left = worn(value_of(seed), torch.tensor([0]), say_once(strength), say_once(0))
    living = alive(left)[0].tolist()
    numbers = [float(torch.tensor(field.threshold)) for field in FIELDS]  # as float32 holds them
    assert living == [strength >= number for number in numbers]


@given(first=strengths, second=strengths)
def test_what_is_gone_at_one_strength_is_gone_at_every_lower_one(first: float, second: float) -> None:
    high, low = max(first, second), min(first, second)
    value = value_of(3)
    at_high = alive(worn(value, torch.tensor([0]), say_once(high), say_once(0)))
    at_low = alive(worn(value, torch.tensor([0]), say_once(low), say_once(0)))
    assert not (at_low & ~at_high).any()


def test_words_that_were_proven_only_above_a_strength_die_there() -> None:
    value, floor = value_of(5, rows=2), torch.tensor([0.35, 0.6])
    at_half = alive(worn(value, torch.zeros(2, dtype=torch.int64), torch.full((2,), 0.5), floor))
    assert at_half[:, VERBATIM.index].tolist() == [True, False]
    assert at_half[:, 1:].all(), "the gist is not touched by the words' floor"


def test_words_that_were_never_proven_are_never_shown() -> None:
    value = value_of(5)
    assert not alive(worn(value, torch.tensor([0]), say_once(1.0), say_once(2.0)))[0, VERBATIM.index]


def test_the_ends_of_the_rungs_are_those_of_the_forgetting_curve() -> None:
    for field in FIELDS:
        assert field.threshold == THRESHOLDS[field.rung]
        assert fidelity_at(field.threshold) is field.rung
