"""The project: what mem0 lets its users set for all memories at once.

There is one, under which all memories are; more can be made, and set, but hold nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from ..errors import InvalidInput, NotFound
from .categories import DEFAULT, Categories, definitions
from .desk import Desk
from .entries import iso

__all__ = ["ORGANIZATION", "PROJECT", "ROLES", "Projects"]

ORGANIZATION, PROJECT = "neuromem", "default"
ROLES = ("READER", "OWNER")
SETTINGS: Mapping[str, type | tuple[type, ...]] = {
    "name": str,
    "description": str,
    "custom_instructions": str,
    "agent_custom_instructions": str,
    "custom_categories": list,
    "multilingual": bool,
    "decay": bool,
    "memory_depth": str,
    "usecase_setting": object,
}
MOST_LETTERS = 100_000


class Projects:
    """The projects on a desk. Safe across threads."""

    def __init__(self, desk: Desk, clock: Callable[[], float], categories: Categories) -> None:
        self._desk, self._clock, self._categories = desk, clock, categories
        self.on_remove: list[Callable[[str], None]] = []  # called with a project that is dropped
        self._apply()

    def get(self, project: str = PROJECT) -> dict[str, Any]:
        """A project and its settings.

        Raises:
            NotFound: there is none.
        """
        kept = self._desk.get("project", project)
        if kept is None and project != PROJECT:
            raise NotFound(f"no project {project!r}; the server's own is {PROJECT!r}")
        kept = kept or {}
        shown = dict.fromkeys(SETTINGS) | {"id": project, "project_id": project, "org_id": ORGANIZATION}
        shown |= {"name": project, "multilingual": False, "decay": False}
        times = {
            f"{name}_at": iso(round(kept[name] * 1_000)) if name in kept else None
            for name in ("created", "updated")
        }
        return shown | {key: kept[key] for key in SETTINGS if kept.get(key) is not None} | times

    @property
    def decay(self) -> bool:
        """Whether scores follow how well a memory would be held."""
        kept = self._desk.get("project", PROJECT)
        return bool(kept and kept.get("decay"))

    def update(self, project: str, given: Mapping[str, Any]) -> None:
        """Changes settings; None takes one back. What is no setting is left alone, as mem0 does.

        Raises:
            InvalidInput: one is malformed. NotFound: there is no such project.
        """
        self.get(project)
        changes = {key: value for key, value in given.items() if key in SETTINGS}
        if not changes:
            raise InvalidInput("project", "has nothing to change", f"give one of {', '.join(SETTINGS)}")
        for key, value in changes.items():
            wanted = SETTINGS[key]
            if value is not None and not isinstance(value, wanted):
                raise InvalidInput(key, f"is of type {type(value).__name__}", f"give a {_name(wanted)}")
            if isinstance(value, str) and len(value) > MOST_LETTERS:
                raise InvalidInput(key, f"has {len(value):,} letters", f"give at most {MOST_LETTERS:,}")
        definitions(changes.get("custom_categories"))
        kept = self._desk.get("project", project) or {}
        body = {key: kept[key] for key in SETTINGS if key in kept} | changes
        self._desk.put("project", project, body, self._clock())
        self._apply()

    def create(self, name: str, description: str | None) -> str:
        """Makes one more; returns its id."""
        if not name.strip():
            raise InvalidInput("name", "is blank", "give the project a name")
        project = str(uuid4())
        self._desk.put("project", project, {"name": name, "description": description}, self._clock())
        return project

    def remove(self, project: str) -> None:
        """Drops a project with settings, members and webhooks; the server's own is as new. No memory goes."""
        self.get(project)
        self._desk.remove("project", project)
        for thing in self._desk.things("member"):
            if thing["project"] == project:
                self._desk.remove("member", thing["id"])
        for dropped in self.on_remove:
            dropped(project)
        self._apply()

    def _apply(self) -> None:
        kept = self._desk.get("project", PROJECT) or {}
        self._categories.defined = definitions(kept.get("custom_categories")) or DEFAULT

    # -- members ----------------------------------------------------------------------------------

    def members(self, project: str) -> list[dict[str, Any]]:
        """Who belongs to a project: a list that is kept, no more; access is by keys."""
        self.get(project)
        return [
            {
                "email": thing["email"],
                "role": thing["role"],
                "created_at": iso(round(thing["created"] * 1_000)),
            }
            for thing in self._desk.things("member")
            if thing["project"] == project
        ]

    def set_member(self, project: str, email: str, role: str, *, new: bool) -> None:
        """Adds a member, or gives one another role."""
        self.get(project)
        if role not in ROLES:
            raise InvalidInput("role", f"{role!r} is not known", f"give one of {', '.join(ROLES)}")
        if not email.strip():
            raise InvalidInput("email", "is blank", "give an address")
        if not new and self._desk.get("member", f"{project}/{email}") is None:
            raise NotFound(f"no member {email!r} in project {project!r}; add them first")
        body = {"project": project, "email": email, "role": role}
        self._desk.put("member", f"{project}/{email}", body, self._clock())

    def remove_member(self, project: str, email: str) -> None:
        """Takes a member away."""
        self.get(project)
        if not self._desk.remove("member", f"{project}/{email}"):
            raise NotFound(f"no member {email!r} in project {project!r}")


def _name(wanted: type | tuple[type, ...]) -> str:
    names = {str: "string", bool: "boolean", list: "list"}
    return names.get(wanted, "value") if isinstance(wanted, type) else "value"
