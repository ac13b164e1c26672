"""Gives memory that is free back to the operating system."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["give_back"]


def give_back() -> bool:
    """Returns the heap's free pages; whether this C library can (glibc).

    glibc keeps what large work leaves behind: comparing 2,000 memories with each other at sleep, some 26 MB.
    """
    if not sys.platform.startswith("linux"):
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is None:
        return False
    trim(0)
    return True
