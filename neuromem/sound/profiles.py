"""What a sound archive sounds like and how much it is protected, by the machine that it is made on.

The overhead of a profile is what is stored for a byte of compressed payload: packet heads and checks,
Reed–Solomon where there is one, and the packets of parity; see `Profile.overhead`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from ..errors import InvalidInput
from .devices import Output, output
from .layers.reedsolomon import DATA, WORD

__all__ = ["PACKET_HEAD", "PROFILES", "Detected", "Machine", "Profile", "choose", "detect", "profile_of"]

PACKET_HEAD = 14  # bytes: place and shape of the segment (10), CRC-32C (4)
MAX_DATA = 120  # packets of data in a group: with their parity they must fit 256


@dataclass(frozen=True, slots=True)
class Profile:
    """One way of writing."""

    name: str
    rate: int  # samples a second
    channels: int
    bits: int  # of a sample: 16 or 24
    depth: int  # code words in a packet, which has 255 bytes of each
    packets: int  # in a channel of a FLAC frame
    inner: bool  # Reed-Solomon (255, 223) inside the packets
    spare: float  # packets of parity for each packet of data
    least: int  # packets of parity at least

    @property
    def packet_bytes(self) -> int:
        """Bytes of a packet."""
        return WORD * self.depth

    @property
    def shard_bytes(self) -> int:
        """Bytes of content in a packet."""
        return (DATA if self.inner else WORD) * self.depth - PACKET_HEAD

    @property
    def channel_bytes(self) -> int:
        """Bytes of one channel in a FLAC frame."""
        return self.packet_bytes * self.packets

    @property
    def block(self) -> int:
        """Samples of a FLAC frame."""
        return self.channel_bytes * 8 // self.bits

    @property
    def per_frame(self) -> int:
        """Packets in a FLAC frame."""
        return self.packets * self.channels

    def total(self, data: int) -> int:
        """Packets of a group with so many packets of data."""
        return min(256, data + max(self.least, math.ceil(self.spare * data) + self.least // 2))

    @property
    def overhead(self) -> float:
        """Bytes of packets for a byte of content, in full groups."""
        return self.packet_bytes / self.shard_bytes * self.total(MAX_DATA) / MAX_DATA


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("server", 96_000, 4, 24, 16, 1, False, 0.1, 2),
        Profile("desktop", 48_000, 2, 24, 8, 2, False, 0.1, 2),
        Profile("mobile", 44_100, 2, 16, 4, 2, True, 0.125, 2),
        Profile("embedded", 22_050, 1, 16, 2, 2, True, 0.125, 2),
        Profile("durable", 48_000, 1, 16, 1, 4, True, 1.0, 16),
    )
}
"""All profiles, by name. Only `durable` is made to survive 15 % of wrong bytes."""

_SMALL, _LARGE = 2 << 30, 48 << 30  # bytes of memory
_SIZES = ("embedded", "mobile", "desktop", "server")  # from the least


@dataclass(frozen=True, slots=True)
class Machine:
    """What a profile is chosen by, beside the loudspeaker. None: not known."""

    memory: int | None = None  # bytes
    battery: bool = False


@dataclass(frozen=True, slots=True)
class Detected:
    """A profile that fits a machine."""

    profile: str
    why: str


def choose(machine: Machine, heard: Output | str) -> Detected:
    """The profile for a machine: what its loudspeaker plays, or what its memory is worth where it has none.

    Under 2 GiB of memory it is never more than `embedded`, on a battery never more than `mobile`.

    Args:
        heard: the default loudspeaker, or why there is none.
    """
    memory = machine.memory
    told = "unknown memory" if memory is None else f"{memory / (1 << 30):.1f} GiB of memory"
    if isinstance(heard, Output):
        name, why = _of_output(heard), str(heard)
    else:
        name = "server" if memory is not None and memory >= _LARGE else "desktop"
        why = f"{told}; {heard}"
    for most, holds, reason in (
        ("mobile", machine.battery, "a battery"),
        ("embedded", memory is not None and memory < _SMALL, f"only {told}"),
    ):
        if holds and _SIZES.index(name) > _SIZES.index(most):
            name, why = most, f"{reason}; {why}"
    return Detected(name, why)


def _of_output(found: Output) -> str:
    """The largest profile that a loudspeaker plays as it is."""
    fits = [
        name for name in _SIZES
        if found.rate >= PROFILES[name].rate and found.channels >= PROFILES[name].channels
    ]  # fmt: skip
    return fits[-1] if fits else _SIZES[0]


@cache
def detect() -> Detected:
    """The profile for this machine: by its loudspeaker, its memory, its battery. Found once."""
    return choose(_machine(), output())


def _machine() -> Machine:
    try:
        import psutil
    except ImportError:
        return Machine()
    sensors = getattr(psutil, "sensors_battery", None)  # not on every system
    battery = sensors() if sensors is not None else None
    return Machine(int(psutil.virtual_memory().total), battery is not None)


def profile_of(name: str | Profile | None) -> Profile:
    """A profile by its name; None: the one that `detect` finds.

    Raises:
        InvalidInput: there is none of that name.
    """
    if isinstance(name, Profile):
        return name
    found = PROFILES.get(detect().profile if name is None else name)
    if found is None:
        raise InvalidInput("profile", f"{name!r} is not known", f"choose one of {', '.join(PROFILES)}")
    return found
