"""search, deep and show."""

from __future__ import annotations

import json
import time
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput, NotFound
from .common import emit, open_memory, progress, whole_id, whose

if TYPE_CHECKING:
    from rich.console import Console

    from ..memory import Memory
    from ..recall import Recall

__all__ = ["deep", "search", "show"]


def search(args: Namespace) -> int:
    """The fast path."""
    query = " ".join(args.query)
    filters = dict(_filter(text) for text in args.filter)
    with open_memory(args, readonly=args.no_rehearse) as memory:
        user = whose(args, memory)
        memory.engine.keys.query("warm up")  # the encoder's first use loads it: not part of a search
        started = time.perf_counter()
        recalls = memory.search(
            query, user, limit=args.limit, filters=filters, fidelity=args.fidelity, budget_ms=args.budget_ms,
            explain=args.explain, rehearse=not args.no_rehearse,
        )  # fmt: skip
        spent = (time.perf_counter() - started) * 1_000
        _emit_recalls(args, query, user, recalls, spent)
    return 0


def _filter(text: str) -> tuple[str, Any]:
    """KEY=VALUE; a value that is JSON (5, true, "x") is that value, else it is text."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InvalidInput("--filter", f"{text!r} is not KEY=VALUE", "give for example topic=pets")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def deep(args: Namespace) -> int:
    """The slow path."""
    query = " ".join(args.query)
    with open_memory(args) as memory:
        user = whose(args, memory)
        memory.engine.keys.query("warm up")
        started = time.perf_counter()
        with progress("searching every word", "statements") as step:
            recalls = memory.deep(query, user, limit=args.limit, progress=step, budget_ms=args.budget_ms)
        spent = (time.perf_counter() - started) * 1_000
        _emit_recalls(args, query, user, recalls, spent)
    return 0


def _emit_recalls(args: Namespace, query: str, user: str, recalls: Sequence[Recall], ms: float) -> None:
    data = {
        "query": query, "user": user, "ms": round(ms, 2), "results": [recall.to_dict() for recall in recalls],
    }  # fmt: skip
    emit(args, data, lambda console: _show_recalls(console, recalls, ms))


def _show_recalls(console: Console, recalls: Sequence[Recall], ms: float) -> None:
    from ..render import MemoryTable, note

    if not recalls:
        note(console, "Nothing comes to mind. The slow path searches every word: neuromem deep …")
        return
    console.print(MemoryTable(recalls, scores=True))
    for recall in recalls:
        if recall.explain is not None:
            parts = ", ".join(f"{name} {value:.3f}" for name, value in recall.explain.items())
            note(console, f"{recall.id}  {parts}")
    note(console, f"{len(recalls)} in {ms:.1f} ms")


def show(args: Namespace) -> int:
    """All memories, or one; or what is in a file."""
    if args.id is not None and args.id.endswith(".flac"):
        from .sounds import show as show_file

        return show_file(args)
    if args.spectrogram:
        raise InvalidInput("--spectrogram", "is of a file", "name it: neuromem show FILE.flac …")
    with open_memory(args, readonly=True) as memory:
        user = whose(args, memory)
        if args.clusters:
            _show_clusters(args, memory, user)
        elif args.id is None:
            recalls = memory.all(user, fidelity="weights")
            data: dict[str, Any] = {"user": user, "memories": [recall.to_dict() for recall in recalls]}
            emit(args, data, lambda console: _show_all(console, user, recalls))
        else:
            _show_one(args, memory, whole_id(memory, user, args.id))
    return 0


def _show_all(console: Console, user: str, recalls: Sequence[Recall]) -> None:
    from ..render import MemoryTable, note

    if not recalls:
        note(
            console,
            f"{user!r} holds no memory in the weights; neuromem rebuild brings back what the log has.",
        )
        return
    console.print(MemoryTable(recalls))
    note(console, f"{len(recalls)} memories of {user!r}; neuromem show ID tells one's history")


def _show_clusters(args: Namespace, memory: Memory, user: str) -> None:
    """All memories in their clusters, and those that are in none.

    Raises:
        InvalidInput: one memory is asked for as well.
    """
    if args.id is not None:
        raise InvalidInput("--clusters", f"and the id {args.id} do not go together", "give one of them")
    from ..clusters import clusters_of, name_of

    recalls = {recall.id: recall for recall in memory.all(user, fidelity="weights")}
    found = [
        [recalls[id_] for id_ in cluster]
        for cluster in clusters_of(memory.bank(user), memory.engine.keys.strangers)
    ]
    for cluster in found:
        for recall in cluster:
            recalls.pop(recall.id)
    named = [
        (name_of([recall.text for recall in cluster], [recall.gist for recall in cluster]), cluster)
        for cluster in found
    ]
    data = {
        "user": user,
        "clusters": [
            {"name": name, "memories": [item.to_dict() for item in cluster]} for name, cluster in named
        ],
        "alone": [recall.to_dict() for recall in recalls.values()],
    }

    def view(console: Console) -> None:
        from ..render import MemoryTable, note

        for name, cluster in [*named, ("alone", list(recalls.values()))]:
            if cluster:
                console.print(MemoryTable(cluster, title=f"{name} ({len(cluster)})"))
        note(console, f"{len(named)} clusters, {len(recalls)} memories of {user!r} alone")

    emit(args, data, view)


def _show_one(args: Namespace, memory: Memory, memory_id: str) -> None:
    history = memory.history(memory_id)
    try:
        held: Recall | None = memory.get(memory_id, fidelity="weights")
        exact = memory.get(memory_id, fidelity="exact").text
    except NotFound:  # forgotten or deleted; what happened to it is in the log
        held, exact = None, next((line["text"] for line in reversed(history) if "text" in line), "")
    data = {"id": memory_id, "memory": held and held.to_dict(), "words": exact, "history": history}
    emit(args, data, lambda console: _show_history(console, held, exact, history))


def _show_history(
    console: Console, held: Recall | None, exact: str, history: Sequence[dict[str, Any]]
) -> None:
    from rich.text import Text

    from ..render import ago, bar, clean, facts_table, local, rung

    facts = facts_table()
    facts.show_header = False
    facts.add_column("field", style="bright_black", no_wrap=True)
    facts.add_column("value", ratio=1, overflow="fold")
    facts.add_row("words", clean(exact) or "(erased)")
    if held is None:
        facts.add_row("weights", "nothing is left; deep recall may find it")
    else:
        name = str(held.fidelity)
        strength = Text(" ").join([bar(held.strength, name, 16), Text(f"{held.strength:.3f}"), rung(name)])
        facts.add_row("weights say", clean(held.text))
        facts.add_row("gist", clean(held.gist))
        facts.add_row("strength", strength)
        facts.add_row("said", f"{local(held.created_at)}  ({ago(held.created_at)})")
        facts.add_row("heard last", f"{local(held.updated_at)}  ({ago(held.updated_at)})")
        facts.add_row("metadata", clean(json.dumps(held.metadata, ensure_ascii=False)))
        facts.add_row("id", held.id)
    console.print(facts)
    events = facts_table("History")
    events.add_column("when", no_wrap=True)
    events.add_column("event", no_wrap=True)
    events.add_column("words", ratio=1, overflow="fold")
    for line in history:
        events.add_row(local(line["time"]), line["event"], clean(str(line.get("text", ""))))
    console.print(events)
