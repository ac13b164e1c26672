"""mem0's configuration, as far as it means something here: where the store lies, and settings of ours.

What has no meaning is named and left alone: no language model, embedder, vector database or graph database
is needed.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..identity import data_folder

__all__ = ["Settings", "read"]

logger = logging.getLogger("neuromem.compat")

OWN = "neuromem"  # section of a configuration that is ours
PROVIDERS = ("llm", "embedder", "vector_store", "graph_store", "reranker")
MEANT = ("path", "collection_name")  # keys of `vector_store.config` that mean something here
RAM = ":memory:"
# mem0 forgets nothing by itself, so its users must not be surprised; `neuromem.forgetting` overrides it
STEADY = {"decay": "none"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a configuration asks for."""

    folder: Path | None  # None: in RAM only
    config: dict[str, Any]  # as `Config.load` takes it
    encoder: str | None = None
    extractor: str | None = None
    graph: bool = False  # answers carry "relations"
    ignored: tuple[str, ...] = field(default=())


def read(config: Any) -> Settings:
    """Reads a configuration: None, a dict, or an object such as mem0's `MemoryConfig`.

    Raises:
        ConfigError: it is none of these, or a setting of ours is wrong.
    """
    given = _plain(config)
    own = dict(_section(given, OWN))
    path = own.pop("path", None)
    if path is not None and not isinstance(path, str | os.PathLike):
        raise ConfigError(f"{OWN}.path", f"is of type {type(path).__name__}", "give the name of a folder")
    encoder, extractor = own.pop("encoder", None), own.pop("extractor", None)
    own["forgetting"] = {**STEADY, **_section(own, "forgetting")}
    ignored = tuple(_ignored(given))
    if ignored:
        logger.warning("not needed, and ignored: %s", "; ".join(ignored))
    folder = Path(path).expanduser() if path else _folder(given)
    return Settings(folder, own, encoder, extractor, bool(given.get("graph_store")), ignored)


def _plain(config: Any) -> dict[str, Any]:
    if config is None:
        return {}
    if isinstance(config, Mapping):
        return dict(config)
    dump = getattr(config, "model_dump", None)
    if callable(dump):  # what was not set says mem0's defaults, not what its user wants
        return dict(dump(exclude_unset=True))
    if hasattr(config, "__dict__"):
        return dict(vars(config))
    raise ConfigError("config", f"is of type {type(config).__name__}", "give a dict as mem0 takes it")


def _section(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = given.get(name)
    return section if isinstance(section, Mapping) else {}


def _ignored(given: Mapping[str, Any]) -> list[str]:
    """What has no meaning here, as "section (provider)"."""
    names = []
    for name, value in given.items():
        if name in (OWN, "version", "history_db_path") or value is None:
            continue
        section = _section(given, name)
        if name == "vector_store" and not _unmeant(section):
            continue
        provider = section.get("provider") if name in PROVIDERS else None
        names.append(f"{name} ({provider})" if provider else name)
    return names


def _unmeant(vector_store: Mapping[str, Any]) -> bool:
    """Whether a vector database is asked for that is more than a folder."""
    inner = _section(vector_store, "config")
    return bool(set(inner) - set(MEANT)) or (bool(vector_store.get("provider")) and "path" not in inner)


def _folder(given: Mapping[str, Any]) -> Path | None:
    """Where the store lies.

    In a folder of its own beside what mem0 kept there: its files are left alone. mem0 keeps collections
    apart, and memories with different files of history, so they are stores apart.
    """
    inner = _section(_section(given, "vector_store"), "config")
    path, history = inner.get("path"), given.get("history_db_path")
    if RAM in (path, path or history):
        return None
    collection = str(inner.get("collection_name") or "mem0")
    name = OWN if collection == "mem0" else f"{OWN}-{re.sub(r'[^A-Za-z0-9._-]', '_', collection)}"
    if path:
        folder = Path(str(path)).expanduser()
        return folder if (folder / "log").is_dir() else folder / name
    if os.environ.get("NEUROMEM_PATH"):
        return Path(os.environ["NEUROMEM_PATH"]).expanduser()
    if history:
        file = Path(str(history)).expanduser()
        return file.with_name(f"{file.stem}.{name}")
    return data_folder() / ("mem0" if collection == "mem0" else f"mem0-{name}")
