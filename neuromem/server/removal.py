"""Deleting by name: what goes, what stays under other names, and what was only waiting to be told.

A fact that two sessions told is one memory, filed under both. Who deletes one of them takes its name off;
the memory goes with the last.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..identity import Owner
from .desk import Desk
from .entries import KINDS, Entry, nothing_of
from .filters import Filter
from .principals import Principal
from .terms import Change

if TYPE_CHECKING:
    from .service import Service

__all__ = ["delete_where"]


def delete_where(service: Service, filter_: Filter, who: Principal) -> int:
    """As `Service.delete_where`."""
    _drop_waiting(service, filter_, who)
    log, named = service.engine.log, filter_.owners(service.filing)
    gone = 0
    for owner in sorted(name for name in (log.owners() if named is None else named) if who.sees(name)):
        entries = service.catalog(owner).entries if log.length(owner) else {}
        passing = [entry for entry in entries.values() if _passes(service, filter_, entry)]
        left = {entry.id: _left_under(service, filter_, entry) for entry in passing}
        ids = [memory_id for memory_id, names in left.items() if not names]
        if len(ids) == len(entries) and (ids or filter_(nothing_of(owner), str)):
            service.forget_owner(owner)
        elif ids:
            service.memory.delete(ids)
        for memory_id, names in left.items():
            if names:
                service.update(memory_id, notes=names, who=who)
        service.tell([Change("DELETE", memory_id, owner) for memory_id in ids])
        gone += len(passing)
    return gone


def _passes(service: Service, filter_: Filter, entry: Entry) -> bool:
    return filter_(entry, lambda: service.words(entry))


def _left_under(service: Service, filter_: Filter, entry: Entry) -> dict[str, list[str]]:
    """Kind → the other names under which a memory that passes would not: it stays filed under those."""
    left: dict[str, list[str]] = {}
    for kind, names in entry.ids.items():
        alone = {name: replace(entry, ids={**entry.ids, kind: (name,)}) for name in names}
        others = [name for name, one in alone.items() if not _passes(service, filter_, one)]
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
