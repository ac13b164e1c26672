"""One `.safetensors` file holds a whole bank: copy it, and the memory goes along, words included.

Layout, version 2: the buffers of `SlotBank.layout()` under their own names, trimmed to the last row
in use, and one metadata entry ``neuromem``, a JSON object with sorted keys::

    {"codec": "…", "encoder": "…", "events": 42, "format": "neuromem-bank", "version": 2, …}

One entry only, because safetensors keeps its metadata in a hash map: with several, equal banks could
give different bytes. A file is read without executing anything; every shape, type and range is
checked before it is used. ``checksum`` is that of all buffers: of a file whose bits a disk has changed,
what fits together can still be used, but who has the log had better make the bank anew.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .atomic import replacing
from .bank import SlotBank
from .config import BankConfig, ForgettingConfig
from .errors import BankFileInvalid, CodecMismatch, NotFound

__all__ = ["OLDER", "load_bank", "read_notes", "save_bank"]

FORMAT, VERSION = "neuromem-bank", 2  # 2: senses beside the marks
OLDER = "it is of an older version"


def save_bank(bank: SlotBank, path: str | Path, *, codec: str, encoder: str, **notes: Any) -> None:
    """Writes a bank atomically and durably: a reader sees the old file or the new one, whole.

    Args:
        codec, encoder: identities of the models that wrote its slots.
        notes: further JSON values for the metadata, such as the owner and the events folded in.

    Raises:
        OSError: it cannot be written there; the old file is as it was.
    """
    path = Path(path)
    used = bank.used.nonzero().flatten()
    rows = int(used[-1]) + 1 if len(used) else 0
    tensors = {name: getattr(bank, name)[:rows].cpu().contiguous() for name in bank.layout()}
    about = {"format": FORMAT, "version": VERSION, "codec": codec, "encoder": encoder, **notes}
    about["checksum"] = _checksum(tensors)
    try:
        with replacing(path) as partial:
            save_file(tensors, partial, metadata={"neuromem": json.dumps(about, sort_keys=True)})
    except SafetensorError as error:
        raise OSError(str(error)) from error


def read_notes(path: str | Path) -> dict[str, Any]:
    """The metadata of a bank file.

    Raises:
        NotFound: no such file. BankFileInvalid: not a bank file of a known version.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFound(f"bank file {path} does not exist; give the path of an exported .safetensors file")
    try:
        with safe_open(path, "pt") as file:
            notes = json.loads((file.metadata() or {})["neuromem"])
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise _invalid(path, f"it cannot be read as one ({error})") from error
    if not isinstance(notes, dict) or notes.get("format") != FORMAT:
        raise _invalid(path, "its metadata does not say so")
    if notes.get("version") in range(VERSION):
        raise _invalid(path, f"{OLDER} ({notes['version']}; {VERSION} is known here)")
    if notes.get("version") != VERSION:
        raise _invalid(
            path, f"version {notes.get('version')!r} is not known here ({VERSION} is); update neuromem"
        )
    return notes


def load_bank(
    path: str | Path,
    config: BankConfig | None = None,
    forgetting: ForgettingConfig | None = None,
    *,
    codec: str | None = None,
    encoder: str | None = None,
    whole: bool = False,
) -> SlotBank:
    """Reads a bank back, bit for bit.

    Args:
        codec, encoder: identities that the file must have been written with (None: any).
        whole: no bit may be another than when it was saved; files from before there were checksums pass.

    Raises:
        NotFound, BankFileInvalid: as `read_notes`; also for tensors that do not fit together.
        CodecMismatch: written with another codec or encoder.
    """
    path = Path(path)
    notes = read_notes(path)
    for kind, wanted in (("codec", codec), ("encoder", encoder)):
        if wanted is not None and notes.get(kind) != wanted:
            raise CodecMismatch(
                f"{path} was written with {kind} {notes.get(kind)!r}, this is {wanted!r}; "
                f"use that {kind}, or rebuild the bank from its log"
            )
    tensors = _read_tensors(path)
    if whole and notes.get("checksum", check := _checksum(tensors)) != check:
        raise _invalid(path, "its numbers are not those that were saved")
    bank = SlotBank(tensors["key"].shape[1], config, forgetting)
    rows = len(tensors["key"])
    if rows > bank.config.max_slots:
        raise _invalid(path, f"it has {rows} rows and {bank.limit_name} is {bank.limit_value}; raise that")
    _check(path, bank, tensors)
    if rows > bank.capacity:
        bank.grow(rows)
    for name, tensor in tensors.items():
        getattr(bank, name)[:rows] = tensor.to(bank.device)
    bank.reindex()
    return bank


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _invalid(path, f"it cannot be read as one ({error})") from error
    key = tensors.get("key")
    if key is None or key.dim() != 2 or key.shape[1] < 8:
        raise _invalid(path, "it has no keys")
    return tensors


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    """CRC-32 of tensors on the CPU and their names."""
    check = 0
    for name in sorted(tensors):
        check = zlib.crc32(tensors[name].contiguous().numpy().data, zlib.crc32(name.encode(), check))
    return check


def _check(path: Path, bank: SlotBank, tensors: dict[str, Tensor]) -> None:
    layout, rows = bank.layout(), len(tensors["key"])
    if set(tensors) != set(layout):
        raise _invalid(path, f"its tensors are {', '.join(sorted(set(tensors) ^ set(layout)))} off")
    for name, (dtype, width) in layout.items():
        shape = (rows,) if width is None else (rows, width)
        if tensors[name].dtype != dtype or tuple(tensors[name].shape) != shape:
            raise _invalid(
                path, f"{name} is {tensors[name].dtype} {tuple(tensors[name].shape)}, not {dtype} {shape}"
            )
    used = tensors["used"]
    ranges = {
        "stability": (1e-6, float("inf")), "difficulty": (1, 10), "importance": (0, 1), "floor": (0, 2),
        "seal": (0, 2**32),
        "halvings": (0, 8), "worn": (0, 8), "recalls": (0, 2**31 - 1), "rehearsed_ms": (0, 2**53),
        "written_ms": (0, 2**53), "heard_ms": (0, 2**53), "sequence": (-1, 2**53),
        "until_ms": (0, 2**53),
    }  # fmt: skip
    for name, (low, high) in ranges.items():
        numbers = tensors[name][used].double()
        if not bool(((numbers >= low) & (numbers <= high)).all()):  # NaN fails both
            raise _invalid(path, f"{name} holds a number outside {low:g} to {high:g}")
    part, parts = tensors["part"][used], tensors["parts"][used]
    owners = torch.cat([tensors["id"][used].long(), part.long()[:, None]], dim=1)
    if len(torch.unique(owners, dim=0)) != len(owners):
        raise _invalid(path, "two rows claim to be the same part of one memory")
    _, memory, held = torch.unique(owners[:, :16], dim=0, return_inverse=True, return_counts=True)
    if not bool(((part >= 0) & (part < parts) & (held[memory] == parts)).all()):
        raise _invalid(path, "the parts of a memory do not fit together")
    if any(bool(tensor[~used].any()) for tensor in tensors.values()):
        raise _invalid(path, "a row that is free is not empty")


def _invalid(path: Path, problem: str) -> BankFileInvalid:
    return BankFileInvalid(f"{path} is not a sound bank file: {problem}; export it again from its store")
