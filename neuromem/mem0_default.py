"""Once this is imported, mem0's clients that are told no host go to ``NEUROMEM_URL``; see `mem0_hook`."""

from __future__ import annotations

from .mem0_hook import DEFAULT_URL, install, url

__all__ = ["DEFAULT_URL", "install", "url"]

install()
