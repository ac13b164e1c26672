"""The table under a slot bank: rows of fixed size, each with its id; stored, grown, freed, marked.

Rows are zeroed when freed, so a table is a function of what was written to it and in which order, and a
deleted memory leaves no trace in it. A memory longer than a slot spans several rows with the same id.

Axes: N allocated rows, K key width, V value width, B rows at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
import torch
from torch import Tensor, nn

from .config import BankConfig, ForgettingConfig
from .errors import ConfigError, InvalidInput
from .identity import parse_id
from .layout import Rows, pick_device, row_layout

__all__ = ["SlotTable"]

T = TypeVar("T")

EDITS = 4_096  # changed rows that are remembered at least, for who follows them


class SlotTable(nn.Module):
    """Rows of one owner on one device, and what is known about them, as buffers."""

    key: Tensor
    value: Tensor
    used: Tensor
    id: Tensor
    part: Tensor
    parts: Tensor
    sequence: Tensor
    written_ms: Tensor
    heard_ms: Tensor
    rehearsed_ms: Tensor
    stability: Tensor
    difficulty: Tensor
    importance: Tensor
    recalls: Tensor
    floor: Tensor
    halvings: Tensor
    worn: Tensor
    words: Tensor
    seal: Tensor
    meaning: Tensor
    slot: Tensor
    until_ms: Tensor
    successor: Tensor
    marks: Tensor
    senses: Tensor
    traits: Tensor
    speaker: Tensor
    subject: Tensor
    noted: Tensor
    inverse_norm: Tensor

    def __init__(
        self, key_width: int, config: BankConfig | None = None, forgetting: ForgettingConfig | None = None
    ) -> None:
        """Args:
        key_width: K, numbers of a key; at least 8.
        config: capacity and device. forgetting: the curve that strengths follow.

        Raises:
            InvalidInput: K is too small. ConfigError: `max_kib` has no room for a single slot.
        """
        super().__init__()
        if key_width < 8:
            raise InvalidInput("key_width", f"{key_width} is too narrow", "give at least 8")
        self.config, self.limit_name, self.limit_value = _limited(config or BankConfig(), key_width)
        self.forgetting = forgetting or ForgettingConfig()
        self.key_width = key_width
        self._rows: dict[bytes, list[int]] = {}
        self._top = 0  # no row from here on is in use: lookups stop there
        self._kept: dict[str, Any] = {}  # see `kept`
        self._following: dict[str, Any] = {}  # see `following`
        self._of_each: dict[str, dict[bytes, Any]] = {}  # see `of_each`
        self.edition = 0  # how often rows were stored, freed or superseded
        self._edits: list[int] = []  # see `edited`
        self._dropped = 0  # edits that are not remembered any more
        device = pick_device(self.config.device)
        rows = min(self.config.block_slots, self.config.max_slots)
        for name, (dtype, width) in self.layout().items():
            shape = (rows,) if width is None else (rows, width)
            self.register_buffer(name, torch.zeros(shape, dtype=dtype, device=device))
        # derived from the keys, so not part of the state
        self.register_buffer("inverse_norm", torch.zeros(rows, device=device), persistent=False)
        self.register_load_state_dict_post_hook(lambda module, _: module.reindex())  # type: ignore[no-untyped-call]

    def layout(self) -> dict[str, tuple[torch.dtype, int | None]]:
        """Every persistent buffer: name → (dtype, columns)."""
        return row_layout(self.key_width)

    # -- size -----------------------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        """Where the slots are."""
        return self.key.device

    @property
    def capacity(self) -> int:
        """N: rows allocated at present."""
        return len(self.used)

    def __len__(self) -> int:
        """Rows in use."""
        return int(np.count_nonzero(self.column("used")))

    @property
    def limit(self) -> str:
        """The setting that limits it, as it is set."""
        return f"{self.limit_name}={self.limit_value}"

    @property
    def bytes_per_slot(self) -> int:
        """Bytes of one row, weights and state."""
        return _bytes_of(self.layout())

    def ids(self) -> list[str]:
        """Ids of the memories held, in order of their first rows."""
        return [_dashed(key.hex()) for key in self._rows]

    def rows_of(self, memory_id: str) -> list[int]:
        """Rows of a memory in the order of its parts; empty when it is not held."""
        return list(self._rows.get(parse_id(memory_id), ()))

    def told_at(self, memory_id: str) -> int:
        """Number of the event that told a memory last; -1 when it has no words in the log, or is not held."""
        rows = self.rows_of(memory_id)
        return int(self.sequence[rows[0]]) if rows else -1

    def held_marks(self, memory_id: str) -> list[int]:
        """Marks of a memory's content words in the order of its parts; empty when it is not held."""
        return [mark for row in self.marks[self.rows_of(memory_id)].tolist() for mark in row if mark]

    def find(self, name: str, number: int, newest: int | None = None) -> list[str]:
        """Ids of the memories whose state buffer `name` holds `number`, lowest row first.

        Args:
            newest: of more rows than this, only so many that were told last.
        """
        rows = np.flatnonzero(self.column("used") & (self.column(name) == number))
        if newest is not None and len(rows) > newest:
            told = self.column("sequence")[rows]
            rows = rows[np.sort(np.argsort(told, kind="stable")[-newest:])]
        return list(dict.fromkeys(self.ids_of(torch.from_numpy(rows))))

    def ids_of(self, rows: Tensor) -> list[str]:
        """Ids of the memories that rows [B] belong to."""
        digits = self.id[rows.to(self.device)].cpu().numpy().tobytes().hex()
        return [_dashed(digits[at : at + 32]) for at in range(0, len(digits), 32)]

    def id_of(self, row: int) -> str:
        """Id of the memory a row belongs to."""
        return str(UUID(bytes=bytes(self.id[row].tolist())))

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """What is derived from rows as they are stored, freed and superseded; made anew after such a change.

        Args:
            name: what it is.
            make: makes it, from nothing that strengthening or shrinking alters.
        """
        if name not in self._kept:
            self._kept[name] = make()
        found: T = self._kept[name]
        return found

    def following(self, name: str, make: Callable[[], T]) -> T:
        """What keeps itself in step with the rows by `edited`; made once.

        Args: as `kept`.
        """
        if name not in self._following:
            self._following[name] = make()
        found: T = self._following[name]
        return found

    def of_each(self, name: str) -> dict[bytes, Any]:
        """What is derived of single memories, by their 16 bytes; the caller fills it.

        What is there of a memory goes when its rows are stored, freed or superseded: no words of somebody's
        that it may hold outlive the memory.
        """
        return self._of_each.setdefault(name, {})

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """A state buffer of all rows [N, …] as a NumPy array, only to be looked at."""
        found: np.ndarray[Any, Any] = getattr(self, name).cpu().numpy()
        return found

    def _set(self, name: str, rows: list[int], values: Any) -> None:
        """Writes a buffer's rows [B]; `values`: a number, or a tensor [B, …] on the CPU."""
        buffer = getattr(self, name)
        if buffer.device.type == "cpu":  # a tenth of the time of an indexed tensor
            buffer.numpy()[rows] = values.numpy() if isinstance(values, Tensor) else values
        else:
            buffer[rows] = values.to(buffer.device) if isinstance(values, Tensor) else values

    def columns(self, names: Sequence[str], rows: Sequence[int] | np.ndarray[Any, Any]) -> list[Any]:
        """State buffers by name, of rows [B]: NumPy arrays [B, …]; few rows are quicker so."""
        at = np.asarray(rows, dtype=np.int64)
        if self.device.type == "cpu":
            return [getattr(self, name).numpy()[at] for name in names]
        there = torch.from_numpy(at).to(self.device)
        return [getattr(self, name)[there].cpu().numpy() for name in names]

    def edited(self, mark: int) -> tuple[list[int] | None, int]:
        """Rows that were stored, freed, superseded or recalled since a mark, and the mark of now.

        Args:
            mark: from an earlier call; -1 at first.

        Returns:
            Rows, some perhaps more than once; None where it is not known any more: all may have changed.
        """
        now = self._dropped + len(self._edits)
        known = self._dropped <= mark <= now
        return (self._edits[mark - self._dropped :] if known else None), now

    def _edit(self, rows: list[int]) -> None:
        """Notes that what holds of rows, or how often they were recalled, is another."""
        self._edits += rows
        if len(self._edits) > 2 * EDITS:
            self._dropped += len(self._edits) - EDITS
            del self._edits[:-EDITS]

    def _changed(self, rows: list[int], memory: bytes = b"") -> None:
        self._kept.clear()
        for derived in self._of_each.values():
            derived.pop(memory, None)
        self.edition += 1
        self._edit(rows)

    def grow(self, needed: int) -> None:
        """Doubles the rows allocated until there are `needed`, or `max_slots`."""
        rows = self.capacity
        while rows < needed:
            rows = min(rows * 2, self.config.max_slots)
        for name, buffer in list(self.named_buffers()):
            grown = torch.zeros((rows, *buffer.shape[1:]), dtype=buffer.dtype, device=buffer.device)
            grown[: len(buffer)] = buffer
            setattr(self, name, grown)

    def free(self, memory_id: str) -> bool:
        """Zeroes a memory's rows; False when it is not held."""
        key = parse_id(memory_id)
        rows = self._rows.pop(key, [])
        for name in (*self.layout(), "inverse_norm"):
            self._set(name, rows, 0)
        self._changed(rows, key)
        return bool(rows)

    # -- writing --------------------------------------------------------------------------------

    def store(self, memory_id: str, rows: list[int], written: Rows, state: dict[str, float | int]) -> None:
        """Writes a memory's parts into `rows` (from `allocate`, or its own); no other row changes.

        Args:
            state: numbers for the state buffers, the same for every part (see `STATE`).
        """
        key = parse_id(memory_id)
        own = {
            "used": True,
            "id": torch.tensor(list(key), dtype=torch.uint8),
            "part": torch.arange(len(rows), dtype=torch.int16),
            "parts": len(rows),
        }
        given = written._asdict() | own | state
        for name in self.layout():  # nothing of an earlier tenant stays
            self._set(name, rows, given.get(name, 0))
        self._rows[key] = list(rows)
        self._top = max(self._top, *(row + 1 for row in rows))
        self._changed(rows, key)
        self._measure(torch.tensor(rows, device=self.device))

    def supersede(self, memory_id: str, by: str, until_ms: int) -> None:
        """Marks a memory as not current from a time on.

        Args:
            by: id of what replaced it; "" for nothing. until_ms: 0 is current, if perhaps outdated by `by`.
        """
        rows = self.rows_of(memory_id)
        self._set("until_ms", rows, until_ms)
        self._set("successor", rows, torch.tensor(list(parse_id(by)), dtype=torch.uint8) if by else 0)
        self._changed(rows, parse_id(memory_id))

    def ended(self, memory_id: str) -> tuple[int, str]:
        """(until_ms, id of what replaced it); until_ms is 0 for a memory that is current, or is not held."""
        rows = self.rows_of(memory_id)[:1]
        if not rows:
            return 0, ""
        return self.ends_of(rows)[0]

    def ends(self, memory_ids: Sequence[str]) -> dict[str, tuple[int, str]]:
        """`ended` of many memories at once."""
        rows = [(self._rows.get(parse_id(memory_id)) or (-1,))[0] for memory_id in memory_ids]
        found = iter(self.ends_of([row for row in rows if row >= 0]))
        return {id_: next(found) if row >= 0 else (0, "") for id_, row in zip(memory_ids, rows, strict=True)}

    def ends_of(self, rows: list[int]) -> list[tuple[int, str]]:
        """`ended` of the memories that rows belong to."""
        until, successor = self.columns(("until_ms", "successor"), rows)
        times, raw = until.tolist(), successor.tobytes()
        by = (raw[at : at + 16] for at in range(0, len(raw), 16))
        return [(time, _dashed(id_.hex()) if any(id_) else "") for time, id_ in zip(times, by, strict=True)]

    def replaced_by(self, memory_id: str) -> list[str]:
        """Ids of the memories that a memory replaced."""
        raw = torch.tensor(list(parse_id(memory_id)), dtype=torch.uint8, device=self.device)
        rows = (self.used & (self.part == 0) & (self.successor == raw).all(dim=1)).nonzero().flatten()
        return self.ids_of(rows)

    def _measure(self, rows: Tensor) -> None:
        norms = self.key[rows].float().norm(dim=1)
        self.inverse_norm[rows] = torch.where(norms > 0, 1 / norms.clamp(min=1e-9), torch.zeros_like(norms))

    def reindex(self) -> None:
        """Derives what is not state (row index, norms) after the buffers were loaded."""
        self._rows = {}
        self._of_each.clear()
        self._changed([])
        self._edits, self._dropped = [], self._dropped + len(self._edits) + 1  # any row may be another
        rows = self.used.nonzero().flatten()
        self._top = int(rows[-1]) + 1 if len(rows) else 0
        parts = zip(self.id[rows].tolist(), self.part[rows].tolist(), rows.tolist(), strict=True)
        for key, _, row in sorted(parts, key=lambda item: item[1]):
            self._rows.setdefault(bytes(key), []).append(row)
        self._rows = dict(sorted(self._rows.items(), key=lambda item: item[1][0]))
        self._measure(torch.arange(self.capacity, device=self.device))


def _limited(config: BankConfig, key_width: int) -> tuple[BankConfig, str, str]:
    """The settings with the lower of both limits as `max_slots`; that limit's name, and what it is set to."""
    size = _bytes_of(row_layout(key_width))
    fit = config.max_kib * 1_024 // size
    if not config.max_kib or fit >= config.max_slots:
        return config, "bank.max_slots", str(config.max_slots)
    if fit == 0:
        remedy = f"give at least {-(-size // 1_024)}, or 0 for no limit"
        raise ConfigError("bank.max_kib", f"{config.max_kib} holds no slot of {size:,} bytes", remedy)
    return replace(config, max_slots=fit), "bank.max_kib", f"{config.max_kib} ({fit:,} slots)"


def _bytes_of(layout: Mapping[str, tuple[torch.dtype, int | None]]) -> int:
    return sum(dtype.itemsize * (width or 1) for dtype, width in layout.values())


def _dashed(digits: str) -> str:
    """A UUID's 32 hexadecimal digits as it is written; a tenth of the time of `uuid.UUID`."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
