"""Keys: who holds one is a user, or an admin. Kept as hashes, shown once.

A key is `nm_` and 256 random bits. Nobody guesses those, so a plain SHA-256 keeps them as safe as a slow,
salted hash would, which exists for passwords that people choose; and a request costs microseconds.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ..errors import InvalidInput, NotFound
from ..identity import Owner
from .desk import Desk
from .errors import Refused
from .principals import ANYBODY, Principal

__all__ = ["ADMIN", "Keys", "credentials"]

PREFIX = "nm_"
ADMIN = "admin"  # scope of a key that may do everything; a user's is "user:NAME"
LEAD = 8  # bytes of a hash by which it is looked up; all of it is then compared in constant time
SCHEMES = ("token", "bearer")
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="neuromem"'}
Headers = Iterable[tuple[bytes, bytes]]


def _hash(key: str) -> bytes:
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


def credentials(headers: Headers) -> str | None:
    """The key that a request shows as `Authorization: Token K`, `Bearer K` or `X-API-Key: K`.

    Raises:
        Refused: 401; it is malformed, or there are several that differ.
    """
    found: set[str] = set()
    for name, value in headers:
        if name == b"authorization":
            scheme, _, key = value.decode("latin-1").strip().partition(" ")
            if scheme.lower() not in SCHEMES or not key.strip():
                raise Refused(
                    401, "malformed Authorization header; send: Authorization: Token KEY", CHALLENGE
                )
            found.add(key.strip())
        elif name == b"x-api-key" and value.strip():
            found.add(value.decode("latin-1").strip())
    if len(found) > 1:
        raise Refused(401, "the request shows several keys; send one", CHALLENGE)
    return found.pop() if found else None


@dataclass(frozen=True, slots=True)
class _Held:
    id: str
    hash: bytes
    who: Principal


class Keys:
    """The keys of a server. Safe across threads; who has a key is known without a look at the desk."""

    def __init__(self, desk: Desk, admin_key: str = "", *, reached: bool = False) -> None:
        """
        Args:
            admin_key: of the settings; one that is always good.
            reached: others than this machine reach the server, so an admin's key must be left.
        """
        self._desk, self._lock, self._reached = desk, threading.Lock(), reached
        self._held: dict[bytes, _Held] = {}
        self._used: dict[str, float] = {}
        self._admins = 0
        if admin_key:
            self._hold("settings", _hash(admin_key), ADMIN)
        for id_, hash_, scope in desk.rows("SELECT id, hash, scope FROM keys WHERE revoked IS NULL"):
            self._hold(id_, hash_, scope)

    def _hold(self, id_: str, hash_: bytes, scope: str) -> None:
        admin = scope == ADMIN
        user = None if admin else Owner.parse(scope).id
        self._held[hash_[:LEAD]] = _Held(id_, hash_, Principal(f"key:{id_}", user, admin))
        self._admins += admin

    @property
    def open(self) -> bool:
        """Whether there is no admin's key: then whoever reaches the server may do everything."""
        return self._admins == 0

    def who(self, headers: Headers, now: float) -> Principal:
        """Who a request comes from.

        Raises:
            Refused: 401; it shows no key, or none that is good. Where no key was ever made, any is.
        """
        key = credentials(headers)
        if not self._held or (key is None and self.open):
            return ANYBODY
        if key is None:
            raise Refused(401, "a key is needed; send: Authorization: Token KEY", CHALLENGE)
        hash_ = _hash(key)
        held = self._held.get(hash_[:LEAD])
        if held is None or not hmac.compare_digest(held.hash, hash_):
            raise Refused(401, "this key is not known here, or was revoked", CHALLENGE)
        self._used[held.id] = now
        return held.who

    def make(self, user: str | None, now: float, label: str = "") -> dict[str, Any]:
        """Makes a key of a user, or (None) of an admin. "api_key" is never shown again.

        Raises:
            InvalidInput: the name or the label cannot be one.
        """
        scope = ADMIN if user is None else Owner.of(user, None, None).name
        if not label.isprintable():
            raise InvalidInput("label", "holds what cannot be printed", "give plain text")
        key, id_ = PREFIX + secrets.token_urlsafe(32), secrets.token_hex(8)
        with self._lock:
            with self._desk.change() as db:
                db.execute(
                    "INSERT INTO keys (id, hash, scope, created, label) VALUES (?, ?, ?, ?, ?)",
                    (id_, _hash(key), scope, now, label),
                )
            self._hold(id_, _hash(key), scope)
        return {"id": id_, "api_key": key, "user_id": user, "admin": user is None, "label": label}

    def known(self, who: Principal, user: str | None = None) -> list[dict[str, Any]]:
        """The keys that somebody may see, oldest first; without the keys themselves."""
        self.note_use()
        user = user if who.user is None else who.user
        scope = None if user is None else Owner("user", user).name
        rows = self._desk.rows(
            "SELECT id, scope, created, used, revoked, label FROM keys WHERE ?1 IS NULL OR scope = ?1 "
            "ORDER BY created, id",
            scope,
        )
        return [
            {
                "id": id_, "user_id": None if scope == ADMIN else Owner.parse(scope).id,
                "admin": scope == ADMIN, "label": label, "created_at": created, "used_at": used,
                "revoked_at": revoked,
            }
            for id_, scope, created, used, revoked, label in rows
        ]  # fmt: skip

    def revoke(self, id_: str, who: Principal, now: float) -> None:
        """Makes a key useless from now on.

        Raises:
            NotFound: there is none, or it is not theirs.
            Refused: 409; without it whoever reaches the server could do everything, and others than this
                machine do.
        """
        if not any(key["id"] == id_ and key["revoked_at"] is None for key in self.known(who)):
            raise NotFound("no such key; GET /v1/keys lists those that there are")
        with self._lock:
            last = {held.id for held in self._held.values() if held.who.admin} == {id_}
            if last and self._reached:
                problem = "this is the last admin key, and others reach this server; make another first"
                raise Refused(409, problem)
            with self._desk.change() as db:
                db.execute("UPDATE keys SET revoked = ? WHERE id = ?", (now, id_))
            for lead in [lead for lead, held in self._held.items() if held.id == id_]:
                self._admins -= self._held.pop(lead).who.admin

    def unused(self, id_: str) -> bool:
        """Whether a key is good, and nobody has shown it yet."""
        rows = self._desk.rows("SELECT 1 FROM keys WHERE id = ? AND revoked IS NULL AND used IS NULL", id_)
        return bool(rows) and id_ not in self._used

    def note_use(self) -> None:
        """Writes down when keys were used last; done now and then, not at each request."""
        used, self._used = self._used, {}
        if used:
            with self._desk.change() as db:
                db.executemany(
                    "UPDATE keys SET used = ? WHERE id = ?", [(at, id_) for id_, at in used.items()]
                )
