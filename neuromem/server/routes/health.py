"""Whether the server lives, whether it can answer, and its numbers.

These are coroutines: they are answered while all threads are at work.
"""

from __future__ import annotations

from typing import Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request, Response

from ... import __version__
from ..deps import TheService
from ..errors import Refused

__all__ = ["router"]

router = APIRouter(tags=["health"])
TEXT = "text/plain; version=0.0.4; charset=utf-8"  # Prometheus' own format


@router.get("/health")
async def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok", "version": __version__}


@router.get("/ready", responses={503: {"description": "Not yet, or not any more."}})
async def ready(request: Request, service: TheService) -> dict[str, Any]:
    """The models are loaded and the store is open."""
    if not request.app.state.ready:
        raise Refused(503, "not ready", {"Retry-After": "1"})
    return {
        "status": "ready",
        "owners": len(service.engine.log.owners()),
        "encoder": service.engine.keys.identity,
    }


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """What is counted and timed, for Prometheus; no names, no words."""
    state = request.app.state
    if not hasattr(state, "metrics_lane"):  # a thread of its own, so that work does not hold it up
        state.metrics_lane = anyio.CapacityLimiter(1)
    text = await anyio.to_thread.run_sync(state.metrics.text, limiter=state.metrics_lane)
    return Response(text, media_type=TEXT)
