"""The routes, one module for each family of clients."""

from __future__ import annotations

from fastapi import APIRouter

from . import health, oss

__all__ = ["ROUTERS"]

ROUTERS: tuple[APIRouter, ...] = (health.router, oss.router)
