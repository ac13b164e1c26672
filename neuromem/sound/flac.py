"""FLAC as far as an archive needs it: frames of verbatim samples, written and found again.

A verbatim subframe is its samples, big-endian, behind one byte. So packets lie in the file as they
are: one is read by its offset, and a damaged file is searched for them without a decoder. What does not
compress costs the same as in any FLAC file: 0.1 to 2 %. Source: RFC 9639.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import md5
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .layers.crc import CRC8, CRC16, CRC32C
from .profiles import PROFILES, Profile

__all__ = ["HEADER_BYTES", "Header", "Layout", "Md5", "header", "profile_in", "read_header", "scan"]

_RATES = {22_050: 0b0110, 44_100: 0b1001, 48_000: 0b1010, 96_000: 0b1011}
_BITS = {16: 0b100, 24: 0b110}
_BLOCK_16 = 0b0111  # the block size follows in 16 bits
_SYNC = 0xFF  # the first byte of a frame
_VERBATIM = 0b00000010
_POINTS = 64  # seek points
_UTF8_ENDS = (0x80, 0x800, 0x10000, 0x200000, 0x4000000)  # first frame number that takes a byte more
_COMMENT = b"neuromem"
_TAG_BYTES = 192  # of the comment, padded: the header has one length for every file
_TAG = re.compile(
    rb"^NEUROMEM=profile:([a-z]{1,32}) frames:([0-9]{1,12}) versions:([0-9]{1,8}) "
    rb"root:(-|[0-9a-f]{64}) crc:([0-9a-f]{8}) *$"
)
_DIGEST = slice(4 + 4 + 18, 4 + 4 + 34)
HEADER_BYTES = 4 + 4 + 34 + 4 + 18 * _POINTS + 4 + 4 + len(_COMMENT) + 4 + 4 + _TAG_BYTES

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where frames and packets lie in a file of a profile."""

    profile: Profile

    def head_bytes(self, frame: int) -> int:
        """Bytes of a frame's header."""
        return 8 + sum(frame >= end for end in _UTF8_ENDS)

    @property
    def body_bytes(self) -> int:
        """Bytes of a frame's subframes."""
        return self.profile.channels * (1 + self.profile.channel_bytes)

    def offset(self, frame: int) -> int:
        """Where a frame begins in the file."""
        fixed = frame * (8 + self.body_bytes + 2)
        return HEADER_BYTES + fixed + sum(max(0, frame - end) for end in _UTF8_ENDS)

    def frames(self, size: int) -> int:
        """Whole frames in a file of so many bytes."""
        low, high = 0, max(0, size - HEADER_BYTES) // (10 + self.body_bytes) + 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.offset(middle) <= size else (low, middle - 1)
        return low

    def runs(self, first: int, stop: int) -> Iterator[tuple[int, int]]:
        """`first` to `stop` cut where the header grows by a byte."""
        while first < stop:
            end = min([end for end in _UTF8_ENDS if end > first] + [stop])
            yield first, min(end, stop)
            first = min(end, stop)

    def head(self, frame: int) -> bytes:
        """The header of a frame, its CRC-8 left out."""
        profile = self.profile
        codes = (
            _BLOCK_16 << 4 | _RATES[profile.rate],
            (profile.channels - 1) << 4 | _BITS[profile.bits] << 1,
        )
        return b"\xff\xf8" + bytes(codes) + _number(frame) + struct.pack(">H", profile.block - 1)

    def write(self, first: int, packets: Bytes) -> bytes:
        """Packets, a whole number of frames of them, as frames from number `first` on."""
        profile = self.profile
        bodies = packets.reshape(-1, profile.channels, profile.channel_bytes)
        out = []
        for start, stop in self.runs(first, first + len(bodies)):
            size = self.head_bytes(start)
            rows = np.empty((stop - start, size + self.body_bytes + 2), np.uint8)
            heads = b"".join(self.head(frame) for frame in range(start, stop))
            rows[:, : size - 1] = np.frombuffer(heads, np.uint8).reshape(stop - start, -1)
            rows[:, size - 1] = CRC8.rows(rows[:, : size - 1])
            body = rows[:, size:-2].reshape(stop - start, profile.channels, -1)
            body[:, :, 0] = _VERBATIM
            body[:, :, 1:] = bodies[start - first : stop - first]
            rows[:, size:-2] = body.reshape(stop - start, -1)
            check = CRC16.rows(rows[:, :-2])
            rows[:, -2], rows[:, -1] = check >> 8, check & 255
            out.append(rows.tobytes())
        return b"".join(out)

    def read(self, first: int, stop: int, raw: bytes) -> Bytes:
        """The packets (rows) in the bytes of frames `first` to `stop`; nothing is checked."""
        profile, at, out = self.profile, 0, []
        data = np.frombuffer(raw, np.uint8)
        for start, end in self.runs(first, stop):
            size = self.head_bytes(start)
            length = (end - start) * (size + self.body_bytes + 2)
            body = data[at : at + length].reshape(end - start, -1)[:, size:-2]
            body = body.reshape(end - start, profile.channels, -1)[:, :, 1:]
            out.append(body.reshape(-1, profile.packet_bytes))
            at += length
        return np.concatenate(out) if out else np.empty((0, profile.packet_bytes), np.uint8)

    def moved(self, raw: bytes, begin: int) -> list[tuple[int, Bytes]]:
        """Frames that lie elsewhere than whole ones should: where each one's body is, and its packets (rows).

        Args:
            raw: bytes of the file from `begin` on; what is cut off at the end of them reads as zeros.
        """
        whole = range(self.frames(begin), self.frames(begin + len(raw)))
        expected = {self.offset(frame) + self.head_bytes(frame) for frame in whole}
        out = []
        for _, at in scan(raw, self.profile):
            if begin + at not in expected:
                body = np.frombuffer(raw[at : at + self.body_bytes].ljust(self.body_bytes, b"\0"), np.uint8)
                rows = np.ascontiguousarray(body.reshape(self.profile.channels, -1)[:, 1:])
                out.append((begin + at, rows.reshape(-1, self.profile.packet_bytes)))
        return out

    def bad_frames(self, first: int, stop: int, raw: bytes) -> int:
        """How many of the frames have a wrong CRC-16."""
        data, at, bad = np.frombuffer(raw, np.uint8), 0, 0
        for start, end in self.runs(first, stop):
            length = (end - start) * (self.head_bytes(start) + self.body_bytes + 2)
            rows = data[at : at + length].reshape(end - start, -1)
            bad += int(np.count_nonzero((rows[:, 0] != _SYNC) | (CRC16.rows(rows) != 0)))  # zeros have CRC 0
            at += length
        return bad


