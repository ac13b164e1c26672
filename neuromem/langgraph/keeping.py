"""Where a store's items are kept: in a memory of this process, or in a server's.

A namespace is an owner, an app in mem0's terms: `langgraph:memories/ana`. An item is one memory. Its value
is the memory's metadata, exactly; beside it lie the item's key and whether it is to be found by search. The
slots hold the text that is searched. The item's key stands for who speaks, so that two items of the same
words are never taken for one thing said twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote, unquote

import httpx

from ..errors import InvalidInput, NeuromemError, NotFound, StoreError
from ..identity import Owner
from ..marks import speaker_mark
from ..memory import Memory
from ..owners import OpenOwner
from ..server.entries import Entry, entry_of, iso

__all__ = ["Here", "Keeping", "Kept", "There", "name_of", "namespace_of"]

PREFIX = "langgraph:"
KEY, INDEXED = "langgraph_key", "langgraph_indexed"
PAGE = 1_000
FEW = 32  # items that are read one by one; where more keys begin alike all are, and kept at hand


@dataclass(frozen=True, slots=True)
class Kept:
    """An item as it is kept."""

    id: str
    key: str
    value: dict[str, Any]
    indexed: bool
    created: datetime
    updated: datetime
    older: tuple[str, ...] = ()  # ids of memories of the same key: two stores may put a new one at once


def name_of(namespace: tuple[str, ...]) -> str:
    """The name of the app that a namespace is."""
    return PREFIX + "/".join(quote(label, safe="") for label in namespace)


def namespace_of(name: str) -> tuple[str, ...] | None:
    """The namespace that an app is; None: it is none."""
    if not name.startswith(PREFIX):
        return None
    return tuple(unquote(label) for label in name.removeprefix(PREFIX).split("/"))


def noted(key: str, value: Mapping[str, Any], indexed: bool) -> dict[str, Any]:
    """The metadata of an item's memory. Raises InvalidInput where a value's own key is in the way."""
    taken = {KEY, INDEXED, "neuromem"} & set(value)
    if taken:
        raise InvalidInput("value", f"has the key {min(taken)!r}, which is ours", "give it another name")
    return {**value, KEY: key, INDEXED: indexed}


def _kept(id_: str, metadata: Mapping[str, Any], created: str, updated: str) -> Kept | None:
    value = dict(metadata)
    key, indexed = value.pop(KEY, None), value.pop(INDEXED, True)
    if not isinstance(key, str):
        return None  # told by somebody else
    times = datetime.fromisoformat(created), datetime.fromisoformat(updated)
    return Kept(id_, key, value, bool(indexed), *times)


def _by_key(kept: Iterable[Kept | None]) -> dict[str, Kept]:
    """Key → item. Of several memories of one key, oldest first, the last is the item."""
    items: dict[str, Kept] = {}
    for item in kept:
        if item is not None:
            before = items.get(item.key)
            items[item.key] = item if before is None else replace(item, older=(*before.older, before.id))
    return items


def _turn(key: str, text: str) -> dict[str, str]:
    """An item's text, said by its key: quoted where a name would lose the white space around it."""
    name = json.dumps(key) if key != key.strip() or key.startswith('"') else key
    return {"role": "user", "name": name, "content": text}


class Keeping(Protocol):
    """What a store does with items."""

    def names(self) -> list[str]:
        """Apps that have memories."""

    def items(self, name: str) -> Mapping[str, Kept]:
        """Key → item of a namespace, in the order in which they came."""

    def item(self, name: str, key: str) -> Kept | None:
        """One item."""

    def add(self, name: str, key: str, text: str, metadata: Mapping[str, Any]) -> None:
        """Keeps a new item."""

    def change(self, id_: str, text: str, metadata: Mapping[str, Any]) -> None:
        """Changes an item."""

    def delete(self, id_: str) -> None:
        """Forgets an item for good."""

    def search(self, name: str, query: str, ids: Collection[str], limit: int) -> list[tuple[str, float]]:
        """(id, score) of the items among `ids` that answer a question, best first."""


