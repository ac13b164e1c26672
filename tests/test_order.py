"""The order of a bank's passages follows the rows that change, and is what sorting all of them anew gives."""

from __future__ import annotations

import random

import numpy as np

from neuromem import Memory
from neuromem.order import _Sorted, order_of

TOPICS = "harbour bakery tram orchestra garden lighthouse".split()


def test_the_order_kept_is_the_order_sorted_anew() -> None:
    rng, now = random.Random(3), [1.8e9]
    with Memory(config={"bank": {"max_slots": 12}}, clock=lambda: now[0]) as memory:
        for number in range(30):
            now[0] += rng.choice([0, 60, 7_200])
            late = now[0] - rng.choice([0, 0, 3_000])  # old talk is read in late
            text = f"The {rng.choice(TOPICS)} number {number} is open. " * rng.choice([1, 1, 5])
            memory.add(text, "ana", infer=False, timestamp=late)
            bank = memory.bank("ana")
            kept, anew = order_of(bank), _Sorted(bank).order()
            for one, other in zip(kept, anew, strict=True):
                assert np.array_equal(one, other)
            assert len(bank) <= 12
