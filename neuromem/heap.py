"""The heap: memory that is free goes back to the operating system, and what stays is not looked through."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["give_back", "loading"]


@contextmanager
def loading() -> Iterator[None]:
    """For packages and models that stay: nothing is looked for among them, now or later.

    Importing torch makes several hundred thousand objects; to look through them again and again for garbage
    takes a seventh of the time that importing takes, and once more a quarter of a second whenever all is
    looked through.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was:
            gc.enable()


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
