"""mem0's platform, as its own clients speak it: `/v1`, `/v2`, `/v3` and `/api/v1`.

Paths are written without a slash at the end; `paths.py` brings all spellings to that one.
"""

from __future__ import annotations

from fastapi import APIRouter

from . import around, entities, exports, memories, older, profiles, projects, single

__all__ = ["ROUTERS"]

ROUTERS: tuple[APIRouter, ...] = (
    around.router, memories.router, older.router, single.router, entities.router, exports.router,
    profiles.router, projects.router,
)  # fmt: skip
