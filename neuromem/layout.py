"""What a row of a bank holds, on which grid, on which device."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import torch
from torch import Tensor

from .errors import InvalidInput
from .ladder import VALUE_UNITS
from .marks import MARKS
from .senses import SENSE_BYTES, SENSES

__all__ = ["DAY_MS", "STATE", "Rows", "pick_device", "quantize_keys", "row_layout", "seal_of"]

DAY_MS = 86_400_000
KEY_PEAK = 448.0  # grid steps of a unit key's length: an entry of 0.28, a lone word's, fills int8

# name → (dtype, columns or None for one number a row)
STATE: dict[str, tuple[torch.dtype, int | None]] = {
    "used": (torch.bool, None),
    "id": (torch.uint8, 16),  # UUID of the memory
    "part": (torch.int16, None),  # 0, 1, … of a memory that spans several rows
    "parts": (torch.int16, None),
    "sequence": (torch.int64, None),  # number of the event in the owner's log that wrote it
    "written_ms": (torch.int64, None),  # Unix time of the first writing
    "heard_ms": (torch.int64, None),  # … of the last time the words were heard
    "rehearsed_ms": (torch.int64, None),  # … from which the forgetting curve runs
    "stability": (torch.float32, None),  # days; inf is pinned
    "difficulty": (torch.float32, None),  # 1 to 10
    "importance": (torch.float32, None),  # 0 to 1
    "words": (torch.int64, None),  # fingerprint of the words, by which they are known when heard again
    "seal": (torch.int64, None),  # checksum of the words: damaged weights must not pass for them
    "meaning": (torch.int64, None),  # … of the gist
    "slot": (torch.int64, None),  # fingerprint of who and what it is about: "1|home"; 0 for none
    "until_ms": (torch.int64, None),  # Unix time from which it is no longer current; 0 = it is
    "successor": (torch.uint8, 16),  # UUID of what replaced it; zero for nothing
    "marks": (torch.int16, MARKS),  # hashes of its content words, in order (`marks.py`)
    "senses": (torch.uint8, SENSES * SENSE_BYTES),  # what its content words mean (`senses.py`)
    "traits": (torch.uint8, None),  # bits: asks, has a time word, a number, names, orders, speaks of change
    "speaker": (torch.int64, None),  # mark of the name of who said it; 0: the owner, or not told
    "subject": (torch.int64, None),  # mark of whom or what its gist is about, or `OWN`; 0: not clear
    "noted": (torch.bool, None),  # whether metadata came with it (it is in the log)
    "recalls": (torch.int32, None),
    "floor": (torch.float32, None),  # lowest strength at which the words were verified; 2 = never
    "halvings": (torch.int8, None),  # times the weights were physically halved
    "worn": (torch.int8, None),  # halvings' worth of detail lost for good
}


class Rows(NamedTuple):
    """Rows to store: what the write loop hands to the bank. All tensors have B rows."""

    key: Tensor  # [B, K] int8
    value: Tensor  # [B, V] int8
    floor: Tensor  # [B] float32
    marks: Tensor  # [B, MARKS] int16
    traits: Tensor  # [B] uint8
    senses: Tensor  # [B, SENSES · SENSE_BYTES] uint8


def row_layout(key_width: int) -> dict[str, tuple[torch.dtype, int | None]]:
    """Every persistent buffer of a bank: name → (dtype, columns)."""
    return {"key": (torch.int8, key_width), "value": (torch.int8, VALUE_UNITS)} | STATE


def seal_of(text: str) -> int:
    """CRC-32 of a memory's words, plus one: 0 is "not known"."""
    return zlib.crc32(text.encode()) + 1


def quantize_keys(keys: Tensor) -> Tensor:
    """Unit keys [B, K] float → int8 on the grid."""
    return torch.round(keys * KEY_PEAK).clamp(-127, 127).to(torch.int8)


def pick_device(setting: str) -> torch.device:
    """The device of a setting; "auto" prefers mps, then cuda, then cpu.

    Raises:
        InvalidInput: the device is unknown or not there.
    """
    if setting == "auto":
        if torch.backends.mps.is_available():
            return torch.device("mps")
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=setting).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).split("\n")[0]
        raise InvalidInput(
            "bank.device", f"{setting!r} cannot be used ({reason})", "use 'auto' or 'cpu'"
        ) from error
