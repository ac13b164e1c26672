"""Sleep over a large bank: it looks at what is new, compares nothing with everything, finds the same."""

from __future__ import annotations

import random
import time

import pytest
import torch
from conftest import FakeClock
from test_sleep import tell

from neuromem import Memory, consolidate
from neuromem.bank import SlotBank
from neuromem.config import BankConfig
from neuromem.consolidate import _FILLER_MARKS, _Block, _blocks
from neuromem.order import order_of


def bank_of(rows: int, words: int, seed: int = 0) -> SlotBank:
    """A bank of memories of one row or two; of few `words`, so that many have the same."""
    chance = random.Random(seed)
    bank = SlotBank(8, BankConfig(device="cpu", block_slots=rows))
    fillers, row = sorted(_FILLER_MARKS), 0
    while row < rows - 1:
        parts = chance.choice((1, 1, 2))
        id_ = torch.tensor([*row.to_bytes(4, "big"), *bytes(12)], dtype=torch.uint8)
        for part in range(parts):
            at = row + part
            said = [chance.randrange(1, words) for _ in range(chance.randrange(3))]
            said += chance.sample(fillers, chance.randrange(2))
            bank.marks[at, : len(said)] = torch.tensor(said, dtype=torch.int16)
            bank.used[at], bank.id[at], bank.part[at], bank.parts[at] = True, id_, part, parts
        held = slice(row, row + parts)
        bank.sequence[held], bank.written_ms[held] = chance.randrange(-1, rows), chance.randrange(rows)
        bank.meaning[held], bank.speaker[held] = chance.choice((0, chance.randrange(words))), row % 2
        bank.until_ms[held] = chance.randrange(8) == 0
        row += parts
    bank.key[: rows // 2] = 1
    bank.reindex()
    return bank


def blocks_one_by_one(bank: SlotBank, since: int) -> list[_Block]:
    """What `_blocks` gives, found by looking at the words of every memory."""
    order = order_of(bank)
    found: dict[tuple[int, object], list[int]] = {}
    for head, memory_id in zip(order.heads.tolist(), bank.ids_of(torch.from_numpy(order.rows[order.heads])),
                               strict=True):  # fmt: skip
        row = int(order.rows[head])
        if bank.until_ms[row] or bank.sequence[row] < 0:
            continue
        content = frozenset({*bank.held_marks(memory_id)} - _FILLER_MARKS)
        for sign in (content, int(bank.meaning[row])):
            if sign:
                found.setdefault((int(bank.speaker[row]), sign), []).append(row)
    blocks = [
        _Block(tuple(bank.ids_of(torch.tensor(rows[:128]))), max(int(bank.sequence[row]) for row in rows))
        for rows in dict.fromkeys(map(tuple, found.values()))
        if len(rows) > 1
    ]
    return sorted((block for block in blocks if block.newest >= since), key=lambda block: block.newest)


@pytest.mark.parametrize("seed", range(4))
def test_what_may_say_the_same_is_found_among_the_new_as_among_all(seed: int) -> None:
    bank = bank_of(400, 12, seed)
    for since in (0, 200, 390, 400):
        blocks = _blocks(bank, since)
        assert blocks == blocks_one_by_one(bank, since)
        assert blocks or since == 400


def test_of_a_large_bank_only_what_is_new_is_looked_at() -> None:
    bank = bank_of(20_000, 9_000)
    order_of(bank)

    def seconds(since: int) -> float:
        started = time.process_time()
        _blocks(bank, since)
        return time.process_time() - started

    assert min(seconds(19_990) for _ in range(3)) * 4 < min(seconds(0) for _ in range(3))


def test_a_sleep_compares_the_memories_of_a_large_bank_not_each_with_all(
    fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory(encoder="hash", clock=fake_clock)
    tell(memory, "I drink green tea", "I drink black tea", "black tea for me")
    made: list[int] = []
    monkeypatch.setattr(consolidate, "clusters_of", lambda bank, _: made.append(len(bank)))
    memory.sleep()
    assert made == [3]
    monkeypatch.setattr(consolidate, "READY", 2)
    memory.sleep()
    assert made == [3]
