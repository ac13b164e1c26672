"""What a server can be asked to do, apart from HTTP: in mem0's terms, on a neuromem `Memory`.

Routes (`routes/`), the MCP server and the drop-in class are thin layers over this. All methods block and may
be called from many threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..asking import look
from ..checks import check_search
from ..engine import Written
from ..errors import InvalidInput, NotFound
from ..forgetting import strength
from ..identity import NOTES, Owner, canonical_id, owner_of
from ..memory import Memory
from ..owners import OpenOwner
from ..recall import Recall
from ..telling import Call, change_of
from .categories import Categories
from .combine import Combiner
from .desk import Desk
from .echoes import Echoes
from .entries import (
    ACTIVE,
    Catalog,
    Entry,
    Ids,
    catalog_of,
    entry_of,
    notes_for,
    notes_of,
    own_metadata,
)  # fmt: skip
from .filing import Filing
from .filters import EVERYTHING, Filter
from .principals import ANYBODY, Principal
from .removal import delete_where
from .said import Said
from .terms import Change, Found, Search, owner_arguments, public_score

__all__ = ["Change", "Found", "Search", "Service", "owner_arguments", "public_score"]

MANY = 50  # candidates of a search that is ranked anew, at least
FADING = (0.3, 1.2)  # with the project's `decay`: a score is multiplied by a + b · strength


def _id(memory_id: str) -> str:
    """An id in canonical form. Raises NotFound: what is no id is nobody's."""
    try:
        return canonical_id(memory_id)
    except InvalidInput as error:
        raise NotFound(f"no memory {memory_id!r:.60}; add and search return ids") from error


