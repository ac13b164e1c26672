"""What mem0's platform has around the memories: events, project, webhooks, profiles; and how all is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import NotFound
from .adding import Adding, Told
from .events import Event, Events
from .principals import Forbidden, Principal
from .profiles import Profiles
from .projects import Projects
from .records import event_shown
from .service import Change, Service
from .webhooks import Webhooks

__all__ = ["Platform"]


class Platform:
    """The parts, over one service."""

    def __init__(self, service: Service, events: Events) -> None:
        desk, clock = service.desk, service.engine.clock
        self.service, self.desk, self.clock, self.events = service, desk, clock, events
        self.adding = Adding(service, desk, self.events)
        self.projects = Projects(desk, clock, service.categories)
        self.profiles = Profiles(service, desk, clock)
        self.webhooks = Webhooks(desk, clock, self._categories_of)
        service.watchers += [self._forget_notes, self.webhooks.notice]

    def shown(self, events: Sequence[Event], who: Principal) -> list[dict[str, Any]]:
        """Events with the words of their memories, as far as they are there."""
        return [self.told(Told(event), who) for event in events]

    def told(self, told: Told, who: Principal) -> dict[str, Any]:
        """What came of a telling, with words."""
        ids = {item["id"] for item in told.event.body.get("memories", ())}
        texts = self.service.texts(ids - set(told.texts), who=who) | dict(told.texts)
        return event_shown(told.event, texts)

    def only_the_house(self, who: Principal) -> None:
        """Raises Forbidden where somebody may act for one user alone: what is asked for is everybody's."""
        if who.user is not None:
            raise Forbidden("this key is of one user; what belongs to the project is not theirs to change")

    def close(self) -> None:
        """Sends no more to anybody."""
        self.webhooks.close()

    def _categories_of(self, memory_id: str) -> Sequence[str]:
        try:
            return self.service.get(memory_id).entry.categories
        except NotFound:
            return ()

    def _forget_notes(self, changes: Sequence[Change]) -> None:
        """What was said about a memory goes with it."""
        self.desk.remove("feedback", *(change.id for change in changes if change.kind == "DELETE"))
