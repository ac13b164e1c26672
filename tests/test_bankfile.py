"""The bank's file: bit for bit, whole or not at all, and no file is trusted."""

from __future__ import annotations

import json
import math
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from test_bank import DAY_MS, NOW, an_id, everything, make_bank, store

from neuromem.bank import SlotBank
from neuromem.bankfile import load_bank, read_notes, save_bank
from neuromem.config import BankConfig
from neuromem.errors import BankError, BankFileInvalid, CodecMismatch, NotFound

MODELS = {"codec": "codec-1", "encoder": "hash"}


def a_bank() -> SlotBank:
    """Some rows used, some freed, one memory of three parts, one pinned."""
    bank = make_bank()
    for number in range(12):
        store(bank, number, parts=3 if number == 5 else 1, stability=math.inf if number == 2 else 7.0)
    for number in (0, 4, 11):
        bank.free(an_id(number))
    bank.shrink(NOW + 3 * DAY_MS)
    return bank


@pytest.fixture
def path(tmp_path: Path) -> Path:
    saved = tmp_path / "bank.safetensors"
    save_bank(a_bank(), saved, **MODELS, owner="user:ana", events=12)
    return saved


def same(one: SlotBank, other: SlotBank) -> bool:
    """Whether two banks hold the same, whatever was allocated on top."""
    size = min(one.capacity, other.capacity)
    ours, theirs = everything(one), everything(other)
    rest = [bank.used[size:].any() for bank in (one, other)]
    return not any(rest) and all(ours[name][:size].equal(theirs[name][:size]) for name in ours)


# --- a round trip ------------------------------------------------------------------------------


def test_a_bank_comes_back_bit_for_bit(path: Path) -> None:
    original, loaded = a_bank(), load_bank(path)
    assert same(original, loaded)
    assert loaded.ids() == original.ids()
    assert loaded.inverse_norm[: original.capacity].equal(original.inverse_norm[: loaded.capacity])
    assert [loaded.rows_of(an_id(n)) for n in range(12)] == [original.rows_of(an_id(n)) for n in range(12)]


def test_saving_what_was_loaded_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    save_bank(load_bank(path), again, **MODELS, owner="user:ana", events=12)
    assert again.read_bytes() == path.read_bytes()


def test_equal_banks_give_equal_bytes_in_any_process(path: Path, tmp_path: Path) -> None:
    for attempt in range(3):
        save_bank(a_bank(), tmp_path / f"{attempt}", **MODELS, owner="user:ana", events=12)
        assert (tmp_path / f"{attempt}").read_bytes() == path.read_bytes()


def test_the_file_holds_the_rows_in_use_and_no_spare_ones(path: Path) -> None:
    tensors = load_file(path)
    assert len(tensors["used"]) == 13  # 12 memories on 14 rows, the last of them freed
    assert bool(tensors["used"][-1])


def test_an_empty_bank_has_a_file_too(tmp_path: Path) -> None:
    save_bank(make_bank(), tmp_path / "empty", **MODELS)
    loaded = load_bank(tmp_path / "empty")
    assert (len(loaded), loaded.key_width) == (0, 64)


def test_the_notes_come_back(path: Path) -> None:
    notes = read_notes(path)
    assert isinstance(notes.pop("checksum"), int)
    assert notes == {
        "format": "neuromem-bank", "version": 2, **MODELS, "owner": "user:ana", "events": 12,
    }  # fmt: skip


def test_a_loaded_bank_goes_on_as_the_saved_one_would(path: Path) -> None:
    original, loaded = a_bank(), load_bank(path)
    for bank in (original, loaded):
        store(bank, 50, parts=2)
        bank.shrink(NOW + 9 * DAY_MS)
    assert same(original, loaded)


def test_saving_replaces_the_old_file_whole_and_leaves_nothing_beside_it(path: Path) -> None:
    save_bank(make_bank(), path, **MODELS)
    assert len(load_bank(path)) == 0
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_bank_larger_than_the_limit_is_refused_with_the_remedy(path: Path) -> None:
    with pytest.raises(BankError, match=r"it has 13 rows and bank\.max_slots is 5; raise that"):
        load_bank(path, BankConfig(max_slots=5))


# --- another codec, another encoder ------------------------------------------------------------


@pytest.mark.parametrize("kind", ["codec", "encoder"])
def test_a_bank_of_other_models_is_refused_by_name(path: Path, kind: str) -> None:
    assert len(load_bank(path, **MODELS))
    with pytest.raises(CodecMismatch, match=f"was written with {kind} .*, this is 'other'; use that {kind}"):
        load_bank(path, **(MODELS | {kind: "other"}))


# --- hostile files -----------------------------------------------------------------------------


def refused(path: Path) -> str:
    """Every door says no, with a typed error of one line. Returns the message."""
    with pytest.raises(BankFileInvalid) as caught:
        load_bank(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def rewritten(path: Path, change: Callable[[dict[str, torch.Tensor]], None], **notes: Any) -> Path:
    """The file with its tensors and notes changed, otherwise sound."""
    tensors, about = load_file(path), read_notes(path) | notes
    change(tensors)
    save_file(tensors, path, metadata={"neuromem": json.dumps(about, sort_keys=True)})
    return path


def nothing(tensors: dict[str, torch.Tensor]) -> None:
    pass


def test_no_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="absent does not exist"):
        load_bank(tmp_path / "absent")


