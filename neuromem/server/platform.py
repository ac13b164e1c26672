"""What mem0's platform has around the memories: events, project, webhooks, profiles; and how all is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import NotFound
from .adding import Adding
from .events import DONE, Event, Events
from .jobs import Jobs
from .principals import Forbidden, Principal
from .profiles import Profiles
from .projects import Projects
from .records import event_shown
from .service import Change, Service
from .webhooks import Webhooks

__all__ = ["Platform"]


class Platform:
    """The parts, over one service."""

    def __init__(self, service: Service, events: Events, jobs: Jobs) -> None:
        desk, clock = service.desk, service.engine.clock
        self.service, self.desk, self.clock = service, desk, clock
        self.events = events
        self.adding = Adding(service, events, jobs)
        self.projects = Projects(desk, clock, service.categories)
        self.profiles = Profiles(service, desk, clock)
        self.webhooks = Webhooks(desk, clock, self._categories_of)
        self.projects.on_remove.append(self.webhooks.remove_all)
        service.watchers += [self._forget_notes, self.webhooks.notice]
        jobs.on_done.append(self._job_ended)

    def texts(self, events: Sequence[Event], who: Principal) -> dict[str, str]:
        """The words of the memories that events tell of, as far as they are there."""
        ids = {item["id"] for event in events for item in event.body.get("memories", ())}
        return {found.entry.id: found.text for found in self.service.read_ids(ids, who)}

    def shown(self, events: Sequence[Event], who: Principal) -> list[dict[str, Any]]:
        """Events as they are polled."""
        texts = self.texts(events, who)
        return [event_shown(event, texts) for event in events]

    def only_the_house(self, who: Principal) -> None:
        """Raises Forbidden where somebody may act for one user alone: what is asked for is everybody's."""
        if who.user is not None:
            raise Forbidden("this key is of one user; what belongs to the project is not theirs to change")

    def close(self, within_s: float = 0.0) -> None:
        """Sends no more to anybody, once what waits has been tried, for `within_s` seconds at most."""
        self.webhooks.close(within_s)

    def _categories_of(self, memory_id: str) -> Sequence[str]:
        try:
            return self.service.get(memory_id).entry.categories
        except NotFound:
            return ()

    def _job_ended(self, event: str, status: str) -> None:
        """Webhooks hear that what was taken on for later has been done, or could not be."""
        kind = f"ingest_job_{'completed' if status == DONE else 'failed'}"
        details = {"event": kind.upper(), "event_id": event, "status": status}
        self.webhooks.send(kind, {"event_details": details})

    def _forget_notes(self, changes: Sequence[Change]) -> None:
        """What was said about a memory goes with it."""
        self.desk.remove("feedback", *(change.id for change in changes if change.kind == "DELETE"))
