"""A bank's limit in bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_bank import K

from neuromem import Memory, SlotBank
from neuromem.config import BankConfig
from neuromem.errors import CapacityExhausted, ConfigError

FACTS = [f"My friend {name} lives in {town}." for name in ("Ana", "Ben", "Cleo") for town in ("Rome", "Oslo")]


def told(kib: int, path: Path | None = None, **bank: object) -> Memory:
    memory = Memory(path, config={"bank": {"max_kib": kib, **bank}}, encoder="hash")
    memory.add([{"role": "user", "content": fact} for fact in FACTS], "ana", infer=False)
    return memory


def test_a_bank_never_holds_more_bytes_than_it_may() -> None:
    with told(5) as memory:
        bank = memory.bank("ana")
        assert sum(buffer.nbytes for buffer in bank.state_dict().values()) <= 5 * 1_024
        assert len(bank) == bank.capacity == 5 * 1_024 // bank.bytes_per_slot
        assert {recall.text for recall in memory.all("ana")} < set(FACTS)


def test_the_lower_of_both_limits_counts() -> None:
    assert SlotBank(K, BankConfig(max_slots=3, max_kib=1_000)).config.max_slots == 3
    assert SlotBank(K, BankConfig(max_slots=3_000, max_kib=10)).config.max_slots < 30
    assert SlotBank(K, BankConfig(max_slots=3_000)).config.max_slots == 3_000


def test_errors_name_the_limit_that_was_met(tmp_path: Path) -> None:
    with pytest.raises(CapacityExhausted, match=r"bank\.max_kib=5 \(\d slots\)"):
        told(5, when_full="refuse")
    with pytest.raises(ConfigError, match=r"bank\.max_kib: 1 holds no slot of 1,445 bytes; give at least 2"):
        told(1)


def test_a_store_is_opened_again_under_its_limit_and_another(tmp_path: Path) -> None:
    with told(5, tmp_path) as memory:
        held = {recall.id for recall in memory.all("ana")}
    with Memory(tmp_path, config={"bank": {"max_kib": 5}}, encoder="hash") as memory:
        assert {recall.id for recall in memory.all("ana")} == held
    with Memory(tmp_path, encoder="hash") as memory:
        assert [recall.text for recall in memory.all("ana")] == FACTS
