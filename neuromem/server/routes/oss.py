"""The routes of mem0's open-source server: what adapters and tools written for it ask for.

There is no dashboard behind them, so no accounts with passwords: keys say who asks.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from ...errors import InvalidInput
from ...shipped import ENCODERS
from ..deps import Admin, TheKeys, ThePlatform, TheService, Who
from ..entries import Ids, iso
from ..errors import Refused
from ..oss import MISSING, OpenSource
from ..principals import Forbidden
from ..secrets import without_secrets
from ..turns import ASKING, TELLING, in_turn
from ..wire import reply

__all__ = ["router"]

router = APIRouter(tags=["mem0, self-hosted"])

LISTED = 1_000  # most memories of one list
SETTINGS = ("configuration", "oss")  # where what was sent to /configure lies on the desk
NO_ACCOUNTS = "there are no accounts with passwords here; send a key as X-API-Key, as Bearer or as Token"


def _open_source(service: TheService, platform: ThePlatform, who: Who) -> OpenSource:
    return OpenSource(service, platform.adding, who)


TheOpenSource = Annotated[OpenSource, Depends(_open_source)]


def _named(body: BaseModel) -> Ids:
    return Ids.of(body.model_dump(include={"user_id", "agent_id", "app_id", "run_id"}))


class _Named(BaseModel):
    """Whose memories are meant."""

    model_config = ConfigDict(extra="ignore")

    user_id: str | int | None = None
    agent_id: str | int | None = None
    app_id: str | int | None = None
    run_id: str | int | None = None


class NewMemories(_Named):
    """What is told."""

    messages: Any
    metadata: dict[str, Any] | None = None
    expiration_date: str | None = None
    timestamp: float | str | None = None
    infer: bool | None = None
    memory_type: str | None = None
    prompt: str | None = None


class Question(_Named):
    """What is asked."""

    query: str
    filters: dict[str, Any] | None = None
    top_k: int | None = None
    limit: int | None = None
    threshold: float | None = None
    explain: bool | None = None
    show_expired: bool | None = None


class Correction(BaseModel):
    """What is changed; what is left out stays."""

    text: str | None = None
    data: str | None = None
    metadata: dict[str, Any] | None = None
    expiration_date: str | None = None
    timestamp: float | str | None = None


# -- memories -------------------------------------------------------------------------------------------


@router.post("/memories")
@in_turn(TELLING)
def add(body: NewMemories, oss: TheOpenSource) -> Response:
    """Remembers messages. 400 without a name."""
    results = oss.add(
        body.messages, _named(body), metadata=body.metadata, infer=body.infer is not False,
        timestamp=body.timestamp, expires=body.expiration_date, memory_type=body.memory_type,
    )  # fmt: skip
    return reply({"results": results})


@router.get("/memories")
def get_all(
    oss: TheOpenSource,
    who: Who,
    user_id: str | None = None,
    agent_id: str | None = None,
    app_id: str | None = None,
    run_id: str | None = None,
    top_k: Annotated[int | None, Query(ge=0, le=LISTED)] = None,
    show_expired: bool = False,
) -> Response:
    """Memories filed under names; without any, an admin sees everybody's."""
    ids = Ids.of({"user_id": user_id, "agent_id": agent_id, "app_id": app_id, "run_id": run_id})
    everything = not ids.given()
    if everything and not who.admin and who.user is None:
        raise Forbidden("only the admin may list everybody's memories")
    most = top_k if top_k is not None else LISTED if everything else 20
    records = oss.get_all(
        None, ids, top_k=most, show_expired=show_expired or everything, everybody=everything
    )
    return reply({"results": records})


@router.delete("/memories")
def delete_all(
    oss: TheOpenSource,
    user_id: str | None = None,
    agent_id: str | None = None,
    app_id: str | None = None,
    run_id: str | None = None,
) -> Response:
    """Forgets what is filed under names: an admin anybody's, a user their own. 400 without a name."""
    oss.delete_all(Ids.of({"user_id": user_id, "agent_id": agent_id, "app_id": app_id, "run_id": run_id}))
    return reply({"message": "All relevant memories deleted"})


@router.get("/memories/{memory_id}")
def get(memory_id: str, oss: TheOpenSource) -> Response:
    """One memory; `null` where there is none."""
    return reply(oss.get(memory_id))


@router.put("/memories/{memory_id}")
def update(memory_id: str, body: Correction, oss: TheOpenSource) -> Response:
    """Changes a memory; an `expiration_date` of null clears it."""
    expires = body.expiration_date if "expiration_date" in body.model_fields_set else MISSING
    words = body.data if body.text is None else body.text
    oss.update(memory_id, text=words, metadata=body.metadata, expires=expires, timestamp=body.timestamp)
    return reply({"message": "Memory updated successfully!"})


@router.delete("/memories/{memory_id}")
def delete(memory_id: str, oss: TheOpenSource) -> Response:
    """Forgets a memory for good."""
    oss.delete(memory_id)
    return reply({"message": "Memory deleted successfully"})


@router.get("/memories/{memory_id}/history")
def history(memory_id: str, oss: TheOpenSource) -> Response:
    """What happened to a memory, oldest first."""
    return reply(oss.history(memory_id))


