"""The forgetting curve: equal to FSRS-6, monotone, and with defaults that fade as promised."""

from __future__ import annotations

import doctest
import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import fsrs
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neuromem import forgetting
from neuromem.config import Config, ForgettingConfig
from neuromem.errors import InvalidInput
from neuromem.forgetting import (
    THRESHOLDS,
    Fidelity,
    MemoryState,
    Rating,
    days_until,
    fidelity_at,
    initial_difficulty,
    initial_stability,
    next_difficulty,
    rehearse,
    retrievability,
    stability_after_recall,
    stability_short_term,
    strength,
)

CONFIG = ForgettingConfig()
UNCLAMPED = ForgettingConfig(max_stability_days=1e6)  # py-fsrs has no upper limit
START = datetime(2024, 1, 1, tzinfo=UTC)

days = st.floats(0, 20_000, allow_subnormal=False)
stabilities = st.floats(0.001, 36_500)
difficulties = st.floats(1, 10)
recalls = st.sampled_from([Rating.GOOD, Rating.EASY])
settings_ = st.builds(
    ForgettingConfig,
    curve_exponent=st.floats(0.1, 0.8),
    strength_exponent=st.floats(0.5, 10),
    initial_stability_days=st.floats(0.1, 100),
    importance_range=st.floats(1, 1_000),
)


