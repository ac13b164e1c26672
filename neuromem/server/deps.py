"""What a route may ask for: the service and its parts, and who is asking.

All are coroutines, though they wait for nothing: a plain function would take a thread for each.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from .archives import Archives
from .around import WHO
from .background import Background
from .errors import Refused
from .events import Events
from .keys import Keys
from .metrics import Metrics
from .platform import Platform
from .principals import Forbidden, Principal
from .service import Service

__all__ = [
    "Admin", "TheArchives", "TheBackground", "TheEvents", "TheKeys", "TheMetrics", "ThePlatform",
    "TheService", "Who",
]  # fmt: skip


async def the_service(request: Request) -> Service:
    """The service of the app."""
    service: Service = request.app.state.service
    return service


async def the_keys(request: Request) -> Keys:
    """The keys of the app."""
    keys: Keys = request.app.state.keys
    return keys


async def the_events(request: Request) -> Events:
    """The events of the app."""
    events: Events = request.app.state.events
    return events


async def the_platform(request: Request) -> Platform:
    """What stands around the memories."""
    platform: Platform = request.app.state.platform
    return platform


async def the_background(request: Request) -> Background:
    """What the app does by itself."""
    background: Background = request.app.state.background
    return background


async def the_archives(request: Request) -> Archives:
    """The archives of the app."""
    archives: Archives = request.app.state.archives
    return archives


async def the_metrics(request: Request) -> Metrics:
    """The numbers of the app."""
    metrics: Metrics = request.app.state.metrics
    return metrics


async def who_asks(request: Request) -> Principal:
    """Who a request comes from.

    Raises:
        Refused: 401; it shows no good key.
    """
    who: Principal | Refused = request.scope[WHO]
    if isinstance(who, Refused):
        raise who
    return who


async def admin_asks(request: Request) -> Principal:
    """Who a request comes from, if it is an admin.

    Raises:
        Refused: 401. Forbidden: it is a user.
    """
    who = await who_asks(request)
    if not who.admin:
        raise Forbidden("this takes the key of an admin")
    return who


TheService = Annotated[Service, Depends(the_service)]
TheKeys = Annotated[Keys, Depends(the_keys)]
TheArchives = Annotated[Archives, Depends(the_archives)]
TheMetrics = Annotated[Metrics, Depends(the_metrics)]
TheEvents = Annotated[Events, Depends(the_events)]
TheBackground = Annotated[Background, Depends(the_background)]
ThePlatform = Annotated[Platform, Depends(the_platform)]
Who = Annotated[Principal, Depends(who_asks)]
Admin = Annotated[Principal, Depends(admin_asks)]
