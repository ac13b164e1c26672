"""A segment of content as packets, and back, though many of them are hurt or gone.

::

    packet  = head ‖ shard ‖ CRC-32C, in Reed-Solomon words that are interleaved (if the profile has it)
    head    = segment (3) ‖ place (3) ‖ groups (2) ‖ k (1) ‖ m - 1 (1)

A segment has k · groups packets of content, in order, then (m - k) · groups of parity; a group is every
`groups`-th packet, so that a burst hits many groups a little. Each head says the shape of its segment:
any packet that is whole tells where the others are.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInput
from .layers.crc import CRC32C
from .layers.erasure import Erasure
from .layers.interleave import Interleaver
from .layers.reedsolomon import DATA, PARITY, ReedSolomon
from .profiles import MAX_DATA, PACKET_HEAD, Profile

__all__ = ["Healed", "Packets", "Shape"]

Bytes = NDArray[np.uint8]
_RS = ReedSolomon()
_HEAD = PACKET_HEAD - 4
MAX_GROUPS = 0xFFFF


@dataclass(frozen=True, slots=True)
class Shape:
    """What a head says of its segment."""

    segment: int
    groups: int
    data: int  # k
    total: int  # m

    @property
    def packets(self) -> int:
        """Packets of the segment, what only fills the last frame left out."""
        return self.groups * self.total

    def frames(self, profile: Profile) -> int:
        """FLAC frames of the segment."""
        return -(-self.packets // profile.per_frame)


@dataclass(frozen=True, slots=True)
class Healed:
    """A segment's content after all that could be done."""

    content: bytes  # what is lost is zeros
    good: NDArray[np.bool_]  # of each shard: it is what was written
    hurt: int  # packets that were not what was written
    corrected: int  # of them, by Reed-Solomon
    rebuilt: int  # shards, by the erasure code

    @property
    def whole(self) -> bool:
        """Nothing is lost."""
        return bool(self.good.all())


