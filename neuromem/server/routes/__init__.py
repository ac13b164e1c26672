"""The routes, one module for each family of clients."""

from __future__ import annotations

from fastapi import APIRouter

from . import health, openmemory, openmemory_apps, oss, platform

__all__ = ["ROUTERS"]

ROUTERS: tuple[APIRouter, ...] = (
    health.router, *platform.ROUTERS, oss.router, openmemory.router, openmemory_apps.router,
)  # fmt: skip