@router.post("/search")
@in_turn(ASKING)
def search(body: Question, oss: TheOpenSource) -> Response:
    """What answers a question, best first."""
    top_k = body.top_k if body.top_k is not None else body.limit
    results = oss.search(
        body.query, body.filters, _named(body), top_k=20 if top_k is None else top_k,
        threshold=0.1 if body.threshold is None else body.threshold, explain=bool(body.explain),
        show_expired=bool(body.show_expired),
    )  # fmt: skip
    return reply({"results": results})


@router.post("/reset")
def reset(oss: TheOpenSource) -> Response:
    """Forgets everything of everybody. Takes an admin."""
    oss.reset()
    return reply({"message": "All memories reset"})


# -- entities -------------------------------------------------------------------------------------------


@router.get("/entities")
def entities(oss: TheOpenSource) -> Response:
    """Everybody that memories are filed under."""
    return reply(oss.entities())


@router.delete("/entities/{kind}/{name:anything}")
def delete_entity(kind: Literal["user", "agent", "app", "run"], name: str, oss: TheOpenSource) -> Response:
    """Forgets what is filed under a name."""
    oss.delete_all(Ids.of({f"{kind}_id": name}))
    return reply({"message": "Entity deleted"})


# -- settings -------------------------------------------------------------------------------------------


@router.get("/configure")
def configuration(service: TheService, _who: Who) -> Response:
    """What is in force, in mem0's shape, and what was sent here, without secrets."""
    sent = service.desk.get(*SETTINGS) or {}
    own = {"provider": "neuromem", "config": {}}
    in_force = {
        "version": "v1.1",
        "vector_store": own,
        "llm": {"provider": "none", "config": {"extractor": service.memory.config.llm.extractor}},
        "embedder": {"provider": "neuromem", "config": {"model": service.engine.keys.identity}},
    }
    return reply(in_force | {"ignored": sent.get("sent", {})})


@router.post("/configure")
def configure(body: dict[str, Any], service: TheService, _who: Admin) -> Response:
    """Takes note of a configuration. Nothing in it is needed: no model, embedder or database of others."""
    service.desk.put(*SETTINGS, {"sent": without_secrets(body)}, service.engine.clock())
    return reply({"message": "Configuration set successfully", "ignored": sorted(body)})


@router.get("/configure/providers")
def providers(_who: Who) -> Response:
    """What may be chosen, when the server is started."""
    return reply({"llm": ["openai", "anthropic", "gguf"], "embedder": ["neuromem"], "encoders": ENCODERS})


class UseCase(BaseModel):
    """What a memory will be used for."""

    use_case: str


@router.post("/generate-instructions")
def generate_instructions(body: UseCase, _who: Who) -> Response:
    """Instructions as mem0 has a model write them; here a plain sentence. The rules need none."""
    use_case = " ".join(body.use_case.split())
    if not use_case:
        raise InvalidInput("use_case", "is blank", "say what the memory is for")
    instructions = f"Keep facts, preferences, plans and decisions that matter for this: {use_case}"
    return reply({"custom_instructions": instructions, "test_message": "I like to hike on weekends."})


# -- keys and accounts ----------------------------------------------------------------------------------


class NewKey(BaseModel):
    """A key that is wanted."""

    label: str = ""


@router.get("/api-keys")
def list_keys(keys: TheKeys, who: Who) -> Response:
    """The keys that are good, the newest first: an admin's view holds everybody's."""
    good = [key for key in keys.known(who) if key["revoked_at"] is None]
    return reply([_key(key) for key in reversed(good)])


@router.post("/api-keys", status_code=201)
def make_key(body: NewKey, service: TheService, keys: TheKeys, who: Who) -> Response:
    """A further key of whoever asks; it is shown this once."""
    now = service.engine.clock()
    made = keys.make(who.user, now, body.label)
    return reply(_key(made | {"created_at": now, "used_at": None}) | {"key": made["api_key"]}, 201)


@router.delete("/api-keys/{key_id}")
def revoke_key(key_id: str, service: TheService, keys: TheKeys, who: Who) -> Response:
    """Makes a key useless."""
    keys.revoke(key_id, who, service.engine.clock())
    return reply({"message": "API key revoked."})


def _key(key: dict[str, Any]) -> dict[str, Any]:
    used = key.get("used_at")
    return {
        "id": key["id"], "label": key["label"], "key_prefix": key.get("api_key", "nm_")[:8],
        "created_at": iso(round(key["created_at"] * 1_000)),
        "last_used_at": None if used is None else iso(round(used * 1_000)), "user_id": key["user_id"],
    }  # fmt: skip


@router.get("/auth/setup-status")
def setup_status(_who: Who) -> Response:
    """There is nothing to set up."""
    return reply({"needsSetup": False})


@router.get("/auth/me")
def me(who: Who) -> Response:
    """Who asks."""
    role = "admin" if who.admin else "user"
    shown = {"id": who.name, "name": who.user or role, "email": None, "role": role, "created_at": None}
    return reply(shown)


@router.patch("/auth/me")
@router.post("/auth/{what}")
def no_accounts(_who: Who, what: str = "me") -> Response:
    """Registering, logging in and changing passwords: 501, and what to do instead."""
    raise Refused(501, f"/auth/{what}: {NO_ACCOUNTS}")


@router.get("/requests")
def requests(_who: Admin) -> Response:
    """No list of requests is kept; the server's log and /metrics have them."""
    return reply([])
