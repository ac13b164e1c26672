"""A class's bytes as packets of one size, some of them parity: lost ones are rebuilt, PAR2-style.

Packets are dealt to groups in turn, so that neighbours, which are lost together, are of different ones. Of a
group as many packets as it has of content give all of it back (`layers.erasure`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

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

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """Of each packet its group and its place there; those of content come first."""
        groups = self.groups
        out = [(at % groups, at // groups) for at in range(self.data)]
        most = max(map(self.parity, range(groups)))
        return out + [
            (group, self.content(group) + row)
            for row in range(most)
            for group in range(groups)
            if row < self.parity(group)
        ]

    @property
    def total(self) -> int:
        """Packets of both kinds."""
        return len(self.places)

    def rebuilt(self, came: Mapping[int, bytes]) -> dict[int, bytes]:
        """The packets of content that there are, by number: those that came and those made of parity."""
        groups: list[dict[int, bytes]] = [{} for _ in range(self.groups)]
        for number, packet in came.items():
            group, place = self.places[number]
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
    tail = [parity[group][place - shape.content(group)] for group, place in shape.places[shape.data :]]
    return content + tail
