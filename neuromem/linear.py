"""Small products, fast: packed weights where they work (twice as fast on x86), and few threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["PackedLinear", "Product", "Threads", "matmul", "product_kind"]

SHAPES = "64"  # shapes of products whose machine code is kept, at up to 0.4 MB each: talk has no end of them
# oneDNN's and torch's: each keeps it alive
CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")

Product = Callable[[Tensor, bool], Tensor]
"""(rows [B, in], whether GELU follows) → [B, out]."""


class Threads:
    """Runs torch on a few CPU threads while a thread of the program is inside; as before when it left.

    Products as small as ours gain little from a second thread, and lose a hundredfold when another
    process wants that core: OpenMP's threads spin until the last has arrived. OpenMP keeps the number for
    each thread of the program by itself, so each sets its own.
    """

    def __init__(self, count: int) -> None:
        """Args:
        count: threads; 0 leaves torch's setting alone.
        """
        self.count = count
        self._own = threading.local()

    def __enter__(self) -> None:
        self._own.inside = getattr(self._own, "inside", 0) + 1
        if self.count and self._own.inside == 1:
            self._own.before = torch.get_num_threads()
            if self._own.before != self.count:
                torch.set_num_threads(self.count)

    def __exit__(self, *_: object) -> None:
        self._own.inside -= 1
        if self.count and self._own.inside == 0 and self._own.before != self.count:
            torch.set_num_threads(self._own.before)


Array = np.ndarray[Any, Any]


def matmul(one: Array, other: Array) -> Array:
    """`one @ other`, of one kind of float, on as many threads as torch may use here.

    NumPy's own product wakes threads of OpenBLAS where it is of some size; each spins for 15 ms after it.
    """
    product: Array = torch.matmul(torch.from_numpy(one), torch.from_numpy(other)).numpy()
    return product


class PackedLinear(nn.Linear):
    """`nn.Linear` that, once packed, multiplies by a packed copy of its weights when no gradient is asked."""

    _product: Product | None = None

    def pack(self) -> None:
        """Freezes the weights as they are now."""
        self._product = product_kind(self.weight.device)(self.weight.detach(), self.bias.detach())

    def forward(self, rows: Tensor, gelu: bool = False) -> Tensor:
        """rows [B, in] → [B, out], followed by GELU if asked."""
        if self._product is not None and not rows.requires_grad:
            return self._product(rows, gelu)
        out = functional.linear(rows, self.weight, self.bias)
        return functional.gelu(out) if gelu else out


@cache
def product_kind(device: torch.device, half: bool = False) -> Callable[[Tensor, Tensor], Product]:
    """Makes products of (weight [out, in], bias [out]) on a device; chosen by trying.

    Args:
        half: bfloat16 will do, where the processor multiplies it: a product of few rows takes the time in
            which its weights are read, and those are half as many bytes. Its results are bfloat16 then.
    """
    for name in CACHES:  # read at the first product
        os.environ.setdefault(name, SHAPES)
    if device.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        probe = torch.eye(16)
        kind = _packed_half if half and _multiplies_half() else _packed
        try:
            if torch.equal(kind(probe, torch.zeros(16))(probe, False).float(), probe):
                return kind
        except (AttributeError, RuntimeError):
            return _dense  # these operators are torch.compile's and no public API: they may change
    return _dense


def _multiplies_half() -> bool:
    """Whether the processor has instructions for bfloat16; without them it is slower than float32."""
    known = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return known is not None and bool(known())


def _packed(weight: Tensor, bias: Tensor, dtype: torch.dtype = torch.float32) -> Product:
    ops: Any = torch.ops.mkldnn
    packed, added = ops._reorder_linear_weight(weight.to(dtype).contiguous(), None), bias.to(dtype)

    def apply(rows: Tensor, gelu: bool) -> Tensor:
        count = len(rows)
        filled = rows.new_zeros(_few(count), rows.shape[1], dtype=dtype)
        filled[:count] = rows
        out: Tensor = ops._linear_pointwise(
            filled, packed, added, "gelu" if gelu else "none", [], "none" if gelu else ""
        )
        return out[:count]

    return apply


def _few(count: int) -> int:
    """A number of rows from `count` on, one of four an octave: each needs machine code of its own."""
    step = max(8, 1 << max(0, count.bit_length() - 3))
    return -(-count // step) * step


def _packed_half(weight: Tensor, bias: Tensor) -> Product:
    return _packed(weight, bias, torch.bfloat16)


def _dense(weight: Tensor, bias: Tensor) -> Product:
    def apply(rows: Tensor, gelu: bool) -> Tensor:
        out = functional.linear(rows, weight, bias)
        return functional.gelu(out) if gelu else out

    return apply
