"""What a request may cost: its size, how often a key may ask, how many may be under way."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

from ..config import ServerConfig
from .errors import Refused

__all__ = ["Buckets", "Gate", "check_body", "reading"]

MOST_BUCKETS = 10_000
RESERVE = 0.125  # of the queue, for those who have few in it
CLOSE = {"Connection": "close"}
SMOOTHING = 0.1  # weight of the newest in a moving average
LONGEST_S = 30  # that anybody is told to stay away
BODY_S = 60.0  # in which a body has to arrive: who sends none of it takes a place of the queue meanwhile
PASSED_OVER = 64 << 20  # bytes of a body too large that are read past; of more the connection is closed


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
    """Counts the requests under way. Used by the event loop alone.

    When the queue is full, a few more (`RESERVE` of it) are let in to be looked at: only then is it known
    whose they are, and who has few waiting is not sent away because another filled the queue.
    """

    def __init__(self, config: ServerConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = config.threads + config.queue
        self.reserve = max(1, round(RESERVE * self.most))
        self.inside = 0
        self._clock, self._last = clock, 0.0
        self._each_s = 0.0  # between two that leave, while others wait; a moving average

    def enter(self) -> None:
        """Lets one in.

        Raises:
            Refused: 503; so many are being worked on or wait that another would wait too long.
        """
        if self.inside >= self.most + self.reserve:
            raise self._refused()
        if not self.inside:
            self._last = self._clock()
        self.inside += 1

    def check_share(self, waiting: int, share: int) -> None:
        """Checks one that was let in once it is known whose it is.

        Args:
            waiting: requests of the same owner that wait. share: of the queue that is theirs.

        Raises:
            Refused: 503; the queue is full, and they have their share of it.
        """
        if self.inside > self.most and waiting >= share:
            raise self._refused()

    def leave(self) -> None:
        """One is done."""
        self.inside -= 1
        now = self._clock()
        self._each_s += SMOOTHING * (now - self._last - self._each_s)
        self._last = now

    @property
    def retry_after_s(self) -> int:
        """Seconds after which half of those who wait now should be done, 1 to `LONGEST_S`."""
        return max(1, min(LONGEST_S, math.ceil(self.inside / 2 * self._each_s)))

    def _refused(self) -> Refused:
        wait_s = str(self.retry_after_s)
        return Refused(503, "too many requests are waiting; try again", {"Retry-After": wait_s})


def _too_large(most: int) -> str:
    return f"the body is larger than {most // 1024} KiB; send less at a time"


def check_body(headers: Any, most: int) -> None:
    """Raises Refused where a request says that its body cannot be read: 413 when it is larger than `most`
    bytes, 415 when it is compressed, 400 for nonsense.

    The connection stays, and what comes of the body is passed over: many clients read no answer before they
    have sent all, and of a connection that is closed on them they only see that it broke.
    """
    for name, value in headers:
        if name == b"content-length":
            if not value.isdigit():
                raise Refused(400, "malformed Content-Length")
            length = int(value[:20])
            if length > most:
                raise Refused(413, _too_large(most), CLOSE if length > PASSED_OVER else None)
        elif name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise Refused(
                415, "compressed bodies are not read; send it as it is", {"Accept-Encoding": "identity"}
            )


def reading(receive: Any, most: int, refused: Refused | None = None, within_s: float = BODY_S) -> Any:
    """`receive` that reads no more of a body than it has to.

    Args:
        most: bytes of a body. refused: whoever asks may not, so no body of theirs is waited for.
        within_s: seconds in which all of it has to be here.
    """
    size, until, whole = 0, time.monotonic() + within_s, False

    async def read() -> Any:
        nonlocal size, whole
        if whole:  # what follows is only that the client has gone
            return await receive()
        if refused is not None:  # of this type, as the framework would turn any other into a 400
            raise HTTPException(refused.status, refused.detail, refused.headers)
        try:
            async with asyncio.timeout(until - time.monotonic()):
                message = await receive()
        except TimeoutError as error:
            detail = f"the body did not arrive within {within_s:g} s; send it again"
            raise HTTPException(408, detail, CLOSE) from error
        whole = not message.get("more_body", False)
        size += len(message.get("body", b""))
        if size > most:
            raise HTTPException(413, _too_large(most), CLOSE)
        return message

    return read
