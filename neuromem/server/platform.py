"""What mem0's platform has around the memories: events, project, webhooks, profiles; and how all is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import NotFound
from .adding import Adding
from .events import Events
from .principals import Forbidden, Principal
from .profiles import Profiles
from .projects import Projects
from .records import events_shown
from .service import Change, Service
from .webhooks import Webhooks

__all__ = ["Platform"]


class Platform:
    """The parts, over one service."""

    def __init__(self, service: Service) -> None:
        desk, clock = service.desk, service.engine.clock
        self.service, self.desk, self.clock = service, desk, clock
        self.events = Events(desk, clock)
        self.adding = Adding(service, desk, self.events)
        self.projects = Projects(desk, clock, service.categories)
        self.profiles = Profiles(service, desk, clock)
        self.webhooks = Webhooks(desk, clock, self._categories_of)
        service.watchers += [self._forget_notes, self.webhooks.notice]

    def shown(self, events: Sequence[Mapping[str, Any]], who: Principal) -> list[dict[str, Any]]:
        """Events with the words of their memories, as far as they are there."""
        known = {id_: text for event in events for id_, text in event.get("texts", {}).items()}
        ids = {item["id"] for event in events for item in event.get("results", ())}
        texts = self.service.texts(ids - set(known), who=who) | known
        return [events_shown(event, texts) for event in events]

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
