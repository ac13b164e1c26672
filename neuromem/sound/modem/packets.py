"""A class's bytes as packets of one size, some of them parity: lost ones are rebuilt, PAR2-style.

Packets are dealt to groups in turn, so that neighbours, which are lost together, are of different ones. Of a
group as many packets as it has of content give all of it back (`layers.erasure`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ..layers.erasure import Erasure
from .importance import STEPS

__all__ = ["PACKET", "Shape", "packets_of", "shape_of"]

PACKET = 60  # bytes: 3 to 7 of them fill the words of every code
GROUP = 240  # packets at most, content and parity


@dataclass(frozen=True)
class Shape:
    """How many packets so many bytes are, and where each belongs."""

    size: int  # bytes
    level: int  # eighths of parity

    @property
    def data(self) -> int:
        """Packets of content."""
        return -(-self.size // PACKET)

    @property
    def groups(self) -> int:
        """Groups that they are dealt to."""
        return max(1, -(-self.data * (STEPS + self.level) // (STEPS * GROUP)))

    def content(self, group: int) -> int:
        """Packets of content in a group."""
        return (self.data - group + self.groups - 1) // self.groups

    def parity(self, group: int) -> int:
        """Packets of parity in a group."""
        return -(-self.content(group) * self.level // STEPS)

    @property
    def fuller(self) -> int:
        """Groups with the most content: the first ones; of the others each has a packet less."""
        return (self.data - 1) % self.groups + 1

    @property
    def total(self) -> int:
        """Packets of both kinds."""
        low = self.parity(self.groups - 1)
        return self.data + low * self.groups + (self.parity(0) - low) * self.fuller

    def place(self, number: int) -> tuple[int, int]:
        """A packet's group and its place there: content in turn, then parity in turn."""
        groups = self.groups
        if number < self.data:
            return number % groups, number // groups
        low, rest = self.parity(groups - 1), number - self.data
        if rest < low * groups:
            row, group = divmod(rest, groups)
        else:  # what the fuller groups have beyond
            row, group = divmod(rest - low * groups, self.fuller)
            row += low
        return group, self.content(group) + row

    def rebuilt(self, came: Mapping[int, bytes]) -> dict[int, bytes]:
        """The packets of content that there are, by number: those that came and those made of parity."""
        groups: list[dict[int, bytes]] = [{} for _ in range(self.groups)]
        for number, packet in came.items():
            group, place = self.place(number)
            groups[group][place] = packet
        out = dict[int, bytes]()
        for group, packets in enumerate(groups):
            count = self.content(group)
            whole = len(packets) >= count and any(place not in packets for place in range(count))
            made = Erasure(count, count + self.parity(group)).rebuild(packets) if whole else None
            found = dict(enumerate(made)) if made is not None else packets
            out |= {group + place * self.groups: packet for place, packet in found.items() if place < count}
        return out


@lru_cache(maxsize=32)
def shape_of(size: int, level: int) -> Shape:
    """A shape, made once."""
    return Shape(size, level)


def packets_of(data: bytes, level: int) -> list[bytes]:
    """Content, then parity."""
    shape = shape_of(len(data), level)
    content = [data[at : at + PACKET].ljust(PACKET, b"\0") for at in range(0, len(data), PACKET)]
    if not level or not content:
        return content
    parity = [
        Erasure(shape.content(group), shape.content(group) + shape.parity(group)).parity(
            content[group :: shape.groups]
        )
        for group in range(shape.groups)
    ]
    places = map(shape.place, range(shape.data, shape.total))
    return content + [parity[group][place - shape.content(group)] for group, place in places]
