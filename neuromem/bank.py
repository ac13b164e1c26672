"""The slot bank: a fixed-point matrix of memories, and everything known about them, as buffers.

One slot is one row: a *key* (address for cosine lookup) and a *value* (from which the codec's
decoder says the words), both int8 on one grid: weight = `GRID_STEP` · int8. A memory longer than a
slot spans several rows with the same id. `state_dict()` is the whole state; `bankfile.py` writes
it as one `.safetensors` file.

Rows are handed out lowest first and zeroed when freed, so a bank is a function of what was written
to it and in which order, and a deleted memory leaves no trace in it.

Axes: N allocated rows, K key width, V value width, B rows at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import torch
from torch import Tensor, nn

from .config import BankConfig, ForgettingConfig
from .errors import CapacityExhausted, InvalidInput
from .forgetting import strength as strength_of
from .identity import parse_id
from .ladder import dead_zone, halve, octaves, worn
from .layout import DAY_MS, Rows, pick_device, row_layout

__all__ = ["SlotBank"]


class SlotBank(nn.Module):
    """Slots of one owner on one device."""

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
    noted: Tensor
    inverse_norm: Tensor

    def __init__(
        self, key_width: int, config: BankConfig | None = None, forgetting: ForgettingConfig | None = None
    ) -> None:
        """Args:
        key_width: K, numbers of a key; at least 8.
        config: capacity and device. forgetting: the curve that strengths follow.
        """
        super().__init__()
        if key_width < 8:
            raise InvalidInput("key_width", f"{key_width} is too narrow", "give at least 8")
        self.config = config or BankConfig()
        self.forgetting = forgetting or ForgettingConfig()
        self.key_width = key_width
        self._rows: dict[bytes, list[int]] = {}
        self._top = 0  # no row from here on is in use: lookups stop there
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
        return int(self.used.sum())

    @property
    def bytes_per_slot(self) -> int:
        """Bytes of one row, weights and state."""
        return sum(dtype.itemsize * (width or 1) for dtype, width in self.layout().values())

    def ids(self) -> list[str]:
        """Ids of the memories held, in order of their first rows."""
        return [str(UUID(bytes=key)) for key in self._rows]

    def rows_of(self, memory_id: str) -> list[int]:
        """Rows of a memory in the order of its parts; empty when it is not held."""
        return list(self._rows.get(parse_id(memory_id), ()))

    def find(self, name: str, number: int) -> list[str]:
        """Ids of the memories whose state buffer `name` holds `number`, lowest row first."""
        rows = (self.used & (getattr(self, name) == number)).nonzero().flatten().tolist()
        return list(dict.fromkeys(self.id_of(row) for row in rows))

    def ids_of(self, rows: Tensor) -> list[str]:
        """Ids of the memories that rows [B] belong to."""
        return [_dashed(bytes(raw).hex()) for raw in self.id[rows.to(self.device)].tolist()]

    def id_of(self, row: int) -> str:
        """Id of the memory a row belongs to."""
        return str(UUID(bytes=bytes(self.id[row].tolist())))

    # -- allocation -----------------------------------------------------------------------------

    def allocate(self, count: int, now_ms: int) -> list[int]:
        """Finds `count` free rows, growing the bank, then evicting the weakest unpinned memories.

        Raises:
            CapacityExhausted: more than `max_slots` rows are asked for, `when_full` is "refuse", or
                everything else is pinned. Nothing was changed.
        """
        limit = self.config.max_slots
        if count > limit:
            raise CapacityExhausted(
                f"a memory of {count} slots does not fit a bank of max_slots={limit}; raise bank.max_slots"
            )
        missing = count - (limit - len(self))
        if missing > 0:
            self._evict(missing, now_ms)
        if len(self) + count > self.capacity:
            self._grow(len(self) + count)
        return [int(row) for row in (~self.used).nonzero().flatten()[:count]]

    def _grow(self, needed: int) -> None:
        rows = self.capacity
        while rows < needed:
            rows = min(rows * 2, self.config.max_slots)
        for name, buffer in list(self.named_buffers()):
            grown = torch.zeros((rows, *buffer.shape[1:]), dtype=buffer.dtype, device=buffer.device)
            grown[: len(buffer)] = buffer
            setattr(self, name, grown)

    def _evict(self, missing: int, now_ms: int) -> None:
        if self.config.when_full == "refuse":
            raise CapacityExhausted(
                f"all {self.config.max_slots} slots are taken and bank.when_full is 'refuse'; "
                "raise bank.max_slots, delete something, or set bank.when_full='evict'"
            )
        doomed: list[str] = []
        freed = 0
        for row in self.weakest_first(now_ms):
            memory_id = self.id_of(row)
            if memory_id not in doomed:
                doomed.append(memory_id)
                freed += len(self.rows_of(memory_id))
            if freed >= missing:
                break
        if freed < missing:
            raise CapacityExhausted(
                f"all {self.config.max_slots} slots are taken by pinned memories; "
                "raise bank.max_slots or delete some"
            )
        for memory_id in doomed:
            self.free(memory_id)

    def weakest_first(self, now_ms: int) -> list[int]:
        """Rows in use whose memory may give way, weakest first; ties: the lowest row."""
        rows = (self.used & ~torch.isinf(self.stability)).nonzero().flatten()
        order = self.strength(rows, now_ms).sort(stable=True).indices
        weakest: list[int] = rows.cpu()[order].tolist()
        return weakest

    def free(self, memory_id: str) -> bool:
        """Zeroes a memory's rows; False when it is not held."""
        rows = self._rows.pop(parse_id(memory_id), [])
        for name in (*self.layout(), "inverse_norm"):
            getattr(self, name)[rows] = 0
        return bool(rows)

    # -- writing --------------------------------------------------------------------------------

    def store(self, memory_id: str, rows: list[int], written: Rows, state: dict[str, float | int]) -> None:
        """Writes a memory's parts into `rows` (from `allocate`, or its own); no other row changes.

        Args:
            state: numbers for the state buffers, the same for every part (see `STATE`).
        """
        key = parse_id(memory_id)
        at = torch.tensor(rows, device=self.device)
        for name in self.layout():  # nothing of an earlier tenant stays
            getattr(self, name)[at] = 0
        self.key[at] = written.key.to(self.device)
        self.value[at] = written.value.to(self.device)
        self.floor[at] = written.floor.to(self.device)
        self.used[at] = True
        self.id[at] = torch.tensor(list(key), dtype=torch.uint8, device=self.device)
        self.part[at] = torch.arange(len(rows), dtype=torch.int16, device=self.device)
        self.parts[at] = len(rows)
        for name, number in state.items():
            getattr(self, name)[at] = number
        self._rows[key] = list(rows)
        self._top = max(self._top, *(row + 1 for row in rows))
        self._measure(at)

    def _measure(self, rows: Tensor) -> None:
        norms = self.key[rows].float().norm(dim=1)
        self.inverse_norm[rows] = torch.where(norms > 0, 1 / norms.clamp(min=1e-9), torch.zeros_like(norms))

    def reindex(self) -> None:
        """Derives what is not state (row index, norms) after the buffers were loaded."""
        self._rows = {}
        rows = self.used.nonzero().flatten()
        self._top = int(rows[-1]) + 1 if len(rows) else 0
        parts = zip(self.id[rows].tolist(), self.part[rows].tolist(), rows.tolist(), strict=True)
        for key, _, row in sorted(parts, key=lambda item: item[1]):
            self._rows.setdefault(bytes(key), []).append(row)
        self._rows = dict(sorted(self._rows.items(), key=lambda item: item[1][0]))
        self._measure(torch.arange(self.capacity, device=self.device))

    # -- forgetting -----------------------------------------------------------------------------

    def strength(self, rows: Tensor | list[int], now_ms: int) -> Tensor:
        """Present strength of rows [B] → [B] float64 on the CPU."""
        at = torch.as_tensor(rows, device=self.device)
        days = (now_ms - self.rehearsed_ms[at]).clamp(min=0).cpu().double() / DAY_MS
        if len(days) == 0:
            return days
        return strength_of(days, self.stability[at].cpu().double(), self.forgetting)

    def readable(self, rows: list[int], now_ms: int) -> tuple[Tensor, Tensor]:
        """What the grid holds now: (values [B, V] in grid steps, strength at which to read them [B]).

        Shrinkage that is due since the last sleep is applied on the fly.
        """
        at = torch.tensor(rows, device=self.device, dtype=torch.int64)
        lost = 2.0 ** -self.worn[at].cpu().double()
        strength = torch.minimum(self.strength(at, now_ms), lost).clamp(min=2.0**-8).to(torch.float32)
        values = worn(self.value[at], self.halvings[at].long(), strength.to(self.device), self.floor[at])
        return values, strength

    def shrink(self, now_ms: int) -> list[str]:
        """Sleep's physical part: halves what is due, zeroes what fell into the dead zone.

        Returns:
            Ids of the memories that are forgotten (nothing of them can be read): the caller frees them.
        """
        rows = self.used.nonzero().flatten()
        if len(rows) == 0:
            return []
        strength = self.strength(rows, now_ms).clamp(min=2.0**-8).float().to(self.device)
        due, _ = octaves(strength)
        times = due - self.halvings[rows].long()
        self.key[rows] = halve(self.key[rows], times)
        values = halve(self.value[rows], times).float()
        self.value[rows] = dead_zone(values, strength, self.floor[rows]).to(torch.int8)
        self.halvings[rows] = due.to(torch.int8)
        self.worn[rows] = torch.maximum(self.worn[rows], due.to(torch.int8))
        self._measure(rows)
        gone = rows[(self.value[rows] == 0).all(dim=1)]
        lost = {bytes(key) for key in self.id[gone].tolist()}
        return [
            str(UUID(bytes=key))
            for key in self._rows
            if key in lost and not self.value[self._rows[key]].any()
        ]

    def rehearse(self, rows: Tensor, stability: Tensor, difficulty: Tensor, now_ms: int) -> None:
        """Re-strengthens rows with what they still have; detail that is gone stays gone.

        Args:
            rows: [B] of whole memories. stability, difficulty: [B] from now on.
        """
        at = rows.to(self.device)
        strength = self.strength(at, now_ms).clamp(min=2.0**-8).float().to(self.device)
        due, _ = octaves(strength)
        if bool((due > 0).any()):  # otherwise nothing was lost
            times = due - self.halvings[at].long()
            back = (2.0 ** due.float())[:, None]
            key, value = (halve(weights[at], times).float() * back for weights in (self.key, self.value))
            self.key[at] = key.clamp(-127, 127).to(torch.int8)
            self.value[at] = dead_zone(value.clamp(-127, 127), strength, self.floor[at]).to(torch.int8)
            self.worn[at] = torch.maximum(self.worn[at], due.to(torch.int8))
            self.halvings[at] = 0
            self._measure(at)
        self.stability[at] = stability.to(self.device, torch.float32)
        self.difficulty[at] = difficulty.to(self.device, torch.float32)
        self.rehearsed_ms[at] = now_ms
        self.recalls[at] += 1

    # -- lookup ---------------------------------------------------------------------------------

    def lookup(self, query: Tensor, limit: int) -> tuple[Tensor, Tensor]:
        """Exact cosine lookup: int8 over all rows, the best rescored in float.

        Args:
            query: [K] float. limit: most rows to return.

        Returns:
            (cosines [B] falling, rows [B]), both on the CPU; B <= limit, only rows in use.
        """
        limit = min(limit, len(self))
        if limit == 0:
            return torch.zeros(0), torch.zeros(0, dtype=torch.int64)
        query = query.to(self.device, torch.float32)
        scores = self._scan(query[None])[0]
        rows = scores.topk(min(len(self), max(2 * limit, limit + 16))).indices
        exact = (self.key[rows].float() @ query) * self.inverse_norm[rows] / query.norm().clamp(min=1e-9)
        best = exact.topk(limit)
        return best.values.cpu(), rows[best.indices].cpu()

    def nearest(self, keys: Tensor, count: int, without: Sequence[int] = ()) -> tuple[Tensor, Tensor]:
        """The stored keys nearest to each of many keys.

        Args:
            keys: [B, K] unit rows. without: rows not to be looked at.

        Returns:
            (unit keys [B, J, K] nearest first, cosines [B, J]) on the CPU, J <= count.
        """
        count = min(count, len(self))
        if count == 0:
            return torch.zeros(len(keys), 0, self.key_width), torch.zeros(len(keys), 0)
        scores = self._scan(keys.to(self.device, torch.float32))
        scores[:, list(without)] = -torch.inf
        rows = scores.topk(count, dim=1).indices
        found = self.key[rows].float() * self.inverse_norm[rows][:, :, None]
        cosines = torch.einsum("bjk,bk->bj", found, keys.to(self.device))
        cosines = cosines.masked_fill(torch.isinf(scores.gather(1, rows)), -1.0)
        return found.cpu(), cosines.cpu()

    def _scan(self, queries: Tensor) -> Tensor:
        """[Q, N] cosines, up to a factor for each query, of quantized queries [Q, K] with every key."""
        step = queries.abs().amax(dim=1, keepdim=True).clamp(min=1e-9) / 127
        coarse = torch.round(queries / step).to(torch.int8)
        top = min(self.capacity, -(-self._top // 64) * 64)  # whole cache lines of rows
        key, used = self.key[:top], self.used[:top]
        if self.device.type == "cpu":
            products = torch._int_mm(coarse, key.t()).float()
        else:
            products = (coarse.to(torch.float16) @ key.t().to(torch.float16)).float()
        return (products * self.inverse_norm[:top]).masked_fill(~used, -torch.inf)

    def cosines(self, query: Tensor, rows: Tensor, strength: Tensor) -> Tensor:
        """[B] cosines of rows with a query [K] at their strengths [B] (shrinkage applied on the fly)."""
        at = rows.to(self.device)
        due, _ = octaves(strength.clamp(min=2.0**-8).to(self.device))
        times = due - self.halvings[at].long()
        key = halve(self.key[at], times).float()
        query = query.to(self.device, torch.float32)
        cosines: Tensor = (key @ query) / (key.norm(dim=1) * query.norm()).clamp(min=1e-9)
        return cosines.cpu()


def _dashed(digits: str) -> str:
    """A UUID's 32 hexadecimal digits as it is written; a tenth of the time of `uuid.UUID`."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
