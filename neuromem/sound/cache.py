"""Blocks that were read, as many as a bound of memory allows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

from .blocks import Block

__all__ = ["Kept"]

MOST_BYTES = 64 << 20


class Kept:
    """The blocks that were asked for last; what is larger than all the room is not kept.

    Args:
        most: bytes of memory for them, about.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most, self._bytes = most, 0
        self._blocks: OrderedDict[Hashable, Block] = OrderedDict()

    def get(self, name: Hashable, read: Callable[[], Block]) -> Block:
        """The block of a name, read if it is not there."""
        found = self._blocks.get(name)
        if found is not None:
            self._blocks.move_to_end(name)
            return found
        found = read()
        if found.cost <= self._most:
            self._blocks[name] = found
            self._bytes += found.cost
        while self._bytes > self._most:
            self._bytes -= self._blocks.popitem(last=False)[1].cost
        return found
