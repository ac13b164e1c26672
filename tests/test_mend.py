"""Damaged weights: words that the seal vouches for, or none."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromem.codec import default_codec
from neuromem.config import WriteConfig
from neuromem.ladder import VERBATIM
from neuromem.layout import seal_of
from neuromem.mend import mended
from neuromem.write import write_values

TEXTS = [
    "My dog's name is Potola",
    "Mihaela moved back in with her parents in Iași.",
    "the code of the boathouse door is 4471",
    "Order 4471-A: 3 × oak shelf 80 cm, 12 brackets",
]


def values_of(texts: list[str]) -> torch.Tensor:
    none = [(b"", b"", b"", b"")] * len(texts)
    return write_values(default_codec(), [text.encode() for text in texts], none, WriteConfig()).value.float()


def noisy(values: torch.Tensor, sigma: float, seed: int) -> torch.Tensor:
    used = values != 0
    noise = (
        torch.randn(values.shape, generator=torch.Generator().manual_seed(seed)) * sigma * VERBATIM.amplitude
    )
    return torch.round(values + noise * used)


@pytest.mark.parametrize("text", TEXTS)
def test_undamaged_words_match_their_seal_at_once(text: str) -> None:
    assert mended(default_codec(), values_of([text]), torch.ones(1), seal_of(text)) == text


def test_noise_that_makes_the_first_reading_wrong_is_seen_through() -> None:
    codec, mends, broken = default_codec(), 0, 0
    values = values_of(TEXTS)
    for seed in range(12):
        for value, text in zip(noisy(values, 0.045, seed), TEXTS, strict=True):
            said = codec.read_values(value[None], torch.ones(1))[0].text
            if said != text:
                broken += 1
                mends += mended(codec, value[None], torch.ones(1), seal_of(text)) == text
    assert broken >= 3, "no noise, no test"
    assert mends > broken / 2


@given(seed=st.integers(0, 10_000), sigma=st.sampled_from([0.05, 0.1, 0.3, 1.0]))
@settings(max_examples=25, deadline=None)
def test_whatever_the_damage_nothing_but_the_words_comes_back(seed: int, sigma: float) -> None:
    value = noisy(values_of(TEXTS[:1]), sigma, seed)
    assert mended(default_codec(), value, torch.ones(1), seal_of(TEXTS[0])) in (None, TEXTS[0])


def test_the_words_of_several_slots_are_mended_together() -> None:
    parts = ["My dog's name is Potola, ", "and the cat is called Mirela."]
    values = values_of(parts)
    assert mended(default_codec(), values, torch.ones(2), seal_of("".join(parts))) == "".join(parts)
    assert mended(default_codec(), values, torch.ones(2), seal_of("something else")) is None


def test_without_a_seal_or_without_words_there_is_nothing_to_mend() -> None:
    values = values_of(TEXTS[:1])
    assert mended(default_codec(), values, torch.ones(1), 0) is None
    gone = values.clone()
    gone[:, VERBATIM.units] = 0
    assert mended(default_codec(), gone, torch.ones(1), seal_of(TEXTS[0])) is None
