"""What a server must remember that is no memory: keys, projects, events, who has what filed under which name.

One SQLite file beside the log (or RAM only). No words of any memory are kept here, so that deleting one is
deleting it: events name memories by id, transcripts are salted hashes. What waits to be told (`jobs`) is the
one exception; it is wiped when it has been told. Everything about memories can be made again from the log.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import StoreCorrupt, StoreError
from ..identity import Owner

__all__ = ["Desk"]

VERSION = 1
TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE filed (kind TEXT, name TEXT, owner TEXT, PRIMARY KEY (kind, name, owner)) WITHOUT ROWID;
CREATE TABLE counted (owner TEXT PRIMARY KEY, length INTEGER NOT NULL, totals TEXT NOT NULL);
CREATE TABLE keys (id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, scope TEXT NOT NULL, created REAL NOT NULL,
                   used REAL, revoked REAL, label TEXT NOT NULL DEFAULT '');
CREATE TABLE events (id TEXT PRIMARY KEY, kind TEXT NOT NULL, status TEXT NOT NULL, scope TEXT NOT NULL,
                     body TEXT NOT NULL, created REAL NOT NULL, completed REAL);
CREATE INDEX events_by_time ON events (created);
CREATE TABLE jobs (event TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE heard (scope TEXT, place INTEGER, hash BLOB NOT NULL, PRIMARY KEY (scope, place)) WITHOUT ROWID;
CREATE TABLE answered (key TEXT PRIMARY KEY, event TEXT NOT NULL, created REAL NOT NULL);
CREATE TABLE things (kind TEXT, id TEXT, body TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL,
                     PRIMARY KEY (kind, id)) WITHOUT ROWID;
"""


