"""An LLM client that remembers, and clients of the memory service.

``wrap(client, memory=… | url=…)``, in the order of a call::

    wrapping.py   the client's methods, each with a dialect; everything else passes through
    exchange.py   one call: read it, put in what is known, listen to the answer, tell what was said
    dialects.py   OpenAI's chat and responses, Anthropic's messages: how they are read and changed
    sidecar.py    the memory beside the client: deadline, queue, counts (`breaker.py`, `workers.py`)
    store.py      a memory in this process, or the service (`client.py`), asked for a `block.py`
    streams.py    streamed answers

`Client` and `AsyncClient` ask the service themselves. httpx is needed for the service only.
"""

from __future__ import annotations

from .client import AsyncClient, Client
from .sidecar import LastRecall, Sidecar
from .stats import Stats
from .wire import Remembered, ServiceError
from .wrapping import wrap

__all__ = [
    "AsyncClient",
    "Client",
    "LastRecall",
    "Remembered",
    "ServiceError",
    "Sidecar",
    "Stats",
    "wrap",
]