class Packets:
    """The packets of a profile."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._spread = Interleaver(profile.depth)
        self._size = profile.shard_bytes + PACKET_HEAD  # of a packet, without Reed-Solomon

    # ---- writing

    def shape(self, segment: int, length: int) -> Shape:
        """The shape of a segment with so many bytes of content.

        Raises:
            InvalidInput: it is too long for one segment.
        """
        shards = max(1, -(-length // self.profile.shard_bytes))
        groups = -(-shards // MAX_DATA)
        if groups > MAX_GROUPS:
            raise InvalidInput("data", f"{length:,} bytes in one segment", "flush more often")
        data = -(-shards // groups)
        return Shape(segment, groups, data, self.profile.total(data))

    def encode(self, segment: int, content: bytes) -> Bytes:
        """The packets of a segment, filling whole FLAC frames: the first ones come again at the end."""
        shape, size = self.shape(segment, len(content)), self.profile.shard_bytes
        row = shape.groups * size
        padded = content.ljust(shape.data * row, b"\0")
        blocks = [padded[at : at + row] for at in range(0, len(padded), row)]
        parity = Erasure(shape.data, shape.total).parity(blocks)
        shards = np.frombuffer(b"".join([*blocks, *parity]), np.uint8).reshape(-1, size)
        plain = np.empty((shape.packets, self._size), np.uint8)
        plain[:, :_HEAD] = self._heads(shape, np.arange(shape.packets))
        plain[:, _HEAD:-4] = shards
        check = CRC32C.rows(plain[:, :-4])
        plain[:, -4:] = check.astype(">u4").view(np.uint8).reshape(-1, 4)
        packets = self._protect(plain)
        missing = -len(packets) % self.profile.per_frame
        return packets[np.arange(len(packets) + missing) % len(packets)]

    def _protect(self, plain: Bytes) -> Bytes:
        if not self.profile.inner:
            return plain
        words = self._spread.gather(plain).reshape(-1, DATA)
        parity = _RS.parity(words).reshape(len(plain), self.profile.depth, PARITY)
        return np.concatenate([plain, self._spread.spread(parity)], axis=1)

    # ---- reading

    def check(self, packets: Bytes) -> NDArray[np.bool_]:
        """Which packets are what was written."""
        stored = np.ascontiguousarray(packets[:, self._size - 4 : self._size]).view(">u4")[:, 0]
        return np.asarray(CRC32C.rows(packets[:, : self._size - 4]) == stored)

    def places(self, packets: Bytes) -> NDArray[np.int64]:
        """The place of each packet in its segment; meaningful for those that are whole."""
        wide = packets[:, 3:6].astype(np.int64)
        return np.asarray(wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2])

    def are(self, packets: Bytes, shape: Shape, first: int) -> bool:
        """Whether packets are those of a segment from place `first` on, one after another and whole."""
        plain = self._heads(shape, np.arange(first, first + len(packets)))
        return bool((packets[:, :_HEAD] == plain).all() and self.check(packets).all())

    def _heads(self, shape: Shape, places: NDArray[np.int64]) -> Bytes:
        heads = np.empty((len(places), _HEAD), np.uint8)
        heads[:, :3] = list(shape.segment.to_bytes(3, "big"))
        for column, bits in ((3, 16), (4, 8), (5, 0)):
            heads[:, column] = places >> bits & 255
        heads[:, 6:] = list(struct.pack(">HBB", shape.groups, shape.data, shape.total - 1))
        return heads

    def shape_in(self, packet: Bytes) -> Shape:
        """What the head of a whole packet says."""
        raw = packet[:_HEAD].tobytes()
        groups, data, total = struct.unpack(">HBB", raw[6:])
        return Shape(int.from_bytes(raw[:3], "big"), groups, data, total + 1)

    def shards(self, packets: Bytes) -> Bytes:
        """The content of packets."""
        return packets[:, _HEAD : self._size - 4]

    def heal(self, shape: Shape, packets: Bytes) -> Healed:
        """A segment out of its packets, in any order, some hurt and some missing."""
        own = packets[:, :3].astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32) == shape.segment
        good = self.check(packets) & own & (self.places(packets) < shape.packets)
        shards = np.zeros((shape.packets, self.profile.shard_bytes), np.uint8)
        have = np.zeros(shape.packets, np.bool_)
        places = self.places(packets)[good]
        shards[places], have[places] = self.shards(packets[good]), True
        hurt = int(np.count_nonzero(~have))
        corrected = 0
        if self.profile.inner and self._short(shape, have):  # slow, so only where it is needed
            corrected = self._correct(shape, packets[~good], shards, have)
        rebuilt = self._rebuild(shape, shards, have)
        count = shape.groups * shape.data
        return Healed(shards[:count].tobytes(), have[:count], hurt, corrected, rebuilt)

    def _short(self, shape: Shape, have: NDArray[np.bool_]) -> bool:
        return bool((have.reshape(shape.total, shape.groups).sum(axis=0) < shape.data).any())

    def _correct(self, shape: Shape, hurt: Bytes, shards: Bytes, have: NDArray[np.bool_]) -> int:
        """Tries Reed-Solomon on packets that are hurt; returns how many came right."""
        depth, found = self.profile.depth, 0
        for packet in hurt:
            if not packet.any():
                continue
            data = self._spread.gather(packet[None, : self._size])[0]
            parity = self._spread.gather(packet[None, self._size :])[0]
            healed = [_RS.heal(data[at].tobytes() + parity[at].tobytes()) for at in range(depth)]
            if None in healed:
                continue
            words = np.frombuffer(b"".join(word or b"" for word in healed), np.uint8).reshape(1, depth, -1)
            plain = self._spread.spread(words)
            place = int(self.places(plain)[0])
            if self.check(plain)[0] and self.shape_in(plain[0]) == shape and place < shape.packets:
                found += not have[place]
                shards[place], have[place] = self.shards(plain)[0], True
        return found

    def _rebuild(self, shape: Shape, shards: Bytes, have: NDArray[np.bool_]) -> int:
        """Fills in the content of groups that have enough left; returns how many shards."""
        code, rebuilt = Erasure(shape.data, shape.total), 0
        for group in range(shape.groups):
            mine = have[group :: shape.groups]
            if mine[: shape.data].all():
                continue
            there = {int(at): shards[at * shape.groups + group].tobytes() for at in np.flatnonzero(mine)}
            blocks = code.rebuild(there)
            if blocks is None:
                continue
            rows = np.arange(shape.data) * shape.groups + group
            shards[rows] = np.frombuffer(b"".join(blocks), np.uint8).reshape(shape.data, -1)
            rebuilt += int(np.count_nonzero(~have[rows]))
            have[rows] = True
        return rebuilt