@pytest.mark.parametrize("twentieth", range(20))
def test_a_truncated_file_is_refused(path: Path, twentieth: int) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * twentieth // 20])
    refused(path)


def test_a_file_with_something_appended_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")
    refused(path)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 100, 10_000])
def test_random_bytes_are_refused(tmp_path: Path, size: int) -> None:
    junk = tmp_path / "junk.safetensors"
    junk.write_bytes(random.Random(size).randbytes(size))
    refused(junk)


def test_a_header_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    for claim in (2**63, 2**40, 2**20):
        junk = tmp_path / "junk.safetensors"
        junk.write_bytes(struct.pack("<Q", claim) + b"{" * 1_000)
        refused(junk)


def test_a_header_that_claims_a_huge_tensor_is_refused(tmp_path: Path) -> None:
    header = json.dumps({"key": {"dtype": "I8", "shape": [2**40, 640], "data_offsets": [0, 8]}}).encode()
    junk = tmp_path / "junk.safetensors"
    junk.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 8)
    refused(junk)


def test_flipped_bits_never_crash(path: Path) -> None:
    whole, rng, loaded = path.read_bytes(), random.Random(3), 0
    for _ in range(150):
        raw = bytearray(whole)
        for _ in range(rng.choice((1, 8, 64))):
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        path.write_bytes(raw)
        try:
            bank = load_bank(path)
        except BankError:
            continue
        loaded += 1
        bank.readable(bank.used.nonzero().flatten().tolist(), NOW)  # what passes the checks can be used
        bank.lookup(torch.ones(bank.key_width), 5)
        bank.shrink(NOW + 5 * DAY_MS)
    assert loaded, "a flipped bit of a weight is no fault of the file"


@pytest.mark.parametrize(
    "name", ["key", "value", "used", "id", "part", "stability", "floor", "halvings", "sequence"]
)
def test_a_missing_tensor_is_refused(path: Path, name: str) -> None:
    refused(rewritten(path, lambda tensors: tensors.__delitem__(name)))


def test_a_tensor_too_many_is_refused(path: Path) -> None:
    assert "payload" in refused(rewritten(path, lambda tensors: tensors.update(payload=torch.zeros(3))))


@pytest.mark.parametrize("name", ["key", "value", "used", "id", "stability", "rehearsed_ms", "recalls"])
@pytest.mark.parametrize("kind", ["dtype", "rows", "columns", "dimensions"])
def test_wrong_types_and_shapes_are_refused(path: Path, name: str, kind: str) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        old = tensors[name]
        tensors[name] = {
            "dtype": lambda: old.to(torch.float64 if old.dtype != torch.float64 else torch.int8),
            "rows": lambda: torch.cat([old, old[:1]]),
            "columns": lambda: old[:, :5].contiguous() if old.dim() == 2 else old[:, None].repeat(1, 2),
            "dimensions": lambda: old[None],
        }[kind]()

    refused(rewritten(path, change))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("stability", math.nan), ("stability", 0.0), ("stability", -1.0),
        ("difficulty", math.nan), ("difficulty", 0.5), ("difficulty", 11.0), ("difficulty", math.inf),
        ("importance", math.nan), ("importance", 1.5), ("floor", math.nan), ("floor", -0.1), ("floor", 3.0),
        ("halvings", -1), ("halvings", 9), ("worn", -1), ("worn", 100),
        ("recalls", -1), ("rehearsed_ms", -1), ("written_ms", 2**60), ("heard_ms", -(2**60)),
        ("sequence", -2), ("sequence", 2**60), ("part", -1), ("part", 5), ("parts", 0),
    ],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(path: Path, name: str, number: float) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        row = int(tensors["used"].nonzero()[0])
        tensors[name][row] = number

    refused(rewritten(path, change))


def test_two_rows_that_claim_to_be_the_same_part_are_refused(path: Path) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        first, second = tensors["used"].nonzero().flatten()[:2]
        tensors["id"][second] = tensors["id"][first]

    refused(rewritten(path, change))


def test_a_memory_that_lacks_a_part_is_refused(path: Path) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        (row,) = (tensors["used"] & (tensors["part"] == 1)).nonzero().flatten().tolist()
        for tensor in tensors.values():
            tensor[row] = 0

    refused(rewritten(path, change))


def test_a_free_row_that_is_not_empty_is_refused(path: Path) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        row = int((~tensors["used"]).nonzero()[0])
        tensors["value"][row] = 7

    refused(rewritten(path, change))


def test_a_version_of_the_future_is_refused_with_the_remedy(path: Path) -> None:
    assert "version 3 is not known here (2 is); update neuromem" in refused(
        rewritten(path, nothing, version=3)
    )


def test_a_version_of_the_past_is_refused_and_said_to_be_one(path: Path) -> None:
    assert "of an older version (1; 2 is known here)" in refused(rewritten(path, nothing, version=1))


def test_a_safetensors_file_of_something_else_is_refused(path: Path, tmp_path: Path) -> None:
    refused(rewritten(path, nothing, format="something else"))
    other = tmp_path / "other.safetensors"
    save_file({"key": torch.zeros(3, 64, dtype=torch.int8)}, other)
    refused(other)
    for notes in ("[]", "7", "null", "{", '"neuromem-bank"'):
        save_file(load_file(path), other, metadata={"neuromem": notes})
        refused(other)
