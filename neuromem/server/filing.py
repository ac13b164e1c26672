"""Under which names memories are filed, and how many under each: a view of the log, kept on the desk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..identity import Owner
from ..log import EventLog
from .desk import Desk
from .entries import Catalog
from .principals import ANYBODY, Principal

__all__ = ["Filing"]


class Filing:
    """Finds owners by the names under which their memories are filed. Safe across threads."""

    def __init__(self, log: EventLog, desk: Desk, catalog: Callable[[str], Catalog]) -> None:
        """Args:
        catalog: gives the entries of an owner.
        """
        self._log, self._desk, self._catalog = log, desk, catalog
        self._complete = False

    def owners_of(self, kind: str, name: str | None) -> set[str]:
        """See `filters.Index`."""
        if kind == "user" and name is not None:  # a user comes before all else: it is they who own it
            return {Owner(kind, name).name}
        self._file_all()
        filed = set(self._desk.owners_of(kind, name))
        if name is not None:
            return filed | {Owner(kind, name).name}
        return filed | {owner for owner in self._log.owners() if Owner.parse(owner).kind == kind}

    def entities(self, who: Principal = ANYBODY) -> list[dict[str, Any]]:
        """Everybody that memories are filed under: kind, name, how many, first and last told (Unix ms)."""
        totals: dict[tuple[str, str], dict[str, Any]] = {}
        for owner, counted in self._counted(self._log.owners()).items():
            if not who.sees(owner):
                continue
            for kind, name, count, first, last in counted:
                known = totals.setdefault(
                    (kind, name), {"kind": kind, "name": name, "total": 0, "first_ms": first, "last_ms": last}
                )
                known["total"] += count
                known["first_ms"] = min(known["first_ms"], first)
                known["last_ms"] = max(known["last_ms"], last)
        return sorted(totals.values(), key=lambda item: (item["first_ms"], item["kind"], item["name"]))

    def file(self, owner: str) -> None:
        """Files what an owner has, where that is not known."""
        self._counted([owner])

    def _file_all(self) -> None:
        """Files what a store holds that served without a desk; done once."""
        if not self._complete:
            self._counted(set(self._log.owners()) - set(self._desk.counted()))
            self._complete = True

    def _counted(self, owners: Iterable[str]) -> dict[str, list[Any]]:
        """Owner → what they have under each name; counted anew where the log has grown."""
        known = self._desk.counted()
        out: dict[str, list[Any]] = {}
        for owner in owners:
            length = self._log.length(owner)
            if owner in known and known[owner][0] == length:
                out[owner] = known[owner][1]["filed"]
                continue
            counts: dict[tuple[str, str], list[int]] = {}
            for entry in self._catalog(owner).entries.values():
                for kind, names in entry.ids.items():
                    for name in names:
                        count = counts.setdefault((kind, name), [0, entry.created_ms, entry.updated_ms])
                        count[0] += 1
                        count[1] = min(count[1], entry.created_ms)
                        count[2] = max(count[2], entry.updated_ms)
            out[owner] = [[kind, name, *count] for (kind, name), count in counts.items()]
            self._desk.file(owner, counts)
            self._desk.count(owner, self._log.length(owner), {"filed": out[owner]})
        return out
