"""LangGraph's `BaseStore` on a memory: put, get, search by meaning and by filter, list namespaces."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from typing import Any

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
)
from langgraph.store.base.embed import get_text_at_path, tokenize_path

from ..errors import InvalidInput, NotFound
from ..memory import Memory
from .keeping import Here, Keeping, Kept, There, name_of, namespace_of, noted

__all__ = ["NeuromemStore"]

Namespace = tuple[str, ...]


class NeuromemStore(BaseStore):  # type: ignore[misc]
    """A store whose items live in a memory's weights. Search needs no embeddings; they are built in.

    Differences to LangGraph's own stores: a namespace is listed only while it holds items; a value has to
    be JSON of at most 64 KiB. Items fade like all memories if the memory's settings say so; an agent's notes
    are better kept by `Memory(path, config={"forgetting": {"decay": "none"}})`.
    """

    supports_ttl = False  # a `ttl` is refused by `BaseStore.put`

    def __init__(
        self, memory: Memory | str, *, api_key: str | None = None, fields: Sequence[str] = ("$",)
    ) -> None:
        """Args:
        memory: a `Memory`, or the URL of a server ("http://127.0.0.1:8888"). api_key: that it knows.
        fields: paths of what is searched in a value, as LangGraph writes them ("text", "notes[*].title"); "$"
            is all of it. `put(index=...)` says otherwise for one item; `index=False`: nothing of it.
        """
        self._keeping: Keeping = There(memory, api_key) if isinstance(memory, str) else Here(memory)
        self._fields = list(fields)
        self._lock = threading.RLock()  # two puts of one new key make one item

    def close(self) -> None:
        """Ends the connections to a server; a memory of this process stays open, its owner closes it."""
        if isinstance(self._keeping, There):
            self._keeping.http.close()

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Does several things: first what looks, then what changes; of several puts of an item, the last."""
        done: list[Result] = []
        puts: dict[tuple[Namespace, str], PutOp] = {}
        for op in ops:
            if isinstance(op, PutOp):
                puts[op.namespace, op.key] = op
                done.append(None)
            else:
                done.append(self._look(op))
        with self._lock:
            for put in puts.values():
                self._put(put)
        return done

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """As `batch`, in a thread."""
        return await asyncio.to_thread(self.batch, list(ops))

    def _look(self, op: Op) -> Result:
        if isinstance(op, GetOp):
            kept = self._keeping.item(name_of(op.namespace), op.key)
            return None if kept is None else Item(**_shown(op.namespace, kept))
        if isinstance(op, SearchOp):
            return self._search(op)
        if isinstance(op, ListNamespacesOp):
            return self._list(op)
        raise InvalidInput(
            "ops", f"{type(op).__name__} is no operation of a store", "give Get, Put, Search …"
        )

    # -- changing -------------------------------------------------------------------------------

    def _put(self, op: PutOp) -> None:
        name = name_of(op.namespace)
        kept = self._keeping.item(name, op.key)
        if op.value is None:
            self._delete(() if kept is None else (*kept.older, kept.id))
            return
        text = self._text(op)
        metadata = noted(op.key, op.value, bool(text))
        text = text or op.key.strip() or "(nothing to search)"
        if kept is None:
            self._keeping.add(name, op.key, text, metadata)
        else:
            self._keeping.change(kept.id, text, metadata)
            self._delete(kept.older)

    def _delete(self, ids: Iterable[str]) -> None:
        for id_ in ids:
            with suppress(NotFound):  # another store was first
                self._keeping.delete(id_)

    def _text(self, op: PutOp) -> str:
        """What of a value is searched; "" for nothing."""
        if op.index is False or op.value is None:
            return ""
        value = dict(op.value)
        texts: list[str] = []
        for path in self._fields if op.index is None else op.index:
            texts += _lines(value) if path == "$" else get_text_at_path(value, tokenize_path(path))
        return "\n".join(text for text in texts if text.strip())

    # -- looking --------------------------------------------------------------------------------

    def _search(self, op: SearchOp) -> list[SearchItem]:
        held = {
            namespace: [kept for kept in self._keeping.items(name).values() if _passes(kept.value, op.filter)]
            for namespace, name in self._under(op.namespace_prefix)
        }
        most = op.offset + op.limit
        ranked: list[tuple[float | None, Namespace, Kept]] = []
        if op.query and op.query.strip():
            for namespace, items in held.items():
                ranked += self._ranked(namespace, items, op.query, most)
            ranked.sort(key=lambda item: -(item[0] or 0.0))
        seen = {kept.id for _, _, kept in ranked}
        rest = [(None, ns, kept) for ns, items in held.items() for kept in items if kept.id not in seen]
        ranked += sorted(rest, key=lambda item: (item[2].created, item[2].id))
        return [
            SearchItem(**_shown(namespace, kept), score=score)
            for score, namespace, kept in ranked[op.offset : most]
        ]

    def _ranked(
        self, namespace: Namespace, items: Sequence[Kept], query: str, most: int
    ) -> list[tuple[float | None, Namespace, Kept]]:
        by_id = {kept.id: kept for kept in items if kept.indexed}
        if not by_id or not most:
            return []
        found = self._keeping.search(name_of(namespace), query, by_id, min(most, len(by_id)))
        return [(score, namespace, by_id[id_]) for id_, score in found if id_ in by_id]

    def _under(self, prefix: Namespace) -> list[tuple[Namespace, str]]:
        """Namespaces that begin so, with the names of their apps."""
        found = ((namespace_of(name), name) for name in sorted(self._keeping.names()))
        return [(ns, name) for ns, name in found if ns is not None and ns[: len(prefix)] == tuple(prefix)]

    def _list(self, op: ListNamespacesOp) -> list[Namespace]:
        conditions = op.match_conditions or ()
        found = {
            namespace[: op.max_depth]
            for namespace, name in self._under(())
            if all(_matches(condition, namespace) for condition in conditions) and self._keeping.items(name)
        }
        return sorted(found)[op.offset : op.offset + op.limit]


