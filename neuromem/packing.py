"""A memory's rows as text, for the `slots` events that carry them from one bank's log to another's."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from uuid import UUID

import torch

from .bank import SlotBank
from .layout import Rows

__all__ = ["pack_rows", "unpack_rows"]


def pack_rows(bank: SlotBank, memory_id: str) -> str:
    """A memory's rows as text for a `slots` event."""
    rows = torch.tensor(bank.rows_of(memory_id))
    raw = {name: getattr(bank, name)[rows].cpu().contiguous().view(torch.uint8) for name in bank.layout()}
    coded = {name: base64.b85encode(tensor.numpy().tobytes()).decode() for name, tensor in raw.items()}
    return json.dumps({"count": len(rows), "buffers": coded})


def unpack_rows(
    packed: str, layout: Mapping[str, tuple[torch.dtype, int | None]]
) -> tuple[Rows, dict[str, float | int], str]:
    """What `pack_rows` packed: rows, state, successor's id or "". A buffer not known then is zero."""
    data = json.loads(packed)
    count = data["count"]
    tensors = {}
    for name, (dtype, width) in layout.items():
        raw = bytearray(base64.b85decode(data["buffers"].get(name, "")))
        flat = torch.frombuffer(raw, dtype=dtype) if raw else torch.zeros(count * (width or 1), dtype=dtype)
        tensors[name] = flat.view(count, -1) if width else flat
    rows = Rows(*(tensors[name] for name in Rows._fields))
    skipped = {*Rows._fields, "used", "id", "part", "parts", "successor"}
    state = {name: tensors[name][0].item() for name in tensors if name not in skipped}
    successor = bytes(tensors["successor"][0].tolist())
    return rows, state, str(UUID(bytes=successor)) if any(successor) else ""
