"""Users and their keys."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from ..deps import Admin, TheEvents, TheKeys, TheService, Who
from ..errors import Refused
from ..wire import reply
from .service import Given, Key, Name

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["keys"])
Label = Annotated[str, Field(max_length=100)]


class NewUser(Given):
    """A user to be."""

    user_id: Name
    new_key: bool = False
    label: Label = ""


class NewKey(Given):
    """A key of a user, or of an admin."""

    user_id: Name | None = None
    admin: bool = False
    label: Label = ""


@router.post("/users", status_code=201, responses={409: {"description": "There is one of that name."}})
def make_user(
    body: NewUser, service: TheService, keys: TheKeys, events: TheEvents, who: Admin, key: Key = None
) -> Response:
    """Makes a user with a key, which is shown this once. `new_key`: a further key of one that there is.

    A request that comes again with its `Idempotency-Key` while the key it made was not used gets another key
    in its place: the answer was lost, and nobody has the first.
    """
    now, asked = service.engine.clock(), None
    before = service.desk.get("user", body.user_id) or {}
    if key is not None:
        asked = events.print_of([who.name, key, body.model_dump()])
    lost = asked is not None and before.get("asked") == asked and keys.unused(str(before["key_id"]))
    if before and not lost and not body.new_key:
        raise Refused(409, "there is a user of that name; for a further key send new_key: true")
    made = keys.make(body.user_id, now, body.label)
    service.desk.put("user", body.user_id, {"asked": asked, "key_id": made["id"]}, now)
    if lost:
        keys.revoke(str(before["key_id"]), who, now)
    return reply({"user_id": body.user_id, "api_key": made["api_key"], "key_id": made["id"]}, 201)


@router.post("/keys", status_code=201)
def make_key(body: NewKey, service: TheService, keys: TheKeys, _who: Admin) -> Response:
    """Makes a key. The first one of an admin closes a server that was open to all of its machine."""
    if body.admin == (body.user_id is not None):
        raise Refused(400, "say whose key it is: user_id, or admin: true")
    return reply(keys.make(body.user_id, service.engine.clock(), body.label), 201)


@router.get("/keys")
def list_keys(
    keys: TheKeys, who: Who, user_id: Annotated[str | None, Query(min_length=1, max_length=256)] = None
) -> Response:
    """The keys, without what makes them keys; a user sees their own."""
    found: list[dict[str, Any]] = keys.known(who, user_id)
    return reply({"keys": found})


@router.delete("/keys/{key_id}")
def revoke_key(key_id: str, service: TheService, keys: TheKeys, who: Who) -> Response:
    """Makes a key useless from now on; a user may do so with their own."""
    keys.revoke(key_id, who, service.engine.clock())
    return reply({"revoked": key_id})
