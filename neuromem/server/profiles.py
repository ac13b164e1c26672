"""Profiles: what is known of a user, in a shape that the project sets. Made when they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from ..errors import InvalidInput, NotFound
from .desk import Desk
from .entries import iso
from .filling import profile_of, read_schema
from .filters import filed_under
from .principals import Principal
from .service import Service

__all__ = ["Profiles"]

KINDS = ("user",)  # of whom there are profiles
MOST_SAMPLED, SAMPLED = 10, 3


class Profiles:
    """Profiles and their settings. Safe across threads."""

    def __init__(self, service: Service, desk: Desk, clock: Callable[[], float]) -> None:
        self._service, self._desk, self._clock = service, desk, clock

    # -- settings ---------------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """What is set."""
        kept = self._desk.get("profile_settings", "project") or {}
        user = {"schema": kept.get("schema"), "custom_instructions": kept.get("custom_instructions")}
        return {
            "enabled": kept.get("enabled", True),
            "capabilities": {"entity_types": list(KINDS), "generation": "when read", "sampling": True},
            "entities": {"user": user},
        }

    def change_settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Changes what is given.

        Raises:
            InvalidInput: it is no setting, or the schema is no schema of a profile.
        """
        unknown = sorted(set(given) - {"enabled", "entities"})
        if unknown:
            raise InvalidInput(unknown[0], "Unsupported settings", "give enabled or entities")
        kept = self._desk.get("profile_settings", "project") or {}
        body: dict[str, Any] = {
            key: kept[key] for key in ("enabled", "schema", "custom_instructions") if key in kept
        }
        if "enabled" in given:
            if not isinstance(given["enabled"], bool):
                raise InvalidInput("enabled", "is not a boolean", "give true or false")
            body["enabled"] = given["enabled"]
        entities = given.get("entities", {})
        if not isinstance(entities, Mapping) or not all(isinstance(e, Mapping) for e in entities.values()):
            raise InvalidInput("entities", "is not an object", 'give {"user": {"schema": …}}')
        for kind, entity in entities.items():
            if kind not in KINDS or set(entity) - {"schema", "custom_instructions"}:
                raise InvalidInput(
                    f"entities.{kind}", "Unsupported settings", "give user: schema and custom_instructions"
                )
            body |= self._checked(entity)
        self._desk.put("profile_settings", "project", body, self._clock())
        return self.settings()

    def _checked(self, entity: Mapping[str, Any]) -> dict[str, Any]:
        out = dict(entity)
        if out.get("schema") is not None:
            out["schema"] = read_schema(out["schema"], "entities.user.schema")
            for name, wanted in out["schema"].get("properties", {}).items():
                if not str(wanted.get("description") or "").strip():
                    field = f"entities.user.schema.properties.{name}"
                    raise InvalidInput(field, "has no description", "say what it is: it is looked up by that")
        instructions = out.get("custom_instructions")
        if instructions is not None and not isinstance(instructions, str):
            raise InvalidInput("entities.user.custom_instructions", "is not a string", "give words, or null")
        return out

    # -- profiles ---------------------------------------------------------------------------------

    def get(self, name: str, who: Principal) -> dict[str, Any]:
        """The profile of a user.

        Raises:
            NotFound: there is no such user.
        """
        filter_ = filed_under("user", name)
        entries = self._service.entries(filter_, who=who)
        if not entries:
            raise NotFound(f"no user {name!r} has memories here")
        kept = self._desk.get("profile_settings", "project") or {}
        enabled = kept.get("enabled", True)
        profile = profile_of(self._service, kept.get("schema") or {}, filter_, who) if enabled else {}
        made = self._desk.get("profile", name)
        return {
            "profile": profile,
            "status": "succeeded" if enabled else "not_enabled",
            "entity_type": "user",
            "entity_id": name,
            "updated_at": iso(max(entry.updated_ms for entry in entries)),
            "generation_count": made["count"] if made else int(enabled),
        }

    def start(self, given: Mapping[str, Any], key: str | None, who: Principal) -> dict[str, Any]:
        """Starts a job: it is done at once, for profiles are made when they are read.

        Raises:
            InvalidInput: the job is malformed. NotFound: there is no such user.
        """
        operation, kind = given.get("operation"), given.get("entity_type", "user")
        if operation not in ("trigger", "sample"):
            raise InvalidInput("operation", f"{operation!r:.40} is not known", "give trigger or sample")
        if kind not in KINDS:
            raise InvalidInput("entity_type", f"{kind!r:.40} has no profiles", "give user")
        if not self.settings()["enabled"]:
            raise InvalidInput(
                "enabled", "profiles are turned off for the project", "turn them on in its settings"
            )
        known = self._desk.get("profile_key", f"{who.name}/{key}") if key else None
        if known is not None:
            return self._started(known["job"]) | {"replayed": True}
        names = self._names(operation, given, who)
        job_id, now = str(uuid4()), self._clock()
        body = {"operation": operation, "names": names, "who": who.user}
        self._desk.put("profile_job", job_id, body, now)
        for name in names:
            made = self._desk.get("profile", name)
            self._desk.put("profile", name, {"count": (made["count"] if made else 0) + 1}, now)
        if key:
            self._desk.put("profile_key", f"{who.name}/{key}", {"job": job_id}, now)
        return self._started(job_id) | {"replayed": False}

    def _names(self, operation: str, given: Mapping[str, Any], who: Principal) -> list[str]:
        users = [item["name"] for item in self._service.filing.entities(who) if item["kind"] == "user"]
        if operation == "trigger":
            name = given.get("entity_id")
            if not isinstance(name, str) or not name:
                raise InvalidInput("entity_id", "is missing", "name the user")
            if name not in users:
                raise NotFound(f"no user {name!r} has memories here")
            return [name]
        limit = given.get("limit", SAMPLED)
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_SAMPLED:
            raise InvalidInput("limit", f"{limit!r:.40} is no such number", f"give 1 to {MOST_SAMPLED}")
        return users[:limit]

    def _started(self, job_id: str) -> dict[str, Any]:
        job = self._desk.get("profile_job", job_id) or {}
        names = job.get("names", [])
        return {
            "job_id": job_id,
            "status": "succeeded",
            "status_url": f"/v2/profiles/jobs/{job_id}/",
            "operation": job.get("operation"),
            "entity_type": "user",
            "entity_count_reserved": len(names),
            "event_id": job_id,
            "sampled": len(names),
            "entity_ids": names,
        }

    def job(self, job_id: str, who: Principal) -> dict[str, Any]:
        """A job.

        Raises:
            NotFound: there is none that is theirs to see.
        """
        job = self._desk.get("profile_job", job_id)
        if job is None or (who.user is not None and job["who"] != who.user):
            raise NotFound(f"no job {job_id!r}")
        count = len(job["names"])
        done = {"total": count, "completed": count, "succeeded": count, "failed": 0, "skipped": 0}
        return {"job": {"job_id": job_id, "status": "succeeded", "enumeration_complete": True, **done}}