class Md5:
    """The MD5 of the samples as a decoder sees them: little-endian, the channels of a moment side by side."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._md5 = md5(usedforsecurity=False)

    def update(self, packets: Bytes) -> None:
        """Takes in whole frames of packets."""
        profile = self._profile
        samples = packets.reshape(-1, profile.channels, profile.block, profile.bits // 8)
        self._md5.update(np.ascontiguousarray(samples[:, :, :, ::-1].transpose(0, 2, 1, 3)).data)

    def digest(self) -> bytes:
        """16 bytes."""
        return self._md5.digest()


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself before its frames.

    Attributes:
        profile: its name. frames: how many there are; 0: not known. versions: number of the last one + 1.
        root: the Merkle root of the last one, in hex. digest: MD5 of the samples; zeros: not known.
    """

    profile: str
    frames: int
    versions: int
    root: str
    digest: bytes


def header(
    layout: Layout, frames: int, digest: bytes = bytes(16), versions: int = 0, root: bytes = b""
) -> bytes:
    """All that comes before the frames.

    Args:
        frames: how many there are; 0: not known.
        digest: MD5 of the samples; zeros: not known.
        versions: number of the last version + 1. root: its Merkle root.
    """
    profile = layout.profile
    packed = (
        profile.rate << 44 | (profile.channels - 1) << 41 | (profile.bits - 1) << 36
        | (frames * profile.block if frames * profile.block < 1 << 36 else 0)
    )  # fmt: skip
    info = struct.pack(">HH6xQ", profile.block, profile.block, packed) + digest
    points = [frames * point // _POINTS for point in range(_POINTS)] if frames >= _POINTS else range(frames)
    seek = b"".join(
        struct.pack(">QQH", f * profile.block, layout.offset(f) - HEADER_BYTES, profile.block) for f in points
    ) + (b"\xff" * 8 + bytes(10)) * (_POINTS - len(points))  # the rest are placeholders
    tag = f"NEUROMEM=profile:{profile.name} frames:{frames} versions:{versions} root:{root.hex() or '-'} crc:"
    raw = _blocks(info, seek, tag)
    return _blocks(info, seek, f"{tag}{CRC32C.of(raw):08x}")


def _blocks(info: bytes, seek: bytes, tag: str) -> bytes:
    line = tag.encode().ljust(_TAG_BYTES)
    comment = struct.pack("<I", len(_COMMENT)) + _COMMENT + struct.pack("<II", 1, len(line)) + line
    out = b"fLaC"
    for kind, block in zip((0, 3, 4 | 0x80), (info, seek, comment), strict=True):
        out += struct.pack(">I", kind << 24 | len(block)) + block
    return out


def read_header(raw: bytes) -> Header | None:
    """Reads what `header` gave; None: it is hurt."""
    found = _TAG.search(raw[-_TAG_BYTES:])
    if len(raw) != HEADER_BYTES or found is None:
        return None
    begin = HEADER_BYTES - _TAG_BYTES + found.start(5)
    if CRC32C.of(raw[:begin] + b" " * (HEADER_BYTES - begin)) != int(found[5], 16):
        return None
    return Header(found[1].decode(), int(found[2]), int(found[3]), found[4].decode(), raw[_DIGEST])


def profile_in(raw: bytes) -> Profile | None:
    """The profile of a file, by the first frame header in it that is whole; None: there is none."""
    for _, _, profile in _heads(raw, tuple(PROFILES.values())):
        return profile
    return None


def scan(raw: bytes, profile: Profile) -> list[tuple[int, int]]:
    """The frames in a damaged file, wherever they have moved to: (frame number, where its body begins)."""
    return [(frame, at) for frame, at, _ in _heads(raw, (profile,))]


def _heads(raw: bytes, profiles: tuple[Profile, ...]) -> Iterator[tuple[int, int, Profile]]:
    """Every frame header whose CRC-8 fits."""
    layouts = {Layout(profile).head(0)[2:4] + Layout(profile).head(0)[5:]: profile for profile in profiles}
    at = raw.find(b"\xff\xf8")
    while at >= 0:
        number, size = _parse_number(raw[at + 4 : at + 10])
        end = at + 4 + size + 2
        profile = layouts.get(raw[at + 2 : at + 4] + raw[at + 4 + size : end])
        if profile is not None and number >= 0 and end < len(raw) and CRC8.of(raw[at:end]) == raw[end]:
            yield number, end + 1, profile
            at = raw.find(b"\xff\xf8", end)
        else:
            at = raw.find(b"\xff\xf8", at + 1)


def _number(value: int) -> bytes:
    """A frame number in the manner of UTF-8, up to 31 bits."""
    if value < 0x80:
        return bytes([value])
    more = 1 + sum(value >= end for end in _UTF8_ENDS[1:])
    lead = (0xFF << (7 - more)) & 0xFF
    tail = [0x80 | value >> 6 * place & 0x3F for place in range(more - 1, -1, -1)]
    return bytes([lead | value >> 6 * more, *tail])


def _parse_number(raw: bytes) -> tuple[int, int]:
    """The number and how many bytes it took; -1 where there is none."""
    if not raw or raw[0] < 0x80:
        return (raw[0], 1) if raw else (-1, 1)
    more: Any = 8 - (raw[0] ^ 0xFF).bit_length() - 1
    if not 1 <= more <= 5 or len(raw) <= more or any(byte >> 6 != 2 for byte in raw[1 : more + 1]):
        return -1, 1
    value = raw[0] & (0x3F >> more)
    for byte in raw[1 : more + 1]:
        value = value << 6 | byte & 0x3F
    return value, more + 1
