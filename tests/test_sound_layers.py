"""The layers of protection: each checked against another implementation, or by what it heals."""

from __future__ import annotations

import random

import numpy as np
import pytest
import reedsolo

from neuromem.sound.layers.crc import CRC8, CRC16, CRC32C
from neuromem.sound.layers.erasure import Erasure
from neuromem.sound.layers.interleave import Interleaver
from neuromem.sound.layers.reedsolomon import PARITY, WORD, ReedSolomon


def noise(count: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(count)


def test_the_check_values_of_the_catalogue_of_crcs() -> None:
    assert CRC32C.of(b"123456789") == 0xE3069283
    assert CRC16.of(b"123456789") == 0xFEE8  # CRC-16/UMTS
    assert CRC8.of(b"123456789") == 0xF4  # CRC-8/SMBUS


@pytest.mark.parametrize("length", [1, 31, 32, 33, 64, 100, 255, 1000])
def test_rows_have_the_crc_that_a_byte_by_byte_pass_finds(length: int) -> None:
    rows = np.frombuffer(noise(4 * length), np.uint8).reshape(4, length)
    for found, row in zip(CRC32C.rows(rows), rows, strict=True):
        register = 0xFFFFFFFF
        for byte in row.tolist():
            register ^= byte
            for _ in range(8):
                register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
        assert int(found) == register ^ 0xFFFFFFFF


def test_parity_is_what_reedsolo_computes() -> None:
    data = np.frombuffer(noise(223 * 5), np.uint8).reshape(5, 223)
    for row, parity in zip(data, ReedSolomon().parity(data), strict=True):
        assert reedsolo.RSCodec(PARITY).encode(row.tobytes())[-PARITY:] == parity.tobytes()


def test_sixteen_wrong_bytes_are_healed_and_more_are_not_taken_for_healed() -> None:
    code, rng = ReedSolomon(), random.Random(1)
    data = np.frombuffer(noise(223), np.uint8)[None, :]
    word = bytearray(data.tobytes() + code.parity(data).tobytes())
    for at in rng.sample(range(WORD), 16):
        word[at] ^= 1 + rng.randrange(255)
    assert code.heal(bytes(word)) == data.tobytes()
    for at in range(100):
        word[at] ^= 0x5A
    assert code.heal(bytes(word)) != data.tobytes()


@pytest.mark.parametrize(("data", "total"), [(1, 2), (4, 9), (120, 248), (120, 120)])
def test_any_k_of_m_blocks_give_all_back(data: int, total: int) -> None:
    code, rng = Erasure(data, total), random.Random(2)
    blocks = [noise(50, at) for at in range(data)]
    every = dict(enumerate([*blocks, *code.parity(blocks)]))
    for _ in range(5):
        kept = rng.sample(range(total), data)
        assert code.rebuild({at: every[at] for at in kept}) == blocks
    assert code.rebuild({at: every[at] for at in range(data - 1)}) is None


def test_a_burst_is_spread_over_all_code_words() -> None:
    interleaver = Interleaver(8)
    words = np.frombuffer(noise(3 * 8 * 255), np.uint8).reshape(3, 8, 255)
    spread = interleaver.spread(words).copy()
    assert (interleaver.gather(spread) == words).all()
    spread[0, 100:228] ^= 0xFF
    assert ((interleaver.gather(spread) != words)[0].sum(axis=1) == 16).all()
