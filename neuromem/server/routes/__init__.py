"""The routes, one module for each family of clients."""

from __future__ import annotations

from fastapi import APIRouter

from .. import anything  # noqa: F401  (a kind of path parameter that routes use)
from . import archives, health, keys, openmemory, openmemory_apps, oss, platform, service

__all__ = ["ROUTERS"]

ROUTERS: tuple[APIRouter, ...] = (
    health.router, keys.router, service.router, *platform.ROUTERS, oss.router, openmemory.router,
    openmemory_apps.router, archives.router,
)  # fmt: skip
