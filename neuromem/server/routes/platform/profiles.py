"""Profiles of users."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body

from ...deps import ThePlatform, Who
from .memories import Key

__all__ = ["router"]

router = APIRouter(tags=["mem0 profiles"])
Given = Annotated[dict[str, Any], Body()]


@router.get("/v2/profiles/settings")
def settings(platform: ThePlatform, _who: Who) -> dict[str, Any]:
    """What is set."""
    return platform.profiles.settings()


@router.post("/v2/profiles/settings")
@router.patch("/v2/profiles/settings")
def change_settings(body: Given, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Changes what is given."""
    platform.only_the_house(who)
    return platform.profiles.change_settings(body)


@router.post("/v2/profiles/jobs")
def start(body: Given, platform: ThePlatform, who: Who, key: Key = None) -> dict[str, Any]:
    """Makes the profile of one user, or of a few."""
    return platform.profiles.start(body, key, who)


@router.get("/v2/profiles/jobs/{job_id}")
def job(job_id: str, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """How a job stands."""
    return platform.profiles.job(job_id, who)
