"""Whether the server lives, and whether it can answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ... import __version__
from ..deps import TheService

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/health")
def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok", "version": __version__}


@router.get("/ready")
def ready(service: TheService) -> dict[str, Any]:
    """The models are loaded and the store is open."""
    return {
        "status": "ready",
        "owners": len(service.engine.log.owners()),
        "encoder": service.engine.keys.identity,
    }
