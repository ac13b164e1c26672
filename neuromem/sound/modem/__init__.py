"""The acoustic modem: bytes as sound that survives the air, telephones and lossy codecs."""

from __future__ import annotations

from .hearing import Listener, Received, Report, demodulate
from .plan import MODES
from .sending import modulate, seconds_for

__all__ = ["MODES", "Listener", "Received", "Report", "demodulate", "modulate", "seconds_for"]