class Here:
    """Items in a memory of this process."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def names(self) -> list[str]:
        """See `Keeping`."""
        owners = (Owner.parse(name) for name in self.memory.engine.log.owners())
        return [owner.id for owner in owners if owner.kind == "app"]

    def items(self, name: str) -> Mapping[str, Kept]:
        """See `Keeping`."""
        engine, owner = self.memory.engine, Owner("app", name).name
        if not engine.log.length(owner):
            return {}
        with engine.owners.use(owner, settle=False) as open_:
            bank = open_.bank
            return bank.kept("langgraph.items", lambda: self._of(open_, bank.ids()))

    def item(self, name: str, key: str) -> Kept | None:
        """See `Keeping`."""
        engine, owner = self.memory.engine, Owner("app", name).name
        if not engine.log.length(owner):
            return None
        with engine.owners.use(owner, settle=False) as open_:
            # by the key itself, too: so said are items of stores from before keys were quoted
            marks = [speaker_mark(name) for name in (_turn(key, "")["name"], key)]
            ids = dict.fromkeys(id_ for mark in marks for id_ in open_.bank.find("speaker", mark))
            if len(ids) <= FEW:
                return self._of(open_, ids).get(key)
        return self.items(name).get(key)

    def _of(self, open_: OpenOwner, ids: Iterable[str]) -> dict[str, Kept]:
        entries = sorted((entry_of(self.memory.engine, open_, id_) for id_ in ids), key=_age)
        return _by_key(_kept(e.id, e.metadata, iso(e.created_ms), iso(e.updated_ms)) for e in entries)

    def add(self, name: str, key: str, text: str, metadata: Mapping[str, Any]) -> None:
        """See `Keeping`."""
        self.memory.add([_turn(key, text)], app_id=name, infer=False, metadata=metadata)

    def change(self, id_: str, text: str, metadata: Mapping[str, Any]) -> None:
        """See `Keeping`."""
        self.memory.update(id_, text, metadata=metadata)

    def delete(self, id_: str) -> None:
        """See `Keeping`."""
        self.memory.delete(id_)

    def search(self, name: str, query: str, ids: Collection[str], limit: int) -> list[tuple[str, float]]:
        """See `Keeping`."""
        wanted: Callable[[str], bool] = set(ids).__contains__
        found = self.memory.search(query, app_id=name, limit=limit, filters=wanted, current_view=False)
        return [(recall.id, recall.score) for recall in found]


def _age(entry: Entry) -> tuple[int, str]:
    return entry.created_ms, entry.id


class There:
    """Items in the memory of a server, through mem0's routes."""

    def __init__(self, url: str, api_key: str | None = None) -> None:
        headers = {"Authorization": f"Token {api_key}"} if api_key else {}
        self.http = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=300.0)

    def _ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """One request. Raises NeuromemError with what the server says is wrong."""
        try:
            answer = self.http.request(method, path, json=body, params=query)
        except httpx.HTTPError as error:
            raise StoreError(
                f"no server answers at {self.http.base_url} ({error}); start: neuromem serve"
            ) from error
        if answer.is_success:
            return answer.json()
        try:
            detail = str(answer.json()["detail"])
        except (ValueError, KeyError, TypeError):
            detail = answer.text[:200]
        if answer.status_code == 404:
            raise NotFound(detail)
        kind = InvalidInput if answer.status_code in (400, 422) else None
        raise (
            kind("value", detail, "see the message")
            if kind
            else NeuromemError(f"the server refuses ({answer.status_code}): {detail}")
        )

    def _pages(self, method: str, path: str, body: Any = None) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = self._ask(method, path, body, page=page, page_size=PAGE)
            results += answer["results"]
            if not answer.get("next"):
                return results
            page += 1

    def names(self) -> list[str]:
        """See `Keeping`."""
        return [item["name"] for item in self._pages("GET", "/v1/entities/") if item["type"] == "app"]

    def items(self, name: str) -> Mapping[str, Kept]:
        """See `Keeping`."""
        return self._found({"app_id": name})

    def _found(self, filters: Mapping[str, Any]) -> dict[str, Kept]:
        records = self._pages("POST", "/v3/memories/", {"filters": filters})
        records.sort(key=lambda record: (record["created_at"], record["id"]))
        return _by_key(
            _kept(r["id"], r["metadata"] or {}, r["created_at"], r["updated_at"] or r["created_at"])
            for r in records
        )

    def item(self, name: str, key: str) -> Kept | None:
        """See `Keeping`."""
        return self._found({"app_id": name, "metadata": {KEY: key}}).get(key)

    def add(self, name: str, key: str, text: str, metadata: Mapping[str, Any]) -> None:
        """See `Keeping`."""
        body = {"messages": [_turn(key, text)], "app_id": name, "infer": False, "metadata": dict(metadata)}
        self._ask("POST", "/v3/memories/add/", body)

    def change(self, id_: str, text: str, metadata: Mapping[str, Any]) -> None:
        """See `Keeping`."""
        self._ask("PUT", f"/v1/memories/{id_}/", {"text": text, "metadata": dict(metadata)})

    def delete(self, id_: str) -> None:
        """See `Keeping`."""
        self._ask("DELETE", f"/v1/memories/{id_}/")

    def search(self, name: str, query: str, ids: Collection[str], limit: int) -> list[tuple[str, float]]:
        """See `Keeping`."""
        left, results = list(ids), list[tuple[str, float]]()
        while left and len(results) < limit:
            wanted = min(limit - len(results), PAGE)  # a server gives no more at once
            body = {
                "query": query, "filters": {"app_id": name, "memory_ids": left}, "top_k": wanted,
                "threshold": 0.0, "latest_only": False,
            }  # fmt: skip
            found = self._ask("POST", "/v3/memories/search/", body)["results"]
            results += [(record["id"], record["score"]) for record in found]
            if len(found) < wanted:
                break
            seen = {record["id"] for record in found}
            left = [id_ for id_ in left if id_ not in seen]
        return results