def float64(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


# --- agreement with py-fsrs --------------------------------------------------------------------

gaps = st.one_of(
    st.floats(0, 0.999).map(lambda part: timedelta(days=part)),  # the same day
    st.integers(1, 400).map(lambda whole: timedelta(days=whole)),
    st.floats(1, 400).map(lambda some: timedelta(days=some)),  # py-fsrs counts whole days
)


@given(
    first=st.sampled_from(list(fsrs.Rating)),
    history=st.lists(st.tuples(gaps, st.sampled_from(list(fsrs.Rating))), min_size=1, max_size=60),
)
def test_any_review_history_gives_the_numbers_of_py_fsrs(
    first: fsrs.Rating, history: list[tuple[timedelta, fsrs.Rating]]
) -> None:
    scheduler = fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    now = START
    card, _ = scheduler.review_card(fsrs.Card(), first, now)
    assert card.stability is not None
    state = MemoryState(
        torch.tensor(card.stability, dtype=torch.float64), initial_difficulty(Rating(int(first)))
    )
    for gap, rating in history:
        now += gap
        expected = scheduler.get_card_retrievability(card, now)
        assert retrievability(gap.days, state.stability, UNCLAMPED).item() == pytest.approx(
            expected, rel=1e-9
        )
        card, _ = scheduler.review_card(card, rating, now)
        assert card.stability is not None
        if card.stability > UNCLAMPED.max_stability_days:
            return
        state = rehearse(state, gap / timedelta(days=1), Rating(int(rating)), UNCLAMPED)
        assert state.stability.item() == pytest.approx(card.stability, rel=1e-9)
        assert state.difficulty.item() == pytest.approx(card.difficulty, rel=1e-9)


@pytest.mark.parametrize("rating", list(Rating))
def test_a_thousand_cards_at_once_give_the_numbers_of_py_fsrs(rating: Rating) -> None:
    generator = torch.Generator().manual_seed(int(rating))
    uniform = torch.rand(3, 1_000, generator=generator, dtype=torch.float64)
    stability, difficulty = 0.01 * 1e5 ** uniform[0], 1 + 9 * uniform[1]
    elapsed = torch.floor(50 * uniform[2] ** 4)  # a third of them on the same day
    scheduler = fsrs.Scheduler(enable_fuzzing=False)
    state = rehearse(MemoryState(stability, difficulty), elapsed, rating, UNCLAMPED)
    for row in range(1_000):
        card = fsrs.Card(
            state=fsrs.State.Review,
            stability=stability[row].item(),
            difficulty=difficulty[row].item(),
            last_review=START,
        )
        later = START + timedelta(days=elapsed[row].item())
        card, _ = scheduler.review_card(card, fsrs.Rating(int(rating)), later)
        assert state.stability[row].item() == pytest.approx(card.stability, rel=1e-9)
        assert state.difficulty[row].item() == pytest.approx(card.difficulty, rel=1e-9)


@pytest.mark.parametrize("count", [3, 64, 203])
def test_a_batch_gives_the_same_bits_as_its_rows_alone(count: int) -> None:
    generator = torch.Generator().manual_seed(count)
    uniform = torch.rand(4, count, generator=generator, dtype=torch.float64)
    stability, difficulty, elapsed = 0.01 * 1e5 ** uniform[0], 1 + 9 * uniform[1], 20 * uniform[2] ** 2
    grades = torch.ceil(4 * uniform[3]).clamp(min=1)
    together = rehearse((stability, difficulty), elapsed, grades, CONFIG)
    faded = strength(elapsed, stability, CONFIG)
    for row in range(count):
        given_, wait = (stability[row].item(), difficulty[row].item()), elapsed[row].item()
        alone = rehearse(given_, wait, Rating(int(grades[row])), CONFIG)
        assert alone.stability == together.stability[row]
        assert alone.difficulty == together.difficulty[row]
        assert strength(wait, given_[0], CONFIG) == faded[row]


def test_the_parameters_are_those_of_py_fsrs() -> None:
    assert (*forgetting.W, CONFIG.curve_exponent) == fsrs.scheduler.DEFAULT_PARAMETERS


# --- the curve -----------------------------------------------------------------------------------


@given(stability=stabilities, config=settings_)
def test_after_one_stability_recall_has_a_chance_of_nine_in_ten(
    stability: float, config: ForgettingConfig
) -> None:
    assert retrievability(stability, stability, config).item() == pytest.approx(0.9, rel=1e-12)


@given(elapsed=days, more=st.floats(1e-3, 20_000), stability=stabilities, config=settings_)
def test_strength_starts_at_one_falls_with_time_and_stays_above_zero(
    elapsed: float, more: float, stability: float, config: ForgettingConfig
) -> None:
    now, later = strength(float64(elapsed, elapsed + more), stability, config).tolist()
    assert strength(0.0, stability, config).item() == 1
    assert 0 < later < now <= 1


@given(elapsed=st.floats(0.01, 20_000), low=stabilities, factor=st.floats(1.01, 100), config=settings_)
def test_strength_rises_with_stability(
    elapsed: float, low: float, factor: float, config: ForgettingConfig
) -> None:
    weak, strong = strength(elapsed, float64(low, low * factor), config).tolist()
    assert weak < strong


def test_by_default_strength_is_a_power_of_time() -> None:
    factor = 0.9 ** (-1 / 0.1542) - 1
    t = torch.linspace(0, 1_000, 101, dtype=torch.float64)
    assert torch.allclose(strength(t, 4.9, CONFIG), (1 + factor * t / 4.9) ** -3, rtol=1e-12, atol=0)


def test_a_strength_never_reaches_zero_even_after_aeons() -> None:
    assert 0 < strength(1e300, 0.001, CONFIG).item() < 1e-300


def test_a_second_already_counts() -> None:
    second = 1 / 86_400
    assert strength(second, 36_500.0, CONFIG).item() < 1


@given(elapsed=days, rating=st.sampled_from(list(Rating)), difficulty=difficulties)
def test_a_pinned_memory_stays_at_full_strength_whatever_happens(
    elapsed: float, rating: Rating, difficulty: float
) -> None:
    assert strength(elapsed, math.inf, CONFIG).item() == 1
    assert retrievability(elapsed, math.inf, CONFIG).item() == 1
    assert rehearse((math.inf, difficulty), elapsed, rating, CONFIG).stability.item() == math.inf


@given(elapsed=days, stability=stabilities)
def test_without_decay_nothing_fades(elapsed: float, stability: float) -> None:
    never = ForgettingConfig(decay="none")
    assert strength(elapsed, stability, never).item() == 1
    assert days_until(0.35, stability, never).item() == math.inf
    assert days_until(1.0, stability, never).item() == 0


def test_a_decay_of_none_is_none() -> None:
    assert Config.load({"forgetting": {"decay": None}}).forgetting == ForgettingConfig(decay="none")


@given(s=st.floats(1e-3, 1), stability=stabilities, config=settings_)
def test_days_until_inverts_strength(s: float, stability: float, config: ForgettingConfig) -> None:
    assert strength(days_until(s, stability, config).clamp(max=1e300), stability, config).item() == (
        pytest.approx(s, rel=1e-9)
    )


def test_a_pinned_memory_never_gets_there() -> None:
    assert days_until(torch.tensor([1.0, 0.5]), math.inf, CONFIG).tolist() == [0, math.inf]


def test_shapes_broadcast_and_numbers_become_float64() -> None:
    grid = strength(torch.arange(3.0)[:, None], torch.tensor([1.0, 2.0], dtype=torch.float32), CONFIG)
    assert (grid.shape, grid.dtype) == ((3, 2), torch.float64)
    assert grid[2, 1] == strength(2, 2, CONFIG)


# --- stability and difficulty --------------------------------------------------------------------


@given(low=st.floats(0, 1), high=st.floats(0, 1), config=settings_)
def test_what_matters_more_is_kept_longer(low: float, high: float, config: ForgettingConfig) -> None:
    low, high = sorted((low, high))
    assert initial_stability(low, config) <= initial_stability(high, config)
    assert initial_stability(0.5, config).item() == pytest.approx(config.initial_stability_days)
    ratio = initial_stability(1.0, config) / initial_stability(0.0, config)
    assert ratio.item() == pytest.approx(config.importance_range)


@given(stability=stabilities, difficulty=difficulties, elapsed=days, rating=recalls)
def test_recall_never_lowers_stability(
    stability: float, difficulty: float, elapsed: float, rating: Rating
) -> None:
    assert rehearse((stability, difficulty), elapsed, rating, CONFIG).stability.item() >= stability


@given(stability=stabilities, difficulty=difficulties, elapsed=days)
def test_hearing_it_again_strengthens_at_least_as_much_as_recalling_it(
    stability: float, difficulty: float, elapsed: float
) -> None:
    good = rehearse((stability, difficulty), elapsed, Rating.GOOD, CONFIG)
    easy = rehearse((stability, difficulty), elapsed, Rating.EASY, CONFIG)
    assert good.stability <= easy.stability
    assert good.difficulty >= easy.difficulty


@given(
    stability=st.floats(0.001, 1_000),
    difficulty=difficulties,
    early=st.integers(1, 1_000),
    wait=st.integers(1, 1_000),
    rating=recalls,
)
def test_a_later_recall_strengthens_more(
    stability: float, difficulty: float, early: int, wait: int, rating: Rating
) -> None:
    sooner, later = rehearse(
        (stability, difficulty), torch.tensor([early, early + wait]), rating, UNCLAMPED
    ).stability.tolist()
    assert stability < sooner < later


@given(stability=stabilities, elapsed=st.floats(1, 1_000))
def test_a_difficult_memory_gains_less(stability: float, elapsed: float) -> None:
    recall = retrievability(elapsed, stability, CONFIG)
    easy, hard = stability_after_recall(
        torch.tensor([2.0, 9.0]), stability, recall, Rating.GOOD, UNCLAMPED
    ).tolist()
    assert hard < easy


@given(stability=stabilities, difficulty=difficulties, elapsed=days, rating=st.sampled_from(list(Rating)))
def test_stability_and_difficulty_stay_within_their_limits(
    stability: float, difficulty: float, elapsed: float, rating: Rating
) -> None:
    config = ForgettingConfig(max_stability_days=100)
    state = rehearse((stability, difficulty), elapsed, rating, config)
    assert 0.001 <= state.stability.item() <= 100
    assert 1 <= state.difficulty.item() <= 10


def test_short_term_growth_by_hand() -> None:
    grown = stability_short_term(0.5, Rating.EASY, CONFIG).item()
    assert grown == pytest.approx(0.5 * math.exp(0.5425 * (4 - 3 + 0.0912)) * 0.5**-0.0658, rel=1e-12)


def test_difficulty_falls_with_easy_and_rises_with_again() -> None:
    ladder = [next_difficulty(5.0, rating).item() for rating in Rating]
    assert ladder == sorted(ladder, reverse=True)
    assert ladder[0] > 5 > ladder[3]


# --- the ladder ----------------------------------------------------------------------------------


def test_a_rung_is_its_own_name_and_is_ordered_by_level() -> None:
    assert Fidelity("gist") == "gist"
    assert f"{Fidelity.PARTIAL}" == "partial"
    assert [rung.level for rung in Fidelity] == [5, 4, 3, 2, 1, 0]
    assert list(THRESHOLDS) == list(Fidelity)[:-1]
    assert all(above > below for above, below in pairwise(THRESHOLDS.values()))


@given(one=st.floats(0, 1), other=st.floats(0, 1))
def test_fidelity_never_rises_as_strength_falls(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert fidelity_at(low).level <= fidelity_at(high).level


@pytest.mark.parametrize(("rung", "threshold"), THRESHOLDS.items())
def test_a_rung_is_shown_from_its_threshold_up(rung: Fidelity, threshold: float) -> None:
    assert fidelity_at(threshold) == rung
    assert fidelity_at(math.nextafter(threshold, 0)).level == rung.level - 1


def test_full_and_no_strength_are_the_ends_of_the_ladder() -> None:
    assert fidelity_at(torch.tensor(1.0)) == "verbatim"
    assert fidelity_at(0.0) == "forgotten"


@pytest.mark.parametrize(
    ("day", "rung"),
    [
        (0, "verbatim"),
        (7, "verbatim"),
        (14, "gist"),
        (20, "partial"),
        (30, "entity"),
        (45, "subject"),
        (60, "forgotten"),
    ],
)
def test_a_middling_fact_said_once_fades_as_promised(day: float, rung: str) -> None:
    assert fidelity_at(strength(day, initial_stability(0.5, CONFIG), CONFIG)) == rung


def test_recalled_each_week_it_is_still_verbatim_after_a_year() -> None:
    state = MemoryState(initial_stability(0.5, CONFIG), initial_difficulty())
    for _ in range(52):
        assert fidelity_at(strength(7, state.stability, CONFIG)) == Fidelity.VERBATIM
        state = rehearse(state, 7, Rating.GOOD, CONFIG)
    assert days_until(THRESHOLDS[Fidelity.VERBATIM], state.stability, CONFIG).item() > 365


def test_the_table_in_the_module_is_true() -> None:
    result = doctest.testmod(forgetting)
    assert result.attempted >= 3
    assert result.failed == 0


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [math.nan, -1.0, -1e-9, torch.tensor([0.0, math.nan])])
def test_a_bad_time_is_refused_by_name(bad: float | torch.Tensor) -> None:
    for function in (strength, retrievability):
        with pytest.raises(InvalidInput, match="elapsed_days"):
            function(bad, 1.0, CONFIG)
    with pytest.raises(InvalidInput, match="elapsed_days"):
        rehearse((1.0, 5.0), bad, Rating.GOOD, CONFIG)


@pytest.mark.parametrize("bad", [math.nan, 0.0, -1.0, torch.tensor([1.0, -math.inf])])
def test_a_bad_stability_is_refused_by_name(bad: float | torch.Tensor) -> None:
    for function in (strength, retrievability):
        with pytest.raises(InvalidInput, match="stability"):
            function(1.0, bad, CONFIG)
    with pytest.raises(InvalidInput, match="stability"):
        days_until(0.5, bad, CONFIG)
    with pytest.raises(InvalidInput, match="stability"):
        stability_short_term(bad, Rating.GOOD, CONFIG)


def test_other_bad_values_are_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="elapsed_days"):
        strength(math.inf, 1.0, CONFIG)
    with pytest.raises(InvalidInput, match="strength"):
        days_until(0.0, 1.0, CONFIG)
    with pytest.raises(InvalidInput, match=r"strength.*2 values"):
        fidelity_at(torch.tensor([0.1, 0.2]))
    for bad in (math.nan, -0.1, 1.1):
        with pytest.raises(InvalidInput, match="importance"):
            initial_stability(bad, CONFIG)
        with pytest.raises(InvalidInput, match="strength"):
            fidelity_at(bad)
    with pytest.raises(InvalidInput, match="difficulty"):
        next_difficulty(11.0, Rating.GOOD)
    with pytest.raises(InvalidInput, match="retrievability"):
        stability_after_recall(5.0, 1.0, 1.5, Rating.GOOD, CONFIG)
    with pytest.raises(InvalidInput, match="rating"):
        next_difficulty(5.0, torch.tensor([2.5]))
    with pytest.raises(InvalidInput, match="not numbers"):
        strength("a week", 1.0, CONFIG)  # type: ignore[arg-type]
