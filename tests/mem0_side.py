"""What mem0's own open-source classes do, for comparison: run as a script, prints JSON.

mem0 is imported in a process of its own: it is heavy, warns at import, and other tests must not have it
loaded. Its embedder is a stand-in that hashes words, its model one that must not be asked.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import zlib
from collections.abc import Callable
from typing import Any

METHODS = ("add", "search", "get", "get_all", "update", "delete", "delete_all", "history", "reset", "chat")
MESSAGES = [
    {"role": "system", "content": "You are a cook."},
    {"role": "user", "name": "ana", "content": "I am allergic to peanuts"},
    {"role": "assistant", "content": "No peanuts, then."},
]


def scenario(memory: Any) -> dict[str, Any]:
    """The life of some memories, as keys and values that both sides should agree on."""
    seen: dict[str, Any] = {}
    added = memory.add(MESSAGES, user_id="u1", agent_id="a1", infer=False, metadata={"topic": "food"})
    memory.add("The oven is slow", agent_id="a1", infer=False, expiration_date="2020-01-01")
    seen["add"] = [{k: v for k, v in item.items() if k != "id"} for item in added["results"]]
    first = added["results"][0]["id"]
    mine = {"user_id": "u1"}
    seen["get"] = _known(memory.get(first))
    seen["get_all"] = [_known(item) for item in _sorted(memory.get_all(filters=mine))]
    seen["all of the agent"] = len(memory.get_all(filters={"agent_id": "a1"})["results"])
    seen["with what expired"] = len(memory.get_all(filters={"agent_id": "a1"}, show_expired=True)["results"])
    found = memory.search("allergic to peanuts", filters=mine, top_k=1)["results"]
    seen["search"] = [_known(item) for item in found]
    seen["by actor"] = len(memory.get_all(filters={**mine, "actor_id": "ana"})["results"])
    seen["by metadata"] = [
        bool(memory.search("peanuts", filters={**mine, "topic": {"in": [topic]}})["results"])
        for topic in ("food", "sport")
    ]
    seen["update"] = memory.update(first, text="I am allergic to walnuts", metadata={"sure": True})
    seen["updated"] = _known(memory.get(first))
    seen["history"] = [
        {key: row[key] for key in ("old_memory", "new_memory", "event", "is_deleted")} | {"keys": sorted(row)}
        for row in memory.history(first)
    ]
    seen["delete"] = memory.delete(first)
    seen["gone"] = memory.get(first)
    seen["nothing"] = memory.history("0b5a5a5e-0000-4000-8000-000000000000")
    seen["delete_all"] = memory.delete_all(user_id="u1")
    seen["left"] = len(memory.get_all(filters=mine)["results"])
    seen["errors"] = {name: _error(call, memory, first) for name, call in WRONG.items()}
    return seen


WRONG: dict[str, Callable[[Any, str], Any]] = {
    "add without an id": lambda m, _: m.add("x"),
    "add of a number": lambda m, _: m.add(7, user_id="u1"),
    "add with an unknown type": lambda m, _: m.add("x", user_id="u1", memory_type="core"),
    "add with a wrong date": lambda m, _: m.add("x", user_id="u1", expiration_date="soon"),
    "search without an id": lambda m, _: m.search("x"),
    "blank search": lambda m, _: m.search("  ", filters={"user_id": "u1"}),
    "search with a wrong threshold": lambda m, _: m.search("x", filters={"user_id": "u1"}, threshold=2),
    "search with a wrong top_k": lambda m, _: m.search("x", filters={"user_id": "u1"}, top_k=-1),
    "get_all without an id": lambda m, _: m.get_all(),
    "update of nothing": lambda m, gone: m.update(gone),
    "update of what is gone": lambda m, gone: m.update(gone, text="x"),
    "delete of what is gone": lambda m, gone: m.delete(gone),
    "delete_all without an id": lambda m, _: m.delete_all(),
    "chat": lambda m, _: m.chat("x"),
}


def _error(call: Callable[[Any, str], Any], memory: Any, gone: str) -> dict[str, Any]:
    """Names of the classes of what a call raises, and its code."""
    try:
        call(memory, gone)
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        return {"kinds": kinds, "code": getattr(error, "error_code", None)}
    return {"kinds": [], "code": None}


def _known(record: dict[str, Any]) -> dict[str, Any]:
    """A record, of what changes with each run only that it is there."""
    changing = ("id", "created_at", "updated_at", "score")
    return {key: type(value).__name__ if key in changing else value for key, value in record.items()}


def _sorted(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(answer["results"], key=lambda record: str(record["memory"]))


def signatures(kind: type) -> dict[str, list[tuple[str, str, str]]]:
    """(name, kind, default) of every parameter of the methods."""
    return {
        name: [
            (parameter.name, parameter.kind.name, repr(parameter.default))
            for parameter in inspect.signature(getattr(kind, name)).parameters.values()
        ]
        for name in METHODS
    }


class _Embedder:
    """Hashes words into a vector."""

    def __init__(self, *_: Any) -> None:
        self.config = type("Config", (), {"embedding_dims": 64})()

    def embed(self, text: str, *_: Any, **__: Any) -> list[float]:
        vector = [0.0] * 64
        for word in text.lower().split():
            vector[zlib.crc32(word.encode()) % 64] += 1.0
        length = sum(value * value for value in vector) ** 0.5
        return [value / (length or 1.0) for value in vector]

    def embed_batch(self, texts: list[str], *_: Any, **__: Any) -> list[list[float]]:
        return [self.embed(text) for text in texts]


def main(folder: str) -> None:
    """Prints what mem0 does."""
    os.environ.update(MEM0_TELEMETRY="False", MEM0_DIR=folder)
    import mem0
    from mem0.utils.factory import EmbedderFactory, LlmFactory

    EmbedderFactory.create = _Embedder
    LlmFactory.create = lambda *_: None
    qdrant = {"path": f"{folder}/qdrant", "embedding_model_dims": 64, "on_disk": True}
    config = {
        "vector_store": {"provider": "qdrant", "config": qdrant}, "history_db_path": f"{folder}/history.db",
    }  # fmt: skip
    memory = mem0.Memory.from_config(config)
    shown = {
        "Memory": signatures(mem0.Memory), "AsyncMemory": signatures(mem0.AsyncMemory),
        "scenario": scenario(memory), "version": mem0.__version__,
    }  # fmt: skip
    memory.close()
    print(json.dumps(shown))


if __name__ == "__main__":
    main(sys.argv[1])
