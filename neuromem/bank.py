"""The slot bank: a fixed-point matrix of memories, and everything known about them, as buffers.

One slot is one row: a *key* (address for cosine lookup) and a *value* (from which the codec's
decoder says the words), both int8: a unit key is `KEY_PEAK` steps of its grid long, a code of 1 as many
steps of the value's as its field's amplitude (`ladder.py`). A memory longer than a slot spans several rows
with the same id. `state_dict()` is the whole state; `bankfile.py` writes it as one `.safetensors` file.

Rows are handed out lowest first and zeroed when freed, so a bank is a function of what was written
to it and in which order, and a deleted memory leaves no trace in it.

Axes: N allocated rows, K key width, V value width, B rows at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
import torch
from torch import Tensor

from .errors import CapacityExhausted
from .forgetting import strength as strength_of
from .ladder import dead_zone, halve, octaves, worn
from .layout import DAY_MS
from .table import SlotTable

__all__ = ["SlotBank"]


class SlotBank(SlotTable):
    """Slots of one owner: they give way, fade, and are found."""

    # -- allocation -----------------------------------------------------------------------------

    def allocate(self, count: int, now_ms: int) -> list[int]:
        """Finds `count` free rows, growing the bank, then evicting the weakest unpinned memories.

        Raises:
            CapacityExhausted: more than `max_slots` rows are asked for, `when_full` is "refuse", or
                everything else is pinned. Nothing was changed.
        """
        limit = self.config.max_slots
        if count > limit:
            raise CapacityExhausted(f"a memory of {count} slots does not fit within {self.limit}; raise that")
        missing = count - (limit - len(self))
        if missing > 0:
            self._evict(missing, now_ms)
        if len(self) + count > self.capacity:
            self.grow(len(self) + count)
        free: list[int] = np.flatnonzero(~self.column("used"))[:count].tolist()
        return free

    def _evict(self, missing: int, now_ms: int) -> None:
        if self.config.when_full == "refuse":
            raise CapacityExhausted(
                f"all {self.config.max_slots} slots are taken and bank.when_full is 'refuse'; "
                f"raise {self.limit_name}, delete something, or set bank.when_full='evict'"
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
                f"raise {self.limit_name} or delete some"
            )
        for memory_id in doomed:
            self.free(memory_id)

    def weakest_first(self, now_ms: int) -> list[int]:
        """Rows in use whose memory may give way: superseded ones, then the weakest.

        Of equally strong ones, as all are where nothing fades, the one not heard or recalled for longest.
        """
        rows = np.flatnonzero(self.column("used") & ~np.isinf(self.column("stability")))
        strength = self.strength(torch.from_numpy(rows), now_ms).numpy()
        current = self.column("until_ms")[rows] == 0
        heard, told = (self.column(name)[rows] for name in ("rehearsed_ms", "sequence"))
        weakest: list[int] = rows[np.lexsort((told, heard, strength, current))].tolist()
        return weakest

    # -- forgetting -----------------------------------------------------------------------------

    def strength(self, rows: Tensor | list[int], now_ms: int) -> Tensor:
        """Present strength of rows [B] → [B] float64 on the CPU."""
        if self.forgetting.decay == "none" or not len(rows):
            return torch.ones(len(rows), dtype=torch.float64)
        at = torch.as_tensor(rows, device=self.device)
        days = (now_ms - self.rehearsed_ms[at]).clamp(min=0).cpu().double() / DAY_MS
        return strength_of(days, self.stability[at].cpu().double(), self.forgetting)

    def readable(self, rows: list[int], now_ms: int) -> tuple[Tensor, Tensor]:
        """What the grid holds now: (values [B, V] in grid steps, strength at which to read them [B]).

        Shrinkage that is due since the last sleep is applied on the fly.
        """
        at = torch.tensor(rows, device=self.device, dtype=torch.int64)
        if self.forgetting.decay == "none" and not bool((self.halvings[at] | self.worn[at]).any()):
            return self.value[at].float(), torch.ones(len(rows))
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
        self._edit(rows.tolist())

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
        multiply = whole_products if self.device.type == "cpu" else float_products
        return (multiply(coarse, key) * self.inverse_norm[:top]).masked_fill(~used, -torch.inf)

    def similarities(self, query: Tensor) -> Tensor:
        """[T] float32 on the CPU: cosines of the first T rows with a query [K], both int8; free rows: -inf.

        T is at least one more than the last row in use.
        """
        query = query.to(self.device, torch.float32)
        step = query.abs().max().clamp(min=1e-9) / 127
        similar: Tensor = (self._scan(query[None])[0] * (step / query.norm().clamp(min=1e-9))).cpu()
        return similar


def whole_products(queries: Tensor, keys: Tensor) -> Tensor:
    """[Q, N] float32: products of int8 rows [Q, K] and [N, K] by the CPU's int8 instructions."""
    return torch._int_mm(queries, keys.t()).float()


def float_products(queries: Tensor, keys: Tensor) -> Tensor:
    """`whole_products` on a device that has no such instructions (mps, cuda): the same numbers.

    A product of two keys comes to 400,000 and more: float16 ends at 65,504, beyond which all are as near
    as any other; float32 holds every whole number up to 2^24.
    """
    return queries.float() @ keys.t().float()
