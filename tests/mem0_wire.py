"""mem0's real clients against a real server: set up here, once for each module of tests."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from serving import Serving, serving

# before mem0 is imported: it reads them then; it writes a configuration into its folder
os.environ["MEM0_TELEMETRY"] = "False"
os.environ["MEM0_DIR"] = tempfile.mkdtemp(prefix="mem0-")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from mem0 import AsyncMemoryClient, MemoryClient
    from mem0.exceptions import AuthenticationError, MemoryNotFoundError, NetworkError, ValidationError

__all__ = [
    "AsyncMemoryClient", "AuthenticationError", "MemoryClient", "MemoryNotFoundError", "NetworkError",
    "ValidationError", "served", "texts",
]  # fmt: skip


@contextmanager
def served(**more: Any) -> Iterator[tuple[MemoryClient, Serving]]:
    """A server, and the official client that talks to it."""
    with serving(**more) as server:
        client = MemoryClient(api_key="a key", host=server.url)
        yield client, server
        client.client.close()


def texts(answer: Any) -> list[str]:
    """The words of the memories in an answer."""
    return [item["memory"] for item in (answer["results"] if isinstance(answer, dict) else answer)]
