"""What a request may cost: its size, how often a key may ask, how many may be under way."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

from ..config import ServerConfig
from .errors import Refused

__all__ = ["Buckets", "Gate", "check_length", "counting"]

MOST_BUCKETS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Buckets:
    """Token buckets, one for each key: `rate` requests a second on average, `burst` at once.

    Used by the event loop alone.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self._buckets: dict[str, _Bucket] = {}

    def take(self, name: str) -> dict[str, str]:
        """Takes one token; returns the headers that tell of it.

        Raises:
            Refused: 429; there is none left.
        """
        now = time.monotonic()
        bucket = self._buckets.get(name)
        if bucket is None:
            self._prune(now)
            bucket = self._buckets[name] = _Bucket(self.burst, now)
        bucket.tokens = min(self.burst, bucket.tokens + (now - bucket.at) * self.rate)
        bucket.at = now
        if bucket.tokens < 1:
            wait_s = max(1, -int(-(1 - bucket.tokens) // self.rate))
            raise Refused(
                429, f"more than {self.rate:g} requests a second; wait {wait_s} s",
                self._headers(bucket) | {"Retry-After": str(wait_s)},
            )  # fmt: skip
        bucket.tokens -= 1
        return self._headers(bucket)

    def _headers(self, bucket: _Bucket) -> dict[str, str]:
        full_s = (self.burst - bucket.tokens) / self.rate
        return {
            "X-RateLimit-Limit": str(self.burst),
            "X-RateLimit-Remaining": str(int(bucket.tokens)),
            "X-RateLimit-Reset": str(int(time.time() + full_s) + 1),  # Unix seconds
        }

    def _prune(self, now: float) -> None:
        """Drops buckets that are full again, once there are many."""
        if len(self._buckets) >= MOST_BUCKETS:
            full_s = self.burst / self.rate
            self._buckets = {name: item for name, item in self._buckets.items() if now - item.at < full_s}


class Gate:
    """Counts the requests under way. Used by the event loop alone."""

    def __init__(self, config: ServerConfig) -> None:
        self.most = config.threads + config.queue
        self.inside = 0

    def enter(self) -> None:
        """Lets one in.

        Raises:
            Refused: 503; so many are being worked on or wait that another would wait too long.
        """
        if self.inside >= self.most:
            raise Refused(503, "too many requests are waiting; try again", {"Retry-After": "1"})
        self.inside += 1

    def leave(self) -> None:
        """One is done."""
        self.inside -= 1


def _too_large(most: int) -> str:
    return f"the body is larger than {most // 1024} KiB; send less at a time"


def check_length(headers: Any, most: int) -> None:
    """Raises Refused: 413 when a request says that it is larger than `most` bytes; 400 for nonsense."""
    for name, value in headers:
        if name == b"content-length":
            if not value.isdigit():
                raise Refused(400, "malformed Content-Length")
            if int(value[:20]) > most:
                raise Refused(413, _too_large(most), {"Connection": "close"})


def counting(receive: Any, most: int) -> Any:
    """`receive` that stops a body of unknown length as soon as it is larger than `most` bytes."""
    size = 0

    async def counted() -> Any:
        nonlocal size
        message = await receive()
        if message["type"] == "http.request":
            size += len(message.get("body", b""))
            if size > most:  # of this type, as the framework would turn any other into a 400
                raise HTTPException(413, _too_large(most), {"Connection": "close"})
        return message

    return counted
