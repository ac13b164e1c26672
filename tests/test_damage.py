"""Damaged weights: what was not written is never said as the words."""

from __future__ import annotations

import random

import pytest

from neuromem import Memory
from neuromem.bench.generated import personal_facts

FACTS = [fact.text for fact in personal_facts(60, 3)]


@pytest.mark.parametrize("flips", [1, 2, 8, 64])
def test_flipped_bits_cost_words_but_never_change_them(flips: int) -> None:
    rng = random.Random(flips)
    memory = Memory(encoder="hash", config={"forgetting": {"decay": "none"}})
    memory.add([{"role": "user", "content": text} for text in FACTS], user_id="ana", infer=False)
    bank = memory.bank("ana")
    for row in bank.used.nonzero().flatten().tolist():
        for _ in range(flips):
            unit = rng.randrange(bank.value.shape[1])
            flipped = (int(bank.value[row, unit]) & 0xFF) ^ (1 << rng.randrange(8))
            bank.value[row, unit] = flipped - 256 if flipped > 127 else flipped
    said = [
        recall for recall in memory.all(user_id="ana", fidelity="weights") if recall.fidelity == "verbatim"
    ]
    assert [recall.text for recall in said if recall.text not in FACTS] == []
    assert flips > 2 or said, "a flipped bit or two leaves words readable"


def test_exact_words_mend_a_damaged_slot() -> None:
    memory = Memory(encoder="hash")
    fact = memory.add("My dog's name is Potola", user_id="ana")[0]
    memory.bank("ana").value[:] = 0
    assert memory.get(fact.id, fidelity="exact").text == "My dog's name is Potola"
    memory.rebuild("ana")
    assert memory.get(fact.id, fidelity="weights").text == "My dog's name is Potola"
