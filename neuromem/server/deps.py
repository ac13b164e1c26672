"""What a route may ask for: the service and its parts, and who is asking.

All are coroutines, though they wait for nothing: a plain function would take a thread for each.
"""

from __future__ import annotations

from typing import Annotated, Any

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


def _part(name: str) -> Any:
    """A part of the app, by its name in the app's state (`app.py` puts it there)."""

    async def part(request: Request) -> Any:
        return getattr(request.app.state, name)

    return Depends(part)


async def who_asks(request: Request) -> Principal:
    """Who a request comes from.

    Raises:
        Refused: 401; it shows no good key.
    """
    who: Principal | Refused = request.scope[WHO]
    if isinstance(who, Refused):
        raise who
    return who


async def admin_asks(who: Annotated[Principal, Depends(who_asks)]) -> Principal:
    """Who a request comes from, if it is an admin.

    Raises:
        Forbidden: it is a user.
    """
    if not who.admin:
        raise Forbidden("this takes the key of an admin")
    return who


TheService = Annotated[Service, _part("service")]
TheKeys = Annotated[Keys, _part("keys")]
TheArchives = Annotated[Archives, _part("archives")]
TheMetrics = Annotated[Metrics, _part("metrics")]
TheEvents = Annotated[Events, _part("events")]
TheBackground = Annotated[Background, _part("background")]
ThePlatform = Annotated[Platform, _part("platform")]
Who = Annotated[Principal, Depends(who_asks)]
Admin = Annotated[Principal, Depends(admin_asks)]
