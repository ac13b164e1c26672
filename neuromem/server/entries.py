"""What a server knows of a memory besides its words: whose it is in mem0's four ways, notes, dates.

mem0 files a memory under a user, an agent, an app and a run at once; a neuromem owner is one of them (the
user, else the agent, …). The others, the categories and the date of expiry travel in the memory's metadata
under a key of their own (`identity.NOTES`), so they are in the log like everything else, and a bank copied
without the server loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from ..engine import Engine
from ..errors import InvalidInput
from ..identity import EXPIRES, NOTES, STATE, Owner, parse_id
from ..log import Record
from ..owners import OpenOwner
from .categories import Categories

__all__ = [
    "ACTIVE",
    "KINDS",
    "Catalog",
    "Entry",
    "Ids",
    "catalog_of",
    "entry_of",
    "iso",
    "notes_for",
    "notes_of",
    "nothing_of",
    "own_metadata",
    "told_under",
]

KINDS = ("user", "agent", "app", "run")
ACTIVE = "active"  # what the note `STATE` says of what was not put away
AMONG = "among"  # the note of the categories that a call brought along, name → description


@dataclass(frozen=True, slots=True)
class Ids:
    """The names under which something is filed; None where there is none."""

    user: str | None = None
    agent: str | None = None
    app: str | None = None
    run: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Ids:
        """The ids among fields such as "user_id"; numbers count as their digits, empty text as none.

        Raises:
            InvalidInput: one is neither text nor a number.
        """
        found: dict[str, str] = {}
        for kind in KINDS:
            value = given.get(f"{kind}_id")
            if value is None or value == "":
                continue
            if isinstance(value, bool) or not isinstance(value, str | int):
                problem = f"is of type {type(value).__name__}"
                raise InvalidInput(f"{kind}_id", problem, "give a string")
            found[kind] = Owner.of(**{f"{other}_id": None for other in KINDS} | {f"{kind}_id": str(value)}).id
        return cls(**found)

    @property
    def owner(self) -> Owner:
        """Whose bank it is.

        Raises:
            InvalidInput: no id is given, or one is malformed.
        """
        return Owner.of(self.user, self.agent, self.run, self.app)

    def given(self) -> dict[str, str]:
        """Kind → name, of those that are given."""
        pairs = ((kind, getattr(self, kind)) for kind in KINDS)
        return {kind: name for kind, name in pairs if name is not None}


@dataclass(frozen=True, slots=True)
class Entry:
    """One memory, without its words."""

    id: str
    owner: str  # name of the owner in the log
    ids: Mapping[str, tuple[str, ...]]  # kind → the names that it is filed under, the last one told first
    metadata: Mapping[str, Any]  # as its user gave it
    categories: tuple[str, ...]  # what it is about
    created_ms: int
    updated_ms: int
    expires: str | None = None  # last day on which it is shown, YYYY-MM-DD, UTC
    immutable: bool = False
    replaced_by: str | None = None
    until_ms: int = 0  # since when it is not current; 0: it is
    sorted: bool = False  # its categories were given by hand
    extra: Mapping[str, Any] = field(default_factory=dict)  # other notes, such as structured attributes

    @property
    def current(self) -> bool:
        """Whether nothing has superseded it."""
        return self.until_ms == 0

    @property
    def state(self) -> str:
        """Active, or (paused, archived) put away: kept, but in no list and no answer."""
        return str(self.extra.get(STATE, ACTIVE))

    def expired(self, day: date) -> bool:
        """Whether its last day lies before a day. A date that cannot be read never comes."""
        if self.expires is None:
            return False
        try:
            return date.fromisoformat(self.expires) < day
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Catalog:
    """The entries of one owner, in the order in which they lie in the bank."""

    entries: Mapping[str, Entry]


def notes_for(
    ids: Ids,
    *,
    expires: str | None = None,
    categories: tuple[str, ...] = (),
    immutable: bool = False,
    among: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What goes under `NOTES` in a memory's metadata. Names are lists: of a fact told again they join.

    Args:
        categories: given by hand. among: else they are chosen from these, name → description.
    """
    owner = ids.owner
    notes: dict[str, Any] = {
        kind: [name] for kind, name in ids.given().items() if (kind, name) != (owner.kind, owner.id)
    }
    if expires:
        notes[EXPIRES] = expires
    if categories:
        notes["categories"] = list(categories)
    if immutable:
        notes["immutable"] = True
    if among:
        notes[AMONG] = dict(among)
    return notes | dict(extra or {})