class Service:
    """The operations."""

    def __init__(self, memory: Memory, desk: Desk) -> None:
        self.memory, self.desk = memory, desk
        self.engine = memory.engine
        self.combiner = Combiner(memory.engine)
        self.categories = Categories(memory.engine.keys)
        self.echoes = Echoes()
        self.watchers: list[
            Callable[[Sequence[Change]], None]
        ] = []  # called after each change; they are quick
        self.on_forget: list[Callable[[str], None]] = []  # called with an owner that was forgotten
        self.filing = Filing(self.engine.log, desk, self.catalog)

    # -- telling --------------------------------------------------------------------------------

    def add(
        self,
        ids: Ids,
        messages: Any,
        *,
        metadata: Mapping[str, Any] | None = None,
        infer: bool = True,
        timestamp: float | str | None = None,
        expires: str | None = None,
        categories: tuple[str, ...] = (),
        among: Mapping[str, str] | None = None,
        immutable: bool = False,
        extra: Mapping[str, Any] | None = None,
        who: Principal = ANYBODY,
    ) -> list[Written]:
        """Remembers what is said; durable when it returns.

        Args:
            categories: of every memory of it. among: else each gets the nearest of these, name →
                description; None: of the project's. extra: further notes, kept as `Entry.extra`.
        """
        ids = who.check(ids)
        owner = ids.owner
        own = own_metadata(metadata)
        notes = notes_for(
            ids, expires=expires, categories=categories, among=among, immutable=immutable, extra=extra
        )
        if notes and isinstance(own, dict):
            own[NOTES] = notes
        call = Call.of(self.engine, messages, own, timestamp, infer)
        self.desk.file(owner.name, ids.given().items())
        written = self.combiner.add(owner, call)
        self.desk.file(owner.name, ids.given().items())  # the owner may have been forgotten meanwhile
        new = (item for item in written if item.event in ("ADD", "UPDATE"))
        self.tell([Change("ADD", item.id, owner.name, item.text) for item in new])
        return written

    def tell(self, changes: Sequence[Change]) -> None:
        """Tells those who watch what has changed."""
        for watcher in self.watchers if changes else ():
            watcher(changes)

    def check(self, ids: Ids, messages: Any, *, metadata: Any = None, timestamp: Any = None) -> None:
        """Raises InvalidInput where `add` would, for what is told later."""
        _ = ids.owner
        Call.of(self.engine, messages, own_metadata(metadata), timestamp, infer=True)

    def update(
        self,
        memory_id: str,
        *,
        text: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        timestamp: float | str | None = None,
        notes: Mapping[str, Any] | None = None,
        join: bool = False,
        who: Principal = ANYBODY,
    ) -> Found:
        """Changes a memory.

        Args:
            notes: replaces single ones ("expires", "categories"); None drops one.
            join: the metadata is added to what is there; False: it takes its place.
        """
        with self._holding(memory_id, who) as (open_, id_):
            self.change_held(open_, id_, text, metadata, timestamp, notes, join=join)
        changed = self.get(memory_id, who=who)
        self.tell([Change("UPDATE", changed.entry.id, changed.entry.owner, changed.text)])
        return changed

    def change_held(
        self, open_: OpenOwner, memory_id: str, text: str | None = None,
        metadata: Mapping[str, Any] | None = None, timestamp: float | str | None = None,
        notes: Mapping[str, Any] | None = None, *, join: bool = False,
    ) -> None:  # fmt: skip
        """As `update`, of an owner who is held: nobody else changes anything of theirs. Tells nobody."""
        if metadata is None and not notes and text is None and timestamp is None:
            raise InvalidInput("text", "is missing", "give text, metadata, timestamp or expiration_date")
        if metadata is not None and not isinstance(metadata, Mapping):
            raise InvalidInput("metadata", f"is of type {type(metadata).__name__}", "give an object")
        entry = entry_of(self.engine, open_, memory_id, self.categories)
        kept = notes_of(entry) | dict(notes or {})
        kept = {key: value for key, value in kept.items() if value is not None}
        own = dict(entry.metadata) if metadata is None or join else {}
        own |= own_metadata(metadata)
        if kept:
            own[NOTES] = kept
        change_of(self.engine, open_, memory_id, text, own, timestamp)

    # -- looking --------------------------------------------------------------------------------

    def get(self, memory_id: str, *, fidelity: str = "auto", who: Principal = ANYBODY) -> Found:
        """One memory, only looked at.

        Raises:
            NotFound: there is none, or it is not theirs to see.
        """
        with self._holding(memory_id, who) as (open_, id_):
            entry = entry_of(self.engine, open_, id_, self.categories)
        recall = self.memory.get(memory_id, fidelity)
        return Found(entry, recall.text, recall)

    def holds(self, memory_id: str) -> bool:
        """Whether there is such a memory now."""
        return self.entry(memory_id) is not None

    def entry(self, memory_id: str) -> Entry | None:
        """The entry of a memory, whoever's it is; None where there is none."""
        try:
            with self.engine.use_owner_of(_id(memory_id)) as open_:
                return entry_of(self.engine, open_, _id(memory_id))
        except NotFound:
            return None

    @contextmanager
    def _holding(self, memory_id: str, who: Principal) -> Iterator[tuple[OpenOwner, str]]:
        """The open owner that holds a memory, and its id in canonical form.

        Raises:
            NotFound: nobody does, or it is not theirs to see.
        """
        id_ = _id(memory_id)
        with self.engine.use_owner_of(id_) as open_:
            if not who.sees(open_.fold.owner):
                raise NotFound(f"no memory {id_}; it was deleted or is forgotten (deep recall may find it)")
            yield open_, id_

    def teller(self, entry: Entry) -> tuple[str | None, str | None]:
        """Who told a memory: their role, and their name if it was given."""
        with self.engine.owners.use(entry.owner, settle=False) as open_:
            record = self.engine.record(open_, entry.id)
        body = {} if record is None or record.erased else record.body
        return body.get("role"), body.get("name")

    def owners(self, filter_: Filter, who: Principal = ANYBODY) -> list[str]:
        """Owners who may have what passes a filter, sorted."""
        log, known = self.engine.log, filter_.owners(self.filing)
        names = log.owners() if known is None else [name for name in known if log.length(name)]
        return sorted(name for name in names if who.sees(name))

    def catalog(self, owner: str) -> Catalog:
        """The entries of an owner."""
        with self.engine.owners.use(owner, settle=False) as open_:
            return catalog_of(self.engine, open_, self.categories)

    def entries(
        self,
        filter_: Filter = EVERYTHING,
        *,
        show_expired: bool = False,
        latest_only: bool = False,
        put_away: bool = False,
        who: Principal = ANYBODY,
    ) -> list[Entry]:
        """The memories that pass, what was told last first. `put_away`: the paused and archived, too."""
        today = self._day(None)
        found: list[Entry] = []
        for owner in self.owners(filter_, who):
            said = Said(self.engine, owner)
            for entry in self.catalog(owner).entries.values():
                shown = (show_expired or not entry.expired(today)) and (entry.current or not latest_only)
                shown = shown and (put_away or entry.state == ACTIVE)
                if shown and filter_(entry, said.of(entry)):
                    found.append(entry)
        return sorted(found, key=lambda entry: (-entry.created_ms, entry.id))

    def read(self, entries: Sequence[Entry]) -> list[Found]:
        """What memories say; those that went away meanwhile are left out."""
        by_owner: dict[str, list[Entry]] = {}
        for entry in entries:
            by_owner.setdefault(entry.owner, []).append(entry)
        recalls: dict[str, Recall] = {}
        for owner, own in by_owner.items():
            with self.engine.owners.use(owner) as open_:
                held = [entry.id for entry in own if open_.bank.rows_of(entry.id)]
                recalls |= {recall.id: recall for recall in look(self.engine, open_, held, "auto")}
        return [
            Found(entry, recalls[entry.id].text, recalls[entry.id])
            for entry in entries
            if entry.id in recalls
        ]

    def read_ids(self, memory_ids: Iterable[str], who: Principal = ANYBODY) -> list[Found]:
        """Memories by id, those that are there and theirs to see."""
        found = []
        for memory_id in memory_ids:
            with suppress(NotFound):
                found.append(self.get(memory_id, who=who))
        return found

    def prepare(self, queries: Sequence[str]) -> None:
        """Encodes questions that are about to be asked, of whomever, in one pass where that helps."""
        with self.engine.owners.threads:
            self.engine.keys.prepare(queries)

    def search(self, wanted: Search, *, who: Principal = ANYBODY) -> list[Found]:
        """What answers a question, best first."""
        check_search(wanted.query, wanted.limit, wanted.fidelity, None)
        now = self.engine.clock() if wanted.at is None else wanted.at
        found: list[Found] = []
        for owner in self.owners(wanted.filter, who):
            found += self._search_one(owner, wanted, now)
        if wanted.decay:
            found = [replace(item, score=self._faded(item, now)) for item in found]
        found.sort(key=lambda item: -(item.score or 0.0))
        for item in found[: wanted.limit] if wanted.rehearse else ():
            self.echoes.note(item.entry.owner, [item.text])
        return found[: wanted.limit]

    def _search_one(self, owner: str, wanted: Search, now: float) -> list[Found]:
        catalog, said = self.catalog(owner), Said(self.engine, owner)
        today = self._day(now)

        def passes(memory_id: str) -> bool:
            entry = catalog.entries.get(memory_id)
            if entry is None or (not wanted.show_expired and entry.expired(today)) or entry.state != ACTIVE:
                return False
            return wanted.filter(entry, said.of(entry))

        whose: dict[str, Any] = owner_arguments(owner)
        limit = max(3 * wanted.limit, MANY) if wanted.decay else wanted.limit
        recalls = self.memory.search(
            wanted.query,
            **whose,
            limit=limit,
            filters=passes,
            fidelity=wanted.fidelity,
            explain=wanted.explain,
            rehearse=wanted.rehearse,
            current_view=wanted.latest_only is not False,
            now=wanted.at,
        )
        shown = []
        for recall in recalls:
            entry, score = catalog.entries.get(recall.id), public_score(recall.score)
            old = wanted.latest_only and entry is not None and not entry.current
            if entry is not None and score >= wanted.threshold and not old:
                shown.append(Found(entry, recall.text, recall, score))
        return shown

    def _faded(self, found: Found, now: float) -> float:
        """A score under the project's `decay`: 0.3 to 1.5 times, by how well the memory would be held."""
        with self.engine.owners.use(found.entry.owner, settle=False) as open_:
            rows = open_.bank.rows_of(found.entry.id)
            if not rows:
                return found.score or 0.0
            days = max(0.0, now - int(open_.bank.rehearsed_ms[rows[0]]) / 1_000) / 86_400
            fading = replace(self.engine.config.forgetting, decay="power")
            held = float(strength(days, float(open_.bank.stability[rows[0]]), fading))
        return min(1.0, (found.score or 0.0) * (FADING[0] + FADING[1] * held))

    def _day(self, now: float | None) -> Any:
        return datetime.fromtimestamp(self.engine.clock() if now is None else now, UTC).date()

    def history(self, memory_id: str, who: Principal = ANYBODY) -> list[dict[str, Any]]:
        """What happened to a memory, oldest first."""
        self._check_seen(_id(memory_id), who)
        return self.memory.history(memory_id)

    def _check_seen(self, memory_id: str, who: Principal) -> None:
        """Raises NotFound where a memory is not theirs: whether it exists is none of their business."""
        if who.user is None:
            return
        own = Owner("user", who.user).name
        if owner_of(memory_id, self.engine.log.owners())[:1] != [own]:
            with self._holding(memory_id, who):
                pass

    # -- forgetting -----------------------------------------------------------------------------

    def delete(self, memory_ids: Sequence[str], *, linked: bool = False, who: Principal = ANYBODY) -> int:
        """Forgets memories for good. `linked`: with what they superseded. Returns how many went."""
        owners: dict[str, str] = {}  # of each memory that goes
        for memory_id in dict.fromkeys(map(_id, memory_ids)):
            with self._holding(memory_id, who) as (open_, id_):
                owners.setdefault(id_, open_.fold.owner)
                waiting = [id_] if linked else []
                while waiting:
                    for older in open_.bank.replaced_by(waiting.pop()):
                        if older not in owners:
                            owners[older] = open_.fold.owner
                            waiting.append(older)
        if owners:
            self.memory.delete(list(owners))
        self.tell([Change("DELETE", id_, owner) for id_, owner in owners.items()])
        return len(owners)

    def delete_where(self, filter_: Filter, who: Principal = ANYBODY) -> int:
        """Forgets what passes a filter; an owner all of whose memories pass is forgotten, every word.

        What waits to be told and would pass is dropped. What is also filed under another name of the same
        kind, another session's, say, stays under that. Returns how many memories passed.
        """
        return delete_where(self, filter_, who)

    def forget_owner(self, owner: str, *, waiting: bool = True) -> int:
        """Forgets an owner, every word. Those who watch are told by whoever calls this.

        Args:
            waiting: with what waits to be told; False: that is told afterwards.
        """
        held = self.memory.delete_all(**owner_arguments(owner))
        self.desk.unfile(owner, waiting=waiting)
        self.desk.unhear(f"{owner}\0")
        for told in self.on_forget:
            told(owner)
        if self.engine.log.length(owner):  # told something meanwhile, before the names were forgotten
            self.filing.file(owner)
        return held

    def close(self) -> None:
        """Closes memory and desk."""
        self.memory.close()
        self.desk.close()
