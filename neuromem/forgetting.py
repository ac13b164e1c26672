"""How a memory fades, and how rehearsal strengthens it.

Retrievability R and the updates of stability S (days) and difficulty D (1 to 10) are FSRS-6's, with
its published default parameters [1]; the numbers agree with `py-fsrs` [2] to 1e-9. Strength is a
power of R, by default s = (1 + F·t/S) ** -3.

What a memory can still say depends on its strength alone: a ladder of rungs (`Fidelity`). With the
default settings, a fact said once leaves each rung after so many days (rows: its importance):

>>> from neuromem.config import ForgettingConfig
>>> config = ForgettingConfig()
>>> for importance in (0, 0.25, 0.5, 0.75, 1):
...     stability = initial_stability(importance, config)
...     days = [days_until(floor, stability, config).item() for floor in THRESHOLDS.values()]
...     print(f"{importance:4}", *(f"{rung} {day:.1f}" for rung, day in zip(THRESHOLDS, days)))
   0 verbatim 0.2 gist 0.3 partial 0.4 entity 0.6 subject 0.9
0.25 verbatim 1.4 gist 2.3 partial 3.3 entity 5.0 subject 7.1
 0.5 verbatim 11.0 gist 18.6 partial 26.1 entity 39.7 subject 56.8
0.75 verbatim 87.4 gist 148.0 partial 207.4 entity 315.5 subject 451.7
   1 verbatim 694.7 gist 1177.1 partial 1649.2 entity 2508.8 subject 3591.9

Everything here is a pure function: float64 CPU tensors (or numbers) of any shapes that broadcast go
in, a float64 CPU tensor comes out, with the same bits for a row alone as in a batch. A NaN, or a value
outside the range that is stated, raises `InvalidInput` naming the argument. A stability of +inf means
pinned: it never fades, and no rehearsal changes it.

[1] https://github.com/open-spaced-repetition/awesome-fsrs/wiki/The-Algorithm (FSRS-6)
[2] https://github.com/open-spaced-repetition/py-fsrs, fsrs/scheduler.py
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from .config import ForgettingConfig
from .errors import InvalidInput
from .fidelity import Fidelity

__all__ = [
    "THRESHOLDS",
    "Fidelity",
    "MemoryState",
    "Rating",
    "days_until",
    "fidelity_at",
    "initial_difficulty",
    "initial_stability",
    "next_difficulty",
    "rehearse",
    "retrievability",
    "stability_after_recall",
    "stability_short_term",
    "strength",
]

Values: TypeAlias = Tensor | float
"""Numbers as the functions here take them: one, or a tensor of any shape."""

# w0..w19 of FSRS-6; w20, the exponent of the curve, is a setting (`curve_exponent`).
# w0..w3, initial stabilities by rating, are not used: ours come from importance.
W = (
    *(0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666),
    *(0.796, 1.4835, 0.0614, 0.2629, 1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658),
)
MIN_STABILITY_DAYS = 0.001
MIN_DIFFICULTY, MAX_DIFFICULTY = 1.0, 10.0


class Rating(IntEnum):
    """How a rehearsal went. Being recalled is GOOD; hearing the words again is EASY."""

    AGAIN = 1
    HARD = 2
    GOOD = 3
    EASY = 4


THRESHOLDS: Mapping[Fidelity, float] = MappingProxyType(
    {
        Fidelity.VERBATIM: 0.35,
        Fidelity.GIST: 0.20,
        Fidelity.PARTIAL: 0.126,
        Fidelity.ENTITY: 0.063,
        Fidelity.SUBJECT: 0.0315,
    }
)
"""Lowest strength at which each rung is still shown, from the top of the ladder down."""


class MemoryState(NamedTuple):
    """The two numbers that FSRS keeps of a memory: stability (days, > 0) and difficulty (1 to 10)."""

    stability: Tensor
    difficulty: Tensor


def fidelity_at(strength: Values) -> Fidelity:
    """The rung shown at one strength in [0, 1]: the highest whose threshold it reaches.

    Raises:
        InvalidInput: it is no such number, or several.
    """
    value = _checked("strength", strength, 0, 1)
    if value.numel() != 1:
        raise InvalidInput("strength", f"has {value.numel()} values", "give one number from 0 to 1")
    number = value.item()
    return next((rung for rung, floor in THRESHOLDS.items() if number >= floor), Fidelity.FORGOTTEN)


def retrievability(elapsed_days: Values, stability: Values, config: ForgettingConfig) -> Tensor:
    """Probability of recall after a time: R = (1 + F·t/S)^-w, with F such that R(S) = 0.9 (FSRS-6).

    Args:
        elapsed_days: t, since the last rehearsal; finite, >= 0.
        stability: S, days, > 0; +inf is pinned (R = 1).

    Returns:
        R in (0, 1], shape of the inputs broadcast.
    """
    return torch.exp(-config.curve_exponent * _log_growth(elapsed_days, stability, config))


def strength(elapsed_days: Values, stability: Values, config: ForgettingConfig) -> Tensor:
    """How far a slot's weights have shrunk: s = R ** strength_exponent; 1 with decay "none".

    Args: as `retrievability`.

    Returns: s in (0, 1], shape of the inputs broadcast.
    """
    growth = _log_growth(elapsed_days, stability, config)
    if config.decay == "none":
        return torch.ones_like(growth)
    faded = torch.exp(-config.curve_exponent * config.strength_exponent * growth)
    return faded.clamp(min=torch.finfo(torch.float64).tiny)


def days_until(strength: Values, stability: Values, config: ForgettingConfig) -> Tensor:
    """The time after which a memory has faded to a strength: the inverse of `strength`.

    Args:
        strength: s in (0, 1].
        stability: S, days, > 0; +inf is pinned.

    Returns:
        Days >= 0; +inf where it never fades so far (pinned, or decay "none").
    """
    s = _checked("strength", strength, 0, 1, open_low=True)
    days = _stability(stability)
    if config.decay == "none":
        days = torch.full_like(days, math.inf)
    growth = -torch.log(s) / (config.curve_exponent * config.strength_exponent)
    elapsed = days * torch.expm1(growth) / _factor(config)
    return torch.where(s == 1, torch.zeros_like(elapsed), elapsed)  # inf · 0 for a pinned one


def initial_stability(importance: Values, config: ForgettingConfig) -> Tensor:
    """Stability of a fact said once: initial_stability_days · importance_range^(importance - 0.5).

    Args:
        importance: in [0, 1]; 0.5 is middling.

    Returns:
        Days, within the least stability and `max_stability_days`.
    """
    exponent = math.log(config.importance_range) * (_checked("importance", importance, 0, 1) - 0.5)
    return _clamp_stability(config.initial_stability_days * torch.exp(exponent), config)


def initial_difficulty(rating: Rating | Tensor = Rating.GOOD) -> Tensor:
    """Difficulty after the first rating: D0 = w4 - e^(w5·(rating - 1)) + 1, within 1 to 10 (FSRS-6)."""
    return _unclamped_initial_difficulty(_rating(rating)).clamp(MIN_DIFFICULTY, MAX_DIFFICULTY)


def next_difficulty(difficulty: Values, rating: Rating | Tensor) -> Tensor:
    """Difficulty after a rehearsal: linear damping, then reversion to D0(EASY) (FSRS-6).

    Args:
        difficulty: 1 to 10.
    """
    return _moved_difficulty(_difficulty(difficulty), _rating(rating))


def _moved_difficulty(d: Tensor, grade: Tensor) -> Tensor:
    moved = d - W[6] * (grade - 3) * (MAX_DIFFICULTY - d) / 9
    easiest = W[4] - math.exp(W[5] * (Rating.EASY - 1)) + 1
    return (W[7] * easiest + (1 - W[7]) * moved).clamp(MIN_DIFFICULTY, MAX_DIFFICULTY)


def stability_after_recall(
    difficulty: Values,
    stability: Values,
    retrievability: Values,
    rating: Rating | Tensor,
    config: ForgettingConfig,
) -> Tensor:
    """Stability after a rehearsal a day or more after the last one (FSRS-6's long-term update).

    HARD, GOOD and EASY lengthen it, the more so the lower the retrievability was; AGAIN shortens it.

    Args:
        difficulty: D, 1 to 10.
        stability: S before, days, > 0.
        retrievability: R at the time of the rehearsal, in [0, 1].

    Returns:
        S after, days, at most `max_stability_days` (a pinned +inf stays).
    """
    recall = _checked("retrievability", retrievability, 0, 1)
    return _after_recall(_difficulty(difficulty), _stability(stability), recall, _rating(rating), config)


def _after_recall(d: Tensor, s: Tensor, recall: Tensor, grade: Tensor, config: ForgettingConfig) -> Tensor:
    missed = 1 - recall
    bonus = torch.where(grade == Rating.HARD, W[15], torch.ones_like(grade))  # float64, unlike 1.0
    bonus = torch.where(grade == Rating.EASY, W[16], bonus)
    gain = math.exp(W[8]) * (11 - d) * _power(s, -W[9]) * (torch.exp(missed * W[10]) - 1)
    recalled = s * (1 + gain * bonus)
    relearnt = W[11] * _power(d, -W[12]) * (_power(s + 1, W[13]) - 1) * torch.exp(missed * W[14])
    lapsed = torch.minimum(relearnt, s / math.exp(W[17] * W[18]))
    return _clamp_stability(torch.where(grade == Rating.AGAIN, lapsed, recalled), config)


def stability_short_term(stability: Values, rating: Rating | Tensor, config: ForgettingConfig) -> Tensor:
    """Stability after another rehearsal on the same day: S · e^(w17·(rating - 3 + w18)) · S^-w19.

    Only AGAIN can lower it (FSRS-6 as in py-fsrs).

    Args:
        stability: S before, days, > 0.

    Returns:
        S after, days, at most `max_stability_days` (a pinned +inf stays).
    """
    return _same_day(_stability(stability), _rating(rating), config)


def _same_day(s: Tensor, grade: Tensor, config: ForgettingConfig) -> Tensor:
    growth = torch.exp(W[17] * (grade - 3 + W[18])) * _power(s, -W[19])
    growth = torch.where(grade == Rating.AGAIN, growth, growth.clamp(min=1))
    return _clamp_stability(torch.where(s == math.inf, s, s * growth), config)  # not inf · 0


def rehearse(
    state: MemoryState | tuple[Values, Values],
    elapsed_days: Values,
    rating: Rating | Tensor,
    config: ForgettingConfig,
) -> MemoryState:
    """Stability and difficulty after a rehearsal, as py-fsrs updates a card in its Review state.

    Under a day since the last rehearsal the short-term update holds, from then on the long-term one
    at the retrievability of the *whole* days elapsed (FSRS-6 is fitted to whole days).

    Args:
        state: stability (days, > 0) and difficulty (1 to 10) before.
        elapsed_days: since the last rehearsal; finite, >= 0.
        rating: one for all, or a tensor of them.
    """
    stability, difficulty, grade = _stability(state[0]), _difficulty(state[1]), _rating(rating)
    days = torch.floor(_elapsed(elapsed_days))
    same_day = days < 1
    if bool(same_day.all()):
        updated = _same_day(stability, grade, config)
    else:
        growth = torch.log1p(_factor(config) * days / stability)
        recall = torch.exp(-config.curve_exponent * growth)
        long = _after_recall(difficulty, stability, recall, grade, config)
        updated = torch.where(same_day, _same_day(stability, grade, config), long)
    return MemoryState(updated, _moved_difficulty(difficulty, grade))


def _factor(config: ForgettingConfig) -> float:
    """F: makes R(S) = 0.9."""
    return float(0.9 ** (-1 / config.curve_exponent)) - 1


def _log_growth(elapsed_days: Values, stability: Values, config: ForgettingConfig) -> Tensor:
    """ln(1 + F·t/S); log1p keeps seconds apart that 1 + x would round away."""
    return torch.log1p(_factor(config) * _elapsed(elapsed_days) / _stability(stability))


def _power(base: Tensor, exponent: float) -> Tensor:
    """base ** exponent with the same bits in a batch as alone: torch's own pow differs in the last one."""
    return torch.exp(exponent * torch.log(base))


def _unclamped_initial_difficulty(rating: Tensor) -> Tensor:
    return W[4] - torch.exp(W[5] * (rating - 1)) + 1


def _clamp_stability(stability: Tensor, config: ForgettingConfig) -> Tensor:
    clamped = stability.clamp(MIN_STABILITY_DAYS, config.max_stability_days)
    return torch.where(stability == math.inf, stability, clamped)


def _checked(name: str, value: Values, low: float, high: float, *, open_low: bool = False) -> Tensor:
    """The value as a float64 CPU tensor with every entry in [low, high], or (low, high]."""
    try:
        numbers = torch.as_tensor(value, dtype=torch.float64, device="cpu")
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidInput(name, f"{value!r:.60} is not numbers", "give a float or a tensor") from error
    if numbers.numel():
        least, most = (float(end) for end in torch.aminmax(numbers))  # NaN, where there is one
        if (low < least if open_low else low <= least) and most <= high:
            return numbers
    inside = ((numbers > low) if open_low else (numbers >= low)) & (numbers <= high)  # NaN is outside
    if not bool(inside.all()):
        wrong = torch.masked_select(numbers, ~inside)[0].item()
        bounds = f"{'above' if open_low else 'from'} {low:g} to {high:g}"
        raise InvalidInput(name, f"{wrong!r} is out of range", f"give numbers {bounds}")
    return numbers


def _elapsed(elapsed_days: Values) -> Tensor:
    return _checked("elapsed_days", elapsed_days, 0, torch.finfo(torch.float64).max)


def _stability(stability: Values) -> Tensor:
    return _checked("stability", stability, 0, math.inf, open_low=True)


def _difficulty(difficulty: Values) -> Tensor:
    return _checked("difficulty", difficulty, MIN_DIFFICULTY, MAX_DIFFICULTY)


def _rating(rating: Rating | Tensor) -> Tensor:
    grade = _checked("rating", rating, Rating.AGAIN, Rating.EASY)
    if not bool((grade == grade.round()).all()):
        raise InvalidInput("rating", "is not a whole number", "give 1 (AGAIN) to 4 (EASY)")
    return grade
