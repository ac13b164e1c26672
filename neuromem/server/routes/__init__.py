"""The routes, one module for each family of clients."""

from __future__ import annotations

from fastapi import APIRouter

from . import health, keys, platform, service

__all__ = ["ROUTERS"]

ROUTERS: tuple[APIRouter, ...] = (health.router, keys.router, service.router, *platform.ROUTERS)
