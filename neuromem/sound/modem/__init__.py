"""The acoustic modem: bytes as sound that survives the air, telephones and lossy codecs."""

from __future__ import annotations

from .gathering import Graded, Item
from .graded import decode, encode, seconds_of
from .hearing import Listener, Received, Report, demodulate
from .importance import PARITY, Importance
from .plan import MODES
from .sending import modulate, seconds_for

__all__ = [
    "MODES", "PARITY", "Graded", "Importance", "Item", "Listener", "Received", "Report", "decode",
    "demodulate", "encode", "modulate", "seconds_for", "seconds_of",
]  # fmt: skip