class Desk:
    """The tables. Safe across threads; every change is durable when it returns, but for `hear`."""

    def __init__(self, folder: Path | None) -> None:
        """Args:
        folder: of the store; None: in RAM only.

        Raises:
            StoreError: the file cannot be opened, or is of a newer version.
        """
        self.path = None if folder is None else folder / "server.sqlite3"
        self._lock = threading.RLock()
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path or ":memory:", check_same_thread=False, isolation_level=None)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
                self._db.execute(f"PRAGMA {pragma}")
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise StoreCorrupt(
                f"{self.path} cannot be opened ({error}); move it away: memories are not in it, keys are"
            ) from error
        except OSError as error:
            raise StoreError(f"{folder} cannot be written ({error.strerror}); check the folder") from error
        self._filed = set(self._db.execute("SELECT kind, name, owner FROM filed"))
        self.on_unfile: list[Callable[[str], None]] = []  # called first with an owner who is forgotten

    def _prepare(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._db.executescript(f"BEGIN;{TABLES}PRAGMA user_version={VERSION};COMMIT;")
        elif version > VERSION:
            raise StoreError(f"{self.path} was made by a newer neuromem (version {version}); update neuromem")

    def close(self) -> None:
        """Closes the file; more calls do nothing."""
        with self._lock:
            self._db.close()

    @contextmanager
    def change(self, *, flush: bool = True) -> Iterator[sqlite3.Connection]:
        """The tables, for changes that happen together or not at all.

        Args:
            flush: the change is on the disk when this ends. False: it survives the end of the process,
                however sudden, and a loss of power only once a later change is on the disk.

        Raises:
            StoreError: the disk is full, or the file is damaged.
        """
        with self._lock:
            try:
                if not flush:
                    self._db.execute("PRAGMA synchronous=NORMAL")
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise StoreError(
                    f"{self.path or 'the desk'} cannot be written ({error}); nothing was changed"
                ) from error
            finally:
                if not flush:
                    self._db.execute("PRAGMA synchronous=FULL")

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a SELECT finds."""
        with self._lock:
            return self._db.execute(query, values).fetchall()

    # -- who has what ---------------------------------------------------------------------------

    def file(self, owner: str, names: Iterable[tuple[str, str]]) -> None:
        """Notes, before it is told, that an owner has memories filed under (kind, name) pairs."""
        new = [(kind, name, owner) for kind, name in names if (kind, name, owner) not in self._filed]
        if new:
            with self._lock:
                with self.change() as db:
                    db.executemany("INSERT OR IGNORE INTO filed VALUES (?, ?, ?)", new)
                self._filed |= set(new)

    def owners_of(self, kind: str, name: str | None) -> list[str]:
        """Owners with memories filed under a name, or under any of that kind; perhaps some that had."""
        if name is None:
            return [row[0] for row in self.rows("SELECT DISTINCT owner FROM filed WHERE kind = ?", kind)]
        return [
            row[0] for row in self.rows("SELECT owner FROM filed WHERE kind = ? AND name = ?", kind, name)
        ]

    def unfile(self, owner: str, *, waiting: bool = True) -> None:
        """Forgets an owner who was deleted. `waiting`: with what of theirs waits to be told."""
        for told in self.on_unfile:
            told(owner)
        with self._lock:
            with self.change() as db:
                if waiting:
                    db.execute(
                        "DELETE FROM jobs WHERE event IN (SELECT id FROM events WHERE scope = ?)", (owner,)
                    )
                db.execute(
                    "DELETE FROM events WHERE scope = ? AND id NOT IN (SELECT event FROM jobs)", (owner,)
                )
                for table in ("filed", "counted"):
                    db.execute(f"DELETE FROM {table} WHERE owner = ?", (owner,))
                _drop_sessions(db, owner)
            self._filed = {row for row in self._filed if row[2] != owner}

    def forget_events(self, events: Sequence[str]) -> None:
        """Forgets events that were not to be, with what of them waits to be told."""
        if events:
            with self.change() as db:
                for table, column in (("jobs", "event"), ("events", "id")):
                    db.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(event,) for event in events])

    def counted(self) -> dict[str, tuple[int, dict[str, Any]]]:
        """Owner → (events in the log when counted, what was counted)."""
        rows = self.rows("SELECT owner, length, totals FROM counted")
        return {owner: (length, json.loads(totals)) for owner, length, totals in rows}

    def count(self, owner: str, length: int, totals: dict[str, Any]) -> None:
        """Notes what an owner has, after so many events."""
        with self.change() as db:
            db.execute("INSERT OR REPLACE INTO counted VALUES (?, ?, ?)", (owner, length, json.dumps(totals)))

    # -- settings and things ----------------------------------------------------------------------

    def secret(self) -> bytes:
        """A random secret of this store, for salting and signing."""
        found = self.rows("SELECT value FROM settings WHERE name = 'secret'")
        if not found:
            with self.change() as db:
                db.execute("INSERT OR IGNORE INTO settings VALUES ('secret', ?)", (secrets.token_hex(32),))
            return self.secret()
        return bytes.fromhex(found[0][0])

    def put(self, kind: str, id_: str, body: dict[str, Any], now: float) -> None:
        """Keeps a thing: a project, a webhook, an export; replaces one of the same id."""
        with self.change() as db:
            db.execute(
                "INSERT INTO things VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = ?3, updated = ?5",
                (kind, id_, json.dumps(body), now, now),
            )

    def get(self, kind: str, id_: str) -> dict[str, Any] | None:
        """A thing, with "created" and "updated" in Unix seconds; None where there is none."""
        found = self.things(kind, id_)
        return found[0] if found else None

    def things(self, kind: str, id_: str | None = None) -> list[dict[str, Any]]:
        """All things of a kind, oldest first, each with its "id"."""
        rows = self.rows(
            "SELECT id, body, created, updated FROM things WHERE kind = ?1 AND (?2 IS NULL OR id = ?2) "
            "ORDER BY created, id",
            kind,
            id_,
        )
        return [json.loads(body) | {"id": i, "created": c, "updated": u} for i, body, c, u in rows]

    def remove(self, kind: str, *ids: str) -> bool:
        """Drops things; whether any was there."""
        if not ids:
            return False
        with self.change() as db:
            rows = [(kind, id_) for id_ in ids]
            return db.executemany("DELETE FROM things WHERE kind = ? AND id = ?", rows).rowcount > 0

    # -- transcripts ------------------------------------------------------------------------------

    def heard(self, scope: str) -> list[bytes]:
        """Hashes of the messages heard last in a talk, oldest first."""
        return [row[0] for row in self.rows("SELECT hash FROM heard WHERE scope = ? ORDER BY place", scope)]

    def hear(self, scope: str, hashes: Sequence[bytes], keep: int) -> None:
        """Notes further messages of a talk; only the last `keep` are kept.

        Not worth waiting for the disk: what was told is in the log, and told again it is known.
        """
        with self.change(flush=False) as db:
            last = db.execute("SELECT max(place) FROM heard WHERE scope = ?", (scope,)).fetchone()[0] or 0
            db.executemany(
                "INSERT INTO heard VALUES (?, ?, ?)",
                [(scope, last + 1 + place, item) for place, item in enumerate(hashes)],
            )
            db.execute("DELETE FROM heard WHERE scope = ? AND place <= ?", (scope, last + len(hashes) - keep))

    def unhear(self, scope_prefix: str) -> None:
        """Forgets talks whose scope begins so."""
        with self.change() as db:
            # not by substr: for SQLite's functions a text ends at its first NUL
            bounds = (scope_prefix, f"{scope_prefix}\U0010ffff")
            db.execute("DELETE FROM heard WHERE scope >= ? AND scope < ?", bounds)


def _drop_sessions(db: sqlite3.Connection, owner: str) -> None:
    """Drops what earlier versions noted of every session that somebody began."""
    rows = db.execute("SELECT id, body FROM things WHERE kind = 'session'").fetchall()
    gone = [(id_,) for id_, body in rows if Owner("user", str(json.loads(body)["user_id"])).name == owner]
    db.executemany("DELETE FROM things WHERE kind = 'session' AND id = ?", gone)
