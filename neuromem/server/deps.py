"""What a route may ask for: the service, and who is asking."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from .platform import Platform
from .principals import ANYBODY, Principal
from .service import Service

__all__ = ["ThePlatform", "TheService", "Who"]


def the_service(request: Request) -> Service:
    """The service of the app."""
    service: Service = request.app.state.service
    return service


def the_platform(request: Request) -> Platform:
    """What stands around the service."""
    platform: Platform = request.app.state.platform
    return platform


def who_asks(_request: Request) -> Principal:
    """Who a request comes from."""
    return ANYBODY


TheService = Annotated[Service, Depends(the_service)]
ThePlatform = Annotated[Platform, Depends(the_platform)]
Who = Annotated[Principal, Depends(who_asks)]
