"""Keys: one cosine of meaning and words, sculpted where neighbours are near, never out of its cone."""

from __future__ import annotations

import pytest
import torch
from strings import FACTS, NASTY
from torch.nn.functional import normalize

from neuromem.bank import SlotBank
from neuromem.config import BankConfig, RecallConfig, WriteConfig
from neuromem.encoders import HashEncoder
from neuromem.keys import ANSWERS, CONFUSABLE, Keys, answering_for_all, neighbours_of, sculpt_keys

CONFIG = WriteConfig()


def keys_of(buckets: int = 256) -> Keys:
    return Keys(HashEncoder(), BankConfig(lexical_buckets=buckets), RecallConfig())


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    return normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def near(target: torch.Tensor, cosine: float, seed: int = 1) -> torch.Tensor:
    """A unit row with so much cosine with each target."""
    across = unit(*target.shape, seed=seed)
    across = normalize(across - (across * target).sum(-1, keepdim=True) * target, dim=-1)
    return cosine * target + (1 - cosine**2) ** 0.5 * across


# --- targets and queries -----------------------------------------------------------------------


@pytest.mark.parametrize("buckets", [0, 64, 256])
def test_targets_and_queries_are_unit_vectors_of_one_width(buckets: int) -> None:
    keys = keys_of(buckets)
    targets = keys.targets(list(FACTS))
    assert targets.shape == (len(FACTS), keys.width)
    assert torch.allclose(targets.norm(dim=1), torch.ones(len(FACTS)), atol=1e-5)
    query = keys.query(FACTS[0])
    assert query.shape == (keys.width,)
    assert float(query.norm()) == pytest.approx(1, abs=1e-5)


def test_nasty_strings_have_finite_keys() -> None:
    keys = keys_of()
    targets = keys.targets(list(NASTY.values()))
    assert targets.isfinite().all()
    assert (targets.norm(dim=1) < 1.001).all()
    for text in NASTY.values():
        assert keys.query(text).isfinite().all()


def test_a_text_is_nearest_to_itself() -> None:
    targets = keys_of().targets(list(FACTS))
    assert (targets @ targets.T).argmax(dim=1).tolist() == list(range(len(FACTS)))


def test_case_is_kept_but_typographic_quotes_are_not() -> None:
    keys = keys_of()
    assert keys.targets(["My dog’s name"]).equal(keys.targets(["My dog's name"]))


def test_the_same_list_gives_the_same_bits() -> None:
    keys = keys_of()
    assert keys.targets(list(FACTS)).equal(keys.targets(list(FACTS)))


def test_the_name_of_a_key_space_tells_encoder_buckets_and_weight() -> None:
    names = {keys_of(0).identity, keys_of(64).identity, keys_of(256).identity}
    assert len(names) == 3
    heavier = Keys(HashEncoder(), BankConfig(lexical_buckets=256), RecallConfig(lexical_weight=0.5))
    assert heavier.identity not in names


# --- texts in several slots --------------------------------------------------------------------


def test_queries_of_many_are_those_of_each() -> None:
    keys = keys_of()
    together = keys.queries(list(FACTS))
    for fact, row in zip(FACTS, together, strict=True):
        assert torch.allclose(row, keys.query(fact), atol=1e-6)


def test_one_part_answers_for_the_whole_text_and_the_others_stay_as_they_were() -> None:
    whole = unit(64)
    parts = torch.stack([near(whole, 0.4, seed=2), near(whole, 0.6, seed=3), near(whole, 0.5, seed=4)])
    out = answering_for_all(parts, whole)
    assert torch.equal(out[[0, 2]], parts[[0, 2]])
    assert float(out[1] @ whole) == pytest.approx(ANSWERS, abs=1e-5)
    assert float(out[1].norm()) == pytest.approx(1, abs=1e-5)
    assert float(out[1] @ parts[1]) > float(parts[1] @ whole), "it turns no further than it must"


def test_a_part_that_is_near_the_whole_already_is_left_alone() -> None:
    whole = unit(64)
    parts = torch.stack([near(whole, 0.95), near(whole, 0.5, seed=5)])
    assert torch.equal(answering_for_all(parts, whole), parts)


# --- neighbours --------------------------------------------------------------------------------


def test_near_keys_of_the_batch_are_neighbours_but_parts_of_one_memory_are_not() -> None:
    target = unit(1, 64)
    targets = torch.cat([target, near(target, 0.95), near(target, 0.95, seed=2), unit(1, 64, seed=9)])
    found = neighbours_of(targets, [0, 1, 1, 2], SlotBank(64), [], 8)
    real = (found.norm(dim=2) > 0).sum(dim=1)
    assert real.tolist() == [2, 1, 1, 0]
    assert (torch.einsum("bjk,bk->bj", found, targets)[0, :2] > CONFUSABLE).all()


def test_an_empty_bank_and_a_lonely_key_have_no_neighbours() -> None:
    assert neighbours_of(unit(1, 64), [0], SlotBank(64), [], 8).norm() == 0


# --- sculpting ---------------------------------------------------------------------------------


def test_keys_without_near_neighbours_stay_where_they_are() -> None:
    target = unit(5, 64)
    key, steps = sculpt_keys(target, target[:, None], torch.zeros(5, 3, 64), CONFIG)
    assert key.equal(target)
    assert steps == 0


def test_a_crowded_key_is_pulled_towards_its_cue_and_away_from_its_neighbour() -> None:
    target = unit(4, 64)
    neighbour = near(target, 0.97)
    cue = near(target, 0.8, seed=5)
    key, steps = sculpt_keys(target, torch.stack([target, cue], dim=1), neighbour[:, None], CONFIG)

    def margin(k: torch.Tensor) -> torch.Tensor:
        return ((cue * k).sum(1) - (cue * neighbour).sum(1)).mean()

    assert 0 < steps <= CONFIG.key_steps
    assert margin(key) > margin(target)
    assert ((key * neighbour).sum(1) < (target * neighbour).sum(1)).all()


def test_a_sculpted_key_stays_a_unit_vector_within_the_cone_around_its_target() -> None:
    for cosine in (0.75, 0.9, 0.999):
        target = unit(20, 64)
        key, _ = sculpt_keys(target, target[:, None], near(target, cosine)[:, None], CONFIG)
        assert torch.allclose(key.norm(dim=1), torch.ones(20), atol=1e-4)
        assert ((key * target).sum(1) >= CONFIG.key_anchor - 1e-4).all()


def test_sculpting_is_the_same_every_time() -> None:
    target = unit(6, 64)
    arguments = (target, target[:, None], near(target, 0.95)[:, None], CONFIG)
    assert sculpt_keys(*arguments)[0].equal(sculpt_keys(*arguments)[0])


def test_an_identical_neighbour_gives_no_nan() -> None:
    target = unit(3, 64)
    key, _ = sculpt_keys(target, target[:, None], target[:, None].clone(), CONFIG)
    assert key.isfinite().all()
    assert torch.allclose(key.norm(dim=1), torch.ones(3), atol=1e-4)
