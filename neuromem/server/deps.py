"""What a route may ask for: the service, and who is asking."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from .principals import ANYBODY, Principal
from .service import Service

__all__ = ["TheService", "Who"]


def the_service(request: Request) -> Service:
    """The service of the app."""
    service: Service = request.app.state.service
    return service


def who_asks(_request: Request) -> Principal:
    """Who a request comes from."""
    return ANYBODY


TheService = Annotated[Service, Depends(the_service)]
Who = Annotated[Principal, Depends(who_asks)]
