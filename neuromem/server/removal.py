"""Deleting by name: what goes, what stays under other names, and what was only waiting to be told.

A fact that two sessions told is one memory, filed under both. Who deletes one of them takes its name off;
the memory goes with the last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..asking import look
from ..identity import Owner
from ..telling import delete_of
from .desk import Desk
from .entries import KINDS, Entry, catalog_of, nothing_of
from .filters import Filter
from .principals import Principal
from .terms import Change

if TYPE_CHECKING:
    from .service import Service

__all__ = ["delete_where"]


def delete_where(service: Service, filter_: Filter, who: Principal) -> int:
    """As `Service.delete_where`."""
    _drop_waiting(service, filter_, who)
    named = filter_.owners(service.filing)
    names = service.engine.log.owners() if named is None else named
    return sum(_delete_of(service, filter_, owner) for owner in sorted(names) if who.sees(owner))


def _delete_of(service: Service, filter_: Filter, owner: str) -> int:
    """Deletes what passes of one owner, held from look to deletion: what is told meanwhile comes after both.

    No other owner is looked at in between: two that are held would wait for each other.
    """
    engine = service.engine
    with engine.owners.use(owner, settle=False) as open_:

        def passes(entry: Entry) -> bool:
            return filter_(entry, lambda: look(engine, open_, [entry.id], "auto")[0].text)

        entries = catalog_of(engine, open_, service.categories).entries
        passing = [entry for entry in entries.values() if passes(entry)]
        left = {entry.id: _left_under(passes, entry) for entry in passing}
        ids = [memory_id for memory_id, names in left.items() if not names]
        named = {memory_id: names for memory_id, names in left.items() if names}
        if len(ids) == len(entries) and (ids or filter_(nothing_of(owner), str)):
            service.forget_owner(owner, waiting=False)
        elif ids:
            delete_of(engine, owner, ids)
        for memory_id, names in named.items():
            service.change_held(open_, memory_id, notes=names)
    service.tell(
        [Change("DELETE", memory_id, owner) for memory_id in ids]
        + [Change("UPDATE", found.entry.id, owner, found.text) for found in service.read_ids(named)]
    )
    return len(passing)


def _left_under(passes: Callable[[Entry], bool], entry: Entry) -> dict[str, list[str]]:
    """Kind → the other names under which a memory that passes would not: it stays filed under those."""
    left: dict[str, list[str]] = {}
    for kind, names in entry.ids.items():
        alone = {name: replace(entry, ids={**entry.ids, kind: (name,)}) for name in names}
        others = [name for name, one in alone.items() if not passes(one)]
        if others:
            left[kind] = others
    return left


def _drop_waiting(service: Service, filter_: Filter, who: Principal) -> None:
    """Drops what was taken on to be told later and would pass; what is being told is undone (`jobs.py`)."""
    waiting = [(event, entry) for event, entry in _waiting(service.desk) if who.sees(entry.owner)]
    service.desk.forget_events([event for event, entry in waiting if filter_(entry, str)])


def _waiting(desk: Desk) -> Iterator[tuple[str, Entry]]:
    """The events of what waits to be told, each with the memory that it would become, without its words."""
    for event, owner, job, created in desk.rows(
        "SELECT events.id, events.scope, jobs.body, events.created FROM jobs "
        "JOIN events ON events.id = jobs.event"
    ):
        told = json.loads(job).get("told", {})
        given = dict(told.get("ids", {}))
        ids = {kind: (given[kind],) if kind in given else () for kind in KINDS}
        ids[Owner.parse(owner).kind] = (Owner.parse(owner).id,)
        at = round(created * 1_000)
        yield event, Entry("", owner, ids, told.get("metadata") or {}, (), at, at)