def _shown(namespace: Namespace, kept: Kept) -> dict[str, Any]:
    """What an item is made of: its value is the caller's to change, what is kept at hand is not."""
    return {
        "namespace": tuple(namespace), "key": kept.key, "value": deepcopy(kept.value),
        "created_at": kept.created, "updated_at": kept.updated,
    }  # fmt: skip


def _lines(value: Any, name: str = "") -> list[str]:
    """A value as words: every leaf with its name before it, but for names that say nothing."""
    if isinstance(value, Mapping):
        return [line for key, item in value.items() for line in _lines(item, str(key))]
    if isinstance(value, list | tuple):
        return [line for item in value for line in _lines(item, name)]
    if value is None or value == "":
        return []
    plain = name in ("", "text", "content", "data", "memory", "value") and isinstance(value, str)
    return [value if plain else f"{name}: {value}"]


def _matches(condition: MatchCondition, namespace: Namespace) -> bool:
    path = tuple(condition.path)
    if len(namespace) < len(path):
        return False
    part = (
        namespace[: len(path)]
        if condition.match_type == "prefix"
        else namespace[len(namespace) - len(path) :]
    )
    return all(wanted in ("*", label) for wanted, label in zip(path, part, strict=True))


def _passes(value: Any, wanted: Mapping[str, Any] | None) -> bool:
    return all(_holds(value.get(key), item) for key, item in (wanted or {}).items())


def _holds(own: Any, wanted: Any) -> bool:
    """Whether a part of a value is as a filter wants it, the way PostgreSQL compares JSON."""
    if isinstance(wanted, Mapping):
        if any(str(key).startswith("$") for key in wanted):
            return all(_compares(own, operator, operand) for operator, operand in wanted.items())
        return isinstance(own, Mapping) and all(_holds(own.get(key), item) for key, item in wanted.items())
    if isinstance(wanted, list | tuple):
        same = isinstance(own, list | tuple) and len(own) == len(wanted)
        return same and all(_holds(mine, theirs) for mine, theirs in zip(own, wanted, strict=True))
    return bool(own == wanted)


def _compares(own: Any, operator: str, operand: Any) -> bool:
    if operator in ("$eq", "$ne"):
        return bool(own == operand) is (operator == "$eq")
    if operator not in ("$gt", "$gte", "$lt", "$lte"):
        known = "$eq, $ne, $gt, $gte, $lt, $lte"
        raise InvalidInput("filter", f"operator {operator!r} is not supported", f"use one of {known}")
    try:
        mine, theirs = float(own), float(operand)
    except (TypeError, ValueError):  # what is no number is neither more nor less
        return False
    return {
        "$gt": mine > theirs, "$gte": mine >= theirs, "$lt": mine < theirs, "$lte": mine <= theirs,
    }[operator]  # fmt: skip