def told_under(ids: Ids) -> Callable[[Record], bool] | None:
    """Tells of a record of the owner's log whether it is filed under every other name that is given, too.

    Returns:
        None where no other name is given: then all of the owner's are meant.
    """
    owner = ids.owner
    others = [(kind, name) for kind, name in ids.given().items() if kind != owner.kind]

    def is_under(record: Record) -> bool:
        notes = (record.body.get("metadata") or {}).get(NOTES) or {}
        return all(name in _texts(notes.get(kind, ())) for kind, name in others)

    return is_under if others else None


def notes_of(entry: Entry) -> dict[str, Any]:
    """An entry's notes as they are stored."""
    owner = Owner.parse(entry.owner)
    notes: dict[str, Any] = {
        kind: list(names) for kind, names in entry.ids.items() if names and kind != owner.kind
    }
    stored = {
        EXPIRES: entry.expires,
        "categories": list(entry.categories) if entry.sorted else None,
        "immutable": entry.immutable or None,
    }
    return notes | {key: value for key, value in stored.items() if value} | dict(entry.extra)


def entry_of(engine: Engine, open_: OpenOwner, memory_id: str, categories: Categories | None = None) -> Entry:
    """The entry of a memory that the bank holds; without `categories`, with those alone that were given."""
    near = () if categories is None else categories.of(open_.bank, [memory_id])[0]
    return _entry(engine, open_, memory_id, near, categories)


def catalog_of(engine: Engine, open_: OpenOwner, categories: Categories) -> Catalog:
    """All entries of an open owner; brought in step when memories came, went, changed or were superseded."""
    bank, version = open_.bank, categories.version

    def make() -> Catalog:
        known: dict[bytes, tuple[int, Entry]] = bank.of_each("server.catalog")
        ids = {id_: parse_id(id_) for id_ in bank.ids()}
        new = [id_ for id_, key in ids.items() if key not in known or known[key][0] != version]
        for id_, names in zip(new, categories.of(bank, new), strict=True):
            known[ids[id_]] = version, _entry(engine, open_, id_, names, categories)
        # another dict each time: whoever looks at the one before holds no owner
        return Catalog({id_: known[key][1] for id_, key in ids.items()})

    return bank.kept(f"server.catalog.{version}", make)


def _entry(
    engine: Engine, open_: OpenOwner, memory_id: str, near: tuple[str, ...], categories: Categories | None
) -> Entry:
    bank = open_.bank
    row = bank.rows_of(memory_id)[0]
    until_ms, by = bank.ended(memory_id)
    metadata = dict(engine.metadata(open_, memory_id))
    found = metadata.pop(NOTES, {})
    notes = dict(found) if isinstance(found, Mapping) else {}
    owner = Owner.parse(open_.fold.owner)
    ids = {kind: _texts(notes.pop(kind, ())) for kind in KINDS}
    ids[owner.kind] = (owner.id,)
    given = _texts(notes.pop("categories", ()))
    if not given and categories is not None and isinstance(notes.get(AMONG), Mapping):
        near = categories.of(bank, [memory_id], notes[AMONG])[0]
    return Entry(
        id=memory_id,
        owner=open_.fold.owner,
        ids=ids,
        metadata=metadata,
        categories=given or near,
        created_ms=int(bank.written_ms[row]),
        updated_ms=max(int(bank.written_ms[row]), int(bank.heard_ms[row])),
        expires=notes.pop(EXPIRES, None),
        immutable=bool(notes.pop("immutable", False)),
        replaced_by=by or None,
        until_ms=until_ms,
        sorted=bool(given),
        extra=notes,
    )


def _texts(found: Any) -> tuple[str, ...]:
    """The names in a note; none where something else wrote there."""
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()


def own_metadata(given: Any) -> Any:
    """Metadata as its user gave it, copied.

    Raises:
        InvalidInput: it has the key under which the server keeps its notes.
    """
    own = dict(given or {}) if isinstance(given, Mapping | None) else given
    if isinstance(own, dict) and NOTES in own:
        raise InvalidInput(f"metadata.{NOTES}", "is the server's own key", "choose another name")
    return own


def nothing_of(owner: str) -> Entry:
    """A memory that an owner does not have: it passes a filter that asks for no more than whose it is."""
    own = Owner.parse(owner)
    ids = {kind: (own.id,) if kind == own.kind else () for kind in KINDS}
    return Entry("", owner, ids, {}, (), 0, 0)


def iso(ms: int) -> str:
    """Unix milliseconds as ISO 8601, UTC."""
    return datetime.fromtimestamp(ms / 1_000, UTC).isoformat()
