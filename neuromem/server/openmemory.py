"""OpenMemory's operations: a user's memories by app, put away and taken out again, and who looked when.

OpenMemory had a table for each of these. Here an app is a name that memories are filed under, whether one
is paused or archived is a note on it, and the log knows when it was recalled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from ..errors import InvalidInput, NotFound
from ..identity import STATE
from .adding import Adding, Telling
from .entries import ACTIVE, Entry, Ids, iso
from .filters import Filter, every, filed_under, leaf, parse
from .principals import ANYBODY, Forbidden, Principal
from .service import Service
from .terms import Found, Search

__all__ = ["APP", "Listing", "OpenMemory", "id_of", "page_of"]

APP = "openmemory"  # where nobody says which app tells
STATES = ("active", "paused", "archived")
RELATED = 5  # on a page
THING = "app"  # kind of what the desk keeps of an app


def id_of(kind: str, name: str) -> str:
    """OpenMemory's id of an app or a category: a UUID, here made of the name."""
    return str(uuid5(NAMESPACE_URL, f"neuromem:{kind}:{name}"))


def page_of(items: Sequence[Any], page: int, size: int) -> tuple[Sequence[Any], dict[str, int]]:
    """The items of a page, and what is said about pages."""
    about = {"total": len(items), "page": page, "size": size, "pages": -(-len(items) // size)}
    return items[(page - 1) * size : page * size], about


@dataclass(frozen=True, slots=True)
class Listing:
    """Which memories of a user are wanted, and in what order."""

    user_id: str
    page: int = 1
    size: int = 50
    search_query: str | None = None
    apps: Sequence[str] = ()  # names or ids
    categories: Sequence[str] = ()  # names or ids
    from_date: int | None = None  # Unix seconds
    to_date: int | None = None
    sort_column: str | None = None
    sort_direction: str | None = None
    show_archived: bool = False


class OpenMemory:
    """The operations, for somebody."""

    def __init__(self, service: Service, adding: Adding, who: Principal = ANYBODY) -> None:
        self.service, self.adding, self.who = service, adding, who

    # -- memories -------------------------------------------------------------------------------

    def create(
        self, user_id: str, text: str, *, app: str = APP, metadata: dict[str, Any] | None = None,
        infer: bool = True,
    ) -> dict[str, Any] | None:  # fmt: skip
        """Tells something; the first memory that is made of it, None where there is no fact in it.

        Raises:
            Forbidden: the app is paused.
        """
        if not self._app_is_active(app):
            raise Forbidden(f"App {app} is currently paused on OpenMemory. Cannot create new memories")
        ids = Ids(user_id, app=app)
        event, _ = self.adding.add(Telling(ids, text, metadata, infer), who=self.who)
        if not event.body["memories"]:
            return None
        found = self.service.get(event.body["memories"][0]["id"], who=self.who)
        if found.entry.state != ACTIVE:  # told again, it is wanted again
            found = self.service.update(found.entry.id, notes={STATE: None}, who=self.who)
        return self.record(found)

    def listed(self, wanted: Listing) -> dict[str, Any]:
        """A page of a user's memories."""
        entries = [
            entry for entry in self._entries(wanted) if wanted.show_archived or entry.state != "archived"
        ]
        entries = self._sorted(entries, wanted)
        items, about = page_of(entries, wanted.page, wanted.size)
        return {"items": [self.record(found) for found in self.service.read(items)]} | about

    def _entries(self, wanted: Listing) -> list[Entry]:
        parts = [self._of_user(wanted.user_id)]
        if wanted.search_query:
            parts.append(parse({"text": {"icontains": wanted.search_query}}))
        if wanted.apps:
            names = {self.app_named(app) for app in wanted.apps}
            parts.append(leaf(lambda entry, _words: bool(names & set(entry.ids["app"]))))
        if wanted.categories:
            chosen = set(wanted.categories)
            parts.append(leaf(lambda entry, _words: any({name, id_of("category", name)} & chosen
                                                 for name in entry.categories)))  # fmt: skip
        first, last = wanted.from_date, wanted.to_date
        if first is not None:
            parts.append(leaf(lambda entry, _words: entry.created_ms >= first * 1_000))
        if last is not None:
            parts.append(leaf(lambda entry, _words: entry.created_ms <= last * 1_000))
        return self.service.entries(every(parts), put_away=True, who=self.who)

    def _sorted(self, entries: list[Entry], wanted: Listing) -> list[Entry]:
        """In the order that is wanted; by default what was told last comes first.

        Raises:
            InvalidInput: there is no such column, or direction.
        """
        if wanted.sort_column is None:
            return entries
        direction = (wanted.sort_direction or "asc").lower()
        if direction not in ("asc", "desc"):
            raise InvalidInput("sort_direction", f"{direction!r} is not known", "give 'asc' or 'desc'")
        keys: dict[str, Callable[[Entry], Any]] = {
            "created_at": lambda entry: entry.created_ms,
            "app_name": lambda entry: entry.ids["app"][:1],
            "categories": lambda entry: entry.categories,
        }
        if wanted.sort_column == "memory":
            texts = {found.entry.id: found.text.casefold() for found in self.service.read(entries)}
            keys["memory"] = lambda entry: texts.get(entry.id, "")
        if wanted.sort_column not in keys:
            known = "memory, app_name, categories or created_at"
            raise InvalidInput("sort_column", f"{wanted.sort_column!r:.60} is not known", f"give {known}")
        return sorted(entries, key=keys[wanted.sort_column], reverse=direction == "desc")

    def get(self, memory_id: str) -> Found:
        """One memory. Raises NotFound."""
        return self.service.get(memory_id, who=self.who)

    def change(self, memory_id: str, text: str, user_id: str) -> dict[str, Any]:
        """Gives a memory other words."""
        self._theirs([memory_id], user_id)
        return self.record(self.service.update(memory_id, text=text, who=self.who))

    def delete(self, memory_ids: Sequence[str], user_id: str) -> int:
        """Forgets memories of a user for good."""
        self._theirs(memory_ids, user_id)
        return self.service.delete(memory_ids, who=self.who)

    def set_state(self, memory_ids: Iterable[str], state: str, user_id: str) -> int:
        """Puts memories of a user away, or takes them out again; how many.

        Raises:
            InvalidInput: there is no such state. NotFound: there is no such memory of theirs.
        """
        if state not in STATES:
            raise InvalidInput("state", f"{state!r:.60} is not known", f"give one of {', '.join(STATES)}")
        ids = list(dict.fromkeys(memory_ids))
        self._theirs(ids, user_id)
        for memory_id in ids:
            note = None if state == "active" else state
            self.service.update(memory_id, notes={STATE: note}, who=self.who)
        return len(ids)

    def ids(self, wanted: Listing) -> list[str]:
        """Ids of a user's memories, on all pages."""
        return [entry.id for entry in self._entries(wanted)]

    def access_log(self, memory_id: str) -> list[dict[str, Any]]:
        """When a memory was recalled, the last time first. What was asked is kept nowhere."""
        stories = [s for s in self.service.history(memory_id, self.who) if s["event"] == "RECALL"]
        return [
            {
                "id": id_of("access", f"{memory_id}/{story['sequence']}"), "memory_id": memory_id,
                "app_id": None, "app_name": None, "access_type": "search", "metadata_": {},
                "accessed_at": datetime.fromisoformat(story["time"]).astimezone(UTC).isoformat(),
            }
            for story in reversed(stories)
        ]  # fmt: skip

    def related(self, memory_id: str, user_id: str, page: int = 1) -> dict[str, Any]:
        """Memories of a user that a memory's own words recall; it is only looked at."""
        own = self.get(memory_id)
        wanted = Search(own.text, self._of_user(user_id), page * RELATED + 1, rehearse=False)
        found = [item for item in self.service.search(wanted, who=self.who) if item.entry.id != own.entry.id]
        items, about = page_of(found, page, RELATED)
        return {"items": [self.record(item) for item in items]} | about

    def categories(self, user_id: str) -> list[dict[str, str]]:
        """What a user's memories are about."""
        names = {name for entry in self._entries(Listing(user_id)) for name in entry.categories}
        return [{"id": id_of("category", name), "name": name} for name in sorted(names)]

    def record(self, found: Found) -> dict[str, Any]:
        """A memory as OpenMemory gives it."""
        entry = found.entry
        app = next(iter(entry.ids["app"]), None)
        return {
            "id": entry.id, "content": found.text, "created_at": entry.created_ms // 1_000,
            "updated_at": entry.updated_ms // 1_000, "state": entry.state,
            "app_id": None if app is None else id_of("app", app), "app_name": app,
            "categories": list(entry.categories), "metadata_": dict(entry.metadata),
        }  # fmt: skip

    def _of_user(self, user_id: str) -> Filter:
        """What is filed under a user. Raises Forbidden where that is somebody else."""
        return filed_under("user", str(self.who.check(Ids.of({"user_id": user_id})).user))

    def _theirs(self, memory_ids: Iterable[str], user_id: str) -> None:
        """Raises NotFound where a memory is not filed under a user."""
        user = self.who.check(Ids.of({"user_id": user_id})).user
        for memory_id in memory_ids:
            if user not in self.get(memory_id).entry.ids["user"]:
                raise NotFound(f"no memory {memory_id} of user {user_id!r}")

    # -- apps -----------------------------------------------------------------------------------

    def apps(self) -> list[dict[str, Any]]:
        """The apps that told something, or were paused, by name."""
        total: Counter[str] = Counter()
        used: Counter[str] = Counter()
        for entry, recalls in self._with_recalls():
            total.update(entry.ids["app"])
            used.update(entry.ids["app"] if recalls else ())
        kept = {thing["id"] for thing in self.service.desk.things(THING)} if self.who.user is None else set()
        return [
            {
                "id": id_of("app", name), "name": name, "is_active": self._app_is_active(name),
                "total_memories_created": total[name], "total_memories_accessed": used[name],
            }
            for name in sorted(kept | set(total))
        ]  # fmt: skip

    def app_named(self, app: str) -> str:
        """The name of an app, of its id or itself. Raises NotFound."""
        for known in self.apps():
            if app in (known["id"], known["name"]):
                return str(known["name"])
        raise NotFound(f"no app {app!r:.80}; GET /api/v1/apps lists those that there are")

    def pause_app(self, app: str, active: bool) -> None:
        """Lets an app tell things, or not. Raises Forbidden: that takes an admin."""
        if not self.who.admin:
            raise Forbidden("only the admin may pause an app")
        self.service.desk.put(THING, self.app_named(app), {"is_active": active}, self.service.engine.clock())

    def app(self, app: str) -> dict[str, Any]:
        """An app, with when a memory of it was recalled last; of the first time no note is kept."""
        name = self.app_named(app)
        (about,) = [known for known in self.apps() if known["name"] == name]
        times = [ms for entry, ms in self._recalled() if name in entry.ids["app"]]
        return about | {"first_accessed": None, "last_accessed": iso(max(times)) if times else None}

    def of_app(self, app: str) -> list[Entry]:
        """Memories that an app told, the last first."""
        return self.service.entries(filed_under("app", self.app_named(app)), put_away=True, who=self.who)

    def accessed(self, app: str) -> list[tuple[Entry, int]]:
        """Memories of an app that were recalled, and how often, the most often first."""
        name = self.app_named(app)
        found = [pair for pair in self._with_recalls() if pair[1] and name in pair[0].ids["app"]]
        return sorted(found, key=lambda pair: -pair[1])

    def stats(self, user_id: str) -> dict[str, Any]:
        """How much there is of a user."""
        entries = self._entries(Listing(user_id))
        own = {name for entry in entries for name in entry.ids["app"]}
        apps = [app for app in self.apps() if app["name"] in own]
        return {"total_memories": len(entries), "total_apps": len(apps), "apps": apps}

    def _app_is_active(self, name: str) -> bool:
        kept = self.service.desk.get(THING, name)
        return kept is None or bool(kept["is_active"])

    def _with_recalls(self) -> list[tuple[Entry, int]]:
        """All entries that they may see, each with how often it was recalled."""
        return [(entry, recalls) for entry, recalls, _ in self._counts()]

    def _recalled(self) -> list[tuple[Entry, int]]:
        """Entries that were recalled, each with when that was last, Unix ms."""
        return [(entry, last) for entry, recalls, last in self._counts() if recalls]

    def _counts(self) -> list[tuple[Entry, int, int]]:
        found = []
        for owner in self.service.owners(parse(None), self.who):
            entries = self.service.catalog(owner).entries
            with self.service.engine.owners.use(owner, settle=False) as open_:
                bank = open_.bank
                for entry in entries.values():
                    for row in bank.rows_of(entry.id)[:1]:
                        found.append((entry, int(bank.recalls[row]), int(bank.rehearsed_ms[row])))
        return found
