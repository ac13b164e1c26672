"""The project, its members, and its webhooks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from ....errors import InvalidInput
from ...deps import ThePlatform, Who
from ...projects import ORGANIZATION
from .bodies import Body as Strict

__all__ = ["router"]

router = APIRouter(tags=["mem0 project"])
PROJECTS = "/api/v1/orgs/organizations/{_org}/projects"
Given = Annotated[dict[str, Any], Body()]


class NewProject(Strict):
    """Of a new project."""

    name: str
    description: str | None = None


class Member(Strict):
    """Somebody, and what they may do."""

    email: str
    role: str = "READER"


class NewWebhook(Strict):
    """Of a new webhook."""

    url: str
    name: str = ""
    event_types: list[str]


class WebhookChange(Strict):
    """What may be changed of one."""

    url: str | None = None
    name: str | None = None
    event_types: list[str] | None = None
    is_active: bool | None = None


@router.post(PROJECTS)
def create(body: NewProject, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Makes a project. All memories stay under the server's own one."""
    platform.only_the_house(who)
    project = platform.projects.create(body.name, body.description)
    return {"message": "Project created successfully.", "project_id": project, "org_id": ORGANIZATION}


@router.get(PROJECTS + "/{project}")
def get(
    project: str,
    platform: ThePlatform,
    _who: Who,
    fields: Annotated[list[str] | None, Query()] = None,
) -> dict[str, Any]:
    """A project and its settings, or the fields that are asked for."""
    shown = platform.projects.get(project)
    return {field: shown.get(field) for field in fields} if fields else shown


@router.patch(PROJECTS + "/{project}")
@router.put(PROJECTS + "/{project}")
def update(project: str, body: Given, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Changes settings."""
    platform.only_the_house(who)
    platform.projects.update(project, body)
    return {"message": "Updated project settings successfully."}


@router.delete(PROJECTS + "/{project}")
def delete(project: str, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Drops a project and what is set for it. No memory is deleted."""
    platform.only_the_house(who)
    platform.projects.remove(project)
    return {"message": "Project settings deleted; memories are not: delete those by user, agent, app or run."}


@router.get(PROJECTS + "/{project}/members")
def members(project: str, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Its members."""
    platform.only_the_house(who)
    return {"members": platform.projects.members(project)}


@router.post(PROJECTS + "/{project}/members")
def add_member(project: str, body: Member, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """One more."""
    platform.only_the_house(who)
    platform.projects.set_member(project, body.email, body.role, new=True)
    return {"message": "User added to the project successfully."}


@router.put(PROJECTS + "/{project}/members")
def update_member(project: str, body: Member, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Another role."""
    platform.only_the_house(who)
    platform.projects.set_member(project, body.email, body.role, new=False)
    return {"message": "User role updated successfully."}


@router.delete(PROJECTS + "/{project}/members")
def remove_member(project: str, email: str, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """One less."""
    platform.only_the_house(who)
    platform.projects.remove_member(project, email)
    return {"message": "User removed from the project successfully."}


@router.get("/api/v1/webhooks/projects/{project}")
def webhooks(project: str, platform: ThePlatform, who: Who) -> list[dict[str, Any]]:
    """The webhooks of a project."""
    platform.only_the_house(who)
    platform.projects.get(project)
    return platform.webhooks.all(project)


@router.post("/api/v1/webhooks/projects/{project}", status_code=201)
def create_webhook(project: str, body: NewWebhook, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """One more; the answer has the secret that its deliveries are signed with."""
    platform.only_the_house(who)
    platform.projects.get(project)
    return platform.webhooks.create(project, body.url, body.name, body.event_types)


@router.put("/api/v1/webhooks/{webhook}")
@router.patch("/api/v1/webhooks/{webhook}")
def update_webhook(webhook: str, body: WebhookChange, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Changes one."""
    platform.only_the_house(who)
    names = {"event_types": "types", "is_active": "active"}
    changes = {names.get(key, key): value for key, value in body.model_dump(exclude_none=True).items()}
    if not changes:
        raise InvalidInput("url", "is missing", "give url, name, event_types or is_active")
    shown = platform.webhooks.update(webhook, changes)
    return {"message": "Webhook updated successfully", **shown}


@router.delete("/api/v1/webhooks/{webhook}")
def delete_webhook(webhook: str, platform: ThePlatform, who: Who) -> dict[str, Any]:
    """Drops one."""
    platform.only_the_house(who)
    platform.webhooks.remove(webhook)
    return {"message": "Webhook deleted successfully"}
