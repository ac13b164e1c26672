"""Lookup in a bank: exact, in use only, whatever the size; and the device it is on."""

from __future__ import annotations

import pytest
import torch
from test_bank import K, an_id, make_bank, store

from neuromem.bank import float_products, whole_products
from neuromem.errors import InvalidInput
from neuromem.layout import KEY_PEAK, pick_device, quantize_keys


@pytest.mark.parametrize(("slots", "width"), [(1, 8), (1, 640), (2, 9), (7, 64), (33, 100), (500, 640)])
def test_int8_products_are_those_of_integer_arithmetic(slots: int, width: int) -> None:
    generator = torch.Generator().manual_seed(slots * width)
    queries = torch.randint(-127, 128, (3, width), generator=generator, dtype=torch.int8)
    keys = torch.randint(-127, 128, (slots, width), generator=generator, dtype=torch.int8)
    for count in (1, 3):
        product = torch._int_mm(queries[:count], keys.t())
        assert product.equal(queries[:count].int() @ keys.int().t())


def test_products_on_other_devices_are_the_same_numbers() -> None:
    """Two keys multiply to more than float16 can hold: all that is near was as near as any other."""
    generator = torch.Generator().manual_seed(7)
    keys = quantize_keys(torch.nn.functional.normalize(torch.randn(64, 384, generator=generator), dim=1))
    queries = (keys[:5].float() * (127 / keys[:5].abs().amax(dim=1, keepdim=True))).round().to(torch.int8)
    exact = whole_products(queries, keys)
    assert exact.max() > torch.finfo(torch.float16).max
    assert float_products(queries, keys).equal(exact)


def test_a_bank_elsewhere_than_on_the_cpu_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = make_bank()
    for number in range(100):
        store(bank, number)
    here = [bank.similarities(bank.key[row].float()) for row in range(100)]
    monkeypatch.setattr("neuromem.bank.whole_products", float_products)
    for row, similar in enumerate(here):
        assert bank.similarities(bank.key[row].float()).equal(similar)
        assert bank.lookup(bank.key[row].float(), 1)[1].tolist() == [row]


@pytest.mark.parametrize("slots", [1, 5, 300])
def test_lookup_is_what_brute_force_in_float_finds(slots: int) -> None:
    bank = make_bank()
    for number in range(slots):
        store(bank, number)
    keys = torch.nn.functional.normalize(bank.key[bank.used].double(), dim=1)
    rows = bank.used.nonzero().flatten()
    for seed in range(20):
        query = torch.randn(K, generator=torch.Generator().manual_seed(seed + 10_000))
        cosines, found = bank.lookup(query, 10)
        exact = keys @ torch.nn.functional.normalize(query.double(), dim=0)
        best = exact.topk(min(10, slots))
        assert torch.allclose(cosines.double(), best.values, atol=1e-5)
        assert found.tolist() == rows[best.indices].tolist()


def test_a_stored_key_finds_its_own_row_first() -> None:
    bank = make_bank()
    for number in range(100):
        store(bank, number)
    for row in range(100):
        cosines, rows = bank.lookup(bank.key[row].float(), 1)
        assert rows.tolist() == [row]
        assert float(cosines[0]) == pytest.approx(1, abs=1e-5)


def test_lookup_never_returns_a_free_row() -> None:
    bank = make_bank()
    for number in range(20):
        store(bank, number)
    queries = [bank.key[row].float() for row in range(20)]
    for number in range(0, 20, 2):
        bank.free(an_id(number))
    for query in queries:
        _, rows = bank.lookup(query, 50)
        assert sorted(rows.tolist()) == list(range(1, 20, 2))


def test_an_empty_bank_finds_nothing() -> None:
    cosines, rows = make_bank().lookup(torch.ones(K), 5)
    assert (len(cosines), len(rows)) == (0, 0)


def test_a_bank_of_one_row_finds_it() -> None:
    bank = make_bank(max_slots=1, block_slots=1)
    store(bank, 0)
    assert bank.lookup(torch.ones(K), 5)[1].tolist() == [0]
    assert bank.nearest(torch.ones(2, K), 5)[0].shape == (2, 1, K)


def test_a_query_of_zeros_is_no_fault() -> None:
    bank = make_bank()
    store(bank, 0)
    cosines, rows = bank.lookup(torch.zeros(K), 3)
    assert rows.tolist() == [0]
    assert cosines.tolist() == [0.0]


def test_the_length_of_a_query_does_not_matter() -> None:
    bank = make_bank()
    for number in range(50):
        store(bank, number)
    query = torch.randn(K)
    for scale in (1e-6, 1.0, 1e6):
        cosines, rows = bank.lookup(query * scale, 5)
        assert rows.equal(bank.lookup(query, 5)[1])
        assert torch.allclose(cosines, bank.lookup(query, 5)[0], atol=1e-5)


def test_nearest_leaves_out_the_rows_it_is_told_to() -> None:
    bank = make_bank()
    for number in range(10):
        store(bank, number)
    key = torch.nn.functional.normalize(bank.key[4].float(), dim=0)[None]
    found, cosines = bank.nearest(key, 1)
    assert float(cosines[0, 0]) == pytest.approx(1, abs=1e-3)
    found, cosines = bank.nearest(key, 10, without=[4])
    assert float(cosines[0, 0]) < 0.9
    assert float(cosines[0, -1]) == -1, "the row left out is no neighbour at all"
    assert found.shape == (1, 10, K)


def test_quantized_keys_keep_their_direction() -> None:
    keys = torch.nn.functional.normalize(torch.randn(200, 640), dim=1)
    stored = quantize_keys(keys)
    assert stored.dtype == torch.int8
    assert (torch.nn.functional.cosine_similarity(stored.float(), keys, dim=1) > 0.995).all()
    assert 125 <= KEY_PEAK * 0.28 <= 127  # the entry of a lone word


# --- devices -----------------------------------------------------------------------------------


def test_an_unknown_device_is_a_clear_error() -> None:
    with pytest.raises(InvalidInput, match=r"bank\.device: 'abacus' cannot be used .*; use 'auto' or 'cpu'"):
        pick_device("abacus")


def test_auto_picks_a_device_that_works() -> None:
    assert torch.zeros(1, device=pick_device("auto")).sum() == 0


def test_a_bank_that_was_given_a_state_dict_is_found_in_at_once() -> None:
    bank, other = make_bank(block_slots=32), make_bank(block_slots=32)
    for number in range(20):
        store(bank, number)
    other.load_state_dict(bank.state_dict())
    query = bank.key[7].float()
    assert other.ids() == bank.ids()
    assert other.lookup(query, 1)[1].equal(bank.lookup(query, 1)[1])
    assert other.lookup(query, 1)[0].item() == pytest.approx(1, abs=1e-6)
